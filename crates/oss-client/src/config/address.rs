//! The address of OSS: region, endpoint, and the form of the host.

use std::fmt;

use oss_credentials_core::text;
use oss_sign::SignError;

use super::ClientBuilder;
use crate::endpoint::{Endpoint, Naming};
use crate::error::{Error, InvalidInput};
use crate::signing::{PRODUCT, PRODUCT_CLOUD_BOX};

/// The settings as given.
#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are the caller's switches, one by one"
)]
pub(super) struct Address {
    pub(super) region: Option<String>,
    /// May hold a password, which is refused.
    pub(super) endpoint: Option<String>,
    /// Whether region and endpoint may come from the environment, too.
    pub(super) reads_env: bool,
    internal: bool,
    accelerate: bool,
    dual_stack: bool,
    cname: bool,
    path_style: bool,
    disable_ssl: bool,
    cloud_box: Option<String>,
    detect_cloud_box: bool,
}

/// Where requests are sent, and what signatures name.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) endpoint: Endpoint,
    /// The region, or the ID of the cloud box; empty if no signature needs it.
    pub(super) region: String,
    pub(super) product: &'static str,
}

impl ClientBuilder {
    /// The region of the buckets, such as `cn-hangzhou`: `a-z`, `0-9` and `-`. Required, because signatures name it,
    /// except for a cloud box with an endpoint.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.address.region = Some(region.into());
        self
    }

    /// The address of OSS: `host`, `host:port` or a URL. Without a scheme it is `https`; a path is ignored. URLs are
    /// path-style if the host is an IP address or `localhost`. With an endpoint, `internal`, `accelerate` and
    /// `dual_stack` have no effect. An endpoint of a region other than [`ClientBuilder::region`] is refused, because
    /// signatures name the region. Default: derived from the region, `https://oss-{region}.aliyuncs.com`.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.address.endpoint = Some(endpoint.into());
        self
    }

    /// Whether to use the region's internal endpoint, `oss-{region}-internal.aliyuncs.com`, which ECS instances in the
    /// same region can reach. Default: no.
    pub fn internal(mut self, internal: bool) -> Self {
        self.address.internal = internal;
        self
    }

    /// Whether to use the endpoint of transfer acceleration, `oss-accelerate.aliyuncs.com`; the region stays the
    /// bucket's own. For the endpoint outside the Chinese mainland, pass `oss-accelerate-overseas.aliyuncs.com` to
    /// [`ClientBuilder::endpoint`]. Default: no.
    pub fn accelerate(mut self, accelerate: bool) -> Self {
        self.address.accelerate = accelerate;
        self
    }

    /// Whether to use the region's dual-stack endpoint (IPv4 and IPv6), `{region}.oss.aliyuncs.com`. Default: no.
    pub fn dual_stack(mut self, dual_stack: bool) -> Self {
        self.address.dual_stack = dual_stack;
        self
    }

    /// Whether the endpoint is a custom domain of the bucket: then neither host nor path contain the bucket's name.
    /// Needs an [`endpoint`](ClientBuilder::endpoint), and takes precedence over `path_style`. Default: no.
    pub fn cname(mut self, cname: bool) -> Self {
        self.address.cname = cname;
        self
    }

    /// Whether the path of the URL contains the bucket's name, instead of the host. Default: no, unless the host is an
    /// IP address or `localhost`.
    pub fn path_style(mut self, path_style: bool) -> Self {
        self.address.path_style = path_style;
        self
    }

    /// Whether the scheme is `http` for an endpoint without a scheme and for the endpoint derived from the region.
    /// Anyone on the network path can then read objects and tokens. Has no effect on an endpoint with a scheme.
    /// Default: no.
    pub fn disable_ssl(mut self, disable: bool) -> Self {
        self.address.disable_ssl = disable;
        self
    }

    /// The ID of a cloud box, such as `cb-f8z7yvzgwfkl9q0h****`: signatures name it instead of the region. Default:
    /// none.
    pub fn cloud_box(mut self, id: impl Into<String>) -> Self {
        self.address.cloud_box = Some(id.into());
        self
    }

    /// Whether to take the ID of the cloud box from an endpoint of the form
    /// `cb-{id}.{region}.oss-cloudbox.aliyuncs.com` (or `oss-cloudbox-control`). An ID given to
    /// [`ClientBuilder::cloud_box`] takes precedence. Default: no.
    pub fn detect_cloud_box(mut self, detect: bool) -> Self {
        self.address.detect_cloud_box = detect;
        self
    }
}

