//! Many objects deleted with one request.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Keys, Server, client, of_cloud, response};
use oss_client::{DeletedObject, Error};
use oss_testkit::LocalCloud;

/// Keys that documents have trouble with, and `.` and `..`, which no URL can hold.
const KEYS: [&str; 7] = [
    "plain",
    "a&b<c>d\"e'f",
    "\u{1}\r\n\t",
    " 报告+% ",
    "../x",
    ".",
    "a//b/",
];

#[tokio::test]
async fn objects_of_any_name_are_deleted() {
    let cloud = LocalCloud::start().await.unwrap();
    let client = of_cloud(&cloud).build().unwrap();
    let bucket = cloud.bucket();
    for quiet in [false, true] {
        for key in KEYS.iter().chain(&["kept"]) {
            cloud.put_object(bucket, key, "x");
        }
        let deleted = client.delete_objects(bucket, KEYS).quiet(quiet).await.unwrap();
        for key in KEYS {
            assert!(cloud.object(bucket, key).is_none(), "{key:?}");
        }
        assert!(cloud.object(bucket, "kept").is_some());
        let told: Vec<_> = deleted.deleted.iter().map(|object| object.key.as_str()).collect();
        assert_eq!(told, if quiet { &[][..] } else { &KEYS[..] });
        assert_eq!(deleted.not_deleted, Vec::<String>::new());
        assert!(deleted.head.request_id().is_some());
    }
    // What is not there is deleted, too.
    let missing = client.delete_objects(bucket, vec!["missing".to_owned()]).await;
    assert_eq!(missing.unwrap().deleted.len(), 1);
    let error = client.delete_objects("no-such-bucket", ["k"]).await.unwrap_err();
    assert_eq!(error.code(), Some("NoSuchBucket"));
}

#[tokio::test]
async fn the_request_is_that_of_the_vendors_client() {
    let server = Server::start([response(200, &[], "")]);
    let request = client(&server, Keys::new(1))
        .delete_objects("examplebucket", ["a&b"])
        .version("v", "CAEQ<1")
        .quiet(true)
        .request_payer();
    request.await.unwrap();
    let sent = &server.received()[0];
    assert_eq!(sent.line, "POST /examplebucket/?delete&encoding-type=url");
    assert_eq!(
        String::from_utf8_lossy(&sent.body),
        "<Delete><Quiet>true</Quiet><Object><Key>a&amp;b</Key></Object><Object><Key>v</Key>\
         <VersionId>CAEQ&lt;1</VersionId></Object></Delete>"
    );
    // MD5 of these bytes, in base64.
    assert_eq!(sent.header("content-md5"), Some("6f1mEhuDeR2+iBzI46VSWQ=="));
    assert_eq!(sent.header("content-type"), Some("application/xml"));
    assert_eq!(sent.header("x-oss-request-payer"), Some("requester"));
}

#[tokio::test]
async fn what_the_service_does_not_confirm_is_told() {
    let document = "<DeleteResult xmlns=\"urn:x\"><EncodingType>url</EncodingType><Deleted><Key>a%2Bb</Key>\
         <VersionId>v1</VersionId><DeleteMarker>true</DeleteMarker>\
         <DeleteMarkerVersionId>v2</DeleteMarkerVersionId></Deleted></DeleteResult>";
    let failed = "<DeleteResult><Error><Key>b</Key><Code>AccessDenied</Code></Error></DeleteResult>";
    let page = "<html></html>";
    let nothing = "";
    let server =
        Server::start([document, failed, failed, page, nothing].map(|body| response(200, &[], body)));
    let client = client(&server, Keys::new(1));
    let request = || client.delete_objects("examplebucket", ["a+b", "b"]);
    let told = request().await.unwrap();
    let expected = ["b".to_owned()];
    assert_eq!(told.not_deleted, expected);
    let [object] = &told.deleted[..] else {
        unreachable!("{told:?}")
    };
    let DeletedObject {
        key,
        version_id,
        is_delete_marker,
        delete_marker_version_id,
        ..
    } = object;
    assert_eq!((key.as_str(), version_id.as_deref()), ("a+b", Some("v1")));
    assert_eq!(
        (*is_delete_marker, delete_marker_version_id.as_deref()),
        (true, Some("v2"))
    );
    let told = request().await.unwrap();
    assert_eq!((told.deleted.len(), told.not_deleted.len()), (0, 2));
    let quiet = request().quiet(true).await.unwrap();
    assert_eq!((quiet.deleted.len(), &quiet.not_deleted[..]), (0, &expected[..]));
    for _ in [page, nothing] {
        let error = request().await.unwrap_err();
        assert!(matches!(error, Error::InvalidResponse(_)), "{error}");
    }
}

#[tokio::test]
async fn each_version_of_a_key_has_to_be_confirmed() {
    let object = |version: &str| format!("<Deleted><Key>k</Key>{version}</Deleted>");
    let (first, second) = ("<VersionId>v1</VersionId>", "<VersionId>v2</VersionId>");
    let marker = "<DeleteMarker>true</DeleteMarker><DeleteMarkerVersionId>v9</DeleteMarkerVersionId>";
    // What is asked for, what the service tells, and how many it does not confirm.
    for (asked, told, missing) in [
        (&[Some("v1"), Some("v2")][..], &[first, second][..], 0),
        (&[Some("v1"), Some("v2")], &[first], 1),
        (&[Some("v1"), Some("v2")], &[""], 2),
        (&[Some("v1"), Some("v1")], &[first], 0),
        (&[Some("v1")], &[second], 1),
        (&[Some("v1")], &[""], 0),
        (&[None], &[first], 0),
        (&[None, None], &[marker], 0),
        (&[None, Some("v1")], &[marker], 1),
        (&[None, Some("v1")], &[first], 1),
        (&[None, Some("v1")], &[first, marker], 0),
    ] {
        let told: String = told.iter().map(|version| object(version)).collect();
        let document = format!("<DeleteResult>{told}</DeleteResult>");
        let server = Server::start([response(200, &[], &document)]);
        let client = client(&server, Keys::new(1));
        let keys = asked.iter().filter(|version| version.is_none()).map(|_| "k");
        let request = client.delete_objects("examplebucket", keys);
        let versions = asked.iter().flatten();
        let request = versions.fold(request, |request, version| request.version("k", *version));
        let told = request.await.unwrap();
        assert_eq!(told.not_deleted, vec!["k"; missing], "{asked:?}: {document}");
    }
}

#[tokio::test]
async fn lists_that_the_service_refuses_are_not_sent() {
    let server = Server::start([]);
    let client = client(&server, Keys::new(1));
    let many: Vec<_> = (0..1001).map(|number| number.to_string()).collect();
    for (keys, text) in [
        (vec![], "one request cannot delete 0 objects; name 1 to 1000"),
        (many, "one request cannot delete 1001 objects; name 1 to 1000"),
        (
            vec!["a".to_owned(), String::new()],
            "the key is empty; name the object",
        ),
        (
            vec!["k".repeat(1024)],
            "the key has 1024 bytes; use at most 1023 bytes of UTF-8",
        ),
    ] {
        let error = client.delete_objects("examplebucket", keys).await.unwrap_err();
        assert_eq!(error.to_string(), format!("oss-client: {text}"));
    }
    assert_eq!(server.count(), 0);
}
