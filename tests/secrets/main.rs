//! Bad input of every kind: each gets its own clear error, the cached credentials stay in use, and no secret
//! appears in any log line, error or `Debug` text.
//!
//! This is a process of its own, because it captures everything that is logged, at the finest level.
#![allow(missing_docs)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::too_many_lines,
    reason = "a broken set-up ends the test, and tables of cases are long"
)]

mod files;
#[path = "../scripted/mod.rs"]
mod scripted;
mod transcript;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use oss_client::Client;
use oss_credentials_core::test_util::{FakeEnv, ManualClock};
use oss_credentials_core::{
    Clock, Credentials, CredentialsError, CredentialsProvider, RefreshingProvider, blocking,
};
use oss_credentials_env::EnvProvider;
use oss_credentials_http::{Endpoint, HttpError, HttpErrorKind, HttpResponse, http_fn};
use oss_credentials_static::StaticProvider;
use oss_credentials_sts_assume_role::{StsAssumeRole, StsAssumeRoleBuilder};
use oss_testkit::{Fault, LocalCloud, Service};
use transcript::Transcript;

/// Secrets that must not be seen anywhere.
const BASE_SECRET: &str = "canary-base-secret";
const BASE_TOKEN: &str = "canary-base-token";
const ISSUED_SECRET: &str = "canary-issued-secret";
const ISSUED_TOKEN: &str = "canary-issued-token";
const ROLE: &str = "acs:ram::123456789012:role/example-role";

fn base() -> Credentials {
    Credentials::builder("STS.NUExampleTempKeyId", BASE_SECRET)
        .security_token(BASE_TOKEN)
        .build()
        .unwrap()
}

fn builder() -> StsAssumeRoleBuilder {
    StsAssumeRole::builder(base()).role_arn(ROLE)
}

#[test]
fn each_bad_setting_has_its_own_error() {
    let transcript = Transcript::start(&["canary"]);
    let long = "x".repeat(65);
    let hour = Duration::from_secs(3600);
    let cases: Vec<(&str, Result<(), CredentialsError>)> = vec![
        (
            "ID is empty",
            StaticProvider::access_key("", BASE_SECRET).map(drop),
        ),
        (
            "secret is empty",
            StaticProvider::access_key("LTAI5tExampleKeyId01", "").map(drop),
        ),
        (
            "OSS_ACCESS_KEY_SECRET",
            env(&[("OSS_ACCESS_KEY_ID", "LTAI5tExampleKeyId01")]),
        ),
        (
            "OSS_ACCESS_KEY_ID",
            env(&[("OSS_ACCESS_KEY_SECRET", BASE_SECRET)]),
        ),
        (
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
            env(&[("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAI5tExampleKeyId01")]),
        ),
        (
            "white space",
            env(&[
                ("OSS_ACCESS_KEY_ID", "LTAI5tExampleKeyId01"),
                ("OSS_ACCESS_KEY_SECRET", "canary\n"),
            ]),
        ),
        ("no access key pair", env(&[])),
        ("role ARN", builder().role_arn("example-role").build().map(drop)),
        ("2 to 64", builder().role_session_name(long).build().map(drop)),
        (
            "900",
            builder().duration(Duration::from_secs(899)).build().map(drop),
        ),
        ("43200", builder().duration(13 * hour).build().map(drop)),
        ("policy", builder().policy("x".repeat(2049)).build().map(drop)),
        ("external ID", builder().external_id("x").build().map(drop)),
        ("region", builder().region("cn-hangzhou/evil").build().map(drop)),
        (
            "scheme",
            Endpoint::parse("sts.cn-hangzhou.aliyuncs.com")
                .map(drop)
                .map_err(CredentialsError::from),
        ),
        (
            "scheme",
            builder()
                .endpoint("ftp://user:canary@sts.aliyuncs.com")
                .build()
                .map(drop),
        ),
        (
            "http",
            builder().endpoint("http://sts.aliyuncs.com").build().map(drop),
        ),
        (
            "anonymous",
            StsAssumeRole::builder(Credentials::anonymous())
                .role_arn(ROLE)
                .build()
                .map(drop),
        ),
        ("no role", StsAssumeRole::builder(base()).build().map(drop)),
    ];
    let mut texts = Vec::new();
    for (word, outcome) in cases {
        let error = outcome.expect_err(word);
        transcript.note(&error);
        let text = error.to_string();
        assert!(text.contains(word), "{word:?} is not in {text:?}");
        assert!(
            error.detail().and_then(|detail| detail.hint()).is_some(),
            "{text:?} does not say what to do"
        );
        texts.push(text);
    }
    texts.sort();
    let twice: Vec<_> = texts.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(twice.is_empty(), "two mistakes share one text: {twice:?}");
    transcript.check();
}

fn env(variables: &[(&'static str, &'static str)]) -> Result<(), CredentialsError> {
    let env: FakeEnv = variables.iter().copied().collect();
    blocking::wait(EnvProvider::with_env(env).credentials()).map(drop)
}

