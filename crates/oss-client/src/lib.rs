//! A client for Alibaba Cloud OSS: any credentials provider, V4 and V1 signatures, reqwest.
//!
//! ```no_run
//! use std::time::Duration;
//! use oss_client::Client;
//! use oss_credentials_static::StaticProvider;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder()
//!     .region("cn-hangzhou")
//!     .credentials(StaticProvider::access_key("LTAI5tExampleKeyId01", "example-secret")?)
//!     .build()?;
//!
//! client.put_object("examplebucket", "greeting.txt", "hello").content_type("text/plain").send().await?;
//! let text = client.get_object("examplebucket", "greeting.txt").send().await?.bytes().await?;
//! let link = client.presign_get("examplebucket", "greeting.txt", Duration::from_secs(900)).await?;
//! client.delete_object("examplebucket", "greeting.txt").send().await?;
//! # Ok(())
//! # }
//! ```
//!
//! - [`ClientBuilder`] has the settings: the address of OSS, timeouts, retries, connections.
//! - [`Client`] stores, reads, copies, lists and deletes objects, makes presigned URLs, and sends any other
//!   [`Operation`], whose [`Method`] is the same type as `reqwest::Method`. Its methods return requests, which are
//!   sent by `send` or by `.await`.
//! - [`Upload`] stores files and streams of any size, in parts and with bounded memory.
//! - [`Download`] stores objects in files, and continues transfers that break.
//! - [`Paged`] returns lists page by page.
//! - [`Body`] is the content to upload, [`Response`] and [`ResponseBody`] are what the service returns. Both stream,
//!   so that memory use does not grow with the object.
//! - [`RetryPolicy`] decides which failures are retried and when; [`StandardRetry`] is the default.
//! - [`Error`] distinguishes requests that were never sent, requests without a complete response, errors returned by
//!   the service ([`ServiceError`], with code, message, request ID and `EC`), and bodies that were corrupted in
//!   transit.
//! - The module `blocking`, with the feature of that name, wraps the client for programs without async code.
//! - [`Client::sign`] returns the signed request of an operation, and [`sign_reqwest`] signs an existing request, for
//!   programs that send requests with an HTTP stack of their own.
//!
//! When the service rejects a key or token, the client reports it to the provider
//! ([`CredentialsProvider::invalidate`]); when it rejects the time, the client corrects its clock from the response. In
//! both cases the request is sent once more immediately, in addition to the attempts that the policy allows. Keys with
//! a segment `.` or `..` are refused, because reqwest's URLs cannot represent them.
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `content-type` | yes | a `Content-Type` derived from the extension of the key; without this feature it is `application/octet-stream` |
//! | `download-file` | yes | [`Client::download_file`] |
//! | `post-policy` | no | `Client::presign_post`, forms for uploads from a browser |
//! | `default-chain` | no | `Client::from_env` and `ClientBuilder::env`: credentials of the default chain, and where OSS is, from the environment |
//! | `blocking` | no | the module `blocking`, for programs without async code |
//! | `tokio-util` | no | `Response::into_async_read` and `UploadWriter`: tokio's `AsyncRead` and `AsyncWrite` |
//! | `fast-crc` | no | the CRC-64 by `crc-fast`: several times as fast where the processor has AVX-512, for seven more crates |
//! | `rustls` | yes | https through rustls with aws-lc-rs and the system's certificates |
//! | `rustls-no-provider` | no | https through rustls with the crypto provider that the program installs |
//! | `native-tls` | no | https through the system's TLS library |
//!
//! Without any of the last three features only `http://` endpoints work. The public API contains types of `reqwest`
//! 0.13, `bytes` 1 and `futures-core` 0.3; the major version of this crate follows reqwest's.
//!
//! When something fails, `docs/oss-client-errors.md` in the repository lists each error with cause and fix.
//!
//! [`CredentialsProvider::invalidate`]: oss_credentials_core::CredentialsProvider::invalidate
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(all(doctest, feature = "download-file"))]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;

#[cfg(feature = "blocking")]
#[cfg_attr(docsrs, doc(cfg(feature = "blocking")))]
pub mod blocking;
mod body;
mod body_check;
mod checkpoint;
mod client;
mod clock;
mod config;
mod copy;
mod crc;
mod date;
mod default_headers;
#[cfg(feature = "download-file")]
mod download;
mod draft;
mod endpoint;
mod error;
mod error_document;
#[cfg(feature = "post-policy")]
mod form;
mod headers;
mod http_error;
mod idle;
mod json;
mod number;
mod observe;
mod operation;
mod ops;
mod oss_url;
mod presign;
mod progress;
mod proxies;
mod redirect;
mod region;
mod regular_file;
mod request_context;
mod response;
mod retry;
mod runtimes;
mod send;
mod service_error;
mod sign_request;
mod signing;
mod tls;
#[cfg(feature = "tokio-util")]
mod tokio_io;
mod transfer_events;
mod transport;
mod upload;
mod url;
mod validate;
#[cfg(any(feature = "blocking", feature = "tokio-util"))]
mod written;
mod xml;

