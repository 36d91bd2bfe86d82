//! Fakes for tests of sources and providers, and the conformance suite for HTTP clients.

mod fake_env;

pub use fake_env::{FakeEnv, PanickingEnv};
