//! The middleware over a reqwest client, against the local cloud.
#![cfg(feature = "reqwest-middleware")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use oss_credentials_middleware::{SignMiddleware, Signing};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use test_support::Case;

fn client(case: &Case) -> ClientWithMiddleware {
    let signing = Signing::oss(Arc::clone(&case.provider), case.cloud.region(), &case.oss_host()).unwrap();
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    ClientBuilder::new(http.build().unwrap())
        .with(SignMiddleware::new(signing))
        .build()
}

#[tokio::test]
async fn objects_are_stored_and_read_across_a_rotation_and_a_revocation() {
    for case in Case::all() {
        let client = client(&case);
        let url = format!("{}/{}/a%20b%2B", case.cloud.oss_endpoint(), case.cloud.bucket());
        let put = client.put(&url).body("hello").send().await.unwrap();
        assert_eq!(put.status(), 200, "{}", put.text().await.unwrap());
        case.rotate();
        let get = client.get(&url).send().await.unwrap();
        assert_eq!(get.text().await.unwrap(), "hello");
        assert_eq!(case.fetches(), 2);
        case.revoke();
        let put = client.put(&url).body("again").send().await.unwrap();
        assert_eq!(put.status(), 200, "{}", put.text().await.unwrap());
        assert_eq!(case.fetches(), 3);
        assert_eq!(case.cloud.object(case.cloud.bucket(), "a b+").unwrap(), "again");

        let none = client.get(format!("{url}-none")).send().await.unwrap();
        assert_eq!(
            (none.status().as_u16(), none.url().path().ends_with("-none")),
            (404, true)
        );
        assert!(none.text().await.unwrap().contains("<Code>NoSuchKey</Code>"));
        assert_eq!(case.fetches(), 3);
    }
}
