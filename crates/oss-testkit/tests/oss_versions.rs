//! Versions of objects, and lists that go on after a marker.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod support;

use oss_testkit::LocalCloud;
use support::*;

const ENABLED: &[u8] = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
const SUSPENDED: &[u8] = b"<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";

fn set_versioning(oss: &Oss<'_>, configuration: &[u8]) {
    let reply = oss.call_with("PUT", "", &[("versioning", "")], &[], configuration);
    assert_eq!(reply.status, 200, "{}", reply.body);
}

fn version_of(reply: &Reply) -> String {
    assert!(reply.status < 300, "{}", reply.body);
    reply.header("x-oss-version-id").unwrap().to_owned()
}

fn at_version(oss: &Oss<'_>, method: &str, key: &str, id: &str) -> Reply {
    oss.call_with(method, key, &[("versionId", id)], &[], b"")
}

#[test]
fn a_bucket_says_whether_it_keeps_versions() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let oss = Oss::new(&cloud, &key);
    let versioning = || oss.call_with("GET", "", &[("versioning", "")], &[], b"");
    assert!(
        versioning()
            .body
            .contains("<VersioningConfiguration></VersioningConfiguration>")
    );
    assert_eq!(oss.call("PUT", "k", &[], b"0").header("x-oss-version-id"), None);
    set_versioning(&oss, ENABLED);
    assert_eq!(versioning().element("Status"), "Enabled");
    set_versioning(&oss, SUSPENDED);
    assert_eq!(versioning().element("Status"), "Suspended");
    let wrong = oss.call_with("PUT", "", &[("versioning", "")], &[], b"<A/>");
    assert_eq!(wrong.refusal(), (400, "MalformedXML".to_owned()));
}

#[test]
fn each_version_is_read_copied_and_deleted_by_its_id() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let oss = Oss::new(&cloud, &key);
    oss.call("PUT", "k", &[], b"zero");
    set_versioning(&oss, ENABLED);
    let one = version_of(&oss.call("PUT", "k", &[], b"one"));
    let two = version_of(&oss.call("PUT", "k", &[], b"two"));
    assert_ne!(one, two);
    for (id, body) in [("null", "zero"), (&one, "one"), (&two, "two")] {
        let get = at_version(&oss, "GET", "k", id);
        assert_eq!(
            (get.body.as_str(), get.header("x-oss-version-id")),
            (body, Some(id))
        );
        assert_eq!(version_of(&at_version(&oss, "HEAD", "k", id)), id);
    }
    let current = oss.call("GET", "k", &[], b"");
    assert_eq!(
        (current.body.as_str(), version_of(&current)),
        ("two", two.clone())
    );

    let source = format!("/{}/k?versionId={one}", cloud.bucket());
    let copy = oss.call("PUT", "copy", &[("x-oss-copy-source", &source)], b"");
    assert_eq!(copy.header("x-oss-copy-source-version-id"), Some(one.as_str()));
    assert_eq!(oss.call("GET", "copy", &[], b"").body, "one");

    let unknown = at_version(&oss, "GET", "k", "none-such");
    assert_eq!(unknown.refusal(), (404, "NoSuchVersion".to_owned()));
    let deleted = at_version(&oss, "DELETE", "k", &two);
    assert_eq!((deleted.status, version_of(&deleted)), (204, two));
    assert_eq!(deleted.header("x-oss-delete-marker"), None);
    assert_eq!(oss.call("GET", "k", &[], b"").body, "one");
}

#[test]
fn a_deletion_leaves_a_marker_that_can_be_deleted() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let oss = Oss::new(&cloud, &key);
    set_versioning(&oss, ENABLED);
    let stored = version_of(&oss.call("PUT", "k", &[], b"v"));
    let deleted = oss.call("DELETE", "k", &[], b"");
    let marker = version_of(&deleted);
    assert_eq!(
        (deleted.status, deleted.header("x-oss-delete-marker")),
        (204, Some("true"))
    );
    let get = oss.call("GET", "k", &[], b"");
    assert_eq!(get.refusal(), (404, "NoSuchKey".to_owned()));
    assert_eq!(get.header("x-oss-delete-marker"), Some("true"));
    assert_eq!(get.header("x-oss-version-id"), Some(marker.as_str()));
    let named = at_version(&oss, "GET", "k", &marker);
    assert_eq!(named.refusal(), (405, "MethodNotAllowed".to_owned()));
    assert_eq!(at_version(&oss, "GET", "k", &stored).body, "v");
    let listed = oss.call_with("GET", "", &[("list-type", "2")], &[], b"");
    assert_eq!(listed.element("KeyCount"), "0");
    let full = oss.call("DELETE", "", &[], b"");
    assert_eq!(full.refusal(), (409, "BucketNotEmpty".to_owned()));

    let undone = at_version(&oss, "DELETE", "k", &marker);
    assert_eq!(undone.header("x-oss-delete-marker"), Some("true"));
    assert_eq!(oss.call("GET", "k", &[], b"").body, "v");
    at_version(&oss, "DELETE", "k", &stored);
    assert_eq!(oss.call("DELETE", "", &[], b"").status, 204);
}

