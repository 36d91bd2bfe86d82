//! object_store's S3 store against the local cloud.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::client::{HttpClient, HttpConnector};
use object_store::path::Path;
use object_store::{ClientOptions, Error, ObjectStore, ObjectStoreExt as _, PutMultipartOptions, PutPayload};
use test_support::Case;

/// Finds the bucket's virtual host on loopback.
#[derive(Debug)]
struct Local(reqwest::Client);

impl HttpConnector for Local {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}

fn builder(case: &Case) -> AmazonS3Builder {
    AmazonS3Builder::new()
        .with_region(case.cloud.region())
        .with_bucket_name(case.cloud.bucket())
        .with_endpoint(case.bucket_url())
        .with_virtual_hosted_style_request(true)
        .with_allow_http(true)
}

#[cfg(feature = "s3")]
fn s3_credentials(case: &Case) -> Arc<oss_credentials_object_store::S3Credentials> {
    let provider = Arc::clone(&case.provider);
    Arc::new(oss_credentials_object_store::S3Credentials::new(provider))
}

#[cfg(feature = "s3")]
fn s3_builder(case: &Case) -> AmazonS3Builder {
    let credentials = s3_credentials(case);
    let connector = oss_credentials_object_store::S3Connector::new(Arc::clone(&credentials));
    builder(case)
        .with_credentials(credentials)
        .with_http_connector(connector.over(Local(case.http_client())))
}

#[cfg(feature = "s3")]
fn s3(case: &Case) -> AmazonS3 {
    s3_builder(case).build().unwrap()
}

#[cfg(feature = "native")]
fn native(case: &Case) -> AmazonS3 {
    use oss_credentials_middleware::Signing;
    use oss_credentials_object_store::OssConnector;

    let endpoint = format!("localhost:{}", case.cloud.oss_port());
    let signing = Signing::oss(Arc::clone(&case.provider), case.cloud.region(), &endpoint).unwrap();
    builder(case)
        .with_skip_signature(true)
        .with_http_connector(OssConnector::new(signing).over(Local(case.http_client())))
        .build()
        .unwrap()
}

async fn read(store: &AmazonS3, path: &Path) -> Bytes {
    store.get(path).await.unwrap().bytes().await.unwrap()
}

/// What a program does with a store.
async fn works(case: &Case, store: &AmazonS3) {
    for key in ["a b+c", "名字/é", "dir/plain.txt"] {
        let path = Path::parse(key).unwrap();
        store
            .put(&path, PutPayload::from_static(b"0123456789"))
            .await
            .unwrap();
        assert_eq!(case.cloud.object(case.cloud.bucket(), key).unwrap(), "0123456789");
        assert_eq!(read(store, &path).await, "0123456789");
        assert_eq!(store.get_range(&path, 2..5).await.unwrap(), "234");
        assert_eq!(store.head(&path).await.unwrap().size, 10);
        let copy = Path::parse(format!("copies/{key}")).unwrap();
        store.copy(&path, &copy).await.unwrap();
        assert_eq!(read(store, &copy).await, "0123456789");
    }
    let copies: Vec<_> = store
        .list(Some(&Path::from("copies")))
        .try_collect()
        .await
        .unwrap();
    assert_eq!(copies.len(), 3);

    let large = Path::from("large");
    let mut upload = store
        .put_multipart_opts(&large, PutMultipartOptions::default())
        .await
        .unwrap();
    upload
        .put_part(PutPayload::from(vec![b'a'; 5 * 1024 * 1024]))
        .await
        .unwrap();
    upload.put_part(PutPayload::from_static(b"end")).await.unwrap();
    upload.complete().await.unwrap();
    assert_eq!(store.head(&large).await.unwrap().size, 5 * 1024 * 1024 + 3);

    store.delete(&large).await.unwrap();
    assert!(matches!(store.head(&large).await, Err(Error::NotFound { .. })));
    let all = copies.into_iter().map(|found| Ok(found.location));
    let deleted: Vec<_> = store
        .delete_stream(Box::pin(futures_util::stream::iter(all)))
        .try_collect()
        .await
        .unwrap();
    assert_eq!(deleted.len(), 3);
    let left: Vec<_> = store
        .list(Some(&Path::from("copies")))
        .try_collect()
        .await
        .unwrap();
    assert!(left.is_empty());
}

