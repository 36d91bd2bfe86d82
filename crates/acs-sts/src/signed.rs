//! Requests that are signed with a key.

use std::time::SystemTime;

use acs_sign::{Addition, ApiRequest, SignError, acs3, encode_pairs, rpc};
use oss_credentials_core::{Credentials, try_nonce};
use oss_credentials_http::HttpRequest;

use crate::call::{API_VERSION, FORM, Operation};
use crate::client::StsClient;

/// How requests to the service are signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureVersion {
    /// RPC, HMAC-SHA1: what the vendor's credentials SDKs send, and what proxies and emulators know best.
    #[default]
    Rpc,
    /// ACS3-HMAC-SHA256 ("V3"): what the vendor's generated STS SDK sends.
    Acs3,
}

impl StsClient {
    /// A request with a nonce of its own.
    pub(crate) fn signed_request(
        &self,
        operation: &Operation<'_>,
        caller: &Credentials,
        now: SystemTime,
    ) -> Result<HttpRequest, SignError> {
        let host = self.endpoint.authority();
        let nonce = try_nonce().map_err(|_| SignError::NoNonce)?;
        let mut form: Vec<(&str, &str)> = operation
            .params
            .iter()
            .map(|(name, value)| (*name, value.as_ref()))
            .collect();
        let unsigned = ApiRequest::new("POST", &host, operation.action, API_VERSION).form(&form);
        let mut url = format!("{}/", self.endpoint.origin());
        let mut headers: Vec<(&str, String)> = Vec::new();
        let signed = match self.signature_version {
            SignatureVersion::Rpc => rpc::sign(&unsigned, caller, now, &nonce)?,
            SignatureVersion::Acs3 => acs3::sign(&unsigned, caller, now, &nonce)?,
        };
        if !signed.query().is_empty() {
            // The signature covers a parameter wherever it travels, and a query may end up in somebody's log.
            let in_body = |added: &&Addition| added.name() == "SecurityToken";
            let pair = |added| (Addition::name(added), Addition::value(added));
            let query = signed.query().iter().filter(|added| !in_body(added)).map(pair);
            url = format!("{url}?{}", encode_pairs(query));
            form.extend(signed.query().iter().filter(in_body).map(pair));
            if !form.is_empty() {
                headers.push(("content-type", FORM.to_owned()));
            }
        }
        headers.extend(
            signed
                .headers()
                .iter()
                .map(|added| (added.name(), added.value().to_owned())),
        );

        let mut request = self.post(url, encode_pairs(form));
        for (name, value) in headers {
            request = request.with_header(name, value);
        }
        Ok(request)
    }
}
