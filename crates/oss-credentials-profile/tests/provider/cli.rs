//! The CLI's `config.json`: each mode, and what is wrong with it.

use oss_credentials_core::test_util::FakeEnv;
use oss_credentials_core::{CredentialsProvider as _, blocking};
use oss_credentials_profile::ENV_DISABLE_EXTERNAL_PROCESS;

use super::support::{Folder, keys, pair};

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

#[test]
fn what_is_missing_or_malformed_is_named() {
    for (fields, text) in [
        ("", "has no mode (config.json); set mode"),
        (r#", "mode": """#, "has no mode (config.json); set mode"),
        (
            r#", "mode": "AK""#,
            "has no access_key_id (config.json); set access_key_id",
        ),
        (
            r#", "mode": "AK", "access_key_id": "i", "access_key_secret": """#,
            "has no access_key_secret (config.json); set access_key_secret",
        ),
        (
            r#", "mode": "AK", "access_key_id": ["canary"]"#,
            "has something other than a text in quotes in access_key_id (config.json); correct access_key_id",
        ),
        (
            r#", "mode": "StsToken", "access_key_id": "i", "access_key_secret": "s", "sts_token": null"#,
            "has no sts_token (config.json); set sts_token",
        ),
        (
            r#", "mode": "EcsRamRol""#,
            "has the unknown mode EcsRamRol (config.json); set mode to AK, StsToken, \
            RamRoleArn, RamRoleArnWithRoleName, EcsRamRole, OIDC, ChainableRamRoleArn, External, CredentialsURI, \
            CloudSSO or OAuth",
        ),
        // An AccessKey secret has 30 letters and digits.
        (
            r#", "mode": "canaryCanaryCanaryCanaryCanary""#,
            "has an unknown mode (config.json); set mode to AK, StsToken, \
            RamRoleArn, RamRoleArnWithRoleName, EcsRamRole, OIDC, ChainableRamRoleArn, External, CredentialsURI, \
            CloudSSO or OAuth",
        ),
        (
            r#", "mode": "RsaKeyPair""#,
            "is of the mode RsaKeyPair, which is not supported (config.json); use another profile",
        ),
        (
            r#", "mode": "BearerToken""#,
            "is of the mode BearerToken, which is not supported (config.json); use another profile",
        ),
        (
            r#", "mode": "RamRoleArn", "access_key_id": "i", "access_key_secret": "s""#,
            "has no ram_role_arn (config.json); set ram_role_arn",
        ),
        (
            r#", "mode": "RamRoleArn", "access_key_id": "i", "access_key_secret": "s", "ram_role_arn": "a",
               "expired_seconds": -1"#,
            "has something other than a whole number of 0 or more in expired_seconds (config.json); correct expired_seconds",
        ),
        (
            r#", "mode": "RamRoleArn", "access_key_id": "i", "access_key_secret": "s", "ram_role_arn": "a",
               "enable_vpc": "yes""#,
            "has something other than true or false in enable_vpc (config.json); correct enable_vpc",
        ),
        (
            r#", "mode": "OIDC", "ram_role_arn": "a""#,
            "has no oidc_provider_arn (config.json); set oidc_provider_arn",
        ),
        (
            r#", "mode": "OIDC", "ram_role_arn": "a", "oidc_provider_arn": "b""#,
            "has no oidc_token_file (config.json); set oidc_token_file",
        ),
        (
            r#", "mode": "ChainableRamRoleArn""#,
            "has no source_profile (config.json); set source_profile",
        ),
        (
            r#", "mode": "External""#,
            "has no process_command (config.json); set process_command",
        ),
        (
            r#", "mode": "CredentialsURI""#,
            "has no credentials_uri (config.json); set credentials_uri",
        ),
        (
            r#", "mode": "CloudSSO""#,
            "has no cloud_sso_sign_in_url (config.json); set cloud_sso_sign_in_url",
        ),
        (
            r#", "mode": "OAuth""#,
            "has no oauth_site_type (config.json); set oauth_site_type",
        ),
        (
            r#", "mode": "OAuth", "oauth_site_type": "canary""#,
            "has an unknown oauth_site_type (config.json); set it to CN or INTL",
        ),
    ] {
        assert_eq!(
            problem(&format!(r#"{{"name": "x"{fields}}}"#)),
            format!("profile: the profile \"x\" {text}"),
            "{fields}"
        );
    }
    assert_eq!(
        problem(r#"{"name": "x", "mode": "AK", "access_key_id": "i ", "access_key_secret": "s"}"#),
        "profile: in the profile \"x\" the access key ID begins or ends with white space (config.json); set the value \
         exactly as the service issued it"
    );
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

#[cfg(feature = "sts")]
mod roles {
    use super::*;
    use crate::support::{ROLE, param, session};

    /// The reference's sample.
    const SAMPLE: &str = r#"{"name": "x", "mode": "RamRoleArn", "access_key_id": "LTAI5tEXAMPLEKEYID",
        "access_key_secret": "EXAMPLE", "ram_role_arn": "acs:ram::123456789012:role/example-role",
        "ram_session_name": "example-session", "expired_seconds": 1800, "sts_region": "cn-hangzhou",
        "external_id": "example"}"#;

    #[test]
    fn eight_profiles_are_not_too_many() {
        let names = ["x", "1", "2", "3", "4", "5", "6", "7"];
        let mut profiles: Vec<_> = names.windows(2).map(|pair| link(pair[0], pair[1])).collect();
        profiles.push(
            r#"{"name": "7", "mode": "AK", "access_key_id": "id", "access_key_secret": "s"}"#.to_owned(),
        );
        let mut folder = Folder::new();
        for n in 1..8 {
            folder = folder.then_answering(200, &session(&format!("STS.{n}")));
        }
        let provider = folder.cli("x", &profiles.join(","));
        assert_eq!(keys(&provider).0, "STS.7");
        let requests = folder.http.requests();
        // The role of the profile before the last one is assumed first, with its keys.
        assert_eq!(
            param(&requests[0], "RoleSessionName").as_deref(),
            Some("session-6")
        );
        assert_eq!(param(&requests[0], "AccessKeyId").as_deref(), Some("id"));
        assert_eq!(
            param(&requests[6], "RoleSessionName").as_deref(),
            Some("session-x")
        );
        assert_eq!(param(&requests[6], "AccessKeyId").as_deref(), Some("STS.6"));
        assert_eq!(param(&requests[6], "SecurityToken").as_deref(), Some("new-token"));
    }

    #[test]
    fn a_role_with_keys() {
        let folder = Folder::answering(200, &session("STS.ROLE"));
        let provider = folder.cli("x", SAMPLE);
        assert_eq!(keys(&provider).0, "STS.ROLE");
        let request = &folder.http.requests()[0];
        assert!(
            request
                .url()
                .starts_with("https://sts.cn-hangzhou.aliyuncs.com/?"),
            "{}",
            request.url()
        );
        for (name, value) in [
            ("RoleArn", ROLE),
            ("RoleSessionName", "example-session"),
            ("DurationSeconds", "1800"),
            ("ExternalId", "example"),
            ("AccessKeyId", "LTAI5tEXAMPLEKEYID"),
        ] {
            assert_eq!(param(request, name).as_deref(), Some(value), "{name}");
        }
        for name in ["Policy", "SecurityToken"] {
            assert_eq!(param(request, name), None, "{name}");
        }
    }

    #[test]
    fn the_fields_of_a_role() {
        for (from, to, name, value) in [
            // Older CLIs write 0 for what is not set.
            ("1800", "0", "DurationSeconds", "3600"),
            ("1800", "null", "DurationSeconds", "3600"),
            (
                r#""ram_session_name""#,
                r#""role_session_name""#,
                "RoleSessionName",
                "example-session",
            ),
            (
                r#""expired_seconds""#,
                r#""role_session_name": "second", "expired_seconds""#,
                "RoleSessionName",
                "example-session",
            ),
            (r#""external_id": "example""#, r#""policy": "{}""#, "Policy", "{}"),
            (
                r#""external_id": "example""#,
                r#""sts_token": "TOKEN""#,
                "SecurityToken",
                "TOKEN",
            ),
        ] {
            let folder = Folder::answering(200, &session("STS.ROLE"));
            keys(&folder.cli("x", &SAMPLE.replace(from, to)));
            let request = &folder.http.requests()[0];
            assert_eq!(param(request, name).as_deref(), Some(value), "{to}");
        }
        for (field, host) in [
            (
                r#""enable_vpc": true"#,
                "https://sts-vpc.cn-hangzhou.aliyuncs.com/?",
            ),
            (r#""enable_vpc": false"#, "https://sts.cn-hangzhou.aliyuncs.com/?"),
            (
                r#""sts_endpoint": "sts.example.com""#,
                "https://sts.example.com/?",
            ),
        ] {
            let folder = Folder::answering(200, &session("STS.ROLE"));
            keys(&folder.cli("x", &SAMPLE.replace(r#""external_id": "example""#, field)));
            let url = folder.http.requests()[0].url().to_owned();
            assert!(url.starts_with(host), "{url}");
        }
        assert_eq!(
            problem(&SAMPLE.replace("1800", "899")),
            "profile: the profile \"x\" has 899 in expired_seconds, and sessions last 900 to 43200 seconds (config.json); \
             correct expired_seconds, or remove it"
        );
    }

    #[cfg(feature = "ecs")]
    #[test]
    fn a_role_over_the_role_of_the_instance() {
        let folder = Folder::answering(200, "metadata-token")
            .then_answering(
                200,
                r#"{"AccessKeyId": "STS.ECS", "AccessKeySecret": "s", "SecurityToken": "t", "Code": "Success",
                    "Expiration": "2026-01-02T09:04:05Z"}"#,
            )
            .then_answering(200, &session("STS.ROLE"));
        let provider = folder.cli(
            "x",
            r#"{"name": "x", "mode": "RamRoleArnWithRoleName", "ram_role_name": "example-role",
                "ram_role_arn": "acs:ram::123456789012:role/example-role", "ram_session_name": "example-session"}"#,
        );
        assert_eq!(keys(&provider).0, "STS.ROLE");
        let requests = folder.http.requests();
        assert!(requests[1].url().ends_with("/security-credentials/example-role"));
        assert_eq!(param(&requests[2], "AccessKeyId").as_deref(), Some("STS.ECS"));
    }
}

#[cfg(feature = "oidc")]
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

#[cfg(feature = "ecs")]
mod ecs {
    use super::*;
    use oss_credentials_core::{CredentialsError, CredentialsProvider, blocking};
    use oss_credentials_http::HttpErrorKind;

    const PROFILE: &str = r#"{"name": "x", "mode": "EcsRamRole", "ram_role_name": ""}"#;

    #[test]
    fn no_metadata_service_is_an_outage_for_a_profile_that_wants_it() {
        let mut folder = Folder::new();
        folder.http = folder
            .http
            .fails(HttpErrorKind::Connect)
            .fails(HttpErrorKind::Connect);
        let error = blocking::wait(folder.cli("x", PROFILE).credentials()).unwrap_err();
        assert!(matches!(error, CredentialsError::Unavailable(_)), "{error:?}");
    }

    #[test]
    fn what_the_environment_turns_off_is_off() {
        let folder = Folder::new();
        let path = folder.write(
            "config.json",
            format!(r#"{{"current": "x", "profiles": [{PROFILE}]}}"#),
        );
        let env = folder.env().with("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true");
        let provider = folder.builder().cli_file(path).env(&env).build().unwrap();
        let text = folder.invalid(&provider);
        assert!(
            text.starts_with("profile: in the profile \"x\" instance metadata is disabled (config.json)"),
            "{text}"
        );
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

/// Its own text tells of a program or a service, and not of the file that leads there.
#[cfg(all(feature = "process", unix))]
#[test]
fn the_error_of_what_a_profile_asks_for_names_file_and_profile() {
    use oss_credentials_core::{CredentialsProvider, blocking};

    let folder = Folder::new();
    let helper = folder.write("helper", "garbage");
    let profile = format!(
        r#"{{"name": "x", "mode": "External", "process_command": "cat '{}'"}}"#,
        helper.display()
    );
    let provider = folder.cli("x", &profile);
    // The second time it is the failure that the cache remembers.
    for _ in 0..2 {
        let error = blocking::wait(provider.credentials()).unwrap_err();
        assert_eq!(error.kind(), "invalid-response", "{error}");
        assert_eq!(error.detail().unwrap().provider(), "process");
        let text = folder.shown(&error);
        assert_eq!(text.matches("configured by").count(), 1, "{text}");
        assert!(
            text.ends_with("; configured by the profile \"x\" in config.json"),
            "{text}"
        );
        let mut cause = std::error::Error::source(&error);
        while let Some(inner) = cause {
            assert!(!inner.to_string().contains("configured by"), "{inner}");
            cause = inner.source();
        }
    }
}

/// The keys of the profile, and no method or variable that nobody reads here.
#[cfg(all(feature = "oidc", feature = "sts"))]
#[test]
fn hints_name_the_keys_of_the_profile() {
    let arn = r#"{"name": "x", "mode": "RamRoleArn", "access_key_id": "i", "access_key_secret": "s",
        "ram_role_arn": "canary"}"#;
    assert_eq!(
        problem(arn),
        "profile: in the profile \"x\" the role ARN is malformed (config.json); write it as \
         acs:ram::<account ID>:role/<role name>; it is ram_role_arn"
    );
    let folder = Folder::new();
    let error = oss_credentials_core::blocking::wait(oss_credentials_core::CredentialsProvider::credentials(
        &folder.cli("x", arn),
    ));
    assert!(
        std::error::Error::source(&error.unwrap_err()).is_none(),
        "all is told"
    );

    let oidc = |provider: &str, token: &str| {
        format!(
            r#"{{"name": "x", "mode": "OIDC", "ram_role_arn": "acs:ram::123456789012:role/example-role",
                "oidc_provider_arn": "{provider}", "oidc_token_file": "{token}"}}"#
        )
    };
    let provider = "acs:ram::123456789012:oidc-provider/example";
    for (profile, hint) in [
        (
            oidc("canary", "/t"),
            "; write it as acs:ram::<account ID>:oidc-provider/<provider name>; it is oidc_provider_arn",
        ),
        (
            oidc(
                provider,
                "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl",
            ),
            "; set oidc_token_file to the path of a file",
        ),
        (
            oidc(provider, "/nowhere/token"),
            "; mount the token there, or correct oidc_token_file; configured by the profile \"x\" in config.json",
        ),
    ] {
        let text = problem(&profile);
        assert!(text.ends_with(hint), "{text}");
        assert!(
            !text.contains("ALIBABA_CLOUD") && !text.contains("(..)"),
            "{text}"
        );
    }
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

/// Each mode that is left out of the build is told with its feature.
#[test]
fn modes_that_are_left_out_are_named() {
    for (left_out, profile, feature) in [
        (
            cfg!(not(feature = "sts")),
            r#""mode": "RamRoleArn", "access_key_id": "i", "access_key_secret": "s", "ram_role_arn": "a""#,
            "sts",
        ),
        (cfg!(not(feature = "ecs")), r#""mode": "EcsRamRole""#, "ecs"),
        (
            cfg!(not(feature = "oidc")),
            r#""mode": "OIDC", "ram_role_arn": "a", "oidc_provider_arn": "b", "oidc_token_file": "c""#,
            "oidc",
        ),
        (
            cfg!(not(feature = "uri")),
            r#""mode": "CredentialsURI", "credentials_uri": "u""#,
            "uri",
        ),
        (
            cfg!(not(feature = "process")),
            r#""mode": "External", "process_command": "p""#,
            "process",
        ),
        (
            cfg!(not(feature = "sso")),
            r#""mode": "CloudSSO", "cloud_sso_sign_in_url": "https://h/", "cloud_sso_account_id": "1",
               "cloud_sso_access_config": "ac""#,
            "sso",
        ),
        (
            cfg!(not(feature = "oauth")),
            r#""mode": "OAuth", "oauth_site_type": "cn""#,
            "oauth",
        ),
    ] {
        if left_out {
            let text = problem(&format!(r#"{{"name": "x", {profile}}}"#));
            assert!(
                text.contains("which this build does not support (config.json)"),
                "{text}"
            );
            assert!(
                text.ends_with(&format!(
                    "; enable the feature `{feature}` of oss-credentials-profile"
                )),
                "{text}"
            );
        }
    }
}

#[cfg(all(feature = "sts", not(feature = "reqwest")))]
#[test]
fn a_mode_that_sends_requests_needs_a_client() {
    let folder = Folder::new();
    let path = folder.write(
        "config.json",
        r#"{"current": "x", "profiles": [{"name": "x", "mode": "RamRoleArn", "access_key_id": "i",
            "access_key_secret": "s", "ram_role_arn": "acs:ram::1:role/r"}]}"#,
    );
    let provider = oss_credentials_profile::ProfileProvider::builder()
        .cli_file(path)
        .build()
        .unwrap();
    assert_eq!(
        folder.invalid(&provider),
        "profile: the profile \"x\" needs an HTTP client, and there is none (config.json); pass one with \
         http_client(..), or enable the feature `reqwest`"
    );
}

/// Whoever reads a hint inside a profile has neither a builder nor its variables at hand.
#[cfg(all(feature = "ecs", feature = "process", feature = "sts"))]
#[test]
fn no_hint_inside_a_profile_names_a_method_or_variable() {
    let role = |more: &str| {
        format!(
            r#"{{"name": "x", "mode": "RamRoleArn", "access_key_id": "i", "access_key_secret": "s",
                "ram_role_arn": "acs:ram::123456789012:role/example-role", {more}}}"#
        )
    };
    for (profile, word) in [
        (role(r#""external_id": "1""#), "external ID"),
        (role(&format!(r#""policy": "{}""#, "x".repeat(2049))), "policy"),
        (
            r#"{"name": "x", "mode": "EcsRamRole", "ram_role_name": ".."}"#.to_owned(),
            "ram_role_name",
        ),
        (
            r#"{"name": "x", "mode": "External", "process_command": "cat 'half"}"#.to_owned(),
            "command line",
        ),
    ] {
        let text = problem(&profile);
        assert!(text.contains(word), "{word}: {text}");
        assert!(
            !text.contains("(..)") && !text.contains("ALIBABA_CLOUD_"),
            "{text}"
        );
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
