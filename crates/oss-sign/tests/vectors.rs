//! Every V4 vector of `tests/vectors/oss-sign`: made by an official client and signed again by two others.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use oss_sign::v4::{self, Authorization, Explained, LimitedBy, Signer};
use oss_sign::{RequestView, decode_query, encode_query};
use support::{Case, check_url, expected_headers, header_set, pairs, vectors};

fn signer(case: &Case<'_>) -> Signer {
    let text = |name: &str| case.input[name].as_str().unwrap();
    let additional = case.input["additional_headers"].as_array().unwrap();
    Signer::builder(text("region"))
        .product(text("product"))
        .additional_headers(additional.iter().map(|name| name.as_str().unwrap()))
        .build()
        .unwrap()
}

fn check_explained(case: &Case<'_>, explained: &Explained) {
    let canonical = String::from_utf8(explained.canonical_request().to_vec()).unwrap();
    assert_eq!(canonical, case.expected("canonical_request"), "{}", case.id);
    assert_eq!(
        explained.canonical_request_sha256(),
        case.expected("canonical_request_sha256"),
        "{}",
        case.id
    );
    assert_eq!(
        explained.string_to_sign(),
        case.expected("string_to_sign"),
        "{}",
        case.id
    );
}

fn check_verifies(case: &Case<'_>, authorization: &Authorization<'_>, view: &RequestView<'_>) {
    let verification = authorization
        .verify(view, case.credentials.access_key_secret())
        .unwrap();
    assert!(verification.matches(), "{}", case.id);
    check_explained(case, verification.explained());
    assert!(
        !authorization.verify(view, "another secret").unwrap().matches(),
        "{}",
        case.id
    );
}

#[test]
fn header_vectors() {
    for vector in &vectors("v4-header.json", 60) {
        let case = Case::new(vector);
        let case_signer = signer(&case);
        let signed = case_signer
            .sign(&case.view(), &case.credentials, case.time)
            .unwrap();
        assert_eq!(
            signed.authorization(),
            case.expected("authorization"),
            "{}",
            case.id
        );
        assert_eq!(signed.signature(), case.expected("signature"), "{}", case.id);
        check_explained(
            &case,
            &case_signer
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
        assert_eq!(
            header_set(sent.iter().copied()),
            expected_headers(case.expected),
            "{}",
            case.id
        );

        // Whoever signs what arrived gets the same.
        let arrived = case.view_with(&case.query, &sent);
        let again = case_signer.sign(&arrived, &case.credentials, case.time).unwrap();
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
    for vector in &vectors("v4-query.json", 64) {
        let case = Case::new(vector);
        let case_signer = signer(&case);
        let expires = Duration::from_secs(case.input["expires_seconds"].as_u64().unwrap());
        let presigned = case_signer
            .presign(&case.view(), &case.credentials, case.time, expires)
            .unwrap();
        let (_, signature) = presigned.query().rsplit_once("x-oss-signature=").unwrap();
        assert_eq!(signature, case.expected("signature"), "{}", case.id);
        let explained = case_signer
            .explain_presign(&case.view(), &case.credentials, case.time, expires)
            .unwrap();
        check_explained(&case, &explained);
        check_url(vector, presigned.query());

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
        for (name, value) in presigned.added() {
            assert!(expected.contains(&(name, &*value)), "{} {name}", case.id);
        }

        // Required are exactly the lines between query and list of additional headers.
        let lines: Vec<_> = case.expected("canonical_request").split('\n').collect();
        let required: Vec<_> = presigned
            .required_headers()
            .map(|(name, value)| format!("{name}:{}", String::from_utf8_lossy(value)))
            .collect();
        assert_eq!(required, lines[3..lines.len() - 3], "{}", case.id);

        assert_eq!(presigned.method(), lines[0], "{}", case.id);
        assert_eq!(presigned.valid_until(), case.time + expires, "{}", case.id);
        let limit = if expires == v4::MAX_EXPIRES {
            LimitedBy::SevenDays
        } else {
            LimitedBy::Asked
        };
        assert_eq!(presigned.limited_by(), limit, "{}", case.id);

        // The other side.
        let authorization = Authorization::parse_query(&decoded).unwrap().unwrap();
        assert_eq!(
            authorization.expires_seconds(),
            Some(expires.as_secs()),
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
    for vector in vectors("v4-header.json", 60)
        .iter()
        .chain(&vectors("v4-query.json", 64))
    {
        let case = Case::new(vector);
        let case_signer = signer(&case);
        let text = case.expected("string_to_sign");
        let mut lines = text.lines().skip(1);
        let (date, scope) = (lines.next().unwrap(), lines.next().unwrap());
        let canonical = case.expected("canonical_request").as_bytes();
        assert_eq!(v4::string_to_sign(date, scope, canonical), text, "{}", case.id);
        let secret = case.credentials.access_key_secret();
        let signature = v4::signature(
            secret,
            &date[..8],
            case_signer.region(),
            case_signer.product(),
            text,
        );
        assert_eq!(signature, case.expected("signature"), "{}", case.id);
    }
}
