//! Every V1 vector of `tests/vectors/oss-sign`: made by an official client and signed again by two others.
#![cfg(feature = "v1")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use oss_sign::v1::{self, Authorization, Explained, LimitedBy, Signer};
use oss_sign::{RequestView, decode_query, encode_query};
use support::{Case, check_url, expected_headers, header_set, pairs, vectors};

fn check_explained(case: &Case<'_>, explained: &Explained) {
    for (name, got) in [
        ("canonicalized_oss_headers", explained.canonicalized_headers()),
        ("canonicalized_resource", explained.canonicalized_resource()),
        ("string_to_sign", explained.string_to_sign()),
    ] {
        assert_eq!(
            String::from_utf8_lossy(got),
            case.expected(name),
            "{} {name}",
            case.id
        );
    }
}

fn check_verifies(case: &Case<'_>, authorization: &Authorization<'_>, view: &RequestView<'_>) {
    let secret = case.credentials.access_key_secret();
    let verification = authorization.verify(view, secret).unwrap();
    assert!(verification.matches(), "{}", case.id);
    check_explained(case, verification.explained());
    let other = authorization.verify(view, "another secret").unwrap();
    assert!(!other.matches(), "{}", case.id);
    assert_eq!(
        authorization.access_key_id(),
        case.credentials.access_key_id(),
        "{}",
        case.id
    );
    assert_eq!(
        authorization.signature(),
        case.expected("signature"),
        "{}",
        case.id
    );
}

#[test]
fn header_vectors() {
    let shared = Signer::new();
    for vector in &vectors("v1-header.json", 56) {
        let case = Case::new(vector);
        let signed = shared.sign(&case.view(), &case.credentials, case.time).unwrap();
        assert_eq!(
            signed.authorization(),
            case.expected("authorization"),
            "{}",
            case.id
        );
        assert_eq!(signed.signature(), case.expected("signature"), "{}", case.id);
        check_explained(
            &case,
            &shared
                .explain(&case.view(), &case.credentials, case.time)
                .unwrap(),
        );
        check_url(vector, &encode_query(&case.query));

        // As the request goes out: what the signer sets takes the place of what was there.
        let mut sent = case.headers.clone();
        sent.retain(|(name, _)| !signed.headers().any(|set| set.name.eq_ignore_ascii_case(name)));
        // The HTTP stack's own headers are not in the vectors.
        sent.retain(|(name, _)| {
            !["accept-encoding", "user-agent"].contains(&name.to_ascii_lowercase().as_str())
        });
        sent.extend(signed.headers().map(|set| (set.name, set.value.as_bytes())));
        let expected = expected_headers(case.expected);
        assert_eq!(header_set(sent.iter().copied()), expected, "{}", case.id);

        // Whoever signs what arrived gets the same.
        let arrived = case.view_with(&case.query, &sent);
        let again = shared.sign(&arrived, &case.credentials, case.time).unwrap();
        assert_eq!(again.signature(), signed.signature(), "{}", case.id);
        check_verifies(
            &case,
            &Authorization::parse(case.expected("authorization")).unwrap(),
            &arrived,
        );
    }
}

#[test]
fn url_vectors() {
    let shared = Signer::new();
    for vector in &vectors("v1-query.json", 56) {
        let case = Case::new(vector);
        let expires = Duration::from_secs(case.input["expires_seconds"].as_u64().unwrap());
        let presigned = shared
            .presign(&case.view(), &case.credentials, case.time, expires)
            .unwrap();
        check_url(vector, presigned.query());
        let explained = shared.explain_presign(&case.view(), &case.credentials, case.time, expires);
        check_explained(&case, &explained.unwrap());

        let expected: BTreeSet<_> = pairs(&case.expected["query"]).into_iter().collect();
        let decoded = decode_query(presigned.query()).unwrap();
        let decoded: Vec<_> = decoded
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            decoded.iter().copied().collect::<BTreeSet<_>>(),
            expected,
            "{}",
            case.id
        );
        let added: BTreeSet<_> = presigned.added().collect();
        assert_eq!(
            added.len(),
            3 + usize::from(case.credentials.security_token().is_some()),
            "{}",
            case.id
        );
        assert!(
            added
                .iter()
                .all(|(name, value)| expected.contains(&(*name, &**value))),
            "{}",
            case.id
        );

        // Required are the headers in their slots and the lines of the others.
        let lines: Vec<_> = case.expected("string_to_sign").split('\n').collect();
        let mut required: Vec<String> = [("content-md5", lines[1]), ("content-type", lines[2])]
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}:{value}"))
            .collect();
        required.extend(
            case.expected("canonicalized_oss_headers")
                .lines()
                .map(str::to_owned),
        );
        let got: Vec<_> = presigned
            .required_headers()
            .map(|(name, value)| format!("{name}:{}", String::from_utf8_lossy(value)))
            .collect();
        assert_eq!(got, required, "{}", case.id);
        assert_eq!(presigned.method(), lines[0], "{}", case.id);
        assert_eq!(presigned.valid_until(), case.time + expires, "{}", case.id);
        assert_eq!(presigned.limited_by(), LimitedBy::Asked, "{}", case.id);

        // The other side.
        let authorization = Authorization::parse_query(&decoded).unwrap().unwrap();
        assert_eq!(
            authorization.expires_at(),
            Some(case.time + expires),
            "{}",
            case.id
        );
        assert_eq!(
            authorization.security_token(),
            case.credentials.security_token(),
            "{}",
            case.id
        );
        check_verifies(&case, &authorization, &case.view_with(&decoded, &case.headers));
    }
}

#[test]
fn the_pieces_give_what_the_whole_gives() {
    for vector in vectors("v1-header.json", 56)
        .iter()
        .chain(&vectors("v1-query.json", 56))
    {
        let case = Case::new(vector);
        let signature = v1::signature(
            case.credentials.access_key_secret(),
            case.expected("string_to_sign").as_bytes(),
        );
        assert_eq!(signature, case.expected("signature"), "{}", case.id);
    }
}
