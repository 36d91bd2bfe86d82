//! What a grant allows is what the local cloud allows with it, for as long as the grant states.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, reason = "a broken set-up ends the test")]

use std::time::Duration;

use oss_credentials_core::Clock as _;
use oss_credentials_core::test_util::ManualClock;
use oss_credentials_sts_assume_role::StsAssumeRole;
use oss_credentials_vending::{
    BucketAddress, FormRequest, Grant, GrantedForm, GrantedUrl, LimitedBy, PolicyBuilder, Session,
    SessionRequest, UrlRequest, Vendor,
};
use oss_testkit::LocalCloud;
use reqwest::multipart::{Form, Part};

const MINUTE: Duration = Duration::from_secs(60);

/// 2026-01-02T03:04:05Z
const NOW: u64 = 1_767_323_045;

struct Place {
    cloud: LocalCloud,
    clock: ManualClock,
    vendor: Vendor,
}

impl Place {
    async fn new() -> Self {
        let clock = ManualClock::at_unix(NOW);
        let cloud = LocalCloud::builder().clock(clock.clone()).start().await.unwrap();
        let role = StsAssumeRole::builder(cloud.access_key())
            .role_arn(cloud.role_arn())
            .endpoint(cloud.sts_endpoint())
            .clock(clock.clone())
            .build_source()
            .unwrap();
        let vendor = Vendor::builder(role).clock(clock.clone()).build();
        Self { cloud, clock, vendor }
    }

    fn bucket(&self) -> BucketAddress {
        let bucket = self.cloud.bucket();
        let url = format!("{}/{bucket}", self.cloud.oss_endpoint());
        BucketAddress::new(bucket, self.cloud.region())
            .unwrap()
            .url(&url)
            .unwrap()
    }

    /// A session that may read and write below `tenants/4/`.
    async fn session(&self) -> Session {
        let policy = PolicyBuilder::new(self.cloud.bucket())
            .prefix("tenants/4/")
            .read()
            .write()
            .build()
            .unwrap();
        let request = SessionRequest::new("tenant-4").policy(policy);
        self.vendor.session(&request).await.unwrap()
    }

    async fn url(&self, request: UrlRequest) -> GrantedUrl {
        let grant = Grant::builder(&self.bucket()).lifetime(10 * MINUTE).url(request);
        grant.sign(&self.session().await).unwrap().urls()[0].clone()
    }

    async fn form(&self, request: FormRequest) -> GrantedForm {
        let grant = Grant::builder(&self.bucket()).lifetime(10 * MINUTE).form(request);
        grant.sign(&self.session().await).unwrap().forms()[0].clone()
    }

    fn stored(&self, key: &str) -> Option<String> {
        let object = self.cloud.object(self.cloud.bucket(), key)?;
        Some(String::from_utf8(object.to_vec()).unwrap())
    }
}

