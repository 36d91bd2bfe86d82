//! Bodies to upload that do not have the length that they announced.

use std::io;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use oss_client::Body;
use oss_credentials_http::HttpErrorKind;

use super::common::{self, Keys, Server, ok};
use super::kind;

#[tokio::test]
async fn a_body_keeps_the_length_it_announced() {
    let pieces = |pieces: &'static [&'static str]| {
        stream::iter(pieces.iter().map(|piece| Ok::<_, io::Error>(Bytes::from(*piece))))
    };
    for (body, text) in [
        (
            Body::sized_stream(pieces(&["abc"]), 5),
            "the body ended after 3 of 5 bytes",
        ),
        (
            Body::sized_stream(pieces(&["abc", "def"]), 5),
            "the body has more than the 5 bytes",
        ),
        (
            Body::sized_stream(pieces(&["abc", "de", "f"]), 5),
            "the body has more than the 5 bytes",
        ),
        (
            Body::stream(stream::iter([
                Ok(Bytes::from("a")),
                Err(io::Error::other("disk on fire")),
            ])),
            "disk on fire",
        ),
        (
            Body::sized_stream(
                stream::iter([
                    Ok(Bytes::from("abcde")),
                    Err(io::Error::other("checksum is wrong")),
                ]),
                5,
            ),
            "checksum is wrong",
        ),
    ] {
        // It never gets a complete body, and so never answers.
        refused_upload(body, text).await;
    }
}

/// Stores a body that breaks its promise.
async fn refused_upload(body: Body, text: &str) {
    let server = Server::start([ok()]);
    let client = common::client(&server, Keys::new(1));
    let put = client.put_object("examplebucket", "k", body);
    let error = put.send().await.unwrap_err();
    assert_eq!(kind(&error), HttpErrorKind::Request, "{error}");
    assert!(error.to_string().contains(text), "{error}");
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn what_follows_the_announced_length_later_is_noticed_too() {
    type Item = Result<Bytes, io::Error>;
    let first = |text: &'static str| stream::iter((!text.is_empty()).then(|| Item::Ok(Bytes::from(text))));
    let later = |item: Item| {
        stream::once(async move {
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
            item
        })
    };
    let broken = || Item::Err(io::Error::other("checksum is wrong"));
    for (text, length) in [("data", 4), ("", 0)] {
        let body = Body::sized_stream(first(text).chain(later(Ok(Bytes::from("more")))), length);
        let expected = format!("the body has more than the {length} bytes");
        refused_upload(body, &expected).await;
        let body = Body::sized_stream(first(text).chain(later(broken())), length);
        refused_upload(body, "checksum is wrong").await;
        // Empty pieces and a late end are no more than that.
        let server = Server::start([ok()]);
        let client = common::client(&server, Keys::new(1));
        let body = Body::sized_stream(first(text).chain(later(Ok(Bytes::new()))), length);
        client
            .put_object("examplebucket", "k", body)
            .send()
            .await
            .unwrap();
        assert_eq!(server.received()[0].body, text.as_bytes());
        let announced = length.to_string();
        assert_eq!(server.received()[0].header("content-length"), Some(&*announced));
    }
}
