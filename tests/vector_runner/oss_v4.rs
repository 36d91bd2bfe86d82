//! Vectors of the OSS V4 signature, as headers and as a presigned URL.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use oss_credentials_core::Credentials;
use oss_sign::RequestView;
use oss_sign::v4::{Explained, Signer};
use serde_json::Value;

use crate::Verdict;
use crate::field::{pairs, same, text};

pub(crate) struct Input<'a> {
    value: &'a Value,
    pub(crate) credentials: Credentials,
    pub(crate) time: SystemTime,
    query: Vec<(&'a str, &'a str)>,
    headers: Vec<(&'a str, &'a [u8])>,
}

impl<'a> Input<'a> {
    pub(crate) fn read(value: &'a Value) -> Result<Self, String> {
        let credentials =
            Credentials::builder(text(value, "access_key_id")?, text(value, "access_key_secret")?)
                .security_token(value["security_token"].as_str().unwrap_or_default())
                .build()
                .map_err(|error| format!("the credentials are refused: {error}"))?;
        let seconds = value["signing_time_unix"]
            .as_u64()
            .ok_or("the vector has no signing_time_unix")?;
        let headers = pairs(value, "headers")?;
        Ok(Self {
            value,
            credentials,
            time: SystemTime::UNIX_EPOCH + Duration::from_secs(seconds),
            query: pairs(value, "query")?,
            headers: headers
                .into_iter()
                .map(|(name, value)| (name, value.as_bytes()))
                .collect(),
        })
    }

    pub(crate) fn view(&'a self) -> Result<RequestView<'a>, String> {
        Ok(RequestView::new(text(self.value, "method")?)
            .bucket(self.value["bucket"].as_str())
            .key(self.value["key"].as_str())
            .query(&self.query)
            .headers(&self.headers[..]))
    }
}

/// The signer that the vector asks for.
pub(crate) fn signer(value: &Value) -> Result<Signer, String> {
    let additional = value["additional_headers"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    Signer::builder(text(value, "region")?)
        .product(text(value, "product")?)
        .additional_headers(additional.iter().filter_map(Value::as_str))
        .build()
        .map_err(|error| format!("the signer refuses: {error}"))
}

pub(crate) fn header(vector: &Value) -> Verdict {
    let expected = &vector["expected"];
    let input = Input::read(&vector["input"])?;
    let signer = signer(&vector["input"])?;
    let view = input.view()?;
    let refused = |error| format!("the signer refuses: {error}");
    let explained = signer
        .explain(&view, &input.credentials, input.time)
        .map_err(refused)?;
    compare(expected, &explained)?;
    let result = signer
        .sign(&view, &input.credentials, input.time)
        .map_err(refused)?;
    same(expected, "signature", result.signature())?;
    same(expected, "authorization", result.authorization())?;
    // Whatever the official client sets in signing, this one sets as well, to the same value.
    let ours: BTreeMap<String, String> = result
        .headers()
        .map(|header| {
            (
                header.name.to_ascii_lowercase(),
                String::from_utf8_lossy(header.value.as_bytes()).into_owned(),
            )
        })
        .collect();
    for (name, value) in pairs(expected, "headers")? {
        let name = name.to_ascii_lowercase();
        if let Some(got) = ours.get(&name)
            && got != value
        {
            return Err(format!("header {name} is {got:?}, not {value:?}"));
        }
        if !ours.contains_key(&name)
            && !input
                .headers
                .iter()
                .any(|(given, _)| given.eq_ignore_ascii_case(&name))
        {
            return Err(format!("header {name} is missing"));
        }
    }
    Ok(())
}

pub(crate) fn query(vector: &Value) -> Verdict {
    let expected = &vector["expected"];
    let input = Input::read(&vector["input"])?;
    let signer = signer(&vector["input"])?;
    let view = input.view()?;
    let refused = |error| format!("the signer refuses: {error}");
    let seconds = vector["input"]["expires_seconds"]
        .as_u64()
        .ok_or("the vector has no expires_seconds")?;
    let expires = Duration::from_secs(seconds);
    let explained = signer
        .explain_presign(&view, &input.credentials, input.time, expires)
        .map_err(refused)?;
    compare(expected, &explained)?;
    let presigned = signer
        .presign(&view, &input.credentials, input.time, expires)
        .map_err(refused)?;
    let decode = |query: &str| -> Result<BTreeMap<String, String>, String> {
        Ok(oss_sign::decode_query(query)
            .map_err(refused)?
            .into_iter()
            .collect())
    };
    let ours = decode(presigned.query())?;
    let wanted: BTreeMap<String, String> = pairs(expected, "query")?
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    if ours != wanted {
        return Err(format!(
            "the parameters differ\n  wanted {wanted:?}\n  got    {ours:?}"
        ));
    }
    if ours.get("x-oss-signature").map(String::as_str) != expected["signature"].as_str() {
        return Err("the signature differs".to_owned());
    }
    let (_, url_query) = text(expected, "url")?
        .split_once('?')
        .ok_or("the expected URL has no query")?;
    if decode(url_query)? != ours {
        return Err("the URL's parameters differ".to_owned());
    }
    Ok(())
}

fn compare(expected: &Value, explained: &Explained) -> Verdict {
    same(
        expected,
        "canonical_request",
        &String::from_utf8_lossy(explained.canonical_request()),
    )?;
    same(
        expected,
        "canonical_request_sha256",
        explained.canonical_request_sha256(),
    )?;
    same(expected, "string_to_sign", explained.string_to_sign())
}