#[test]
fn suspended_versioning_replaces_the_version_null() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let oss = Oss::new(&cloud, &key);
    set_versioning(&oss, ENABLED);
    let kept = version_of(&oss.call("PUT", "k", &[], b"kept"));
    set_versioning(&oss, SUSPENDED);
    assert_eq!(version_of(&oss.call("PUT", "k", &[], b"1")), "null");
    assert_eq!(version_of(&oss.call("PUT", "k", &[], b"2")), "null");
    assert_eq!(at_version(&oss, "GET", "k", "null").body, "2");
    let deleted = oss.call("DELETE", "k", &[], b"");
    assert_eq!(version_of(&deleted), "null");
    assert_eq!(at_version(&oss, "GET", "k", "null").refusal().0, 405);
    assert_eq!(at_version(&oss, "GET", "k", &kept).body, "kept");
}

#[test]
fn a_batch_deletes_versions_and_reports_markers() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let oss = Oss::new(&cloud, &key);
    set_versioning(&oss, ENABLED);
    let stored = version_of(&oss.call("PUT", "a", &[], b"v"));
    oss.call("PUT", "b", &[], b"v");
    let body = format!(
        "<Delete><Object><Key>a</Key><VersionId>{stored}</VersionId></Object><Object><Key>b</Key></Object></Delete>"
    );
    let digest = oss_md5(body.as_bytes());
    let reply = oss.call_with(
        "POST",
        "",
        &[("delete", "")],
        &[("Content-MD5", &digest)],
        body.as_bytes(),
    );
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(
        reply
            .body
            .contains(&format!("<Key>a</Key><VersionId>{stored}</VersionId></Deleted>"))
    );
    assert_eq!(reply.element("DeleteMarker"), "true");
    let marker = reply.element("DeleteMarkerVersionId");
    assert_eq!(at_version(&oss, "GET", "b", &marker).refusal().0, 405);
    assert_eq!(at_version(&oss, "GET", "a", &stored).refusal().0, 404);
}

fn oss_md5(body: &[u8]) -> String {
    use base64::Engine as _;
    use md5::Digest as _;
    base64::engine::general_purpose::STANDARD.encode(md5::Md5::digest(body))
}

/// What a list of versions shows, page by page: keys with `*` for current ones, markers with `-`.
fn versions(oss: &Oss<'_>, query: &[(&str, &str)]) -> Vec<String> {
    let mut pages = Vec::new();
    let (mut key_marker, mut id_marker) = (String::new(), String::new());
    loop {
        let all = [
            query,
            &[
                ("versions", ""),
                ("key-marker", &key_marker),
                ("version-id-marker", &id_marker),
            ],
        ];
        let page = oss.call_with("GET", "", &all.concat(), &[], b"");
        assert_eq!(page.status, 200, "{}", page.body);
        let shown: Vec<String> = page
            .body
            .split("<Key>")
            .skip(1)
            .map(|part| {
                let key = part.split('<').next().unwrap();
                let latest = if part.contains("<IsLatest>true") { "*" } else { "" };
                let marker = if part.contains("<ETag>") { "" } else { "-" };
                format!("{key}{latest}{marker}")
            })
            .collect();
        let prefixes = page.body.split("<CommonPrefixes><Prefix>").skip(1);
        let prefixes = prefixes.map(|part| part.split('<').next().unwrap().to_owned());
        pages.push(shown.into_iter().chain(prefixes).collect::<Vec<_>>().join(" "));
        if page.element("IsTruncated") == "false" {
            return pages;
        }
        key_marker = page.element("NextKeyMarker");
        id_marker = page.element("NextVersionIdMarker");
    }
}

