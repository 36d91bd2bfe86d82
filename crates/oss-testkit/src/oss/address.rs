//! Which bucket and key a request is for.

use percent_encoding::percent_decode_str;

use super::error::Refusal;
use crate::state::State;
use crate::wire::Request;

/// Suffix of the service's own host names.
const SERVICE_DOMAIN: &str = ".aliyuncs.com";

/// What a request is about. Empty names: the service itself, or the bucket itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) bucket: String,
    pub(super) key: String,
}

impl Target {
    pub(super) fn of(state: &State, request: &Request) -> Result<Self, Refusal> {
        let host = host_name(&request.host);
        let named = state
            .cnames
            .get(host)
            .map(String::as_str)
            .or_else(|| bucket_in_host(host));
        let path = request.path.strip_prefix('/').unwrap_or(&request.path);
        let (bucket, key) = match named {
            Some(bucket) => (bucket, path),
            None => path.split_once('/').unwrap_or((path, "")),
        };
        let decode = |text| percent_decode_str(text).decode_utf8();
        let (Ok(bucket), Ok(key)) = (decode(bucket), decode(key)) else {
            return Err(Refusal::new(
                400,
                "InvalidObjectName",
                "The specified object is not valid.",
                "0016-00000502",
            ));
        };
        Ok(Self {
            bucket: bucket.into_owned(),
            key: key.into_owned(),
        })
    }
}

/// The host without its port.
fn host_name(host: &str) -> &str {
    if host.starts_with('[') {
        return host.split_inclusive(']').next().unwrap_or(host);
    }
    host.split(':').next().unwrap_or(host)
}

/// The bucket of a virtual-hosted address: `bucket.localhost` or `bucket.oss-cn-hangzhou.aliyuncs.com`.
/// The service itself, and an IP address, name none.
fn bucket_in_host(host: &str) -> Option<&str> {
    let (first, rest) = host.split_once('.')?;
    let is_service = rest
        .strip_suffix(SERVICE_DOMAIN)
        .is_some_and(|service| service.starts_with("oss-"));
    let is_dual_stack = rest
        .split_once('.')
        .is_some_and(|(_, rest)| rest == "oss.aliyuncs.com");
    (rest.eq_ignore_ascii_case("localhost") || is_service || is_dual_stack).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_found_in_virtual_hosts_only() {
        for (host, bucket) in [
            ("localhost:80", None),
            ("127.0.0.1:9000", None),
            ("[::1]:9000", None),
            ("example-bucket.localhost:9000", Some("example-bucket")),
            ("oss-cn-hangzhou.aliyuncs.com", None),
            ("bkt.oss-cn-hangzhou.aliyuncs.com", Some("bkt")),
            ("bkt.oss-cn-hangzhou-internal.aliyuncs.com", Some("bkt")),
            ("bkt.cn-hangzhou.oss.aliyuncs.com", Some("bkt")),
            ("cn-hangzhou.oss.aliyuncs.com", None),
            ("www.example.com", None),
        ] {
            assert_eq!(bucket_in_host(host_name(host)), bucket, "{host}");
        }
    }
}
