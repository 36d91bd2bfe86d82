//! Files with profiles, and the client that finds the cloud under public names.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, outside of test functions"
)]

mod support;

use oss_credentials_core::blocking;
use oss_credentials_http::{
    HttpClient as _, HttpErrorKind, HttpMethod, HttpRequest, test_util::ScriptedHttp,
};
use support::*;

#[test]
fn there_is_a_profile_for_each_mode_and_a_section_for_each_type() {
    let (cloud, _clock) = cloud_at_now(|builder| builder.region("eu-central-1"));
    let before = cloud.env();
    assert!(
        !before.iter().any(|(name, _)| name.ends_with("_FILE")),
        "{before:?}"
    );
    let folder = tempfile::tempdir().unwrap();
    let files = cloud.write_profiles(folder.path()).unwrap();
    let text = std::fs::read_to_string(files.config_json()).unwrap();
    let config: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(config["current"], "AK");
    let profiles = config["profiles"].as_array().unwrap();
    let names: Vec<_> = profiles
        .iter()
        .map(|profile| profile["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "AK",
            "StsToken",
            "RamRoleArn",
            "ChainableRamRoleArn",
            "EcsRamRole",
            "RamRoleArnWithRoleName",
            "OIDC",
            "CredentialsURI",
            "External",
            "CloudSSO",
            "OAuth"
        ]
    );
    for profile in profiles {
        assert_eq!(profile["mode"], profile["name"]);
        assert_eq!(profile["region_id"], "eu-central-1");
    }
    // 2026-01-01T08:30:00Z and three hours, eight hours.
    assert_eq!(profiles[10]["oauth_access_token_expire"], NOW + 10_800);
    assert_eq!(profiles[9]["cloud_sso_access_token_expire"], NOW + 28_800);
    let ini = std::fs::read_to_string(files.credentials_ini()).unwrap();
    let sections: Vec<_> = ini.lines().filter(|line| line.starts_with('[')).collect();
    assert_eq!(
        sections,
        [
            "[default]",
            "[access_key]",
            "[sts]",
            "[ram_role_arn]",
            "[ecs_ram_role]",
            "[oidc_role_arn]"
        ]
    );
    // The vendor's libraries for Java ask for the name of the role.
    let above = |section: &str| ini.split_once(section).unwrap().0.lines().last().unwrap();
    let below = |section: &str| ini.split_once(section).unwrap().1.split("\n[").next().unwrap();
    assert!(
        below("[ecs_ram_role]").contains("\nrole_name = example-role\n"),
        "{ini}"
    );
    assert!(above("[sts]").starts_with("# none of the vendor's"), "{ini}");
    assert_eq!(
        above("[oidc_role_arn]"),
        "# read by the vendor's credentials libraries for Java and Python"
    );
    assert_eq!(
        above("[ram_role_arn]"),
        "# read by the vendor's credentials libraries for Go, Java and Python"
    );
    let env = cloud.env();
    for (name, path) in [
        ("ALIBABA_CLOUD_CONFIG_FILE", files.config_json()),
        ("ALIBABA_CLOUD_CREDENTIALS_FILE", files.credentials_ini()),
    ] {
        let (_, value) = env.iter().find(|(own, _)| *own == name).unwrap();
        assert_eq!(std::path::Path::new(value), path);
    }
    #[cfg(unix)]
    for file in [files.config_json(), files.credentials_ini()] {
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(file).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn public_hosts_lead_to_the_cloud() {
    let (cloud, _clock) = cloud_at_now(|builder| builder);
    let oauth = cloud.oauth_endpoint();
    let sso = format!("http://127.0.0.1:{}", cloud.cloud_sso_port());
    for (url, endpoint) in [
        ("https://sts.aliyuncs.com/", cloud.sts_endpoint()),
        ("https://sts.cn-hangzhou.aliyuncs.com/", cloud.sts_endpoint()),
        ("https://sts-vpc.cn-hangzhou.aliyuncs.com/", cloud.sts_endpoint()),
        ("https://ecs.cn-hangzhou.aliyuncs.com/", cloud.ecs_endpoint()),
        ("http://100.100.100.200/latest/", cloud.metadata_endpoint()),
        ("https://kms.cn-hangzhou.aliyuncs.com/", cloud.kms_endpoint()),
        ("https://kms-vpc.cn-hangzhou.aliyuncs.com/", cloud.kms_endpoint()),
        (
            "https://kst-x.cryptoservice.kms.aliyuncs.com/",
            cloud.kms_instance_endpoint(),
        ),
        (
            "https://signin-cn-shanghai.alibabacloudsso.com/cloud-credentials",
            sso,
        ),
        ("https://oauth.aliyun.com/v1/token?a=%20b", oauth.clone()),
        ("https://oauth.alibabacloud.com/v1/token", oauth),
    ] {
        let inner = ScriptedHttp::new().answers(200, "");
        let client = cloud.routed(inner.clone());
        let request = HttpRequest::post(url)
            .with_header("X-A", "1")
            .with_header("Host", "other")
            .with_body(b"body".to_vec());
        blocking::wait(client.send(request)).unwrap();
        let sent = &inner.requests()[0];
        let (host, target) = url.split_once("://").unwrap().1.split_once('/').unwrap();
        assert_eq!(sent.url(), format!("{endpoint}/{target}"), "{url}");
        assert_eq!(sent.method(), HttpMethod::Post);
        assert_eq!(sent.body(), b"body");
        let headers: Vec<_> = sent.headers().collect();
        assert_eq!(headers, [("host", host), ("X-A", "1")]);
    }
}

#[test]
fn nothing_else_leaves_the_machine() {
    let (cloud, _clock) = cloud_at_now(|builder| builder);
    for url in [
        "https://example.com/",
        "https://aliyuncs.com/",
        "https://oss-cn-hangzhou.aliyuncs.com/",
        "https://sts.aliyuncs.com.example.com/",
        "https://other.alibabacloudsso.com/",
        "http://169.254.169.254/",
    ] {
        let inner = ScriptedHttp::new();
        let error = blocking::wait(cloud.routed(inner.clone()).send(HttpRequest::get(url))).unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::Connect, "{url}");
        assert!(inner.requests().is_empty());
    }
    let inner = ScriptedHttp::new().answers(200, "");
    let url = "http://127.0.0.1:9/x?y=1";
    blocking::wait(cloud.routed(inner.clone()).send(HttpRequest::get(url))).unwrap();
    assert_eq!(inner.requests()[0].url(), url);
    assert_eq!(inner.requests()[0].header("host"), None);
}
