//! The region that the host of an endpoint names.

/// The region of a public endpoint's host, without bucket. No other host in a response is trusted.
///
/// Vendor document: "Regions and endpoints" (Object Storage Service, user guide).
pub(crate) fn of_endpoint(host: &str) -> Option<&str> {
    let region = host.strip_suffix(".aliyuncs.com")?.strip_prefix("oss-")?;
    let region = region.strip_suffix("-internal").unwrap_or(region);
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (!region.is_empty() && !region.starts_with("accelerate") && region.chars().all(is_name)).then_some(region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_services_own_endpoints_name_a_region() {
        for (host, region) in [
            ("oss-cn-beijing.aliyuncs.com", Some("cn-beijing")),
            ("oss-cn-beijing-internal.aliyuncs.com", Some("cn-beijing")),
            ("oss-accelerate.aliyuncs.com", None),
            ("oss-.aliyuncs.com", None),
            ("oss-cn-beijing.aliyuncs.com.evil.example", None),
            ("bkt.oss-cn-beijing.aliyuncs.com", None),
            ("oss-a/b.aliyuncs.com", None),
            ("evil.example", None),
            ("oss-evil.example#.aliyuncs.com", None),
        ] {
            assert_eq!(of_endpoint(host), region, "{host}");
        }
    }
}
