//! The host to call.

use std::fmt;

use acs_client::validate_region;
use oss_credentials_core::{CredentialsError, Env, ErrorDetail};
use oss_credentials_http::Endpoint;

use crate::config::ENV_STS_ENDPOINT;
use crate::{TRACING_TARGET, events};

/// The host that serves every region, from China (Hangzhou).
pub const GLOBAL_HOST: &str = "sts.aliyuncs.com";

/// The domain of the vendor's service endpoints.
const VENDOR_DOMAIN: &str = ".aliyuncs.com";

/// Regions without their own host: the endpoint table of the vendor's generated STS SDK (Python package
/// `alibabacloud-sts20150401` 1.2.0) sends them to the global host.
const WITHOUT_HOST: [&str; 32] = [
    "ap-northeast-2-pop",
    "ap-south-1",
    "ap-southeast-2",
    "cn-beijing-finance-pop",
    "cn-beijing-gov-1",
    "cn-beijing-nu16-b01",
    "cn-edge-1",
    "cn-fujian",
    "cn-haidian-cm12-c01",
    "cn-hangzhou-bj-b01",
    "cn-hangzhou-internal-prod-1",
    "cn-hangzhou-internal-test-1",
    "cn-hangzhou-internal-test-2",
    "cn-hangzhou-internal-test-3",
    "cn-hangzhou-test-306",
    "cn-hongkong-finance-pop",
    "cn-huhehaote-nebula-1",
    "cn-shanghai-et15-b01",
    "cn-shanghai-et2-b01",
    "cn-shanghai-inner",
    "cn-shanghai-internal-test-1",
    "cn-shenzhen-inner",
    "cn-shenzhen-st4-d01",
    "cn-shenzhen-su18-b01",
    "cn-wuhan",
    "cn-yushanfang",
    "cn-zhangbei",
    "cn-zhangbei-na61-b01",
    "cn-zhangjiakou-na62-a01",
    "cn-zhengzhou-nebula-1",
    "eu-west-1-oxs",
    "rus-west-1-pop",
];

/// The user's settings for the endpoint.
#[derive(Clone, Default)]
pub(crate) struct EndpointSettings {
    pub(crate) endpoint: Option<String>,
    /// The value of [`ENV_STS_ENDPOINT`], where it is read.
    pub(crate) from_env: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) vpc: Option<bool>,
    pub(crate) allow_http: bool,
}

impl fmt::Debug for EndpointSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The endpoint is not checked yet: it may contain a user name and a password.
        let endpoint = self.endpoint.as_ref().map(|_| format_args!("<not shown>"));
        let from_env = self.from_env.as_ref().map(|_| format_args!("<not shown>"));
        f.debug_struct("EndpointSettings")
            .field("endpoint", &endpoint)
            .field("from_env", &from_env)
            .field("region", &self.region)
            .field("vpc", &self.vpc)
            .field("allow_http", &self.allow_http)
            .finish()
    }
}

impl EndpointSettings {
    pub(crate) fn read(&mut self, env: &dyn Env) {
        self.from_env = env.non_empty(ENV_STS_ENDPOINT);
    }
}

/// Where requests go: the endpoint passed to [`acs_client`], and whether it may be plain http.
pub(crate) struct Host {
    pub(crate) endpoint: String,
    pub(crate) allow_http: bool,
}

impl Host {
    fn of(endpoint: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            allow_http: false,
        }
    }
}

/// Precedence: explicit endpoint, variable, region, global host.
pub(crate) fn resolve(provider: &'static str, settings: &EndpointSettings) -> Result<Host, CredentialsError> {
    if let Some(endpoint) = &settings.endpoint {
        return Ok(Host {
            endpoint: endpoint.clone(),
            allow_http: settings.allow_http,
        });
    }
    if let Some(endpoint) = &settings.from_env {
        return of_variable(provider, endpoint);
    }
    let vpc = settings.vpc.unwrap_or_default();
    let Some(region) = &settings.region else {
        if vpc {
            tracing::warn!(
                name: events::PUBLIC_HOST_USED, target: TRACING_TARGET, provider, host = GLOBAL_HOST,
                event = events::PUBLIC_HOST_USED,
                "VPC endpoints need a region, and none is set: the public host is used"
            );
        }
        return Ok(Host::of(GLOBAL_HOST));
    };
    regional(provider, region, vpc).map(Host::of)
}

