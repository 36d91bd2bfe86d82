//! Credentials for an OAuth login of the CLI.
//!
//! Vendor document: *Configure credentials* of Alibaba Cloud CLI, mode `OAuth`; hosts, client ids and
//! exchanges are observed from the vendor's clients.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use oss_credentials_core::{BoxFuture, Clock, CredentialsError, CredentialsSource, Fetched, Sleep};
use oss_credentials_http::HttpClient;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use super::edit::{Changes, Value};
use super::exchange::Exchange;
use super::fields::read_fields;
use super::store::{Draft, Target, store_or_warn, warn};
use super::stored::key_changes;
use super::turn::under_lock;
use super::wire;
use crate::plan::{Mode, Site};
use crate::section::{Place, Section};
use crate::{NAME, TRACING_TARGET, events};

const SERVICE: &str = "the OAuth service";
/// An access token with less time left is renewed, as the vendor's SDKs do: 20 min.
const RENEW_BEFORE: Duration = Duration::from_secs(1200);
/// All but what RFC 3986 calls unreserved.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

impl Site {
    fn origin(self) -> &'static str {
        match self {
            Self::China => "https://oauth.aliyun.com",
            Self::International => "https://oauth.alibabacloud.com",
        }
    }

    /// The CLI's, which the login was made for.
    fn client_id(self) -> &'static str {
        match self {
            Self::China => "4038181954557748008",
            Self::International => "4103531455503354461",
        }
    }
}

/// Exchanges the login's access token for credentials, once per fetch, and renews the login if it may be
/// stored.
pub(crate) struct OAuthSource {
    place: Place,
    site: Site,
    exchange_url: String,
    token_url: String,
    write_back: bool,
    http: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
    sleep: Option<Arc<dyn Sleep>>,
    /// A renewed login that could not be stored. There is no other copy of it.
    unsaved: Mutex<Option<Unsaved>>,
}

struct Unsaved {
    /// The refresh token that was spent for it. If the file contains another one, there is a new login.
    spent: Zeroizing<String>,
    login: Login,
}

#[derive(Clone)]
struct Login {
    access_token: Option<Zeroizing<String>>,
    /// `None` if the file does not state it.
    ends: Option<SystemTime>,
    refresh_token: Option<Zeroizing<String>>,
}

impl Login {
    fn of(section: &Section<'_>) -> Result<Self, CredentialsError> {
        Ok(Self {
            access_token: section.secret("oauth_access_token")?,
            ends: section.instant("oauth_access_token_expire")?,
            refresh_token: section.secret("oauth_refresh_token")?,
        })
    }

    /// Returns the access token, if it is valid for this long.
    fn lasts(&self, from: SystemTime, at_least: Duration) -> Option<&Zeroizing<String>> {
        let until = from.checked_add(at_least)?;
        self.access_token
            .as_ref()
            .filter(|_| self.ends.is_none_or(|ends| ends > until))
    }

    fn changes(&self) -> Changes {
        let seconds = |at: SystemTime| {
            at.duration_since(SystemTime::UNIX_EPOCH)
                .map_or(0, |at| at.as_secs())
        };
        let text = |name, token: &Option<Zeroizing<String>>| Some((name, Value::Text(token.clone()?)));
        text("oauth_refresh_token", &self.refresh_token)
            .into_iter()
            .chain(text("oauth_access_token", &self.access_token))
            .chain(
                self.ends
                    .map(|ends| ("oauth_access_token_expire", Value::Number(seconds(ends)))),
            )
            .collect()
    }
}

impl OAuthSource {
    pub(crate) fn new(
        place: Place,
        site: Site,
        write_back: bool,
        http: Arc<dyn HttpClient>,
        clock: Arc<dyn Clock>,
        sleep: Option<Arc<dyn Sleep>>,
    ) -> Self {
        Self {
            place,
            site,
            exchange_url: format!("{}/v1/exchange", site.origin()),
            token_url: format!("{}/v1/token", site.origin()),
            write_back,
            http,
            clock,
            sleep,
            unsaved: Mutex::new(None),
        }
    }

