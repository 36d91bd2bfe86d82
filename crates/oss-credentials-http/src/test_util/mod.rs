//! A scripted service, and the conformance suite for HTTP clients.

mod http_conformance;
mod http_conformance_checks;
mod http_conformance_runtime;
mod http_conformance_socket;
mod scripted_http;

pub use http_conformance::{ConformanceOutcome, ConformanceReport, HttpConformance};
pub use scripted_http::ScriptedHttp;
