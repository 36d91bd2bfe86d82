//! Settings: from code and the environment, and those that cannot work.

use std::time::Duration;

use oss_credentials_core::test_util::{FakeEnv, ManualClock, PanickingEnv};
use oss_credentials_core::{CredentialsError, CredentialsSource as _, blocking};
use oss_credentials_oidc_rrsa::{
    ENV_OIDC_PROVIDER_ARN, ENV_OIDC_TOKEN_FILE, ENV_ROLE_ARN, ENV_ROLE_SESSION_NAME, ENV_STS_ENDPOINT,
    ENV_STS_REGION, ENV_VPC_ENDPOINT_ENABLED, OidcRrsa,
};

use super::service::{JWT, NOW, PROVIDER, ROLE, Service, an_hour, fetch, param};

#[test]
fn not_configured() {
    let service = Service::new();
    // The role and what is about the call also serve AssumeRole.
    let other = FakeEnv::from([
        (ENV_ROLE_ARN, ROLE),
        (ENV_ROLE_SESSION_NAME, "nightly"),
        (ENV_STS_REGION, "cn-beijing"),
        (ENV_OIDC_PROVIDER_ARN, ""),
        (ENV_OIDC_TOKEN_FILE, ""),
    ]);
    for error in [
        OidcRrsa::builder()
            .http_client(service.http())
            .build()
            .unwrap_err(),
        OidcRrsa::from_env(&FakeEnv::new()).unwrap_err(),
        OidcRrsa::from_env(&other).unwrap_err(),
    ] {
        assert!(error.is_not_configured(), "{error:?}");
        assert_eq!(
            error.to_string(),
            "oidc-rrsa: neither an OIDC provider nor a token file is named; set ALIBABA_CLOUD_OIDC_PROVIDER_ARN, \
             ALIBABA_CLOUD_OIDC_TOKEN_FILE and ALIBABA_CLOUD_ROLE_ARN, or the builder's methods for them"
        );
    }
}

#[test]
fn half_configured() {
    let all = [
        (ENV_ROLE_ARN, ROLE),
        (ENV_OIDC_PROVIDER_ARN, PROVIDER),
        (ENV_OIDC_TOKEN_FILE, "/var/run/token"),
    ];
    assert!(OidcRrsa::from_env(&FakeEnv::from(all)).is_ok());
    for (missing, text) in [
        (
            &[ENV_ROLE_ARN][..],
            "there is an OIDC provider ARN and a token file, but no role ARN (/var/run/token); set role_arn(..) or \
             ALIBABA_CLOUD_ROLE_ARN, or unset ALIBABA_CLOUD_OIDC_PROVIDER_ARN and ALIBABA_CLOUD_OIDC_TOKEN_FILE",
        ),
        (
            &[ENV_OIDC_PROVIDER_ARN],
            "there is an OIDC token file, but no OIDC provider ARN (/var/run/token); set oidc_provider_arn(..) \
             or ALIBABA_CLOUD_OIDC_PROVIDER_ARN, or unset ALIBABA_CLOUD_OIDC_TOKEN_FILE",
        ),
        (
            &[ENV_OIDC_TOKEN_FILE],
            "there is an OIDC provider ARN, but no OIDC token file (PROVIDER); set oidc_token_file(..) or \
             ALIBABA_CLOUD_OIDC_TOKEN_FILE, or unset ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
        ),
        (
            &[ENV_ROLE_ARN, ENV_OIDC_TOKEN_FILE],
            "there is an OIDC provider ARN, but no role ARN and no OIDC token file (PROVIDER); set role_arn(..) \
             or ALIBABA_CLOUD_ROLE_ARN, and oidc_token_file(..) or ALIBABA_CLOUD_OIDC_TOKEN_FILE, or unset \
             ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
        ),
    ] {
        let env = FakeEnv::from(all);
        for name in missing {
            env.set(*name, "");
        }
        for error in [
            OidcRrsa::from_env(&env).unwrap_err(),
            OidcRrsa::builder().env(&env).build().unwrap_err(),
        ] {
            assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
            let text = text.replace("PROVIDER)", &format!("{PROVIDER})"));
            assert_eq!(error.to_string(), format!("oidc-rrsa: {text}"));
        }
    }
}

#[test]
fn a_token_in_place_of_its_path_is_not_shown_when_the_rest_is_missing() {
    let env = FakeEnv::from([(ENV_OIDC_TOKEN_FILE, "eyJhbGciOiJSUzI1NiJ9.canary.canary")]);
    let error = OidcRrsa::from_env(&env).unwrap_err();
    assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
}

