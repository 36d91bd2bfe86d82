//! The secrets, and the keys that rotate in some of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use oss_credentials_core::Credentials;
use serde_json::json;

use super::client_key::ClientKeyFiles;
use super::message::{GetSecretValueRequest, SecretValue};
use crate::account::{Key, Principal, new_key_pair};
use crate::openapi::product::{Refusal, request_id};
use crate::service::Judgement;
use crate::state::State;
use crate::time::{iso, shift};

const CURRENT: &str = "ACSCurrent";
const PREVIOUS: &str = "ACSPrevious";
/// The prefix of the name of a RAM secret, before the user's name.
const RAM_PREFIX: &str = "acs/ram/user/";

/// The state of KMS.
#[derive(Default)]
pub(crate) struct Store {
    /// Public keys of the client keys, by id.
    pub(crate) client_keys: HashMap<String, Vec<u8>>,
    pub(super) regions: BTreeSet<String>,
    pub(crate) secrets: BTreeMap<String, Secret>,
    pub(crate) files: Option<ClientKeyFiles>,
}

pub(crate) struct Secret {
    created: SystemTime,
    /// The last one is current, the one before it previous.
    versions: Vec<Version>,
    /// `None` for a generic secret.
    ram: Option<Ram>,
}

struct Version {
    id: String,
    data: Data,
}

enum Data {
    Text(String),
    Pair {
        credentials: Credentials,
        generated: SystemTime,
    },
}

/// The fields that only a RAM secret has.
struct Ram {
    user: String,
    /// Zero for no automatic rotation.
    interval: Duration,
    rotated: Option<SystemTime>,
    next: Option<SystemTime>,
}

/// The name of the secret that holds a RAM user's key.
pub(crate) fn ram_secret_name(user: &str) -> String {
    format!("{RAM_PREFIX}{user}")
}

/// KMS behind both of its gateways.
pub(crate) struct Kms {
    pub(super) state: Arc<State>,
    store: Mutex<Store>,
}

impl Kms {
    pub(super) fn new(state: Arc<State>, store: Store) -> Self {
        Self {
            state,
            store: Mutex::new(store),
        }
    }

    /// The state. While this lock is held, the state of all services may be locked, but not the other way round.
    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kms {
    /// Gives the user of a RAM secret a new key now; see [`Store::rotate_secret`].
    pub(crate) fn rotate_secret(&self, name: &str, keep_old: bool) -> Option<Credentials> {
        let now = self.state.now(0);
        self.store().rotate_secret(&self.state, name, now, keep_old)
    }

    /// Adds a generic secret now; see [`Store::put_secret`].
    pub(crate) fn put_secret(&self, name: &str, value: &str) -> bool {
        let now = self.state.now(0);
        self.store().put_secret(name, value, now)
    }
}

impl Store {
    /// Adds a RAM user whose key is in a secret, and can be rotated there.
    pub(super) fn add_ram_secret(&mut self, state: &State, user: &str, interval: Duration, now: SystemTime) {
        let ram = Ram {
            user: user.to_owned(),
            interval,
            rotated: None,
            next: next_rotation(now, interval),
        };
        let version = new_pair(state, user, now);
        self.secrets.insert(
            ram_secret_name(user),
            Secret {
                created: now,
                versions: version.into_iter().collect(),
                ram: Some(ram),
            },
        );
    }

    /// Adds a generic secret, or a version to one. False for the name of a RAM secret, which KMS alone fills.
    pub(super) fn put_secret(&mut self, name: &str, value: &str, now: SystemTime) -> bool {
        let secret = self.secrets.entry(name.to_owned()).or_insert(Secret {
            created: now,
            versions: Vec::new(),
            ram: None,
        });
        if secret.ram.is_some() || name.starts_with(RAM_PREFIX) {
            if secret.versions.is_empty() {
                self.secrets.remove(name);
            }
            return false;
        }
        secret.versions.push(Version {
            id: format!("v{}", secret.versions.len() + 1),
            data: Data::Text(value.to_owned()),
        });
        true
    }

    /// Gives the user of a RAM secret a new key. A RAM user has two keys at most: the one before the old one
    /// is deleted, and the old one too if it is not to be kept. Returns the new key.
    fn rotate_secret(
        &mut self,
        state: &State,
        name: &str,
        now: SystemTime,
        keep_old: bool,
    ) -> Option<Credentials> {
        let user = self.secrets.get(name)?.ram.as_ref()?.user.clone();
        let version = new_pair(state, &user, now)?;
        let secret = self.secrets.get_mut(name)?;
        secret.versions.push(version);
        let kept = if keep_old { 2 } else { 1 };
        let too_many = secret.versions.len().saturating_sub(kept);
        let deleted: Vec<Version> = secret.versions.drain(..too_many).collect();
        if let Some(ram) = &mut secret.ram {
            ram.rotated = Some(now);
            ram.next = next_rotation(now, ram.interval);
        }
        let current = secret.current_pair();
        for version in deleted {
            if let Data::Pair { credentials, .. } = version.data {
                state.lock().keys.remove(credentials.access_key_id());
            }
        }
        current
    }

