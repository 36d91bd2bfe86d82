//! Services of the OpenAPI, and what they have in common: signatures in the RPC and the ACS3 form, and how they answer.

pub(crate) mod auth;
pub(crate) mod cs;
pub(crate) mod ecs;
pub(crate) mod product;
pub(crate) mod ram;
