//! The only place where URLs are parsed.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use zeroize::Zeroizing;

use crate::endpoint_error::EndpointError;

/// A URL, split: scheme, user-info, host, port, path and query.
///
/// Only `http` and `https` are supported. Only the case of scheme and host is normalized: path and query
/// are kept unchanged. `Debug` and `Display` show neither user-info nor query.
///
/// # Examples
///
/// ```
/// use oss_credentials_http::Endpoint;
///
/// let endpoint = Endpoint::parse("http://user:pw@[::1]:8080/a?b=c")?;
/// assert_eq!(endpoint.host(), "::1");
/// assert_eq!(endpoint.authority(), "[::1]:8080");
/// assert_eq!(endpoint.to_string(), "http://[::1]:8080/a");
/// assert!(endpoint.is_loopback());
/// # Ok::<(), oss_credentials_core::CredentialsError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    https: bool,
    user_info: Option<Zeroizing<String>>,
    /// Without the brackets of an IPv6 address.
    host: String,
    port: Option<u16>,
    path: String,
    query: Option<Zeroizing<String>>,
}

impl Endpoint {
    /// Splits an absolute `http` or `https` URL.
    ///
    /// # Errors
    ///
    /// [`EndpointError`] if the scheme is missing or not supported, or if host or port is malformed. `?` turns it into
    /// [`InvalidConfig`](oss_credentials_core::CredentialsError::InvalidConfig).
    pub fn parse(url: &str) -> Result<Self, EndpointError> {
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(EndpointError::new(
                url,
                "has no scheme",
                "begin it with https:// (or http://)",
            ));
        };
        let https = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => {
                return Err(EndpointError::new(
                    url,
                    "has a scheme that is not supported",
                    "use https:// or http://",
                ));
            }
        };
        Self::after_scheme(https, rest, url)
    }

    /// Splits a URL, or a bare `host[:port][/path]`, for which `https` is assumed.
    ///
    /// # Errors
    ///
    /// As for [`Endpoint::parse`], except that a missing scheme is allowed.
    pub fn parse_or_https(url_or_host: &str) -> Result<Self, EndpointError> {
        if url_or_host.contains("://") {
            return Self::parse(url_or_host);
        }
        Self::after_scheme(true, url_or_host, url_or_host)
    }

    fn after_scheme(https: bool, rest: &str, whole: &str) -> Result<Self, EndpointError> {
        if whole.contains(|c: char| c.is_control() || c == ' ' || c == '\\') {
            let problem = "contains white space, a backslash or a control character";
            return Err(EndpointError::new(
                whole,
                problem,
                "percent-encode it or remove it",
            ));
        }
        let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
        let (rest, query) = match rest.split_once('?') {
            Some((before, query)) => (before, Some(Zeroizing::new(query.to_owned()))),
            None => (rest, None),
        };
        let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        let (user_info, host_port) = match authority.rsplit_once('@') {
            Some((user_info, host_port)) => (Some(Zeroizing::new(user_info.to_owned())), host_port),
            None => (None, authority),
        };
        let (host, port) =
            split_host_port(host_port).map_err(|(problem, hint)| EndpointError::new(whole, problem, hint))?;
        Ok(Self {
            https,
            user_info,
            host,
            port,
            path: path.to_owned(),
            query,
        })
    }

    /// Returns `"https"` or `"http"`.
    pub fn scheme(&self) -> &'static str {
        if self.https { "https" } else { "http" }
    }

    /// Returns whether the scheme is `https`.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// Returns the host in lower case, without the brackets of an IPv6 address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port, if the URL has one.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Returns `user:password`, still percent-encoded, if the URL has it. This is a secret.
    pub fn user_info(&self) -> Option<&str> {
        self.user_info.as_deref().map(String::as_str)
    }

    /// Returns the path, beginning with `/`, unchanged.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the query without its `?`, unchanged. It may be a secret.
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref().map(String::as_str)
    }

    /// Returns the value for the header `Host`: the host, in brackets if it is IPv6, and the port unless it is the
    /// scheme's default.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        match self.port {
            Some(port) if port != if self.https { 443 } else { 80 } => format!("{host}:{port}"),
            _ => host,
        }
    }

    /// Returns `scheme://host[:port]`, without a trailing slash.
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme(), self.authority())
    }

    /// Returns whether there is nothing but scheme, host and port: no user-info, no query, and no path but slashes.
    ///
    /// ```
    /// use oss_credentials_http::Endpoint;
    /// assert!(Endpoint::parse("https://sts.aliyuncs.com/")?.is_origin());
    /// assert!(!Endpoint::parse("https://sts.aliyuncs.com/?a=b")?.is_origin());
    /// # Ok::<(), oss_credentials_core::CredentialsError>(())
    /// ```
    pub fn is_origin(&self) -> bool {
        self.user_info.is_none() && self.query.is_none() && self.path.trim_matches('/').is_empty()
    }

    /// Returns the URL to request: everything except the user-info, which belongs in a header. It may contain a secret.
    pub fn url(&self) -> String {
        match self.query() {
            Some(query) => format!("{}{}?{query}", self.origin(), self.path),
            None => format!("{}{}", self.origin(), self.path),
        }
    }

    /// Returns whether [`is_metadata_host`] is true for the host.
    pub fn is_metadata_host(&self) -> bool {
        is_metadata_host(&self.host)
    }

    /// Returns whether the host is this machine: `localhost`, 127.0.0.0/8 or `::1`.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// Returns whether nobody on the network path can read or modify the traffic: `https`, or a loopback host.
    ///
    /// ```
    /// use oss_credentials_http::Endpoint;
    /// assert!(Endpoint::parse("http://127.0.0.1:8080")?.is_protected());
    /// assert!(!Endpoint::parse("http://sts.aliyuncs.com")?.is_protected());
    /// # Ok::<(), oss_credentials_core::CredentialsError>(())
    /// ```
    pub fn is_protected(&self) -> bool {
        self.https || self.is_loopback()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An `@` in the path may be the end of a password that contained a slash.
        let path = if self.path.contains('@') {
            "/…"
        } else {
            &self.path
        };
        write!(f, "{}{path}", self.origin())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

fn split_host_port(host_port: &str) -> Result<(String, Option<u16>), (&'static str, &'static str)> {
    let is_address = host_port.starts_with('[');
    let (host, port) = if let Some(rest) = host_port.strip_prefix('[') {
        let (address, after) = rest
            .split_once(']')
            .ok_or(("has an unclosed `[`", "write IPv6 addresses as [::1]"))?;
        // A zone ID is kept: it is part of how a link-local host is reached.
        let bare = address.split('%').next().unwrap_or(address);
        bare.parse::<Ipv6Addr>()
            .map_err(|_| ("has a bad IPv6 address", "write IPv6 addresses as [::1]"))?;
        let port = match after {
            "" => None,
            _ => Some(
                after
                    .strip_prefix(':')
                    .ok_or(("has text after `]`", "only :port may follow"))?,
            ),
        };
        (address, port)
    } else {
        match host_port.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (host_port, None),
        }
    };
    if host.is_empty() {
        return Err(("has no host", "write scheme://host"));
    }
    // RFC 3986 allows escapes in names, DNS does not. A name that one library decodes to `evil.com` followed by a NUL
    // ends with the right domain for another library. In an address, `%` begins the zone.
    let allowed = |c: char| {
        c.is_alphanumeric() || matches!(c, '.' | '-' | '_') || (is_address && matches!(c, ':' | '%'))
    };
    if !host.chars().all(allowed) {
        return Err((
            "has a character in its host that no host name has",
            "write scheme://host[:port]/path",
        ));
    }
    let port = match port {
        None | Some("") => None,
        Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => Some(
            port.parse()
                .map_err(|_| ("has a port over 65535", "write a port from 1 to 65535"))?,
        ),
        Some(_) => return Err(("has a port that is not a number", "write a port from 1 to 65535")),
    };
    Ok((host.to_ascii_lowercase(), port))
}

