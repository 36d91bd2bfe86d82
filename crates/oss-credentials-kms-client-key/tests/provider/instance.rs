//! The gateway of a KMS instance.

use oss_credentials_core::test_util::{FakeEnv, ManualClock};
use oss_credentials_core::{CredentialsError, CredentialsSource, blocking};
use oss_credentials_http::{HttpMethod, HttpResponse};
use oss_credentials_kms_client_key::{
    ENV_INSTANCES, KmsClientKey, KmsClientKeyBuilder, KmsInstance, KmsRegion,
};

use crate::service::{KEY_ID, NOW, Service, ServiceExt as _, fixture, pair, response};

const ENDPOINT: &str = "kst-example0000.cryptoservice.kms.aliyuncs.com";

fn builder(service: &Service) -> KmsClientKeyBuilder {
    service
        .bare()
        .instance(KmsInstance::new("cn-hangzhou", ENDPOINT))
        .instance_http_client(service.clone())
}

fn fetch(service: &Service) -> Result<oss_credentials_core::Fetched, CredentialsError> {
    blocking::wait(builder(service).build_source().unwrap().fetch())
}

/// Hexadecimal digits as bytes.
fn bytes(hex: &serde_json::Value) -> Vec<u8> {
    let digits = hex.as_str().unwrap().as_bytes();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

#[test]
fn a_request_is_that_of_the_official_client() {
    let service = Service::new().answers_with("instance-ram-secret.pb");
    let fetched = fetch(&service).unwrap();
    let credentials = fetched.credentials();
    assert_eq!(credentials.access_key_id(), "LTAI-example-current-00");
    assert_eq!(credentials.access_key_secret(), "example-secret-current-0000000");
    let vectors = std::fs::read(fixture("vectors/instance-gateway-signature.json")).unwrap();
    let vectors: serde_json::Value = serde_json::from_slice(&vectors).unwrap();
    let vector = &vectors["vectors"][0];
    let request = &service.requests()[0];
    assert_eq!(request.method(), HttpMethod::Post);
    assert_eq!(request.url(), vector["url"].as_str().unwrap());
    assert_eq!(request.body(), bytes(&vector["body_hex"]));
    for (name, value) in vector["headers"].as_object().unwrap() {
        match name.as_str() {
            // An HTTP client adds these; and this test's key is another one.
            "host" | "content-length" | "authorization" => {}
            _ => assert_eq!(request.header(name), value.as_str(), "{name}"),
        }
    }
    assert_eq!(request.header("x-kms-acccesskeyid"), Some(KEY_ID));
    assert!(request.header("authorization").unwrap().starts_with("Bearer "));
}

#[cfg(feature = "aws-lc-rs")]
#[test]
fn every_vector_is_signed_as_the_official_client_signs_it() {
    use oss_credentials_kms_client_key::ClientKey;
    use oss_credentials_kms_client_key::instance_gateway::{SecretRequest, sign, string_to_sign};

    let read = |path: &str| -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(fixture(path)).unwrap()).unwrap()
    };
    let (vectors, manifest) = (
        read("vectors/instance-gateway-signature.json"),
        read("manifest.json"),
    );
    let vectors = vectors["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 5);
    for vector in vectors {
        let keys = manifest["client_keys"].as_array().unwrap();
        let entry = keys
            .iter()
            .find(|key| key["name"] == vector["client_key"])
            .unwrap();
        let key = ClientKey::from_file(
            fixture(entry["client_key_file"].as_str().unwrap()),
            entry["password"].as_str().unwrap(),
        )
        .unwrap();
        let asked = &vector["request"];
        let mut request = SecretRequest::current(asked["SecretName"].as_str().unwrap());
        request.version_stage = asked["VersionStage"].as_str().unwrap_or_default();
        request.version_id = asked["VersionId"].as_str().unwrap_or_default();
        request.fetch_extended_config = asked["FetchExtendedConfig"].as_bool().unwrap();
        let body = request.encode();
        assert_eq!(body, bytes(&vector["body_hex"]));
        // Sun, 01 Mar 2026 08:09:10 GMT, in all of them.
        let headers = sign(&body, key.key_id(), key.signer(), crate::service::at(NOW)).unwrap();
        assert_eq!(
            string_to_sign("POST", &headers),
            vector["string_to_sign"].as_str().unwrap()
        );
        let own: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        for (name, value) in vector["headers"].as_object().unwrap() {
            let found = headers.iter().find(|(own, _)| own == name);
            match name.as_str() {
                "host" | "content-length" => assert!(found.is_none()),
                _ => assert_eq!(
                    found.map(|(_, value)| value.as_str()),
                    value.as_str(),
                    "{name} in {own:?}"
                ),
            }
        }
    }
}

