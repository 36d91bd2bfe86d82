//! The result of reporting a rejected key to its provider.

/// What [`CredentialsProvider::invalidate`](crate::CredentialsProvider::invalidate) did with the rejected credentials.
///
/// A client whose request was rejected calls the provider again only if [`may_retry`](Self::may_retry) is true. It
/// repeats the request only if it then receives [another generation](crate::Credentials::same_generation_as), because a
/// source may return the same credentials once more.
///
/// # Examples
///
/// ```
/// use oss_credentials_core::{Credentials, CredentialsError, CredentialsProvider};
///
/// /// The credentials for one more attempt; `None` if the rejection is final.
/// async fn after_rejection(
///     provider: &dyn CredentialsProvider,
///     rejected: &Credentials,
/// ) -> Result<Option<Credentials>, CredentialsError> {
///     if !provider.invalidate(rejected).may_retry() {
///         return Ok(None);
///     }
///     let next = provider.credentials().await?;
///     Ok((!next.same_generation_as(rejected)).then_some(next))
/// }
/// # let fixed = Credentials::builder("id", "secret").build()?;
/// # let result = oss_credentials_core::blocking::wait(after_rejection(&fixed, &fixed))?;
/// # assert!(result.is_none());
/// # Ok::<(), CredentialsError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Invalidation {
    /// The credentials are not returned from memory again: the next call obtains new ones.
    Dropped,
    /// The provider no longer had these credentials: another caller reported them earlier, or a refresh replaced them.
    AlreadyReplaced,
    /// Too many credentials were dropped in a short time, so these stay in use. See
    /// [`RefreshingProviderBuilder::invalidate_limit`](crate::RefreshingProviderBuilder::invalidate_limit).
    LimitReached,
    /// The provider has no other credentials: they are fixed, or only their owner can replace them.
    Unsupported,
}

impl Invalidation {
    /// Returns whether the provider may return other credentials now. True for [`Dropped`](Self::Dropped) and
    /// [`AlreadyReplaced`](Self::AlreadyReplaced).
    ///
    /// ```
    /// use oss_credentials_core::Invalidation;
    /// assert!(Invalidation::Dropped.may_retry() && !Invalidation::LimitReached.may_retry());
    /// ```
    pub const fn may_retry(self) -> bool {
        matches!(self, Self::Dropped | Self::AlreadyReplaced)
    }
}
