//! Operations on buckets and objects beside storing and reading, against the local cloud.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Keys, Server, response};
use oss_client::{Client, Error};
use oss_testkit::LocalCloud;

const BUCKET: &str = "examplebucket";

async fn cloud() -> (LocalCloud, Client) {
    let cloud = LocalCloud::builder().bucket(BUCKET).start().await.unwrap();
    let client = common::of_cloud(&cloud).build().unwrap();
    (cloud, client)
}

#[tokio::test]
async fn tags_are_set_read_and_removed() {
    let (_cloud, client) = cloud().await;
    client.put_object(BUCKET, "k", "x").await.unwrap();
    let tags = [("env", "test"), ("a b", "c & d"), ("empty", "")];
    client.put_object_tagging(BUCKET, "k", tags).await.unwrap();
    let mut read = client.get_object_tagging(BUCKET, "k").await.unwrap().tags;
    read.sort();
    let mut expected = tags
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .to_vec();
    expected.sort();
    assert_eq!(read, expected);
    client.delete_object_tagging(BUCKET, "k").await.unwrap();
    assert_eq!(client.get_object_tagging(BUCKET, "k").await.unwrap().tags, []);
    let missing = client.get_object_tagging(BUCKET, "missing").await.unwrap_err();
    assert_eq!(missing.code(), Some("NoSuchKey"));
}

#[tokio::test]
async fn an_acl_is_set_and_read() {
    let (_cloud, client) = cloud().await;
    client.put_object(BUCKET, "k", "x").await.unwrap();
    assert_eq!(client.get_object_acl(BUCKET, "k").await.unwrap().acl, "default");
    client.put_object_acl(BUCKET, "k", "public-read").await.unwrap();
    let acl = client.get_object_acl(BUCKET, "k").await.unwrap();
    assert_eq!(acl.acl, "public-read");
    assert!(acl.owner.is_some());
}

#[tokio::test]
async fn a_link_leads_to_its_target() {
    let (_cloud, client) = cloud().await;
    let target = "folder/\u{76ee} +%.txt";
    client
        .put_object(BUCKET, target, "behind the link")
        .await
        .unwrap();
    client
        .put_symlink(BUCKET, "link", target)
        .metadata("a", "b")
        .await
        .unwrap();
    assert_eq!(client.get_symlink(BUCKET, "link").await.unwrap().target, target);
    let read = client
        .get_object(BUCKET, "link")
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    assert_eq!(&read[..], b"behind the link");
    let empty = client.put_symlink(BUCKET, "link", "").await.unwrap_err();
    assert!(matches!(empty, Error::InvalidInput(_)), "{empty}");
}

#[tokio::test]
async fn an_archived_object_is_restored() {
    let (_cloud, client) = cloud().await;
    client
        .put_object(BUCKET, "k", "x")
        .storage_class("Archive")
        .await
        .unwrap();
    let refused = client.get_object(BUCKET, "k").await.unwrap_err();
    assert_eq!(refused.code(), Some("InvalidObjectState"));
    let restored = client.restore_object(BUCKET, "k", 2).await.unwrap();
    assert_eq!(restored.status().as_u16(), 202);
    let head = client.head_object(BUCKET, "k").await.unwrap();
    assert_eq!(head.header("x-oss-restore"), Some("ongoing-request=\"true\""));
    let again = client.restore_object(BUCKET, "k", 2).await.unwrap_err();
    assert_eq!(again.code(), Some("RestoreAlreadyInProgress"));
}

/// The document that the page of the operation shows (Object Storage Service, API reference).
#[tokio::test]
async fn a_restored_object_stays_for_the_days_that_are_asked_for() {
    let server = common::Server::start([common::ok(), common::ok()]);
    let client = common::client(&server, common::Keys::new(1));
    for days in [1, 365] {
        client.restore_object(BUCKET, "k", days).await.unwrap();
        let request = server.received().pop().unwrap();
        assert_eq!(request.line, format!("POST /{BUCKET}/k?restore"));
        let body = String::from_utf8(request.body).unwrap();
        assert!(
            body.ends_with(&format!("<RestoreRequest><Days>{days}</Days></RestoreRequest>")),
            "{body}"
        );
    }
}

#[tokio::test]
async fn an_object_grows_where_it_ends_and_nowhere_else() {
    let (_cloud, client) = cloud().await;
    let first = client.append_object(BUCKET, "app.log", 0, "one\n").await.unwrap();
    assert_eq!(first.next_position, 4);
    let second = client
        .append_object(BUCKET, "app.log", first.next_position, "two\n")
        .await
        .unwrap();
    assert_eq!(second.next_position, 8);
    let refused = client
        .append_object(BUCKET, "app.log", 4, "two\n")
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Some("PositionNotEqualToLength"));
    let read = client.get_object(BUCKET, "app.log").await.unwrap();
    assert_eq!(read.head().object_type(), Some("Appendable"));
    assert_eq!(&read.bytes().await.unwrap()[..], b"one\ntwo\n");
}

