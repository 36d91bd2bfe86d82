//! Lists against a local cloud that checks every signature.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use common::{Keys, Server, client, of_cloud, response};
use futures_util::TryStreamExt as _;
use oss_client::{Client, Error, FixedDelay};
use oss_testkit::{BucketAcl, Fault, LocalCloud, Service};

const ODD: [&str; 9] = [
    "/leading",
    "100%",
    "a\u{1}\u{1f}",
    "a b",
    "a+b",
    "a/1",
    "a/2",
    "c&<d>\"'",
    "报告/1",
];

async fn cloud() -> (LocalCloud, Client) {
    let cloud = LocalCloud::start().await.unwrap();
    for key in ODD {
        cloud.put_object(cloud.bucket(), key, key);
    }
    let client = of_cloud(&cloud).build().unwrap();
    (cloud, client)
}

async fn keys(client: &Client, bucket: &str, per_page: u16) -> Result<Vec<String>, Error> {
    let listed = client.list_objects_v2(bucket).max_keys(per_page).objects();
    listed.map_ok(|object| object.key).try_collect().await
}

#[tokio::test]
async fn all_keys_come_in_order_whatever_is_in_them() {
    let (cloud, client) = cloud().await;
    for per_page in [1, 2, 4, 1000] {
        cloud.forget_requests();
        assert_eq!(keys(&client, cloud.bucket(), per_page).await.unwrap(), ODD);
        let pages = ODD.len().div_ceil(usize::from(per_page));
        assert_eq!(cloud.requests().len(), pages, "{per_page}");
    }
    assert_eq!(cloud.requests()[0].query_value("encoding-type"), Some("url"));
}

#[tokio::test]
async fn a_page_tells_all_about_its_objects() {
    let (cloud, client) = cloud().await;
    let bucket = cloud.bucket();
    let page = client
        .list_objects_v2(bucket)
        .prefix("a")
        .delimiter("/")
        .start_after("a b")
        .fetch_owner(true)
        .await
        .unwrap();
    let names: Vec<_> = page.objects.iter().map(|object| object.key.as_str()).collect();
    assert_eq!(names, ["a+b"]);
    assert_eq!(page.common_prefixes, ["a/"]);
    assert_eq!((page.key_count, page.is_truncated), (Some(2), false));
    assert_eq!(page.next_continuation_token, None);
    assert!(page.head.request_id().is_some());
    let head = client.head_object(bucket, "a+b").await.unwrap();
    let object = &page.objects[0];
    assert_eq!((object.size, object.etag.as_deref()), (3, head.etag()));
    assert_eq!(object.object_type.as_deref(), Some("Normal"));
    assert_eq!(object.storage_class.as_deref(), Some("Standard"));
    assert_eq!(object.owner.as_ref().unwrap().id, cloud.account_id());
    let listed = object.last_modified.unwrap();
    let stored = head.last_modified().unwrap();
    assert!(listed.duration_since(stored).unwrap() < Duration::from_secs(1));

    let first = client.list_objects_v2(bucket).max_keys(1).await.unwrap();
    let token = first.next_continuation_token.unwrap();
    let second = client
        .list_objects_v2(bucket)
        .max_keys(1)
        .continuation_token(token)
        .await;
    assert_eq!(second.unwrap().objects[0].key, ODD[1]);
}

#[tokio::test]
async fn empty_pages_and_namespaces_do_no_harm() {
    let (cloud, client) = cloud().await;
    cloud.fault(Service::Oss, Fault::empty_page().times(2));
    assert_eq!(keys(&client, cloud.bucket(), 5).await.unwrap(), ODD);
    assert_eq!(cloud.count(Service::Oss, "ListObjectsV2"), 4);
    let namespace = "http://doc.oss-cn-hangzhou.aliyuncs.com";
    cloud.fault(Service::Oss, Fault::xml_namespace(namespace).times(2));
    assert_eq!(keys(&client, cloud.bucket(), 5).await.unwrap(), ODD);
    cloud.fault(Service::Oss, Fault::xml_namespace(namespace));
    assert_eq!(client.list_buckets().await.unwrap().buckets.len(), 1);
}

