//! The key that the requests of one call are signed with.

#[cfg(feature = "signed")]
use oss_credentials_core::Credentials;
use oss_credentials_core::CredentialsError;
use oss_credentials_http::{RequestIds, Scrubber};

use crate::caller::Caller;
#[cfg(feature = "signed")]
use crate::caller::ClientKey;

pub(crate) enum Identity {
    /// Requests are not signed.
    Nobody,
    #[cfg(feature = "signed")]
    Key(Credentials),
    #[cfg(feature = "signed")]
    ClientKey(ClientKey),
}

impl Identity {
    /// Whom the caller is at first.
    #[cfg_attr(
        not(feature = "signed"),
        expect(clippy::unused_async, reason = "without the feature there is no provider")
    )]
    pub(super) async fn of(caller: Caller<'_>) -> Result<Self, CredentialsError> {
        Ok(match caller {
            Caller::Unsigned(_) => Self::Nobody,
            #[cfg(feature = "signed")]
            Caller::Provider(provider) => Self::of_key(provider.credentials().await?),
            #[cfg(feature = "signed")]
            Caller::Credentials(credentials) => Self::of_key(credentials.clone()),
            #[cfg(feature = "signed")]
            Caller::ClientKey(source) => Self::ClientKey(source.current()?),
        })
    }

    #[cfg(feature = "signed")]
    fn of_key(credentials: Credentials) -> Self {
        if credentials.is_anonymous() {
            return Self::Nobody;
        }
        Self::Key(credentials)
    }

    /// Reports a rejected key to its provider, and returns another key. With `may_replace` false, no attempt follows:
    /// the rejection is still reported, but no other key is obtained.
    #[cfg_attr(
        not(feature = "signed"),
        expect(clippy::unused_async, reason = "without the feature there is no provider")
    )]
    pub(super) async fn replaced(&self, caller: Caller<'_>, may_replace: bool) -> Option<Self> {
        #[cfg(not(feature = "signed"))]
        let _ = may_replace;
        match (self, caller) {
            #[cfg(feature = "signed")]
            (Self::Key(used), Caller::Provider(provider)) => {
                if !provider.invalidate(used).may_retry() || !may_replace {
                    return None;
                }
                // A provider that fails now does so because of the rejection, which is what has to be reported.
                let other = provider.credentials().await.ok()?;
                (!other.same_generation_as(used)).then(|| Self::of_key(other))
            }
            #[cfg(feature = "signed")]
            (Self::ClientKey(used), Caller::ClientKey(source)) if may_replace => {
                source.replacement(used).ok()?.map(Self::ClientKey)
            }
            _ => None,
        }
    }

    pub(super) fn is_signed(&self) -> bool {
        !matches!(self, Self::Nobody)
    }

    /// ID and source of the key, for errors.
    pub(super) fn key(&self) -> Option<(&str, &'static str)> {
        match self {
            Self::Nobody => None,
            #[cfg(feature = "signed")]
            Self::Key(key) => Some((key.access_key_id(), key.source())),
            #[cfg(feature = "signed")]
            Self::ClientKey(key) => Some((key.id(), key.source())),
        }
    }

    /// Hides what only caller and service may know.
    pub(super) fn scrubber<'a>(&'a self, secrets: &[&'a str]) -> Scrubber<'a> {
        let scrubber = match self {
            Self::Nobody => Scrubber::new(),
            #[cfg(feature = "signed")]
            Self::Key(key) => Scrubber::of(key),
            #[cfg(feature = "signed")]
            Self::ClientKey(key) => Scrubber::new().mask(key.id()),
        };
        secrets
            .iter()
            .fold(scrubber, |scrubber, secret| scrubber.hide(secret))
    }

    /// Whether a request ID may be shown: the scrubber's result, without building one for an ID of the usual form.
    pub(super) fn shown_id(&self, id: &str, secrets: &[&str]) -> bool {
        match self {
            Self::Nobody => RequestIds::check_unsigned(id, secrets).is_some(),
            #[cfg(feature = "signed")]
            Self::Key(key) => RequestIds::default().check(id, key).is_some(),
            // Its scrubber hides an ID alone, which costs little.
            #[cfg(feature = "signed")]
            Self::ClientKey(_) => self.scrubber(secrets).identifier(id).is_some(),
        }
    }
}
