//! The address of the shared gateway.

use std::fmt;

use oss_credentials_core::CredentialsError;
use oss_credentials_http::Endpoint;
use serde_json::{Map, Value};

use crate::config::{ENV_REGIONS, INSTANCE_SUFFIX};
use crate::error::{invalid, invalid_at};

/// A region whose shared gateway is called: `kms.<region id>.aliyuncs.com`, or `kms-vpc.…` inside a VPC, or a
/// custom host.
///
/// A client key belongs to a region and usually to one KMS instance. With more than one region the secret must
/// have the same name in each, and the application access point must allow the client key there.
///
/// ```
/// use oss_credentials_kms_client_key::KmsRegion;
///
/// let region = KmsRegion::new("cn-hangzhou").vpc(true);
/// assert_eq!(region.host(), "kms-vpc.cn-hangzhou.aliyuncs.com");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct KmsRegion {
    region_id: String,
    endpoint: Option<String>,
    vpc: bool,
}

impl fmt::Debug for KmsRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The endpoint is not checked yet: it may contain a user name and a password.
        let endpoint = self.endpoint.as_ref().map(|_| format_args!("<not shown>"));
        f.debug_struct("KmsRegion")
            .field("region_id", &self.region_id)
            .field("endpoint", &endpoint)
            .field("vpc", &self.vpc)
            .finish()
    }
}

impl KmsRegion {
    /// Creates a region, such as `cn-hangzhou`, with its public gateway.
    pub fn new(region_id: impl Into<String>) -> Self {
        Self {
            region_id: region_id.into(),
            endpoint: None,
            vpc: false,
        }
    }

    /// Sets the host to call instead of the region's: `host` or `host:port`, with or without `https://`. Plain
    /// `http://` is only for loopback. A blank one counts as none. Default: none.
    #[must_use]
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into()).filter(|endpoint| !endpoint.trim().is_empty());
        self
    }

    /// Sets whether to call the region's gateway inside the VPC. An endpoint takes precedence. Default: no.
    #[must_use]
    pub fn vpc(mut self, vpc: bool) -> Self {
        self.vpc = vpc;
        self
    }

    /// Returns the region ID, which every request contains and its signature covers.
    pub fn region_id(&self) -> &str {
        &self.region_id
    }

    /// Returns the host that is called: the custom one, or the one derived from the region ID.
    pub fn host(&self) -> String {
        match &self.endpoint {
            Some(endpoint) => endpoint.trim().to_owned(),
            None if self.vpc => format!("kms-vpc.{}.aliyuncs.com", self.region_id),
            None => format!("kms.{}.aliyuncs.com", self.region_id),
        }
    }

    pub(crate) fn resolve(&self) -> Result<Endpoint, CredentialsError> {
        check_region_id(&self.region_id)?;
        let endpoint = resolve_host(&self.host())?;
        if endpoint.host().ends_with(INSTANCE_SUFFIX) {
            return Err(invalid_at(
                endpoint.origin(),
                "the endpoint of a region is that of a KMS instance, which speaks another protocol",
                "name it with instance(..) or cache_client_dkms_config_info (feature `instance-gateway`), \
                 or leave the endpoint out",
            ));
        }
        Ok(endpoint)
    }
}

/// The id becomes part of a host name.
pub(crate) fn check_region_id(region_id: &str) -> Result<(), CredentialsError> {
    let is_id = |id: &str| {
        !id.is_empty()
            && id.len() <= 63
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if is_id(region_id) {
        return Ok(());
    }
    Err(invalid(
        "a region ID is empty or contains a character that no region ID has",
        "write it as in cn-hangzhou",
    ))
}

/// `host[:port]`, `https://` before it or not. `http://` only for loopback.
pub(crate) fn resolve_host(host: &str) -> Result<Endpoint, CredentialsError> {
    let hint = "write the endpoint as host or host:port";
    let endpoint = Endpoint::parse_or_https(host.trim()).map_err(|error| {
        let what = format!("a KMS endpoint is malformed: the URL {}", error.problem());
        invalid_at(error.place(), what, hint)
    })?;
    if !endpoint.is_origin() {
        let what = "a KMS endpoint has a path, a query or a user";
        return Err(invalid_at(endpoint.origin(), what, hint));
    }
    if !endpoint.is_https() && !endpoint.is_loopback() {
        return Err(invalid_at(
            endpoint.origin(),
            "a KMS endpoint is plain http://, which would show the keys to the network",
            "write https://, or the host alone",
        ));
    }
    Ok(endpoint)
}

/// Reads the value of `cache_client_region_id`.
pub(crate) fn parse(text: &str) -> Result<Vec<KmsRegion>, CredentialsError> {
    objects(text, ENV_REGIONS)?
        .iter()
        .enumerate()
        .map(|(index, object)| {
            let field = Field {
                setting: ENV_REGIONS,
                entry: index + 1,
                object,
            };
            let mut region = KmsRegion::new(field.required("regionId")?).vpc(field.flag("vpc")?);
            if let Some(endpoint) = field.text("endpoint")? {
                region = region.endpoint(endpoint);
            }
            Ok(region)
        })
        .collect()
}

/// Returns the objects of a JSON array. Values may be secrets in the wrong place, so none is quoted.
pub(crate) fn objects(
    text: &str,
    setting: &'static str,
) -> Result<Vec<Map<String, Value>>, CredentialsError> {
    let malformed = |what: String| {
        invalid_at(
            setting,
            what,
            format!("write {setting}=[{{\"regionId\":\"cn-hangzhou\"}}], an array even for one entry"),
        )
    };
    let array: Vec<Value> = serde_json::from_str(text).map_err(|error| {
        malformed(format!(
            "{setting} is not a JSON array of objects (column {})",
            error.column()
        ))
    })?;
    array
        .into_iter()
        .enumerate()
        .map(|(index, value)| match value {
            Value::Object(object) => Ok(object),
            _ => Err(malformed(format!(
                "entry {} of {setting} is not an object",
                index + 1
            ))),
        })
        .collect()
}

/// The members of one entry of a setting.
pub(crate) struct Field<'a> {
    pub(crate) setting: &'static str,
    /// From 1.
    pub(crate) entry: usize,
    pub(crate) object: &'a Map<String, Value>,
}

