//! The [`HttpClient`](oss_credentials_http::HttpClient) of the Alibaba Cloud credential providers over the
//! [hyper](https://docs.rs/hyper) client that a program already has.
//!
//! ```
//! use http_body_util::Full;
//! use hyper::body::Bytes;
//! use hyper_util::client::legacy::Client;
//! use hyper_util::rt::TokioExecutor;
//! use oss_credentials_hyper::HyperClient;
//!
//! // The client that the program uses for everything else, too; for https with a connector that has TLS.
//! let hyper = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
//! let http = HyperClient::new(hyper);
//! # let _: &dyn oss_credentials_http::HttpClient = &http;
//! ```
//!
//! Pass it to `http_client(..)` of a provider.
#![forbid(unsafe_code)]

mod client;
mod error;
mod exchange;

pub use client::HyperClient;