    async fn ask(&self) -> Result<Fetched, CredentialsError> {
        let mut login = self.login()?;
        let mut renewed = false;
        if self.write_back
            && login.lasts(self.clock.now(), RENEW_BEFORE).is_none()
            && login.refresh_token.is_some()
        {
            match self.renew(None).await {
                Ok(new) => (login, renewed) = (new, true),
                // The old one is used until it expires.
                Err(error) if login.lasts(self.clock.now(), Duration::ZERO).is_some() => tracing::warn!(
                    name: events::LOGIN_NOT_RENEWED, target: TRACING_TARGET, provider = NAME,
                    kind = error.kind(), %error, event = events::LOGIN_NOT_RENEWED,
                    "the OAuth login was not renewed; it is still valid"
                ),
                Err(error) => return Err(error),
            }
        }
        let token = self.access_token(&login)?;
        let fetched = match self.exchange(&token).await {
            // By the service's clock it may have expired.
            Err(CredentialsError::Denied(_))
                if self.write_back && !renewed && login.refresh_token.is_some() =>
            {
                login = self.renew(Some(&token)).await?;
                self.exchange(&self.access_token(&login)?).await?
            }
            // Another program may have renewed it between reading the file and asking.
            Err(error @ CredentialsError::Denied(_)) if !self.write_back => {
                login = self.login()?;
                match login.lasts(self.clock.now(), Duration::ZERO) {
                    Some(newer) if *newer != token => self.exchange(newer).await?,
                    _ => return Err(error),
                }
            }
            other => other?,
        };
        if self.write_back {
            self.store(&fetched, &login);
        }
        Ok(fetched)
    }

    /// The login in the file, or a newer one that could not be stored.
    fn login(&self) -> Result<Login, CredentialsError> {
        let stored = read_fields(&self.place, &Mode::OAuth(self.site), Login::of)?;
        let mut unsaved = self.unsaved.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(newer) = &*unsaved {
            if stored.refresh_token.as_ref() == Some(&newer.spent) {
                return Ok(newer.login.clone());
            }
            *unsaved = None;
        }
        Ok(stored)
    }

    fn access_token(&self, login: &Login) -> Result<Zeroizing<String>, CredentialsError> {
        if let Some(token) = login.lasts(self.clock.now(), Duration::ZERO) {
            return Ok(token.clone());
        }
        let what = if login.access_token.is_some() {
            "has expired"
        } else {
            "was never made, or is signed out"
        };
        let what = format!("the OAuth login of the {} {what}", self.place.subject());
        let mut hint = self.hint();
        if login.refresh_token.is_some() && !self.write_back {
            hint.push_str(", or let write_back(true) renew it");
        }
        Err(CredentialsError::expired(self.place.detail(what).hint(hint)))
    }

    fn hint(&self) -> String {
        format!(
            "log in with `aliyun configure --mode OAuth --profile {:?}`",
            self.place.name
        )
    }

    /// Returns a login that is valid, and has another access token than `rejected`.
    async fn renew(&self, rejected: Option<&Zeroizing<String>>) -> Result<Login, CredentialsError> {
        let target = Target::open(&self.place)?;
        under_lock(&target, &self.place, self.sleep.as_ref(), async {
            // Another process may have renewed it while this one waited; its refresh token is of no use any
            // more.
            let login = self.login()?;
            let lasting = login.lasts(self.clock.now(), RENEW_BEFORE);
            if lasting.is_some_and(|token| Some(token) != rejected) {
                return Ok(login);
            }
            let Some(refresh_token) = &login.refresh_token else {
                return Ok(login);
            };
            // The service invalidates the old tokens: first make sure that the new ones can be stored.
            let mut draft = Draft::new(&target, &self.place)?;
            draft.reserve(&self.place)?;
            let new = self.request_token(refresh_token).await?;
            match draft.store(&self.place, &new.changes(), &self.is_still(&login)) {
                // Or there is a new login, which counts from the next fetch on.
                Ok(_) => *self.unsaved.lock().unwrap_or_else(PoisonError::into_inner) = None,
                Err(error) => {
                    warn(&self.place, &error);
                    self.keep(refresh_token, &new);
                }
            }
            Ok(new)
        })
        .await
    }

    /// Returns whether the file contains this login, or the one that was renewed into it and could not be stored.
    fn is_still(
        &self,
        login: &Login,
    ) -> impl Fn(&Mode, &Section<'_>) -> Result<bool, CredentialsError> + Sync + use<> {
        let unsaved = self.unsaved.lock().unwrap_or_else(PoisonError::into_inner);
        let spent = unsaved.as_ref().map(|unsaved| unsaved.spent.clone());
        let (mode, refresh_token) = (
            Mode::OAuth(self.site),
            spent.or_else(|| login.refresh_token.clone()),
        );
        // Without a refresh token, the access token distinguishes logins.
        let access_token = login.access_token.clone();
        move |now, section| {
            let stored = Login::of(section)?;
            Ok(*now == mode
                && stored.refresh_token == refresh_token
                && (refresh_token.is_some() || stored.access_token == access_token))
        }
    }

