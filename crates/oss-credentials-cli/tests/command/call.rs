//! `call`.

use crate::support::{Place, run};

const ECS: [&str; 4] = ["ecs", "DescribeRegions", "--version", "2014-05-26"];
const RAM: [&str; 4] = ["ram", "GetPolicy", "--version", "2015-05-01"];
const CS: [&str; 4] = ["cs", "DescribeClusters", "--version", "2015-12-15"];

fn command<'a>(call: [&'a str; 4], rest: &[&'a str]) -> Vec<&'a str> {
    ["call"]
        .into_iter()
        .chain(call)
        .chain(rest.iter().copied())
        .collect()
}

#[test]
fn operations_of_both_styles_are_called() {
    let place = Place::new();
    let (ecs, ram, cs) = (
        place.cloud.ecs_endpoint(),
        place.cloud.ram_endpoint(),
        place.cloud.cs_endpoint(),
    );
    let ended = run(place.with_keys(&command(ECS, &["--endpoint", &ecs])));
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    let regions = ended.json();
    assert_eq!(regions["Regions"]["Region"][0]["RegionId"], "cn-hangzhou");
    assert!(
        ended.out.starts_with("{\n  \"") && ended.out.ends_with("}\n"),
        "{}",
        ended.out
    );
    // Credentials of a session, with its token.
    let policy = [
        "--param",
        "PolicyType=System",
        "--param",
        "PolicyName=AliyunOSSReadOnlyAccess",
    ];
    let ended = run(place.with_uri(&command(RAM, &[&["--endpoint", &ram], &policy[..]].concat())));
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    assert_eq!(ended.json()["Policy"]["PolicyName"], "AliyunOSSReadOnlyAccess");
    // The parameter is in the query, and the response is an array.
    let roa = [
        "--endpoint",
        &cs,
        "--roa",
        "get",
        "/clusters",
        "--param",
        "name=staging",
    ];
    let ended = run(place.with_keys(&command(CS, &roa)));
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    let clusters = ended.json();
    assert_eq!(clusters.as_array().map(Vec::len), Some(1), "{clusters}");
    assert_eq!(clusters[0]["name"], "staging");
}

#[test]
fn the_value_of_a_parameter_may_come_from_a_file() {
    let place = Place::new();
    std::fs::write(place.path("name"), "AliyunOSSReadOnlyAccess").unwrap();
    let file = format!("PolicyName={}", place.path("name").display());
    let ram = place.cloud.ram_endpoint();
    let parameters = [
        "--endpoint",
        &ram,
        "--param",
        "PolicyType=System",
        "--param-file",
        &file,
    ];
    let ended = run(place.with_keys(&command(RAM, &parameters)));
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    let requests = place.cloud.requests();
    let request = requests.last().unwrap();
    assert!(!format!("{request:?}").contains("PolicyName="), "{request:?}");
    // As it is: a newline at the end belongs to the value, and no policy has such a name.
    std::fs::write(place.path("name"), "AliyunOSSReadOnlyAccess\n").unwrap();
    let ended = run(place.with_keys(&command(RAM, &parameters)));
    assert_eq!(ended.code, Some(1), "{}", ended.err);
    assert!(ended.err.contains("EntityNotExist"), "{}", ended.err);
}

#[test]
fn a_body_is_sent_as_it_is_if_it_is_json() {
    let place = Place::new();
    let body = place.path("body.json");
    let at = place.cloud.cs_endpoint();
    let rest = [
        "--endpoint",
        &at,
        "--roa",
        "POST",
        "/clusters",
        "--max-attempts",
        "1",
        "--body",
        body.to_str().unwrap(),
    ];
    for broken in ["", "{", "{} {}", "{'a': 1}", "secret"] {
        std::fs::write(&body, broken).unwrap();
        let ended = run(place.with_keys(&command(CS, &rest)));
        assert_eq!(
            (ended.code, ended.out.as_str()),
            (Some(2), ""),
            "{broken:?}: {}",
            ended.err
        );
        let begins = format!("call: --body: {} is not JSON: line ", body.display());
        assert!(
            ended.err.starts_with(&begins) && !ended.err.contains("secret"),
            "{}",
            ended.err
        );
    }
    assert!(place.cloud.requests().is_empty(), "nothing was sent");
    std::fs::write(&body, "\n{\"a\": 1}\n").unwrap();
    run(place.with_keys(&command(CS, &rest)));
    let requests = place.cloud.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].body(), b"\n{\"a\": 1}\n");
}

