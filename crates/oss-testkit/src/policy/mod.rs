//! Session policies: how they are read, and what they decide. Pure functions without I/O.
//!
//! Vendor documents: "Policy structure and syntax", "Permission policy elements" and "Conditional operators"
//! (Resource Access Management, user guide); "OSS authorization syntax and elements" and "RAM Policy" (Object
//! Storage Service, user guide).

mod condition;
mod decide;
mod parse;
mod pattern;
mod syntax;

pub(crate) use condition::Context;
pub(crate) use decide::{Access, Decision};
pub(crate) use pattern::matches;
pub(crate) use syntax::Policy;