#[cfg(feature = "s3")]
#[tokio::test]
async fn s3_works_across_a_rotation_and_a_revocation() {
    for case in Case::all() {
        let store = s3(&case);
        works(&case, &store).await;
        assert_eq!(case.fetches(), 1);
        case.rotate();
        works(&case, &store).await;
        assert_eq!(case.fetches(), 2);
        case.revoke();
        works(&case, &store).await;
        assert_eq!(case.fetches(), 3);
    }
}

/// Each kind of request is the first after a revocation: with and without a body, and HEAD, whose refusal has none.
#[cfg(feature = "s3")]
#[tokio::test]
async fn s3_signs_each_kind_of_request_again() {
    for unsigned_payload in [false, true] {
        let case = Case::assume_role();
        let store = s3_builder(&case).with_unsigned_payload(unsigned_payload);
        let store = store.build().unwrap();
        let (path, copy) = (Path::from("a b+c"), Path::from("copy"));
        store.put(&path, PutPayload::from_static(b"first")).await.unwrap();
        case.revoke();
        store.put(&path, PutPayload::from_static(b"value")).await.unwrap();
        case.revoke();
        assert_eq!(store.head(&path).await.unwrap().size, 5);
        case.revoke();
        assert_eq!(store.get_range(&path, 1..3).await.unwrap(), "al");
        case.revoke();
        store.copy(&path, &copy).await.unwrap();
        assert_eq!(case.fetches(), 5);

        // The provider limits how many keys it drops in a short time.
        let case = Case::assume_role();
        let store = s3_builder(&case).with_unsigned_payload(unsigned_payload);
        let store = store.build().unwrap();
        store.put(&path, PutPayload::from_static(b"first")).await.unwrap();
        case.revoke();
        let upload = store.put_multipart_opts(&path, PutMultipartOptions::default());
        let mut upload = upload.await.unwrap();
        case.revoke();
        upload.put_part(PutPayload::from_static(b"part")).await.unwrap();
        case.revoke();
        upload.complete().await.unwrap();
        assert_eq!(case.cloud.object(case.cloud.bucket(), "a b+c").unwrap(), "part");
        assert_eq!(case.fetches(), 4);
    }
}

/// A second refusal is returned, and a key that cannot be replaced is sent once.
#[cfg(feature = "s3")]
#[tokio::test]
async fn s3_signs_again_once_and_only_with_another_key() {
    use std::sync::atomic::{AtomicU32, Ordering};

    use oss_credentials_core::{Credentials, CredentialsFuture, CredentialsProvider, Invalidation};
    use oss_credentials_object_store::{S3Connector, S3Credentials};
    use test_support::Service;

    /// A provider whose keys are unknown to the service, and differ by this number.
    struct Unknown(AtomicU32, u32);
    impl CredentialsProvider for Unknown {
        fn name(&self) -> &'static str {
            "unknown"
        }
        fn credentials(&self) -> CredentialsFuture<'_> {
            let id = format!("FakeAccessKeyId{}", self.0.fetch_add(self.1, Ordering::Relaxed));
            CredentialsFuture::ready(Credentials::builder(id, "secret").build())
        }
        fn invalidate(&self, _: &Credentials) -> Invalidation {
            Invalidation::Dropped
        }
    }
    let case = Case::assume_role();
    let unknown = |difference| Arc::new(Unknown(AtomicU32::new(1), difference));
    let fixed = Credentials::builder("FakeAccessKeyId0001", "secret").build();
    let fixed: Arc<dyn CredentialsProvider> = Arc::new(fixed.unwrap());
    for (provider, sent) in [(fixed, 1), (unknown(0), 1), (unknown(1), 2)] {
        let credentials = Arc::new(S3Credentials::new(provider));
        let connector = S3Connector::new(Arc::clone(&credentials)).over(Local(case.http_client()));
        let store = builder(&case)
            .with_credentials(credentials)
            .with_http_connector(connector)
            .build()
            .unwrap();
        case.cloud.forget_requests();
        let error = store.get(&Path::from("k")).await.unwrap_err().to_string();
        assert!(error.contains("InvalidAccessKeyId"), "{error}");
        assert_eq!(case.cloud.count(Service::Oss, "GetObject"), sent);
    }
}

