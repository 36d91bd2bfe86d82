//! The provider: holds the one that the profile describes, and replaces it when the profile changes.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::SystemTime;

use arc_swap::ArcSwapOption;
use oss_credentials_core::{
    Credentials, CredentialsError, CredentialsFuture, CredentialsProvider, Env, ErrorDetail, Invalidation,
    RefreshStatus, secret_file::Stamp,
};

use crate::access::{is_readable_by_others, is_writable_by_others};
use crate::builder::ProfileProviderBuilder;
use crate::config::LOOK_INTERVAL;
use crate::inner::Context;
use crate::lookup::Candidates;
use crate::plan::Plan;
use crate::section::Place;
use crate::{NAME, TRACING_TARGET, events};

/// Value of `looked_at` if the files are to be checked at once.
const NEVER: u64 = 0;

/// A provider of credentials of a profile in a file: the CLI's `config.json`, the SDKs' `credentials.ini`, or a
/// custom INI file.
///
/// It wraps the provider that the profile describes, and is as fast as that one. When a file changes, the profile is
/// read again: [`credentials`](CredentialsProvider::credentials) checks the modification times of the files, at most
/// every 5 s and after a rejected key; [`cached`](CredentialsProvider::cached) never does. If the profile now asks for
/// something else, a new provider takes over. If it can no longer be read, the old provider stays in use as long as it
/// returns credentials, and a warning is logged.
///
/// Clones share everything.
///
/// # Examples
///
/// ```
/// use oss_credentials_core::{CredentialsProvider, blocking};
/// use oss_credentials_profile::ProfileProvider;
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("credentials.ini");
/// # let example = "[default]\ntype = access_key\naccess_key_id = LTAI5tEXAMPLEKEYID\naccess_key_secret = EXAMPLE\n";
/// # std::fs::write(&path, example).unwrap();
/// // let path = "/etc/my-tool/credentials.ini";
/// let provider = ProfileProvider::builder().ini_file(path).build()?;
/// assert_eq!(blocking::wait(provider.credentials())?.access_key_id(), "LTAI5tEXAMPLEKEYID");
/// # Ok::<(), oss_credentials_core::CredentialsError>(())
/// ```
#[derive(Clone)]
pub struct ProfileProvider {
    shared: Arc<Shared>,
}

struct Shared {
    candidates: Candidates,
    context: Context,
    /// What is in use. Readers take no lock.
    current: ArcSwapOption<Snapshot>,
    /// When the files were last checked for changes, in milliseconds since 1970.
    looked_at: AtomicU64,
    /// Held by the caller that checks.
    reading: Mutex<Reading>,
}

/// What is known about the files.
#[derive(Default)]
struct Reading {
    stamps: Vec<Option<Stamp>>,
    /// Whether the files were read once more after their last change. Two writes within one
    /// tick of the file system's clock look the same from outside.
    settled: bool,
    plan: Option<Plan>,
    /// The service that the plan's provider calls.
    endpoint: Option<String>,
    /// Whether it was logged that others may change a file that names a program.
    warned: bool,
}

struct Snapshot {
    /// `None` before the first profile that could be used.
    provider: Option<Arc<dyn CredentialsProvider>>,
    /// The profile that asks for it.
    place: Option<Place>,
    /// Why the current content of the files cannot be used.
    failure: Option<CredentialsError>,
}

impl Snapshot {
    /// The error to return if the provider fails.
    fn error(&self, error: CredentialsError) -> CredentialsError {
        match (&self.failure, &self.place) {
            (Some(failure), _) => failure.clone(),
            (None, Some(place)) => place.set_up(error),
            (None, None) => error,
        }
    }
}

impl ProfileProvider {
    /// Starts a provider without settings: set a file, or read the environment.
    pub fn builder() -> ProfileProviderBuilder {
        ProfileProviderBuilder::new()
    }

    /// Starts a provider from the environment; see [`ProfileProviderBuilder::env`] and
    /// [`ProfileProviderBuilder::endpoint_env`].
    ///
    /// # Errors
    ///
    /// [`CredentialsError::NotConfigured`] if neither a file nor a home directory is known.
    pub fn from_env(env: &dyn Env) -> Result<ProfileProviderBuilder, CredentialsError> {
        let builder = Self::builder().env(env).endpoint_env(env);
        builder.candidates()?;
        Ok(builder)
    }

    /// Starts a provider of the two keys `alibaba_cloud_access_key_id` and `alibaba_cloud_access_key_secret`
    /// in a section of an INI file, as the vendor's OSS documents describe (*Configure access credentials*).
    pub fn config_ini(path: impl Into<PathBuf>, section: impl Into<String>) -> ProfileProviderBuilder {
        Self::builder().own_keys(path.into(), section.into())
    }

