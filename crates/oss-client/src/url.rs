//! Whether a URL leads to the bucket and key that a signature is to name.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use reqwest::Url;

use crate::endpoint::{Endpoint, Style};
use crate::error::InvalidInput;

/// Domain of the public endpoints. A custom domain of a bucket is never under it.
///
/// Vendor document: "Regions and endpoints" (Object Storage Service, user guide).
const PUBLIC: &str = ".aliyuncs.com";

/// Where the bucket's name may stand in a URL of a host.
#[derive(Clone, Copy)]
struct BucketPositions {
    /// In the host or, as with a custom domain, nowhere.
    host: bool,
    path: bool,
}

/// Finds a URL that leads elsewhere: the service would refuse the signature, or carry out something else by it. `own`
/// is the endpoint of the client that signs.
pub(crate) fn check(
    url: &Url,
    bucket: Option<&str>,
    key: Option<&str>,
    own: Option<&Endpoint>,
) -> Result<(), InvalidInput> {
    // Borrowed where nothing is escaped.
    let path = Cow::from(percent_decode_str(url.path()));
    let is = |parts: &[&str]| {
        let rest = parts
            .iter()
            .try_fold(&*path, |rest, part| rest.strip_prefix(part.as_bytes()));
        rest.is_some_and(<[u8]>::is_empty)
    };
    let key = key.unwrap_or_default();
    let Some(bucket) = bucket.filter(|bucket| !bucket.is_empty()) else {
        // A key without bucket is the signer's to refuse.
        return if key.is_empty() && !is(&["/"]) {
            Err(wrong_path())
        } else {
            Ok(())
        };
    };
    if !has_whole_escapes(url.path()) {
        return Err(wrong_path());
    }
    let without = || is(&["/", key]);
    let with = || is(&["/", bucket, "/", key]) || (key.is_empty() && is(&["/", bucket]));
    let positions = positions(url, bucket, own);
    if (positions.host && without()) || (positions.path && with()) {
        return Ok(());
    }
    if positions.host || !without() {
        return Err(wrong_path());
    }
    Err(InvalidInput::new(
        format!("the URL's host is not that of the bucket {:?}", shown(bucket)),
        "write the bucket in front of the endpoint's host, or into the path",
    ))
}

fn wrong_path() -> InvalidInput {
    InvalidInput::new(
        "the URL's path is not that of the bucket and key to be signed",
        "write it with `oss_sign::url_path`",
    )
}

