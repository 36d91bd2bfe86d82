//! The [`HttpClient`](oss_credentials_http::HttpClient) of the Alibaba Cloud credential providers over
//! [ureq](https://docs.rs/ureq): blocking, and without an async runtime.
//!
//! A program that has no async code awaits providers with
//! [`blocking::wait`](oss_credentials_core::blocking::wait):
//!
//! ```no_run
//! use oss_credentials_core::blocking;
//! use oss_credentials_http::{HttpClient, HttpRequest};
//! use oss_credentials_ureq::UreqClient;
//!
//! let client = UreqClient::new();
//! let request = HttpRequest::get("http://100.100.100.200/latest/meta-data/instance-id");
//! let response = blocking::wait(client.send(request))?;
//! println!("status {}", response.status());
//! # Ok::<(), oss_credentials_http::HttpError>(())
//! ```
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `rustls` | yes | https through rustls with aws-lc-rs and the system's certificates |
//! | `native-tls` | no | https through the system's TLS library; `rustls` takes precedence if both are enabled |
//!
//! Without either, only `http://` works, which is enough for the metadata service.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod client;
mod error;
mod exchange;
mod tls;

pub use client::{UreqClient, UreqClientBuilder};
