//! Which proxy a request goes through.

use std::sync::Arc;

use oss_credentials_core::Env;
use oss_credentials_http::{HttpError, ProxyVariables};

use crate::error::InvalidInput;
use crate::request_context::RequestContext;

/// Through what requests go.
#[derive(Clone)]
pub(crate) enum Proxies {
    None,
    /// As the given builder or client decides.
    Unknown,
    /// A URL, perhaps with a password.
    One(Arc<str>, Box<reqwest::Proxy>),
    Environment(Arc<ProxyVariables>),
}

impl Proxies {
    pub(crate) fn one(url: String) -> Result<Self, InvalidInput> {
        // Its own text repeats the URL, which may hold a password.
        let proxy = reqwest::Proxy::all(&url).map_err(|_| {
            InvalidInput::new(
                "the proxy's URL is malformed",
                "write http://[user:password@]host:port",
            )
        })?;
        Ok(Self::One(url.into(), Box::new(proxy)))
    }

    pub(crate) fn of_environment(env: &dyn Env) -> Self {
        let variables = ProxyVariables::read(env);
        if variables.is_empty() {
            // The system may have settings of its own.
            return Self::Unknown;
        }
        Self::Environment(Arc::new(variables))
    }

    pub(crate) fn on(&self, builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
        // In place of those of the builder: the first one that matches would win.
        match self {
            Self::Unknown => builder,
            Self::None => builder.no_proxy(),
            Self::One(_, proxy) => builder.no_proxy().proxy((**proxy).clone()),
            Self::Environment(variables) => {
                let variables = Arc::clone(variables);
                let of = move |url: &reqwest::Url| found(&variables, url).map(str::to_owned);
                builder.no_proxy().proxy(reqwest::Proxy::custom(of))
            }
        }
    }

    /// Adds the proxy to an error, if it is known.
    pub(crate) fn name(&self, error: HttpError, context: &RequestContext) -> HttpError {
        match self {
            Self::One(url, _) => error.with_proxy(url),
            Self::Environment(variables) => {
                let url = reqwest::Url::parse(context.url()).ok();
                match url.as_ref().and_then(|url| found(variables, url)) {
                    Some(proxy) => error.with_proxy(proxy),
                    None => error,
                }
            }
            Self::None | Self::Unknown => error,
        }
    }
}

fn found<'a>(variables: &'a ProxyVariables, url: &reqwest::Url) -> Option<&'a str> {
    variables.proxy_for(url.scheme() == "https", url.host_str()?, url.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use oss_credentials_core::test_util::FakeEnv;
    use oss_credentials_http::HttpErrorKind;

    #[test]
    fn a_bucket_is_excepted_by_its_domain() {
        let env = FakeEnv::new()
            .with("ALL_PROXY", "http://us:canary@proxy.test:1")
            .with("NO_PROXY", "*.direct.test");
        let proxies = Proxies::of_environment(&env);
        let named = |url: &str| {
            let context = RequestContext::new("GetObject".into(), http::Method::GET, url.to_owned(), 1);
            let error = HttpError::new(HttpErrorKind::Connect, "refused");
            proxies.name(error, &context).proxy().map(str::to_owned)
        };
        assert_eq!(named("http://bkt.oss.direct.test/k"), None);
        assert_eq!(
            named("https://direct.test/k").as_deref(),
            Some("http://proxy.test:1")
        );
        assert!(matches!(
            Proxies::of_environment(&FakeEnv::new()),
            Proxies::Unknown
        ));
    }
}
