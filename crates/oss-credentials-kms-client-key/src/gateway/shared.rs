//! The gateway that all of a region's customers share: OpenAPI RPC, signed with the client key.
//!
//! Vendor document: `GetSecretValue` of the Key Management Service. That a client key signs with
//! `SHA256withRSA` and `SignatureType=PRIVATEKEY` is observed from the vendor's clients.

use std::time::SystemTime;

use acs_sign::{ApiRequest, SignError, encode_pairs, rpc};
use oss_credentials_core::try_nonce;
use oss_credentials_http::HttpRequest;

use super::{API_NAME, Prepared, STAGE, Target};
use crate::client_key::ClientKey;

const API_VERSION: &str = "2016-01-20";

/// All parameters travel in the query, as in the vendor's clients; the body is empty.
pub(super) fn prepare(
    target: &Target,
    key: &ClientKey,
    secret_name: &str,
    time: SystemTime,
) -> Result<Prepared, SignError> {
    let host = target.endpoint.authority();
    let own = [
        ("SecretName", secret_name),
        ("VersionStage", STAGE),
        ("FetchExtendedConfig", "true"),
        ("RegionId", target.region_id.as_str()),
    ];
    let request = ApiRequest::new("POST", &host, API_NAME, API_VERSION).query(&own);
    let nonce = try_nonce().map_err(|_| SignError::NoNonce)?;
    let signed = rpc::sign_with_client_key(&request, key.key_id(), key.signer(), time, &nonce)?;
    let all: Vec<(&str, &str)> = own
        .into_iter()
        .chain(signed.query().iter().map(|added| (added.name(), added.value())))
        .collect();
    let signature = signed.query().iter().find(|added| added.name() == rpc::SIGNATURE);
    Ok(Prepared {
        request: HttpRequest::post(format!(
            "{}/?{}",
            target.endpoint.origin(),
            encode_pairs(all.iter().copied())
        ))
        .with_header("accept", "application/json")
        // Some clients leave it out where there is no body.
        .with_header("content-length", "0"),
        signed_text: Some(rpc::string_to_sign("POST", &all)),
        signature: signature.map_or_else(String::new, |added| added.value().to_owned()),
    })
}