/// Sends a request with a granted URL as a browser does, with further headers, and gives the status and the body.
async fn sent(url: &GrantedUrl, body: &'static str, more: &[(&str, &str)]) -> (u16, String) {
    let method = url.method().parse().unwrap();
    let mut request = reqwest::Client::new().request(method, url.url());
    // The body's length is the client's own.
    for (name, value) in url.headers().filter(|(name, _)| *name != "content-length") {
        request = request.header(name, value);
    }
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    if url.method() == "PUT" {
        request = request.body(body);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

async fn status(url: &GrantedUrl, body: &'static str) -> u16 {
    sent(url, body, &[]).await.0
}

async fn posted(form: &GrantedForm, more: &[(&'static str, &str)], file: &'static str) -> u16 {
    let mut fields = Form::new();
    for (name, value) in form.fields().chain(more.iter().copied()) {
        fields = fields.text(name, value.to_owned());
    }
    let file = Part::text(file).file_name("photo.jpg");
    let request = reqwest::Client::new()
        .post(form.url())
        .multipart(fields.part("file", file));
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn urls_store_and_read_what_they_are_for() {
    let place = Place::new().await;
    let put = place.url(UrlRequest::put("tenants/4/a b+ü.txt")).await;
    assert_eq!(status(&put, "content").await, 200);
    assert_eq!(place.stored("tenants/4/a b+ü.txt").unwrap(), "content");
    let get = place.url(UrlRequest::get("tenants/4/a b+ü.txt")).await;
    assert_eq!(sent(&get, "", &[]).await, (200, "content".to_owned()));
    // For another method the signature is another one.
    let response = reqwest::Client::new().delete(get.url()).send().await.unwrap();
    assert_eq!(response.status(), 403);
}

#[tokio::test]
async fn an_upload_has_the_content_type_that_it_is_bound_to() {
    let place = Place::new().await;
    let bound = place
        .url(
            UrlRequest::put("tenants/4/a")
                .content_type("text/css")
                .content_type("text/plain"),
        )
        .await;
    assert_eq!(
        bound.headers().collect::<Vec<_>>(),
        [("content-type", "text/plain")]
    );
    assert_eq!(status(&bound, "content").await, 200);
    let client = reqwest::Client::new();
    for content_type in [None, Some("text/html")] {
        let mut request = client.put(bound.url()).body("content");
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        assert_eq!(request.send().await.unwrap().status(), 403, "{content_type:?}");
    }
    let unbound = place.url(UrlRequest::put("tenants/4/a")).await;
    let (status, _) = sent(&unbound, "content", &[("content-type", "text/plain")]).await;
    assert_eq!(status, 403);
}

#[tokio::test]
async fn an_upload_has_the_length_that_it_is_bound_to() {
    let place = Place::new().await;
    let bound = place.url(UrlRequest::put("tenants/4/a").content_length(7)).await;
    assert_eq!(status(&bound, "content").await, 200);
    assert_eq!(status(&bound, "contents").await, 403);
    // Without a body, the client sends no length.
    assert_eq!(status(&bound, "").await, 400);
    assert_eq!(place.stored("tenants/4/a").unwrap(), "content");
}

#[tokio::test]
async fn an_upload_replaces_nothing_if_it_may_not() {
    let place = Place::new().await;
    let first = place.url(UrlRequest::put("tenants/4/a").forbid_overwrite()).await;
    assert_eq!(status(&first, "first").await, 200);
    assert_eq!(status(&first, "second").await, 409);
    // Who leaves the header out has another signature.
    let request = reqwest::Client::new().put(first.url()).body("third");
    assert_eq!(request.send().await.unwrap().status(), 403);
    assert_eq!(place.stored("tenants/4/a").unwrap(), "first");
}

/// The grant is made, since only the service knows the policy, and is of no use.
#[tokio::test]
async fn what_the_session_may_not_do_is_refused() {
    let place = Place::new().await;
    place
        .cloud
        .put_object(place.cloud.bucket(), "tenants/42/a", "other");
    for request in [UrlRequest::get("tenants/42/a"), UrlRequest::put("tenants/42/a")] {
        assert_eq!(status(&place.url(request).await, "mine").await, 403);
    }
    for request in [FormRequest::below("tenants/42/"), FormRequest::below("tenants/")] {
        let form = place.form(request).await;
        assert_eq!(posted(&form, &[("key", "tenants/42/a")], "mine").await, 403);
    }
    let form = place.form(FormRequest::key("tenants/42/a")).await;
    assert_eq!(posted(&form, &[], "mine").await, 403);
    assert_eq!(place.stored("tenants/42/a").unwrap(), "other");
}

/// Names that URLs, forms, policies or JSON write in another way.
#[tokio::test]
async fn odd_names_stay_what_they_are() {
    let place = Place::new().await;
    for name in [
        "a%20b",
        "a%2Fb",
        "a&b=c",
        "a#b;c",
        "a'b\"c",
        "a\\b",
        "a//b",
        "end/",
        "~!@$()[]{}|^`<>,",
        "$a",
        "\u{202e}x",
        "a\tb",
    ] {
        let key = format!("tenants/4/{name}");
        let put = place.url(UrlRequest::put(&*key)).await;
        assert_eq!(status(&put, "by URL").await, 200, "{name:?}");
        assert_eq!(place.stored(&key).as_deref(), Some("by URL"), "{name:?}");
        let get = place.url(UrlRequest::get(&*key)).await;
        assert_eq!(sent(&get, "", &[]).await, (200, "by URL".to_owned()), "{name:?}");
        let form = place.form(FormRequest::key(&*key)).await;
        assert_eq!(posted(&form, &[], "by form").await, 204, "{name:?}");
        assert_eq!(place.stored(&key).as_deref(), Some("by form"), "{name:?}");
        // As the prefix of a policy and of a form, and not of a neighbor.
        let prefix = format!("{key}/");
        let policy = PolicyBuilder::new(place.cloud.bucket())
            .prefix(&*prefix)
            .write()
            .build();
        let request = SessionRequest::new("tenant-4").policy(policy.unwrap());
        let session = place.vendor.session(&request).await.unwrap();
        let grant = Grant::builder(&place.bucket()).form(FormRequest::below(&*prefix));
        let form = grant.sign(&session).unwrap().forms()[0].clone();
        let (below, beside) = (format!("{prefix}x"), format!("tenants/4/x{name}/x"));
        assert_eq!(posted(&form, &[("key", &below)], "below").await, 204, "{name:?}");
        assert_eq!(place.stored(&below).as_deref(), Some("below"), "{name:?}");
        assert_eq!(
            posted(&form, &[("key", &beside)], "beside").await,
            403,
            "{name:?}"
        );
        let grant = Grant::builder(&place.bucket()).url(UrlRequest::put(beside));
        let url = grant.sign(&session).unwrap().urls()[0].clone();
        assert_eq!(status(&url, "beside").await, 403, "{name:?}");
    }
}

#[tokio::test]
async fn a_form_stores_below_its_prefix() {
    let place = Place::new().await;
    let form = place.form(FormRequest::below("tenants/4/in/")).await;
    assert_eq!(form.key_prefix(), Some("tenants/4/in/"));
    assert_eq!(
        posted(&form, &[("key", "tenants/4/in/${filename}")], "content").await,
        204
    );
    assert_eq!(place.stored("tenants/4/in/photo.jpg").unwrap(), "content");
    // The session allows it, and the form does not.
    assert_eq!(posted(&form, &[("key", "tenants/4/out/a")], "content").await, 403);
    assert!(place.stored("tenants/4/out/a").is_none());
}

#[tokio::test]
async fn a_form_states_its_conditions() {
    let place = Place::new().await;
    let request = FormRequest::key("tenants/4/a")
        .content_types(["image/png"])
        .content_length_range(2..=7)
        .forbid_overwrite()
        .success_status(201);
    let form = place.form(request.clone()).await;
    let fixed: Vec<_> = form.fields().skip_while(|(name, _)| *name != "key").collect();
    assert_eq!(
        fixed,
        [
            ("key", "tenants/4/a"),
            ("content-type", "image/png"),
            ("x-oss-forbid-overwrite", "true"),
            ("success_action_status", "201"),
        ]
    );
    assert_eq!(posted(&form, &[], "1").await, 400);
    assert_eq!(posted(&form, &[], "12345678").await, 400);
    assert_eq!(posted(&form, &[], "1234567").await, 201);
    assert_eq!(posted(&form, &[], "12").await, 409);
    // Each field is a condition: another value is refused.
    for field in [
        "key",
        "content-type",
        "x-oss-forbid-overwrite",
        "success_action_status",
    ] {
        let mut fields = Form::new();
        for (name, value) in form.fields() {
            let value = if name == field { "other" } else { value };
            fields = fields.text(name, value.to_owned());
        }
        let fields = fields.part("file", Part::text("content"));
        let request = reqwest::Client::new().post(form.url()).multipart(fields);
        assert_eq!(request.send().await.unwrap().status(), 403, "{field}");
    }
    assert_eq!(place.stored("tenants/4/a").unwrap(), "1234567");

    let either = place
        .form(request.content_types(["image/png", "image/jpeg"]))
        .await;
    assert_eq!(either.content_types(), ["image/png", "image/jpeg"]);
    assert_eq!(
        posted(&either, &[("content-type", "text/html")], "content").await,
        403
    );
    // It is let in, and the object exists.
    assert_eq!(
        posted(&either, &[("content-type", "image/jpeg")], "content").await,
        409
    );
}

#[tokio::test]
async fn the_lifetime_ends_a_grant_before_the_session() {
    let place = Place::new().await;
    let (url, form) = (UrlRequest::put("tenants/4/a"), FormRequest::key("tenants/4/b"));
    let (url, form) = (place.url(url).await, place.form(form).await);
    let end = place.clock.now() + 10 * MINUTE;
    assert_eq!((url.valid_until(), url.limited_by()), (end, LimitedBy::Asked));
    assert_eq!((form.valid_until(), form.limited_by()), (end, LimitedBy::Asked));
    place.clock.advance(10 * MINUTE);
    assert_eq!(
        (status(&url, "content").await, posted(&form, &[], "content").await),
        (200, 204)
    );
    place.clock.advance(Duration::from_secs(1));
    assert_eq!(
        (status(&url, "content").await, posted(&form, &[], "content").await),
        (403, 403)
    );
}

#[tokio::test]
async fn the_session_ends_a_grant_before_the_lifetime() {
    let place = Place::new().await;
    let session = place.session().await;
    let grant = Grant::builder(&place.bucket())
        .lifetime(70 * MINUTE)
        .url(UrlRequest::put("tenants/4/a"))
        .form(FormRequest::key("tenants/4/b"))
        .credentials()
        .sign(&session)
        .unwrap();
    let (url, form) = (&grant.urls()[0], &grant.forms()[0]);
    let end = place.clock.now() + 60 * MINUTE;
    assert_eq!(
        (url.valid_until(), url.limited_by()),
        (end, LimitedBy::Credentials)
    );
    assert_eq!(
        (form.valid_until(), form.limited_by()),
        (end, LimitedBy::Credentials)
    );
    assert_eq!(grant.session().unwrap().expires_at(), end);
    place.clock.advance(59 * MINUTE);
    assert_eq!(
        (status(url, "content").await, posted(form, &[], "content").await),
        (200, 204)
    );
    place.clock.advance(MINUTE);
    assert_eq!(
        (status(url, "content").await, posted(form, &[], "content").await),
        (403, 403)
    );
}
