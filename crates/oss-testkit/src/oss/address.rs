//! Which bucket and key a request is for.

use std::collections::HashMap;

use percent_encoding::percent_decode_str;

use super::error::Refusal;
use crate::wire::Request;

/// Suffixes of the service's own host names, and of those that lead to this machine.
const SERVICE_DOMAINS: [&str; 2] = [".aliyuncs.com", ".localhost"];
/// The first label of the endpoints for clients of S3. No bucket has so short a name.
const S3: &str = "s3";

/// The resource of a request. Without a bucket it is the service itself, without a key the bucket itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) bucket: String,
    pub(super) key: String,
    /// Whether the bucket's name is in the host instead of the path.
    pub(super) is_virtual_hosted: bool,
}

impl Target {
    pub(super) fn of(cnames: &HashMap<String, String>, request: &Request) -> Result<Self, Refusal> {
        let host = host_name(&request.host);
        let named = cnames
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
            is_virtual_hosted: named.is_some(),
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

/// The bucket of a virtual-hosted address: `bucket.localhost` or `bucket.oss-cn-hangzhou.aliyuncs.com`, with `s3.`
/// after the bucket where clients of S3 are meant. The service itself, and an IP address, name none.
fn bucket_in_host(host: &str) -> Option<&str> {
    let (first, rest) = host.split_once('.')?;
    let rest = rest.strip_prefix("s3.").unwrap_or(rest);
    let is_dual_stack = rest
        .split_once('.')
        .is_some_and(|(_, rest)| rest == "oss.aliyuncs.com");
    let is_virtual = rest.eq_ignore_ascii_case("localhost") || is_service(rest) || is_dual_stack;
    (is_virtual && first != S3).then_some(first)
}

/// `oss-cn-hangzhou.aliyuncs.com`, and the like on this machine.
fn is_service(host: &str) -> bool {
    let name = SERVICE_DOMAINS
        .iter()
        .find_map(|domain| host.strip_suffix(domain));
    name.is_some_and(|name| name.starts_with("oss-") && !name.contains('.'))
}

/// Returns whether the host is an endpoint for clients of S3, with or without a bucket.
pub(super) fn is_s3_host(host: &str) -> bool {
    let mut rest = Some(host_name(host));
    // The service itself, then a bucket in front of it.
    for _ in 0..2 {
        let Some((first, after)) = rest.and_then(|rest| rest.split_once('.')) else {
            return false;
        };
        if first == S3 {
            return after == "localhost" || is_service(after);
        }
        rest = Some(after);
    }
    false
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
            ("bkt.s3.oss-cn-hangzhou.aliyuncs.com", Some("bkt")),
            ("bkt.s3.oss-cn-hangzhou-internal.aliyuncs.com:80", Some("bkt")),
            ("s3.oss-cn-hangzhou.aliyuncs.com", None),
            ("bkt.s3.oss-cn-hangzhou.localhost:9000", Some("bkt")),
            ("bkt.oss-cn-hangzhou.localhost:9000", Some("bkt")),
            ("bkt.s3.localhost:9000", Some("bkt")),
            ("s3.localhost:9000", None),
        ] {
            assert_eq!(bucket_in_host(host_name(host)), bucket, "{host}");
        }
    }

    #[test]
    fn endpoints_for_clients_of_s3_are_told_apart() {
        for host in [
            "s3.localhost",
            "bkt.s3.localhost:9000",
            "s3.oss-cn-hangzhou.aliyuncs.com",
            "bkt.s3.oss-cn-hangzhou-internal.aliyuncs.com",
            "bkt.s3.oss-cn-hangzhou.localhost:80",
        ] {
            assert!(is_s3_host(host), "{host}");
        }
        for host in [
            "localhost",
            "127.0.0.1:80",
            "bkt.oss-cn-hangzhou.aliyuncs.com",
            "bkt.s3.amazonaws.com",
            "a.b.s3.localhost",
        ] {
            assert!(!is_s3_host(host), "{host}");
        }
    }
}
