//! Services of the OpenAPI, and their common parts: signatures in the RPC and the ACS3 form, and responses.

pub(crate) mod auth;
pub(crate) mod cs;
pub(crate) mod ecs;
pub(crate) mod product;
pub(crate) mod ram;
