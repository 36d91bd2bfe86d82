//! Presigned forms.

use std::fmt;
use std::future::IntoFuture;
use std::time::{Duration, SystemTime};

use oss_credentials_core::BoxFuture;
use oss_sign::UtcTime;
use oss_sign::v4::{LimitedBy, PostForm, PostPolicy};

use crate::client::Client;
use crate::error::{Error, InvalidInput};
use crate::validate;

impl Client {
    /// Creates a form with which anyone can upload objects as the policy allows, also from a browser: await the result.
    /// Nothing is sent.
    ///
    /// `expires` is from 1 second to 7 days, in whole seconds. The form expires earlier if the credentials do. V4 only.
    ///
    /// Vendor document: `PostObject` (Object Storage Service, API reference).
    pub fn presign_post(&self, policy: PostPolicy, expires: Duration) -> PresignPost {
        PresignPost {
            client: self.clone(),
            policy,
            expires,
        }
    }
}

/// A form to be created; see [`Client::presign_post`]. Await it.
///
/// # Errors
///
/// [`Error::InvalidInput`] for an invalid bucket name, for anonymous credentials, and for V1 signatures;
/// [`Error::Credentials`]; [`Error::Sign`] if a condition cannot be used, `expires` is out of range or the credentials
/// have expired.
///
/// # Examples
///
/// ```no_run
/// use std::time::Duration;
/// use oss_client::PostPolicy;
///
/// # async fn run(client: &oss_client::Client) -> Result<(), oss_client::Error> {
/// let policy = PostPolicy::new("examplebucket")
///     .equals("key", "user/eric/photo.jpg")
///     .is_in("content-type", ["image/jpeg"])
///     .content_length_range(1..=10_485_760);
/// let form = client.presign_post(policy, Duration::from_secs(900)).await?;
/// println!("<form method=\"post\" enctype=\"multipart/form-data\" action=\"{}\">", form.url());
/// for (name, value) in form.fields() {
///     println!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">");
/// }
/// // Then the fields that the policy names, and as the last one the file.
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is signed before it is awaited"]
pub struct PresignPost {
    client: Client,
    policy: PostPolicy,
    expires: Duration,
}

impl PresignPost {
    async fn sign(self) -> Result<PresignedForm, Error> {
        let inner = &*self.client.inner;
        validate::bucket(self.policy.bucket())
            .and_then(|()| inner.endpoint.check(self.policy.bucket()))
            .map_err(Error::InvalidInput)?;
        let oss_sign::Signer::V4(signer) = &inner.signer else {
            return Err(Error::InvalidInput(InvalidInput::new(
                "a form cannot be signed with V1",
                "build the client with V4",
            )));
        };
        inner.signer.check_expires(self.expires).map_err(Error::Sign)?;
        let credentials = inner.provider.credentials().await.map_err(Error::Credentials)?;
        if credentials.is_anonymous() {
            return Err(Error::InvalidInput(InvalidInput::new(
                "anonymous credentials cannot sign a form",
                "send one without signature to a bucket that everybody may write to, or use a provider with keys",
            )));
        }
        inner.warn_if_exposed(&credentials);
        // The service's clock decides when the form expires, so the clock correction of requests applies here.
        let time = inner.clock.now();
        let form = signer
            .sign_post(&self.policy, &credentials, time, self.expires)
            .map_err(Error::Sign)?;
        Ok(PresignedForm {
            url: inner.endpoint.url(Some(self.policy.bucket()), None),
            form,
        })
    }
}

impl IntoFuture for PresignPost {
    type Output = Result<PresignedForm, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.sign())
    }
}

impl fmt::Debug for PresignPost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresignPost")
            .field("policy", &self.policy)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// A form that anyone without credentials can send, by `POST` as `multipart/form-data`.
///
/// The fields are a secret: anyone who has them can upload what the policy allows until it expires. `Debug` shows none
/// of their values.
#[derive(Clone, Debug)]
pub struct PresignedForm {
    url: String,
    form: PostForm,
}

impl PresignedForm {
    /// Returns the URL to send the form to. Not a secret.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the names and values of the fields that sign the form, to be placed before the field `file`, in any
    /// order. The form also needs the field `key`, and the fields for which the policy has conditions.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.form.fields()
    }

    /// Returns when the form expires, by the service's clock: after the requested time, or with the credentials if that
    /// is earlier.
    pub fn valid_until(&self) -> SystemTime {
        self.form.valid_until()
    }

    /// Returns [`PresignedForm::valid_until`] for display: prints as UTC, such as `2026-01-01T08:30:00Z`.
    pub fn valid_until_utc(&self) -> UtcTime {
        self.form.valid_until_utc()
    }

    /// Returns what determines [`PresignedForm::valid_until`].
    pub fn limited_by(&self) -> LimitedBy {
        self.form.limited_by()
    }
}
