//! What there is to an object besides its content, appending, links, archives, parts that are copied, and what a
//! bucket says of itself.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod support;

use std::time::Duration;

use oss_testkit::{BucketAcl, LocalCloud, Service};
use support::*;

fn ask(oss: &Oss<'_>, method: &str, key: &str, name: &str, body: &[u8]) -> Reply {
    oss.call_with(method, key, &[(name, "")], &[], body)
}

#[test]
fn tags_come_with_an_upload_or_later() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let oss = Oss::new(&cloud, &key);
    let put = oss.call("PUT", "k", &[("x-oss-tagging", "a=1&b%20c=%E5%9B%BE")], b"v");
    assert_eq!(put.status, 200, "{}", put.body);
    let tags = ask(&oss, "GET", "k", "tagging", b"");
    assert!(tags.body.contains(
        "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>b c</Key><Value>图</Value></Tag></TagSet>"
    ), "{}", tags.body);
    assert_eq!(
        oss.call("HEAD", "k", &[], b"").header("x-oss-tagging-count"),
        Some("2")
    );
    let source = format!("/{}/k", cloud.bucket());
    let copy = |name: &str, headers: &[(&str, &str)]| {
        let headers = [&[("x-oss-copy-source", source.as_str())], headers].concat();
        assert_eq!(oss.call("PUT", name, &headers, b"").status, 200);
        ask(&oss, "GET", name, "tagging", b"").element("Key")
    };
    assert_eq!(copy("same", &[]), "a");
    assert_eq!(
        copy(
            "other",
            &[("x-oss-tagging-directive", "Replace"), ("x-oss-tagging", "x=y")]
        ),
        "x"
    );

    let document = |count: usize| {
        let tags: String = (0..count)
            .map(|at| ["<Tag><Key>k", &at.to_string(), "</Key><Value>v</Value></Tag>"].concat())
            .collect();
        format!("<Tagging><TagSet>{tags}</TagSet></Tagging>")
    };
    assert_eq!(
        ask(&oss, "PUT", "k", "tagging", document(10).as_bytes()).status,
        200
    );
    let many = ask(&oss, "PUT", "k", "tagging", document(11).as_bytes());
    assert_eq!(many.refusal(), (400, "InvalidTag".to_owned()));
    assert_eq!(
        ask(&oss, "PUT", "k", "tagging", b"<A/>").refusal(),
        (400, "MalformedXML".to_owned())
    );
    assert_eq!(ask(&oss, "GET", "k", "tagging", b"").element("Key"), "k0");
    assert_eq!(ask(&oss, "DELETE", "k", "tagging", b"").status, 204);
    assert!(
        ask(&oss, "GET", "k", "tagging", b"")
            .body
            .contains("<TagSet></TagSet>")
    );
    assert_eq!(ask(&oss, "GET", "none", "tagging", b"").refusal().0, 404);
    // Before they were known, they were taken for a download.
    assert_eq!(cloud.count(Service::Oss, "GetObject"), 0);
    assert_eq!(cloud.count(Service::Oss, "PutObjectTagging"), 3);
}

#[test]
fn the_acl_of_an_object_counts_more_than_the_buckets() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let oss = Oss::new(&cloud, &key);
    let anybody = || {
        send(&cloud.oss_endpoint(), "GET", "/example-bucket/k", &[], b"")
            .unwrap()
            .status
    };
    oss.call("PUT", "k", &[], b"v");
    let acl = || ask(&oss, "GET", "k", "acl", b"").element("Grant");
    assert_eq!((acl().as_str(), anybody()), ("default", 403));
    let set = |value: &str| oss.call_with("PUT", "k", &[("acl", "")], &[("x-oss-object-acl", value)], b"");
    assert_eq!(set("public-read").status, 200);
    assert_eq!((acl().as_str(), anybody()), ("public-read", 200));
    assert_eq!(set("everybody").refusal(), (400, "InvalidArgument".to_owned()));

    let bucket = |value: &str| oss.call_with("PUT", "", &[("acl", "")], &[("x-oss-acl", value)], b"");
    assert_eq!(ask(&oss, "GET", "", "acl", b"").element("Grant"), "private");
    assert_eq!(bucket("public-read").status, 200);
    assert_eq!(set("private").status, 200);
    assert_eq!(
        (
            ask(&oss, "GET", "", "acl", b"").element("Grant").as_str(),
            anybody()
        ),
        ("public-read", 403)
    );
    set("default");
    assert_eq!(anybody(), 200);
    let unsigned = send(&cloud.oss_endpoint(), "GET", "/example-bucket/k?acl", &[], b"").unwrap();
    assert_eq!(unsigned.refusal(), (403, "AccessDenied".to_owned()));
}