#[test]
fn products_with_other_signatures_are_named() {
    let place = Place::new();
    for (product, text) in [
        (
            "oss",
            "call: OSS is not a product of the OpenAPI and has other signatures; use `oss-credentials ls` or `presign`, or \
             ossutil\n",
        ),
        ("SLS", "call: Log Service is not a product of the OpenAPI"),
        ("mns", "call: Message Service is not"),
        ("ots", "call: Table Store is not"),
    ] {
        let line = format!("call {product} X --version 2019-05-17 --region cn-hangzhou");
        let ended = run(place.with_keys(&line.split(' ').collect::<Vec<_>>()));
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{}", ended.err);
        assert!(ended.err.starts_with(text), "{}", ended.err);
    }
    // Two spaces stand around an empty word.
    for line in [
        "call ecs  --version 2014-05-26 --region cn-hangzhou",
        "call  DescribeRegions --version 2014-05-26 --region cn-hangzhou",
        "call ecs DescribeRegions --version  --region cn-hangzhou",
    ] {
        let ended = run(place.with_keys(&line.split(' ').collect::<Vec<_>>()));
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{}", ended.err);
        assert!(ended.err.contains("a value is required for"), "{}", ended.err);
    }
}

#[test]
fn failures_have_their_exit_codes_and_the_librarys_words() {
    let place = Place::new();
    let (ecs, ram) = (place.cloud.ecs_endpoint(), place.cloud.ram_endpoint());
    let at_ecs = command(ECS, &["--endpoint", &ecs]);
    let ended = run(place.bare(&at_ecs));
    assert_eq!((ended.code, ended.out.as_str()), (Some(3), ""), "{}", ended.err);
    let mut wrong = place.with_keys(&at_ecs);
    wrong.env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "wrong");
    let ended = run(wrong);
    assert_eq!((ended.code, ended.out.as_str()), (Some(5), ""), "{}", ended.err);
    assert!(
        ended
            .err
            .starts_with("acs-client: the service refused DescribeRegions (POST http://127.0.0.1:"),
        "{}",
        ended.err
    );
    assert!(ended.err.contains("SignatureDoesNotMatch"), "{}", ended.err);
    // Nothing is wrong with the credentials.
    let nothing = [
        "--endpoint",
        &ram,
        "--param",
        "PolicyType=System",
        "--param",
        "PolicyName=NoSuchPolicy",
    ];
    let ended = run(place.with_keys(&command(RAM, &nothing)));
    assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""), "{}", ended.err);
    assert!(ended.err.contains("EntityNotExist"), "{}", ended.err);
    // Nothing listens at port 1.
    let nowhere = ["--endpoint", "http://127.0.0.1:1", "--max-attempts", "1"];
    let ended = run(place.with_keys(&command(ECS, &nowhere)));
    assert_eq!(ended.code, Some(4), "{}", ended.err);
}

#[test]
fn what_cannot_be_called_is_refused_before_anything_is_sent() {
    let place = Place::new();
    let ended = run(place.with_keys(&command(ECS, &[])));
    assert_eq!(ended.code, Some(2));
    assert_eq!(
        ended.err,
        "call: the host is not known; pass --region, or --endpoint for a product that is central\n"
    );
    let ecs = place.cloud.ecs_endpoint();
    for (arguments, code) in [
        (&["--roa", "GET", "clusters"][..], 2),
        (&["--roa", "FETCH", "/clusters"], 2),
        (&["--roa", "GET"], 2),
        (&["--param", "PolicyType"], 2),
        (&["--body", "body.json"], 2),
        (&["--max-attempts", "0"], 2),
        (&["--param-file", "Name=no-such-file"], 1),
    ] {
        let ended = run(place.with_keys(&command(CS, &[&["--endpoint", &ecs], arguments].concat())));
        assert_eq!(ended.code, Some(code), "{arguments:?}: {}", ended.err);
    }
    assert!(place.cloud.requests().is_empty());
}

#[test]
fn help_and_completions_know_the_command() {
    let place = Place::new();
    let help = run(place.bare(&["call", "--help"])).out;
    assert!(
        help.contains("--version <DATE>") && help.contains("--roa <METHOD> <PATH>"),
        "{help}"
    );
    assert!(
        help.contains("oss-credentials call ram GetPolicy --version 2015-05-01"),
        "{help}"
    );
    let script = run(place.bare(&["completions", "bash"])).out;
    assert!(script.contains("--param-file"), "the completions lack it");
    let page = run(place.bare(&["man"])).out;
    assert!(page.contains("param\\-file"), "the manual page lacks it");
}
