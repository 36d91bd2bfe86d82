//! Rejected keys: reported to a provider, and replaced once.

use std::sync::{Arc, Mutex};

use acs_client::{Call, Caller, ClientKey, ClientKeySource};
use acs_sign::{ClientKeySigner, SignError};
use oss_credentials_core::{
    Credentials, CredentialsError, CredentialsFuture, CredentialsProvider, ErrorDetail, Invalidation,
    blocking,
};
use oss_credentials_http::HttpRequest;
use oss_credentials_http::test_util::ScriptedHttp;

use crate::common::*;

/// Hands out keys in order, the next one when one is reported.
#[derive(Clone, Default)]
struct Vault(Arc<Mutex<Keys>>);

#[derive(Default)]
struct Keys {
    reported: Vec<String>,
    /// How many times credentials were asked for.
    asked: usize,
    current: usize,
    count: usize,
}

impl Vault {
    fn with(count: usize) -> Self {
        let keys = Keys {
            count,
            ..Keys::default()
        };
        Self(Arc::new(Mutex::new(keys)))
    }

    fn reported(&self) -> Vec<String> {
        self.0.lock().unwrap().reported.clone()
    }

    fn asked(&self) -> usize {
        self.0.lock().unwrap().asked
    }
}

impl CredentialsProvider for Vault {
    fn name(&self) -> &'static str {
        "vault"
    }

    fn credentials(&self) -> CredentialsFuture<'_> {
        let number = {
            let mut keys = self.0.lock().unwrap();
            keys.asked += 1;
            keys.current
        };
        let id = format!("LTAI5tExampleKeyId{number:02}");
        let key = Credentials::builder(id, SECRET).source("vault").build();
        CredentialsFuture::ready(key)
    }

    fn invalidate(&self, rejected: &Credentials) -> Invalidation {
        let mut keys = self.0.lock().unwrap();
        keys.reported.push(rejected.access_key_id().to_owned());
        keys.current = (keys.current + 1).min(keys.count - 1);
        Invalidation::Dropped
    }
}

fn key_id(request: &HttpRequest) -> String {
    let header = request.header("authorization").unwrap();
    let parsed = acs_sign::acs3::Authorization::parse(header).unwrap();
    parsed.access_key_id.to_owned()
}

#[test]
fn a_rejected_key_is_reported_and_another_one_tried_once() {
    let (first, second) = ("LTAI5tExampleKeyId00", "LTAI5tExampleKeyId01");
    for code in ["InvalidAccessKeyId.NotFound", "InvalidSecurityToken.Expired"] {
        let service = ScriptedHttp::new()
            .answers(404, error_body(code))
            .answers(200, "{}");
        let vault = Vault::with(2);
        let provided = client(&service).credentials_provider(vault.clone());
        call(provided, &Call::rpc("DescribeRegions")).unwrap();
        let requests = service.requests();
        assert_eq!(
            (key_id(&requests[0]), key_id(&requests[1])),
            (first.into(), second.into())
        );
        assert_eq!(vault.reported(), [first]);
    }

    // The second is rejected too: reported, and the end.
    let refusal = error_body("InvalidAccessKeyId.Inactive");
    let service = ScriptedHttp::new()
        .answers(400, refusal.clone())
        .answers(400, refusal.clone());
    let vault = Vault::with(3);
    let provided = client(&service).credentials_provider(vault.clone());
    let error = call(provided, &Call::rpc("DescribeRegions")).unwrap_err();
    assert!(error.key_rejected() && !error.is_retryable());
    assert_eq!(vault.reported(), [first, second]);
    assert_eq!(vault.asked(), 2, "no attempt follows, so no third key is needed");
    assert_eq!(
        (error.key_id(), error.key_source()),
        (Some("LTAI****Id01"), Some("vault"))
    );

    // No attempt is left.
    let service = ScriptedHttp::new().answers(400, refusal.clone());
    let vault = Vault::with(2);
    let provided = client(&service).credentials_provider(vault.clone());
    call(provided, &Call::rpc("DescribeRegions").max_attempts(1)).unwrap_err();
    assert_eq!((vault.reported().len(), vault.asked()), (1, 1));

    // There is no other.
    let service = ScriptedHttp::new().answers(400, refusal);
    let vault = Vault::with(1);
    let provided = client(&service).credentials_provider(vault.clone());
    call(provided, &Call::rpc("DescribeRegions")).unwrap_err();
    assert_eq!((vault.reported().len(), service.requests().len()), (1, 1));
}

