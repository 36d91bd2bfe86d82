//! A client from variables and the CLI's file.
#![cfg(feature = "default-chain")]
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use oss_client::{Client, Error};
use oss_credentials_core::test_util::FakeEnv;
use oss_testkit::{LocalCloud, Service};

fn env(variables: impl IntoIterator<Item = (&'static str, String)>) -> FakeEnv {
    variables
        .into_iter()
        .fold(FakeEnv::new(), |env, (name, value)| env.with(name, &value))
}

/// Where a signed request of a client goes: the URL names region and endpoint.
fn url(client: &Client) -> String {
    client.object_url("examplebucket", "a.txt").unwrap()
}

#[tokio::test]
async fn the_variables_of_a_local_cloud_are_all_that_is_needed() {
    let cloud = LocalCloud::start().await.unwrap();
    let client = Client::builder().env(env(cloud.env())).build().unwrap();
    let bucket = cloud.bucket();
    client.put_object(bucket, "a.txt", "hello").await.unwrap();
    assert_eq!(cloud.object(bucket, "a.txt").unwrap(), "hello");
    assert_eq!(cloud.count(Service::Oss, "PutObject"), 1);
}

#[tokio::test]
async fn the_region_comes_from_the_profile_of_the_cli_last() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aliyun")).unwrap();
    let config = r#"{"current": "x", "profiles": [{"name": "x", "mode": "AK", "access_key_id": "LTAI5tEXAMPLEKEYID",
        "access_key_secret": "EXAMPLE", "region_id": "cn-beijing"}]}"#;
    std::fs::write(home.path().join(".aliyun/config.json"), config).unwrap();
    let name = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    let env = || FakeEnv::new().with(name, home.path().to_str().unwrap());

    let client = Client::builder().env(env()).build().unwrap();
    assert_eq!(
        url(&client),
        "https://examplebucket.oss-cn-beijing.aliyuncs.com/a.txt"
    );
    // The pair of the profile signs.
    let request = client.sign(client.get_object("examplebucket", "a.txt").into_operation());
    let authorization = request.await.unwrap().headers()["authorization"].clone();
    let authorization = authorization.to_str().unwrap();
    assert!(
        authorization.contains("Credential=LTAI5tEXAMPLEKEYID/"),
        "{authorization}"
    );
    assert!(authorization.contains("/cn-beijing/oss/"), "{authorization}");

    let variable = || env().with("OSS_REGION", "cn-shanghai");
    let client = Client::builder().env(variable()).build().unwrap();
    assert_eq!(
        url(&client),
        "https://examplebucket.oss-cn-shanghai.aliyuncs.com/a.txt"
    );
    // Code takes precedence over variables, whatever the order of the calls.
    let client = Client::builder()
        .region("cn-hangzhou")
        .env(variable())
        .build()
        .unwrap();
    assert_eq!(
        url(&client),
        "https://examplebucket.oss-cn-hangzhou.aliyuncs.com/a.txt"
    );
    let endpoint = env().with("OSS_ENDPOINT", "https://oss.example.com");
    let client = Client::builder().env(endpoint).cname(true).build().unwrap();
    assert_eq!(url(&client), "https://oss.example.com/a.txt");
}

/// A variable that is left from another program must not lead around the network that the code asks for.
#[test]
fn a_choice_of_host_in_code_takes_precedence_over_the_endpoint_of_the_environment() {
    let env = || {
        FakeEnv::from([
            ("OSS_REGION", "cn-hangzhou"),
            ("OSS_ENDPOINT", "https://oss.example.com"),
        ])
    };
    let builder = || Client::builder().env(env());
    for (builder, host) in [
        (builder(), "examplebucket.oss.example.com"),
        (builder().internal(false), "examplebucket.oss.example.com"),
        (
            builder().internal(true),
            "examplebucket.oss-cn-hangzhou-internal.aliyuncs.com",
        ),
        (
            builder().accelerate(true),
            "examplebucket.oss-accelerate.aliyuncs.com",
        ),
        (
            builder().dual_stack(true),
            "examplebucket.cn-hangzhou.oss.aliyuncs.com",
        ),
        (builder().path_style(true), "oss.example.com/examplebucket"),
        (
            builder().internal(true).endpoint("https://code.example.com"),
            "examplebucket.code.example.com",
        ),
    ] {
        assert_eq!(url(&builder.build().unwrap()), format!("https://{host}/a.txt"));
    }
}

#[test]
fn what_is_missing_is_named() {
    let error = Client::builder().env(FakeEnv::new()).build().unwrap_err();
    assert!(matches!(error, Error::InvalidConfig(_)));
    assert_eq!(
        error.to_string(),
        "oss-client: no region is set; set OSS_REGION, choose a region with `aliyun configure`, or call `region(..)`"
    );
    // Not read where the region is known.
    let broken = || FakeEnv::from([("ALIBABA_CLOUD_CONFIG_FILE", "/no/such/file")]);
    let error = Client::builder().env(broken()).build().unwrap_err();
    assert!(matches!(error, Error::Credentials(_)), "{error}");
    assert!(error.to_string().contains("/no/such/file"), "{error}");
    assert!(
        Client::builder()
            .env(broken().with("OSS_REGION", "cn-hangzhou"))
            .build()
            .is_ok()
    );
    // The chain is made when the client is.
    let pinned = FakeEnv::from([
        ("OSS_REGION", "cn-hangzhou"),
        ("ALIBABA_CLOUD_CREDENTIALS_PROVIDER", "nobody"),
    ]);
    let error = Client::builder().env(pinned).build().unwrap_err();
    assert!(matches!(error, Error::Credentials(_)), "{error}");
}
