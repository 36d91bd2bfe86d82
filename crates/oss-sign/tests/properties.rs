//! What holds for every request.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::time::{Duration, SystemTime};

use oss_credentials_core::Credentials;
use oss_sign::v4::{Authorization, Signer};
use oss_sign::{RequestView, decode_query, encode, encode_path, encode_query};
use proptest::prelude::*;

type Headers = Vec<(String, Vec<u8>)>;

fn query() -> impl Strategy<Value = Vec<(String, String)>> {
    // Names that need escapes, and names of which one begins the other; each once.
    prop::collection::btree_map("[a-c%/ =+.~ü-]{0,4}|x-oss-[a-z]{1,3}", ".{0,8}", 0..20)
        .prop_map(|map| map.into_iter().filter(|(name, _)| !name.is_empty()).collect())
}

fn headers() -> impl Strategy<Value = Headers> {
    let name = "x-oss-meta-[a-c-]{1,3}|X-Oss-[A-Z]{1,3}|Range|host|Content-Type|user-agent";
    let value = prop::collection::vec(prop_oneof![0x20_u8..0x7f, 0x80_u8..=0xff], 0..12);
    prop::collection::vec((name, value), 0..20).prop_map(|mut list: Headers| {
        // One value for each name, since the order of several is meaningful.
        list.sort_by_key(|(name, _)| name.to_ascii_lowercase());
        list.dedup_by_key(|(name, _)| name.to_ascii_lowercase());
        list
    })
}

fn credentials() -> impl Strategy<Value = Credentials> {
    (
        "[A-Za-z.0-9]{1,30}",
        "[!-~]{1,80}",
        prop::option::of("[!-~]{1,200}"),
    )
        .prop_map(|(id, secret, token)| {
            Credentials::builder(id, secret)
                .security_token(token.unwrap_or_default())
                .build()
                .unwrap()
        })
}

fn time() -> impl Strategy<Value = SystemTime> {
    (0_u64..253_402_300_800).prop_map(|second| SystemTime::UNIX_EPOCH + Duration::from_secs(second))
}

