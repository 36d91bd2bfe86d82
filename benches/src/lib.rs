//! What the benchmarks share.

pub mod measure;
#[cfg(feature = "client")]
pub mod server;
#[cfg(feature = "client")]
pub mod setting;
pub mod subjects;
