//! `doctor` and `whoami`.

use oss_testkit::{Fault, Service};

use crate::support::{Place, run};

#[test]
fn credentials_in_use_are_shown_masked() {
    let place = Place::new();
    let ended = run(place.with_keys(&["doctor"]));
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(
        ended.out.starts_with("default chain: env is in use\n"),
        "{}",
        ended.out
    );
    assert!(ended.out.contains("run it with --online"), "{}", ended.out);
    let keys = place.cloud.access_key();
    for secret in [keys.access_key_id(), keys.access_key_secret()] {
        assert!(!ended.out.contains(secret), "{}", ended.out);
    }
    assert!(
        !ended.out.contains('\u{1b}'),
        "there is no terminal, so there are no colors"
    );
    assert!(place.cloud.requests().is_empty(), "nothing is sent unasked");
}

#[test]
fn the_service_says_whose_the_key_is_and_how_the_clock_stands() {
    let place = Place::new();
    place.cloud.set_clock_offset(-120);
    let ended = run(place.with_keys(&["doctor", "--online"]));
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    assert!(
        ended.out.contains("STS accepts the key (http://127.0.0.1:"),
        "{}",
        ended.out
    );
    assert!(
        ended
            .out
            .contains(&format!("account   {}", place.cloud.account_id())),
        "{}",
        ended.out
    );
    assert!(ended.out.contains("s ahead of the service's"), "{}", ended.out);
    assert!(
        ended
            .out
            .contains("1. set the clock of this machine: it is off by 1"),
        "{}",
        ended.out
    );
    let report =
        run(place.with_profiles(&["doctor", "--online", "--json", "--profile", "RamRoleArn"])).json();
    assert_eq!(report["exit_code"], 0);
    assert_eq!(report["in_use"], "profile");
    assert_eq!(report["online"]["identity"]["session"], "profile");
    let offset = report["online"]["clock_offset_seconds"].as_i64().unwrap();
    assert!((-122..=-118).contains(&offset), "{offset}");
}

#[test]
fn a_wrong_secret_is_noticed_online() {
    let place = Place::new();
    let wrong = |arguments: &[&str]| {
        let mut command = place.with_keys(arguments);
        command.env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "wrong-secret");
        run(command)
    };
    assert_eq!(wrong(&["doctor"]).code, Some(0), "nobody has been asked");
    let ended = wrong(&["doctor", "--online"]);
    assert_eq!(ended.code, Some(5), "{}", ended.out);
    assert!(
        ended.out.contains("STS refused the key: acs-sts: "),
        "{}",
        ended.out
    );
    assert!(
        ended
            .out
            .contains("1. set the secret again: it does not belong to this key ID"),
        "{}",
        ended.out
    );
    let report = wrong(&["doctor", "--online", "--json"]).json();
    assert_eq!(report["exit_code"], 5);
    assert_eq!(report["online"]["error"]["code"], "SignatureDoesNotMatch");
    let ended = wrong(&["whoami"]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(5), ""));
    assert!(
        ended.err.starts_with("acs-sts: ") && ended.err.contains("SignatureDoesNotMatch"),
        "{}",
        ended.err
    );
}

#[test]
fn a_token_that_has_expired_is_told_from_a_wrong_one() {
    let place = Place::new();
    for (code, advice) in [
        ("InvalidSecurityToken.Expired", "get new temporary credentials"),
        (
            "InvalidSecurityToken.Malformed",
            "take key ID, secret and token from the same response",
        ),
    ] {
        place.cloud.fault(Service::Sts, Fault::error(400, code));
        let report = run(place.with_uri(&["doctor", "--online", "--json"])).json();
        let first = report["advice"][0].as_str().unwrap();
        assert!(first.starts_with(advice), "{code}: {report}");
    }
}

