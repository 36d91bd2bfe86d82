//! Methods for tests: secrets, rotation, client keys.

use std::io;
use std::path::Path;
use std::sync::MutexGuard;
use std::time::Duration;

use oss_credentials_core::Credentials;

use super::LocalCloud;
use crate::builder::LocalCloudBuilder;
use crate::kms::client_key::{self, ClientKeyFiles};
use crate::kms::secrets::{Store, ram_secret_name};
use crate::kms::settings::DEFAULT_SECRET_USER;
use crate::record::Service;

/// KMS Secrets Manager.
impl LocalCloud {
    /// Returns the endpoint of the shared gateway of KMS, `http://127.0.0.1:<port>`, for all its regions.
    pub fn kms_endpoint(&self) -> String {
        self.url(Service::Kms)
    }

    /// Returns the endpoint of the dedicated gateway of a KMS instance, `http://127.0.0.1:<port>`.
    pub fn kms_instance_endpoint(&self) -> String {
        self.url(Service::KmsInstance)
    }

    /// Returns the ID of the client key that both gateways know from the start.
    pub fn client_key_id(&self) -> &str {
        client_key::KEY_ID
    }

    /// Returns the client key as the console issues it: JSON with the key ID and a PKCS#12 file.
    ///
    /// It is the same for all local clouds, laid out byte by byte as KMS does.
    pub fn client_key_json(&self) -> &str {
        client_key::JSON
    }

    /// Returns the password of the client key.
    pub fn client_key_password(&self) -> &str {
        client_key::PASSWORD
    }

    /// Writes the client key and its password into a directory. From then on [`LocalCloud::env`] has the
    /// variables of the vendor's clients that name these files. The files stay when the cloud stops.
    ///
    /// # Errors
    ///
    /// The error of the operating system if a file cannot be written.
    pub fn write_client_key(&self, dir: impl AsRef<Path>) -> io::Result<ClientKeyFiles> {
        let files = client_key::write(dir.as_ref())?;
        self.kms_store().files = Some(files.clone());
        Ok(files)
    }

    /// Deletes a client key: requests with it are refused from now on. False if there is no such key.
    pub fn delete_client_key(&self, key_id: &str) -> bool {
        self.kms_store().client_keys.remove(key_id).is_some()
    }

    /// Returns the name of the RAM secret that exists from the start: `acs/ram/user/example-rotated-user`.
    pub fn secret_name(&self) -> String {
        ram_secret_name(DEFAULT_SECRET_USER)
    }

    /// Returns the current key of a RAM secret, without a request; `None` if there is no such RAM secret.
    pub fn secret_credentials(&self, name: &str) -> Option<Credentials> {
        self.kms_store().secrets.get(name)?.current_pair()
    }

    /// Gives the user of a RAM secret a new key, which becomes the secret's value and is returned; `None` if
    /// there is no such RAM secret.
    ///
    /// OSS and STS accept the old key as well, until it is [revoked](LocalCloud::revoke) or the next rotation
    /// deletes it: a RAM user has at most two keys.
    pub fn rotate_secret(&self, name: &str) -> Option<Credentials> {
        self.services.kms.rotate_secret(name, true)
    }

    /// Rotates a secret like [`LocalCloud::rotate_secret`], but deletes the old key at once.
    pub fn rotate_secret_immediately(&self, name: &str) -> Option<Credentials> {
        self.services.kms.rotate_secret(name, false)
    }

    /// Stores a generic secret, or a new current version of it; any text, usually JSON. False for names
    /// that begin with `acs/ram/user/`: KMS fills those itself.
    pub fn put_secret(&self, name: impl AsRef<str>, value: impl AsRef<str>) -> bool {
        self.services.kms.put_secret(name.as_ref(), value.as_ref())
    }

    /// Deletes a secret; a key that it contains stays valid. False if there is no such secret.
    pub fn delete_secret(&self, name: &str) -> bool {
        self.kms_store().secrets.remove(name).is_some()
    }

    fn kms_store(&self) -> MutexGuard<'_, Store> {
        self.services.kms.store()
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
        if let Some(files) = self.kms_store().files.clone() {
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
    /// Adds a RAM user whose key is in the secret `acs/ram/user/<name>` and rotates there. Default: only
    /// `example-rotated-user`.
    #[must_use]
    pub fn ram_secret(mut self, user: impl Into<String>) -> Self {
        self.kms.users.push(user.into());
        self
    }

    /// Adds a generic secret: any text, usually JSON. Default: none.
    #[must_use]
    pub fn secret(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.kms.secrets.push((name.into(), value.into()));
        self
    }

    /// Sets how often RAM secrets rotate by themselves, by the services' clock, at the first request after the time
    /// has come. Whole seconds; zero means never. Default: 7 days.
    #[must_use]
    pub fn rotation_interval(mut self, interval: Duration) -> Self {
        self.kms.rotation = Some(interval);
        self
    }

    /// Adds a client key: its ID, and its RSA public key of 2048 to 8192 bits as `SubjectPublicKeyInfo` in
    /// DER. Default: only [`LocalCloud::client_key_json`].
    #[must_use]
    pub fn client_key(mut self, key_id: impl Into<String>, public_key: impl Into<Vec<u8>>) -> Self {
        self.kms.client_keys.push((key_id.into(), public_key.into()));
        self
    }

    /// Adds a region that the shared gateway of KMS serves, with the same secrets. Default: `cn-shanghai`,
    /// in addition to the cloud's own.
    #[must_use]
    pub fn kms_region(mut self, region: impl Into<String>) -> Self {
        self.kms.regions.push(region.into());
        self
    }

    /// Sets the port of the shared gateway of KMS on 127.0.0.1. Default: 0, a free one.
    #[must_use]
    pub fn kms_port(mut self, port: u16) -> Self {
        self.kms.shared_port = port;
        self
    }

    /// Sets the port of the gateway of a KMS instance on 127.0.0.1. Default: 0, a free one.
    #[must_use]
    pub fn kms_instance_port(mut self, port: u16) -> Self {
        self.kms.instance_port = port;
        self
    }
}
