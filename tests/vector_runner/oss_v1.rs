//! Vectors of the OSS V1 signature, as headers and as a presigned URL.

use std::collections::BTreeMap;
use std::time::Duration;

use oss_sign::v1::{Explained, Signer};
use serde_json::Value;

use crate::Verdict;
use crate::field::{pairs, same};
use crate::oss_v4::Input;

pub(crate) fn header(vector: &Value) -> Verdict {
    let expected = &vector["expected"];
    let input = Input::read(&vector["input"])?;
    let view = input.view()?;
    let refused = |error| format!("the signer refuses: {error}");
    let signer = Signer::new();
    let explained = signer
        .explain(&view, &input.credentials, input.time)
        .map_err(refused)?;
    compare(expected, &explained)?;
    let result = signer
        .sign(&view, &input.credentials, input.time)
        .map_err(refused)?;
    same(expected, "signature", result.signature())?;
    same(expected, "authorization", result.authorization())?;
    // What is set is what the official client sends, to the same values.
    let wanted: BTreeMap<String, &str> = pairs(expected, "headers")?
        .into_iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .collect();
    for header in result.headers() {
        if wanted.get(header.name) != Some(&header.value) {
            return Err(format!("header {} is {:?}", header.name, header.value));
        }
    }
    Ok(())
}

pub(crate) fn query(vector: &Value) -> Verdict {
    let expected = &vector["expected"];
    let input = Input::read(&vector["input"])?;
    let view = input.view()?;
    let refused = |error| format!("the signer refuses: {error}");
    let seconds = vector["input"]["expires_seconds"]
        .as_u64()
        .ok_or("the vector has no expires_seconds")?;
    let expires = Duration::from_secs(seconds);
    let signer = Signer::new();
    let explained = signer
        .explain_presign(&view, &input.credentials, input.time, expires)
        .map_err(refused)?;
    compare(expected, &explained)?;
    let presigned = signer
        .presign(&view, &input.credentials, input.time, expires)
        .map_err(refused)?;
    let ours: BTreeMap<String, String> = oss_sign::decode_query(presigned.query())
        .map_err(refused)?
        .into_iter()
        .collect();
    let wanted: BTreeMap<String, String> = pairs(expected, "query")?
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    if ours != wanted {
        return Err(format!(
            "the parameters differ\n  wanted {wanted:?}\n  got    {ours:?}"
        ));
    }
    same(
        expected,
        "signature",
        ours.get("Signature").map_or("", String::as_str),
    )
}

fn compare(expected: &Value, explained: &Explained) -> Verdict {
    for (name, got) in [
        ("canonicalized_oss_headers", explained.canonicalized_headers()),
        ("canonicalized_resource", explained.canonicalized_resource()),
        ("string_to_sign", explained.string_to_sign()),
    ] {
        same(expected, name, &String::from_utf8_lossy(got))?;
    }
    Ok(())
}
