//! The gateway that all of a region's customers share: OpenAPI RPC, signed with the client key.
//!
//! Vendor document: `GetSecretValue` of the Key Management Service. That a client key signs with
//! `SHA256withRSA` and `SignatureType=PRIVATEKEY` is observed from the vendor's clients.

use std::time::SystemTime;

use acs_sign::{ApiRequest, SignError, Signed, encode_pairs, rpc};
use oss_credentials_core::try_nonce;
use oss_credentials_http::HttpRequest;

use super::{API_NAME, Prepared, Proof, Target};
use crate::client_key::ClientKey;
use crate::config::STAGE;

const API_VERSION: &str = "2016-01-20";

/// All parameters travel in the query, as in the vendor's clients; the body is empty.
pub(super) fn prepare(
    target: &Target,
    key: &ClientKey,
    secret_name: &str,
    time: SystemTime,
) -> Result<Prepared, SignError> {
    let host = target.endpoint.authority();
    let own = parameters(target, secret_name);
    let request = ApiRequest::new("POST", &host, API_NAME, API_VERSION).query(&own);
    let nonce = try_nonce().map_err(|_| SignError::NoNonce)?;
    let signed = rpc::sign_with_client_key(&request, key.key_id(), key.signer(), time, &nonce)?;
    let query = encode_pairs(all(&own, &signed));
    Ok(Prepared {
        request: HttpRequest::post(format!("{}/?{query}", target.endpoint.origin()))
            .with_header("accept", "application/json")
            // Some clients leave it out where there is no body.
            .with_header("content-length", "0"),
        proof: Proof::Query(signed),
    })
}

/// The text that was signed for a request.
pub(super) fn string_to_sign(target: &Target, secret_name: &str, signed: &Signed) -> String {
    let pairs: Vec<_> = all(&parameters(target, secret_name), signed).collect();
    rpc::string_to_sign("POST", &pairs)
}

fn parameters<'a>(target: &'a Target, secret_name: &'a str) -> [(&'a str, &'a str); 4] {
    [
        ("SecretName", secret_name),
        ("VersionStage", STAGE),
        ("FetchExtendedConfig", "true"),
        ("RegionId", target.region_id.as_str()),
    ]
}

/// The own parameters, and those that signing added.
fn all<'a>(own: &[(&'a str, &'a str)], signed: &'a Signed) -> impl Iterator<Item = (&'a str, &'a str)> {
    let added = signed.query().iter();
    own.iter()
        .copied()
        .chain(added.map(|added| (added.name(), added.value())))
}