    /// Rotates what should have been rotated by now.
    fn rotate_due(&mut self, state: &State, name: &str, now: SystemTime) {
        let next = self
            .secrets
            .get(name)
            .and_then(|secret| secret.ram.as_ref()?.next);
        if next.is_some_and(|next| next <= now) {
            self.rotate_secret(state, name, now, true);
        }
    }
}

/// Creates a key that is valid for all services of the account.
fn new_pair(state: &State, user: &str, now: SystemTime) -> Option<Version> {
    let (id, secret) = new_key_pair();
    let credentials = Credentials::builder(id, secret)
        .source("oss-testkit")
        .build()
        .ok()?;
    state
        .lock()
        .add_key(Key::new(credentials.clone(), Principal::User(user.to_owned())));
    Some(Version {
        id: request_id().to_ascii_lowercase(),
        data: Data::Pair {
            credentials,
            generated: now,
        },
    })
}

fn next_rotation(now: SystemTime, interval: Duration) -> Option<SystemTime> {
    (!interval.is_zero()).then(|| now.checked_add(interval)).flatten()
}

impl Secret {
    pub(crate) fn current_pair(&self) -> Option<Credentials> {
        match &self.versions.last()?.data {
            Data::Pair { credentials, .. } => Some(credentials.clone()),
            Data::Text(_) => None,
        }
    }

    /// The version asked for, with its stages. An id counts for generic secrets only.
    fn version(&self, stage: &str, id: &str) -> Option<(&Version, Vec<String>)> {
        let newest_first = || {
            self.versions.iter().rev().zip(
                [CURRENT, PREVIOUS]
                    .into_iter()
                    .map(Some)
                    .chain(std::iter::repeat(None)),
            )
        };
        let by_id = self.ram.is_none() && !id.is_empty();
        let stage = if stage.is_empty() { CURRENT } else { stage };
        newest_first()
            .find(|(version, own)| {
                if by_id {
                    version.id == id
                } else {
                    *own == Some(stage)
                }
            })
            .map(|(version, own)| (version, own.map(str::to_owned).into_iter().collect()))
    }
}

/// `GetSecretValue`, after the caller is known.
pub(super) fn get(
    kms: &Kms,
    request: &GetSecretValueRequest,
    judgement: Judgement,
) -> Result<SecretValue, Refusal> {
    let state = &*kms.state;
    let name = local_name(&request.secret_name, &state.account);
    let now = state.now(0);
    let mut store = kms.store();
    store.rotate_due(state, name, now);
    let found = store.secrets.get(name).and_then(|secret| {
        let (version, stages) = secret.version(&request.version_stage, &request.version_id)?;
        Some((secret, version, stages))
    });
    let Some((secret, version, version_stages)) = found else {
        return Err(Refusal::new(
            404,
            "Forbidden.ResourceNotFound",
            "Resource not found.",
        ));
    };
    let mut value = SecretValue {
        secret_name: name.to_owned(),
        secret_type: "Generic".to_owned(),
        secret_data: version.data.to_text(now, judgement.expired_credentials),
        secret_data_type: "text".to_owned(),
        version_stages,
        version_id: version.id.clone(),
        create_time: iso(secret.created),
        request_id: request_id(),
        ..SecretValue::default()
    };
    if let Some(ram) = &secret.ram {
        ram.describe(&mut value, request.fetch_extended_config);
    }
    Ok(value)
}

/// The name within this account, which an ARN names too: `acs:kms:<region>:<account>:secret/<name>`.
fn local_name<'a>(name: &'a str, account: &str) -> &'a str {
    name.strip_prefix("acs:kms:")
        .and_then(|rest| rest.split_once(':'))
        .and_then(|(_, rest)| rest.strip_prefix(account))
        .and_then(|rest| rest.strip_prefix(":secret/"))
        .unwrap_or(name)
}

impl Data {
    fn to_text(&self, now: SystemTime, expired: bool) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Pair {
                credentials,
                generated,
            } => {
                let mut pair = json!({
                    "AccessKeyId": credentials.access_key_id(),
                    "AccessKeySecret": credentials.access_key_secret(),
                    "GenerateTimestamp": iso(*generated),
                });
                if expired {
                    pair["ExpireTimestamp"] = iso(shift(now, -1).unwrap_or(now)).into();
                }
                pair.to_string()
            }
        }
    }
}

impl Ram {
    fn describe(&self, value: &mut SecretValue, extended: bool) {
        "RAMCredentials".clone_into(&mut value.secret_type);
        let on = !self.interval.is_zero();
        (if on { "Enabled" } else { "Disabled" }).clone_into(&mut value.automatic_rotation);
        if on {
            value.rotation_interval = format!("{}s", self.interval.as_secs());
        }
        value.next_rotation_date = self.next.map(iso).unwrap_or_default();
        value.last_rotation_date = self.rotated.map(iso).unwrap_or_default();
        if extended {
            let config = json!({
                "SecretSubType": "RamUserAccessKey",
                "UserName": self.user,
                "CustomData": {},
            });
            value.extended_config = config.to_string();
        }
    }
}
