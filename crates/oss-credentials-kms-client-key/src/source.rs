//! The source: a fetch calls the regions in order until one returns the secret.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use oss_credentials_core::{
    BoxFuture, Credentials, CredentialsError, CredentialsSource, ErrorDetail, Fetched, RefreshingProvider,
    Sleep, sleeper,
};
use oss_credentials_http::{Scrubber, ServiceClock};

use crate::config::PAUSES;
use crate::error::{NAME, without_provider};
use crate::exchange::gateway::Target;
use crate::exchange::outcome::{self, Next};
use crate::exchange::wait::Random;
use crate::exchange::{Answer, Fetch, too_late};
use crate::secret::data::{self, Expiry, Pair};
use crate::secret::notice::Notices;
use crate::secret::schedule::{self, Hints};

/// A provider of a rotated pair, cached and refreshed; see
/// [`KmsClientKeyBuilder::build`](crate::KmsClientKeyBuilder::build).
pub type KmsClientKeyProvider = RefreshingProvider<KmsClientKey>;

/// A source that fetches the access key pair in a secret of KMS Secrets Manager, with one `GetSecretValue` per fetch.
///
/// The regions are called in their order, beginning with the one that responded last, until one returns the secret. If
/// there is a [`Sleep`], two more passes follow, after about 1 s and 2 s; 30 s in all. Only the current version
/// of the secret (`ACSCurrent`) is ever used.
///
/// A client key file is read when a fetch first needs it, and again when KMS no longer knows the key: if
/// the file was replaced, the call is repeated once with the new key.
///
/// # Examples
///
/// As a member of a chain, where a machine without these settings continues with the next one:
///
/// ```
/// # use oss_credentials_http::{HttpResponse, http_fn};
/// # let http = http_fn(|_| async { Ok(HttpResponse::new(503, Vec::new())) });
/// use oss_credentials_core::{Credentials, ChainProvider, ProcessEnv};
/// use oss_credentials_kms_client_key::KmsClientKey;
///
/// let kms = KmsClientKey::from_env(&ProcessEnv)
///     .and_then(|builder| builder.secret_name("acs/ram/user/oss-reader").http_client(http).build());
/// let chain = ChainProvider::builder()
///     .member("kms-client-key", kms)
///     .member("static", Credentials::builder("LTAI5tExampleKeyId01", "example-secret").build())
///     .build();
/// # let _ = chain;
/// ```
pub struct KmsClientKey {
    pub(crate) secret_name: String,
    /// Never empty.
    pub(crate) targets: Vec<Target>,
    /// Index of the target that responded last.
    pub(crate) last_good: AtomicUsize,
    /// The local clock, and the learned offset of KMS's clock.
    pub(crate) clock: ServiceClock,
    pub(crate) sleep: Option<Arc<dyn Sleep>>,
    pub(crate) connect_timeout: Duration,
    pub(crate) timeout: Duration,
    pub(crate) refresh_interval: Duration,
    /// Added after a scheduled rotation; drawn once, when the source is built.
    pub(crate) spread: Duration,
    pub(crate) random: Random,
    pub(crate) notices: Notices,
}

impl KmsClientKey {
    /// Returns the name or ARN of the secret.
    pub fn secret_name(&self) -> &str {
        &self.secret_name
    }

    /// Returns where requests go, in their initial order: scheme, host and port.
    pub fn endpoints(&self) -> Vec<String> {
        self.targets
            .iter()
            .map(|target| target.endpoint.origin())
            .collect()
    }

    async fn ask_all(&self) -> Result<(usize, Answer), CredentialsError> {
        let fetch = Fetch {
            secret_name: &self.secret_name,
            clock: &self.clock,
            connect_timeout: self.connect_timeout,
            timeout: self.timeout,
            began: self.clock.local().now(),
        };
        let mut last = None;
        for pass in 0..=PAUSES.len() {
            if let Some(pause) = pass.checked_sub(1).and_then(|index| PAUSES.get(index)) {
                let Some(sleep) = sleeper(self.sleep.as_ref()) else {
                    break;
                };
                let pause = self.random.around(*pause);
                if fetch.left().is_none_or(|left| left <= pause) {
                    break;
                }
                sleep.sleep(pause).await;
            }
            let mut order: Vec<usize> = (0..self.targets.len()).collect();
            let first = self.last_good.load(Ordering::Relaxed);
            order.sort_by_key(|index| *index != first);
            for index in order {
                let Some(target) = self.targets.get(index) else {
                    continue;
                };
                match fetch.ask(target).await {
                    Ok(answer) => return Ok((index, answer)),
                    Err(failure) if failure.next == Next::TooLate => return Err(self.nobody(last)),
                    Err(failure) if failure.next == Next::AnotherRegion => last = Some(failure.error),
                    Err(failure) => return Err(failure.error),
                }
            }
        }
        Err(self.nobody(last))
    }