#[tokio::test]
async fn a_page_that_breaks_is_fetched_again() {
    let (cloud, _) = cloud().await;
    let retry = FixedDelay::new(3, Duration::ZERO);
    let client = of_cloud(&cloud).retry(retry).build().unwrap();
    for fault in [
        Fault::cut_body(),
        Fault::reset(),
        Fault::error(503, "ServiceUnavailable"),
    ] {
        cloud.forget_requests();
        cloud.fault(Service::Oss, fault.times(2));
        assert_eq!(keys(&client, cloud.bucket(), 1000).await.unwrap(), ODD);
        assert_eq!(cloud.requests().len(), 3);
    }
    cloud.fault(Service::Oss, Fault::error(500, "InternalError").always());
    let mut pages = client.list_objects_v2(cloud.bucket()).pages();
    assert_eq!(pages.try_next().await.unwrap_err().code(), Some("InternalError"));
    // It ends after an error.
    assert!(pages.try_next().await.unwrap().is_none());
}

fn page(inner: &str) -> Vec<u8> {
    response(
        200,
        &[("x-oss-request-id", "R1")],
        &format!("<ListBucketResult>{inner}</ListBucketResult>"),
    )
}

#[tokio::test]
async fn pages_without_an_end_are_an_error() {
    let token = "<NextContinuationToken>t</NextContinuationToken>";
    let server = Server::start([
        page("<IsTruncated>true</IsTruncated>"),
        page(&format!("<IsTruncated>true</IsTruncated>{token}")),
        page(&format!("<IsTruncated>true</IsTruncated>{token}")),
        page("<IsTruncated>false</IsTruncated><Contents><Size>1</Size></Contents>"),
        response(200, &[], "<html><body>welcome</body></html>"),
        response(200, &[], "<ListBucketResult><IsTruncated>false</IsTruncated>"),
        response(
            200,
            &[],
            "<ListAllMyBucketsResult><IsTruncated>true</IsTruncated></ListAllMyBucketsResult>",
        ),
    ]);
    let client = client(&server, Keys::new(1));
    let list = || client.list_objects_v2("examplebucket");
    let error = list().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "oss-client: the response to ListObjectsV2 cannot be used (GET {}/examplebucket/): it is not the last page, \
             and does not say where the next one begins, request ID R1; report it to the service operator",
            server.endpoint()
        )
    );
    assert!(!error.is_retryable());
    let mut pages = list().pages();
    assert!(pages.try_next().await.unwrap().is_some());
    let error = pages.try_next().await.unwrap_err().to_string();
    assert!(
        error.contains("it says that the next page begins where this one does"),
        "{error}"
    );
    for expected in ["a name in it", "is not the document", "is not the document"] {
        let error = list().await.unwrap_err();
        assert!(matches!(error, Error::InvalidResponse(_)), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    let error = client.list_buckets().await.unwrap_err();
    assert!(matches!(error, Error::InvalidResponse(_)), "{error}");
    assert_eq!(server.count(), 7);
}

#[tokio::test]
async fn pages_that_go_round_in_a_circle_are_an_error() {
    let expected = "its pages form a loop";
    // A server that alternates between two positions, and one that comes back to an earlier one.
    for positions in [&["a", "b"][..], &["x", "y", "a", "b", "c"]] {
        let turns = || positions.iter().chain([&"a", &"b"].into_iter().cycle()).take(40);
        let objects = turns().map(|token| {
            page(&format!(
                "<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>"
            ))
        });
        let server = Server::start(objects);
        let mut listed = client(&server, Keys::new(1))
            .list_objects_v2("examplebucket")
            .objects();
        let error = listed.try_next().await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(error.request_id(), Some("R1"));
        assert!(server.count() <= 3 * (positions.len() + 2), "{}", server.count());
        assert!(listed.try_next().await.unwrap().is_none());

        let buckets = turns().map(|marker| {
            let next = format!("<IsTruncated>true</IsTruncated><NextMarker>{marker}</NextMarker>");
            let body = format!("<ListAllMyBucketsResult>{next}</ListAllMyBucketsResult>");
            response(200, &[("x-oss-request-id", "R1")], &body)
        });
        let server = Server::start(buckets);
        let mut listed = client(&server, Keys::new(1)).list_buckets().buckets();
        let error = listed.try_next().await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(server.count() <= 3 * (positions.len() + 2), "{}", server.count());

        // A position of these lists is a key and an ID: the key alone, or the ID alone, may come back.
        for (id, changes) in [("VersionIdMarker", "key"), ("UploadIdMarker", "id")] {
            let root = if id == "VersionIdMarker" {
                "ListVersionsResult"
            } else {
                "ListMultipartUploadsResult"
            };
            let pages = turns().map(|marker| {
                let (key, value) = if changes == "key" {
                    (*marker, "same")
                } else {
                    ("same", *marker)
                };
                let next = format!("<NextKeyMarker>{key}</NextKeyMarker><Next{id}>{value}</Next{id}>");
                let body = format!("<{root}><IsTruncated>true</IsTruncated>{next}</{root}>");
                response(200, &[("x-oss-request-id", "R1")], &body)
            });
            let server = Server::start(pages);
            let client = client(&server, Keys::new(1));
            let error = match changes {
                "key" => client
                    .list_object_versions("examplebucket")
                    .versions()
                    .try_next()
                    .await
                    .unwrap_err(),
                _ => client
                    .list_multipart_uploads("examplebucket")
                    .uploads()
                    .try_next()
                    .await
                    .unwrap_err(),
            };
            assert!(error.to_string().contains(expected), "{error}");
            assert!(server.count() <= 3 * (positions.len() + 2), "{}", server.count());
        }
    }
}

#[tokio::test]
async fn what_cannot_be_read_of_a_page_is_an_error_and_not_left_out() {
    let object = |key: &str| {
        page(&format!(
            "<EncodingType>url</EncodingType><Contents><Key>{key}</Key><Size>1</Size></Contents>"
        ))
    };
    let buckets = |inner: &str| {
        let body = format!("<ListAllMyBucketsResult>{inner}</ListAllMyBucketsResult>");
        response(200, &[("x-oss-request-id", "R1")], &body)
    };
    let server = Server::start([
        object("a&foo;b"),
        object("a<b/>c"),
        object("a%2"),
        object("a%C3"),
        page("<IsTruncated>perhaps</IsTruncated>"),
        page("<NextContinuationToken>t</NextContinuationToken>"),
        page("<EncodingType>base64</EncodingType>"),
    ]);
    let client = client(&server, Keys::new(1));
    for expected in [
        "it contains an entity that XML does not define",
        "an element in it has both text and elements",
        "a name in it cannot be decoded",
        "a name in it cannot be decoded",
        "it does not say whether it is the last page",
        "it does not say whether it is the last page",
        "a name in it cannot be decoded",
    ] {
        let error = client.list_objects_v2("examplebucket").await.unwrap_err();
        assert!(matches!(error, Error::InvalidResponse(_)), "{error}");
        assert!(error.to_string().contains(expected), "{expected}: {error}");
        assert_eq!(error.request_id(), Some("R1"));
    }
    let server = Server::start([
        buckets("<Buckets><Bucket><Region>r</Region></Bucket></Buckets>"),
        buckets("<IsTruncated>1</IsTruncated>"),
        buckets("<NextMarker>m</NextMarker>"),
        // All that there is: the service leaves the rest out.
        buckets("<Buckets><Bucket><Name>b</Name></Bucket></Buckets>"),
    ]);
    let client = common::client(&server, Keys::new(1));
    for expected in [
        "a bucket in it has no name",
        "it does not say whether it is the last page",
        "it does not say whether it is the last page",
    ] {
        let error = client.list_buckets().await.unwrap_err();
        assert!(error.to_string().contains(expected), "{expected}: {error}");
    }
    assert_eq!(client.list_buckets().await.unwrap().buckets[0].name, "b");
}

#[tokio::test]
async fn buckets_are_listed_page_by_page() {
    let names = ["one-bucket", "two-bucket", "two-more"];
    let mut cloud = LocalCloud::builder().bucket("a-bucket");
    for name in names {
        cloud = cloud.another_bucket(name, BucketAcl::Private);
    }
    let cloud = cloud.start().await.unwrap();
    let client = of_cloud(&cloud).build().unwrap();
    let listed: Vec<_> = client
        .list_buckets()
        .max_keys(1)
        .buckets()
        .try_collect()
        .await
        .unwrap();
    let listed: Vec<_> = listed.iter().map(|bucket| bucket.name.as_str()).collect();
    assert_eq!(listed, ["a-bucket", "one-bucket", "two-bucket", "two-more"]);
    assert_eq!(cloud.count(Service::Oss, "ListBuckets"), 4);
    let page = client
        .list_buckets()
        .prefix("two")
        .marker("two-bucket")
        .await
        .unwrap();
    assert_eq!(page.owner.unwrap().id, cloud.account_id());
    let [bucket] = page.buckets.as_slice() else {
        panic!("{:?}", page.buckets);
    };
    assert_eq!(bucket.name, "two-more");
    assert_eq!(bucket.region.as_deref(), Some("cn-hangzhou"));
    assert_eq!(bucket.location.as_deref(), Some("oss-cn-hangzhou"));
    assert_eq!(bucket.storage_class.as_deref(), Some("Standard"));
    assert!(bucket.creation_date.is_some());
    assert!(bucket.extranet_endpoint.is_some() && bucket.intranet_endpoint.is_some());
}
