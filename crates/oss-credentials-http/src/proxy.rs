//! The proxies in environment variables.

use std::fmt;
use std::net::IpAddr;

use zeroize::Zeroizing;

use crate::endpoint::{bare_address, is_loopback};
use oss_credentials_core::Env;

/// The proxies of `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY`, and the exceptions of `NO_PROXY`; each also in lower
/// case.
///
/// The exceptions follow the rules of Go's `golang.org/x/net/http/httpproxy`, which the vendor's CLI, ossutil and
/// Terraform use: a comma-separated list of
///
/// - `*`: every host;
/// - `example.com`: this host and all its subdomains; `.example.com` or `*.example.com`: only the subdomains;
/// - an IP address, or a network such as `10.0.0.0/8`;
/// - each of these except a network with a port, such as `example.com:8080`, for only that port.
///
/// In a CGI program (`REQUEST_METHOD` is set) `HTTP_PROXY` may come from a request's header, so no proxy is used.
///
/// # Examples
///
/// ```
/// use oss_credentials_http::ProxyVariables;
/// use oss_credentials_core::ProcessEnv;
///
/// let proxies = ProxyVariables::read(&ProcessEnv);
/// let proxy = proxies.proxy_for(true, "sts.aliyuncs.com", None);
/// ```
#[derive(Clone, Default)]
pub struct ProxyVariables {
    http: Option<Zeroizing<String>>,
    https: Option<Zeroizing<String>>,
    exceptions: Vec<Exception>,
}

/// A host without proxy.
#[derive(Clone, Debug)]
struct Exception {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Clone, Debug)]
enum Hosts {
    All,
    Address(IpAddr),
    Network {
        address: IpAddr,
        bits: u32,
    },
    Domain {
        /// With a leading dot.
        suffix: String,
        /// Whether the suffix without its dot is also a matching host.
        itself: bool,
    },
}

impl ProxyVariables {
    /// Reads the variables. A name in upper case takes precedence; an empty value counts as unset.
    pub fn read(env: &dyn Env) -> Self {
        let first = |names: [&str; 2]| names.into_iter().find_map(|name| env.non_empty(name));
        let exceptions = first(["NO_PROXY", "no_proxy"]).unwrap_or_default();
        let exceptions = exceptions.split(',').filter_map(Exception::parse).collect();
        if env.var("REQUEST_METHOD").is_some() {
            return Self {
                exceptions,
                ..Self::default()
            };
        }
        let all = first(["ALL_PROXY", "all_proxy"]).map(Zeroizing::new);
        let or_all = |names| first(names).map(Zeroizing::new).or_else(|| all.clone());
        Self {
            http: or_all(["HTTP_PROXY", "http_proxy"]),
            https: or_all(["HTTPS_PROXY", "https_proxy"]),
            exceptions,
        }
    }

    /// Returns whether the variables name no proxy and no exception.
    pub fn is_empty(&self) -> bool {
        self.http.is_none() && self.https.is_none() && self.exceptions.is_empty()
    }

    /// Returns the proxy for requests to this host, as the variable has it, possibly with a password; `None` if there
    /// is none.
    ///
    /// `port` is the one in the URL, or `None` for the scheme's default. This machine never has a proxy.
    pub fn proxy_for(&self, https: bool, host: &str, port: Option<u16>) -> Option<&str> {
        let proxy = if https { &self.https } else { &self.http };
        let proxy = proxy.as_deref()?;
        (!self.is_excepted(https, host, port)).then_some(proxy)
    }

    /// Returns whether `NO_PROXY` lists this host, or it is this machine.
    pub fn is_excepted(&self, https: bool, host: &str, port: Option<u16>) -> bool {
        let port = port.unwrap_or(if https { 443 } else { 80 });
        let address = bare_address(host);
        let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        is_loopback(host)
            || self
                .exceptions
                .iter()
                .any(|exception| exception.includes(&name, address, port))
    }
}

impl fmt::Debug for ProxyVariables {
    /// Shows no URL: it may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyVariables")
            .field("http", &self.http.is_some())
            .field("https", &self.https.is_some())
            .field("exceptions", &self.exceptions)
            .finish()
    }
}

impl Exception {
    /// One entry of the list; `None` if it names no host.
    fn parse(entry: &str) -> Option<Self> {
        let entry = entry.trim().to_ascii_lowercase();
        if entry == "*" {
            return Some(Self {
                hosts: Hosts::All,
                port: None,
            });
        }
        if let Some(hosts) = network(&entry) {
            return Some(Self { hosts, port: None });
        }
        let (host, port) = match with_port(&entry) {
            Some((host, port)) => (host, Some(port)),
            None => (entry.as_str(), None),
        };
        if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            let hosts = Hosts::Address(address.to_canonical());
            return Some(Self { hosts, port });
        }
        let host = host
            .strip_prefix('*')
            .filter(|rest| rest.starts_with('.'))
            .unwrap_or(host);
        if host.is_empty() || host == "." {
            return None;
        }
        let itself = !host.starts_with('.');
        let suffix = if itself {
            format!(".{host}")
        } else {
            host.to_owned()
        };
        let hosts = Hosts::Domain { suffix, itself };
        Some(Self { hosts, port })
    }

    /// `name` is in lower case, and `address` what it is if it is an address.
    fn includes(&self, name: &str, address: Option<IpAddr>, port: u16) -> bool {
        let is_host = match &self.hosts {
            Hosts::All => true,
            Hosts::Address(own) => address == Some(*own),
            Hosts::Network { address: own, bits } => {
                address.is_some_and(|address| is_in_network(address, *own, *bits))
            }
            Hosts::Domain { suffix, itself } => {
                name.ends_with(suffix.as_str()) || (*itself && suffix.strip_prefix('.') == Some(name))
            }
        };
        is_host && self.port.is_none_or(|own| own == port)
    }
}

