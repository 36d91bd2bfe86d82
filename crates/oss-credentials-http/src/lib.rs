//! The HTTP layer of the Alibaba Cloud credentials providers, independent of any HTTP library.
//!
//! - [`HttpClient`]: one exchange over the HTTP stack that you already have. [`http_fn`] and [`blocking_http_fn`]
//!   create one from a closure; the crates `oss-credentials-reqwest`, `oss-credentials-ureq` and
//!   `oss-credentials-hyper` create one from the library in their name.
//! - [`HttpRequest`], [`HttpResponse`], [`HttpError`]: the types of an exchange.
//! - [`Endpoint`]: a URL, split and checked. [`ProxyVariables`]: `HTTPS_PROXY` and similar variables.
//! - [`Scrubber`]: removes secrets from the messages of a service. [`RequestIds`] checks request IDs at low cost.
//! - [`BodyBuffer`], [`checked_target`], [`causes`], [`is_tls_io_failure`]: for adapters over HTTP libraries.
//!   [`default_http_client!`]: the default of the crates of this family.
//! - [`ServiceClock`], [`CallClock`]: the offset between the local clock and a service's, and when to trust it.
//!   [`LearnedOffset`] stores it.
//! - [`PageLoop`]: detects a list that repeats its pages.
//!
//! Nothing here opens a socket, reads the environment or logs.
//!
//! ```
//! use oss_credentials_core::blocking;
//! use oss_credentials_http::{HttpClient, HttpRequest, HttpResponse, blocking_http_fn};
//!
//! // Send the request with your own stack here.
//! let client = blocking_http_fn(|request: HttpRequest| {
//!     assert_eq!(request.url(), "http://127.0.0.1/keys");
//!     Ok(HttpResponse::new(200, b"{}".to_vec()))
//! });
//! let response = blocking::wait(client.send(HttpRequest::get("http://127.0.0.1/keys")))?;
//! assert_eq!(response.status(), 200);
//! # Ok::<(), oss_credentials_http::HttpError>(())
//! ```
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `chrono` | yes | the clock offset from a `Date` header, `http_date` |
//! | `http` | no | conversions to and from `http::Request` and `http::Response` |
//! | `test-util` | no | [`test_util`]: a scripted service, the conformance suite for HTTP clients |
//! | `test-tls` | no | a server over TLS beside them; adds rustls and rcgen |
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod adapter;
mod base64;
mod client;
#[cfg(feature = "chrono")]
mod date;
mod endpoint;
mod endpoint_error;
mod layers;
mod learned_offset;
mod message;
mod outcome;
mod page_loop;
mod proxy;
mod request_id;
mod scrub;
mod service_clock;
#[cfg(feature = "test-util")]
pub mod test_util;

pub use adapter::{BodyBuffer, causes, checked_target, is_tls_io_failure};
pub use client::{HttpClient, HttpError, HttpErrorKind, blocking_http_fn, http_fn};
#[cfg(feature = "chrono")]
pub use date::http_date;
pub use endpoint::{Endpoint, is_metadata_host};
pub use endpoint_error::EndpointError;
pub use learned_offset::LearnedOffset;
pub use message::{HttpMethod, HttpRequest, HttpResponse, MAX_BODY};
pub use outcome::{clock_hint, is_out_of_files, may_pass, out_of_files, xml_text};
pub use page_loop::PageLoop;
pub use proxy::ProxyVariables;
pub use request_id::RequestIds;
pub use scrub::Scrubber;
pub use service_clock::{CallClock, MAX_LEARNED_OFFSET, RELEASED_AFTER, ServiceClock};
