//! What a policy is made of.

/// A policy that was passed to STS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(super) statements: Vec<Statement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) effect: Effect,
    pub(super) actions: Actions,
    pub(super) resources: Vec<String>,
    pub(super) conditions: Vec<Condition>,
    /// Elements that are not implemented, by name.
    pub(super) unsupported: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Allow,
    Deny,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Actions {
    /// `Action`: the statement covers these.
    Only(Vec<String>),
    /// `NotAction`: the statement covers all others.
    AllBut(Vec<String>),
}

/// One key below one operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) operator: String,
    pub(super) key: String,
    pub(super) values: Vec<String>,
}