    fn keep(&self, spent: &Zeroizing<String>, login: &Login) {
        let mut unsaved = self.unsaved.lock().unwrap_or_else(PoisonError::into_inner);
        // The file still contains the one that was spent first.
        let spent = unsaved.take().map_or_else(|| spent.clone(), |older| older.spent);
        *unsaved = Some(Unsaved {
            spent,
            login: login.clone(),
        });
    }

    async fn request_token(&self, refresh_token: &str) -> Result<Login, CredentialsError> {
        let hint = self.hint();
        let exchange = Exchange {
            service: SERVICE,
            url: &self.token_url,
            http: &*self.http,
            clock: &self.clock,
            secrets: vec![refresh_token],
            hint: &hint,
        };
        let now = self.clock.now();
        let start = "grant_type=refresh_token&refresh_token=";
        let end = format!(
            "&client_id={}&Timestamp={}",
            self.site.client_id(),
            utf8_percent_encode(&timestamp(now), VALUE),
        );
        // Room for all of it: growing would leave copies of the token in memory.
        let most = start.len() + 3 * refresh_token.len() + end.len();
        let mut body = Zeroizing::new(String::with_capacity(most));
        body.push_str(start);
        body.extend(utf8_percent_encode(refresh_token, VALUE));
        body.push_str(&end);
        let request = exchange
            .request()
            .with_header("content-type", "application/x-www-form-urlencoded")
            .with_body(body.as_bytes().to_vec());
        let answer = exchange.send(request).await?;
        let new =
            wire::parse_token(answer.response.body()).map_err(|fault| exchange.fault(&answer, &fault))?;
        let expires_in = new.expires_in;
        tracing::debug!(
            name: events::LOGIN_RENEWED, target: TRACING_TARGET, provider = NAME, expires_in,
            event = events::LOGIN_RENEWED,
            "the OAuth login is renewed"
        );
        Ok(Login {
            access_token: Some(new.access_token),
            ends: now.checked_add(Duration::from_secs(new.expires_in)),
            refresh_token: Some(new.refresh_token),
        })
    }

    async fn exchange(&self, access_token: &str) -> Result<Fetched, CredentialsError> {
        let hint = self.hint();
        let exchange = Exchange {
            service: SERVICE,
            url: &self.exchange_url,
            http: &*self.http,
            clock: &self.clock,
            secrets: vec![access_token],
            hint: &hint,
        };
        let bearer = Zeroizing::new(["Bearer ", access_token].concat());
        let request = exchange
            .request()
            // A client may leave it out where there is no body, and the service may then refuse.
            .with_header("content-length", "0")
            .with_header("content-type", "application/json")
            .with_header("authorization", bearer.as_str());
        let answer = exchange.send(request).await?;
        let session =
            wire::parse_exchange(answer.response.body()).map_err(|fault| exchange.fault(&answer, &fault))?;
        exchange.credentials(&answer, session)
    }

    /// Stores the keys, for the CLI and the SDKs, and a login that is not stored yet.
    fn store(&self, fetched: &Fetched, login: &Login) {
        let still = self.is_still(login);
        let mut changes = key_changes(fetched.credentials());
        {
            let unsaved = self.unsaved.lock().unwrap_or_else(PoisonError::into_inner);
            changes.extend(unsaved.iter().flat_map(|unsaved| unsaved.login.changes()));
        }
        if store_or_warn(&self.place, &changes, &still) {
            *self.unsaved.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

impl CredentialsSource for OAuthSource {
    fn name(&self) -> &'static str {
        NAME
    }

    fn fetch(&self) -> BoxFuture<'_, Result<Fetched, CredentialsError>> {
        Box::pin(self.ask())
    }
}

impl fmt::Debug for OAuthSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthSource")
            .field("place", &self.place)
            .field("site", &self.site)
            .field("write_back", &self.write_back)
            .finish_non_exhaustive()
    }
}

/// The format that the service requires: UTC, without a fraction.
fn timestamp(at: SystemTime) -> String {
    let seconds = at
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let at = i64::try_from(seconds)
        .ok()
        .and_then(|seconds| DateTime::<Utc>::from_timestamp(seconds, 0));
    at.unwrap_or_default().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
