//! The CLI's `config.json`: each mode, and what is wrong with it.

#[cfg(feature = "ecs-ram-role")]
mod ecs;
mod errors;
#[cfg(feature = "sts-assume-role")]
mod roles;

use oss_credentials_core::test_util::FakeEnv;
use oss_credentials_core::{CredentialsProvider as _, blocking};
use oss_credentials_profile::ENV_DISABLE_EXTERNAL_PROCESS;

use crate::support::{Folder, keys, pair};

/// The error of the profile `x` among these.
fn problem(profiles: &str) -> String {
    let folder = Folder::new();
    let provider = folder.cli("x", profiles);
    folder.invalid(&provider)
}

#[test]
fn keys_and_tokens_whatever_the_case_of_the_mode() {
    for mode in ["AK", "ak", "Ak"] {
        let profile = format!(
            r#"{{"name": "x", "mode": "{mode}", "access_key_id": "LTAI5tEXAMPLEKEYID", "access_key_secret": "EXAMPLE",
                "sts_token": "left over", "region_id": "cn-hangzhou", "retry_count": 3, "parameters": {{"a": [1]}}}}"#
        );
        assert_eq!(
            keys(&Folder::new().cli("x", &profile)),
            pair("LTAI5tEXAMPLEKEYID", "EXAMPLE")
        );
    }
    for mode in ["StsToken", "STSTOKEN"] {
        let profile = format!(
            r#"{{"name": "x", "mode": "{mode}", "access_key_id": "STS.EXAMPLE", "access_key_secret": "EXAMPLE",
                "sts_token": "TOKEN"}}"#
        );
        let expected = (
            "STS.EXAMPLE".to_owned(),
            "EXAMPLE".to_owned(),
            Some("TOKEN".to_owned()),
        );
        assert_eq!(keys(&Folder::new().cli("x", &profile)), expected);
    }
}

#[test]
fn a_byte_order_mark_is_accepted_and_the_first_of_two_names_counts() {
    let folder = Folder::new();
    let path = folder.write(
        "config.json",
        "\u{feff}{\"profiles\": [7, {}], \"current\": \"x\"}".replace(
            "[7, {}]",
            r#"[{"name": 7}, {"name": "x", "mode": "AK", "access_key_id": "first", "access_key_secret": "s"},
                {"name": "x", "mode": "AK", "access_key_id": "second", "access_key_secret": "s"}]"#,
        ),
    );
    let provider = folder.builder().cli_file(path).build().unwrap();
    assert_eq!(keys(&provider).0, "first");
}

fn link(name: &str, source: &str) -> String {
    format!(
        r#"{{"name": "{name}", "mode": "ChainableRamRoleArn", "source_profile": "{source}",
            "ram_role_arn": "acs:ram::210987654321:role/{name}", "ram_session_name": "session-{name}"}}"#
    )
}

#[test]
fn circles_and_long_chains_of_profiles_end_in_an_error() {
    assert_eq!(
        problem(&[link("x", "y"), link("y", "z"), link("z", "y")].join(",")),
        "profile: the profiles' source_profile lead in a circle: \"x\" -> \"y\" -> \"z\" -> \"y\" (config.json); let one \
         of them name another source_profile, or none"
    );
    assert!(problem(&link("x", "x")).contains("in a circle: \"x\" -> \"x\" (config.json)"));
    assert_eq!(
        problem(&link("x", "gone")),
        "profile: the source_profile of the profile \"x\" is \"gone\", and there is none (config.json); correct \
         source_profile, or add the profile"
    );
    let names = ["x", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    let links: Vec<_> = names.windows(2).map(|pair| link(pair[0], pair[1])).collect();
    let nine = links.join(",");
    assert!(
        problem(&nine).contains(
            "the chain of source_profile has more than 8 profiles: \"x\" -> \"1\" -> \"2\" -> \"3\" -> \"4\" -> \"5\" \
             -> \"6\" -> \"7\" -> \"8\" (config.json); shorten it"
        ),
        "{}",
        problem(&nine)
    );
}

#[cfg(feature = "oidc-rrsa")]
#[test]
fn an_oidc_token() {
    use super::support::{param, session};
    let folder = Folder::answering(200, &session("STS.POD"));
    let token = folder.write("token", "example.jwt.token\n");
    let profile = format!(
        r#"{{"name": "x", "mode": "OIDC", "ram_role_arn": "acs:ram::123456789012:role/example-role",
            "oidc_provider_arn": "acs:ram::123456789012:oidc-provider/example", "oidc_token_file": {:?},
            "role_session_name": "example-session", "expired_seconds": 900}}"#,
        token.display().to_string()
    );
    assert_eq!(keys(&folder.cli("x", &profile)).0, "STS.POD");
    let request = &folder.http.requests()[0];
    for (name, value) in [
        ("Action", "AssumeRoleWithOIDC"),
        ("OIDCToken", "example.jwt.token"),
        ("RoleSessionName", "example-session"),
        ("DurationSeconds", "900"),
    ] {
        assert_eq!(param(request, name).as_deref(), Some(value), "{name}");
    }
}