/// Anyone who starts the program, or a file that it reads, may set a variable. It chooses among hosts of the vendor
/// and on this machine; it cannot, as `endpoint(..)` can, send tokens and keys to another host. The value is not shown.
fn of_variable(provider: &'static str, endpoint: &str) -> Result<Host, CredentialsError> {
    let is_vendors = |endpoint: &Endpoint| {
        let host = endpoint.host().to_ascii_lowercase();
        endpoint.is_https() && host.ends_with(VENDOR_DOMAIN)
    };
    let parsed = Endpoint::parse_or_https(endpoint)
        .ok()
        .filter(Endpoint::is_origin);
    let allowed = parsed.filter(|endpoint| endpoint.is_loopback() || is_vendors(endpoint));
    allowed
        .map(|endpoint| Host::of(endpoint.origin()))
        .ok_or_else(|| {
            let what =
                "the STS endpoint of a variable is neither https to a host under aliyuncs.com nor loopback";
            CredentialsError::invalid_config(
                ErrorDetail::builder(provider, what)
                    .place(ENV_STS_ENDPOINT)
                    .hint(format!(
                        "correct or unset {ENV_STS_ENDPOINT}; only endpoint(..) in code may name another host"
                    )),
            )
        })
}

fn regional(provider: &'static str, region: &str, vpc: bool) -> Result<String, CredentialsError> {
    validate_region(provider, region)?;
    let region = region.to_ascii_lowercase();
    if WITHOUT_HOST.contains(&region.as_str()) {
        if vpc {
            tracing::warn!(
                name: events::PUBLIC_HOST_USED, target: TRACING_TARGET, provider, host = GLOBAL_HOST, region,
                event = events::PUBLIC_HOST_USED,
                "this region has no STS host of its own: the public host is used"
            );
        }
        return Ok(GLOBAL_HOST.to_owned());
    }
    let prefix = if vpc { "sts-vpc" } else { "sts" };
    Ok(format!("{prefix}.{region}.aliyuncs.com"))
}

#[cfg(test)]
mod tests {
    use oss_credentials_core::test_util::FakeEnv;

    use super::*;

    /// As `acs-client` takes it.
    fn resolved(settings: &EndpointSettings) -> Result<Endpoint, CredentialsError> {
        let host = resolve("test", settings)?;
        let client = acs_client::AcsClient::builder("sts", "2015-04-01")
            .name("test")
            .endpoint(host.endpoint)
            .allow_http(host.allow_http)
            .http_client(oss_credentials_http::test_util::ScriptedHttp::new());
        Ok(client.build()?.endpoint().clone())
    }

    fn origin(endpoint: &str, region: &str, vpc: bool, allow_http: bool) -> Result<String, String> {
        let some = |text: &str| (text != "-").then(|| text.to_owned());
        let settings = EndpointSettings {
            endpoint: some(endpoint),
            from_env: None,
            region: some(region),
            vpc: Some(vpc),
            allow_http,
        };
        resolved(&settings)
            .map(|endpoint| endpoint.origin())
            .map_err(|error| {
                assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
                error.to_string()
            })
    }

    #[test]
    fn hosts_follow_the_table_of_the_reference() {
        for (endpoint, region, vpc, expected) in [
            ("-", "-", false, "https://sts.aliyuncs.com"),
            ("-", "-", true, "https://sts.aliyuncs.com"),
            ("-", "cn-beijing", false, "https://sts.cn-beijing.aliyuncs.com"),
            ("-", "cn-beijing", true, "https://sts-vpc.cn-beijing.aliyuncs.com"),
            ("-", "CN-Beijing", false, "https://sts.cn-beijing.aliyuncs.com"),
            ("-", "ap-south-1", false, "https://sts.aliyuncs.com"),
            ("-", "cn-hongkong-finance-pop", true, "https://sts.aliyuncs.com"),
            ("sts.example.com", "cn-beijing", true, "https://sts.example.com"),
            ("https://sts.example.com/", "-", false, "https://sts.example.com"),
            (
                "https://sts.example.com:8443",
                "-",
                false,
                "https://sts.example.com:8443",
            ),
            ("http://127.0.0.1:8080/", "-", false, "http://127.0.0.1:8080"),
            ("http://[::1]:8080", "-", false, "http://[::1]:8080"),
            ("http://localhost", "-", false, "http://localhost"),
        ] {
            assert_eq!(
                origin(endpoint, region, vpc, false).as_deref(),
                Ok(expected),
                "{endpoint} {region}"
            );
        }
    }