/// The store has no way to report a rejected key: without the connector, the program does.
#[cfg(feature = "s3")]
#[tokio::test]
async fn without_the_connector_s3_works_once_the_provider_has_been_told() {
    for case in Case::all() {
        let store = builder(&case)
            .with_credentials(s3_credentials(&case))
            .with_http_connector(Local(case.http_client()))
            .build()
            .unwrap();
        let path = Path::from("k");
        store.put(&path, PutPayload::from_static(b"v")).await.unwrap();
        case.revoke();
        store.get(&path).await.unwrap_err();
        let _ = case.provider.invalidate(&case.provider.cached().unwrap());
        assert_eq!(read(&store, &path).await, "v");
        assert_eq!(case.fetches(), 2);
    }
}

#[cfg(feature = "native")]
#[tokio::test]
async fn native_works_across_a_rotation_and_a_revocation() {
    for case in Case::all() {
        let store = native(&case);
        works(&case, &store).await;
        case.rotate();
        works(&case, &store).await;
        assert_eq!(case.fetches(), 2);
        case.revoke();
        works(&case, &store).await;
        assert_eq!(case.fetches(), 3);
    }
}

#[cfg(feature = "native")]
#[tokio::test]
async fn native_creates_only_what_does_not_exist_and_keeps_metadata() {
    use object_store::{Attribute, Attributes, PutMode, PutOptions};

    let case = Case::assume_role();
    let store = native(&case);
    let path = Path::from("once");
    let create = || PutOptions {
        mode: PutMode::Create,
        attributes: Attributes::from_iter([(Attribute::Metadata("color".into()), "red")]),
        ..PutOptions::default()
    };
    store.put_opts(&path, "first".into(), create()).await.unwrap();
    let error = store
        .put_opts(&path, "second".into(), create())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::AlreadyExists { .. }), "{error}");
    let found = store.get(&path).await.unwrap();
    let color = found
        .attributes
        .get(&Attribute::Metadata("color".into()))
        .map(|value| value.to_string());
    assert_eq!(color.as_deref(), Some("red"));
    assert_eq!(found.bytes().await.unwrap(), "first");
}

#[cfg(feature = "s3")]
#[tokio::test]
async fn each_generation_is_converted_once_and_errors_keep_their_texts() {
    use object_store::CredentialProvider as _;
    use oss_credentials_core::{Credentials, CredentialsError, ErrorDetail, provider_fn};
    use oss_credentials_object_store::S3Credentials;

    let case = Case::assume_role();
    let credentials = S3Credentials::new(Arc::clone(&case.provider));
    let first = credentials.get_credential().await.unwrap();
    assert!(Arc::ptr_eq(&first, &credentials.get_credential().await.unwrap()));
    case.rotate();
    let second = credentials.get_credential().await.unwrap();
    assert_ne!(first.key_id, second.key_id);

    let fails = provider_fn("vault", || {
        let detail = ErrorDetail::builder("vault", "the vault is locked").hint("unlock it");
        Err(CredentialsError::unavailable(detail))
    });
    let error = S3Credentials::new(fails).get_credential().await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("vault: the vault is locked; unlock it"),
        "{error}"
    );
    let error = S3Credentials::new(Credentials::anonymous())
        .get_credential()
        .await
        .unwrap_err();
    assert!(error.to_string().contains("with_skip_signature(true)"), "{error}");
}
