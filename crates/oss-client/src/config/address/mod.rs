//! The address of OSS: region, endpoint, and the form of the host.

mod regions;
#[cfg(test)]
mod tests;

use std::fmt;

use oss_sign::SignError;

use super::ClientBuilder;
use crate::endpoint::{Endpoint, Naming};
use crate::error::{Error, InvalidInput};
use crate::signing::{PRODUCT, PRODUCT_CLOUD_BOX};

use regions::check_region;

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
    /// Sets the region of the buckets, such as `cn-hangzhou`: `a-z`, `0-9` and `-`. Required, because signatures name
    /// it, except for a cloud box with an endpoint.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.address.region = Some(region.into());
        self
    }

    /// Sets the address of OSS: `host`, `host:port` or a URL. Without a scheme it is `https`; a path is ignored. URLs
    /// are path-style if the host is an IP address or `localhost`. With an endpoint, `internal`, `accelerate` and
    /// `dual_stack` have no effect. An endpoint of a region other than [`ClientBuilder::region`] is refused, because
    /// signatures name the region. Default: derived from the region, `https://oss-{region}.aliyuncs.com`.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.address.endpoint = Some(endpoint.into());
        self
    }

    /// Sets whether to use the region's internal endpoint, `oss-{region}-internal.aliyuncs.com`, which ECS instances in
    /// the same region can reach. Default: no.
    pub fn internal(mut self, internal: bool) -> Self {
        self.address.internal = internal;
        self
    }

    /// Sets whether to use the endpoint of transfer acceleration, `oss-accelerate.aliyuncs.com`; the region stays the
    /// bucket's own. For the endpoint outside the Chinese mainland, pass `oss-accelerate-overseas.aliyuncs.com` to
    /// [`ClientBuilder::endpoint`]. Default: no.
    pub fn accelerate(mut self, accelerate: bool) -> Self {
        self.address.accelerate = accelerate;
        self
    }

    /// Sets whether to use the region's dual-stack endpoint (IPv4 and IPv6), `{region}.oss.aliyuncs.com`. Default: no.
    pub fn dual_stack(mut self, dual_stack: bool) -> Self {
        self.address.dual_stack = dual_stack;
        self
    }

    /// Sets whether the endpoint is a custom domain of the bucket: then neither host nor path contain the bucket's
    /// name. Needs an [`endpoint`](ClientBuilder::endpoint), and takes precedence over `path_style`. Default: no.
    pub fn cname(mut self, cname: bool) -> Self {
        self.address.cname = cname;
        self
    }

    /// Sets whether the path of the URL contains the bucket's name, instead of the host. Default: no, unless the host
    /// is an IP address or `localhost`.
    pub fn path_style(mut self, path_style: bool) -> Self {
        self.address.path_style = path_style;
        self
    }

    /// Sets whether the scheme is `http` for an endpoint without a scheme and for the endpoint derived from the region.
    /// Anyone on the network path can then read objects and tokens. Has no effect on an endpoint with a scheme.
    /// Default: no.
    pub fn disable_ssl(mut self, disable: bool) -> Self {
        self.address.disable_ssl = disable;
        self
    }

    /// Sets the ID of a cloud box, such as `cb-f8z7yvzgwfkl9q0h****`: signatures name it instead of the region.
    /// Default: none.
    pub fn cloud_box(mut self, id: impl Into<String>) -> Self {
        self.address.cloud_box = Some(id.into());
        self
    }

    /// Sets whether to take the ID of the cloud box from an endpoint of the form
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