/// Returns whether only this machine or its hypervisor responds at this host: loopback, 169.254.0.0/16,
/// `fe80::/10`, or Alibaba Cloud's metadata service at 100.100.100.200.
///
/// Such a host is never called through a proxy: the keys of an instance would be sent through it.
///
/// ```
/// use oss_credentials_http::is_metadata_host;
/// assert!(is_metadata_host("100.100.100.200"));
/// assert!(!is_metadata_host("sts.aliyuncs.com"));
/// ```
pub fn is_metadata_host(host: &str) -> bool {
    is_loopback(host)
        || match bare_address(host) {
            // Connecting to the unspecified address reaches this machine.
            Some(IpAddr::V4(v4)) => {
                v4.is_link_local() || v4.is_unspecified() || v4 == Ipv4Addr::new(100, 100, 100, 200)
            }
            Some(IpAddr::V6(v6)) => v6.is_unicast_link_local() || v6.is_unspecified(),
            None => false,
        }
}

pub(crate) fn is_loopback(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    name.eq_ignore_ascii_case("localhost") || bare_address(host).is_some_and(|address| address.is_loopback())
}

/// Returns the address that a host denotes, in any spelling that resolvers accept: brackets, a zone, a trailing dot,
/// IPv4 in IPv6, and the short, octal and hexadecimal forms of `inet_aton`.
pub(crate) fn bare_address(host: &str) -> Option<IpAddr> {
    let host = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host);
    let host = host.split('%').next()?;
    let host = host.strip_suffix('.').unwrap_or(host);
    match host.parse::<IpAddr>() {
        Ok(address) => Some(address.to_canonical()),
        Err(_) => inet_aton(host).map(IpAddr::V4),
    }
}

