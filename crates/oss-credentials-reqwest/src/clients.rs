//! reqwest's clients: one per connect timeout and route.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use oss_credentials_core::ProcessEnv;
use oss_credentials_http::{HttpError, HttpErrorKind, ProxyVariables, is_metadata_host, out_of_files};

use crate::error;
use crate::tls::{self, Certificates, Trusted};

/// How many clients are kept. Each has its own pool and, with rustls, its own copy of the certificates.
const KEPT: usize = 4;

/// How many headers a response may have. hyper takes 100 by default, and 408 KiB for the whole head.
const MAX_HEADERS: usize = 1024;

pub(crate) type Factory = Box<dyn Fn() -> reqwest::ClientBuilder + Send + Sync>;

/// What reqwest fixes per client, and we want per request.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Key {
    connect_timeout: Duration,
    https: bool,
    route: Route,
}

#[derive(Clone, PartialEq, Eq)]
enum Route {
    /// Never through a proxy.
    Direct,
    /// Through the proxy that a variable names.
    Proxy(Arc<str>),
    /// As reqwest or the given builder decides.
    Default,
}

impl Key {
    /// The proxy, if it is known. May hold a password.
    pub(crate) fn proxy(&self) -> Option<&str> {
        match &self.route {
            Route::Proxy(url) => Some(url),
            _ => None,
        }
    }
}

/// Where the clients come from.
pub(crate) enum Origin {
    Unchecked(reqwest::Client),
    Configured {
        factory: Option<Factory>,
        trusted: Option<Trusted>,
    },
}

/// The clients of one process.
pub(crate) struct Clients {
    origin: Arc<Origin>,
    /// A connection is driven by the runtime in which it was made. One that is kept for the next request would hang in
    /// another runtime, so only those of a single runtime are kept.
    keeps_connections: bool,
    proxies: OnceLock<ProxyVariables>,
    kept: Mutex<Vec<(Key, reqwest::Client)>>,
}

impl Clients {
    pub(crate) fn new(origin: Arc<Origin>, keeps_connections: bool) -> Self {
        Self {
            origin,
            keeps_connections,
            proxies: OnceLock::new(),
            kept: Mutex::default(),
        }
    }

    /// Returns which client this URL needs. The URL is read as reqwest understands it, so that `127.1` or `0x7f000001`
    /// do not bypass the rule.
    pub(crate) fn key(&self, url: &reqwest::Url, connect_timeout: Duration) -> Key {
        let host = url.host_str().unwrap_or_default();
        let host = host.strip_suffix('.').unwrap_or(host);
        let https = url.scheme() == "https";
        let route = if is_metadata_host(host) {
            Route::Direct
        } else if matches!(&*self.origin, Origin::Configured { factory: None, .. }) {
            self.route(https, host, url.port())
        } else {
            Route::Default
        };
        Key {
            connect_timeout,
            https,
            route,
        }
    }

    fn route(&self, https: bool, host: &str, port: Option<u16>) -> Route {
        let proxies = self.proxies.get_or_init(|| ProxyVariables::read(&ProcessEnv));
        match proxies.proxy_for(https, host, port) {
            Some(url) => Route::Proxy(url.into()),
            None if proxies.is_excepted(https, host, port) => Route::Direct,
            None => Route::Default,
        }
    }

