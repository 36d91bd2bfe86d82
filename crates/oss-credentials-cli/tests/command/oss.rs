//! `presign` and `ls`.

use crate::support::{Place, run, send};

#[test]
fn a_presigned_url_works_and_says_until_when() {
    let place = Place::new();
    place
        .cloud
        .put_object("example-bucket", "a/greeting.txt", "hello");
    let object = "oss://example-bucket/a/greeting.txt";
    let ended = run(place.with_keys(&["presign", "GET", object, "--expires", "5m"]));
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(
        ended.err.starts_with("works until 2") && ended.err.ends_with(": as requested\n"),
        "{}",
        ended.err
    );
    let response = send("GET", ended.out.trim(), &[]);
    assert_eq!((response.status, response.body.as_str()), (200, "hello"));
    // Keys of an hour cannot sign for a day.
    let report = run(place.with_uri(&["presign", "put", object, "--expires", "1d", "--json"])).json();
    assert_eq!(report["method"], "PUT");
    assert_eq!(report["limited_by"], "credentials");
    let url = report["url"].as_str().unwrap();
    assert_eq!(send("PUT", url, &["content-length: 0"]).status, 200);
    let ended = run(place.with_keys(&["presign", "GET", "oss://example-bucket/"]));
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.err.starts_with("presign: the URL has no key"),
        "{}",
        ended.err
    );
}

#[test]
fn a_token_without_a_known_expiry_ends_a_url_at_an_unknown_time() {
    let place = Place::new();
    let session = run(place.with_uri(&["export", "--format", "json"])).json();
    let presign = |more: &[&str]| {
        let words = [
            &["presign", "GET", "oss://example-bucket/a", "--expires", "5m"],
            more,
        ]
        .concat();
        let mut command = place.bare(&words);
        for (name, field) in [
            ("OSS_ACCESS_KEY_ID", "access_key_id"),
            ("OSS_ACCESS_KEY_SECRET", "access_key_secret"),
            ("OSS_SESSION_TOKEN", "security_token"),
        ] {
            command.env(name, session[field].as_str().unwrap());
        }
        run(command)
    };
    let ended = presign(&[]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(
        ended.err.starts_with("works at most until 2")
            && ended
                .err
                .ends_with(", and no longer than its security token, whose expiry is not known\n"),
        "{}",
        ended.err
    );
    assert_eq!(presign(&["--json"]).json()["may_expire_earlier"], true);
    let known = |command| run(command).json()["may_expire_earlier"].clone();
    let words = ["presign", "GET", "oss://example-bucket/a", "--json"];
    assert_eq!(known(place.with_keys(&words)), false, "keys do not expire");
    assert_eq!(known(place.with_uri(&words)), false, "the expiry is known");
}

#[test]
fn a_bucket_is_listed_for_people_and_for_programs() {
    let place = Place::new();
    for key in ["a/1", "a/2", "b", "c\u{1b}[31m", "d\u{9b}31m"] {
        place.cloud.put_object("example-bucket", key, "hello");
    }
    let ended = run(place.with_keys(&["ls", "oss://example-bucket"]));
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(
        ended.out.starts_with("           -                        a/\n"),
        "{}",
        ended.out
    );
    assert!(
        ended.out.contains("           5  2") && ended.out.contains("Z  b\n"),
        "{}",
        ended.out
    );
    assert!(!ended.out.contains('\u{1b}'), "{}", ended.out);
    let listed = run(place.with_keys(&["ls", "oss://example-bucket", "--json"]));
    assert!(!listed.out.contains('\u{9b}'), "{}", listed.out);
    assert_eq!(listed.json()["objects"][2]["key"], "d\u{9b}31m");
    let report = run(place.with_keys(&["ls", "oss://example-bucket/a/", "--json"])).json();
    assert_eq!(report["objects"][1]["key"], "a/2");
    assert_eq!(report["is_truncated"], false);
    let ended = run(place.with_keys(&["ls", "oss://example-bucket", "--limit", "1"]));
    assert!(ended.err.contains("there are more"), "{}", ended.err);
}

#[test]
fn a_list_without_objects_says_so_to_people() {
    let place = Place::new();
    place.cloud.put_object("example-bucket", "a", "hello");
    let url = "oss://example-bucket/none/";
    let ended = run(place.with_keys(&["ls", url]));
    let shown = (ended.code, ended.out.as_str(), ended.err.as_str());
    assert_eq!(shown, (Some(0), "", "no objects\n"));
    let ended = run(place.with_keys(&["ls", url, "--json"]));
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
}

#[test]
fn refusals_of_the_service_have_their_exit_code() {
    let place = Place::new();
    let mut wrong = place.with_keys(&["ls", "oss://example-bucket"]);
    wrong.env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "wrong");
    let ended = run(wrong);
    assert_eq!((ended.code, ended.out.as_str()), (Some(5), ""), "{}", ended.err);
    assert!(ended.err.contains("SignatureDoesNotMatch"), "{}", ended.err);
    let mut nowhere = place.with_keys(&["ls", "oss://example-bucket"]);
    nowhere.env_remove("OSS_REGION");
    let ended = run(nowhere);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended
            .err
            .starts_with("ls: the region of the bucket is not known; pass --region, set OSS_REGION"),
        "{}",
        ended.err
    );
    let ended = run(place.with_keys(&["ls", "oss://no-such-bucket-here"]));
    assert_eq!(ended.code, Some(1), "{}", ended.err);
}

