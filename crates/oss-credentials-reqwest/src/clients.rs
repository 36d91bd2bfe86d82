//! reqwest's clients: one per connect time-out and route.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use oss_credentials_core::http::{HttpError, HttpErrorKind, is_metadata_host};

use crate::error;
use crate::tls::{self, Trusted};

/// How many clients are kept. Each has its own pool and, with rustls, its own copy of the certificates.
const KEPT: usize = 4;

/// How many headers a response may have. hyper takes 100 by default, and 408 KiB for the whole head.
const MAX_HEADERS: usize = 1024;

pub(crate) type Factory = Box<dyn Fn() -> reqwest::ClientBuilder + Send + Sync>;

/// What reqwest fixes per client, and we want per request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) connect_timeout: Duration,
    /// Never through a proxy.
    pub(crate) direct: bool,
}

impl Key {
    /// Asks the URL as reqwest understands it, so that `127.1` or `0x7f000001` is no way around.
    pub(crate) fn new(url: &reqwest::Url, connect_timeout: Duration) -> Self {
        let host = url.host_str().unwrap_or_default();
        Self {
            connect_timeout,
            direct: is_metadata_host(host.strip_suffix('.').unwrap_or(host)),
        }
    }
}

pub(crate) struct Clients(Origin);

enum Origin {
    Unchecked(reqwest::Client),
    Configured {
        factory: Option<Factory>,
        trusted: Option<Trusted>,
        kept: Mutex<Vec<(Key, reqwest::Client)>>,
    },
}

impl Clients {
    pub(crate) fn unchecked(client: reqwest::Client) -> Self {
        Self(Origin::Unchecked(client))
    }

    pub(crate) fn configured(factory: Option<Factory>, trusted: Option<Trusted>) -> Self {
        Self(Origin::Configured {
            factory,
            trusted,
            kept: Mutex::default(),
        })
    }

    /// The client for this key, made now if it is not there.
    pub(crate) fn get(&self, key: Key, https: bool) -> Result<reqwest::Client, HttpError> {
        let (factory, trusted, kept) = match &self.0 {
            Origin::Unchecked(client) => return Ok(client.clone()),
            Origin::Configured {
                factory,
                trusted,
                kept,
            } => (factory, trusted, kept),
        };
        if https && !tls::AVAILABLE {
            return Err(error::request(tls::MISSING));
        }
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = match kept.iter().position(|(other, _)| *other == key) {
            Some(at) => kept.remove(at),
            None => (key, build(factory.as_ref(), trusted.as_ref(), key)?),
        };
        let client = found.1.clone();
        // Last used stands last, so the first is the one to go.
        kept.push(found);
        if kept.len() > KEPT {
            kept.remove(0);
        }
        Ok(client)
    }
}

fn build(
    factory: Option<&Factory>,
    trusted: Option<&Trusted>,
    key: Key,
) -> Result<reqwest::Client, HttpError> {
    tls::check_provider()?;
    let build = || {
        let builder = factory.map_or_else(reqwest::Client::builder, |make| make());
        let builder = builder
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // A repeated request would carry a nonce twice.
            .retry(reqwest::retry::never())
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            // It would log what goes over the wire.
            .connection_verbose(false)
            .http1_max_headers(MAX_HEADERS)
            .connect_timeout(key.connect_timeout);
        let builder = if key.direct { builder.no_proxy() } else { builder };
        tls::strict(builder, trusted).build()
    };
    // The closure is the caller's, and reqwest itself panics where rustls has no crypto provider.
    match catch_unwind(AssertUnwindSafe(build)) {
        Ok(Ok(client)) => Ok(client),
        Ok(Err(error)) => Err(HttpError::new(HttpErrorKind::Request, error.without_url())),
        Err(_) => Err(error::request(
            "making the reqwest client panicked; look at the closure given to \
            `client_builder`, and at the crypto provider of rustls",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// With `rustls-no-provider` alone the program does this.
    fn install_provider() {
        #[cfg(all(
            feature = "rustls-no-provider",
            not(any(feature = "rustls", feature = "native-tls"))
        ))]
        let _ = tokio_rustls::rustls::crypto::aws_lc_rs::default_provider().install_default();
    }

    fn key(url: &str, millis: u64) -> Key {
        Key::new(&url.parse().unwrap(), Duration::from_millis(millis))
    }

    #[test]
    fn metadata_hosts_go_direct_in_every_spelling() {
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
            assert!(key(url, 1).direct, "{url}");
        }
        for url in [
            "https://sts.aliyuncs.com/",
            "http://100.100.100.201/",
            "http://localhost.example/",
        ] {
            assert!(!key(url, 1).direct, "{url}");
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
        let clients = Clients::configured(Some(factory), None);
        let get = |millis| {
            clients.get(key("http://127.0.0.1/", millis), false).unwrap();
            made.load(Ordering::SeqCst)
        };
        assert_eq!([get(1), get(2), get(3), get(4)], [1, 2, 3, 4]);
        assert_eq!([get(1), get(2)], [4, 4], "all four are still there");
        assert_eq!(get(5), 5, "3 was used longest ago and went");
        assert_eq!([get(1), get(2), get(4), get(5)], [5, 5, 5, 5]);
        assert_eq!(get(3), 6);
        clients.get(key("http://sts.aliyuncs.com/", 3), false).unwrap();
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
        let clients = Clients::configured(Some(factory), None);
        let error = clients.get(key("http://127.0.0.1/", 1), false).unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::Request);
        assert!(error.to_string().contains("`client_builder`"), "{error}");
        healthy.store(1, Ordering::SeqCst);
        assert!(clients.get(key("http://127.0.0.1/", 1), false).is_ok());
    }
}
