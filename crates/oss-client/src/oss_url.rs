//! URLs of the form `oss://bucket/key`, which command lines and configuration files use for objects.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, InvalidInput};
use crate::validate;

/// A bucket, or an object in it, as `oss://bucket/key`.
///
/// The key is taken literally: nothing is encoded or decoded, so `%20` and `?` are part of the key. A key that ends
/// with `/` can mean a prefix (folder) or an object. The vendor's ossutil uses the same form.
///
/// # Examples
///
/// ```
/// use oss_client::OssUrl;
///
/// let url: OssUrl = "oss://examplebucket/photos/1 a.jpg".parse()?;
/// assert_eq!((url.bucket(), url.key()), ("examplebucket", Some("photos/1 a.jpg")));
/// assert_eq!(url.to_string(), "oss://examplebucket/photos/1 a.jpg");
///
/// let bucket: OssUrl = "oss://examplebucket".parse()?;
/// assert_eq!((bucket.key(), bucket.to_string().as_str()), (None, "oss://examplebucket/"));
/// # Ok::<(), oss_client::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OssUrl {
    bucket: String,
    /// Not empty.
    key: Option<String>,
}

impl OssUrl {
    /// Returns the bucket's name.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Returns the object's key, or the prefix; `None` if the URL names only a bucket.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }
}

impl FromStr for OssUrl {
    type Err = Error;

    /// Parses `oss://bucket` or `oss://bucket/key`; the scheme is not case-sensitive.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] for another scheme, an invalid bucket name, and a key of more than 1023 bytes or with a
    /// segment `.` or `..`.
    fn from_str(url: &str) -> Result<Self, Error> {
        let rest = url
            .get(..6)
            .filter(|scheme| scheme.eq_ignore_ascii_case("oss://"))
            .and_then(|_| url.get(6..));
        let Some(rest) = rest else {
            return Err(Error::InvalidInput(InvalidInput::new(
                "the URL does not begin with oss://",
                "write oss://bucket/key",
            )));
        };
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        validate::bucket(bucket).map_err(Error::InvalidInput)?;
        if !key.is_empty() {
            validate::key(key).map_err(Error::InvalidInput)?;
        }
        Ok(Self {
            bucket: bucket.to_owned(),
            key: (!key.is_empty()).then(|| key.to_owned()),
        })
    }
}

impl fmt::Display for OssUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oss://{}/{}", self.bucket, self.key().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_and_written_as_they_are() {
        for (text, bucket, key) in [
            ("oss://bkt", "bkt", None),
            ("oss://bkt/", "bkt", None),
            ("OSS://bkt/a b/%20?x#y", "bkt", Some("a b/%20?x#y")),
            ("oss://bkt/a//", "bkt", Some("a//")),
            ("oss://bkt/\u{76ee}", "bkt", Some("\u{76ee}")),
        ] {
            let url: OssUrl = text.parse().unwrap();
            assert_eq!((url.bucket(), url.key()), (bucket, key), "{text}");
            assert_eq!(url.to_string().parse::<OssUrl>().unwrap(), url);
        }
        for wrong in [
            "",
            "bkt/k",
            "s3://bkt/k",
            "oss:/bkt",
            "oss://",
            "oss:///k",
            "oss://B/k",
            "oss://bkt/../k",
        ] {
            assert!(
                matches!(wrong.parse::<OssUrl>(), Err(Error::InvalidInput(_))),
                "{wrong}"
            );
        }
    }
}
