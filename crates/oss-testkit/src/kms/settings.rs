//! The initial state of KMS.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::client_key;
use super::secrets::{Kms, Store};
use crate::state::State;

/// The user whose key is in the secret that always exists.
pub(crate) const DEFAULT_SECRET_USER: &str = "example-rotated-user";
const DEFAULT_SECOND_REGION: &str = "cn-shanghai";
/// Named like the RAM secrets of the console.
const DEFAULT_ROTATION: Duration = Duration::from_secs(7 * 24 * 3600);

/// Settings of KMS.
#[derive(Default)]
pub(crate) struct Settings {
    pub(crate) shared_port: u16,
    pub(crate) instance_port: u16,
    pub(crate) users: Vec<String>,
    pub(crate) secrets: Vec<(String, String)>,
    pub(crate) client_keys: Vec<(String, Vec<u8>)>,
    pub(crate) regions: Vec<String>,
    pub(crate) rotation: Option<Duration>,
}

impl Settings {
    /// KMS with what was set, before the first request.
    pub(crate) fn build(self, state: Arc<State>) -> io::Result<Kms> {
        let now = state.clock.now();
        let mut store = Store::default();
        let own = (client_key::KEY_ID.to_owned(), client_key::PUBLIC_KEY.to_vec());
        store
            .client_keys
            .extend(std::iter::once(own).chain(self.client_keys));
        let regions = [state.region.as_str(), DEFAULT_SECOND_REGION].map(str::to_owned);
        store.regions.extend(regions.into_iter().chain(self.regions));
        let interval = self.rotation.unwrap_or(DEFAULT_ROTATION);
        for user in std::iter::once(DEFAULT_SECRET_USER.to_owned()).chain(self.users) {
            store.add_ram_secret(&state, &user, interval, now);
        }
        for (name, value) in self.secrets {
            if !store.put_secret(&name, &value, now) {
                let message =
                    format!("{name} is the name of a RAM secret, which holds no value of one's own");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
            }
        }
        Ok(Kms::new(state, store))
    }
}