#[test]
fn all_versions_are_listed_page_by_page() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let oss = Oss::new(&cloud, &key);
    set_versioning(&oss, ENABLED);
    for name in ["a", "a", "d/1", "d/2", "e"] {
        oss.call("PUT", name, &[], b"v");
    }
    oss.call("DELETE", "e", &[], b"");
    assert_eq!(versions(&oss, &[]), ["a* a d/1* d/2* e*- e"]);
    assert_eq!(
        versions(&oss, &[("max-keys", "1")]),
        ["a*", "a", "d/1*", "d/2*", "e*-", "e"]
    );
    assert_eq!(versions(&oss, &[("max-keys", "4")]), ["a* a d/1* d/2*", "e*- e"]);
    assert_eq!(
        versions(&oss, &[("delimiter", "/"), ("max-keys", "3")]),
        ["a* a d/", "e*- e"]
    );
    assert_eq!(versions(&oss, &[("prefix", "d/")]), ["d/1* d/2*"]);
}

fn names(page: &Reply) -> String {
    assert_eq!(page.status, 200, "{}", page.body);
    let parts = page.body.split("<Key>").skip(1);
    let keys = parts.map(|part| part.split('<').next().unwrap().to_owned());
    let prefixes = page.body.split("<CommonPrefixes><Prefix>").skip(1);
    let prefixes = prefixes.map(|part| part.split('<').next().unwrap().to_owned());
    keys.chain(prefixes).collect::<Vec<_>>().join(" ")
}

fn filled() -> LocalCloud {
    let (cloud, _) = cloud_at_now(|builder| builder);
    for name in ["a", "b/1", "b/2", "c"] {
        cloud.put_object(cloud.bucket(), name, "v");
    }
    cloud
}

#[test]
fn the_first_list_goes_on_after_its_marker() {
    let cloud = filled();
    let key = cloud.access_key();
    let oss = Oss::new(&cloud, &key);
    let list = |query: &[(&str, &str)]| oss.call_with("GET", "", query, &[], b"");
    let all = list(&[]);
    assert_eq!(names(&all), "a b/1 b/2 c");
    assert_eq!(
        (all.element("IsTruncated").as_str(), all.element("ID").as_str()),
        ("false", "123456789012")
    );
    assert!(!all.body.contains("NextMarker") && !all.body.contains("KeyCount"));
    let first = list(&[("max-keys", "2")]);
    assert_eq!(
        (names(&first).as_str(), first.element("NextMarker").as_str()),
        ("a b/1", "b/1")
    );
    assert_eq!(names(&list(&[("marker", "b/1")])), "b/2 c");
    let rolled = list(&[("delimiter", "/"), ("max-keys", "2")]);
    assert_eq!(
        (names(&rolled).as_str(), rolled.element("NextMarker").as_str()),
        ("a b/", "b/")
    );
    assert_eq!(names(&list(&[("delimiter", "/"), ("marker", "b/")])), "c");
    assert_eq!(names(&list(&[("prefix", "b/"), ("marker", "b/1")])), "b/2");
}

#[test]
fn uploads_are_listed_in_the_order_of_their_keys() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let oss = Oss::new(&cloud, &key);
    for name in ["b/1", "a", "a", "c"] {
        let begun = oss.call_with("POST", name, &[("uploads", "")], &[], b"");
        assert_eq!(begun.status, 200, "{}", begun.body);
    }
    let list =
        |query: &[(&str, &str)]| oss.call_with("GET", "", &[&[("uploads", "")], query].concat(), &[], b"");
    let all = list(&[]);
    assert_eq!(names(&all), "a a b/1 c");
    for (name, value) in [
        ("Bucket", "example-bucket"),
        ("MaxUploads", "1000"),
        ("IsTruncated", "false"),
        ("Initiated", "2026-01-01T08:30:00.000Z"),
    ] {
        assert_eq!(all.element(name), value, "{name}");
    }
    let first = list(&[("max-uploads", "1")]);
    let (key_marker, id_marker) = (
        first.element("NextKeyMarker"),
        first.element("NextUploadIdMarker"),
    );
    let next = [
        ("key-marker", key_marker.as_str()),
        ("upload-id-marker", &id_marker),
    ];
    assert_eq!(
        (names(&first).as_str(), names(&list(&next)).as_str()),
        ("a", "a b/1 c")
    );
    assert_eq!(names(&list(&[("key-marker", "a")])), "b/1 c");
    assert_eq!(names(&list(&[("delimiter", "/")])), "a a c b/");
    assert_eq!(names(&list(&[("prefix", "b")])), "b/1");
}