    /// Returns what was read at the last check of the files; `None` before a profile was found. Waits for a caller that
    /// is reading a file, so use it for reports and not for requests.
    pub fn in_use(&self) -> Option<ProfileInUse> {
        let reading = self.shared.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let plan = reading.plan.as_ref()?;
        Some(ProfileInUse {
            file: plan.place.file.clone(),
            profile: plan.place.name.clone(),
            kind: plan.mode.word(),
            endpoint: reading.endpoint.clone(),
            is_readable_by_others: plan.holds_secrets() && is_readable_by_others(&plan.place.file),
        })
    }

    pub(crate) fn new(candidates: Candidates, context: Context) -> Self {
        let shared = Shared {
            candidates,
            context,
            current: ArcSwapOption::const_empty(),
            looked_at: AtomicU64::new(NEVER),
            reading: Mutex::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }
}

impl Shared {
    fn is_due(&self, now: u64) -> bool {
        let looked_at = self.looked_at.load(Ordering::Acquire);
        // A clock that was set back must not stop it.
        looked_at == NEVER || now < looked_at || u128::from(now - looked_at) >= LOOK_INTERVAL.as_millis()
    }

    /// Checks whether a file has changed. One caller does; the others continue, unless there is no provider
    /// yet.
    fn look(&self, now: u64) {
        let mut reading = match self.reading.try_lock() {
            Ok(reading) => reading,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) if self.current.load().is_some() => return,
            Err(TryLockError::WouldBlock) => {
                let reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
                // The other one has just checked.
                if self.current.load().is_some() {
                    return;
                }
                reading
            }
        };
        self.looked_at.store(now.max(1), Ordering::Release);
        // Taken before the files are read: later changes are seen at the next check.
        let stamps = self.candidates.stamps();
        let current = self.current.load_full();
        let failed = current.as_ref().is_none_or(|current| current.failure.is_some());
        let changed = reading.stamps != stamps;
        if !changed && reading.settled && !failed {
            return;
        }
        reading.settled = !changed;
        reading.stamps = stamps;
        self.read(&mut reading, current.as_deref());
        if self.is_provisional(&reading) {
            reading.settled = false;
            self.looked_at.store(NEVER, Ordering::Release);
        }
    }

    /// Whether a file may have been only partially written: it was modified less than a second ago, or while it was
    /// read. The next call reads it again.
    fn is_provisional(&self, reading: &Reading) -> bool {
        let now = self.context.clock.now();
        let mut stamps = reading.stamps.iter().flatten();
        stamps.any(|stamp| stamp.is_young(now)) || self.candidates.stamps() != reading.stamps
    }

    fn read(&self, reading: &mut Reading, current: Option<&Snapshot>) {
        let at_hand = current.and_then(|current| current.provider.clone());
        let loaded = self.candidates.load(self.context.clock.now()).and_then(|plan| {
            if at_hand.is_some() && reading.plan.as_ref() == Some(&plan) {
                return Ok(None);
            }
            let inner = self.context.provider(&plan)?;
            Ok(Some((plan, inner)))
        });
        let failure = match loaded {
            // Unchanged.
            Ok(None) if current.is_some_and(|current| current.failure.is_none()) => return,
            Ok(None) => None,
            Ok(Some((plan, inner))) => {
                log_plan(&plan, at_hand.is_some());
                if !reading.warned && plan.runs_a_program() && is_writable_by_others(&plan.place.file) {
                    reading.warned = true;
                    tracing::warn!(
                        name: events::PROGRAM_EXPOSED, target: TRACING_TARGET, provider = NAME,
                        file = %plan.place.file.display(), profile = plan.place.name.as_str(),
                        event = events::PROGRAM_EXPOSED,
                        "the profile's file names a program, and other users may change it"
                    );
                }
                let place = plan.place.clone();
                reading.plan = Some(plan);
                reading.endpoint = inner.endpoint;
                self.publish(Some(inner.provider), Some(place), None);
                return;
            }
            Err(error) => Some(error),
        };
        let failure = failure.map(|error| {
            if at_hand.is_none() {
                return error;
            }
            if current.is_some_and(|current| current.failure.is_none()) {
                tracing::warn!(
                    name: events::UNREADABLE, target: TRACING_TARGET, provider = NAME, kind = error.kind(),
                    %error, event = events::UNREADABLE,
                    "the profile cannot be read any more; the one read before stays in use"
                );
            }
            configured(&error)
        });
        let place = current.and_then(|current| current.place.clone());
        self.publish(at_hand, place, failure);
    }

    fn publish(
        &self,
        provider: Option<Arc<dyn CredentialsProvider>>,
        place: Option<Place>,
        failure: Option<CredentialsError>,
    ) {
        let snapshot = Snapshot {
            provider,
            place,
            failure,
        };
        self.current.store(Some(Arc::new(snapshot)));
    }