/// A scripted STS behind a provider that has one good answer already, an hour's worth.
struct Sts {
    clock: ManualClock,
    next: Arc<Mutex<Option<Result<HttpResponse, HttpError>>>>,
    provider: RefreshingProvider<StsAssumeRole>,
}

impl Sts {
    fn new() -> Self {
        let clock = ManualClock::at_unix(1_767_256_200);
        let next: Arc<Mutex<Option<Result<HttpResponse, HttpError>>>> = Arc::default();
        let answers = Arc::clone(&next);
        let source =
            builder()
                .clock(clock.clone())
                .http_client(http_fn(move |_| {
                    std::future::ready(answers.lock().unwrap().take().unwrap_or_else(|| {
                        Err(HttpError::new(HttpErrorKind::Connect, "the script has ended"))
                    }))
                }))
                .build_source()
                .unwrap();
        let provider = RefreshingProvider::builder(source)
            .clock(clock.clone())
            .jitter(0.0)
            .build();
        let sts = Self {
            clock,
            next,
            provider,
        };
        sts.answer(Ok(HttpResponse::new(200, sts.body("2026-01-01T09:30:00Z"))));
        sts.ask().unwrap();
        sts
    }

    fn body(&self, expiration: &str) -> Vec<u8> {
        let _ = self;
        format!(
            r#"{{"RequestId":"R-1","Credentials":{{"AccessKeyId":"STS.ExampleIssuedKeyId","AccessKeySecret":
            "{ISSUED_SECRET}","SecurityToken":"{ISSUED_TOKEN}","Expiration":"{expiration}"}}}}"#
        )
        .into_bytes()
    }

    fn answer(&self, answer: Result<HttpResponse, HttpError>) {
        *self.next.lock().unwrap() = Some(answer);
    }

    fn ask(&self) -> Result<Credentials, CredentialsError> {
        blocking::wait(self.provider.credentials())
    }
}

#[test]
fn each_bad_answer_has_its_own_error_and_the_old_credentials_stay() {
    let transcript = Transcript::start(&["canary"]);
    let error_json = |code: &str| {
        format!(
            r#"{{"RequestId":"R-2","Code":"{code}","Message":"no.","Recommend":"https://api.aliyun.com/t"}}"#
        )
    };
    let sts = Sts::new();
    let good = String::from_utf8(sts.body("2026-01-01T10:30:00Z")).unwrap();
    let html = "<html><body>Please log in</body></html>";
    let cases: Vec<(&str, &str, Result<HttpResponse, HttpError>)> = vec![
        (
            "HTML with 200",
            "HTML",
            Ok(HttpResponse::new(200, html.into()).with_header("content-type", "text/html")),
        ),
        ("HTML with 502", "502", Ok(HttpResponse::new(502, html.into()))),
        ("empty", "empty", Ok(HttpResponse::new(200, Vec::new()))),
        (
            "cut",
            "",
            Ok(HttpResponse::new(
                200,
                good.as_bytes()[..good.len() - 20].to_vec(),
            )),
        ),
        (
            "no secret",
            "AccessKeySecret",
            Ok(HttpResponse::new(
                200,
                good.replace("AccessKeySecret", "Other").into(),
            )),
        ),
        (
            "empty secret",
            "AccessKeySecret",
            Ok(HttpResponse::new(200, good.replace(ISSUED_SECRET, "").into())),
        ),
        (
            "no token",
            "SecurityToken",
            Ok(HttpResponse::new(
                200,
                good.replace("SecurityToken", "Other").into(),
            )),
        ),
        (
            "no expiry",
            "Expiration",
            Ok(HttpResponse::new(200, good.replace("Expiration", "Other").into())),
        ),
        (
            "odd expiry",
            "Expiration",
            Ok(HttpResponse::new(
                200,
                good.replace("2026-01-01T10:30:00Z", "soon").into(),
            )),
        ),
        (
            "past expiry",
            "expired",
            Ok(HttpResponse::new(
                200,
                good.replace("2026-01-01T10", "2026-01-01T07").into(),
            )),
        ),
        (
            "refused",
            "NoPermission",
            Ok(HttpResponse::new(403, error_json("NoPermission").into())),
        ),
        (
            "no role",
            "EntityNotExist.Role",
            Ok(HttpResponse::new(404, error_json("EntityNotExist.Role").into())),
        ),
        (
            "throttled",
            "Throttling",
            Ok(HttpResponse::new(429, error_json("Throttling").into())),
        ),
        (
            "broken",
            "InternalError",
            Ok(HttpResponse::new(500, error_json("InternalError").into())),
        ),
        (
            "no connection",
            "connection",
            Err(HttpError::new(HttpErrorKind::Connect, "connection refused")),
        ),
        (
            "no answer",
            "time",
            Err(HttpError::new(HttpErrorKind::Timeout, "timed out")),
        ),
    ];
    for (name, word, answer) in cases {
        let sts = Sts::new();
        sts.clock.advance(Duration::from_secs(50 * 60));
        sts.answer(answer);
        let kept = sts.ask().unwrap();
        assert_eq!(kept.access_key_id(), "STS.ExampleIssuedKeyId", "{name}");
        let status = sts.provider.status();
        let error = status
            .last_error()
            .unwrap_or_else(|| panic!("{name}: no error is remembered"))
            .clone();
        transcript.note(&error);
        transcript.note_debug(&(&status, &sts.provider, sts.provider.source(), &kept));
        assert!(
            error.to_string().contains(word),
            "{name}: {word:?} is not in {error}"
        );
        // And when the old ones have ended, the caller is told the cause.
        sts.clock.advance(Duration::from_secs(11 * 60));
        let told = sts.ask().expect_err(name);
        transcript.note(&told);
    }
    transcript.check();
}

