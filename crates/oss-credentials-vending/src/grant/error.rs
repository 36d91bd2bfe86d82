//! Why no grant was made.

use oss_credentials_http::EndpointError;
use oss_sign::SignError;

use crate::policy::PolicyError;

/// An error of [`BucketAddress`](super::BucketAddress) or [`GrantBuilder::sign`](super::GrantBuilder::sign).
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GrantError {
    /// The bucket name or the prefix is malformed.
    #[error(transparent)]
    Name(#[from] PolicyError),
    /// The URL of the bucket cannot be read.
    #[error(transparent)]
    Url(#[from] EndpointError),
    /// The URL of the bucket has a user name, a password or a query, which a presigned URL cannot keep.
    #[error(
        "vending: the URL of the bucket has a user name, a password or a query; write scheme://host[:port][/path]"
    )]
    UrlParts,
    /// The grant contains nothing.
    #[error("vending: the grant contains nothing; call url, form or credentials")]
    Empty,
    /// A key is empty.
    #[error("vending: the key is empty; name the object that the grant is for")]
    NoKey,
    /// The key of a form contains `${`, in whose place the service puts the name of the file.
    #[error("vending: the key of the form contains ${{, which the service replaces; choose another key")]
    Placeholder,
    /// The signature cannot be made. The error says what to do.
    #[error(transparent)]
    Sign(#[from] SignError),
}