impl Address {
    /// Whether a setting chooses among the hosts of the region.
    #[cfg(feature = "default-chain")]
    pub(super) fn chooses_host(&self) -> bool {
        self.internal || self.accelerate || self.dual_stack
    }

    /// Derives the address, or returns why that is not possible.
    pub(super) fn resolve(&self, needs_region: bool) -> Result<Resolved, Error> {
        self.check_contradictions().map_err(Error::InvalidConfig)?;
        let given = self.endpoint.as_deref();
        let region = self.region.as_deref().filter(|region| !region.is_empty());
        let naming = Naming {
            cname: self.cname,
            path_style: self.path_style,
            insecure: self.disable_ssl,
        };
        let endpoint = given
            .map(|given| Endpoint::parse(given, naming))
            .transpose()
            .map_err(Error::InvalidConfig)?;
        let cloud_box = self.cloud_box.as_deref().filter(|id| !id.is_empty());
        let detected = endpoint
            .as_ref()
            .filter(|_| self.detect_cloud_box)
            .and_then(|endpoint| detected(endpoint.host()));
        if let (Some(endpoint), Some(region)) = (&endpoint, region)
            && needs_region
            && cloud_box.is_none()
        {
            check_region(endpoint.host(), region).map_err(Error::InvalidConfig)?;
        }
        let (scope, product) = match cloud_box.or(detected) {
            Some(id) => (Some(id), PRODUCT_CLOUD_BOX),
            None => (region, PRODUCT),
        };
        let missing = || {
            let hint = if self.reads_env {
                "set OSS_REGION, choose a region with `aliyun configure`, or call `region(..)`"
            } else {
                "call `region(..)`, with an explicit endpoint too: signatures name it"
            };
            Error::InvalidConfig(InvalidInput::new("no region is set", hint))
        };
        if scope.is_none() && needs_region {
            return Err(missing());
        }
        let scope = scope.unwrap_or_default().to_owned();
        let endpoint = match (endpoint, region) {
            (Some(endpoint), _) => endpoint,
            (None, Some(region)) => {
                Endpoint::parse(&self.host(region)?, naming).map_err(Error::InvalidConfig)?
            }
            (None, None) => return Err(missing()),
        };
        Ok(Resolved {
            endpoint,
            region: scope,
            product,
        })
    }

    /// Refuses combinations that official clients resolve differently from each other, or to a URL that cannot work.
    fn check_contradictions(&self) -> Result<(), InvalidInput> {
        let both = |one: &str, other: &str, hint: &'static str| {
            Err(InvalidInput::new(
                format!("`{one}` and `{other}` are both set"),
                hint,
            ))
        };
        let hosts = [
            (self.internal, "internal"),
            (self.accelerate, "accelerate"),
            (self.dual_stack, "dual_stack"),
        ];
        let mut set = hosts.iter().filter(|(is_set, _)| *is_set);
        if let (Some((_, one)), Some((_, other))) = (set.next(), set.next()) {
            return both(one, other, "choose one: each is another host");
        }
        if self.cname && self.endpoint.is_none() {
            return Err(InvalidInput::new(
                "`cname` is set without `endpoint`",
                "give the bucket's domain to `endpoint`",
            ));
        }
        Ok(())
    }

    /// The host of the region.
    ///
    /// Vendor document: "Regions and endpoints" (Object Storage Service, user guide).
    fn host(&self, region: &str) -> Result<String, Error> {
        // Checked before it becomes part of a host: with a cloud box the signer does not see the region.
        if !region
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        {
            let region = region.chars().take(64).collect();
            return Err(Error::Sign(SignError::InvalidRegion { region }));
        }
        Ok(if self.internal {
            format!("oss-{region}-internal.aliyuncs.com")
        } else if self.dual_stack {
            format!("{region}.oss.aliyuncs.com")
        } else if self.accelerate {
            "oss-accelerate.aliyuncs.com".to_owned()
        } else {
            format!("oss-{region}.aliyuncs.com")
        })
    }
}