#[test]
fn a_bucket_answers_or_says_why_not() {
    let place = Place::new();
    let ended = run(place.with_keys(&["doctor", "--bucket", "example-bucket"]));
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    assert!(
        ended.out.contains(
            "the bucket example-bucket responds
"
        ),
        "{}",
        ended.out
    );
    assert!(
        ended.out.contains(
            "  region    cn-hangzhou
"
        ),
        "{}",
        ended.out
    );
    let mut nowhere = place.with_keys(&["doctor", "--json", "--bucket", "example-bucket"]);
    nowhere.env_remove("OSS_REGION");
    assert_eq!(
        run(nowhere).json()["bucket"]["region"],
        "cn-hangzhou",
        "found out"
    );
    let report = run(place.with_keys(&["doctor", "--json", "--bucket", "no-such-bucket-here"])).json();
    assert_eq!(report["bucket"]["error"]["code"], "NoSuchBucket");
    assert_eq!(
        (report["exit_code"].as_u64(), &report["bucket"]["region"]),
        (Some(1), &serde_json::Value::Null)
    );
}

#[test]
fn a_bucket_elsewhere_is_told_from_a_key_that_is_refused() {
    let place = Place::new();
    let doctor = |arguments: &[&str]| {
        let words = [&["doctor", "--json", "--bucket", "example-bucket"], arguments].concat();
        run(place.with_keys(&words)).json()
    };
    let first = |report: &serde_json::Value| report["advice"][0].as_str().unwrap_or_default().to_owned();
    // The endpoint comes from the variable.
    let report = doctor(&["--region", "cn-beijing"]);
    assert_eq!(
        first(&report),
        "set --region to the region of the host in OSS_ENDPOINT, which does not accept cn-beijing; or leave OSS_ENDPOINT out"
    );
    // The two contradict each other: the report is complete all the same.
    let report = doctor(&[
        "--region",
        "cn-beijing",
        "--endpoint",
        "oss-cn-hangzhou.aliyuncs.com",
    ]);
    assert_eq!(report["in_use"], "env");
    assert_eq!(
        first(&report),
        "set both to the bucket's region, or leave `endpoint` out"
    );
    assert_eq!(report["exit_code"], 2);
    let report = run(place.with_keys(&["doctor", "--json", "--bucket", "Bad_Name"])).json();
    assert!(
        first(&report).starts_with("use 3 to 63 of a-z, 0-9 and -"),
        "{report}"
    );
    // A bucket that responds has accepted the key.
    let report = doctor(&[]);
    assert_eq!(report["advice"], serde_json::json!([]));
    let mut wrong = place.with_keys(&["doctor", "--json", "--bucket", "example-bucket"]);
    wrong.env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "wrong");
    let report = run(wrong).json();
    assert!(first(&report).starts_with("set the secret again"), "{report}");
    assert_eq!(report["exit_code"], 5);
}

#[test]
fn each_kind_of_failure_has_its_exit_code_and_advice() {
    let place = Place::new();
    let ended = run(place.bare(&["doctor"]));
    assert_eq!(ended.code, Some(3), "{}", ended.out);
    assert!(
        ended.out.contains("1. on a laptop, run `aliyun configure`"),
        "{}",
        ended.out
    );
    let mut pod = place.bare(&["doctor"]);
    pod.env("KUBERNETES_SERVICE_HOST", "10.0.0.1");
    let ended = run(pod);
    assert!(
        ended.out.contains("1. in a pod, give its service account a role"),
        "{}",
        ended.out
    );
    // Half a pair.
    let mut half = place.bare(&["doctor", "--json"]);
    half.env("OSS_ACCESS_KEY_ID", "LTAIEXAMPLE");
    let ended = run(half);
    assert_eq!(ended.code, Some(4));
    assert_eq!(ended.json()["error"]["kind"], "invalid-config");
    // What the chain does next is not advice.
    let report = run(place.with_profiles(&["doctor", "--json", "--profile", "nobody"])).json();
    let error = report["error"]["text"].as_str().unwrap();
    let advice = report["advice"][0].as_str().unwrap();
    assert!(
        error.contains("the chain stops") && !advice.contains("the chain stops"),
        "{report}"
    );
    // A role that STS does not hand out.
    place.cloud.fault(Service::Sts, Fault::error(403, "NoPermission"));
    let ended = run(place.with_profiles(&["doctor", "--profile", "RamRoleArn"]));
    assert_eq!(ended.code, Some(5), "{}", ended.out);
    assert!(
        ended
            .out
            .contains("1. grant the caller `sts:AssumeRole` on the role"),
        "{}",
        ended.out
    );
    // Arguments.
    assert_eq!(run(place.bare(&["doctor", "--provider", "nobody"])).code, Some(2));
    let ended = run(place.bare(&["doctor", "--profile", "a", "--ecs-role", "b"]));
    assert_eq!(ended.code, Some(2));
    assert!(
        ended
            .err
            .starts_with("oss-credentials: --profile selects profile alone"),
        "{}",
        ended.err
    );
}

