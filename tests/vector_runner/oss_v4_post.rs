//! Vectors of POST policies with a V4 signature.

use std::time::{Duration, SystemTime};

use oss_credentials_core::Credentials;
use oss_sign::v4::{LimitedBy, PostPolicy};
use serde_json::Value;

use crate::Verdict;
use crate::field::{pairs, text};
use crate::oss_v4::signer;

pub(crate) fn policy(vector: &Value) -> Verdict {
    let (input, expected) = (&vector["input"], &vector["expected"]);
    let unix = |value: &Value, name: &str| {
        let seconds = value[name]
            .as_f64()
            .ok_or_else(|| format!("the vector has no number {name:?}"))?;
        Ok::<_, String>(SystemTime::UNIX_EPOCH + Duration::from_secs_f64(seconds))
    };
    let refused = |error| format!("the signer refuses: {error}");
    let end = match &input["credentials_end_unix"] {
        Value::Null => None,
        _ => Some(unix(input, "credentials_end_unix")?),
    };
    let credentials = Credentials::builder(text(input, "access_key_id")?, text(input, "access_key_secret")?)
        .security_token(input["security_token"].as_str().unwrap_or_default())
        .expires_at(end)
        .build()
        .map_err(|error| format!("the credentials are refused: {error}"))?;
    let expires = Duration::from_secs(input["expires_seconds"].as_u64().ok_or("no expires_seconds")?);
    let mut policy = PostPolicy::new(text(input, "bucket")?);
    for condition in input["conditions"].as_array().into_iter().flatten() {
        policy = with(policy, condition)?;
    }
    let form = signer(input)?
        .sign_post(&policy, &credentials, unix(input, "signing_time_unix")?, expires)
        .map_err(refused)?;
    let (ours, wanted): (Vec<_>, _) = (form.fields().collect(), pairs(expected, "fields")?);
    if ours != wanted {
        return Err(format!(
            "the fields differ\n  wanted {wanted:?}\n  got    {ours:?}"
        ));
    }
    let limited_by = match form.limited_by() {
        LimitedBy::Asked => "asked",
        LimitedBy::Credentials => "credentials",
        LimitedBy::SevenDays => "seven-days",
        _ => "something else",
    };
    if limited_by != text(expected, "limited_by")?
        || form.valid_until() != unix(expected, "valid_until_unix")?
    {
        return Err(format!(
            "it ends at {:?}, limited by {limited_by}",
            form.valid_until()
        ));
    }
    Ok(())
}

/// Adds a condition that stands in the policy's own form.
fn with(policy: PostPolicy, condition: &Value) -> Result<PostPolicy, String> {
    let unknown = || format!("the condition {condition} is unknown");
    let field = || {
        condition[1]
            .as_str()
            .and_then(|field| field.strip_prefix('$'))
            .ok_or_else(unknown)
    };
    let value = || condition[2].as_str().ok_or_else(unknown);
    let values = || {
        let values = condition[2].as_array().ok_or_else(unknown)?;
        Ok::<_, String>(values.iter().filter_map(Value::as_str))
    };
    Ok(match condition[0].as_str().unwrap_or_default() {
        "eq" => policy.equals(field()?, value()?),
        "starts-with" => policy.starts_with(field()?, value()?),
        "in" => policy.is_in(field()?, values()?),
        "not-in" => policy.is_not_in(field()?, values()?),
        "content-length-range" => match (condition[1].as_u64(), condition[2].as_u64()) {
            (Some(smallest), Some(largest)) => policy.content_length_range(smallest..=largest),
            _ => return Err(unknown()),
        },
        _ => return Err(unknown()),
    })
}
