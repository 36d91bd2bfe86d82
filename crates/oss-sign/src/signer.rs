//! A signer of either version.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use oss_credentials_core::Credentials;

use crate::presigned::Presigned;
use crate::signed::Signed;
use crate::{RequestView, SignError, v4};

#[cfg(feature = "v1")]
use crate::v1;

/// A signer of either signature version, for programs that choose the version at run time.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use oss_credentials_core::Credentials;
/// use oss_sign::{RequestView, Signer, v4};
///
/// let signer = Signer::from(v4::Signer::builder("cn-hangzhou").build()?);
/// let credentials = Credentials::builder("FakeAccessKeyId0001", "FakeAccessKeySecret0001").build()?;
/// let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_256_200);
/// let view = RequestView::new("GET").bucket("examplebucket").key("exampleobject.txt");
///
/// let signed = signer.sign(&view, &credentials, time)?;
/// assert!(signed.authorization().starts_with("OSS4-HMAC-SHA256 "));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub enum Signer {
    /// `OSS4-HMAC-SHA256`: contains the region, and signs the whole query.
    V4(v4::Signer),
    /// HMAC-SHA1, for services that do not accept V4 yet.
    #[cfg(feature = "v1")]
    V1(v1::Signer),
}

impl From<v4::Signer> for Signer {
    fn from(signer: v4::Signer) -> Self {
        Self::V4(signer)
    }
}

#[cfg(feature = "v1")]
impl From<v1::Signer> for Signer {
    fn from(signer: v1::Signer) -> Self {
        Self::V1(signer)
    }
}

impl Signer {
    /// Signs a request by headers.
    ///
    /// # Errors
    ///
    /// Those of [`v4::Signer::sign`] or `v1::Signer::sign`.
    pub fn sign(
        &self,
        view: &RequestView<'_>,
        credentials: &Credentials,
        time: SystemTime,
    ) -> Result<Signed, SignError> {
        match self {
            Self::V4(signer) => signer.sign(view, credentials, time),
            #[cfg(feature = "v1")]
            Self::V1(signer) => signer.sign(view, credentials, time),
        }
    }

    /// Signs a request by its URL.
    ///
    /// # Errors
    ///
    /// Those of [`v4::Signer::presign`] or `v1::Signer::presign`.
    pub fn presign(
        &self,
        view: &RequestView<'_>,
        credentials: &Credentials,
        time: SystemTime,
        expires: Duration,
    ) -> Result<Presigned, SignError> {
        match self {
            Self::V4(signer) => signer.presign(view, credentials, time, expires),
            #[cfg(feature = "v1")]
            Self::V1(signer) => signer.presign(view, credentials, time, expires),
        }
    }

    /// Checks how long a URL should be valid, before there are credentials. For V1, an expiry that is too late is
    /// detected only when the URL is signed.
    ///
    /// # Errors
    ///
    /// Those of [`v4::check_expires`]; for V1 [`SignError::EndOutOfRange`] if `expires` is less than a second.
    pub fn check_expires(&self, expires: Duration) -> Result<(), SignError> {
        match self {
            Self::V4(_) => v4::check_expires(expires),
            #[cfg(feature = "v1")]
            Self::V1(_) if expires.as_secs() == 0 => Err(SignError::EndOutOfRange { seconds: 0 }),
            #[cfg(feature = "v1")]
            Self::V1(_) => Ok(()),
        }
    }

    /// Returns whether the header is one of the additional headers, which are signed on request (V4 only). `name` is in
    /// lower case.
    pub fn is_additional(&self, name: &str) -> bool {
        match self {
            Self::V4(signer) => signer.additional_headers().any(|listed| listed == name),
            #[cfg(feature = "v1")]
            Self::V1(_) => false,
        }
    }

    /// Returns whether the signature of a URL binds this header. `name` is in lower case.
    pub fn binds(&self, name: &str, value: &[u8]) -> bool {
        name.starts_with("x-oss-")
            || matches!(name, "content-md5" | "content-type")
            || (self.is_additional(name) && !value.is_empty())
    }

