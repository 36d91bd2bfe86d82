//! What a test can set and do: secrets, rotation, client keys.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, SystemTime};

use oss_credentials_core::Credentials;

use super::client_key::{self, ClientKeyFiles};
use super::secrets::ram_secret_name;
use crate::builder::LocalCloudBuilder;
use crate::cloud::LocalCloud;
use crate::state::Inner;

const DEFAULT_SECRET_USER: &str = "example-rotated-user";
const DEFAULT_SECOND_REGION: &str = "cn-shanghai";
/// As the RAM secrets of the console.
const DEFAULT_ROTATION: Duration = Duration::from_secs(7 * 24 * 3600);

/// Where the gateways listen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses {
    pub(crate) shared: SocketAddr,
    pub(crate) instance: SocketAddr,
}

/// Settings of KMS.
#[derive(Default)]
pub(crate) struct Settings {
    pub(crate) shared_port: u16,
    pub(crate) instance_port: u16,
    users: Vec<String>,
    secrets: Vec<(String, String)>,
    client_keys: Vec<(String, Vec<u8>)>,
    regions: Vec<String>,
    rotation: Option<Duration>,
}

impl Settings {
    /// Puts what was set into the state, before the first request.
    pub(crate) fn apply(self, inner: &mut Inner, region: &str, now: SystemTime) -> io::Result<()> {
        let own = (client_key::KEY_ID.to_owned(), client_key::PUBLIC_KEY.to_vec());
        inner
            .kms
            .client_keys
            .extend(std::iter::once(own).chain(self.client_keys));
        let regions = [region, DEFAULT_SECOND_REGION].map(str::to_owned);
        inner.kms.regions.extend(regions.into_iter().chain(self.regions));
        let interval = self.rotation.unwrap_or(DEFAULT_ROTATION);
        for user in std::iter::once(DEFAULT_SECRET_USER.to_owned()).chain(self.users) {
            inner.add_ram_secret(&user, interval, now);
        }
        for (name, value) in self.secrets {
            if !inner.put_secret(&name, &value, now) {
                let message =
                    format!("{name} is the name of a RAM secret, which holds no value of one's own");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
            }
        }
        Ok(())
    }
}

/// KMS Secrets Manager.
impl LocalCloud {
    /// Where the shared gateway of KMS is: `http://127.0.0.1:<port>`, for all its regions.
    pub fn kms_endpoint(&self) -> String {
        format!("http://{}", self.kms.shared)
    }

    /// Where the gateway of a KMS instance is: `http://127.0.0.1:<port>`.
    pub fn kms_instance_endpoint(&self) -> String {
        format!("http://{}", self.kms.instance)
    }

    /// Id of the client key that both gateways know from the start.
    pub fn client_key_id(&self) -> &str {
        client_key::KEY_ID
    }

    /// The client key as the console hands it out: JSON with the key id and a PKCS#12 file.
    ///
    /// It is the same for all local clouds, laid out byte by byte as KMS does.
    pub fn client_key_json(&self) -> &str {
        client_key::JSON
    }

    /// Password of the client key.
    pub fn client_key_password(&self) -> &str {
        client_key::PASSWORD
    }

    /// Writes the client key and its password into a directory. From then on [`LocalCloud::env`] has the
    /// variables of the vendor's clients that lead there. The files stay when the cloud ends.
    ///
    /// # Errors
    ///
    /// What the operating system says if a file cannot be written.
    pub fn write_client_key(&self, dir: impl AsRef<Path>) -> io::Result<ClientKeyFiles> {
        let files = client_key::write(dir.as_ref())?;
        self.state.lock().kms.files = Some(files.clone());
        Ok(files)
    }

    /// Lets KMS forget a client key: requests with it are refused from now on. False if there is none such.
    pub fn delete_client_key(&self, key_id: &str) -> bool {
        self.state.lock().kms.client_keys.remove(key_id).is_some()
    }

    /// Name of the RAM secret that exists from the start: `acs/ram/user/example-rotated-user`.
    pub fn secret_name(&self) -> String {
        ram_secret_name(DEFAULT_SECRET_USER)
    }

    /// The key that a RAM secret holds now, without a request; `None` if there is no such RAM secret.
    pub fn secret_credentials(&self, name: &str) -> Option<Credentials> {
        self.state.lock().kms.secrets.get(name)?.current_pair()
    }