#[test]
fn whoami_names_account_identity_key_and_source() {
    let place = Place::new();
    let ended = run(place.with_profiles(&["whoami", "--profile", "RamRoleArn"]));
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(
        ended.out.contains("source    profile, sts-assume-role\n"),
        "{}",
        ended.out
    );
    assert!(ended.out.contains("expires   2"), "{}", ended.out);
    let report = run(place.with_profiles(&["whoami", "--json", "--profile", "RamRoleArn"])).json();
    assert_eq!(report["account_id"], place.cloud.account_id());
    assert_eq!(report["identity_type"], "AssumedRoleUser");
    assert_eq!(report["member"], "profile");
    assert_eq!(report["source"], "sts-assume-role");
    assert!(
        report["access_key_id"].as_str().unwrap().contains("****"),
        "{report}"
    );
    assert!(report["expires_at"].as_str().unwrap().ends_with('Z'), "{report}");
    let report = run(place.with_keys(&["whoami", "--json"])).json();
    assert_eq!(report["expires_at"], serde_json::Value::Null);
}

#[test]
fn a_flag_takes_precedence_over_its_variable() {
    let place = Place::new();
    let mut command = place.with_keys(&["whoami", "--json", "--profile", "StsToken"]);
    command
        .env("ALIBABA_CLOUD_CONFIG_FILE", place.path("config.json"))
        .env("ALIBABA_CLOUD_PROFILE", "AK");
    let report = run(command).json();
    assert_eq!(report["member"], "profile");
    assert_eq!(report["identity_type"], "AssumedRoleUser");
    // A URI in a file, since it may hold a secret.
    let file = place.path("uri");
    std::fs::write(&file, format!("{}\n", place.cloud.credentials_uri())).unwrap();
    let report = run(place.with_keys(&[
        "whoami",
        "--json",
        "--credentials-uri-file",
        file.to_str().unwrap(),
    ]))
    .json();
    assert_eq!(report["member"], "uri");
}

#[test]
fn help_shows_examples_and_completions_and_the_manual_are_complete() {
    let place = Place::new();
    for command in [
        "doctor",
        "whoami",
        "export",
        "exec",
        "serve",
        "assume-role",
        "presign",
        "ls",
    ] {
        let help = run(place.bare(&[command, "--help"]));
        assert!(help.out.contains("Examples:\n  "), "{command}: {}", help.out);
        assert!(help.out.contains("--profile <NAME>"), "{command}: {}", help.out);
    }
    for command in ["completions", "man"] {
        let help = run(place.bare(&[command, "--help"]));
        assert!(help.out.contains("Examples:\n  "), "{command}: {}", help.out);
    }
    let script = run(place.bare(&["completions", "bash"])).out;
    assert!(
        script.contains("--credentials-uri-file") && !script.contains("--marked"),
        "{script}"
    );
    let manual = run(place.bare(&["man"])).out;
    assert!(
        manual.starts_with(".ie") && manual.contains("assume") && manual.contains("ALIBABA_CLOUD_PROFILE")
    );
}