#[cfg(feature = "uri")]
#[test]
fn a_credentials_uri() {
    let folder = Folder::answering(
        200,
        r#"{"Code": "Success", "AccessKeyId": "STS.URI", "AccessKeySecret": "s", "SecurityToken": "t",
            "Expiration": "2026-01-02T04:04:05Z"}"#,
    );
    let profile =
        r#"{"name": "x", "mode": "CredentialsURI", "credentials_uri": "http://127.0.0.1:8080/credentials"}"#;
    assert_eq!(keys(&folder.cli("x", profile)).0, "STS.URI");
    assert_eq!(
        folder.http.requests()[0].url(),
        "http://127.0.0.1:8080/credentials"
    );
    assert_eq!(
        problem(&profile.replace("127.0.0.1", "example.com")),
        "profile: in the profile \"x\" the credentials URI is plain http, which shows the credentials to the network: \
         http://example.com:8080/credentials (config.json); use https://, or allow_http(true) for a network you trust"
    );
}

#[cfg(all(feature = "process", unix))]
#[test]
fn a_program() {
    let folder = Folder::new();
    let helper = folder.write(
        "helper",
        r#"{"mode": "StsToken", "access_key_id": "STS.PROGRAM", "access_key_secret": "s", "sts_token": "t",
            "expiration": "2026-01-02T04:04:05Z"}"#,
    );
    let profile = format!(
        r#"{{"name": "x", "mode": "External", "process_command": "cat '{}'"}}"#,
        helper.display()
    );
    assert_eq!(keys(&folder.cli("x", &profile)).0, "STS.PROGRAM");
    assert_eq!(
        problem(r#"{"name": "x", "mode": "External", "process_command": "cat 'canary"}"#),
        "profile: in the profile \"x\" the command line has a quote that is not closed (config.json); close it"
    );
}

/// As in the CLI, whose switch it is.
#[test]
fn programs_and_uris_can_be_forbidden() {
    const PROFILES: &str = r#"{"profiles": [
        {"name": "program", "mode": "External", "process_command": "cat canary"},
        {"name": "uri", "mode": "CredentialsURI", "credentials_uri": "http://127.0.0.1:9/"},
        {"name": "keys", "mode": "AK", "access_key_id": "i", "access_key_secret": "s"},
        {"name": "role", "mode": "ChainableRamRoleArn", "source_profile": "program",
         "ram_role_arn": "acs:ram::123456789012:role/example-role"}]}"#;
    let text = |profile: &str, what: &str| {
        format!(
            "profile: the profile \"{profile}\" {what}, which ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS forbids \
             (config.json); use another profile, or unset that variable"
        )
    };
    let folder = Folder::new();
    let path = folder.write("config.json", PROFILES);
    for value in ["true", "TRUE", "1"] {
        let env = folder.env().with(ENV_DISABLE_EXTERNAL_PROCESS, value);
        let provider = |name: &str| {
            let builder = folder.builder().cli_file(&path).profile(name);
            builder.env(&env).build().unwrap()
        };
        assert_eq!(
            folder.invalid(&provider("program")),
            text("program", "runs a program")
        );
        assert_eq!(
            folder.invalid(&provider("role")),
            text("program", "runs a program")
        );
        assert_eq!(
            folder.invalid(&provider("uri")),
            text("uri", "has a credentials URI")
        );
        assert_eq!(keys(&provider("keys")), pair("i", "s"));
    }
    for value in ["", "0", "false", "yes"] {
        let env = folder.env().with(ENV_DISABLE_EXTERNAL_PROCESS, value);
        let builder = folder.builder().cli_file(&path).profile("program").env(&env);
        let error = blocking::wait(builder.build().unwrap().credentials()).unwrap_err();
        assert!(!error.to_string().contains("DISABLE"), "{value}: {error}");
    }
}

#[test]
fn the_region_is_that_of_the_profile_in_use() {
    let folder = Folder::new();
    let region = || folder.builder().env(&folder.env()).region();
    // Neither a file nor a profile has to be there.
    assert_eq!(region().unwrap(), None);
    folder.write(
        ".aliyun/config.json",
        r#"{"current": "b", "profiles": [
            {"name": "a", "mode": "AK", "region_id": "cn-beijing"},
            {"name": "b", "mode": "AK", "region_id": "cn-hangzhou"},
            {"name": "c", "mode": "AK", "region_id": ""}]}"#,
    );
    assert_eq!(region().unwrap().as_deref(), Some("cn-hangzhou"));
    for (profile, expected) in [("a", Some("cn-beijing")), ("c", None), ("d", None)] {
        let env = folder.env().with("ALIBABA_CLOUD_PROFILE", profile);
        let region = folder.builder().env(&env).region().unwrap();
        assert_eq!(region.as_deref(), expected, "{profile}");
    }
    let env = folder.env().with("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "true");
    assert_eq!(folder.builder().env(&env).region().unwrap(), None);
    let env = folder.env().with("ALIBABA_CLOUD_CONFIG_FILE", "/no/such/file");
    assert!(folder.builder().env(&env).region().is_err());
    folder.write(".aliyun/config.json", "{");
    assert!(region().is_err());
    // No home directory is known.
    let nowhere = FakeEnv::new();
    assert_eq!(folder.builder().env(&nowhere).region().unwrap(), None);
}