#[test]
fn pieces_are_appended_where_the_object_ends() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let oss = Oss::new(&cloud, &key);
    let append = |name: &str, position: &str, body: &[u8]| {
        oss.call_with(
            "POST",
            name,
            &[("append", ""), ("position", position)],
            &[("x-oss-meta-a", "1")],
            body,
        )
    };
    let next = |reply: &Reply| reply.header("x-oss-next-append-position").map(str::to_owned);
    let first = append("log", "0", b"12345");
    assert_eq!((first.status, next(&first).as_deref()), (200, Some("5")));
    let second = append("log", "5", b"6789");
    assert_eq!((second.status, next(&second).as_deref()), (200, Some("9")));
    // CRC-64/XZ of "123456789", of the catalogue of CRC algorithms.
    assert_eq!(
        second.header("x-oss-hash-crc64ecma"),
        Some("11051210869376104954")
    );
    let get = oss.call("GET", "log", &[], b"");
    assert_eq!(
        (get.body.as_str(), get.header("x-oss-meta-a")),
        ("123456789", Some("1"))
    );
    assert_eq!(get.header("x-oss-object-type"), Some("Appendable"));
    assert_eq!(next(&get).as_deref(), Some("9"));
    let late = append("log", "5", b"x");
    assert_eq!(late.refusal(), (409, "PositionNotEqualToLength".to_owned()));
    assert_eq!(next(&late).as_deref(), Some("9"));
    assert_eq!(
        append("log", "one", b"x").refusal(),
        (400, "InvalidArgument".to_owned())
    );
    oss.call("PUT", "whole", &[], b"v");
    assert_eq!(
        append("whole", "1", b"x").refusal(),
        (409, "ObjectNotAppendable".to_owned())
    );
}

#[test]
fn a_link_is_read_as_its_target() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let oss = Oss::new(&cloud, &key);
    let link = |name: &str, target: &str| {
        oss.call_with(
            "PUT",
            name,
            &[("symlink", "")],
            &[("x-oss-symlink-target", target)],
            b"",
        )
    };
    assert_eq!(link("link", "a%20b%2F%E5%9B%BE").status, 200);
    let missing = oss.call("GET", "link", &[], b"");
    assert_eq!(missing.refusal(), (404, "SymlinkTargetNotExist".to_owned()));
    oss.call("PUT", "a b/图", &[], b"target");
    let get = oss.call("GET", "link", &[], b"");
    assert_eq!(
        (get.body.as_str(), get.header("x-oss-object-type")),
        ("target", Some("Symlink"))
    );
    let shown = ask(&oss, "GET", "link", "symlink", b"");
    assert_eq!(shown.header("x-oss-symlink-target"), Some("a%20b%2F%E5%9B%BE"));
    let plain = ask(&oss, "GET", "a b/图", "symlink", b"");
    assert_eq!(plain.refusal(), (400, "NotSymlink".to_owned()));
    link("chain", "link");
    assert_eq!(
        oss.call("GET", "chain", &[], b"").refusal(),
        (400, "InvalidTargetType".to_owned())
    );
    assert_eq!(link("link", "").refusal(), (400, "InvalidArgument".to_owned()));
}