fn pairs(list: &[(String, String)]) -> Vec<(&str, &str)> {
    list.iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

fn bytes(list: &Headers) -> Vec<(&str, &[u8])> {
    list.iter()
        .map(|(name, value)| (name.as_str(), value.as_slice()))
        .collect()
}

fn signer() -> Signer {
    Signer::builder("cn-hangzhou")
        .additional_headers(["range", "host"])
        .build()
        .unwrap()
}

proptest! {
    #[test]
    fn text_survives_encoding(text in ".{0,40}") {
        let encoded = encode(&text);
        prop_assert!(encoded.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)));
        let decoded = percent_encoding::percent_decode_str(&encoded).decode_utf8().unwrap();
        prop_assert_eq!(&decoded, &text);
        prop_assert_eq!(encode_path(&text), encoded.replace("%2F", "/"));
    }

    #[test]
    fn queries_survive_encoding(query in query()) {
        prop_assert_eq!(decode_query(&encode_query(&pairs(&query))).unwrap(), query);
    }

    #[test]
    fn order_does_not_matter(
        query in query(),
        headers in headers(),
        turn in any::<prop::sample::Index>(),
        credentials in credentials(),
        time in time(),
    ) {
        let (mut pairs, mut bytes) = (pairs(&query), bytes(&headers));
        let view = RequestView::new("PUT").bucket("b").key("k");
        let signature = |pairs: &[(&str, &str)], bytes: &Vec<(&str, &[u8])>| {
            let view = view.query(pairs).headers(bytes);
            let presigned = signer().presign(&view, &credentials, time, Duration::from_secs(60)).unwrap();
            let signed = signer().sign(&view, &credentials, time).unwrap();
            (signed.authorization().to_owned(), presigned.into_query())
        };
        let straight = signature(&pairs, &bytes);
        pairs.reverse();
        bytes.reverse();
        if !pairs.is_empty() {
            let at = turn.index(pairs.len());
            pairs.rotate_left(at);
        }
        if !bytes.is_empty() {
            let at = turn.index(bytes.len());
            bytes.rotate_left(at);
        }
        prop_assert_eq!(straight, signature(&pairs, &bytes));
    }

    #[test]
    fn what_is_signed_verifies(
        key in prop::option::of(".{1,20}"),
        query in query(),
        headers in headers(),
        credentials in credentials(),
        time in time(),
        broken in any::<prop::sample::Index>(),
    ) {
        let pairs = pairs(&query);
        let view = RequestView::new("PUT").bucket("b").key(key.as_deref()).query(&pairs);
        let given = bytes(&headers);
        let signed = signer().sign(&view.headers(&given), &credentials, time).unwrap();
        let set: Vec<_> = signed.headers().collect();
        let mut sent: Vec<(&str, &[u8])> = set.iter().map(|header| (header.name, header.value.as_bytes())).collect();
        let own: Vec<_> = sent.iter().map(|(name, _)| *name).collect();
        sent.extend(given.iter().filter(|(name, _)| !own.contains(&name.to_ascii_lowercase().as_str())));

        let authorization = Authorization::parse(signed.authorization()).unwrap();
        let secret = credentials.access_key_secret();
        prop_assert!(authorization.verify(&view.headers(&sent), secret).unwrap().matches());
        // A signed header that got lost does not go unnoticed.
        let (name, _) = sent.remove(broken.index(sent.len()));
        if name.to_ascii_lowercase().starts_with("x-oss-") || name.eq_ignore_ascii_case("content-type") {
            let verified = authorization.verify(&view.headers(&sent), secret);
            prop_assert!(!verified.is_ok_and(|verification| verification.matches()), "{name}");
        }
    }

    #[test]
    fn what_is_presigned_verifies(
        key in prop::option::of(".{1,20}"),
        query in query(),
        headers in headers(),
        credentials in credentials(),
        time in time(),
        seconds in 1_u64..=604_800,
    ) {
        let (given, bound) = (pairs(&query), bytes(&headers));
        let view = RequestView::new("GET").bucket("b").key(key.as_deref()).headers(&bound);
        let expires = Duration::from_secs(seconds);
        let presigned = signer().presign(&view.query(&given), &credentials, time, expires).unwrap();
        let received = decode_query(presigned.query()).unwrap();
        let received = pairs(&received);
        let authorization = Authorization::parse_query(&received).unwrap().unwrap();
        prop_assert_eq!(authorization.expires_seconds(), Some(seconds));
        let secret = credentials.access_key_secret();
        prop_assert!(authorization.verify(&view.query(&received), secret).unwrap().matches());
        // Only the required headers are needed.
        let required: Vec<_> = presigned.required_headers().collect();
        let view = view.headers(&required).query(&received);
        prop_assert!(authorization.verify(&view, secret).unwrap().matches());
        // What was signed once is signed anew without the old signature, and gives the same.
        let again = signer().presign(&view, &credentials, time, expires).unwrap();
        prop_assert_eq!(again.query(), presigned.query());
    }
}

#[cfg(feature = "v1")]
mod v1 {
    use oss_sign::v1::{Authorization, Signer};

    use super::*;

    /// Parameters of which the service knows some, each once.
    fn known() -> impl Strategy<Value = Vec<(String, String)>> {
        let name =
            "acl|uploadId|versionId|partNumber|append|callback-var|prefix|x-oss-[a-z ]{1,3}|[a-z]{1,3}";
        prop::collection::btree_map(name, ".{0,8}", 0..20).prop_map(|map| map.into_iter().collect())
    }

