//! The value that every provider returns.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use zeroize::Zeroizing;

use crate::detail::ErrorDetail;
use crate::error::CredentialsError;
use crate::masked_id::MaskedId;

/// Source name of credentials whose builder was given none.
pub(crate) const UNNAMED_SOURCE: &str = "custom";

/// How long a copy of credentials without expiry may be kept if no refresh is known: 60 seconds. See
/// [`Credentials::fresh_until`].
pub const COPY_LIFETIME: Duration = Duration::from_secs(60);

/// Names of the builder's settings in errors.
const KEY_ID: &str = "access_key_id";
const KEY_SECRET: &str = "access_key_secret";
const TOKEN: &str = "security_token";

/// An Alibaba Cloud access key pair, with the security token and expiry of a temporary one.
///
/// A value is one generation: access key ID, secret and token always belong together. Cloning costs one atomic
/// increment. All clones share the same secret, which is overwritten in memory when the last clone
/// is dropped.
///
/// `Debug` never shows the secret or the token, and only the first and last characters of the access key ID.
///
/// # Examples
///
/// ```
/// use oss_credentials_core::Credentials;
///
/// let credentials = Credentials::builder("LTAI5tExampleKeyId01", "example-secret").build()?;
/// assert_eq!(credentials.access_key_id(), "LTAI5tExampleKeyId01");
/// assert!(credentials.security_token().is_none());
/// assert!(!format!("{credentials:?}").contains("example-secret"));
/// # Ok::<(), oss_credentials_core::CredentialsError>(())
/// ```
#[derive(Clone)]
pub struct Credentials {
    inner: Arc<Inner>,
}

#[derive(Clone)]
struct Inner {
    access_key_id: String,
    access_key_secret: Zeroizing<String>,
    security_token: Option<Zeroizing<String>>,
    expires_at: Option<SystemTime>,
    source: &'static str,
    /// Set by a cache: the expiry by the local clock, otherwise the next refresh.
    fresh_until: Option<SystemTime>,
}

impl Credentials {
    /// Starts a value from an access key ID and its secret.
    ///
    /// Pass owned `String`s if you have them: they are moved in, so no copy of the secret is left.
    pub fn builder(
        access_key_id: impl Into<String>,
        access_key_secret: impl Into<String>,
    ) -> CredentialsBuilder {
        CredentialsBuilder {
            access_key_id: access_key_id.into(),
            access_key_secret: Zeroizing::new(access_key_secret.into()),
            security_token: None,
            expires_at: None,
            source: UNNAMED_SOURCE,
            strict: false,
        }
    }

    /// Credentials without keys: a signer leaves a request made with them unsigned.
    ///
    /// ```
    /// assert!(oss_credentials_core::Credentials::anonymous().is_anonymous());
    /// ```
    pub fn anonymous() -> Self {
        Self {
            inner: Arc::new(Inner {
                access_key_id: String::new(),
                access_key_secret: Zeroizing::new(String::new()),
                security_token: None,
                expires_at: None,
                source: "anonymous",
                fresh_until: None,
            }),
        }
    }

    /// Returns whether these are [`Credentials::anonymous`].
    pub fn is_anonymous(&self) -> bool {
        self.inner.access_key_id.is_empty()
    }

    /// Returns the access key ID. It is not a secret, but mask it in logs: it names an identity.
    pub fn access_key_id(&self) -> &str {
        &self.inner.access_key_id
    }

    /// Returns the access key secret. Never log it.
    pub fn access_key_secret(&self) -> &str {
        &self.inner.access_key_secret
    }

    /// Returns the security token of temporary credentials; never `Some("")`. Its length has no upper bound.
    pub fn security_token(&self) -> Option<&str> {
        self.inner.security_token.as_deref().map(String::as_str)
    }