#[test]
fn an_archived_object_is_read_after_it_was_restored() {
    let (cloud, clock) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let mut oss = Oss::new(&cloud, &key);
    oss.call("PUT", "plain", &[], b"v");
    oss.call("PUT", "k", &[("x-oss-storage-class", "Archive")], b"v");
    let plain = ask(&oss, "POST", "plain", "restore", b"");
    assert_eq!(plain.refusal(), (400, "OperationNotSupported".to_owned()));
    assert_eq!(
        oss.call("GET", "k", &[], b"").refusal(),
        (403, "InvalidObjectState".to_owned())
    );
    assert_eq!(oss.call("HEAD", "k", &[], b"").status, 200);
    let body = b"<RestoreRequest><Days>2</Days></RestoreRequest>";
    assert_eq!(ask(&oss, "POST", "k", "restore", body).status, 202);
    let again = ask(&oss, "POST", "k", "restore", body);
    assert_eq!(again.refusal(), (409, "RestoreAlreadyInProgress".to_owned()));
    let state = |oss: &Oss<'_>| {
        oss.call("HEAD", "k", &[], b"")
            .header("x-oss-restore")
            .map(str::to_owned)
    };
    assert_eq!(state(&oss).as_deref(), Some("ongoing-request=\"true\""));
    clock.advance(Duration::from_secs(60));
    oss.time += Duration::from_secs(60);
    assert_eq!(oss.call("GET", "k", &[], b"").body, "v");
    assert_eq!(
        state(&oss).as_deref(),
        Some("ongoing-request=\"false\", expiry-date=\"Sat, 03 Jan 2026 08:31:00 GMT\"")
    );
    assert_eq!(ask(&oss, "POST", "k", "restore", b"").status, 200);
    let days = ask(
        &oss,
        "POST",
        "k",
        "restore",
        b"<RestoreRequest><Days>0</Days></RestoreRequest>",
    );
    assert_eq!(days.refusal(), (400, "MalformedXML".to_owned()));
    clock.advance(Duration::from_secs(3 * 86_400));
    oss.time += Duration::from_secs(3 * 86_400);
    assert_eq!(oss.call("GET", "k", &[], b"").refusal().0, 403);
}

#[test]
fn parts_are_copied_from_objects_and_their_ranges() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let oss = Oss::new(&cloud, &key);
    let large = vec![b'x'; 102_400];
    cloud.put_object(cloud.bucket(), "large", large.clone());
    cloud.put_object(cloud.bucket(), "small", "0123456789");
    let id = ask(&oss, "POST", "copy", "uploads", b"").element("UploadId");
    let part = |number: &str, headers: &[(&str, &str)]| {
        let query = [("partNumber", number), ("uploadId", id.as_str())];
        oss.call_with("PUT", "copy", &query, headers, b"")
    };
    let one = part("1", &[("x-oss-copy-source", "/example-bucket/large")]);
    assert_eq!(
        (one.status, one.header("content-range")),
        (200, None),
        "{}",
        one.body
    );
    let range = [
        ("x-oss-copy-source", "/example-bucket/small"),
        ("x-oss-copy-source-range", "bytes=2-4"),
    ];
    let two = part("2", &range);
    assert_eq!(two.header("content-range"), Some("bytes 2-4/10"));
    let missing = part("3", &[("x-oss-copy-source", "/example-bucket/none")]);
    assert_eq!(missing.refusal(), (404, "NoSuchKey".to_owned()));
    let listed: Vec<String> = [&one, &two]
        .iter()
        .enumerate()
        .map(|(at, reply)| {
            let etag = reply.element("ETag");
            format!(
                "<Part><PartNumber>{}</PartNumber><ETag>{etag}</ETag></Part>",
                at + 1
            )
        })
        .collect();
    let body = format!(
        "<CompleteMultipartUpload>{}</CompleteMultipartUpload>",
        listed.concat()
    );
    let done = oss.call_with("POST", "copy", &[("uploadId", &id)], &[], body.as_bytes());
    assert_eq!(done.status, 200, "{}", done.body);
    let expected = [&large[..], b"234"].concat();
    assert_eq!(
        cloud.object(cloud.bucket(), "copy").as_deref(),
        Some(&expected[..])
    );
    assert_eq!(cloud.count(Service::Oss, "UploadPartCopy"), 3);
}

