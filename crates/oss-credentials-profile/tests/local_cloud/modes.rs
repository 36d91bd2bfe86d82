//! Each mode of `config.json` and each type of `credentials.ini` brings keys that the services take.

use std::time::Duration;

use oss_credentials_core::CredentialsProvider as _;
use oss_credentials_core::test_util::FakeEnv;
use oss_credentials_profile::{
    ENV_CONFIG_FILE, ENV_CREDENTIALS_FILE, ENV_DISABLE_EXTERNAL_PROCESS, ENV_PROFILE,
};
use oss_testkit::Service;

use crate::bench::{Bench, ask};

const USER: &str = "acs:ram::123456789012:user/example-user";

/// The ARN of a session of the cloud's first role.
fn session(name: &str) -> String {
    format!("acs:ram::123456789012:assumed-role/example-role/{name}")
}

#[test]
fn every_mode_of_the_cli() {
    let bench = Bench::new();
    let instance = session("i-osstestkit0123456789");
    // What the profile is, whose its keys are, which requests they took, and how long they last in seconds.
    for (mode, kind, owner, requests, lasts) in [
        ("AK", "keys", USER.to_owned(), &[][..], None),
        ("StsToken", "keys", session("oss-testkit"), &[], None),
        (
            "RamRoleArn",
            "sts-assume-role",
            session("profile"),
            &[(Service::Sts, "AssumeRole")],
            Some(3600),
        ),
        (
            "ChainableRamRoleArn",
            "sts-assume-role",
            session("profile"),
            &[(Service::Sts, "AssumeRole")],
            Some(3600),
        ),
        (
            "EcsRamRole",
            "ecs-ram-role",
            instance,
            &[
                (Service::Metadata, "PutToken"),
                (Service::Metadata, "ListRoles"),
                (Service::Metadata, "GetRoleCredentials"),
            ],
            Some(21_600),
        ),
        (
            "RamRoleArnWithRoleName",
            "sts-assume-role",
            session("profile"),
            &[
                (Service::Metadata, "PutToken"),
                (Service::Metadata, "ListRoles"),
                (Service::Metadata, "GetRoleCredentials"),
                (Service::Sts, "AssumeRole"),
            ],
            Some(3600),
        ),
        (
            "OIDC",
            "oidc-rrsa",
            session("profile"),
            &[(Service::Sts, "AssumeRoleWithOIDC")],
            Some(3600),
        ),
        (
            "CredentialsURI",
            "uri",
            session("credentials-uri"),
            &[(Service::CredentialsUri, "GetCredentials")],
            Some(3600),
        ),
        ("External", "process", session("oss-testkit"), &[], Some(43_200)),
        (
            "CloudSSO",
            "cloud-sso",
            session("cloud-sso"),
            &[(Service::CloudSso, "GetCloudCredentials")],
            Some(3600),
        ),
        (
            "OAuth",
            "oauth",
            session("oauth"),
            &[(Service::OAuth, "Exchange")],
            Some(3600),
        ),
    ] {
        let before = bench.text();
        bench.cloud.forget_requests();
        let provider = bench.reading(mode);
        let credentials = ask(&provider).unwrap_or_else(|error| panic!("{mode}: {error}"));
        // The second time it is at hand.
        assert!(ask(&provider).unwrap().same_key_as(&credentials), "{mode}");
        assert!(provider.cached().unwrap().same_key_as(&credentials), "{mode}");
        let sent: Vec<_> = bench.cloud.requests();
        let sent: Vec<_> = sent
            .iter()
            .map(|request| (request.service(), request.action()))
            .collect();
        assert_eq!(sent, requests, "{mode}");
        assert_eq!(provider.in_use().unwrap().kind(), kind, "{mode}");
        assert_eq!(bench.owner(&credentials), owner, "{mode}");
        let left = credentials
            .expires_at()
            .map(|at| at.duration_since(bench.now()).unwrap().as_secs());
        assert_eq!(left, lasts, "{mode}");
        assert_eq!(bench.text(), before, "{mode}: the file is left alone");
    }
    assert_eq!(
        bench.names().len(),
        4,
        "neither lock nor draft: {:?}",
        bench.names()
    );
}

#[test]
fn every_type_of_the_ini_file() {
    let bench = Bench::new();
    for (section, owner) in [
        ("default", USER.to_owned()),
        ("access_key", USER.to_owned()),
        ("sts", session("oss-testkit")),
        ("ram_role_arn", session("profile")),
        ("ecs_ram_role", session("i-osstestkit0123456789")),
        ("oidc_role_arn", session("profile")),
    ] {
        let builder = bench.builder().ini_file(bench.files.credentials_ini());
        let provider = builder.profile(section).build().unwrap();
        let credentials = ask(&provider).unwrap_or_else(|error| panic!("{section}: {error}"));
        assert_eq!(bench.owner(&credentials), owner, "{section}");
    }
}

/// As a program beside `oss-testkit -- PROGRAM` finds them.
#[test]
fn the_variables_of_the_cloud_lead_to_its_files() {
    let bench = Bench::new();
    let variables = bench.cloud.env();
    let env = variables
        .iter()
        .filter(|(name, _)| [ENV_CONFIG_FILE, ENV_CREDENTIALS_FILE].contains(name))
        .fold(FakeEnv::new(), |env, (name, value)| {
            env.with(*name, value.as_str())
        });
    let owner = |env: &FakeEnv| {
        let provider = bench.builder().env(env).build().unwrap();
        ask(&provider).map(|credentials| bench.owner(&credentials))
    };
    assert_eq!(owner(&env).unwrap(), USER);
    env.set(ENV_PROFILE, "CloudSSO");
    assert_eq!(owner(&env).unwrap(), session("cloud-sso"));
    env.set(ENV_PROFILE, "External");
    assert_eq!(owner(&env).unwrap(), session("oss-testkit"));
    env.set(ENV_DISABLE_EXTERNAL_PROCESS, "1");
    let text = bench.shown(&owner(&env).unwrap_err());
    assert_eq!(
        text,
        "profile: the profile \"External\" runs a program, which ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS forbids \
         (config.json); use another profile, or unset that variable"
    );
    env.set(ENV_PROFILE, "ram_role_arn");
    assert_eq!(owner(&env).unwrap(), session("profile"), "of the INI file");
}

#[test]
fn keys_are_renewed_in_time() {
    let bench = Bench::new();
    for mode in [
        "RamRoleArn",
        "ChainableRamRoleArn",
        "OIDC",
        "CredentialsURI",
        "CloudSSO",
        "OAuth",
    ] {
        let provider = bench.reading(mode);
        let first = ask(&provider).unwrap();
        // Its last seconds: it is handed out no more.
        bench.pass(Duration::from_secs(3595));
        bench.cloud.write_oidc_token(bench.files.oidc_token()).unwrap();
        let second = ask(&provider).unwrap_or_else(|error| panic!("{mode}: {error}"));
        assert!(!second.same_key_as(&first), "{mode}");
        bench.owner(&second);
        // Back to where logins are young.
        bench.cloud.write_profiles(bench.folder.path()).unwrap();
    }
}
