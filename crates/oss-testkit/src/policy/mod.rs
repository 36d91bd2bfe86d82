//! Session policies: how they are read, and what they decide. Pure functions without I/O.
//!
//! Vendor documents: "Policy structure and syntax", "Permission policy elements" and "Conditional operators"
//! (Resource Access Management, user guide); "OSS authorization syntax and elements" and "RAM Policy" (Object
//! Storage Service, user guide).

mod condition;
mod decide;
mod parse;
mod pattern;

pub(crate) use condition::Context;
pub(crate) use decide::{Access, Decision};

/// A policy that was passed to STS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    statements: Vec<Statement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Statement {
    effect: Effect,
    actions: Actions,
    resources: Vec<String>,
    conditions: Vec<Condition>,
    /// Elements that are not implemented, by name.
    unsupported: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Actions {
    /// `Action`: the statement covers these.
    Only(Vec<String>),
    /// `NotAction`: the statement covers all others.
    AllBut(Vec<String>),
}

/// One key below one operator.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Condition {
    operator: String,
    key: String,
    values: Vec<String>,
}
