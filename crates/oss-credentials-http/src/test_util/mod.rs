//! A scripted service, and the conformance suite for HTTP clients.

mod conformance;
mod parameters;
mod scripted_http;
#[cfg(feature = "test-tls")]
mod tls_server;

pub use conformance::{ConformanceOutcome, ConformanceReport, HttpConformance};
pub use parameters::{decoded_pairs, parameter, parameters};
pub use scripted_http::ScriptedHttp;
#[cfg(feature = "test-tls")]
pub use tls_server::TlsServer;