#[tokio::test]
async fn a_bucket_says_where_it_is_and_what_is_in_it() {
    let (cloud, client) = cloud().await;
    client.put_object(BUCKET, "a", "12345").await.unwrap();
    client.put_object(BUCKET, "b", "678").await.unwrap();
    let info = client.get_bucket_info(BUCKET).await.unwrap();
    let location = format!("oss-{}", cloud.region());
    assert_eq!(
        (info.name.as_str(), info.location.as_deref()),
        (BUCKET, Some(location.as_str()))
    );
    assert_eq!(info.acl.as_deref(), Some("private"));
    assert!(info.creation_date.is_some() && info.owner.is_some());
    let found = client.get_bucket_location(BUCKET).await.unwrap();
    assert_eq!(
        (found.location.as_str(), found.region()),
        (location.as_str(), cloud.region())
    );
    let stat = client.get_bucket_stat(BUCKET).await.unwrap();
    assert_eq!(
        (stat.storage, stat.object_count, stat.multipart_upload_count),
        (8, 2, 0)
    );
    assert!(stat.last_modified.is_some());
    assert_eq!(client.detect_region(BUCKET).await.unwrap(), cloud.region());
}

#[tokio::test]
async fn a_region_is_found_in_a_refusal_that_names_an_endpoint_of_the_service() {
    for (named, region) in [
        ("oss-cn-beijing.aliyuncs.com", Some("cn-beijing")),
        ("oss-cn-beijing-internal.aliyuncs.com", Some("cn-beijing")),
        ("evil.example", None),
    ] {
        for status in [403, 301] {
            let body = format!(
                "<Error><Code>AccessDenied</Code><Message>The bucket you are attempting to access must be addressed \
                 using the specified endpoint.</Message><Endpoint>{named}</Endpoint></Error>"
            );
            let server = Server::start([response(status, &[("x-oss-request-id", "R1")], &body)]);
            let found = common::client(&server, Keys::new(1)).detect_region(BUCKET).await;
            match region {
                Some(region) => assert_eq!(found.unwrap(), region),
                None => assert_eq!(found.unwrap_err().code(), Some("AccessDenied")),
            }
            assert_eq!(server.count(), 1);
        }
    }
}

#[tokio::test]
async fn uploads_and_their_parts_are_listed_over_pages() {
    let (_cloud, client) = cloud().await;
    let mut begun = Vec::new();
    for key in ["a &b", "a &b", "\u{76ee}/c"] {
        let upload = client.initiate_multipart_upload(BUCKET, key).await.unwrap();
        begun.push((key.to_owned(), upload.upload_id));
    }
    begun.sort();
    let mut listed = Vec::new();
    let mut uploads = client.list_multipart_uploads(BUCKET).max_uploads(1).uploads();
    while let Some(upload) = uploads.try_next().await.unwrap() {
        assert!(upload.initiated.is_some());
        listed.push((upload.key, upload.upload_id));
    }
    assert_eq!(listed, begun);
    let page = client
        .list_multipart_uploads(BUCKET)
        .delimiter("/")
        .await
        .unwrap();
    assert_eq!(page.common_prefixes, ["\u{76ee}/"]);

    let (key, id) = &begun[0];
    for (number, body) in [(3, "ccc"), (1, "a"), (2, "bb")] {
        client.upload_part(BUCKET, key, id, number, body).await.unwrap();
    }
    let mut parts = client.list_parts(BUCKET, key, id).max_parts(2).parts();
    let mut seen = Vec::new();
    while let Some(part) = parts.try_next().await.unwrap() {
        seen.push((part.number, part.size, part.etag.starts_with('"')));
    }
    assert_eq!(seen, [(1, 1, true), (2, 2, true), (3, 3, true)]);

    for (key, id) in begun {
        client.abort_multipart_upload(BUCKET, key, id).await.unwrap();
    }
    assert_eq!(client.list_multipart_uploads(BUCKET).await.unwrap().uploads, []);
}

#[tokio::test]
async fn lists_that_never_end_are_refused() {
    let id = ("x-oss-request-id", "R1");
    let page = "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker>\
        <NextUploadIdMarker>1</NextUploadIdMarker></ListMultipartUploadsResult>";
    let server = Server::start(vec![response(200, &[id], page); 3]);
    let client = common::client(&server, Keys::new(1));
    let error = client
        .list_multipart_uploads(BUCKET)
        .uploads()
        .try_next()
        .await
        .unwrap_err();
    assert!(matches!(error, Error::InvalidResponse(_)), "{error}");
    let page = "<ListPartsResult><IsTruncated>true</IsTruncated><NextPartNumberMarker>0</NextPartNumberMarker>\
        </ListPartsResult>";
    let server = Server::start(vec![response(200, &[id], page); 3]);
    let client = common::client(&server, Keys::new(1));
    let error = client
        .list_parts(BUCKET, "k", "u")
        .parts()
        .try_next()
        .await
        .unwrap_err();
    assert!(matches!(error, Error::InvalidResponse(_)), "{error}");
}
