//! Bucket and key of a URL: the names that are signed, from a request that was built elsewhere.

use percent_encoding::percent_decode;

use crate::encode::check_escapes;
use crate::error::SignError;

/// Where the URLs of an endpoint contain the bucket's name.
///
/// Vendor documents: "Regions and endpoints" and "Access OSS via a custom domain name" (Object Storage Service, user
/// guide).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Addressing<'a> {
    /// In front of the endpoint's host: `bucket.oss-cn-hangzhou.aliyuncs.com`.
    VirtualHosted {
        /// The endpoint's host without bucket, such as `oss-cn-hangzhou.aliyuncs.com`; a port may follow.
        endpoint: &'a str,
    },
    /// The first segment of the path: `http://127.0.0.1:9000/bucket/key`.
    Path,
    /// Nowhere: the host is a custom domain of one bucket.
    CustomDomain {
        /// The bucket that the domain is bound to.
        bucket: &'a str,
    },
}

/// Returns whether a bucket can have this name: 3 to 63 of `a-z`, `0-9` and `-`, with a letter or digit at both ends.
///
/// Vendor document: "Bucket naming conventions" (Object Storage Service, user guide).
///
/// ```
/// use oss_sign::is_bucket_name;
///
/// assert!(is_bucket_name("examplebucket"));
/// assert!(!is_bucket_name("Example_Bucket"));
/// ```
pub fn is_bucket_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (3..=63).contains(&name.len())
        && name.bytes().all(allowed)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

#[cfg(feature = "http")]
impl<'a> Addressing<'a> {
    /// The style of this host: that of the endpoint (with the bucket in the path, as the host has none), a bucket in front of
    /// it, or a custom domain of `bucket`. `None` for another host.
    pub(crate) fn of_host(host: &str, endpoint: &'a str, bucket: Option<&'a str>) -> Option<Self> {
        let ends = |suffix: &str| {
            let start = host.len().checked_sub(suffix.len())?;
            let (front, end) = (host.get(..start)?, host.get(start..)?);
            end.eq_ignore_ascii_case(suffix).then_some(front)
        };
        match ends(endpoint) {
            Some("") => Some(Self::Path),
            Some(front) if front.ends_with('.') => Some(Self::VirtualHosted { endpoint }),
            _ => bucket.map(|bucket| Self::CustomDomain { bucket }),
        }
    }
}

/// Bucket and key, decoded; `None` for a request to the service, or to a bucket as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resource {
    /// The bucket's name.
    pub bucket: Option<String>,
    /// The object's key.
    pub key: Option<String>,
}

impl Resource {
    /// Parses bucket and key of a URL: from its host, in any case and with or without a port, and its encoded path
    /// without query.
    ///
    /// # Errors
    ///
    /// [`SignError::InvalidUri`] if the path does not begin with `/`, contains a `%` that begins no escape, or is not UTF-8
    /// once decoded, and if a virtual-hosted URL has a host other than the endpoint with or without a bucket in front
    /// of it.
    ///
    /// # Examples
    ///
    /// ```
    /// use oss_sign::{Addressing, Resource};
    ///
    /// let addressing = Addressing::VirtualHosted { endpoint: "oss-cn-hangzhou.aliyuncs.com" };
    /// let resource = Resource::of("examplebucket.oss-cn-hangzhou.aliyuncs.com", "/my%20photos/1.jpg", addressing)?;
    /// assert_eq!(resource.bucket.as_deref(), Some("examplebucket"));
    /// assert_eq!(resource.key.as_deref(), Some("my photos/1.jpg"));
    ///
    /// let resource = Resource::of("127.0.0.1:9000", "/examplebucket/1.jpg", Addressing::Path)?;
    /// assert_eq!(resource.bucket.as_deref(), Some("examplebucket"));
    /// # Ok::<(), oss_sign::SignError>(())
    /// ```
    pub fn of(host: &str, path: &str, addressing: Addressing<'_>) -> Result<Self, SignError> {
        let path = match path {
            "" => "",
            path => path.strip_prefix('/').ok_or(SignError::InvalidUri)?,
        };
        let (bucket, key) = match addressing {
            Addressing::VirtualHosted { endpoint } => (bucket_of(host, endpoint)?, path),
            Addressing::Path => {
                let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
                (decoded(bucket)?, key)
            }
            Addressing::CustomDomain { bucket } => (Some(bucket.to_owned()), path),
        };
        let key = decoded(key)?;
        if bucket.is_none() && key.is_some() {
            return Err(SignError::KeyWithoutBucket);
        }
        Ok(Self { bucket, key })
    }
}