    /// Returns this signer; in V1, one that also signs the query parameters of these names. V4 signs all parameters.
    ///
    /// # Errors
    ///
    /// [`SignError::InvalidSubResource`] for a name that V1 cannot sign.
    pub fn with_sub_resources(&self, names: &[String]) -> Result<Cow<'_, Self>, SignError> {
        match self {
            #[cfg(feature = "v1")]
            Self::V1(signer) if !names.is_empty() => {
                let known = signer.extra_sub_resources();
                let names = known.chain(names.iter().map(String::as_str));
                let signer = v1::Signer::builder().extra_sub_resources(names).build()?;
                Ok(Cow::Owned(signer.into()))
            }
            _ => {
                let _ = names;
                Ok(Cow::Borrowed(self))
            }
        }
    }

    /// Signs a request by headers, in place; after an error, nothing is changed.
    ///
    /// # Errors
    ///
    /// Those of [`v4::Signer::sign_parts`] or `v1::Signer::sign_parts`.
    #[cfg(feature = "http")]
    pub fn sign_parts(
        &self,
        parts: &mut http::request::Parts,
        bucket: Option<&str>,
        key: Option<&str>,
        credentials: &Credentials,
        time: SystemTime,
    ) -> Result<(), SignError> {
        match self {
            Self::V4(signer) => signer.sign_parts(parts, bucket, key, credentials, time),
            #[cfg(feature = "v1")]
            Self::V1(signer) => signer.sign_parts(parts, bucket, key, credentials, time),
        }
    }

    /// Signs a request by its URL, in place; after an error, nothing is changed.
    ///
    /// # Errors
    ///
    /// Those of [`v4::Signer::presign_parts`] or `v1::Signer::presign_parts`.
    #[cfg(feature = "http")]
    pub fn presign_parts(
        &self,
        parts: &mut http::request::Parts,
        bucket: Option<&str>,
        key: Option<&str>,
        credentials: &Credentials,
        time: SystemTime,
        expires: Duration,
    ) -> Result<Presigned, SignError> {
        match self {
            Self::V4(signer) => signer.presign_parts(parts, bucket, key, credentials, time, expires),
            #[cfg(feature = "v1")]
            Self::V1(signer) => signer.presign_parts(parts, bucket, key, credentials, time, expires),
        }
    }
}

#[cfg(all(test, feature = "v1"))]
mod tests {
    use super::*;

    #[test]
    fn v1_keeps_its_sub_resources_when_it_gets_more() {
        let signer = v1::Signer::builder()
            .extra_sub_resources(["one"])
            .build()
            .unwrap();
        let signer = Signer::from(signer);
        let both = signer.with_sub_resources(&["two".to_owned()]).unwrap();
        let Signer::V1(both) = &*both else {
            panic!("another version")
        };
        assert_eq!(both.extra_sub_resources().collect::<Vec<_>>(), ["one", "two"]);
    }

    /// Each method leads to the one of the version: another version, or headers in place of the URL, would differ.
    #[test]
    fn each_method_signs_as_the_version_does() {
        let credentials = Credentials::builder("FakeAccessKeyId0001", "FakeAccessKeySecret0001")
            .build()
            .unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_256_200);
        let expires = Duration::from_secs(60);
        let view = RequestView::new("GET").bucket("examplebucket").key("k");
        let (four, one) = (
            v4::Signer::builder("cn-hangzhou").build().unwrap(),
            v1::Signer::new(),
        );
        let (of_four, of_one) = (Signer::from(four.clone()), Signer::from(one.clone()));
        let authorization = |signed: Result<Signed, SignError>| signed.unwrap().authorization().to_owned();
        let by_four = authorization(four.sign(&view, &credentials, time));
        let by_one = authorization(one.sign(&view, &credentials, time));
        assert_ne!(by_four, by_one);
        assert_eq!(authorization(of_four.sign(&view, &credentials, time)), by_four);
        assert_eq!(authorization(of_one.sign(&view, &credentials, time)), by_one);
        let query = |presigned: Result<Presigned, SignError>| presigned.unwrap().query().to_owned();
        let url_of_four = query(four.presign(&view, &credentials, time, expires));
        let url_of_one = query(one.presign(&view, &credentials, time, expires));
        assert_eq!(
            query(of_four.presign(&view, &credentials, time, expires)),
            url_of_four
        );
        assert_eq!(
            query(of_one.presign(&view, &credentials, time, expires)),
            url_of_one
        );

        #[cfg(feature = "http")]
        for (signer, authorization, url) in [
            (&of_four, &by_four, &url_of_four),
            (&of_one, &by_one, &url_of_one),
        ] {
            let parts = || {
                let request = http::Request::get("https://examplebucket.oss-cn-hangzhou.aliyuncs.com/k");
                request.body(()).unwrap().into_parts().0
            };
            let (bucket, key) = (Some("examplebucket"), Some("k"));
            let mut by_headers = parts();
            signer
                .sign_parts(&mut by_headers, bucket, key, &credentials, time)
                .unwrap();
            assert_eq!(
                by_headers.headers[http::header::AUTHORIZATION],
                authorization.as_str()
            );
            let mut by_url = parts();
            signer
                .presign_parts(&mut by_url, bucket, key, &credentials, time, expires)
                .unwrap();
            assert_eq!(by_url.uri.query(), Some(url.as_str()));
        }
    }
}