impl Field<'_> {
    /// A text; an empty one, or null, counts as unset.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, CredentialsError> {
        match self.object.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.trim()).filter(|text| !text.is_empty())),
            Some(_) => Err(self.wrong(name, "is not a string")),
        }
    }

    pub(crate) fn required(&self, name: &str) -> Result<&str, CredentialsError> {
        self.text(name)?.ok_or_else(|| self.wrong(name, "is missing"))
    }

    /// A boolean, also as the text `"true"` or `"false"`. Absent counts as false.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, CredentialsError> {
        match self.object.get(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(Value::String(text)) if text.is_empty() || text.eq_ignore_ascii_case("false") => Ok(false),
            Some(_) => Err(self.wrong(name, "is neither true nor false")),
        }
    }

    pub(crate) fn wrong(&self, name: &str, problem: &str) -> CredentialsError {
        invalid_at(
            self.setting,
            format!("{name} in entry {} of {} {problem}", self.entry, self.setting),
            format!("correct {name}"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_follow_endpoint_vpc_and_region() {
        let host = |region: KmsRegion| region.resolve().map(|endpoint| endpoint.origin());
        let region = || KmsRegion::new("cn-hangzhou");
        for (region, expected) in [
            (region(), "https://kms.cn-hangzhou.aliyuncs.com"),
            (region().vpc(true), "https://kms-vpc.cn-hangzhou.aliyuncs.com"),
            (
                region().vpc(true).endpoint("kms.example.com:8443"),
                "https://kms.example.com:8443",
            ),
            (
                region().endpoint("https://kms.example.com/"),
                "https://kms.example.com",
            ),
            (region().endpoint("  "), "https://kms.cn-hangzhou.aliyuncs.com"),
            (region().endpoint("http://127.0.0.1:1"), "http://127.0.0.1:1"),
        ] {
            assert_eq!(host(region.clone()).unwrap(), expected, "{region:?}");
        }
        for (region, word) in [
            (region().endpoint("http://kms.example.com"), "plain http://"),
            (region().endpoint("ftp://kms.example.com"), "malformed"),
            (region().endpoint("kms.example.com/path"), "has a path"),
            (region().endpoint("user:canary@kms.example.com"), "a user"),
            (
                region().endpoint("kst-1.cryptoservice.kms.aliyuncs.com"),
                "another protocol",
            ),
            (KmsRegion::new(""), "region ID"),
            (KmsRegion::new("cn-hangzhou.evil.example"), "region ID"),
        ] {
            let error = host(region.clone()).unwrap_err();
            assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
            assert!(error.to_string().contains(word), "{error}");
            assert!(!error.to_string().contains("canary"), "{error}");
        }
    }

    #[test]
    fn entries_of_the_wrong_shape_are_named() {
        for (text, expected) in [
            (
                "cn-hangzhou",
                "cache_client_region_id is not a JSON array of objects (column 1)",
            ),
            (r#"{"regionId":"cn-hangzhou"}"#, "is not a JSON array of objects"),
            (
                r#"["cn-hangzhou"]"#,
                "entry 1 of cache_client_region_id is not an object",
            ),
            (
                r#"[{"regionId":"a"},{"vpc":true}]"#,
                "regionId in entry 2 of cache_client_region_id is missing",
            ),
            (
                r#"[{"regionId":1}]"#,
                "regionId in entry 1 of cache_client_region_id is not a string",
            ),
            (
                r#"[{"regionId":"a","vpc":"yes"}]"#,
                "vpc in entry 1 of cache_client_region_id is neither",
            ),
            (
                r#"[{"regionId":"a","endpoint":{"x":"canary"}}]"#,
                "endpoint in entry 1",
            ),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("canary"), "{error}");
        }
        assert_eq!(parse("[]").unwrap(), []);
    }
}