    /// Returns when the service stops accepting these credentials, by its clock; `None` if they do not expire.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.inner.expires_at
    }

    /// Returns [`Credentials::expires_at`] as a `chrono` instant; `None` also if it is outside `chrono`'s range.
    #[cfg(feature = "chrono")]
    pub fn expires_at_utc(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        crate::time::to_utc(self.inner.expires_at?)
    }

    /// Returns the name of the source that made this value, such as `"sts-assume-role"`; `"custom"` if it set none.
    pub fn source(&self) -> &'static str {
        self.inner.source
    }

    /// Returns whether these credentials have expired at `now`. Credentials without expiry never expire.
    pub fn is_expired_at(&self, now: SystemTime) -> bool {
        self.inner.expires_at.is_some_and(|expires_at| expires_at <= now)
    }

    /// Returns how long a copy of these credentials may be kept without calling the provider again, by the local clock.
    /// It is for caches of other libraries, which would otherwise keep a rotated key forever.
    ///
    /// - Credentials that expire: their expiry. A [`RefreshingProvider`](crate::RefreshingProvider) that knows how far
    ///   the service's clock is from the local one corrects it.
    /// - Credentials without expiry that a [`RefreshingProvider`](crate::RefreshingProvider) fetches again at a known
    ///   time: that time, while it is after `now`.
    /// - Otherwise: `now` plus [`COPY_LIFETIME`].
    ///
    /// `now` is the local time, such as that of the provider's [`Clock`](crate::Clock).
    ///
    /// # Examples
    ///
    /// ```
    /// use oss_credentials_core::{Clock, COPY_LIFETIME, Credentials, SystemClock};
    ///
    /// let now = SystemClock.now();
    /// let fixed = Credentials::builder("id", "secret").build()?;
    /// assert_eq!(fixed.fresh_until(now), now + COPY_LIFETIME);
    ///
    /// let expiry = now + 10 * COPY_LIFETIME;
    /// let temporary = Credentials::builder("id", "secret").expires_at(expiry).build()?;
    /// assert_eq!(temporary.fresh_until(now), expiry);
    /// # Ok::<(), oss_credentials_core::CredentialsError>(())
    /// ```
    pub fn fresh_until(&self, now: SystemTime) -> SystemTime {
        match (self.inner.expires_at, self.inner.fresh_until) {
            (Some(expires_at), local) => local.unwrap_or(expires_at),
            (None, Some(refresh)) if refresh > now => refresh,
            (None, _) => now.checked_add(COPY_LIFETIME).unwrap_or(now),
        }
    }

    /// Returns whether both are the same generation: access key ID, secret and security token are equal. The expiry
    /// is not compared, since a source may repeat credentials with a different one. Clones are equal without
    /// comparing their content.
    ///
    /// # Examples
    ///
    /// ```
    /// use oss_credentials_core::Credentials;
    ///
    /// let first = Credentials::builder("id", "secret").security_token("first").build()?;
    /// let second = Credentials::builder("id", "secret").security_token("second").build()?;
    /// assert!(first.same_key_as(&second) && !first.same_generation_as(&second));
    /// # Ok::<(), oss_credentials_core::CredentialsError>(())
    /// ```
    #[inline]
    pub fn same_generation_as(&self, other: &Credentials) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner) || self.inner.is_generation_of(&other.inner)
    }

    /// Returns whether both have the same access key ID. Secrets and tokens are not compared.
    pub fn same_key_as(&self, other: &Credentials) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner) || self.inner.access_key_id == other.inner.access_key_id
    }

    /// Sets the source name of a value that has none, while there is only one handle to it.
    pub(crate) fn named(mut self, source: &'static str) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.inner)
            && inner.source == UNNAMED_SOURCE
        {
            inner.source = source;
        }
        self
    }

    /// Adds what a cache knows; see [`Credentials::fresh_until`]. Copies the value if its source has kept it.
    pub(crate) fn kept_until(mut self, fresh_until: Option<SystemTime>) -> Self {
        if self.inner.fresh_until != fresh_until {
            Arc::make_mut(&mut self.inner).fresh_until = fresh_until;
        }
        self
    }
}

impl Inner {
    fn is_generation_of(&self, other: &Self) -> bool {
        self.access_key_id == other.access_key_id
            && self.access_key_secret == other.access_key_secret
            && self.security_token == other.security_token
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_anonymous() {
            return f.write_str("Credentials(anonymous)");
        }
        let ends: &dyn fmt::Debug = &self.inner.expires_at;
        // As people read it, where chrono can hold it.
        #[cfg(feature = "chrono")]
        let utc = self.expires_at_utc();
        #[cfg(feature = "chrono")]
        let ends: &dyn fmt::Debug = if utc.is_some() { &utc } else { ends };
        f.debug_struct("Credentials")
            .field(
                "access_key_id",
                &format_args!("{}", MaskedId(&self.inner.access_key_id)),
            )
            .field("access_key_secret", &format_args!("<redacted>"))
            .field(
                "security_token",
                &self
                    .inner
                    .security_token
                    .as_ref()
                    .map(|_| format_args!("<redacted>")),
            )
            .field("expires_at", ends)
            .field("source", &self.inner.source)
            .finish()
    }
}

/// Builds a [`Credentials`]; see [`Credentials::builder`].
pub struct CredentialsBuilder {
    access_key_id: String,
    access_key_secret: Zeroizing<String>,
    security_token: Option<Zeroizing<String>>,
    expires_at: Option<SystemTime>,
    source: &'static str,
    strict: bool,
}