fn positions(url: &Url, bucket: &str, own: Option<&Endpoint>) -> BucketPositions {
    let host = url.host_str().unwrap_or_default();
    let is_address = !url
        .domain()
        .is_some_and(|domain| domain.contains(char::is_alphabetic));
    let in_path = BucketPositions {
        host: false,
        path: true,
    };
    if is_address {
        return in_path;
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    if let Some(own) = own.filter(|own| own.host() == host) {
        return BucketPositions {
            host: own.style() == Style::Cname,
            path: own.style() != Style::Cname,
        };
    }
    let Some(endpoint) = host.strip_suffix(PUBLIC) else {
        return BucketPositions {
            host: true,
            path: true,
        };
    };
    // `bucket.oss-region`, `bucket.region.oss`, `bucket.cb-id.region.oss-cloudbox`, and the same without bucket.
    match endpoint.split_once('.') {
        None => in_path,
        Some((first, rest)) => BucketPositions {
            host: first == bucket,
            // A region may have the name of a bucket.
            path: !rest.starts_with("oss-") && (first != bucket || rest == "oss"),
        },
    }
}

/// Whether each `%` begins an escape. What a service makes of another one is not known.
fn has_whole_escapes(path: &str) -> bool {
    let is_whole = |rest: &str| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    path.split('%').skip(1).all(is_whole)
}

/// A caller's value as it may stand in an error.
fn shown(value: &str) -> String {
    value.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Naming;

    const OBJECT: &str = "a b/ü+c";
    const PATH: &str = "a%20b/%C3%BC%2Bc";

    fn parse(url: &str) -> Url {
        Url::parse(url).unwrap()
    }

    #[test]
    fn every_way_to_write_a_bucket_is_taken() {
        for base in [
            "https://bkt.oss-cn-hangzhou.aliyuncs.com/",
            "https://BKT.OSS-cn-hangzhou.aliyuncs.com:443/",
            "https://bkt.oss-cn-hangzhou.aliyuncs.com./",
            "http://bkt.oss-cn-hangzhou-internal.aliyuncs.com/",
            "https://bkt.oss-accelerate.aliyuncs.com/",
            "https://bkt.cn-hangzhou.oss.aliyuncs.com/",
            "https://cn-hangzhou.oss.aliyuncs.com/bkt/",
            "https://bkt.cb-123.cn-hangzhou.oss-cloudbox.aliyuncs.com/",
            "https://cb-123.cn-hangzhou.oss-cloudbox.aliyuncs.com/bkt/",
            "https://oss-cn-hangzhou.aliyuncs.com/bkt/",
            "https://img.example.com/",
            "https://oss.example.com/bkt/",
            "http://bkt.localhost:8080/",
            "http://127.0.0.1:9000/bkt/",
            "http://127.1/bkt/",
            "http://[::1]:9000/bkt/",
        ] {
            let check = |path: &str, key| check(&parse(&format!("{base}{path}")), Some("bkt"), key, None);
            assert_eq!(check(PATH, Some(OBJECT)), Ok(()), "{base}");
            assert_eq!(check("a%20b%2F%c3%bc+c", Some(OBJECT)), Ok(()), "{base}");
            assert_eq!(check("/lead//x/", Some("/lead//x/")), Ok(()), "{base}");
            assert_eq!(check("?acl", None), Ok(()), "{base}");
            assert_eq!(check("", Some("")), Ok(()), "{base}");
            for (path, key) in [
                ("", Some("k")),
                ("k", None),
                ("k", Some("K")),
                ("k", Some("k/")),
                ("k/", Some("k")),
                ("x/k", Some("k")),
                ("bkt/k", Some("k")),
                ("a?b", Some("a?b")),
                ("a#b", Some("a#b")),
                ("a\\b", Some("a\\b")),
                ("100%", Some("100%")),
                ("a%252Fb", Some("a/b")),
                ("a%2Fb", Some("a%2Fb")),
            ] {
                // Below a host that may be anything, this is the object `k` in path style.
                if path == "bkt/k" && (base.contains("example.com/") || base.contains("localhost")) {
                    continue;
                }
                assert_eq!(check(path, key), Err(wrong_path()), "{base}{path} {key:?}");
            }
        }
        let service = parse("https://oss-cn-hangzhou.aliyuncs.com/?prefix=a");
        assert_eq!(check(&service, None, None, None), Ok(()));
        assert_eq!(check(&service, Some(""), Some(""), None), Ok(()));
        let object = parse("https://oss-cn-hangzhou.aliyuncs.com/k");
        assert_eq!(check(&object, None, None, None), Err(wrong_path()));
        let bucket = parse("http://127.0.0.1/bkt");
        assert_eq!(check(&bucket, Some("bkt"), None, None), Ok(()));
    }

    #[test]
    fn hosts_of_other_buckets_are_refused() {
        for url in [
            "https://other.oss-cn-hangzhou.aliyuncs.com/k",
            "https://oss-cn-hangzhou.aliyuncs.com/k",
            "https://other.cn-hangzhou.oss.aliyuncs.com/k",
            "https://bkt2.oss-accelerate.aliyuncs.com/k",
            "http://127.0.0.1/k",
            "http://[::1]/k",
        ] {
            assert_eq!(
                check(&parse(url), Some("bkt"), Some("k"), None)
                    .unwrap_err()
                    .to_string(),
                "oss-client: the URL's host is not that of the bucket \"bkt\"; write the bucket in front of the \
                 endpoint's host, or into the path",
                "{url}"
            );
        }
        let other = parse("https://other.oss-cn-hangzhou.aliyuncs.com/bkt/k");
        assert_eq!(check(&other, Some("bkt"), Some("k"), None), Err(wrong_path()));
    }

    #[test]
    fn a_client_knows_its_own_host() {
        let own = |cname, path_style| {
            let naming = Naming {
                cname,
                path_style,
                insecure: false,
            };
            Endpoint::parse("https://oss.example.com", naming).unwrap()
        };
        let check = |url, own: &Endpoint| check(&parse(url), Some("bkt"), Some("k"), Some(own)).is_ok();
        for (cname, path_style, url, expected) in [
            (true, false, "https://oss.example.com/k", true),
            (true, false, "https://oss.example.com/bkt/k", false),
            (false, true, "https://oss.example.com/bkt/k", true),
            (false, true, "https://oss.example.com/k", false),
            (false, false, "https://oss.example.com/k", false),
            (false, false, "https://bkt.oss.example.com/k", true),
            (false, false, "https://img.example.com/k", true),
        ] {
            assert_eq!(
                check(url, &own(cname, path_style)),
                expected,
                "{url} {cname} {path_style}"
            );
        }
    }
}
