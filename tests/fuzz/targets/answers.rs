//! Answers of every service to every provider that asks one.
#![no_main]

use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use acs_sign::{ClientKeySigner, SignError};
use fuzz::check_without;
use libfuzzer_sys::fuzz_target;
use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{Credentials, CredentialsSource, blocking};
use oss_credentials_ecs_ram_role::EcsRamRole;
use oss_credentials_http::{HttpResponse, http_fn};
use oss_credentials_kms_client_key::{ClientKey, KmsClientKey, KmsInstance, KmsRegion};
use oss_credentials_oidc_rrsa::OidcRrsa;
use oss_credentials_sts_assume_role::StsAssumeRole;
use oss_credentials_uri::CredentialsUri;

const STATUSES: [u16; 8] = [200, 200, 200, 302, 400, 403, 404, 503];

/// What two of the sources send, or sign with.
const SECRET: &str = "c4n4ry+Own/Secret0";
const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJmdXp6In0.c2lnbmF0dXJl";

/// What the services answer to whoever asks next.
static ANSWER: Mutex<(u16, Vec<u8>)> = Mutex::new((200, Vec::new()));

/// Signs nothing: the answer is what matters.
#[derive(Debug)]
struct Signer;

impl ClientKeySigner for Signer {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(vec![0; 256])
    }
}

static SOURCES: LazyLock<Vec<Arc<dyn CredentialsSource>>> = LazyLock::new(|| {
    let http = || {
        http_fn(|_| async {
            let (status, body) = ANSWER.lock().unwrap_or_else(PoisonError::into_inner).clone();
            Ok(HttpResponse::new(status, body)
                .with_header("location", "http://127.0.0.1/elsewhere")
                .with_header("date", "Sun, 08 Mar 2026 10:42:40 GMT"))
        })
    };
    // 2026-03-08T10:42:40Z
    let clock = ManualClock::new(SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_966_560));
    let base = Credentials::builder("LTAI5tExampleKeyId01", SECRET)
        .build()
        .unwrap();
    let token_file = tempfile::NamedTempFile::new()
        .unwrap()
        .into_temp_path()
        .keep()
        .unwrap();
    std::fs::write(&token_file, TOKEN).unwrap();
    let role = "acs:ram::123456789012:role/example";
    let kms = || {
        KmsClientKey::builder()
            .secret_name("acs/ram/user/example")
            .client_key(ClientKey::new("KAAP.example", Signer))
            .http_client(http())
            .clock(clock.clone())
    };
    vec![
        Arc::new(
            CredentialsUri::builder()
                .uri("http://127.0.0.1/credentials")
                .http_client(http())
                .clock(clock.clone())
                .build_source()
                .unwrap(),
        ),
        Arc::new(
            EcsRamRole::builder()
                .http_client(http())
                .clock(clock.clone())
                .build_source()
                .unwrap(),
        ),
        Arc::new(
            EcsRamRole::builder()
                .role_name("example")
                .http_client(http())
                .clock(clock.clone())
                .build_source()
                .unwrap(),
        ),
        Arc::new(
            StsAssumeRole::builder(base)
                .role_arn(role)
                .http_client(http())
                .clock(clock.clone())
                .build_source()
                .unwrap(),
        ),
        Arc::new(
            OidcRrsa::builder()
                .role_arn(role)
                .oidc_provider_arn("acs:ram::123456789012:oidc-provider/example")
                .oidc_token_file(token_file)
                .http_client(http())
                .clock(clock.clone())
                .build_source()
                .unwrap(),
        ),
        Arc::new(
            kms()
                .region(KmsRegion::new("cn-hangzhou"))
                .build_source()
                .unwrap(),
        ),
        Arc::new(
            kms()
                .instance(KmsInstance::new(
                    "cn-hangzhou",
                    "kst-example.cryptoservice.kms.aliyuncs.com",
                ))
                .instance_http_client(http())
                .build_source()
                .unwrap(),
        ),
    ]
});

fuzz_target!(|data: &[u8]| {
    let [choice, body @ ..] = data else { return };
    let source = &SOURCES[usize::from(choice & 0x0f) % SOURCES.len()];
    let status = STATUSES[usize::from(choice >> 4) % STATUSES.len()];
    *ANSWER.lock().unwrap_or_else(PoisonError::into_inner) = (status, body.to_vec());
    let outcome = blocking::wait(source.fetch());
    let secret = match source.name() {
        "sts-assume-role" => Some(SECRET),
        "oidc-rrsa" => Some(TOKEN),
        _ => None,
    };
    check_without(outcome.as_ref().map(|fetched| fetched.credentials()), secret);
});
