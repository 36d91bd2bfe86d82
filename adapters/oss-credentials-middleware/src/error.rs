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
    /// The request goes to a host whose bucket is not known.
    #[error(
        "middleware: the host {host:?} does not belong to the endpoint {endpoint}; set the bucket of a custom domain with Signing::bucket"
    )]
    UnknownHost {
        /// The host of the request.
        host: String,
        /// The endpoint that was configured.
        endpoint: String,
    },
    /// An OpenAPI request without `x-acs-action` or `x-acs-version`.
    #[error(
        "middleware: the OpenAPI request has no header {name}; set it to the product's action or version"
    )]
    MissingHeader {
        /// The missing header.
        name: &'static str,
    },
    /// An OpenAPI request whose body is a stream. The signature includes the hash of the body, so the body must be bytes.
    #[error("middleware: the body of the OpenAPI request is a stream; its hash is signed, so pass bytes")]
    StreamedBody,
    /// A presigned URL was requested for the OpenAPI, which has none.
    #[error("middleware: the OpenAPI has no presigned URLs; sign the request itself")]
    OpenApiUrl,
    /// The service refused with more than [`MAX_ERROR_BODY`](crate::MAX_ERROR_BODY) bytes. Not with the tower layer,
    /// which reads no further.
    #[error("middleware: the response that refuses the request is larger than 64 KiB")]
    LargeRefusal,
}