#[test]
fn explicit_values_that_cannot_work_are_refused_when_it_is_built() {
    let service = Service::new();
    for (builder, word) in [
        (service.builder().role_arn(""), "role ARN"),
        (service.builder().role_arn("example-role"), "role ARN"),
        (service.builder().oidc_provider_arn(""), "OIDC provider ARN"),
        (service.builder().oidc_provider_arn(ROLE), "OIDC provider ARN"),
        (
            service.builder().oidc_token_file(""),
            "path of the OIDC token file is empty",
        ),
        (service.builder().role_session_name(""), "session name"),
        (service.builder().role_session_name("a b"), "session name"),
        (service.builder().duration(Duration::from_secs(899)), "899 s"),
        (service.builder().duration(Duration::from_secs(43_201)), "43201 s"),
        (service.builder().policy("x".repeat(2049)), "policy"),
        (service.builder().policy(""), "policy is empty"),
        (service.builder().region(""), "region"),
        (service.builder().region("cn/hangzhou"), "region"),
        (service.builder().endpoint(""), "endpoint"),
        (service.builder().endpoint("http://sts.example.com"), "plain http"),
    ] {
        let error = builder.build().unwrap_err();
        assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
        let text = error.to_string();
        assert!(text.starts_with("oidc-rrsa: ") && text.contains(word), "{text}");
    }
    let source = service
        .builder()
        .endpoint("http://sts.example.com/")
        .allow_http(true)
        .build_source()
        .unwrap();
    assert_eq!(source.endpoint(), "http://sts.example.com");
    assert_eq!(source.oidc_token_file(), service.file());
}

#[test]
fn a_token_in_place_of_its_path_is_not_shown() {
    let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl";
    let env = FakeEnv::from([(ENV_OIDC_TOKEN_FILE, jwt)]);
    let service = Service::new();
    let builder = OidcRrsa::builder()
        .role_arn(ROLE)
        .oidc_provider_arn(PROVIDER)
        .env(&env);
    let builder = builder.http_client(service.http());
    let shown = format!("{builder:?}");
    let error = builder.build().unwrap_err();
    assert_eq!(
        error.to_string(),
        "oidc-rrsa: the path of the OIDC token file is a token itself; set oidc_token_file(..) or \
         ALIBABA_CLOUD_OIDC_TOKEN_FILE to the path of a file"
    );
    assert!(!format!("{shown} {error:?}").contains("eyJ"), "{shown} {error:?}");
    // A path is a path, whatever its name.
    for path in ["/tokens/eyJ.token", "token.jwt", "eyJtoken"] {
        service.builder().oidc_token_file(path).build().unwrap();
    }
}

#[test]
fn the_environment_fills_in_what_is_not_set() {
    let service = Service::new().answers(200, an_hour("STS.EXAMPLE"));
    let env = FakeEnv::from([
        (ENV_ROLE_ARN, "acs:ram::1:role/from-env"),
        (ENV_OIDC_PROVIDER_ARN, "acs:ram::1:oidc-provider/from-env"),
        (ENV_OIDC_TOKEN_FILE, service.file().to_str().unwrap()),
        (ENV_ROLE_SESSION_NAME, "from-env"),
        (ENV_STS_REGION, "cn-beijing"),
        (ENV_VPC_ENDPOINT_ENABLED, "TRUE"),
    ]);
    let builder = OidcRrsa::from_env(&env).unwrap().http_client(service.http());
    let source = builder.clock(ManualClock::at_unix(NOW)).build_source().unwrap();
    assert_eq!(source.endpoint(), "https://sts-vpc.cn-beijing.aliyuncs.com");
    blocking::wait(source.fetch()).unwrap();
    let request = &service.requests()[0];
    for (name, value) in [
        ("RoleArn", "acs:ram::1:role/from-env"),
        ("OIDCProviderArn", "acs:ram::1:oidc-provider/from-env"),
        ("OIDCToken", JWT),
        ("RoleSessionName", "from-env"),
    ] {
        assert_eq!(param(request, name).as_deref(), Some(value), "{name}");
    }

    // Explicit values come first, and an explicit `false` beats the variable; only the word `true` counts.
    let service = Service::new().answers(200, an_hour("STS.EXAMPLE"));
    let explicit = service.builder().vpc(false).env(&env).build_source().unwrap();
    assert_eq!(explicit.endpoint(), "https://sts.cn-beijing.aliyuncs.com");
    blocking::wait(explicit.fetch()).unwrap();
    assert_eq!(param(&service.requests()[0], "RoleArn").as_deref(), Some(ROLE));
    assert_eq!(
        param(&service.requests()[0], "OIDCProviderArn").as_deref(),
        Some(PROVIDER)
    );
    env.set(ENV_VPC_ENDPOINT_ENABLED, "1");
    let one = service.builder().env(&env).build_source().unwrap();
    assert_eq!(one.endpoint(), "https://sts.cn-beijing.aliyuncs.com");
    env.set(ENV_STS_REGION, "");
    env.set(ENV_ROLE_SESSION_NAME, "");
    let empty = service.builder().env(&env).build_source().unwrap();
    assert_eq!(empty.endpoint(), "https://sts.aliyuncs.com");
    assert!(empty.role_session_name().starts_with("oss-credentials-"));
}

