//! How the client signs: the version chosen.

use oss_sign::{Signer, v1, v4};

use crate::error::{Error, InvalidInput};

/// Product of all requests but those to a cloud box.
pub(crate) const PRODUCT: &str = oss_sign::v4::DEFAULT_PRODUCT;
/// Product of requests to a cloud box, as observed from the vendor's Python and Go SDKs V2.
pub(crate) const PRODUCT_CLOUD_BOX: &str = "oss-cloudbox";

/// Version of the signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureVersion {
    /// `OSS4-HMAC-SHA256`: names the region, and signs the whole query.
    #[default]
    V4,
    /// HMAC-SHA1, for services that do not take V4 yet. The vendor advises against it for new programs.
    V1,
}

/// The signer of the version chosen. `region` is the region, or the ID of a cloud box.
pub(crate) fn signer(
    version: SignatureVersion,
    region: &str,
    product: &str,
    additional_headers: &[String],
) -> Result<Signer, Error> {
    match version {
        SignatureVersion::V4 => {
            let signer = v4::Signer::builder(region)
                .product(product)
                .additional_headers(additional_headers);
            Ok(signer.build().map_err(Error::Sign)?.into())
        }
        SignatureVersion::V1 if !additional_headers.is_empty() => {
            Err(Error::InvalidConfig(InvalidInput::new(
                "`additional_headers` and `signature_version(V1)` are both set",
                "leave the headers out, or sign with V4",
            )))
        }
        SignatureVersion::V1 => Ok(v1::Signer::new().into()),
    }
}