    /// The client for this key, made now if it is not there.
    pub(crate) fn get(&self, key: &Key) -> Result<reqwest::Client, HttpError> {
        let (factory, trusted) = match &*self.origin {
            Origin::Unchecked(client) => return Ok(client.clone()),
            Origin::Configured { factory, trusted } => (factory.as_ref(), trusted.as_ref()),
        };
        if key.https && !tls::AVAILABLE {
            return Err(error::request(tls::MISSING));
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = match kept.iter().position(|(other, _)| other == key) {
            Some(at) => kept.remove(at),
            None => (key.clone(), self.build(factory, trusted, key)?),
        };
        let client = found.1.clone();
        // Last used stands last, so the first is the one to go.
        kept.push(found);
        if kept.len() > KEPT {
            kept.remove(0);
        }
        Ok(client)
    }

    fn build(
        &self,
        factory: Option<&Factory>,
        trusted: Option<&Trusted>,
        key: &Key,
    ) -> Result<reqwest::Client, HttpError> {
        tls::check_provider()?;
        let build = |certificates: Certificates<'_>| {
            // The closure is the caller's, and reqwest itself panics where rustls has no crypto provider.
            let built = catch_unwind(AssertUnwindSafe(|| {
                let builder = factory.map_or_else(reqwest::Client::builder, |make| make());
                tls::strict(self.configured(builder, key), certificates).build()
            }));
            match built {
                Ok(Ok(client)) => Ok(client),
                Ok(Err(error)) => Err(HttpError::new(HttpErrorKind::Request, error.without_url())),
                Err(_) => Err(error::request(
                    "making the reqwest client panicked; look at the closure given to \
                    `client_builder`, and at the crypto provider of rustls",
                )),
            }
        };
        if let Some(trusted) = trusted {
            return build(Certificates::Only(trusted));
        }
        // Neither the service nor a proxy speaks TLS then.
        if !key.https && key.route == Route::Direct {
            return build(Certificates::None);
        }
        build(Certificates::Systems).or_else(|error| {
            if let Some(error) = out_of_files() {
                return Err(HttpError::new(HttpErrorKind::Other, error));
            }
            match build(Certificates::None) {
                Ok(_) if key.https => Err(error::request(tls::NO_CERTIFICATES)),
                Ok(client) => Ok(client),
                Err(_) => Err(error),
            }
        })
    }