/// `host:port`. The colons of an IPv6 address without brackets separate no port.
fn with_port(entry: &str) -> Option<(&str, u16)> {
    let (host, port) = entry.rsplit_once(':')?;
    if host.contains(':') && !host.ends_with(']') {
        return None;
    }
    Some((host, port.parse().ok()?))
}

fn network(entry: &str) -> Option<Hosts> {
    let (address, bits) = entry.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let bits: u32 = bits.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    (bits <= most).then_some(Hosts::Network { address, bits })
}

fn is_in_network(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let differing = u32::from(address) ^ u32::from(network);
            differing.leading_zeros() >= bits
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let differing = u128::from(address) ^ u128::from(network);
            differing.leading_zeros() >= bits
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oss_credentials_core::test_util::FakeEnv;

    const PROXY: &str = "http://proxy.example:3128";

    fn env(variables: &[(&str, &str)]) -> FakeEnv {
        let add = |env: FakeEnv, (name, value): &(&str, &str)| env.with(*name, *value);
        variables.iter().fold(FakeEnv::new(), add)
    }

    fn with_exceptions(list: &str) -> ProxyVariables {
        ProxyVariables::read(&env(&[("ALL_PROXY", PROXY), ("NO_PROXY", list)]))
    }

    /// The rules as Go documents them for `httpproxy.Config.NoProxy`.
    #[test]
    fn exceptions_follow_the_rules_of_go() {
        for (list, url_host, port, is_direct) in [
            ("*.example.com", "a.example.com", None, true),
            ("*.example.com", "a.b.example.com", None, true),
            ("*.example.com", "example.com", None, false),
            (".example.com:80", "a.example.com", Some(80), true),
            (".example.com:80", "a.example.com", None, true),
            (".example.com:80", "a.example.com", Some(8080), false),
            (".example.com", "example.com", None, false),
            ("example.com", "example.com", None, true),
            ("example.com", "a.Example.com.", None, true),
            ("example.com", "notexample.com", None, false),
            ("example.com:8080", "example.com", Some(8080), true),
            ("example.com:8080", "example.com", None, false),
            ("*", "example.com", None, true),
            ("x.test, *", "example.com", None, true),
            ("10.0.0.0/8", "10.1.2.3", None, true),
            ("10.0.0.0/8", "11.1.2.3", None, false),
            ("0.0.0.0/0", "11.1.2.3", None, true),
            ("fd00::/8", "[fd12::1]", None, true),
            ("fd00::/8", "10.1.2.3", None, false),
            ("10.1.2.3", "10.1.2.3", None, true),
            ("10.1.2.3:80", "10.1.2.3", Some(81), false),
            ("[fd12::1]:80", "[fd12::1]", None, true),
            ("fd12::1", "[fd12::1]", Some(81), true),
            ("10.1", "10.1.2.3", None, false),
            ("", "example.com", None, false),
            (" , :80, .", "example.com", None, false),
            ("a.test,, b.test ", "b.test", None, true),
            ("", "localhost", None, true),
            ("", "127.0.0.2", Some(8080), true),
            ("", "[::1]", None, true),
        ] {
            let found = with_exceptions(list).proxy_for(false, url_host, port).is_none();
            assert_eq!(found, is_direct, "{list:?} {url_host} {port:?}");
        }
        assert_eq!(with_exceptions("e.com:443").proxy_for(true, "e.com", None), None);
    }

    #[test]
    fn each_scheme_has_its_variable() {
        let proxies = |variables: &[(&str, &str)]| {
            let proxies = ProxyVariables::read(&env(variables));
            let of = |https| proxies.proxy_for(https, "e.com", None).unwrap_or("-").to_owned();
            [of(false), of(true)]
        };
        assert_eq!(proxies(&[]), ["-", "-"]);
        assert_eq!(proxies(&[("HTTP_PROXY", "a"), ("https_proxy", "b")]), ["a", "b"]);
        assert_eq!(proxies(&[("http_proxy", "a"), ("HTTP_PROXY", "")]), ["a", "-"]);
        assert_eq!(proxies(&[("HTTPS_PROXY", "a"), ("all_proxy", "b")]), ["b", "a"]);
        assert_eq!(
            proxies(&[("ALL_PROXY", "a"), ("REQUEST_METHOD", "GET")]),
            ["-", "-"]
        );
    }

    #[test]
    fn passwords_are_not_shown() {
        let env = env(&[("ALL_PROXY", "http://us:canary@proxy:1"), ("NO_PROXY", "a.test")]);
        let shown = format!("{:?}", ProxyVariables::read(&env));
        assert!(!shown.contains("canary") && shown.contains("a.test"), "{shown}");
    }
}
