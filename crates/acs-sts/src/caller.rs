//! Who makes a call.

#[cfg(feature = "signed")]
use oss_credentials_core::Credentials;
use oss_credentials_http::Scrubber;

/// Who calls, and how that is shown to the service.
#[derive(Clone, Copy)]
pub(crate) enum Caller<'a> {
    /// The holder of a key, who signs.
    #[cfg(feature = "signed")]
    Key(&'a Credentials),
    /// The bearer of an OIDC token, which is one of the call's parameters. Nothing is signed.
    OidcToken(&'a str),
}

impl<'a> Caller<'a> {
    /// Hides what only caller and service may know.
    pub(crate) fn scrubber(self) -> Scrubber<'a> {
        match self {
            #[cfg(feature = "signed")]
            Self::Key(key) => Scrubber::of(key),
            Self::OidcToken(token) => Scrubber::new().hide(token),
        }
    }
}