#[test]
fn every_answer_of_the_fixtures() {
    let error = fetch(&Service::new().answers_with("instance-generic-secret.pb")).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the secret acs/ram/user/oss-reader is not JSON"),
        "{error}"
    );
    let place = format!("POST https://{ENDPOINT}");
    let id = "request ID 00000000-0000-4000-8000-0000000000ee";
    for (file, status, variant, text) in [
        (
            "instance-error-unauthorized.pb",
            401,
            "denied",
            format!(
                "KMS refused GetSecretValue ({place}, HTTP 401): Unauthorized: Unauthorized., {id}; the client key (not \
                 the access key in the secret) is deleted, has expired, or belongs to another region or instance than \
                 cn-hangzhou: issue a new client key"
            ),
        ),
        (
            "instance-error-throttling.pb",
            429,
            "unavailable",
            format!(
                "KMS could not process GetSecretValue ({place}, HTTP 429): Rejected.Throttling: QPS Limit Exceeded, {id}; \
                 fetch less often: KMS counts all calls of the account"
            ),
        ),
        (
            "instance-error-not-found.pb",
            404,
            "denied",
            format!(
                "KMS refused GetSecretValue ({place}, HTTP 404): Forbidden.ResourceNotFound: Resource not found., {id}; \
                 check the name of the secret, acs/ram/user/oss-reader, and whether it is in the region cn-hangzhou"
            ),
        ),
    ] {
        let error = fetch(&Service::new().answers(status, response(file))).unwrap_err();
        assert_eq!(error.kind(), variant);
        assert_eq!(error.to_string(), format!("kms-client-key: {text}"));
    }
}

/// An `Error` message: a status, code and text.
fn error(code: &str, message: &str) -> Vec<u8> {
    let field = |tag: u8, text: &str| {
        let mut field = vec![tag, u8::try_from(text.len()).unwrap()];
        field.extend_from_slice(text.as_bytes());
        field
    };
    [vec![0x08, 0x90, 0x03], field(0x12, code), field(0x1a, message)].concat()
}

#[test]
fn this_gateways_own_words_mean_what_the_shared_ones_codes_mean() {
    for (code, message) in [
        ("InvalidParam", "The Param Date is invalid."),
        (
            "RequestTimeTooSkewed",
            "Request time exceeds server time more than 15 minutes.",
        ),
    ] {
        let late = move |_: &_| {
            let body = error(code, message);
            Ok(HttpResponse::new(400, body).with_header("date", "Sun, 01 Mar 2026 10:09:10 GMT"))
        };
        let service = Service::new().then(late).answers_with("instance-ram-secret.pb");
        fetch(&service).unwrap();
        let dates: Vec<_> = service
            .requests()
            .iter()
            .map(|request| request.header("date").unwrap().to_owned())
            .collect();
        assert_eq!(
            dates,
            ["Sun, 01 Mar 2026 08:09:10 GMT", "Sun, 01 Mar 2026 10:09:10 GMT"]
        );
        // Corrected once: a clock that is still wrong then is told.
        let service = Service::new().then(late).then(late);
        let found = fetch(&service).unwrap_err();
        assert_eq!(found.detail().unwrap().code(), Some(code));
        assert!(found.to_string().contains("set the local clock"), "{found}");
    }
    let key = "check the client key, and whether a proxy changes requests";
    let secret = "check the name of the secret";
    for (status, code, message, hint) in [
        (400, "InvalidParam", "The Param Authorization is invalid.", key),
        (401, "SignatureNotMatch", "Signature is not matched.", key),
        (400, "InvalidParam", "The Param SecretName is invalid.", secret),
        (
            400,
            "MissingParameter",
            "Parameter SecretName does not exist.",
            secret,
        ),
        (
            404,
            "Unauthorized",
            "The AccessKey ID does not exist in our records.",
            "the client key (not the access key in the secret) is deleted",
        ),
    ] {
        let found = fetch(&Service::new().answers(status, error(code, message))).unwrap_err();
        assert!(matches!(found, CredentialsError::Denied(_)), "{found:?}");
        assert!(found.to_string().contains(hint), "{found}");
    }
}