    fn now(&self) -> u64 {
        let since = self.context.clock.now().duration_since(SystemTime::UNIX_EPOCH);
        since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// A profile that existed once counts as configured: if it is gone, a chain must not continue with another identity.
fn configured(error: &CredentialsError) -> CredentialsError {
    match error {
        CredentialsError::NotConfigured(detail) => CredentialsError::InvalidConfig(detail.clone()),
        other => other.clone(),
    }
}

fn log_plan(plan: &Plan, again: bool) {
    let (file, profile, kind) = (
        plan.place.file.display(),
        plan.place.name.as_str(),
        plan.mode.word(),
    );
    if again {
        tracing::info!(
            name: events::CHANGED, target: TRACING_TARGET, provider = NAME, %file, profile, kind,
            event = events::CHANGED,
            "the profile has changed, and is in use as it is now"
        );
    } else {
        tracing::debug!(
            name: events::READ, target: TRACING_TARGET, provider = NAME, %file, profile, kind,
            event = events::READ,
            "the profile is read"
        );
    }
}

impl CredentialsProvider for ProfileProvider {
    fn name(&self) -> &'static str {
        NAME
    }

    fn credentials(&self) -> CredentialsFuture<'_> {
        let now = self.shared.now();
        // Callers that arrive during the first check wait for it.
        if self.shared.is_due(now) || self.shared.current.load().is_none() {
            self.shared.look(now);
        }
        let current = self.shared.current.load();
        // Not reached: a look leaves a provider behind, or a failure.
        let nothing = || {
            let detail = ErrorDetail::builder(NAME, "the profile is not read yet");
            CredentialsError::unavailable(detail.hint("retry; if it persists, report it"))
        };
        let Some(snapshot) = current.as_ref() else {
            return CredentialsFuture::ready(Err(nothing()));
        };
        let Some(provider) = &snapshot.provider else {
            let failure = snapshot.failure.clone();
            return CredentialsFuture::ready(Err(failure.unwrap_or_else(nothing)));
        };
        // The cached value is copied; otherwise the future has to own its provider, which may be replaced
        // meanwhile.
        match provider.credentials().into_ready() {
            Ok(Ok(credentials)) => CredentialsFuture::ready(Ok(credentials)),
            Ok(Err(error)) => CredentialsFuture::ready(Err(snapshot.error(error))),
            Err(future) => {
                drop(future);
                let (provider, snapshot) = (Arc::clone(provider), Arc::clone(snapshot));
                CredentialsFuture::new(async move {
                    let answer = provider.credentials().await;
                    answer.map_err(|error| snapshot.error(error))
                })
            }
        }
    }

    fn cached(&self) -> Option<Credentials> {
        self.shared.current.load().as_deref()?.provider.as_ref()?.cached()
    }

    fn invalidate(&self, rejected: &Credentials) -> Invalidation {
        let current = self.shared.current.load();
        let provider = current.as_deref().and_then(|current| current.provider.as_ref());
        let result = provider.map(|provider| provider.invalidate(rejected));
        // The key may have been replaced in the file.
        self.shared.looked_at.store(NEVER, Ordering::Release);
        match result {
            // Keys in a file have no provider that could drop them, but the next call reads the file.
            Some(Invalidation::Unsupported) => Invalidation::Dropped,
            Some(result) => result,
            None => Invalidation::AlreadyReplaced,
        }
    }

    fn refresh_status(&self) -> Option<RefreshStatus> {
        let current = self.shared.current.load();
        current.as_deref()?.provider.as_ref()?.refresh_status()
    }
}

/// The profile that a [`ProfileProvider`] has read; see [`ProfileProvider::in_use`]. Contains no secret.
#[derive(Clone, Debug)]
pub struct ProfileInUse {
    file: PathBuf,
    profile: String,
    kind: &'static str,
    endpoint: Option<String>,
    is_readable_by_others: bool,
}

impl ProfileInUse {
    /// Returns the file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Returns the profile's name; in an INI file, its section.
    pub fn profile(&self) -> &str {
        &self.profile
    }

    /// Returns how the profile gets its credentials: `"keys"`, the name of a provider such as `"sts-assume-role"`,
    /// `"cloud-sso"` or `"oauth"`.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Returns the endpoint of STS or of instance metadata that the profile's provider calls; `None` for other kinds.
    pub fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref()
    }

    /// Returns whether the file contains secrets of the profile and users other than its owner can read it. No
    /// warning is logged for this, since Kubernetes mounts secrets with such permissions. Always false on Windows.
    pub fn is_readable_by_others(&self) -> bool {
        self.is_readable_by_others
    }
}

impl fmt::Debug for ProfileProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = self.shared.candidates.files.iter();
        let current = self.shared.current.load();
        f.debug_struct("ProfileProvider")
            .field(
                "files",
                &files
                    .map(|file| file.path.display().to_string())
                    .collect::<Vec<_>>(),
            )
            .field("profile", &self.shared.candidates.profile)
            .field(
                "inner",
                &current.as_deref().and_then(|current| current.provider.as_ref()),
            )
            .finish_non_exhaustive()
    }
}