    /// What the contract of `HttpClient` asks for.
    fn configured(&self, builder: reqwest::ClientBuilder, key: &Key) -> reqwest::ClientBuilder {
        let mut builder = builder
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // A repeated request would carry a nonce twice. Without the limit, reqwest would copy each request for a
            // retry that never happens.
            .retry(reqwest::retry::never().max_retries_per_request(0))
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            // It would log what goes over the wire.
            .connection_verbose(false)
            .http1_max_headers(MAX_HEADERS)
            .connect_timeout(key.connect_timeout);
        if !self.keeps_connections {
            builder = builder.pool_max_idle_per_host(0);
        }
        match &key.route {
            Route::Direct => builder.no_proxy(),
            // One that cannot be read is ignored, as reqwest ignores it.
            Route::Proxy(url) => match reqwest::Proxy::all(&**url) {
                Ok(proxy) => builder.no_proxy().proxy(proxy),
                Err(_) => builder,
            },
            Route::Default => builder,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oss_credentials_core::Env as _;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// With `rustls-no-provider` alone the program does this.
    fn install_provider() {
        #[cfg(all(
            feature = "rustls-no-provider",
            not(any(feature = "rustls", feature = "native-tls"))
        ))]
        let _ = tokio_rustls::rustls::crypto::aws_lc_rs::default_provider().install_default();
    }

    fn configured(factory: Option<Factory>) -> Clients {
        let trusted = None;
        Clients::new(Arc::new(Origin::Configured { factory, trusted }), false)
    }

    fn get(clients: &Clients, url: &str, millis: u64) -> Result<reqwest::Client, HttpError> {
        clients.get(&clients.key(&url.parse().unwrap(), Duration::from_millis(millis)))
    }

    #[test]
    fn metadata_hosts_go_direct_in_every_spelling() {
        let clients = configured(Some(Box::new(reqwest::Client::builder)));
        let is_direct = |url: &str| clients.key(&url.parse().unwrap(), Duration::MAX).route == Route::Direct;
        for url in [
            "http://100.100.100.200/latest/meta-data/",
            "http://169.254.169.254/",
            "http://127.0.0.1:8080/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x64.0144.25800/",
            "http://localhost/",
            "http://LOCALHOST./",
            "http://[::1]/",
            "http://[fe80::1]/",
            "http://[::ffff:100.100.100.200]/",
            "http://%31%32%37.0.0.1/",
        ] {
            assert!(is_direct(url), "{url}");
        }
        for url in [
            "https://sts.aliyuncs.com/",
            "http://100.100.100.201/",
            "http://localhost.example/",
        ] {
            assert!(!is_direct(url), "{url}");
        }
    }

    #[test]
    fn the_four_clients_used_last_are_kept() {
        install_provider();
        let made = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&made);
        let factory: Factory = Box::new(move || {
            counter.fetch_add(1, Ordering::SeqCst);
            reqwest::Client::builder()
        });
        let clients = configured(Some(factory));
        let get_loopback = |millis| {
            get(&clients, "http://127.0.0.1/", millis).unwrap();
            made.load(Ordering::SeqCst)
        };
        let get = get_loopback;
        assert_eq!([get(1), get(2), get(3), get(4)], [1, 2, 3, 4]);
        assert_eq!([get(1), get(2)], [4, 4], "all four are still there");
        assert_eq!(get(5), 5, "3 was used longest ago and went");
        assert_eq!([get(1), get(2), get(4), get(5)], [5, 5, 5, 5]);
        assert_eq!(get(3), 6);
        super::tests::get(&clients, "http://sts.aliyuncs.com/", 3).unwrap();
        assert_eq!(
            made.load(Ordering::SeqCst),
            7,
            "the route through a proxy has its own client"
        );
    }

    #[test]
    fn a_closure_that_panics_is_an_error_and_poisons_nothing() {
        install_provider();
        let healthy = Arc::new(AtomicUsize::new(0));
        let switch = Arc::clone(&healthy);
        let factory: Factory = Box::new(move || {
            assert!(switch.load(Ordering::SeqCst) > 0, "not yet");
            reqwest::Client::builder()
        });
        let clients = configured(Some(factory));
        let error = get(&clients, "http://127.0.0.1/", 1).unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::Request);
        assert!(error.to_string().contains("`client_builder`"), "{error}");
        healthy.store(1, Ordering::SeqCst);
        assert!(get(&clients, "http://127.0.0.1/", 1).is_ok());
    }

    /// Variables only a child gets to see. Nothing is sent, since the names would be looked up.
    #[test]
    fn exceptions_of_the_environment_follow_the_rules_of_go() {
        if ProcessEnv.var("OSS_TEST_ROUTES").is_none() {
            let program = std::env::current_exe().unwrap();
            let child = std::process::Command::new(program)
                .args([
                    "--exact",
                    "clients::tests::exceptions_of_the_environment_follow_the_rules_of_go",
                ])
                .env("OSS_TEST_ROUTES", "1")
                .env("ALL_PROXY", "http://127.0.0.1:1")
                .env("NO_PROXY", "*.wild.test,.port.test:80,10.0.0.0/8")
                .env_remove("REQUEST_METHOD")
                .output()
                .unwrap();
            let shown = String::from_utf8_lossy(&child.stdout);
            assert!(child.status.success() && shown.contains("1 passed"), "{shown}");
            return;
        }
        let clients = configured(None);
        for (url, is_direct) in [
            ("http://a.wild.test/", true),
            ("https://a.b.wild.test:8443/", true),
            ("http://wild.test/", false),
            ("http://a.port.test/", true),
            ("https://a.port.test/", false),
            ("http://10.1.2.3/", true),
            ("http://11.1.2.3/", false),
        ] {
            let key = clients.key(&url.parse().unwrap(), Duration::MAX);
            assert_eq!(key.route == Route::Direct, is_direct, "{url}");
            assert_eq!(key.proxy().is_none(), is_direct, "{url}");
        }
        let given = configured(Some(Box::new(reqwest::Client::builder)));
        let key = given.key(&"http://a.wild.test/".parse().unwrap(), Duration::MAX);
        assert!(key.route == Route::Default, "the builder decides");
    }
}
