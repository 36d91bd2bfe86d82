//! A client that reaches the local cloud under the services' public names.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use oss_credentials_core::BoxFuture;
use oss_credentials_http::{Endpoint, HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse};

use crate::cloud::LocalCloud;
use crate::service::CloudService;

/// Sends requests for the services' public hosts to a [`LocalCloud`]; see [`LocalCloud::routed`].
#[derive(Debug)]
pub struct RoutedClient<C> {
    inner: C,
    routes: Routes,
}

/// Each service, and its local address.
#[derive(Clone)]
struct Routes(Vec<(Arc<dyn CloudService>, SocketAddr)>);

impl LocalCloud {
    /// Wraps an HTTP client so that requests for the services' public hosts go to the local cloud, over plain HTTP and
    /// with the original `Host`. Use it for code whose hosts cannot be configured, such as a profile's OAuth site or
    /// the address of the instance metadata.
    ///
    /// | host | service |
    /// |---|---|
    /// | `sts.aliyuncs.com`, `sts.<region>.aliyuncs.com`, `sts-vpc.<region>.aliyuncs.com` | STS |
    /// | `ecs.aliyuncs.com`, `ecs.<region>.aliyuncs.com` | ECS |
    /// | `ram.aliyuncs.com` | RAM |
    /// | `cs.aliyuncs.com`, `cs.<region>.aliyuncs.com` | Container Service |
    /// | `100.100.100.200` | instance metadata |
    /// | `kms.<region>.aliyuncs.com`, `kms-vpc.<region>.aliyuncs.com` | KMS, shared gateway |
    /// | `<instance>.cryptoservice.kms.aliyuncs.com` | KMS, gateway of an instance |
    /// | `signin-<region>.alibabacloudsso.com` | CloudSSO |
    /// | `oauth.aliyun.com`, `oauth.alibabacloud.com` | OAuth |
    ///
    /// Requests to loopback addresses pass unchanged; all others fail as if the host did not exist, so that no test
    /// reaches a real service.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use oss_credentials_http::HttpClient;
    /// # fn example(cloud: &oss_testkit::LocalCloud, client: impl HttpClient) {
    /// let client = cloud.routed(client);
    /// // Hand it to `http_client(..)` of the provider under test.
    /// # let _: &dyn HttpClient = &client;
    /// # }
    /// ```
    pub fn routed<C: HttpClient>(&self, client: C) -> RoutedClient<C> {
        let routes = Routes(self.registered.clone());
        RoutedClient {
            inner: client,
            routes,
        }
    }
}

impl Routes {
    fn of(&self, host: &str) -> Option<SocketAddr> {
        let found = self.0.iter().find(|(service, _)| service.is_at(host));
        found.map(|(_, address)| *address)
    }
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Routes(..)")
    }
}

impl<C: HttpClient> HttpClient for RoutedClient<C> {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        let endpoint = match Endpoint::parse(request.url()) {
            Ok(endpoint) if !endpoint.is_loopback() => endpoint,
            // The client refuses what is not a URL.
            _ => return self.inner.send(request),
        };
        let host = endpoint.host();
        let Some(address) = self.routes.of(host) else {
            let text = format!("the local cloud does not stand in for {host}");
            return Box::pin(async { Err(HttpError::new(HttpErrorKind::Connect, text)) });
        };
        self.inner.send(redirected(&request, &endpoint, address))
    }
}

/// The same request with another address.
fn redirected(request: &HttpRequest, from: &Endpoint, to: SocketAddr) -> HttpRequest {
    let query = from.query().map_or(String::new(), |query| format!("?{query}"));
    let url = format!("http://{to}{}{query}", from.path());
    let redirected = HttpRequest::new(request.method(), url)
        .with_body(request.body().to_vec())
        .with_connect_timeout(request.connect_timeout())
        .with_timeout(request.timeout())
        .with_header("host", from.authority());
    request
        .headers()
        .filter(|(name, _)| !name.eq_ignore_ascii_case("host"))
        .fold(redirected, |request, (name, value)| {
            request.with_header(name, value)
        })
}