    /// The last region's error, which represents all of them.
    fn nobody(&self, last: Option<CredentialsError>) -> CredentialsError {
        let Some(last) = last else {
            return too_late();
        };
        if self.targets.len() < 2 {
            return last;
        }
        let what = format!("GetSecretValue failed in all {} regions", self.targets.len());
        let hint = match last.detail() {
            Some(detail) => format!("of the last one: {}", without_provider(detail)),
            None => "see the cause".to_owned(),
        };
        let detail = ErrorDetail::builder(NAME, what).hint(hint).source(last.clone());
        match last {
            CredentialsError::InvalidResponse(_) => CredentialsError::invalid_response(detail),
            _ => CredentialsError::unavailable(detail),
        }
    }

    fn admit(&self, target: &Target, answer: Answer) -> Result<Fetched, CredentialsError> {
        let Answer {
            secret,
            response,
            clock_offset,
            received,
        } = answer;
        let unusable = |what: String, hint: &'static str| {
            let mut detail = ErrorDetail::builder(NAME, what)
                .place(target.place())
                .http_status(response.status())
                .hint(hint);
            let scrubber = Scrubber::new().hide(&secret.data);
            if let Some(id) = outcome::request_id(secret.request_id.as_deref(), &response, &scrubber) {
                detail = detail.request_id(id);
            }
            CredentialsError::invalid_response(detail)
        };
        let hint = if secret.kind.is_none() || secret.is_type("Generic") {
            "store a JSON object with AccessKeyId and AccessKeySecret, or name a managed RAM secret"
        } else {
            "name a managed RAM secret"
        };
        let pair = data::parse(&secret.data, secret.data_type.as_deref())
            .map_err(|defect| unusable(format!("the secret {} {}", self.secret_name, defect.text()), hint))?;
        self.notices.secret(&self.secret_name, &secret);
        let now = clock_offset
            .or(self.clock.offset())
            .unwrap_or_default()
            .to_service(received);
        let hints = Hints {
            ttl: pair.ttl,
            next_rotation: secret
                .next_rotation
                .as_deref()
                .and_then(data::instant)
                .or(pair.rotation_at),
            ends_some_day: pair.expiry == Expiry::Unreadable,
        };
        self.notices.hints(&self.secret_name, &secret, &pair);
        let after = schedule::refresh_after(self.refresh_interval, &hints, self.spread, now);
        let credentials = credentials(pair).map_err(|error| {
            let problem = error.detail().map_or("the pair is malformed", ErrorDetail::what);
            unusable(format!("of the secret {} {problem}", self.secret_name), hint)
        })?;
        Ok(Fetched::new(credentials)
            .with_refresh_after(after)
            .with_clock_offset(clock_offset))
    }
}

fn credentials(pair: Pair) -> Result<Credentials, CredentialsError> {
    let mut builder = Credentials::builder(pair.access_key_id, pair.access_key_secret.as_str().to_owned())
        .expires_at(match pair.expiry {
            Expiry::At(at) => Some(at),
            Expiry::Never | Expiry::Unreadable => None,
        })
        .source(NAME)
        .strict();
    if let Some(token) = pair.security_token {
        builder = builder.security_token(token.as_str().to_owned());
    }
    builder.build()
}

impl CredentialsSource for KmsClientKey {
    fn name(&self) -> &'static str {
        NAME
    }

    fn fetch(&self) -> BoxFuture<'_, Result<Fetched, CredentialsError>> {
        Box::pin(async move {
            let (index, answer) = self.ask_all().await?;
            self.last_good.store(index, Ordering::Relaxed);
            let target = self.targets.get(index).ok_or_else(|| self.nobody(None))?;
            self.admit(target, answer)
        })
    }
}

impl fmt::Debug for KmsClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KmsClientKey")
            .field("secret_name", &self.secret_name)
            .field("targets", &self.targets)
            .field("refresh_interval", &self.refresh_interval)
            .field("clock", self.clock.local())
            .field("sleep", &self.sleep)
            .finish_non_exhaustive()
    }
}