    /// Gives the user of a RAM secret a new key, which becomes the secret's value and is returned; `None` if
    /// there is no such RAM secret.
    ///
    /// OSS and STS take the old key as well, until it is [revoked](LocalCloud::revoke) or the next rotation
    /// deletes it: a RAM user has two keys at most.
    pub fn rotate_secret(&self, name: &str) -> Option<Credentials> {
        let now = self.state.now(0);
        self.state.lock().rotate_secret(name, now, true)
    }

    /// [`LocalCloud::rotate_secret`], but the old key is deleted at once.
    pub fn rotate_secret_immediately(&self, name: &str) -> Option<Credentials> {
        let now = self.state.now(0);
        self.state.lock().rotate_secret(name, now, false)
    }

    /// Stores a generic secret, or a new current version of it; any text, JSON as a rule. False for names
    /// that begin with `acs/ram/user/`: KMS fills those by itself.
    pub fn put_secret(&self, name: impl AsRef<str>, value: impl AsRef<str>) -> bool {
        let now = self.state.now(0);
        self.state.lock().put_secret(name.as_ref(), value.as_ref(), now)
    }

    /// Deletes a secret; a key that it holds stays good. False if there is none such.
    pub fn delete_secret(&self, name: &str) -> bool {
        self.state.lock().kms.secrets.remove(name).is_some()
    }

    /// The variables of KMS. Endpoints are for the program to pass on, all else is read by the vendor's
    /// clients and by our provider.
    pub(crate) fn kms_env(&self) -> Vec<(&'static str, String)> {
        let mut env = vec![
            ("ALIBABA_CLOUD_KMS_ENDPOINT", self.kms_endpoint()),
            (
                "ALIBABA_CLOUD_KMS_INSTANCE_ENDPOINT",
                self.kms_instance_endpoint(),
            ),
            ("secret_names", self.secret_name()),
        ];
        if let Some(files) = self.state.lock().kms.files.clone() {
            let region = serde_json::json!([{
                "regionId": self.region(),
                "endpoint": self.kms_endpoint(),
                "vpc": false,
            }]);
            let path = |path: &Path| path.to_string_lossy().into_owned();
            env.extend([
                ("credentials_type", "client_key".to_owned()),
                ("client_key_private_key_path", path(files.key())),
                ("client_key_password_from_file_path", path(files.password())),
                ("cache_client_region_id", region.to_string()),
            ]);
        }
        env
    }
}

/// KMS Secrets Manager.
impl LocalCloudBuilder {
    /// A further RAM user whose key is in the secret `acs/ram/user/<name>` and rotates there. Default: none
    /// but `example-rotated-user`.
    #[must_use]
    pub fn ram_secret(mut self, user: impl Into<String>) -> Self {
        self.kms.users.push(user.into());
        self
    }

    /// A generic secret: any text, JSON as a rule. Default: none.
    #[must_use]
    pub fn secret(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.kms.secrets.push((name.into(), value.into()));
        self
    }

    /// How often RAM secrets rotate by themselves, by the services' clock, at the first request after the time
    /// has come. Whole seconds; zero is never. Default: 7 days.
    #[must_use]
    pub fn rotation_interval(mut self, interval: Duration) -> Self {
        self.kms.rotation = Some(interval);
        self
    }

    /// A further client key: its id, and its RSA public key of 2048 to 8192 bits as `SubjectPublicKeyInfo` in
    /// DER. Default: none but [`LocalCloud::client_key_json`].
    #[must_use]
    pub fn client_key(mut self, key_id: impl Into<String>, public_key: impl Into<Vec<u8>>) -> Self {
        self.kms.client_keys.push((key_id.into(), public_key.into()));
        self
    }

    /// A further region that the shared gateway of KMS serves, with the same secrets. Default: `cn-shanghai`,
    /// beside the cloud's own.
    #[must_use]
    pub fn kms_region(mut self, region: impl Into<String>) -> Self {
        self.kms.regions.push(region.into());
        self
    }

    /// The port of the shared gateway of KMS on 127.0.0.1. Default: 0, a free one.
    #[must_use]
    pub fn kms_port(mut self, port: u16) -> Self {
        self.kms.shared_port = port;
        self
    }

    /// The port of the gateway of a KMS instance on 127.0.0.1. Default: 0, a free one.
    #[must_use]
    pub fn kms_instance_port(mut self, port: u16) -> Self {
        self.kms.instance_port = port;
        self
    }
}