/// One to four numbers, of which the last fills all remaining bytes.
fn inet_aton(host: &str) -> Option<Ipv4Addr> {
    let numbers: Vec<u32> = host.split('.').map(inet_number).collect::<Option<_>>()?;
    let (last, bytes) = numbers.split_last()?;
    if bytes.len() > 3 || bytes.iter().any(|byte| *byte > 255) {
        return None;
    }
    let room = 8 * (4 - u32::try_from(bytes.len()).ok()?);
    if room < 32 && *last >= 1 << room {
        return None;
    }
    let mut address = u64::from(*last);
    for (index, byte) in (0_u32..).zip(bytes) {
        address |= u64::from(*byte) << (24 - 8 * index);
    }
    Some(Ipv4Addr::from(u32::try_from(address).ok()?))
}

fn inet_number(text: &str) -> Option<u32> {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&text[2..], 16),
        [b'0', _, ..] => (&text[1..], 8),
        _ => (text, 10),
    };
    if digits.starts_with('+') {
        return None;
    }
    u32::from_str_radix(digits, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_split_into_their_parts() {
        let endpoint = Endpoint::parse("HTTPS://us%40er:p%3Aw@Example.COM:443/a/b?c=d&c=#frag").unwrap();
        assert_eq!(endpoint.scheme(), "https");
        assert_eq!(endpoint.user_info(), Some("us%40er:p%3Aw"));
        assert_eq!(endpoint.host(), "example.com");
        assert_eq!(endpoint.port(), Some(443));
        assert_eq!(endpoint.authority(), "example.com");
        assert_eq!(endpoint.path(), "/a/b");
        assert_eq!(endpoint.query(), Some("c=d&c="));
        assert_eq!(endpoint.url(), "https://example.com/a/b?c=d&c=");
        let bare = Endpoint::parse("http://127.0.0.1:8080").unwrap();
        assert_eq!(
            (bare.path(), bare.query(), bare.authority().as_str()),
            ("/", None, "127.0.0.1:8080")
        );
        assert_eq!(bare.url(), "http://127.0.0.1:8080/");
    }

    #[test]
    fn a_bare_host_is_https_only_where_asked() {
        let endpoint = Endpoint::parse_or_https("sts.cn-hangzhou.aliyuncs.com").unwrap();
        assert_eq!(endpoint.url(), "https://sts.cn-hangzhou.aliyuncs.com/");
        let error = Endpoint::parse("sts.cn-hangzhou.aliyuncs.com")
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "endpoint: the URL has no scheme (sts.cn-hangzhou.aliyuncs.com); begin it with https:// (or http://)"
        );
    }

    #[test]
    fn broken_urls_are_refused_without_showing_secrets() {
        for (url, word) in [
            ("ftp://h/", "scheme"),
            ("http://", "no host"),
            ("http://user:canary@/", "no host"),
            ("http://h:canary/?canary", "not a number"),
            ("http://h:70000/", "65535"),
            ("http://[::1/", "unclosed"),
            ("http://[1]/", "IPv6"),
            ("http://[::1]x/", "after `]`"),
            ("https://evil.com%00.aliyuncs.com/", "character in its host"),
            ("https://%65vil.com/", "character in its host"),
            ("https://evil.com\0.aliyuncs.com/", "control character"),
            ("https://evil.com\u{85}.aliyuncs.com/", "control character"),
            ("http://a b/", "white space"),
            ("http://h\\@i/", "backslash"),
            ("http://h,i/", "character"),
            ("user:canary@host", "no scheme"),
            ("host?canary", "no scheme"),
        ] {
            let error = Endpoint::parse(url).unwrap_err();
            let text = error.to_string();
            assert!(text.contains(word), "{url}: {text}");
            assert!(!text.contains("canary"), "{url}: {text}");
        }
    }

    #[test]
    fn debug_and_display_hide_user_info_and_query() {
        let slashed = Endpoint::parse("http://user:12/canary@host/p").unwrap();
        assert!(!format!("{slashed:?} {slashed}").contains("canary"), "{slashed}");
        let endpoint = Endpoint::parse("http://u:canary@h/p?canary").unwrap();
        assert_eq!(
            format!("{endpoint:?} {endpoint}"),
            "Endpoint(http://h/p) http://h/p"
        );
    }

    #[test]
    fn metadata_hosts_are_known_in_every_spelling() {
        for host in [
            "127.0.0.1",
            "127.9.9.9",
            "localhost",
            "LOCALHOST",
            "::1",
            "[::1]",
            "169.254.169.254",
            "fe80::1",
            "fe80::1%eth0",
            "100.100.100.200",
            "::ffff:127.0.0.1",
            "127.0.0.1.",
            "localhost.",
            "127.1",
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "0.0.0.0",
            "100.100.25800",
            "169.254.1",
            "::ffff:100.100.100.200",
        ] {
            assert!(is_metadata_host(host), "{host}");
        }
        for host in [
            "100.100.100.201",
            "10.0.0.1",
            "sts.aliyuncs.com",
            "localhost.example.com",
            "::2",
            "",
        ] {
            assert!(!is_metadata_host(host), "{host}");
        }
    }
}
