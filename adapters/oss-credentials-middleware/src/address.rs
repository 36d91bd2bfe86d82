//! Which bucket and key a URI leads to.

use http::Uri;
use oss_sign::{Addressing, Resource};

use crate::error::Error;

/// Where OSS is.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    /// Host, with a port where there is one, in lower case.
    endpoint: String,
    /// Of hosts that are not the endpoint's: a custom domain.
    bucket: Option<String>,
}

impl Address {
    pub(crate) fn new(endpoint: &str) -> Self {
        let authority = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
        Self {
            endpoint: without_user_info(authority.trim_end_matches('/')).to_ascii_lowercase(),
            bucket: None,
        }
    }

    pub(crate) fn set_bucket(&mut self, bucket: String) {
        self.bucket = Some(bucket);
    }

    /// Bucket and key: `bucket.endpoint/key`, `endpoint/bucket/key`, or the key alone on a custom domain.
    pub(crate) fn names(&self, uri: &Uri) -> Result<Resource, Error> {
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let host = without_user_info(authority).to_ascii_lowercase();
        let endpoint = &*self.endpoint;
        let of_endpoint = host
            .strip_suffix(endpoint)
            .is_some_and(|rest| rest.ends_with('.'));
        let addressing = match &self.bucket {
            _ if host == endpoint => Addressing::Path,
            _ if of_endpoint => Addressing::VirtualHosted { endpoint },
            Some(bucket) => Addressing::CustomDomain { bucket },
            None => {
                return Err(Error::UnknownHost {
                    host,
                    endpoint: endpoint.to_owned(),
                });
            }
        };
        Resource::of(&host, uri.path(), addressing).map_err(Error::OssSign)
    }
}

/// The host and port. User and password are left out, since the host appears in errors.
pub(crate) fn without_user_info(authority: &str) -> &str {
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_and_key_are_found_in_each_style() {
        let mut address = Address::new("https://OSS-cn-hangzhou.aliyuncs.com/");
        let names = |address: &Address, uri: &str| {
            let found = address.names(&uri.parse().unwrap())?;
            Ok::<_, Error>((found.bucket.unwrap_or_default(), found.key.unwrap_or_default()))
        };
        for (uri, bucket, key) in [
            ("https://b.oss-cn-hangzhou.aliyuncs.com/a/b%20c%2B", "b", "a/b c+"),
            ("https://b.oss-cn-hangzhou.aliyuncs.com/?list-type=2", "b", ""),
            ("https://oss-cn-hangzhou.aliyuncs.com/b/%E5%90%8D", "b", "名"),
            ("https://oss-cn-hangzhou.aliyuncs.com/", "", ""),
        ] {
            let found = names(&address, uri).unwrap();
            assert_eq!(found, (bucket.to_owned(), key.to_owned()), "{uri}");
        }
        let custom = "https://files.example.com/k";
        assert!(matches!(names(&address, custom), Err(Error::UnknownHost { .. })));
        address.set_bucket("mine".to_owned());
        assert_eq!(
            names(&address, custom).unwrap(),
            ("mine".to_owned(), "k".to_owned())
        );
        let not_utf8 = names(&address, "https://oss-cn-hangzhou.aliyuncs.com/b/%FF");
        assert!(matches!(not_utf8, Err(Error::OssSign(_))));
    }

    #[test]
    fn an_error_shows_no_password_of_the_url_or_the_endpoint() {
        let address = Address::new("https://user:canary@oss-cn-hangzhou.aliyuncs.com");
        let uri = "https://user:canary@files.example.com/k".parse().unwrap();
        let Err(error) = address.names(&uri) else {
            panic!("the host is not known");
        };
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        assert!(error.to_string().contains("files.example.com"), "{error}");
    }
}
