//! The host to call.

use oss_credentials_core::{CredentialsError, ErrorDetail};
use oss_credentials_http::Endpoint;

use crate::{TRACING_TARGET, events};

/// Checks an explicit endpoint: with or without `https://`, no user, path or query; plain `http://` only for
/// loopback, or with `allow_http`, which logs a warning.
pub(crate) fn explicit(
    name: &'static str,
    product: &str,
    endpoint: &str,
    allow_http: bool,
) -> Result<Endpoint, CredentialsError> {
    let label = product.to_ascii_uppercase();
    let invalid = |what: &str, place: String, hint: String| {
        CredentialsError::invalid_config(
            ErrorDetail::builder(name, format!("the endpoint of {label} {what}"))
                .place(place)
                .hint(hint),
        )
    };
    let parsed = Endpoint::parse_or_https(endpoint).map_err(|error| {
        let host = format!("{}.cn-hangzhou.aliyuncs.com", product.to_ascii_lowercase());
        let place = error.place().to_owned();
        invalid(error.problem(), place, format!("write a host such as {host}"))
    })?;
    let origin = parsed.origin();
    // The parser drops a fragment: `evil.example#.cn-hangzhou.aliyuncs.com` would be another host.
    if !parsed.is_origin() || endpoint.contains('#') {
        let what = "has a user, a path or a query";
        return Err(invalid(what, origin.clone(), format!("write it as {origin}")));
    }
    if !parsed.is_protected() && !allow_http {
        let hint = "use https://, or allow_http(true) for a network you trust".to_owned();
        return Err(invalid(
            "is plain http, which shows tokens to the network",
            origin,
            hint,
        ));
    }
    if !parsed.is_protected() {
        tracing::warn!(
            name: events::PLAIN_HTTP, target: TRACING_TARGET, provider = name, host = parsed.host(),
            event = events::PLAIN_HTTP,
            "the endpoint of {label} is plain http: anyone on the network path can read the credentials"
        );
    }
    Ok(Endpoint::parse(&origin)?)
}

/// `<product>.<region>.aliyuncs.com`
pub(crate) fn regional(
    name: &'static str,
    product: &str,
    region: &str,
) -> Result<Endpoint, CredentialsError> {
    validate_region(name, region)?;
    let region = region.to_ascii_lowercase();
    explicit(
        name,
        product,
        &format!("{}.{region}.aliyuncs.com", product.to_ascii_lowercase()),
        false,
    )
}

/// Checks the shape of a region ID, such as `cn-hangzhou`: it becomes part of a host name. Errors begin with `name`.
///
/// # Errors
///
/// [`CredentialsError::InvalidConfig`] if it has another shape.
///
/// ```
/// assert!(acs_client::validate_region("example", "cn-hangzhou").is_ok());
/// assert!(acs_client::validate_region("example", "cn-hangzhou.evil.example/").is_err());
/// ```
pub fn validate_region(name: &'static str, region: &str) -> Result<(), CredentialsError> {
    let is_label = |c: char| c.is_ascii_alphanumeric() || c == '-';
    // `oss-` is the beginning of an OSS host, taken along by mistake: no region has it.
    let edges = region.starts_with('-') || region.ends_with('-') || region.starts_with("oss-");
    if (1..=63).contains(&region.len()) && !edges && region.chars().all(is_label) {
        return Ok(());
    }
    Err(CredentialsError::invalid_config(
        ErrorDetail::builder(name, format!("{region:?} is not a valid region ID"))
            .hint("use an ID such as cn-hangzhou, or set the endpoint instead"),
    ))
}