impl CredentialsBuilder {
    /// Sets the security token of temporary credentials. An empty one counts as none. Default: none.
    #[must_use]
    pub fn security_token(mut self, token: impl Into<String>) -> Self {
        let token = Zeroizing::new(token.into());
        self.security_token = (!token.is_empty()).then_some(token);
        self
    }

    /// Sets when the credentials expire, by the service's clock. Default: never.
    #[must_use]
    pub fn expires_at(mut self, at: impl Into<Option<SystemTime>>) -> Self {
        self.expires_at = at.into();
        self
    }

    /// Sets the name of the source, shown in logs and by [`Credentials::source`]. Default: the name of the
    /// [`source_fn`](crate::source_fn) or [`provider_fn`](crate::provider_fn) around it, otherwise `"custom"`.
    #[must_use]
    pub fn source(mut self, name: &'static str) -> Self {
        self.source = name;
        self
    }

    /// Also refuses white space and quotes inside of ID, secret and token: the service issues none. Every provider of
    /// this family enables it. Otherwise a comment or quotes that a shell, a file format or a person left around a key
    /// would be reported as an unknown key. Without it, such values are accepted, as in the signature vectors of the
    /// vendor's clients. Default: no.
    ///
    /// # Examples
    ///
    /// ```
    /// use oss_credentials_core::Credentials;
    ///
    /// let error = Credentials::builder("LTAI5tExampleKeyId01 # test", "s").strict().build().unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "custom: the access key ID contains white space; set the value exactly as the service issued it"
    /// );
    /// assert_eq!(error.detail().unwrap().setting(), Some("access_key_id"));
    /// ```
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// Builds the value.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::InvalidConfig`] if ID or secret is empty, or if ID, secret or token begins or ends with
    /// white space or has a character that is not printable ASCII. A key copied with its line end or a byte order
    /// mark is thus refused here, and not by the service with a signature error. [`strict`](Self::strict) refuses more.
    /// [`ErrorDetail::setting`] is `"access_key_id"`, `"access_key_secret"` or `"security_token"`; the value is never
    /// shown.
    pub fn build(self) -> Result<Credentials, CredentialsError> {
        self.check("access key ID", KEY_ID, &self.access_key_id)?;
        self.check("access key secret", KEY_SECRET, &self.access_key_secret)?;
        if let Some(token) = &self.security_token {
            self.check("security token", TOKEN, token)?;
        }
        Ok(Credentials {
            inner: Arc::new(Inner {
                access_key_id: self.access_key_id,
                access_key_secret: self.access_key_secret,
                security_token: self.security_token,
                expires_at: self.expires_at,
                source: self.source,
                fresh_until: None,
            }),
        })
    }

    fn check(&self, field: &str, setting: &'static str, value: &str) -> Result<(), CredentialsError> {
        let Some(problem) = defect(value, self.strict) else {
            return Ok(());
        };
        Err(CredentialsError::InvalidConfig(
            ErrorDetail::builder(self.source, format!("the {field} {problem}"))
                .setting(setting)
                .hint("set the value exactly as the service issued it")
                .build(),
        ))
    }
}

/// Returns why a value cannot be an ID, a secret or a token: the service issues visible ASCII without quotes.
fn defect(value: &str, strict: bool) -> Option<&'static str> {
    let is_issued = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'');
    if !value.is_empty() && value.bytes().all(is_issued) {
        return None;
    }
    if value.is_empty() {
        Some("is empty")
    } else if value.starts_with(char::is_whitespace) || value.ends_with(char::is_whitespace) {
        Some("begins or ends with white space")
    } else if value.contains(char::is_control) {
        Some("contains a control character")
    } else if value.contains(char::REPLACEMENT_CHARACTER) {
        // The rest of bytes that are not text.
        Some("is not Unicode")
    } else if !value.is_ascii() {
        Some("contains a character that is not ASCII")
    } else if !strict {
        None
    } else if value.contains(' ') {
        Some("contains white space")
    } else {
        Some("contains a quotation mark")
    }
}

