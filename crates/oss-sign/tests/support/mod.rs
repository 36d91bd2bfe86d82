//! What the tests over vectors share.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![allow(dead_code, reason = "each test uses a part of it")]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, SystemTime};

use oss_credentials_core::Credentials;
use oss_sign::{RequestView, decode_query, url_path};
use serde_json::Value;

/// The vectors of a file, which has so many.
pub(crate) fn vectors(file: &str, count: usize) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors/oss-sign")
        .join(file);
    let whole: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let vectors = whole["vectors"].as_array().unwrap().clone();
    assert_eq!(vectors.len(), count, "{file}");
    vectors
}

/// The input of one vector in the shape that the signer takes.
pub(crate) struct Case<'a> {
    pub(crate) id: &'a str,
    pub(crate) input: &'a Value,
    pub(crate) expected: &'a Value,
    pub(crate) credentials: Credentials,
    pub(crate) time: SystemTime,
    pub(crate) query: Vec<(&'a str, &'a str)>,
    pub(crate) headers: Vec<(&'a str, &'a [u8])>,
}

impl<'a> Case<'a> {
    pub(crate) fn new(vector: &'a Value) -> Self {
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

    pub(crate) fn view(&self) -> RequestView<'_> {
        self.view_with(&self.query, &self.headers)
    }

    pub(crate) fn view_with<'v>(
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

    pub(crate) fn expected(&self, name: &str) -> &str {
        self.expected[name].as_str().unwrap()
    }
}

/// A list of pairs of texts.
pub(crate) fn pairs(list: &Value) -> Vec<(&str, &str)> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap()))
        .collect()
}

/// Header names in lower case, values trimmed, without order.
pub(crate) fn header_set<'a>(
    headers: impl Iterator<Item = (&'a str, &'a [u8])>,
) -> BTreeSet<(String, Vec<u8>)> {
    headers
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim_ascii().to_vec()))
        .collect()
}

/// What an official client sent.
pub(crate) fn expected_headers(expected: &Value) -> BTreeSet<(String, Vec<u8>)> {
    header_set(
        pairs(&expected["headers"])
            .into_iter()
            .map(|(name, value)| (name, value.as_bytes())),
    )
}

/// Compares path and query of a URL with the vector's.
pub(crate) fn check_url(vector: &Value, query: &str) {
    let (id, input) = (&vector["id"], &vector["input"]);
    let url = vector["expected"]["url"].as_str().unwrap();
    let (_, after_scheme) = url.split_once("://").unwrap();
    let (path, expected_query) = after_scheme.split_once('?').unwrap_or((after_scheme, ""));
    let path = path.find('/').map_or("/", |at| &path[at..]);
    let in_path = (input["addressing"] == "path")
        .then(|| input["bucket"].as_str())
        .flatten();
    assert_eq!(url_path(in_path, input["key"].as_str()), path, "{id}");
    let set = |query: &str| decode_query(query).unwrap().into_iter().collect::<BTreeSet<_>>();
    assert_eq!(set(query), set(expected_query), "{id}");
}