#[test]
fn what_is_not_about_the_key_is_not_reported() {
    for code in ["SignatureDoesNotMatch", "NoPermission", "InvalidParameter.X"] {
        let service = ScriptedHttp::new().answers(403, error_body(code));
        let vault = Vault::with(2);
        let provided = client(&service).credentials_provider(vault.clone());
        let error = call(provided, &Call::rpc("DescribeRegions")).unwrap_err();
        assert!(!error.key_rejected());
        assert!(vault.reported().is_empty(), "{code}");
    }
}

#[test]
fn given_credentials_end_with_the_rejection() {
    let service = ScriptedHttp::new().answers(404, error_body("InvalidAccessKeyId.NotFound"));
    let client = client(&service).build().unwrap();
    let key = session();
    let caller = Caller::Credentials(&key);
    let error = blocking::wait(client.call_as(caller, &Call::rpc("DescribeRegions"))).unwrap_err();
    assert!(error.key_rejected());
    assert_eq!(error.key_source(), Some("ecs-ram-role"));
}

#[test]
fn a_provider_without_credentials_says_so_in_its_own_words() {
    let service = ScriptedHttp::new();
    let detail = ErrorDetail::builder("vault", "the vault is sealed").hint("unseal it");
    let error = CredentialsError::unavailable(detail);
    let sealed = oss_credentials_core::provider_fn("vault", move || Err(error.clone()));
    let provided = client(&service).credentials_provider(sealed);
    let error = call(provided, &Call::rpc("DescribeRegions")).unwrap_err();
    assert_eq!(error.to_string(), "vault: the vault is sealed; unseal it");
    assert!(error.is_retryable());
}

#[derive(Debug)]
struct Signer;

impl ClientKeySigner for Signer {
    fn sign(&self, _message: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(vec![7; 256])
    }
}

/// A file that was replaced since it was read.
struct KeyFile;

impl ClientKeySource for KeyFile {
    fn current(&self) -> Result<ClientKey, CredentialsError> {
        Ok(ClientKey::new(
            "KAAP.0123456789-old0",
            Arc::new(Signer),
            "client-key-file",
        ))
    }

    fn replacement(&self, rejected: &ClientKey) -> Result<Option<ClientKey>, CredentialsError> {
        assert_eq!(rejected.id(), "KAAP.0123456789-old0");
        Ok(Some(ClientKey::new(
            "KAAP.0123456789-new0",
            Arc::new(Signer),
            "client-key-file",
        )))
    }
}

#[test]
fn a_client_key_signs_in_the_rpc_style_and_is_loaded_again() {
    let refusal = error_body("InvalidAccessKeyId.NotFound");
    let service = ScriptedHttp::new()
        .answers(404, refusal.clone())
        .answers(404, refusal);
    let client = client(&service).build().unwrap();
    let get_secret = Call::rpc("GetSecretValue").query("SecretName", "example");
    let error = blocking::wait(client.call_as(Caller::ClientKey(&KeyFile), &get_secret)).unwrap_err();
    assert!(
        error
            .to_string()
            .contains(", request ID R-1 (key KAAP****new0 from client-key-file); "),
        "{error}"
    );
    let ids: Vec<_> = service
        .requests()
        .iter()
        .map(|request| {
            let query = decode(request.url().split_once('?').unwrap().1);
            assert_eq!(get(&query, "SignatureMethod"), Some("SHA256withRSA"));
            get(&query, "AccessKeyId").unwrap().to_owned()
        })
        .collect();
    assert_eq!(ids, ["KAAP.0123456789-old0", "KAAP.0123456789-new0"]);
}
