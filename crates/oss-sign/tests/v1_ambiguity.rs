//! V1 signs a request only if its signature is valid for no other request.
#![cfg(feature = "v1")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, SystemTime};

use oss_credentials_core::Credentials;
use oss_sign::v1::Signer;
use oss_sign::{RequestView, SignError, encode_query};
use proptest::prelude::*;
use serde_json::Value;

/// A request to the bucket `b`: its key, and its signed parameters in the order of their names.
type Request = (String, Vec<(String, String)>);

fn time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_256_200)
}

fn credentials() -> Credentials {
    Credentials::builder("FakeAccessKeyId0001", "FakeAccessKeySecret0001")
        .build()
        .unwrap()
}

fn listed() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/oss-sign/v1-subresources.json");
    let whole: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let groups = whole.as_object().unwrap().values().filter_map(Value::as_array);
    groups
        .flatten()
        .map(|name| name.as_str().unwrap().to_owned())
        .collect()
}

/// Signs by header and by URL, with the query in both forms: all have to agree.
fn signs((key, query): &Request) -> bool {
    let pairs: Vec<_> = query
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let encoded = encode_query(&pairs);
    let view = RequestView::new("GET").bucket("b").key(key.as_str());
    let signer = Signer::new();
    let results: BTreeSet<bool> = [view.query(&pairs), view.encoded_query(&encoded)]
        .iter()
        .flat_map(|view| {
            let header = signer.sign(view, &credentials(), time()).map(drop);
            let url = signer
                .presign(view, &credentials(), time(), Duration::from_secs(60))
                .map(drop);
            [
                header,
                url,
                signer.explain(view, &credentials(), time()).map(drop),
            ]
        })
        .map(|result| match result {
            Ok(()) => true,
            Err(SignError::AmbiguousResource { .. }) => false,
            Err(other) => panic!("{other}"),
        })
        .collect();
    assert_eq!(results.len(), 1, "header and URL differ for {key:?} {query:?}");
    results.contains(&true)
}

/// All requests whose resource is `/b/` and this text, found by trying each place for `?` and for each `&`. A parameter
/// may appear twice in them: this crate refuses such requests, but a service may accept them.
fn readings(text: &str, names: &BTreeSet<String>) -> BTreeSet<Request> {
    let mut found = BTreeSet::from([(text.to_owned(), Vec::new())]);
    for (at, _) in text.match_indices('?') {
        let (key, query) = (&text[..at], &text[at + 1..]);
        let pieces: Vec<&str> = query.split('&').collect();
        for joined in 0_u32..1 << (pieces.len() - 1) {
            let mut parts = vec![pieces[0].to_owned()];
            for (bit, piece) in pieces[1..].iter().enumerate() {
                if joined >> bit & 1 == 1 {
                    parts.last_mut().unwrap().push('&');
                    parts.last_mut().unwrap().push_str(piece);
                } else {
                    parts.push((*piece).to_owned());
                }
            }
            let items: Option<Vec<_>> = parts.iter().map(|part| parameter(part, names)).collect();
            if let Some(items) = items
                && items.is_sorted_by_key(|(name, _)| name)
            {
                found.insert((key.to_owned(), items));
            }
        }
    }
    found
}

/// Whether each parameter appears once.
fn is_sent((_, query): &Request) -> bool {
    query.is_sorted_by(|one, next| one.0 < next.0)
}

fn parameter(part: &str, names: &BTreeSet<String>) -> Option<(String, String)> {
    let known =
        |name: &str| (names.contains(name) || name.starts_with("x-oss-")) && !name.contains(['=', '&']);
    let (name, value) = match part.split_once('=') {
        Some((_, "")) => return None,
        Some(pair) => pair,
        None => (part, ""),
    };
    known(name).then(|| (name.to_owned(), value.to_owned()))
}

/// What follows `/b/` in the resource, by the vendor's description: a signer refuses to explain some of these.
fn resource((key, query): &Request) -> String {
    let mut text = key.clone();
    for (at, (name, value)) in query.iter().enumerate() {
        text.push(if at == 0 { '?' } else { '&' });
        text.push_str(name);
        if !value.is_empty() {
            text.push('=');
            text.push_str(value);
        }
    }
    text
}