impl fmt::Debug for CredentialsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialsBuilder")
            .field("access_key_id", &MaskedId(&self.access_key_id))
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn temporary() -> Credentials {
        Credentials::builder("STS.NUExampleTempKeyId", "canary-secret")
            .security_token("canary-token")
            .expires_at(SystemTime::UNIX_EPOCH + Duration::from_secs(100))
            .source("test")
            .build()
            .unwrap()
    }

    #[test]
    fn debug_masks_the_id_and_hides_secret_and_token() {
        let shown = format!("{:?}", temporary());
        assert!(shown.contains("STS.****eyId"), "{shown}");
        assert!(!shown.contains("canary"), "{shown}");
        assert!(shown.contains("test"), "{shown}");
        #[cfg(feature = "chrono")]
        assert!(
            shown.contains("expires_at: Some(1970-01-01T00:01:40Z)"),
            "{shown}"
        );
        let short = Credentials::builder("ABCDEFGHIJKLMNO", "canary-secret")
            .build()
            .unwrap();
        assert!(
            !format!("{short:?}").contains("ABCD"),
            "15 characters must not be shown"
        );
    }

    #[test]
    fn builder_debug_hides_the_secret() {
        let builder = Credentials::builder("LTAI5tExampleKeyId01", "canary-secret").security_token("canary");
        let shown = format!("{builder:?}");
        assert!(!shown.contains("canary"), "{shown}");
        assert!(shown.contains("LTAI****Id01"), "{shown}");
    }

    #[test]
    fn only_the_anonymous_are_anonymous() {
        assert!(Credentials::anonymous().is_anonymous());
        assert!(!temporary().is_anonymous());
    }

    #[test]
    fn values_that_cannot_be_keys_are_refused_without_being_shown() {
        for (id, secret, token, word) in [
            ("", "s", "", "access key ID is empty"),
            ("i", "", "", "access key secret is empty"),
            (" i", "s", "", "white space"),
            ("i", "canary\n", "", "white space"),
            ("i", "can\u{0}ary", "", "control character"),
            ("i", "s", "canary ", "security token"),
            // A comment, quotes, a byte order mark, an invisible character, an accent: of a key in a variable.
            (
                "LTAI5tExample # canary",
                "s",
                "",
                "access key ID contains white space",
            ),
            ("\"canary\"", "s", "", "access key ID contains a quotation mark"),
            ("i", "'canary'", "", "access key secret contains a quotation mark"),
            (
                "\u{feff}canary",
                "s",
                "",
                "access key ID contains a character that is not ASCII",
            ),
            (
                "i",
                "can\u{200b}ary",
                "",
                "access key secret contains a character that is not ASCII",
            ),
            (
                "i",
                "s",
                "can\u{202e}ary",
                "security token contains a character that is not ASCII",
            ),
            ("i", "canar\u{fffd}", "", "access key secret is not Unicode"),
        ] {
            let error = Credentials::builder(id, secret)
                .security_token(token)
                .strict()
                .build()
                .unwrap_err();
            assert!(matches!(error, CredentialsError::InvalidConfig(_)));
            let text = error.to_string();
            assert!(text.contains(word), "{text}");
            let setting = error.detail().and_then(ErrorDetail::setting);
            let expected = match text.split_whitespace().nth(4) {
                Some("ID") => "access_key_id",
                Some("secret") => "access_key_secret",
                _ => "security_token",
            };
            assert_eq!(setting, Some(expected), "{text}");
            assert!(
                !text.contains("canary") && !format!("{error:?}").contains("canary"),
                "{text}"
            );
        }
    }

    #[test]
    fn only_the_strict_builder_refuses_spaces_and_quotes_inside() {
        // Of the signature vectors: what has to be encoded in a URL.
        let vector = || Credentials::builder("i", "s3cr3t/+= &%~").security_token("CAIS/+==\"\\ token");
        assert!(vector().build().is_ok());
        assert!(vector().strict().build().is_err());
        for value in ["k\u{feff}", "k\u{200b}y", "k\u{202e}y", "k\u{1f}y"] {
            assert!(Credentials::builder(value, "s").build().is_err(), "{value:?}");
        }
    }

    #[test]
    fn an_empty_token_is_none() {
        let credentials = Credentials::builder("i", "s").security_token("").build().unwrap();
        assert_eq!(credentials.security_token(), None);
    }

    #[test]
    fn expiry_comes_at_the_instant_itself() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(100);
        assert!(!temporary().is_expired_at(at - Duration::from_nanos(1)));
        assert!(temporary().is_expired_at(at));
        assert!(!Credentials::anonymous().is_expired_at(at));
    }

    #[test]
    fn the_owned_strings_are_moved_not_copied() {
        let secret = String::from("a secret long enough for the heap");
        let before = secret.as_ptr();
        let credentials = Credentials::builder("i", secret).build().unwrap();
        assert_eq!(credentials.access_key_secret().as_ptr(), before);
    }

    #[test]
    fn only_an_unnamed_value_takes_the_name_of_its_source() {
        let named = temporary().named("other");
        assert_eq!(named.source(), "test");
        let unnamed = Credentials::builder("i", "s").build().unwrap();
        assert_eq!(unnamed.source(), UNNAMED_SOURCE);
        assert_eq!(unnamed.named("other").source(), "other");
    }
}