#[test]
fn a_bucket_says_where_it_is_and_how_full() {
    let (cloud, _) = cloud_at_now(|builder| builder.region("cn-shanghai"));
    let key = cloud.access_key();
    let oss = Oss {
        region: "cn-shanghai",
        ..Oss::new(&cloud, &key)
    };
    let info = ask(&oss, "GET", "", "bucketInfo", b"");
    for (name, value) in [
        ("Name", "example-bucket"),
        ("Location", "oss-cn-shanghai"),
        ("ExtranetEndpoint", "oss-cn-shanghai.aliyuncs.com"),
        ("IntranetEndpoint", "oss-cn-shanghai-internal.aliyuncs.com"),
        ("CreationDate", "2026-01-01T08:30:00.000Z"),
        ("Grant", "private"),
    ] {
        assert_eq!(info.element(name), value, "{name}");
    }
    let location = ask(&oss, "GET", "", "location", b"");
    assert_eq!(location.element("LocationConstraint"), "oss-cn-shanghai");
    oss.call("PUT", "a", &[], b"12345");
    oss.call("PUT", "b", &[("x-oss-storage-class", "IA")], b"123");
    ask(&oss, "POST", "c", "uploads", b"");
    let stat = ask(&oss, "GET", "", "stat", b"");
    for (name, value) in [
        ("Storage", "8"),
        ("ObjectCount", "2"),
        ("MultipartUploadCount", "1"),
        ("StandardStorage", "5"),
        ("InfrequentAccessObjectCount", "1"),
        ("LastModifiedTime", "1767256200"),
    ] {
        assert_eq!(stat.element(name), value, "{name}");
    }
}

#[test]
fn a_bucket_in_another_region_names_its_endpoint() {
    let (cloud, _) = cloud_at_now(|builder| builder.bucket_elsewhere("far-away", "ap-southeast-1"));
    let key = cloud.access_key();
    let oss = Oss {
        bucket: Some("far-away"),
        ..Oss::new(&cloud, &key)
    };
    for reply in [
        oss.call("GET", "k", &[], b""),
        ask(&oss, "GET", "", "location", b""),
    ] {
        assert_eq!(reply.refusal(), (403, "AccessDenied".to_owned()));
        assert_eq!(reply.element("Endpoint"), "oss-ap-southeast-1.aliyuncs.com");
    }
}

/// What nobody may ask for without a key, however open the bucket is.
#[test]
fn open_buckets_keep_their_settings() {
    let (cloud, _) = cloud_at_now(|builder| builder.another_bucket("open", BucketAcl::PublicReadWrite));
    let send = |method: &str, target: &str| send(&cloud.oss_endpoint(), method, target, &[], b"").unwrap();
    assert_eq!(send("PUT", "/open/k").status, 200);
    assert_eq!(send("GET", "/open/").status, 200);
    for (method, target) in [
        ("GET", "/open/?bucketInfo"),
        ("PUT", "/open/?acl"),
        ("PUT", "/open/?versioning"),
        ("GET", "/open/k?tagging"),
        ("PUT", "/open/k?acl"),
    ] {
        assert_eq!(
            send(method, target).refusal(),
            (403, "AccessDenied".to_owned()),
            "{method} {target}"
        );
    }
}

/// What the local cloud does not do, it says.
#[test]
fn unknown_operations_are_refused_and_not_taken_for_others() {
    let cloud: LocalCloud = cloud_at_now(|builder| builder).0;
    let key = cloud.access_key();
    let oss = Oss::new(&cloud, &key);
    cloud.put_object(cloud.bucket(), "k", "v");
    for (method, name, parameter) in [
        ("GET", "", "website"),
        ("PUT", "", "lifecycle"),
        ("POST", "k", "x-oss-async-process"),
        ("GET", "k", "versions"),
        ("DELETE", "k", "acl"),
    ] {
        let reply = ask(&oss, method, name, parameter, b"");
        assert_eq!(
            reply.refusal(),
            (501, "NotImplemented".to_owned()),
            "{method} {parameter}"
        );
    }
}