/// Few words, so that many requests share a resource.
fn word() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "?",
        "&",
        "=",
        "a",
        "acl",
        "policy",
        "versionId",
        "x-oss-a",
        "acl=1",
        "vip",
        "&versionId=2",
    ]);
    prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

fn request() -> impl Strategy<Value = Request> {
    let name = prop::sample::select(vec!["acl", "policy", "versionId", "vip", "x-oss-a", "x-oss-b"]);
    let query = prop::collection::btree_map(name, word(), 0..4);
    (word(), query).prop_map(|(key, query)| {
        (
            key,
            query
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn a_request_signs_if_and_only_if_no_other_has_its_resource(request in request()) {
        let names = listed().into_iter().collect();
        let readings = readings(&resource(&request), &names);
        prop_assert!(readings.contains(&request));
        let signing: Vec<_> = readings.iter().filter(|reading| is_sent(reading) && signs(reading)).collect();
        prop_assert!(signing.len() <= 1, "{signing:?}");
        let has_plain_key_and_values =
            !request.0.contains('?') && request.1.iter().all(|(_, value)| !value.contains('&'));
        if readings.len() == 1 || has_plain_key_and_values {
            prop_assert!(signs(&request), "refused, and no other request has its resource");
        }
    }
}

#[test]
fn each_sub_resource_signs_and_an_object_of_its_name_does_not() {
    for name in listed() {
        let sub_resource = (String::new(), vec![(name.clone(), String::new())]);
        // The parameter `security-token` belongs to the signature of a URL.
        assert!(name == "security-token" || signs(&sub_resource), "{name}");
        for key in [
            format!("?{name}"),
            format!("dir/a?{name}"),
            format!("?{name}=x&y"),
        ] {
            assert!(!signs(&(key.clone(), Vec::new())), "{key}");
        }
        let hidden = vec![("acl".to_owned(), format!("x&{name}=1"))];
        let is_later = name.as_str() >= "acl";
        assert_eq!(signs(&("k".to_owned(), hidden)), !is_later, "{name}");
    }
}

#[test]
fn keys_and_values_with_harmless_marks_still_sign() {
    let value = |value: &str| vec![("response-content-disposition".to_owned(), value.to_owned())];
    for request in [
        ("a?b".to_owned(), Vec::new()),
        ("a?prefix=policy".to_owned(), Vec::new()),
        ("what?acl x".to_owned(), Vec::new()),
        ("a&acl=b".to_owned(), Vec::new()),
        ("k".to_owned(), value("attachment; filename=\"R&D=1?acl\"")),
        ("k".to_owned(), value("a&acl")),
        // A name that is followed by `=` has a value.
        ("k".to_owned(), value("&versionId=1")),
    ] {
        assert!(signs(&request), "{request:?}");
    }
    assert!(!signs(&("k".to_owned(), value("a&versionId=1"))));
    let names_a_value = vec![("x-oss-a=b".to_owned(), String::new())];
    assert!(!signs(&("k".to_owned(), names_a_value)));
}

#[test]
fn the_error_says_what_to_do_and_v4_signs_the_request() {
    let view = RequestView::new("GET").bucket("b").key("?policy");
    let error = Signer::new().sign(&view, &credentials(), time()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "oss-sign: the key \"?policy\" makes the V1 signature valid for another request, too; \
         sign with V4, which is not affected"
    );
    let v4 = oss_sign::v4::Signer::builder("cn-hangzhou").build().unwrap();
    assert!(v4.sign(&view, &credentials(), time()).is_ok());
    for bucket in ["b/x", "b?acl"] {
        let view = RequestView::new("GET").bucket(bucket).key("k");
        let refused = Signer::new().sign(&view, &credentials(), time());
        assert!(
            matches!(refused, Err(SignError::AmbiguousResource { part: "bucket", .. })),
            "{bucket}"
        );
    }
}
