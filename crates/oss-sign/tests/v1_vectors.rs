//! Every V1 vector of `tests/vectors/oss-sign`: made by an official client and signed again by two others.
#![cfg(feature = "v1")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use oss_credentials_core::Credentials;
use oss_sign::v1::{self, Authorization, Explained, LimitedBy, Signer};
use oss_sign::{RequestView, decode_query, encode_query};
use serde_json::Value;
use support::{check_url, expected_headers, header_set, pairs, vectors};

/// The input of one vector in the shape that the shared takes.
struct Case<'a> {
    id: &'a str,
    input: &'a Value,
    expected: &'a Value,
    credentials: Credentials,
    time: SystemTime,
    query: Vec<(&'a str, &'a str)>,
    headers: Vec<(&'a str, &'a [u8])>,
}

impl<'a> Case<'a> {
    fn new(vector: &'a Value) -> Self {
        let input = &vector["input"];
        let text = |name: &str| input[name].as_str().unwrap();
        Self {
            id: vector["id"].as_str().unwrap(),
            input,
            expected: &vector["expected"],
            credentials: Credentials::builder(text("access_key_id"), text("access_key_secret"))
                .security_token(input["security_token"].as_str().unwrap_or_default())
                .build()
                .unwrap(),
            time: SystemTime::UNIX_EPOCH + Duration::from_secs(input["signing_time_unix"].as_u64().unwrap()),
            query: pairs(&input["query"]),
            headers: pairs(&input["headers"])
                .into_iter()
                .map(|(name, value)| (name, value.as_bytes()))
                .collect(),
        }
    }

    fn view(&self) -> RequestView<'_> {
        self.view_with(&self.query, &self.headers)
    }

    fn view_with<'v>(
        &'v self,
        query: &'v [(&'v str, &'v str)],
        headers: &'v [(&'v str, &'v [u8])],
    ) -> RequestView<'v> {
        RequestView::new(self.input["method"].as_str().unwrap())
            .bucket(self.input["bucket"].as_str())
            .key(self.input["key"].as_str())
            .query(query)
            .headers(headers)
    }

    fn expected(&self, name: &str) -> &str {
        self.expected[name].as_str().unwrap()
    }

    fn check_explained(&self, explained: &Explained) {
        for (name, got) in [
            ("canonicalized_oss_headers", explained.canonicalized_headers()),
            ("canonicalized_resource", explained.canonicalized_resource()),
            ("string_to_sign", explained.string_to_sign()),
        ] {
            assert_eq!(
                String::from_utf8_lossy(got),
                self.expected(name),
                "{} {name}",
                self.id
            );
        }
    }

    fn check_verifies(&self, authorization: &Authorization<'_>, view: &RequestView<'_>) {
        let secret = self.credentials.access_key_secret();
        let verification = authorization.verify(view, secret).unwrap();
        assert!(verification.matches(), "{}", self.id);
        self.check_explained(verification.explained());
        let other = authorization.verify(view, "another secret").unwrap();
        assert!(!other.matches(), "{}", self.id);
        assert_eq!(
            authorization.access_key_id(),
            self.credentials.access_key_id(),
            "{}",
            self.id
        );
        assert_eq!(
            authorization.signature(),
            self.expected("signature"),
            "{}",
            self.id
        );
    }
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
        case.check_explained(
            &shared
                .explain(&case.view(), &case.credentials, case.time)
                .unwrap(),
        );
        check_url(vector, &encode_query(&case.query));

        // As the request goes out: what the shared sets takes the place of what was there.
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
        case.check_verifies(
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
        case.check_explained(&explained.unwrap());

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
        case.check_verifies(&authorization, &case.view_with(&decoded, &case.headers));
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