#[test]
fn only_from_env_takes_the_endpoint_of_a_variable() {
    let service = Service::new();
    let env = FakeEnv::from([
        (ENV_ROLE_ARN, "acs:ram::1:role/from-env"),
        (ENV_OIDC_PROVIDER_ARN, "acs:ram::1:oidc-provider/from-env"),
        (ENV_OIDC_TOKEN_FILE, service.file().to_str().unwrap()),
        (ENV_STS_REGION, "cn-beijing"),
        (ENV_STS_ENDPOINT, "sts.cn-hangzhou.aliyuncs.com"),
    ]);
    let from_env = || OidcRrsa::from_env(&env).unwrap().http_client(service.http());
    let source = from_env().build_source().unwrap();
    assert_eq!(source.endpoint(), "https://sts.cn-hangzhou.aliyuncs.com");
    let source = from_env().endpoint("sts.example.com").build_source().unwrap();
    assert_eq!(source.endpoint(), "https://sts.example.com");
    let source = service.builder().env(&env).build_source().unwrap();
    assert_eq!(source.endpoint(), "https://sts.cn-beijing.aliyuncs.com");
    env.set(ENV_STS_ENDPOINT, "https://canary.example.com");
    let error = from_env().allow_http(true).build_source().unwrap_err();
    assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error}");
    assert!(
        error.to_string().contains("(ALIBABA_CLOUD_STS_ENDPOINT); "),
        "{error}"
    );
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    assert!(service.builder().env(&env).build_source().is_ok());
}

#[test]
fn explicit_configuration_never_reads_the_environment() {
    let service = Service::new().answers(200, an_hour("STS.EXAMPLE"));
    let full = service
        .builder()
        .role_session_name("nightly")
        .region("cn-beijing")
        .vpc(false)
        .env(&PanickingEnv);
    fetch(full).unwrap();
    let with_endpoint = service
        .builder()
        .role_session_name("nightly")
        .endpoint("sts.example.com");
    with_endpoint.env(&PanickingEnv).build().unwrap();
}

#[test]
fn the_session_name_is_made_up_once() {
    let service = Service::new()
        .answers(200, an_hour("STS.A"))
        .answers(200, an_hour("STS.B"));
    let clock = ManualClock::at_unix(NOW);
    let source = service.builder().clock(clock.clone()).build_source().unwrap();
    assert_eq!(source.role_session_name(), format!("oss-credentials-{NOW}000000"));
    blocking::wait(source.fetch()).unwrap();
    clock.advance(Duration::from_secs(60));
    blocking::wait(source.fetch()).unwrap();
    for request in service.requests() {
        assert_eq!(
            param(&request, "RoleSessionName").as_deref(),
            Some(source.role_session_name())
        );
    }
}

#[cfg(not(feature = "reqwest"))]
#[test]
fn without_an_http_client_it_says_so() {
    let builder = OidcRrsa::builder().role_arn(ROLE).oidc_provider_arn(PROVIDER);
    let error = builder.oidc_token_file("/var/run/token").build().unwrap_err();
    assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        "oidc-rrsa: there is no HTTP client; pass one with http_client(..), or enable the feature `reqwest`"
    );
}

#[cfg(feature = "reqwest")]
#[test]
fn with_reqwest_no_http_client_is_needed() {
    use oss_credentials_core::CredentialsProvider as _;

    let service = Service::new();
    let builder = OidcRrsa::builder().role_arn(ROLE).oidc_provider_arn(PROVIDER);
    let provider = builder.oidc_token_file(service.file()).build().unwrap();
    // Outside of a runtime it can send nothing; nothing panics.
    let error = blocking::wait(provider.credentials()).unwrap_err();
    assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
}
