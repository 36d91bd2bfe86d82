//! Forms that others upload with.
#![cfg(all(
    feature = "post-policy",
    any(
        feature = "rustls",
        feature = "native-tls",
        not(feature = "rustls-no-provider")
    )
))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::time::{Duration, SystemTime};

use common::{NOW, builder, of_cloud};
use oss_client::{Error, LimitedBy, PostPolicy, PresignedForm, SignatureVersion};
use oss_credentials_core::Credentials;
use oss_testkit::LocalCloud;
use reqwest::multipart::{Form, Part};

const HOUR: Duration = Duration::from_secs(3600);

/// Sends the form as a browser does, and gives the status.
async fn sent(form: &PresignedForm, key: &str, file: &'static str) -> u16 {
    let mut fields = Form::new();
    for (name, value) in form.fields() {
        fields = fields.text(name, value.to_owned());
    }
    let file = Part::text(file).file_name("photo.jpg");
    let fields = fields
        .text("key", key.to_owned())
        .text("content-type", "image/jpeg")
        .part("file", file);
    let request = reqwest::Client::new().post(form.url()).multipart(fields);
    request.send().await.unwrap().status().as_u16()
}

fn policy(bucket: &str) -> PostPolicy {
    PostPolicy::new(bucket)
        .starts_with("key", "user/eric/")
        .is_in("content-type", ["image/jpeg", "image/png"])
        .content_length_range(1..=10)
}

#[tokio::test]
async fn others_upload_what_the_policy_allows() {
    let cloud = LocalCloud::start().await.unwrap();
    let bucket = cloud.bucket();
    for credentials in [cloud.access_key(), cloud.issue(2 * HOUR).unwrap()] {
        let client = of_cloud(&cloud).credentials(credentials.clone()).build().unwrap();
        let form = client.presign_post(policy(bucket), HOUR).await.unwrap();
        assert_eq!(form.url(), format!("{}/{bucket}/", cloud.oss_endpoint()));
        assert_eq!(sent(&form, "user/eric/a b+c.jpg", "hello").await, 204);
        assert_eq!(cloud.object(bucket, "user/eric/a b+c.jpg").unwrap(), "hello");
        assert_eq!(sent(&form, "user/alice/a.jpg", "hello").await, 403);
        assert_eq!(sent(&form, "user/eric/a.jpg", "hello world").await, 400);
        assert!(cloud.object(bucket, "user/alice/a.jpg").is_none());
        let has_token = form.fields().any(|(name, _)| name == "x-oss-security-token");
        assert_eq!(has_token, credentials.security_token().is_some());
        let shown = format!("{form:?}");
        for (name, value) in form.fields().filter(|(_, value)| value.len() > 30) {
            assert!(!shown.contains(value), "{name} is shown");
        }
    }
}

#[tokio::test]
async fn a_form_ends_with_the_credentials_by_the_services_clock() {
    let end = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
    let credentials = Credentials::builder("STS.FakeTempKeyId0001", "canary")
        .security_token("canary")
        .expires_at(end + HOUR)
        .build()
        .unwrap();
    let client = builder("http://192.168.1.2", credentials).build().unwrap();
    let long = client
        .presign_post(policy("examplebucket"), 2 * HOUR)
        .await
        .unwrap();
    assert_eq!(
        (long.valid_until(), long.limited_by()),
        (end + HOUR, LimitedBy::Credentials)
    );
    let short = client
        .presign_post(policy("examplebucket"), HOUR / 2)
        .await
        .unwrap();
    assert_eq!(
        (short.valid_until(), short.limited_by()),
        (end + HOUR / 2, LimitedBy::Asked)
    );
    assert_eq!(short.url(), "http://192.168.1.2/examplebucket/");
    let region = oss_client::Client::builder()
        .region("cn-hangzhou")
        // Also without TLS.
        .disable_ssl(true)
        .credentials(Credentials::builder("i", "s").build().unwrap());
    let form = region
        .build()
        .unwrap()
        .presign_post(policy("examplebucket"), HOUR);
    assert_eq!(
        form.await.unwrap().url(),
        "http://examplebucket.oss-cn-hangzhou.aliyuncs.com/"
    );
}

#[tokio::test]
async fn forms_that_cannot_work_are_refused() {
    let keys = || Credentials::builder("i", "s").build().unwrap();
    let client = builder("http://192.168.1.2", keys()).build().unwrap();
    let anonymous = builder("http://192.168.1.2", Credentials::anonymous())
        .build()
        .unwrap();
    let old = builder("http://192.168.1.2", keys()).signature_version(SignatureVersion::V1);
    let old = old.build().unwrap();
    let form = policy("examplebucket");
    for (request, text) in [
        (
            client.presign_post(policy("Examplebucket"), HOUR),
            "the bucket name \"Examplebucket\" is malformed",
        ),
        (
            anonymous.presign_post(form.clone(), HOUR),
            "anonymous credentials cannot sign a form",
        ),
        (
            old.presign_post(form.clone(), HOUR),
            "a form cannot be signed with V1",
        ),
    ] {
        let error = request.await.unwrap_err();
        assert!(matches!(error, Error::InvalidInput(_)), "{error}");
        assert!(
            error.to_string().starts_with(&format!("oss-client: {text}; ")),
            "{error}"
        );
    }
    for expires in [Duration::ZERO, 8 * 24 * HOUR] {
        let error = client.presign_post(form.clone(), expires).await.unwrap_err();
        assert!(matches!(error, Error::Sign(_)), "{error}");
    }
    let own = form.equals("policy", "x");
    let error = client.presign_post(own, HOUR).await.unwrap_err();
    assert!(matches!(error, Error::Sign(_)), "{error}");
}
