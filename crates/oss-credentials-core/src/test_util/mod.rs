//! Fakes for tests of sources and providers, what is logged as text, and the conformance suite for HTTP clients.

mod fake_env;
mod http_conformance;
mod http_conformance_checks;
mod http_conformance_runtime;
mod http_conformance_socket;
mod logged;
mod manual_clock;
mod scripted_http;
mod scripted_source;

pub use fake_env::{FakeEnv, PanickingEnv};
pub use http_conformance::{ConformanceOutcome, ConformanceReport, HttpConformance};
pub use logged::logged;
pub use manual_clock::ManualClock;
pub use scripted_http::ScriptedHttp;
pub use scripted_source::{Gate, ScriptedSource};