    fn of_env(value: &str) -> Result<String, String> {
        let mut settings = EndpointSettings {
            region: Some("cn-beijing".to_owned()),
            // For `endpoint(..)` alone.
            allow_http: true,
            ..EndpointSettings::default()
        };
        settings.read(&FakeEnv::from([(ENV_STS_ENDPOINT, value)]));
        assert!(!format!("{settings:?}").contains("canary"));
        let found = resolved(&settings).map_err(|error| {
            assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
            error.to_string()
        })?;
        settings.endpoint = Some("sts.example.com".to_owned());
        assert_eq!(resolved(&settings).unwrap().origin(), "https://sts.example.com");
        Ok(found.origin())
    }

    #[test]
    fn a_variable_names_a_host_of_the_vendor_or_loopback() {
        for (value, expected) in [
            (
                "sts.cn-hangzhou.aliyuncs.com",
                "https://sts.cn-hangzhou.aliyuncs.com",
            ),
            (
                "https://sts-vpc.cn-beijing.aliyuncs.com/",
                "https://sts-vpc.cn-beijing.aliyuncs.com",
            ),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("https://localhost:8443", "https://localhost:8443"),
            // An empty one counts as unset.
            ("", "https://sts.cn-beijing.aliyuncs.com"),
        ] {
            assert_eq!(of_env(value).as_deref(), Ok(expected), "{value}");
        }
        for value in [
            "sts.example.com",
            "https://canary.example.com",
            "aliyuncs.com.example.com",
            "notaliyuncs.com",
            "https://sts.aliyuncs.com.canary.example",
            "http://sts.aliyuncs.com",
            "http://10.0.0.1",
            "http://100.100.100.200",
            "https://user:canary@sts.aliyuncs.com",
            "https://sts.aliyuncs.com/canary",
            "http://127.0.0.1@canary.example",
            "ftp://127.0.0.1",
            " ",
        ] {
            assert_eq!(
                of_env(value).unwrap_err(),
                "test: the STS endpoint of a variable is neither https to a host under aliyuncs.com nor loopback \
                 (ALIBABA_CLOUD_STS_ENDPOINT); correct or unset ALIBABA_CLOUD_STS_ENDPOINT; only endpoint(..) in code may \
                 name another host",
                "{value}"
            );
        }
    }

    #[test]
    fn plain_http_needs_an_opt_in() {
        let refused = origin("http://sts.example.com", "-", false, false).unwrap_err();
        assert_eq!(
            refused,
            "test: the endpoint of STS is plain http, which shows tokens to the network \
             (http://sts.example.com); use https://, or allow_http(true) for a network you trust"
        );
        assert_eq!(
            origin("http://sts.example.com", "-", false, true).as_deref(),
            Ok("http://sts.example.com")
        );
        let warnings = |endpoint: &str| {
            let log = oss_credentials_core::test_util::logged(|| {
                origin(endpoint, "-", false, true).unwrap();
            });
            log.matches("anyone on the network path can read the credentials")
                .count()
        };
        assert_eq!(warnings("http://sts.example.com"), 1);
        assert_eq!(warnings("http://127.0.0.1:1"), 0);
        assert_eq!(warnings("https://sts.example.com"), 0);
        // The metadata service is on the network too.
        assert!(origin("http://100.100.100.200", "-", false, false).is_err());
    }

    #[test]
    fn what_is_no_region_or_host_is_refused() {
        for region in [
            "",
            "cn/hangzhou",
            "cn-hangzhou.evil.example/",
            "cn hangzhou",
            "-cn",
            "cn-",
            "oss-cn-hangzhou",
            "日本",
        ] {
            let text = origin("-", region, false, false).unwrap_err();
            assert!(text.contains("is not a valid region ID"), "{text}");
        }
        for endpoint in [
            "",
            "https://",
            "ftp://sts.example.com",
            "https://sts.example.com/path",
            "https://sts.example.com/?q=canary",
            "https://user:canary@sts.example.com",
            "sts.example.com:port",
        ] {
            let text = origin(endpoint, "-", false, false).unwrap_err();
            assert!(text.starts_with("test: the endpoint of STS "), "{text}");
            assert!(!text.contains("canary"), "{text}");
        }
    }
}