/// The ID of the cloud box that a host belongs to, as observed from the vendor's Go SDK V2.
fn detected(host: &str) -> Option<&str> {
    let mut labels = host.split('.');
    let id = labels.next().filter(|id| id.starts_with("cb-"))?;
    labels.next().filter(|region| !region.is_empty())?;
    let rest: Vec<_> = labels.collect();
    matches!(
        rest[..],
        ["oss-cloudbox" | "oss-cloudbox-control", "aliyuncs", "com"]
    )
    .then_some(id)
}

/// The regions whose endpoints serve no other region. Regions of the financial and government clouds are left out,
/// because some of their endpoints have other names.
///
/// Vendor document: "Regions and endpoints" (Object Storage Service, user guide), public cloud.
const PUBLIC_REGIONS: [&str; 31] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-southeast-1",
    "ap-southeast-3",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "cn-beijing",
    "cn-chengdu",
    "cn-fuzhou",
    "cn-guangzhou",
    "cn-hangzhou",
    "cn-heyuan",
    "cn-hongkong",
    "cn-huhehaote",
    "cn-nanjing",
    "cn-qingdao",
    "cn-shanghai",
    "cn-shenzhen",
    "cn-wuhan-lr",
    "cn-wulanchabu",
    "cn-zhangjiakou",
    "cn-zhongwei",
    "eu-central-1",
    "eu-west-1",
    "me-central-1",
    "me-east-1",
    "na-south-1",
    "us-east-1",
    "us-southeast-1",
    "us-west-1",
];

/// Refuses the endpoint of one public region with the name of another: the service would reject every signature.
fn check_region(host: &str, region: &str) -> Result<(), InvalidInput> {
    let Some(named) = public_region(host).filter(|named| *named != region) else {
        return Ok(());
    };
    let shown: String = region.chars().map(text::safe).take(64).collect();
    Err(InvalidInput::new(
        format!("`region` is {shown:?} and `endpoint` is that of {named:?}"),
        "set both to the bucket's region, or leave `endpoint` out",
    ))
}

