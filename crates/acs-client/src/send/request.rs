//! The request of an attempt: signed, with its own time and nonce, or unsigned.

#[cfg(feature = "signed")]
use acs_sign::{Addition, ApiRequest, SignError, Signed, acs3, rpc};
use oss_credentials_core::CredentialsError;
#[cfg(feature = "signed")]
use oss_credentials_core::try_nonce;
use oss_credentials_http::HttpRequest;

use super::failure::Failure;
use super::identity::Identity;
use super::state::CallState;
#[cfg(feature = "signed")]
use crate::client::SignatureVersion;
use crate::encode::{encode_pairs, timestamp};

const FORM: &str = "application/x-www-form-urlencoded";

type Pairs<'a> = Vec<(&'a str, &'a str)>;

/// Parts of a request before they are assembled.
struct Parts<'a> {
    query: Pairs<'a>,
    form: Pairs<'a>,
    headers: Pairs<'a>,
}

impl CallState<'_> {
    pub(super) fn request(&self) -> Result<HttpRequest, Failure> {
        match &self.identity {
            Identity::Nobody => self.unsigned_request(),
            #[cfg(feature = "signed")]
            identity => self
                .signed_request(identity)
                .map_err(|error| self.unsigned(error)),
        }
    }

    fn parts(&self) -> Parts<'_> {
        fn pairs<'p>(
            pairs: &'p [(std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)],
            more: usize,
        ) -> Pairs<'p> {
            let mut all = Vec::with_capacity(pairs.len() + more);
            all.extend(pairs.iter().map(|(name, value)| (&**name, &**value)));
            all
        }
        let mut headers = pairs(&self.call.headers, 10);
        if let Some(body) = &self.call.body {
            headers.push(("content-type", &body.content_type));
        }
        Parts {
            query: pairs(&self.call.query, 10),
            form: pairs(&self.call.form, 1),
            headers,
        }
    }

    /// The common parameters are in the query, the call's own where the call put them.
    fn unsigned_request(&self) -> Result<HttpRequest, Failure> {
        let version = &*self.client.inner.version;
        let Some(timestamp) = timestamp(self.clock.now()) else {
            let what = "the local time is outside of the years 1970 to 9999";
            let detail = self.detail(what).hint("check the clock");
            return Err(Failure::end(self.error(CredentialsError::invalid_config(detail))));
        };
        let mut parts = self.parts();
        if self.call.is_rpc {
            let common = [
                ("Action", &*self.call.action),
                ("Format", "JSON"),
                ("Timestamp", timestamp.as_str()),
                ("Version", version),
            ];
            parts.query.splice(..0, common);
        } else {
            let common = [("x-acs-action", &*self.call.action), ("x-acs-version", version)];
            parts.headers.extend(common);
        }
        Ok(self.assembled(&parts))
    }

    #[cfg(feature = "signed")]
    fn signed_request(&self, identity: &Identity) -> Result<HttpRequest, SignError> {
        let mut parts = self.parts();
        let signed = self.signed(identity, &parts)?;
        // The RPC signature covers a parameter wherever it is sent, and a query may end up in a log.
        let may_use_form = self.call.body.is_none() && self.call.method.as_str() == "POST";
        for added in signed.query() {
            let pair = (Addition::name(added), Addition::value(added));
            if may_use_form && pair.0 == "SecurityToken" {
                parts.form.push(pair);
            } else {
                parts.query.push(pair);
            }
        }
        let headers = signed.headers().iter();
        parts
            .headers
            .extend(headers.map(|added| (added.name(), added.value())));
        Ok(self.assembled(&parts))
    }

    #[cfg(feature = "signed")]
    fn signed(&self, identity: &Identity, parts: &Parts<'_>) -> Result<Signed, SignError> {
        let inner = &*self.client.inner;
        let (call, now) = (self.call, self.clock.now());
        let nonce = try_nonce().map_err(|_| SignError::NoNonce)?;
        let host = inner.endpoint.authority();
        let mut request = ApiRequest::new(call.method.as_str(), &host, &call.action, &inner.version)
            .path(&call.path)
            .query(&parts.query)
            .headers(&parts.headers);
        request = match &call.body {
            Some(body) => request.body(&body.bytes),
            None => request.form(&parts.form),
        };
        match (identity, inner.signature_version) {
            (Identity::Nobody, _) => Ok(Signed::default()),
            (Identity::ClientKey(key), _) if call.is_rpc => {
                rpc::sign_with_client_key(&request, key.id(), key.signer(), now, &nonce)
            }
            (Identity::ClientKey(_), _) => Err(SignError::UnsupportedBody),
            (Identity::Key(key), SignatureVersion::Rpc) if call.is_rpc => {
                rpc::sign(&request, key, now, &nonce)
            }
            (Identity::Key(key), _) => acs3::sign(&request, key, now, &nonce),
        }
    }

    fn assembled(&self, parts: &Parts<'_>) -> HttpRequest {
        let call = self.call;
        let mut url = self.client.inner.endpoint.origin();
        url.push_str(&call.path);
        if !parts.query.is_empty() {
            url.push('?');
            url.push_str(&encode_pairs(&parts.query));
        }
        let mut request =
            HttpRequest::new(call.method, url).with_header("user-agent", &*self.client.inner.user_agent);
        if !call
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("accept"))
        {
            request = request.with_header("accept", "application/json");
        }
        request = request.with_header("accept-encoding", "identity");
        for (name, value) in &parts.headers {
            request = request.with_header(*name, *value);
        }
        if let Some(body) = &call.body {
            return request.with_body(body.bytes.to_vec());
        }
        if !parts.form.is_empty() && request.header("content-type").is_none() {
            request = request.with_header("content-type", FORM);
        }
        request.with_body(encode_pairs(&parts.form).into_bytes())
    }
}