/// The name in front of the endpoint's host.
fn bucket_of(host: &str, endpoint: &str) -> Result<Option<String>, SignError> {
    let (host, endpoint) = (bare(host), bare(endpoint));
    if host == endpoint {
        return Ok(None);
    }
    let bucket = host
        .strip_suffix(&endpoint)
        .and_then(|rest| rest.strip_suffix('.'));
    match bucket {
        Some(bucket) if !bucket.is_empty() => Ok(Some(bucket.to_owned())),
        _ => Err(SignError::InvalidUri),
    }
}

/// A host in lower case, without port and final dot.
fn bare(host: &str) -> String {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let name = match host.rsplit_once(':') {
        Some((name, port)) if is_port(port) => name,
        _ => host,
    };
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

fn decoded(part: &str) -> Result<Option<String>, SignError> {
    check_escapes(part).map_err(|_| SignError::InvalidUri)?;
    let text =
        String::from_utf8(percent_decode(part.as_bytes()).collect()).map_err(|_| SignError::InvalidUri)?;
    Ok((!text.is_empty()).then_some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HANGZHOU: Addressing<'_> = Addressing::VirtualHosted {
        endpoint: "oss-cn-hangzhou.aliyuncs.com",
    };

    fn read(host: &str, path: &str, addressing: Addressing<'_>) -> Option<(Option<String>, Option<String>)> {
        let resource = Resource::of(host, path, addressing).ok()?;
        Some((resource.bucket, resource.key))
    }

    fn names(bucket: &str, key: &str) -> (Option<String>, Option<String>) {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        (text(bucket), text(key))
    }

    #[test]
    fn every_style_gives_the_names_that_the_url_was_made_of() {
        let key = "a b/\u{76ee}+c%2F?#//x";
        for (host, bucket_in_path, addressing) in [
            ("BKT.oss-cn-hangzhou.aliyuncs.com", None, HANGZHOU),
            ("bkt.oss-cn-hangzhou.aliyuncs.com.:443", None, HANGZHOU),
            ("[::1]:9000", Some("bkt"), Addressing::Path),
            (
                "img.example.com",
                None,
                Addressing::CustomDomain { bucket: "bkt" },
            ),
        ] {
            for key in ["", "k", "k/", key] {
                let path = crate::url_path(bucket_in_path, Some(key));
                assert_eq!(
                    read(host, &path, addressing),
                    Some(names("bkt", key)),
                    "{host} {path}"
                );
            }
        }
        assert_eq!(
            read("oss-cn-hangzhou.aliyuncs.com", "/", HANGZHOU),
            Some(names("", ""))
        );
        assert_eq!(read("127.0.0.1", "/", Addressing::Path), Some(names("", "")));
        assert_eq!(
            read("127.0.0.1", "/bkt", Addressing::Path),
            Some(names("bkt", ""))
        );
    }

    #[test]
    fn what_leads_elsewhere_is_refused() {
        for (host, path) in [
            ("bkt.oss-cn-beijing.aliyuncs.com", "/k"),
            ("bktoss-cn-hangzhou.aliyuncs.com", "/k"),
            (".oss-cn-hangzhou.aliyuncs.com", "/k"),
            ("oss-cn-hangzhou.aliyuncs.com", "/k"),
            ("bkt.oss-cn-hangzhou.aliyuncs.com", "k"),
            ("bkt.oss-cn-hangzhou.aliyuncs.com", "/100%"),
            ("bkt.oss-cn-hangzhou.aliyuncs.com", "/%FF"),
        ] {
            assert_eq!(read(host, path, HANGZHOU), None, "{host}{path}");
        }
        assert_eq!(read("127.0.0.1", "//k", Addressing::Path), None);
        // What follows the last colon of an address is not a port.
        let address = Addressing::VirtualHosted { endpoint: "[::1]" };
        assert_eq!(read("[::1]:80", "/", address), Some(names("", "")));
        assert_eq!(read("[::2]", "/", address), None);
    }
}