    proptest! {
        #[test]
        fn order_does_not_matter(
            query in known(),
            headers in headers(),
            turn in any::<prop::sample::Index>(),
            credentials in credentials(),
            time in time(),
        ) {
            let (mut pairs, mut bytes) = (pairs(&query), bytes(&headers));
            let signature = |pairs: &[(&str, &str)], bytes: &Vec<(&str, &[u8])>| {
                let encoded = encode_query(pairs);
                let view = RequestView::new("PUT").bucket("b").key("k").query(pairs).headers(bytes);
                let signed = Signer::new().sign(&view, &credentials, time).unwrap();
                // Encoded or not is the same.
                let again = Signer::new().sign(&view.encoded_query(&encoded), &credentials, time).unwrap();
                assert_eq!(signed.authorization(), again.authorization());
                let expires = Duration::from_secs(60);
                let presigned = Signer::new().presign(&view, &credentials, time, expires).unwrap();
                (signed.authorization().to_owned(), presigned.into_query())
            };
            let straight = signature(&pairs, &bytes);
            pairs.reverse();
            bytes.reverse();
            if !pairs.is_empty() {
                let at = turn.index(pairs.len());
                pairs.rotate_left(at);
            }
            prop_assert_eq!(straight, signature(&pairs, &bytes));
        }

        #[test]
        fn what_is_signed_verifies(
            key in prop::option::of(".{1,20}"),
            query in known(),
            headers in headers(),
            credentials in credentials(),
            time in time(),
            broken in any::<prop::sample::Index>(),
        ) {
            let pairs = pairs(&query);
            let view = RequestView::new("PUT").bucket("b").key(key.as_deref()).query(&pairs);
            let given = bytes(&headers);
            let signed = Signer::new().sign(&view.headers(&given), &credentials, time).unwrap();
            let set: Vec<_> = signed.headers().collect();
            let mut sent: Vec<(&str, &[u8])> =
                set.iter().map(|header| (header.name, header.value.as_bytes())).collect();
            sent.extend(&given);
            let authorization = Authorization::parse(signed.authorization()).unwrap();
            let secret = credentials.access_key_secret();
            prop_assert!(authorization.verify(&view.headers(&sent), secret).unwrap().matches());
            // Whoever signs what was sent gets the same.
            let again = Signer::new().sign(&view.headers(&sent), &credentials, time).unwrap();
            prop_assert_eq!(again.authorization(), signed.authorization());
            // A signed header that got lost does not go unnoticed.
            let (name, value) = sent.remove(broken.index(sent.len()));
            let is_signed = name.to_ascii_lowercase().starts_with("x-oss-")
                || name == "date"
                || name.eq_ignore_ascii_case("content-type") && !value.trim_ascii().is_empty();
            if is_signed {
                let verified = authorization.verify(&view.headers(&sent), secret);
                prop_assert!(!verified.is_ok_and(|verification| verification.matches()), "{name}");
            }
        }

        #[test]
        fn what_is_presigned_verifies(
            key in prop::option::of(".{1,20}"),
            query in known(),
            headers in headers(),
            credentials in credentials(),
            time in time(),
            seconds in 1_u64..=1_000_000,
        ) {
            let (given, bound) = (pairs(&query), bytes(&headers));
            let view = RequestView::new("GET").bucket("b").key(key.as_deref()).headers(&bound);
            let expires = Duration::from_secs(seconds);
            let presigned = Signer::new().presign(&view.query(&given), &credentials, time, expires);
            prop_assume!(presigned.is_ok(), "an end after the year 9999");
            let presigned = presigned.unwrap();
            let received = decode_query(presigned.query()).unwrap();
            let received = pairs(&received);
            let authorization = Authorization::parse_query(&received).unwrap().unwrap();
            prop_assert_eq!(authorization.expires_at(), Some(time + expires));
            let secret = credentials.access_key_secret();
            prop_assert!(authorization.verify(&view.query(&received), secret).unwrap().matches());
            // Only the required headers are needed.
            let required: Vec<_> = presigned.required_headers().collect();
            let view = view.headers(&required).query(&received);
            prop_assert!(authorization.verify(&view, secret).unwrap().matches());
            // What was signed once is signed anew without the old signature, and gives the same.
            let again = Signer::new().presign(&view, &credentials, time, expires).unwrap();
            prop_assert_eq!(again.query(), presigned.query());
        }
    }
}
