//! Why a request was not sent.

use oss_credentials_core::CredentialsError;

/// Why a request was not sent.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The provider returned no credentials.
    #[error(transparent)]
    Credentials(CredentialsError),
    /// The OSS request cannot be signed.
    #[error(transparent)]
    OssSign(oss_sign::SignError),
    /// The OpenAPI request cannot be signed.
    #[error(transparent)]
    AcsSign(acs_sign::SignError),
    /// An OpenAPI request whose body is a stream. The signature includes the hash of the body, so the body must be bytes.
    #[error("middleware: the body of the OpenAPI request is a stream; its hash is signed, so pass bytes")]
    StreamedBody,
    /// A presigned URL was requested for the OpenAPI, which has none.
    #[error("middleware: the OpenAPI has no presigned URLs; sign the request itself")]
    OpenApiUrl,
}