#[test]
fn base_credentials_that_the_service_rejects_are_named_and_not_shown() {
    let transcript = Transcript::start(&["canary"]);
    let source = builder()
        .http_client(http_fn(|_| {
            let body = r#"{"RequestId":"R-3","Code":"InvalidSecurityToken.Expired","Message":"Specified SecurityToken is expired."}"#;
            std::future::ready(Ok(HttpResponse::new(400, body.into())))
        }))
        .build()
        .unwrap();
    let error = blocking::wait(source.credentials()).unwrap_err();
    transcript.note(&error);
    assert!(
        error.to_string().contains("InvalidSecurityToken.Expired") && error.to_string().contains("R-3"),
        "{error}"
    );
    transcript.check();
}

/// The whole way over real HTTP, at the finest log level of everything involved.
#[test]
fn no_secret_is_logged_on_the_way_from_keys_to_an_object() {
    let cloud = LocalCloud::start_blocking().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let transcript = Transcript::start(&[]);
    runtime.block_on(async {
        let role = StsAssumeRole::builder(cloud.access_key())
            .role_arn(cloud.role_arn())
            .endpoint(cloud.sts_endpoint())
            .build()
            .unwrap();
        let client = Client::builder()
            .region(cloud.region())
            .endpoint(cloud.oss_endpoint())
            .credentials(role.clone())
            .build()
            .unwrap();
        let bucket = cloud.bucket();
        client.put_object(bucket, "a", "b").send().await.unwrap();
        let presigned = client
            .presign_get(bucket, "a", Duration::from_secs(60))
            .await
            .unwrap();
        transcript.note_debug(&(&role, role.source(), &client, &presigned, role.status()));

        for (fault, service) in [
            (Fault::error(403, "AccessDenied"), Service::Oss),
            (Fault::html(200), Service::Oss),
            (Fault::cut_body(), Service::Oss),
            (Fault::reset(), Service::Oss),
            (Fault::error(403, "NoPermission"), Service::Sts),
            (Fault::html(200), Service::Sts),
            (Fault::garbage(), Service::Sts),
            (Fault::cut_body(), Service::Sts),
            (Fault::reset(), Service::Sts),
            (Fault::missing_field("SecurityToken"), Service::Sts),
            (Fault::expired_credentials(), Service::Sts),
        ] {
            cloud.clear_faults();
            cloud.fault(service, fault.times(1));
            match service {
                Service::Oss => match client.get_object(bucket, "a").send().await {
                    Ok(object) => drop(object.bytes().await.map_err(|error| transcript.note(&error))),
                    Err(error) => transcript.note(&error),
                },
                _ => drop(role.refresh_now().await.map_err(|error| transcript.note(&error))),
            }
        }
        let wrong = StaticProvider::access_key(cloud.access_key().access_key_id(), BASE_SECRET).unwrap();
        let refused = Client::builder()
            .region(cloud.region())
            .endpoint(cloud.oss_endpoint())
            .credentials(wrong)
            .build()
            .unwrap()
            .get_object(bucket, "a")
            .send()
            .await
            .unwrap_err();
        transcript.note(&refused);
        assert!(refused.to_string().contains("SignatureDoesNotMatch"), "{refused}");

        let issued = role.credentials().await.unwrap();
        let long_term = cloud.access_key();
        let query = presigned.url().split_once('?').unwrap().1;
        transcript.forbid(&[
            BASE_SECRET,
            long_term.access_key_secret(),
            issued.access_key_secret(),
            issued.security_token().unwrap(),
            query,
            query.rsplit_once("x-oss-signature=").unwrap().1,
        ]);
    });
    assert!(
        transcript.lines() > 10,
        "nothing was captured: {}",
        transcript.lines()
    );
    transcript.check();
}

#[test]
fn the_search_finds_what_is_there() {
    let transcript = Transcript::start(&["canary"]);
    transcript.note_debug(&"a canary sings");
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| transcript.check())).is_err());
    let logged = Transcript::start(&["logged-sparrow"]);
    tracing_log_line();
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| logged.check())).is_err());
}

fn tracing_log_line() {
    // Through the cache, so that the path of a real log line is the one that is tested.
    let provider = RefreshingProvider::new(oss_credentials_core::source_fn("logged-sparrow", || async {
        Credentials::builder("id", "secret").build().map(Into::into)
    }));
    blocking::wait(provider.credentials()).unwrap();
    let _ = oss_credentials_core::SystemClock.now();
}
