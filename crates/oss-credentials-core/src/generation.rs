//! Values that are derived from credentials and change with them.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;

use crate::credentials::Credentials;

/// Caches a value that is derived from credentials, such as a signing key or the credentials type of another library,
/// as long as the credentials are of the [same generation](Credentials::same_generation_as).
///
/// A cached read takes no lock and does not allocate. Only the latest generation is kept, so a rotated secret is not:
/// the old value is dropped once it has been replaced and its last user has finished. Callers that find a new
/// generation at the same time may each derive the value.
///
/// `Debug` shows neither the value nor the credentials.
///
/// # Examples
///
/// ```
/// use oss_credentials_core::{Credentials, PerGeneration};
///
/// /// What another library takes.
/// struct ForeignKey {
///     id: String,
/// }
///
/// let cache = PerGeneration::new();
/// let credentials = Credentials::builder("id", "secret").build()?;
/// let derive = |credentials: &Credentials| ForeignKey { id: credentials.access_key_id().to_owned() };
/// let first = cache.get_or_derive(&credentials, derive);
/// assert_eq!(first.id, "id");
/// // The same generation: nothing is derived.
/// let second = cache.get_or_derive(&credentials, |_| unreachable!());
/// assert!(std::sync::Arc::ptr_eq(&first, &second));
/// # Ok::<(), oss_credentials_core::CredentialsError>(())
/// ```
pub struct PerGeneration<T>(ArcSwapOption<Entry<T>>);

struct Entry<T> {
    credentials: Credentials,
    value: Arc<T>,
}

impl<T> PerGeneration<T> {
    /// Creates an empty cache.
    pub const fn new() -> Self {
        Self(ArcSwapOption::const_empty())
    }

    /// Returns the cached value for these credentials, or derives and caches it.
    pub fn get_or_derive(&self, credentials: &Credentials, derive: impl FnOnce(&Credentials) -> T) -> Arc<T> {
        let derived = self.get_or_try_derive(credentials, |credentials| {
            Ok::<_, Infallible>(derive(credentials))
        });
        match derived {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }

    /// Returns the cached value for these credentials, or derives and caches it.
    ///
    /// # Errors
    ///
    /// The error of `derive`, which is not cached. The value of the previous generation stays until the next success.
    pub fn get_or_try_derive<E>(
        &self,
        credentials: &Credentials,
        derive: impl FnOnce(&Credentials) -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        if let Some(entry) = self.0.load().as_deref()
            && entry.credentials.same_generation_as(credentials)
        {
            return Ok(Arc::clone(&entry.value));
        }
        let value = Arc::new(derive(credentials)?);
        self.0.store(Some(Arc::new(Entry {
            credentials: credentials.clone(),
            value: Arc::clone(&value),
        })));
        Ok(value)
    }

    /// Discards the cached value.
    pub fn clear(&self) {
        self.0.store(None);
    }
}

impl<T> Default for PerGeneration<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for PerGeneration<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerGeneration").finish_non_exhaustive()
    }
}
