//! Arguments that cannot be used, and the exit codes of all commands.

use crate::support::{Place, run};

fn is_refused(place: &Place, arguments: &[&str]) {
    let ended = run(place.with_keys(arguments));
    let found = (ended.code, ended.out.as_str());
    assert_eq!(found, (Some(2), ""), "{arguments:?}: {}", ended.err);
}

#[test]
fn what_cannot_be_used_exits_with_2_whoever_notices_it() {
    let place = Place::new();
    let object = "oss://example-bucket/a";
    let role = place.cloud.role_arn();
    for arguments in [
        &["doctor", "--provider", "nobody"][..],
        &["doctor", "--profile", "a", "--ecs-role", "b"],
        &["exec", "--profile", "a", "--ecs-role", "b", "--", "true"],
        &["presign", "GET", "oss://example-bucket"],
        &["presign", "GET", object, "--expires", "8d"],
        &["presign", "GET", object, "--content-type", "text/plain"],
        &["presign", "PUT", object, "--region", "Hangzhou"],
        &["ls", "oss://x"],
        &["assume-role", "reader"],
        &["assume-role", &role, "--duration", "5m"],
        &["assume-role", &role, "--session-name", "a b"],
        &["serve", "--listen", "0.0.0.0:0"],
        &["serve", "--keep-url", "--url-file", "url"],
    ] {
        is_refused(&place, arguments);
    }
    for line in [
        "call ecs DescribeRegions --version 2014-05-26",
        "call e/c DescribeRegions --version 2014-05-26 --region cn-hangzhou",
        "call ecs DescribeRegions --version 2014-05-26 --region a/b",
        "call ecs DescribeRegions --version 2014-05-26 --region a --roa FETCH /",
        "call ecs DescribeRegions --version 2014-05-26 --region a --roa GET x",
    ] {
        is_refused(&place, &line.split(' ').collect::<Vec<_>>());
    }
    assert!(place.cloud.requests().is_empty(), "nothing was sent");
}

#[test]
fn a_duration_without_a_unit_is_refused_with_the_right_form() {
    let place = Place::new();
    for (arguments, text) in [
        (
            &["presign", "GET", "oss://example-bucket/a", "--expires", "15"][..],
            "a unit is missing; write 15s, 15m, 15h or 15d",
        ),
        (
            &["assume-role", "acs:ram::1:role/a", "--duration", "3600"],
            "a unit is missing; write 3600s, 3600m, 3600h or 3600d",
        ),
    ] {
        let ended = run(place.with_keys(arguments));
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{}", ended.err);
        assert!(ended.err.contains(text), "{}", ended.err);
    }
}

#[test]
fn an_address_of_another_form_is_refused_with_the_right_one() {
    let place = Place::new();
    for (address, text) in [
        ("127.0.0.1", "a port is missing; write 127.0.0.1:7373"),
        ("::1", "a port is missing; write [::1]:7373"),
        (
            "localhost:7373",
            "write an IP address and a port, such as 127.0.0.1:7373",
        ),
    ] {
        let ended = run(place.with_keys(&["serve", "--listen", address]));
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{}", ended.err);
        assert!(ended.err.contains(text), "{}", ended.err);
    }
}

#[test]
fn a_role_that_is_refused_is_told_from_a_key_that_is_refused() {
    let place = Place::new();
    std::fs::write(place.path("policy.json"), "no policy").unwrap();
    let policy = place.path("policy.json");
    let policy = ["--policy", policy.to_str().unwrap()];
    let role = place.cloud.role_arn();
    let assume = |role: &str, rest: &[&str]| {
        run(place.with_keys(&[&["assume-role", role, "--format", "json"], rest].concat()))
    };
    let ended = assume(&role, &policy);
    assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""), "{}", ended.err);
    assert!(
        ended
            .err
            .contains("check the file of --policy: it has to be a RAM policy"),
        "{}",
        ended.err
    );
    let ended = assume("acs:ram::123456789012:role/no-such-role", &[]);
    assert_eq!(ended.code, Some(1), "{}", ended.err);
    let mut wrong = place.with_keys(&["assume-role", &role]);
    wrong.env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "wrong");
    assert_eq!(run(wrong).code, Some(5));
}

/// The tables of `docs/` list these texts, and a search finds them: the command changes none.
#[test]
fn errors_of_the_library_are_shown_word_for_word() {
    let place = Place::new();
    for (arguments, hint) in [
        (
            &["whoami", "--profile", "nobody"][..],
            "correct profile(..) or ALIBABA_CLOUD_PROFILE",
        ),
        (
            &["doctor", "--profile", "nobody"],
            "pinned by --profile: no other member is asked",
        ),
        (
            &["whoami", "--provider", "uri"],
            "uri is pinned by --provider, and",
        ),
        (
            &["whoami", "--provider", "uri"],
            "set uri(..) or ALIBABA_CLOUD_CREDENTIALS_URI",
        ),
        (
            &["doctor", "--provider", "ecs-ram-role", "--json"],
            "or remove disabled(true)",
        ),
        (&["assume-role", "reader"], "; it is the argument ARN"),
    ] {
        let ended = run(place.with_profiles(arguments));
        let text = ended.out + &ended.err;
        assert!(text.contains(hint), "{arguments:?}: {text}");
    }
    let report = run(place.with_profiles(&["doctor", "--json", "--profile", "AK"])).json();
    assert_eq!(report["pinned_by"], "--profile");
}