/// The public region that a host of the service belongs to, with or without a bucket in front.
fn public_region(host: &str) -> Option<&'static str> {
    let host = host
        .strip_suffix('.')
        .unwrap_or(host)
        .strip_suffix(".aliyuncs.com")?;
    let named = if let Some(dual_stack) = host.strip_suffix(".oss") {
        dual_stack.rsplit('.').next()?
    } else {
        let label = host.rsplit('.').next()?.strip_prefix("oss-")?;
        label.strip_suffix("-internal").unwrap_or(label)
    };
    PUBLIC_REGIONS.into_iter().find(|region| *region == named)
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The endpoint may hold a password.
        f.debug_struct("Address")
            .field("region", &self.region)
            .field("internal", &self.internal)
            .field("accelerate", &self.accelerate)
            .field("dual_stack", &self.dual_stack)
            .field("cname", &self.cname)
            .field("path_style", &self.path_style)
            .field("disable_ssl", &self.disable_ssl)
            .field("cloud_box", &self.cloud_box)
            .field("detect_cloud_box", &self.detect_cloud_box)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;

    type Set = fn(ClientBuilder) -> ClientBuilder;

    fn resolved(set: Set) -> Resolved {
        set(Client::builder()).address.resolve(true).unwrap()
    }

    fn refused(set: Set) -> String {
        set(Client::builder())
            .address
            .resolve(true)
            .unwrap_err()
            .to_string()
    }

    const REGION: Set = |b| b.region("cn-hangzhou");
    const BEIJING: Set = |b| b.region("cn-beijing");

    /// Inputs and URLs observed with the vendor's Python V2 SDK, and with the Go V2 SDK for IPv6: for the object
    /// `a b/c` in `bkt`, for the bucket, and for the service. `localhost` is the exception: there the official clients
    /// write `bkt.localhost`, which most resolvers do not know.
    #[test]
    fn urls_are_those_of_the_official_clients() {
        let rows: [(Set, &str, &str, &str); 9] = [
            (
                REGION,
                "https://bkt.oss-cn-hangzhou.aliyuncs.com/a%20b/c",
                "https://bkt.oss-cn-hangzhou.aliyuncs.com/",
                "https://oss-cn-hangzhou.aliyuncs.com/",
            ),
            (
                |b| REGION(b).disable_ssl(true),
                "http://bkt.oss-cn-hangzhou.aliyuncs.com/a%20b/c",
                "http://bkt.oss-cn-hangzhou.aliyuncs.com/",
                "http://oss-cn-hangzhou.aliyuncs.com/",
            ),
            (
                |b| REGION(b).internal(true),
                "https://bkt.oss-cn-hangzhou-internal.aliyuncs.com/a%20b/c",
                "https://bkt.oss-cn-hangzhou-internal.aliyuncs.com/",
                "https://oss-cn-hangzhou-internal.aliyuncs.com/",
            ),
            (
                |b| REGION(b).accelerate(true),
                "https://bkt.oss-accelerate.aliyuncs.com/a%20b/c",
                "https://bkt.oss-accelerate.aliyuncs.com/",
                "https://oss-accelerate.aliyuncs.com/",
            ),
            (
                |b| REGION(b).dual_stack(true),
                "https://bkt.cn-hangzhou.oss.aliyuncs.com/a%20b/c",
                "https://bkt.cn-hangzhou.oss.aliyuncs.com/",
                "https://cn-hangzhou.oss.aliyuncs.com/",
            ),
            (
                |b| REGION(b).path_style(true),
                "https://oss-cn-hangzhou.aliyuncs.com/bkt/a%20b/c",
                "https://oss-cn-hangzhou.aliyuncs.com/bkt/",
                "https://oss-cn-hangzhou.aliyuncs.com/",
            ),
            (
                |b| REGION(b).endpoint("https://www.example.com").cname(true),
                "https://www.example.com/a%20b/c",
                "https://www.example.com/",
                "https://www.example.com/",
            ),
            (
                |b| REGION(b).endpoint("http://192.168.1.2:8080"),
                "http://192.168.1.2:8080/bkt/a%20b/c",
                "http://192.168.1.2:8080/bkt/",
                "http://192.168.1.2:8080/",
            ),
            (
                |b| REGION(b).endpoint("http://localhost:8080"),
                "http://localhost:8080/bkt/a%20b/c",
                "http://localhost:8080/bkt/",
                "http://localhost:8080/",
            ),
        ];
        for (set, object, bucket, service) in rows {
            let Resolved {
                endpoint,
                region,
                product,
            } = resolved(set);
            assert_eq!(endpoint.url(Some("bkt"), Some("a b/c")), object);
            assert_eq!(endpoint.url(Some("bkt"), None), bucket);
            assert_eq!(endpoint.url(None, None), service);
            assert_eq!((&*region, product), ("cn-hangzhou", "oss"), "{object}");
        }
    }

    /// Rows of the same table of which only the object's URL was observed.
    #[test]
    fn urls_of_explicit_endpoints_are_those_of_the_official_clients() {
        let rows: [(Set, &str); 9] = [
            (
                |b| BEIJING(b).endpoint("oss-cn-beijing.aliyuncs.com"),
                "https://bkt.oss-cn-beijing.aliyuncs.com/a%20b/c",
            ),
            (
                |b| {
                    BEIJING(b)
                        .endpoint("oss-cn-beijing.aliyuncs.com")
                        .disable_ssl(true)
                },
                "http://bkt.oss-cn-beijing.aliyuncs.com/a%20b/c",
            ),
            (
                |b| BEIJING(b).endpoint("http://oss-cn-beijing.aliyuncs.com"),
                "http://bkt.oss-cn-beijing.aliyuncs.com/a%20b/c",
            ),
            (
                |b| {
                    let beijing = BEIJING(b).endpoint("https://oss-cn-beijing.aliyuncs.com");
                    beijing.disable_ssl(true).internal(true)
                },
                "https://bkt.oss-cn-beijing.aliyuncs.com/a%20b/c",
            ),
            (
                |b| REGION(b).endpoint("192.168.1.2:8080").cname(true),
                "https://192.168.1.2:8080/bkt/a%20b/c",
            ),
            (
                |b| REGION(b).endpoint("http://[::1]:8080"),
                "http://[::1]:8080/bkt/a%20b/c",
            ),
            (
                |b| REGION(b).endpoint("e.com:8443"),
                "https://bkt.e.com:8443/a%20b/c",
            ),
            (
                |b| REGION(b).endpoint("https://e.com/base/path"),
                "https://bkt.e.com/a%20b/c",
            ),
            // Not in the table, but in the precedence that goes with it.
            (
                |b| REGION(b).endpoint("www.example.com").cname(true).path_style(true),
                "https://www.example.com/a%20b/c",
            ),
        ];
        for (set, object) in rows {
            let resolved = resolved(set);
            assert_eq!(resolved.endpoint.url(Some("bkt"), Some("a b/c")), object);
            let region = if object.contains("beijing") {
                "cn-beijing"
            } else {
                "cn-hangzhou"
            };
            assert_eq!(resolved.region, region, "{object}");
        }
    }

    #[test]
    fn cloud_boxes_are_signed_for_by_their_id() {
        const BOX: &str = "cb-123.cn-hangzhou.oss-cloudbox.aliyuncs.com";
        const BOX_URL: &str = "https://bkt.cb-123.cn-hangzhou.oss-cloudbox.aliyuncs.com/a%20b/c";
        const REGION_URL: &str = "https://bkt.oss-cn-hangzhou.aliyuncs.com/a%20b/c";
        let rows: [(Set, &str, &str, &str); 7] = [
            (
                |b| REGION(b).cloud_box("cb-1"),
                REGION_URL,
                "cb-1",
                "oss-cloudbox",
            ),
            (
                |b| REGION(b).endpoint(BOX).detect_cloud_box(true),
                BOX_URL,
                "cb-123",
                "oss-cloudbox",
            ),
            (|b| REGION(b).endpoint(BOX), BOX_URL, "cn-hangzhou", "oss"),
            // The id is all that is signed.
            (
                |b| b.endpoint(BOX).detect_cloud_box(true),
                BOX_URL,
                "cb-123",
                "oss-cloudbox",
            ),
            (
                |b| b.endpoint(BOX).detect_cloud_box(true).cloud_box("cb-9"),
                BOX_URL,
                "cb-9",
                "oss-cloudbox",
            ),
            (
                |b| REGION(b).detect_cloud_box(true),
                REGION_URL,
                "cn-hangzhou",
                "oss",
            ),
            (
                |b| {
                    let other = REGION(b).endpoint("cb-123.oss-cloudbox.aliyuncs.com");
                    other.detect_cloud_box(true)
                },
                "https://bkt.cb-123.oss-cloudbox.aliyuncs.com/a%20b/c",
                "cn-hangzhou",
                "oss",
            ),
        ];
        for (set, url, region, product) in rows {
            let resolved = resolved(set);
            assert_eq!(resolved.endpoint.url(Some("bkt"), Some("a b/c")), url);
            assert_eq!((&*resolved.region, resolved.product), (region, product), "{url}");
        }
        assert_eq!(
            detected("cb-1.cn-hangzhou.oss-cloudbox-control.aliyuncs.com"),
            Some("cb-1")
        );
        for other in [
            "xb-1.cn-hangzhou.oss-cloudbox.aliyuncs.com",
            "b.cb-1.cn-hangzhou.oss-cloudbox.aliyuncs.com",
            "cb-1.cn-hangzhou.oss-cloudbox.aliyuncs.com.evil.example",
            "oss-cn-hangzhou.aliyuncs.com",
        ] {
            assert_eq!(detected(other), None, "{other}");
        }
    }

    #[test]
    fn contradictions_are_refused_and_both_settings_named() {
        let rows: [(Set, &str); 4] = [
            (
                |b| REGION(b).dual_stack(true).internal(true),
                "`internal` and `dual_stack` are both set",
            ),
            (
                |b| REGION(b).internal(true).accelerate(true),
                "`internal` and `accelerate` are both set",
            ),
            (
                |b| REGION(b).dual_stack(true).accelerate(true),
                "`accelerate` and `dual_stack` are both set",
            ),
            (|b| REGION(b).cname(true), "`cname` is set without `endpoint`"),
        ];
        for (set, expected) in rows {
            let error = refused(set);
            assert!(error.starts_with(&format!("oss-client: {expected}; ")), "{error}");
        }
        assert!(refused(|b| REGION(b).cname(true).path_style(true)).contains("`endpoint`"));
    }

    #[test]
    fn the_endpoint_of_another_region_is_refused() {
        for endpoint in [
            "oss-cn-beijing.aliyuncs.com",
            "http://oss-cn-beijing-internal.aliyuncs.com",
            "cn-beijing.oss.aliyuncs.com",
            "bkt.oss-cn-beijing.aliyuncs.com.",
        ] {
            let error = Client::builder()
                .region("cn-hangzhou")
                .endpoint(endpoint)
                .address
                .resolve(true)
                .unwrap_err();
            assert_eq!(
                error.to_string(),
                "oss-client: `region` is \"cn-hangzhou\" and `endpoint` is that of \"cn-beijing\"; set both to the \
                 bucket's region, or leave `endpoint` out",
                "{endpoint}"
            );
        }
        // V1 does not sign the region.
        let v1 = REGION(Client::builder()).endpoint("oss-cn-beijing.aliyuncs.com");
        assert!(v1.address.resolve(false).is_ok());
        for (region, endpoint) in [
            ("cn-hangzhou", "oss-cn-hangzhou-internal.aliyuncs.com"),
            ("cn-hangzhou", "bkt.cn-hangzhou.oss.aliyuncs.com"),
            ("cn-hangzhou", "oss-accelerate-overseas.aliyuncs.com"),
            ("cn-hangzhou", "oss.aliyuncs.com"),
            ("cn-hangzhou-finance", "oss-cn-hzjbp-a-internal.aliyuncs.com"),
            ("cn-hangzhou", "oss-cn-beijing.aliyuncs.com.example.com"),
            ("cn-hangzhou", "oss-cn-beijing.example.com"),
        ] {
            let both = Client::builder().region(region).endpoint(endpoint);
            assert!(both.address.resolve(true).is_ok(), "{region} {endpoint}");
        }
    }

    #[test]
    fn without_signed_region_an_endpoint_is_enough() {
        let beijing = Client::builder().endpoint("oss-cn-beijing.aliyuncs.com");
        let resolved = beijing.address.resolve(false).unwrap();
        assert_eq!(
            resolved.endpoint.url(Some("bkt"), Some("k")),
            "https://bkt.oss-cn-beijing.aliyuncs.com/k"
        );
        assert!(Client::builder().address.resolve(false).is_err());
    }

    #[test]
    fn what_leads_nowhere_is_refused() {
        for set in [
            |b| b,
            |b: ClientBuilder| b.region(""),
            |b: ClientBuilder| b.endpoint("oss-cn-beijing.aliyuncs.com"),
            |b: ClientBuilder| b.cloud_box("cb-1"),
        ] {
            assert!(refused(set).starts_with("oss-client: no region is set"));
        }
        assert!(refused(|b| b.region("CN_Bad")).starts_with("oss-sign: the region \"CN_Bad\" is malformed"));
        let beside_a_box: Set = |b| b.region("evil.example/").cloud_box("cb-1");
        assert!(refused(beside_a_box).contains("is malformed"));
        assert!(refused(|b| REGION(b).endpoint("ftp://e.com")).contains("scheme that is not supported"));
    }
}