/// As `oss_client::Client::from_env` finds it, which the tests of that crate show.
#[test]
fn the_region_comes_from_the_profile_of_the_cli_last() {
    let place = Place::new();
    let profile = |name: &str, region: &str| {
        serde_json::json!({ "name": name, "mode": "AK", "access_key_id": place.cloud.access_key().access_key_id(),
                            "access_key_secret": place.cloud.access_key().access_key_secret(), "region_id": region })
    };
    let config = serde_json::json!({
        "current": "a",
        "profiles": [profile("a", "cn-beijing"), profile("b", place.cloud.region())],
    });
    std::fs::write(place.path("config.json"), config.to_string()).unwrap();
    let presign = ["presign", "GET", "oss://example-bucket/a"];
    let without_variable = |words: &[&str]| {
        let mut command = place.with_profiles(words);
        command.env_remove("OSS_REGION");
        run(command)
    };
    // The signature in the URL names the region.
    let in_beijing = "%2Fcn-beijing%2Foss%2F";
    let ended = without_variable(&presign);
    assert!(ended.out.contains(in_beijing), "{}{}", ended.out, ended.err);
    let ended = run(place.with_profiles(&presign));
    assert!(
        ended.out.contains("%2Fcn-hangzhou%2F"),
        "a variable takes precedence: {}",
        ended.out
    );
    let ended = run(place.with_profiles(&[&presign[..], &["--region", "cn-beijing"]].concat()));
    assert!(
        ended.out.contains(in_beijing),
        "and a flag over it: {}",
        ended.out
    );
    // The profile that the flag names, and not the current one.
    let ended = without_variable(&["ls", "oss://example-bucket", "--profile", "b"]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), "no objects\n"));
    let report = without_variable(&["doctor", "--bucket", "example-bucket", "--json"]).json();
    assert_eq!(
        report["advice"][0],
        "set OSS_REGION to the region of the host in OSS_ENDPOINT, which does not accept cn-beijing; or leave OSS_ENDPOINT \
         out"
    );
    // A file that cannot be read, beside keys in variables.
    std::fs::write(place.path("config.json"), "{").unwrap();
    let broken = |words: &[&str]| {
        let mut command = place.with_keys(words);
        command
            .env_remove("OSS_REGION")
            .env("ALIBABA_CLOUD_CONFIG_FILE", place.path("config.json"));
        run(command)
    };
    let ended = broken(&["ls", "oss://example-bucket"]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(4), ""), "{}", ended.err);
    assert!(ended.err.starts_with("profile: "), "{}", ended.err);
    let report = broken(&["doctor", "--bucket", "example-bucket", "--json"]).json();
    assert_eq!(report["bucket"]["error"]["text"], ended.err.trim_end());
    assert_eq!(
        (&report["in_use"], &report["exit_code"]),
        (&"env".into(), &4.into())
    );
}
