//! The files of the fixtures, down to what each setting holds.

use std::path::{Path, PathBuf};

use acs_sign::{ClientKeySigner, SignError};
use oss_credentials_core::CredentialsError;
use oss_credentials_core::test_util::FakeEnv;
use oss_credentials_http::{HttpResponse, http_fn};
use serde_json::Value;

use crate::{ClientKey, KmsClientKey, KmsClientKeyBuilder};

#[derive(Debug)]
struct Signer;

impl ClientKeySigner for Signer {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(vec![1])
    }
}

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors/kms/properties")
        .join(path)
}

fn source(builder: KmsClientKeyBuilder) -> Result<KmsClientKey, CredentialsError> {
    let http = http_fn(|_| async { Ok(HttpResponse::new(503, Vec::new())) });
    builder.secret_name("s").http_client(http).build_source()
}

/// The hosts of a list of regions in `expected.json`.
fn hosts(regions: &Value) -> Vec<String> {
    let host = |region: &Value| {
        let id = region["regionId"].as_str().unwrap();
        match (region["endpoint"].as_str(), region["vpc"].as_bool().unwrap()) {
            (Some(endpoint), _) => format!("https://{endpoint}"),
            (None, true) => format!("https://kms-vpc.{id}.aliyuncs.com"),
            (None, false) => format!("https://kms.{id}.aliyuncs.com"),
        }
    };
    regions.as_array().unwrap().iter().map(host).collect()
}

/// That the settings of the file are those of the case.
fn compare(name: &str, builder: &KmsClientKeyBuilder, wanted: &Value) {
    let settings = &builder.settings;
    for (key, found) in [
        ("credentials_type", settings.credentials_type.in_file()),
        ("client_key_private_key_path", settings.key_file.in_file()),
        (
            "client_key_password_from_env_variable",
            settings.password_variable.in_file(),
        ),
        (
            "client_key_password_from_file_path",
            settings.password_file.in_file(),
        ),
    ] {
        if let Some(expected) = wanted[key].as_str() {
            assert_eq!(found, Some(expected), "{name} {key}");
        }
    }
    if let Some(names) = wanted["secret_names"].as_array() {
        let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
        assert_eq!(
            settings.secret_name.in_file(),
            Some(names.join(",").as_str()),
            "{name}"
        );
    }
}

#[test]
fn every_properties_file_of_the_fixtures_is_read_as_expected() {
    let expected = std::fs::read(fixture("expected.json")).unwrap();
    let expected: serde_json::Map<String, Value> = serde_json::from_slice(&expected).unwrap();
    assert!(expected.len() >= 15, "{}", expected.len());
    for (name, case) in &expected {
        let variables = case["env"].as_object().into_iter().flatten();
        let env: FakeEnv = variables
            .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
            .collect();
        let wanted = &case["expect"];
        if wanted["client_key_private_key_path"].is_string() {
            // Most of the cases are not about the password.
            env.set(crate::ENV_CLIENT_KEY_PASSWORD, "example");
        }
        let mut builder = KmsClientKey::from_properties(fixture(case["file"].as_str().unwrap()))
            .unwrap()
            .env(&env);
        compare(name, &builder, wanted);
        if wanted["dkms"].is_array() {
            compare_instances(name, builder, &wanted["dkms"]);
            continue;
        }
        if wanted["regions"].is_array() && wanted["client_key_private_key_path"].is_null() {
            // These cases are about something else, and name no key.
            builder = builder.client_key(ClientKey::new("KAAP.x", Signer));
        }
        let Some(error) = wanted["error"].as_str() else {
            assert_eq!(
                source(builder).unwrap().endpoints(),
                hosts(&wanted["regions"]),
                "{name}"
            );
            continue;
        };
        let words = match error {
            "missing_region" => "no region is named",
            "illegal_region" => "cache_client_region_id is not a JSON array of objects",
            "illegal_credentials_type" => "the credentials type is unknown",
            "missing_client_key_private_key_path" => "no client key file is named",
            _ => panic!("{error} is new"),
        };
        let found = source(builder).unwrap_err();
        assert!(
            matches!(found, CredentialsError::InvalidConfig(_)),
            "{name}: {found:?}"
        );
        assert!(found.to_string().contains(words), "{name}: {found}");
    }
}

#[cfg(feature = "instance-gateway")]
fn compare_instances(name: &str, builder: KmsClientKeyBuilder, wanted: &Value) {
    let http = http_fn(|_| async { Ok(HttpResponse::new(503, Vec::new())) });
    let text = format!("{:?}", builder.settings.instances().unwrap());
    // The endpoint, which `Debug` does not show, is compared below.
    for key in ["regionId", "caFilePath"] {
        let value = wanted[0][key].as_str().unwrap();
        assert!(text.contains(&format!("{value:?}")), "{name} {key}: {text}");
    }
    let endpoints = source(builder.instance_http_client(http)).unwrap().endpoints();
    let host = wanted[0]["endpoint"].as_str().unwrap();
    assert_eq!(endpoints, [format!("https://{host}")], "{name}");
}

#[cfg(not(feature = "instance-gateway"))]
fn compare_instances(name: &str, builder: KmsClientKeyBuilder, _: &Value) {
    let error = source(builder).unwrap_err().to_string();
    assert!(
        error.contains("enable the feature `instance-gateway`"),
        "{name}: {error}"
    );
}
