//! The policy of a form upload: the conditions on the form, and its expiry.
//!
//! Vendor documents: "`PostObject`", appendix about the policy, and the pages about `EC` codes that begin
//! with 0006 (Object Storage Service, support).

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::error::Refusal;
use crate::time::parse_iso_millis;

/// Fields that a policy of a V4 form has to name, besides the bucket: "A V4 signature in a
/// `PostObject` request".
const REQUIRED: [&str; 3] = ["x-oss-signature-version", "x-oss-credential", "x-oss-date"];

/// The fields of a form.
pub(super) struct Brought<'a> {
    /// Whether it has a V4 signature, whose fields the policy must contain.
    pub(super) is_v4: bool,
    /// The value of a field, its name in any case.
    pub(super) field: &'a dyn Fn(&str) -> Option<&'a str>,
    /// Size of the file in bytes.
    pub(super) size: usize,
}

/// Checks a form against its policy, base64 as it was sent.
pub(super) fn check(policy: &str, brought: &Brought<'_>, now: SystemTime) -> Result<(), Refusal> {
    let json = STANDARD
        .decode(policy.trim())
        .map_err(|_| malformed("Invalid base64.", ""))?;
    let policy: Value = serde_json::from_slice(&json).map_err(|_| malformed("Invalid JSON.", ""))?;
    let (expiration, conditions) = (policy.get("expiration"), policy.get("conditions"));
    let (expiration, conditions) = match (expiration, conditions) {
        (Some(expiration), Some(conditions)) => (expiration, conditions),
        (None, None) => {
            return Err(malformed(
                "Policy misses expiration and conditions.",
                "0006-00000209",
            ));
        }
        (None, _) => return Err(malformed("Policy misses expiration.", "0006-00000208")),
        (_, None) => return Err(malformed("Policy misses conditions.", "0006-00000207")),
    };
    let expiration = expiration.as_str().and_then(parse_iso_millis);
    let expiration = expiration.ok_or_else(|| malformed("Invalid expiration.", "0006-00000210"))?;
    if expiration < now {
        return Err(denied("Policy expired.", "0006-00000213"));
    }
    let conditions = conditions.as_array();
    let conditions = conditions.ok_or_else(|| malformed("Conditions must be an array.", "0006-00000214"))?;
    let mut named = Vec::new();
    for condition in conditions {
        check_condition(condition, brought, &mut named)?;
    }
    // The vendor lists these as required; how their lack is refused is a guess.
    let is_named = |wanted: &&&str| named.iter().any(|name| name.eq_ignore_ascii_case(wanted));
    let required: &[&str] = if brought.is_v4 { &REQUIRED } else { &[] };
    match required.iter().find(|wanted| !is_named(wanted)) {
        Some(missing) => Err(malformed(&format!("Policy misses a condition on {missing}."), "")),
        None => Ok(()),
    }
}

/// One condition: an object with one name and value, or an array of operator, field and value.
fn check_condition(condition: &Value, brought: &Brought<'_>, named: &mut Vec<String>) -> Result<(), Refusal> {
    let invalid = || malformed("Invalid condition.", "0006-00000224");
    if let Some(object) = condition.as_object() {
        let (1, Some((name, value))) = (object.len(), object.iter().next()) else {
            let message =
                "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.";
            return Err(malformed(message, ""));
        };
        named.push(name.clone());
        let wanted = value.as_str().ok_or_else(invalid)?;
        return hold((brought.field)(name) == Some(wanted), condition);
    }
    let parts = condition.as_array().ok_or_else(invalid)?;
    let [operator, name, value] = parts.as_slice() else {
        return Err(invalid());
    };
    let operator = operator.as_str().ok_or_else(invalid)?;
    if operator == "content-length-range" {
        return check_size(name, value, brought.size);
    }
    let name = name.as_str().ok_or_else(invalid)?;
    let name = name.strip_prefix('$').unwrap_or(name);
    named.push(name.to_owned());
    let found = (brought.field)(name).unwrap_or_default();
    let holds = match operator {
        "eq" => found == value.as_str().ok_or_else(invalid)?,
        "starts-with" => found.starts_with(value.as_str().ok_or_else(invalid)?),
        "in" | "not-in" => {
            let values = value.as_array().ok_or_else(invalid)?;
            values.iter().any(|value| value.as_str() == Some(found)) == (operator == "in")
        }
        _ => return Err(invalid()),
    };
    hold(holds, condition)
}

fn check_size(least: &Value, most: &Value, size: usize) -> Result<(), Refusal> {
    let number = |value: &Value| value.as_u64().and_then(|number| usize::try_from(number).ok());
    let (Some(least), Some(most)) = (number(least), number(most)) else {
        return Err(malformed("Invalid content-length-range.", "0006-00000221"));
    };
    if most < least {
        return Err(malformed("Invalid content-length-range.", "0006-00000219"));
    }
    let (code, message, ec) = if size < least {
        (
            "EntityTooSmall",
            "Your proposed upload is smaller than the minimum allowed size.",
            "0006-00000004",
        )
    } else if size > most {
        (
            "EntityTooLarge",
            "Your proposed upload exceeds the maximum allowed size.",
            "0006-00000003",
        )
    } else {
        return Ok(());
    };
    Err(Refusal::new(400, code, message, ec))
}

fn hold(holds: bool, condition: &Value) -> Result<(), Refusal> {
    if holds {
        Ok(())
    } else {
        Err(denied(
            &format!("Policy Condition failed: {condition}"),
            "0006-00000227",
        ))
    }
}

fn denied(why: &str, ec: &'static str) -> Refusal {
    Refusal::new(
        403,
        "AccessDenied",
        &format!("Invalid according to Policy: {why}"),
        ec,
    )
}

fn malformed(why: &str, ec: &'static str) -> Refusal {
    Refusal::new(
        400,
        "InvalidPolicyDocument",
        &format!("Invalid Policy: {why}"),
        ec,
    )
}
