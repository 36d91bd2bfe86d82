//! The secret that KMS keeps: the pair in it, when to fetch it again, and what the log says about it.

pub(crate) mod data;
pub(crate) mod notice;
pub(crate) mod schedule;