pub use body::Body;
pub use client::Client;
#[cfg(feature = "default-chain")]
#[cfg_attr(docsrs, doc(cfg(feature = "default-chain")))]
pub use config::region_from_env;
pub use config::{
    ClientBuilder, DEFAULT_CONNECT_TIMEOUT, DEFAULT_IDLE_TIMEOUT, DEFAULT_MAX_IDLE_CONNECTIONS,
    DEFAULT_READ_TIMEOUT, ENV_OSS_ENDPOINT, ENV_OSS_REGION,
};
pub use copy::{Copied, CopyProgress, DEFAULT_COPY_PART_SIZE, DEFAULT_COPY_THRESHOLD, ObjectCopy};
#[cfg(feature = "download-file")]
#[cfg_attr(docsrs, doc(cfg(feature = "download-file")))]
pub use download::{Download, DownloadProgress, Downloaded};
pub use error::{AbandonedUpload, CorruptionError, Error, InvalidInput, InvalidResponse, TransportError};
#[cfg(feature = "post-policy")]
#[cfg_attr(docsrs, doc(cfg(feature = "post-policy")))]
pub use form::{PresignPost, PresignedForm};
pub use http::Method;
pub use observe::{AttemptEvent, AttemptOutcome};
pub use operation::Operation;
pub use ops::Paged;
pub use ops::append::{AppendObject, Appended};
pub use ops::bucket_info::{
    BucketInfo, BucketLocation, BucketStat, GetBucketInfo, GetBucketLocation, GetBucketStat,
};
pub use ops::buckets::{BucketSummary, BucketsPage, DeleteBucket, ListBuckets, PutBucket};
pub use ops::copy::{CopiedObject, CopyObject, CopySource, UploadPartCopy};
pub use ops::delete::{DeleteObjects, DeletedObject, DeletedObjects};
pub use ops::exists::{BucketExists, ObjectExists};
pub use ops::list::{ListObjectsV2, ObjectSummary, ObjectsPage, Owner};
pub use ops::multipart::{
    AbortMultipartUpload, CompleteMultipartUpload, CompletedUpload, InitiateMultipartUpload, InitiatedUpload,
    UploadPart, UploadedPart,
};
pub use ops::object::{DeleteObject, GetObject, GetObjectMeta, HeadObject, PutObject};
pub use ops::properties::{
    DeleteObjectTagging, GetObjectAcl, GetObjectTagging, GetSymlink, ObjectAcl, ObjectTagging, PutObjectAcl,
    PutObjectTagging, PutSymlink, RestoreObject, Symlink,
};
pub use ops::uploads::{
    ListMultipartUploads, ListParts, ListedPart, MultipartUpload, MultipartUploadsPage, PartsPage,
};
pub use ops::versions::{ListObjectVersions, ObjectVersion, VersionsPage};
pub use oss_sign;
pub use oss_sign::SignError;
pub use oss_sign::v4::LimitedBy;
#[cfg(feature = "post-policy")]
#[cfg_attr(docsrs, doc(cfg(feature = "post-policy")))]
pub use oss_sign::v4::PostPolicy;
pub use oss_url::OssUrl;
pub use presign::{Presign, PresignedRequest};
pub use response::{Response, ResponseBody, ResponseHead};
pub use retry::{
    DEFAULT_BASE_DELAY, DEFAULT_MAX_ATTEMPTS, DEFAULT_MAX_DELAY, FailedAttempt, FixedDelay, NoRetry,
    RetryPolicy, StandardRetry, retry_fn,
};
pub use service_error::ServiceError;
pub use sign_request::sign_reqwest;
pub use signing::SignatureVersion;
#[cfg(feature = "tokio-util")]
#[cfg_attr(docsrs, doc(cfg(feature = "tokio-util")))]
pub use tokio_io::{BodyReader, UploadWriter};
pub use upload::continued::ContinuedUpload;
pub use upload::{DEFAULT_PARALLEL_PARTS, DEFAULT_PART_SIZE, Upload, UploadProgress, Uploaded};
pub use xml::Element;

/// Target of all log events of this crate.
const TRACING_TARGET: &str = "oss_client";
/// The client's name and version in `User-Agent`. Not signed.
const USER_AGENT_VALUE: &str = concat!("oss-client-rs/", env!("CARGO_PKG_VERSION"));
