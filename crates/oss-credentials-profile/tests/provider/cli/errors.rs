//! What errors inside a profile name: its file, its keys, and nothing that only code has.

use super::problem;

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

/// Its own text tells of a program or a service, and not of the file that leads there.
#[cfg(all(feature = "process", unix))]
#[test]
fn the_error_of_what_a_profile_asks_for_names_file_and_profile() {
    use oss_credentials_core::{CredentialsProvider, blocking};

    let folder = crate::support::Folder::new();
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
#[cfg(all(feature = "oidc-rrsa", feature = "sts-assume-role"))]
#[test]
fn hints_name_the_keys_of_the_profile() {
    let arn = r#"{"name": "x", "mode": "RamRoleArn", "access_key_id": "i", "access_key_secret": "s",
        "ram_role_arn": "canary"}"#;
    assert_eq!(
        problem(arn),
        "profile: in the profile \"x\" the role ARN is malformed (config.json); write it as \
         acs:ram::<account ID>:role/<role name>; it is ram_role_arn"
    );
    let folder = crate::support::Folder::new();
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

/// Each mode that is left out of the build is told with its feature.
#[test]
fn modes_that_are_left_out_are_named() {
    for (left_out, profile, feature) in [
        (
            cfg!(not(feature = "sts-assume-role")),
            r#""mode": "RamRoleArn", "access_key_id": "i", "access_key_secret": "s", "ram_role_arn": "a""#,
            "sts-assume-role",
        ),
        (
            cfg!(not(feature = "ecs-ram-role")),
            r#""mode": "EcsRamRole""#,
            "ecs-ram-role",
        ),
        (
            cfg!(not(feature = "oidc-rrsa")),
            r#""mode": "OIDC", "ram_role_arn": "a", "oidc_provider_arn": "b", "oidc_token_file": "c""#,
            "oidc-rrsa",
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

#[cfg(all(feature = "sts-assume-role", not(feature = "reqwest")))]
#[test]
fn a_mode_that_sends_requests_needs_a_client() {
    let folder = crate::support::Folder::new();
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
#[cfg(all(feature = "ecs-ram-role", feature = "process", feature = "sts-assume-role"))]
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
