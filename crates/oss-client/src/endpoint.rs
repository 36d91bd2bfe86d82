//! Where requests go.

use std::net::IpAddr;

use oss_credentials_core::http::Endpoint as Address;
use oss_sign::url_path;

use crate::error::Problem;

/// The resolved endpoint: an origin, and where the bucket's name stands.
///
/// Vendor document: "Regions and endpoints" (Object Storage Service, user guide).
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    scheme: &'static str,
    /// Host and port as reqwest writes them.
    authority: String,
    style: Style,
    loopback: bool,
}

/// Where the bucket's name stands in a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// `bucket.host/key`
    Virtual,
    /// `host/bucket/key`
    Path,
}

impl Endpoint {
    /// The endpoint given, else the region's public one. The region has been checked.
    pub(crate) fn resolve(given: Option<&str>, region: &str, path_style: bool) -> Result<Self, Problem> {
        match given {
            Some(given) => Self::parse(given, path_style),
            None => Self::parse(&format!("oss-{region}.aliyuncs.com"), path_style),
        }
    }

    fn parse(given: &str, path_style: bool) -> Result<Self, Problem> {
        let address = Address::parse_or_https(given).map_err(|error| {
            let detail = error.detail();
            let what = detail.map_or("cannot be read", |detail| {
                detail.what().trim_start_matches("the URL ")
            });
            let hint = detail
                .and_then(|detail| detail.hint())
                .unwrap_or("write scheme://host[:port]");
            Problem::new(format!("the endpoint {what}"), hint.to_owned())
        })?;
        if address.user_info().is_some() {
            return Err(Problem::new(
                "the endpoint has a user name or password",
                "write scheme://host[:port]; keys come from the credentials provider",
            ));
        }
        // Every spelling of an address that reqwest takes for one (`127.1`) has to count as one here.
        let url = reqwest::Url::parse(&address.origin()).ok();
        let Some((url, host)) = url
            .as_ref()
            .and_then(|url| url.host_str().map(|host| (url, host)))
        else {
            return Err(Problem::new(
                format!("the endpoint's host {:?} is malformed", address.host()),
                "write scheme://host[:port]",
            ));
        };
        let ip = host.trim_matches(['[', ']']).parse::<IpAddr>().ok();
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        Ok(Self {
            scheme: address.scheme(),
            style: if ip.is_some() || path_style {
                Style::Path
            } else {
                Style::Virtual
            },
            loopback: address.is_loopback() || ip.is_some_and(|ip| ip.to_canonical().is_loopback()),
            authority,
        })
    }

    pub(crate) fn is_https(&self) -> bool {
        self.scheme == "https"
    }

    /// Whether it is on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// The URL without query. Bucket and key have been checked.
    pub(crate) fn url(&self, bucket: Option<&str>, key: Option<&str>) -> String {
        let Self {
            scheme, authority, ..
        } = self;
        match (self.style, bucket) {
            (Style::Virtual, Some(bucket)) => {
                format!("{scheme}://{bucket}.{authority}{}", url_path(None, key))
            }
            _ => format!("{scheme}://{authority}{}", url_path(bucket, key)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(given: &str, path_style: bool) -> Endpoint {
        Endpoint::resolve(
            Some(given).filter(|text| !text.is_empty()),
            "cn-hangzhou",
            path_style,
        )
        .unwrap()
    }

    /// Inputs and URLs observed with the vendor's Python V2 SDK, and with the Go V2 SDK for IPv6: for the
    /// object `a b/c` in `bkt`, for the bucket, and for the service.
    #[test]
    fn urls_are_those_of_the_official_clients() {
        for (given, path_style, object, bucket, service) in [
            (
                "",
                false,
                "https://bkt.oss-cn-hangzhou.aliyuncs.com/a%20b/c",
                "https://bkt.oss-cn-hangzhou.aliyuncs.com/",
                "https://oss-cn-hangzhou.aliyuncs.com/",
            ),
            (
                "",
                true,
                "https://oss-cn-hangzhou.aliyuncs.com/bkt/a%20b/c",
                "https://oss-cn-hangzhou.aliyuncs.com/bkt/",
                "https://oss-cn-hangzhou.aliyuncs.com/",
            ),
            (
                "http://192.168.1.2:8080",
                false,
                "http://192.168.1.2:8080/bkt/a%20b/c",
                "http://192.168.1.2:8080/bkt/",
                "http://192.168.1.2:8080/",
            ),
            (
                "http://localhost:8080",
                false,
                "http://bkt.localhost:8080/a%20b/c",
                "http://bkt.localhost:8080/",
                "http://localhost:8080/",
            ),
        ] {
            let endpoint = resolve(given, path_style);
            assert_eq!(endpoint.url(Some("bkt"), Some("a b/c")), object);
            assert_eq!(endpoint.url(Some("bkt"), None), bucket);
            assert_eq!(endpoint.url(None, None), service);
        }
        for (given, object) in [
            (
                "oss-cn-beijing.aliyuncs.com",
                "https://bkt.oss-cn-beijing.aliyuncs.com/a%20b/c",
            ),
            (
                "http://oss-cn-beijing.aliyuncs.com",
                "http://bkt.oss-cn-beijing.aliyuncs.com/a%20b/c",
            ),
            ("http://[::1]:8080", "http://[::1]:8080/bkt/a%20b/c"),
            ("192.168.1.2:8080", "https://192.168.1.2:8080/bkt/a%20b/c"),
            ("e.com:8443", "https://bkt.e.com:8443/a%20b/c"),
            ("https://e.com/base/path", "https://bkt.e.com/a%20b/c"),
        ] {
            assert_eq!(resolve(given, false).url(Some("bkt"), Some("a b/c")), object);
        }
    }

    #[test]
    fn an_address_counts_as_one_in_every_spelling() {
        let url = |given| resolve(given, false).url(Some("bkt"), Some("k"));
        assert_eq!(url("http://127.1:1"), "http://127.0.0.1:1/bkt/k");
        assert_eq!(url("http://2130706433"), "http://127.0.0.1/bkt/k");
        assert!(resolve("http://127.1:1", false).is_loopback());
        assert!(resolve("http://localhost", false).is_loopback());
        assert!(!resolve("http://192.168.1.2", false).is_loopback());
    }

    #[test]
    fn what_is_no_endpoint_is_refused_without_repeating_secrets() {
        for (given, word) in [
            ("ftp://e.com", "scheme that is not supported"),
            ("http://", "no host"),
            ("", "no host"),
            ("http://e.com:99999", "port over 65535"),
            ("http://us:canary@e.com", "user name or password"),
            ("http://[fe80::1%25eth0]", "malformed"),
            ("http://a b", "white space"),
        ] {
            let error = Endpoint::parse(given, false).unwrap_err().to_string();
            assert!(
                error.starts_with("oss-client: the endpoint") && error.contains(word),
                "{given}: {error}"
            );
            assert!(!error.contains("canary"), "{error}");
        }
    }
}
