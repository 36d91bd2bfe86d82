//! Modules for the test of the check; nothing compiles them.

mod one;
mod two;

pub use one::One;
pub use two::{Inner as Renamed, Two};