#[test]
fn answers_that_are_not_this_gateways() {
    for (status, body, kind) in [
        (200, &b"<html>canary</html>"[..], "invalid-response"),
        (200, b"", "invalid-response"),
        (200, br#"{"SecretData": "canary"}"#, "invalid-response"),
        (502, b"<html></html>", "unavailable"),
        (403, b"\xff\xff\xff", "denied"),
    ] {
        let error = fetch(&Service::new().answers(status, body)).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
    // Some front ends answer in JSON.
    let body = crate::service::refusal("Forbidden.NoPermission");
    let error = fetch(&Service::new().answers(403, body)).unwrap_err();
    assert_eq!(error.detail().unwrap().code(), Some("Forbidden.NoPermission"));
}

#[test]
fn instances_are_asked_before_regions() {
    let service = Service::new()
        .refuses(503, "InternalFailure")
        .answers(200, pair("i"));
    let source = builder(&service)
        .region(KmsRegion::new("cn-beijing"))
        .build_source()
        .unwrap();
    blocking::wait(source.fetch()).unwrap();
    assert_eq!(service.hosts(), [ENDPOINT, "kms.cn-beijing.aliyuncs.com"]);
}

fn settings(entry: &str) -> Result<KmsClientKey, CredentialsError> {
    let env = FakeEnv::from([(ENV_INSTANCES, entry), ("PW", "canary-password")]);
    let service = Service::new();
    KmsClientKey::from_env(&env)?
        .secret_name("s")
        .instance_http_client(service.clone())
        .clock(ManualClock::at_unix(NOW))
        .build_source()
}

#[test]
fn settings_of_instances() {
    let good = format!(
        r#"[{{"regionId":"cn-hangzhou","endpoint":"{ENDPOINT}","clientKeyFile":"k.json",
           "passwordFromEnvVariable":"PW","caFilePath":"ca.pem","ignoreSslCerts":"false","x":1}}]"#
    );
    let source = settings(&good).unwrap();
    assert_eq!(source.endpoints(), [format!("https://{ENDPOINT}")]);
    assert!(!format!("{source:?}").contains("canary"));
    for (from, to, words) in [
        (
            r#""false""#,
            "true",
            "ignoreSslCerts in entry 1 of cache_client_dkms_config_info would disable",
        ),
        (r#""false""#, r#""TRUE""#, "ignoreSslCerts in entry 1"),
        (
            "clientKeyFile",
            "y",
            "clientKeyFile in entry 1 of cache_client_dkms_config_info is missing",
        ),
        (
            "endpoint",
            "y",
            "endpoint in entry 1 of cache_client_dkms_config_info is missing",
        ),
        (
            "regionId",
            "y",
            "regionId in entry 1 of cache_client_dkms_config_info is missing",
        ),
        (
            ENDPOINT,
            "kms.cn-hangzhou.aliyuncs.com",
            "is that of a region's shared gateway",
        ),
        (&good, "[]", "cache_client_dkms_config_info names no KMS instance"),
        (
            &good,
            "{}",
            "cache_client_dkms_config_info is not a JSON array of objects",
        ),
    ] {
        let error = settings(&good.replacen(from, to, 1)).unwrap_err();
        assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn the_ca_file_is_required_and_must_be_one() {
    let folder = tempfile::tempdir().unwrap();
    let not_pem = folder.path().join("ca.pem");
    std::fs::write(&not_pem, "canary").unwrap();
    let instance = || KmsInstance::new("cn-hangzhou", ENDPOINT);
    let build = |instance| {
        Service::new()
            .bare()
            .instance(instance)
            .build_source()
            .unwrap_err()
    };
    let error = build(instance());
    assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        format!(
            "kms-client-key: the CA file of a KMS instance is missing, and public certificate authorities do not know \
             it (https://{ENDPOINT}); download it from the instance's page and set caFilePath or ca_file(..)"
        )
    );
    let words = if cfg!(feature = "reqwest") {
        ["there is no CA file", "the CA file cannot be used"]
    } else {
        ["there is no HTTP client that trusts the CA file"; 2]
    };
    for (path, words) in [folder.path().join("none"), not_pem].into_iter().zip(words) {
        let error = build(instance().ca_file(path));
        assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
}
