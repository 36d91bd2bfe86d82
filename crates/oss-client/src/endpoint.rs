//! The endpoint, and URLs on it.

use std::net::IpAddr;

use oss_credentials_http::Endpoint as Address;
use oss_sign::url_path;

use crate::error::InvalidInput;

/// The resolved endpoint: an origin, and where URLs contain the bucket's name.
///
/// Vendor document: "Regions and endpoints" (Object Storage Service, user guide).
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    scheme: &'static str,
    /// As reqwest writes it.
    host: String,
    /// Host and port as reqwest writes them.
    authority: String,
    style: Style,
    loopback: bool,
}

/// How URLs are derived from an endpoint.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Naming {
    /// The host is the bucket's own.
    pub(crate) cname: bool,
    pub(crate) path_style: bool,
    /// An endpoint without scheme is `http`.
    pub(crate) insecure: bool,
}

/// Where a URL contains the bucket's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// `bucket.host/key`
    Virtual,
    /// `host/bucket/key`
    Path,
    /// `host/key`
    Cname,
}

impl Endpoint {
    /// Parses `host`, `host:port` or a URL.
    pub(crate) fn parse(given: &str, naming: Naming) -> Result<Self, InvalidInput> {
        let given = if naming.insecure && !given.contains("://") {
            &format!("http://{given}")
        } else {
            given
        };
        let address = Address::parse_or_https(given)
            .map_err(|error| InvalidInput::new(format!("the endpoint {}", error.problem()), error.hint()))?;
        if address.user_info().is_some() {
            return Err(InvalidInput::new(
                "the endpoint has a user name or password",
                "write scheme://host[:port]; keys come from the credentials provider",
            ));
        }
        // Every spelling that reqwest accepts as an address (`127.1`) must count as one here.
        let url = reqwest::Url::parse(&address.origin()).ok();
        let Some((url, host)) = url
            .as_ref()
            .and_then(|url| url.host_str().map(|host| (url, host)))
        else {
            return Err(InvalidInput::new(
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
            style: if ip.is_some() {
                // An address cannot have a bucket's name in front, and is not a domain.
                Style::Path
            } else if naming.cname {
                Style::Cname
            } else if naming.path_style || is_localhost(host) {
                Style::Path
            } else {
                Style::Virtual
            },
            loopback: address.is_loopback() || ip.is_some_and(|ip| ip.to_canonical().is_loopback()),
            host: host.to_owned(),
            authority,
        })
    }

    pub(crate) fn is_https(&self) -> bool {
        self.scheme == "https"
    }

    /// The host without bucket and port.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Where URLs contain the bucket's name.
    pub(crate) fn style(&self) -> Style {
        self.style
    }

    /// Refuses a bucket whose name is already part of the endpoint, such as the bucket domain that the console shows.
    pub(crate) fn check(&self, bucket: &str) -> Result<(), InvalidInput> {
        let rest = self
            .host
            .strip_prefix(bucket)
            .and_then(|rest| rest.strip_prefix('.'));
        let is_doubled = rest.is_some_and(|rest| rest.starts_with("oss-") && rest.ends_with(".aliyuncs.com"));
        if self.style != Style::Virtual || !is_doubled {
            return Ok(());
        }
        Err(InvalidInput::new(
            format!("the endpoint begins with the bucket's name: {:?}", self.host),
            "leave the name out of `endpoint`, or set cname(true)",
        ))
    }

    /// The value of the header `Host`.
    pub(crate) fn host_of(&self, bucket: Option<&str>) -> String {
        match (self.style, bucket) {
            (Style::Virtual, Some(bucket)) => format!("{bucket}.{}", self.authority),
            _ => self.authority.clone(),
        }
    }

    /// Whether the endpoint is on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// The URL without its query. Bucket and key have been checked.
    pub(crate) fn url(&self, bucket: Option<&str>, key: Option<&str>) -> String {
        let bucket_in_path = bucket.filter(|_| self.style == Style::Path);
        let path = url_path(bucket_in_path, key);
        let bucket_in_host = bucket.filter(|_| self.style == Style::Virtual);
        let (name, dot) = bucket_in_host.map_or(("", ""), |name| (name, "."));
        [self.scheme, "://", name, dot, &self.authority, &path].concat()
    }
}

/// Whether the host is a name of this machine. With a bucket in front, most resolvers do not know the name.
fn is_localhost(host: &str) -> bool {
    host.strip_suffix('.').unwrap_or(host) == "localhost"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(given: &str) -> Endpoint {
        Endpoint::parse(given, Naming::default()).unwrap()
    }

    #[test]
    fn an_address_counts_as_one_in_every_spelling() {
        let url = |given| parse(given).url(Some("bkt"), Some("k"));
        assert_eq!(url("http://127.1:1"), "http://127.0.0.1:1/bkt/k");
        assert_eq!(url("http://2130706433"), "http://127.0.0.1/bkt/k");
        assert!(parse("http://127.1:1").is_loopback());
        assert!(parse("http://localhost").is_loopback());
        assert!(!parse("http://192.168.1.2").is_loopback());
    }

    #[test]
    fn localhost_has_the_bucket_in_the_path_unless_it_is_a_custom_domain() {
        let url = |given, cname| {
            let naming = Naming {
                cname,
                ..Naming::default()
            };
            Endpoint::parse(given, naming)
                .unwrap()
                .url(Some("bkt"), Some("k"))
        };
        assert_eq!(url("http://localhost:8080", false), "http://localhost:8080/bkt/k");
        assert_eq!(url("http://LOCALHOST.", false), "http://localhost./bkt/k");
        assert_eq!(url("http://localhost:8080", true), "http://localhost:8080/k");
        assert_eq!(url("http://oss.localhost", false), "http://bkt.oss.localhost/k");
    }

    #[test]
    fn a_bucket_does_not_stand_in_a_host_twice() {
        let check = |given, naming| Endpoint::parse(given, naming).unwrap().check("bkt");
        let own = "https://bkt.oss-cn-hangzhou.aliyuncs.com";
        assert_eq!(
            check(own, Naming::default()).unwrap_err().to_string(),
            "oss-client: the endpoint begins with the bucket's name: \"bkt.oss-cn-hangzhou.aliyuncs.com\"; leave the \
             name out of `endpoint`, or set cname(true)"
        );
        let cname = Naming {
            cname: true,
            ..Naming::default()
        };
        assert_eq!(check(own, cname), Ok(()));
        for other in [
            "https://other.oss-cn-hangzhou.aliyuncs.com",
            "https://bkt.example.com",
            "https://bkt.oss.aliyuncs.com",
            "https://bkt.cn-hangzhou.oss-cloudbox.aliyuncs.com",
        ] {
            assert_eq!(check(other, Naming::default()), Ok(()), "{other}");
        }
        // A bucket may have the name of an endpoint.
        let odd = parse("oss-cn-hangzhou.aliyuncs.com");
        assert_eq!(odd.check("oss-cn-hangzhou"), Ok(()));
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
            let error = Endpoint::parse(given, Naming::default()).unwrap_err().to_string();
            assert!(
                error.starts_with("oss-client: the endpoint") && error.contains(word),
                "{given}: {error}"
            );
            assert!(!error.contains("canary"), "{error}");
        }
    }
}
