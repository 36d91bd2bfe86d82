//! KMS instances: the address of their gateway, the trusted CA, and the client key.

use std::path::PathBuf;
use std::sync::Arc;

use oss_credentials_core::CredentialsError;
use oss_credentials_http::{Endpoint, HttpClient};

use super::region::{Field, check_region_id, objects, resolve_host};
use crate::client_key::source::{KeySource, Password};
use crate::client_key::variables::Variables;
use crate::client_key::{ClientKey, PasswordSource};
use crate::config::ENV_INSTANCES;
use crate::error::{invalid, invalid_at};

/// A KMS instance whose dedicated gateway is called: `<instance id>.cryptoservice.kms.aliyuncs.com`.
///
/// Its certificate is issued by a private CA, so the CA file from the instance's page in the console is
/// required, and is trusted only for this endpoint. Certificates are always verified.
///
/// ```
/// use oss_credentials_kms_client_key::KmsInstance;
///
/// let instance = KmsInstance::new("cn-hangzhou", "kst-example0000.cryptoservice.kms.aliyuncs.com")
///     .ca_file("PrivateKmsCA_kst-example0000.pem");
/// # let _ = instance;
/// ```
#[derive(Clone)]
pub struct KmsInstance {
    region_id: String,
    endpoint: String,
    ca_file: Option<PathBuf>,
    key: Option<Key>,
}

/// The instance's own client key.
#[derive(Clone)]
enum Key {
    Ready(ClientKey),
    /// The password may be that of the whole provider.
    File(PathBuf, Option<Password>),
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ready(key) => key.fmt(f),
            Self::File(..) => f.write_str("ClientKeyFile"),
        }
    }
}

impl std::fmt::Debug for KmsInstance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The endpoint is not checked yet: it may contain a user name and a password.
        f.debug_struct("KmsInstance")
            .field("region_id", &self.region_id)
            .field("endpoint", &format_args!("<not shown>"))
            .field("ca_file", &self.ca_file)
            .field("key", &self.key)
            .finish()
    }
}

impl KmsInstance {
    /// Creates an instance in a region, by its endpoint: `host` or `host:port`, with or without `https://`.
    pub fn new(region_id: impl Into<String>, endpoint: impl Into<String>) -> Self {
        Self {
            region_id: region_id.into(),
            endpoint: endpoint.into(),
            ca_file: None,
            key: None,
        }
    }

    /// Sets the path of the CA file, PEM with one or more certificates, read when the provider is built. Required
    /// unless the provider has an `instance_http_client(..)`.
    #[must_use]
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(path.into());
        self
    }

    /// Sets the instance's own client key. Default: that of the provider.
    #[must_use]
    pub fn client_key(mut self, key: ClientKey) -> Self {
        self.key = Some(Key::Ready(key));
        self
    }

    /// Sets the instance's own client key file, with the file that contains its password. Default: that of the
    /// provider.
    #[must_use]
    pub fn client_key_file(mut self, path: impl Into<PathBuf>, password_file: impl Into<PathBuf>) -> Self {
        let source = PasswordSource::new().file(password_file);
        self.key = Some(Key::File(
            path.into(),
            Some(Password::Source(source, Variables::default())),
        ));
        self
    }

    /// Returns the region ID.
    pub fn region_id(&self) -> &str {
        &self.region_id
    }

    pub(crate) fn resolve(&self) -> Result<Endpoint, CredentialsError> {
        check_region_id(&self.region_id)?;
        let endpoint = resolve_host(&self.endpoint)?;
        let host = endpoint.host();
        let is_shared =
            (host.starts_with("kms.") || host.starts_with("kms-vpc.")) && host.ends_with(".aliyuncs.com");
        if is_shared {
            return Err(invalid_at(
                endpoint.origin(),
                "the endpoint of an instance is that of a region's shared gateway, which speaks another protocol",
                "name the region with region(..) or cache_client_region_id",
            ));
        }
        Ok(endpoint)
    }

    pub(crate) fn key(
        &self,
        password: impl FnOnce() -> Result<Password, CredentialsError>,
    ) -> Result<Option<KeySource>, CredentialsError> {
        Ok(match &self.key {
            None => None,
            Some(Key::Ready(key)) => Some(KeySource::ready(key.clone())),
            Some(Key::File(path, own)) => {
                let password = match own {
                    Some(own) => own.clone(),
                    None => password()?,
                };
                Some(KeySource::file(path.clone(), password))
            }
        })
    }

    /// The client that the caller gave, or one that trusts the CA file alone.
    pub(crate) fn http(
        &self,
        endpoint: &Endpoint,
        given: Option<&Arc<dyn HttpClient>>,
        plain: impl FnOnce() -> Result<Arc<dyn HttpClient>, CredentialsError>,
    ) -> Result<Arc<dyn HttpClient>, CredentialsError> {
        if let Some(given) = given {
            return Ok(Arc::clone(given));
        }
        if !endpoint.is_https() {
            return plain();
        }
        let Some(path) = &self.ca_file else {
            return Err(invalid_at(
                endpoint.origin(),
                "the CA file of a KMS instance is missing, and public certificate authorities do not know it",
                "download it from the instance's page and set caFilePath or ca_file(..)",
            ));
        };
        trusting(path)
    }
}

#[cfg(feature = "reqwest")]
fn trusting(path: &std::path::Path) -> Result<Arc<dyn HttpClient>, CredentialsError> {
    use oss_credentials_core::ErrorDetail;

    const KIND: super::disk::Kind = super::disk::Kind {
        name: "CA file",
        setting: "caFilePath or ca_file(..)",
        key: "caFilePath",
        limit: crate::config::MAX_FILE,
    };
    let pem = KIND.read(path)?;
    let client = oss_credentials_reqwest::ReqwestClient::builder()
        .trust_only_pem(pem.to_vec())
        .build()
        .map_err(|error| {
            let detail = ErrorDetail::builder(crate::error::NAME, "the CA file cannot be used")
                .place(KIND.place(path))
                .hint("download it again from the page of the KMS instance, in PEM form");
            CredentialsError::invalid_config(detail.source(error))
        })?;
    Ok(Arc::new(client))
}

#[cfg(not(feature = "reqwest"))]
fn trusting(path: &std::path::Path) -> Result<Arc<dyn HttpClient>, CredentialsError> {
    Err(invalid_at(
        super::shown::path(path).unwrap_or("caFilePath".into()),
        "there is no HTTP client that trusts the CA file",
        "pass one with instance_http_client(..), or enable the feature `reqwest`",
    ))
}

/// Reads the value of `cache_client_dkms_config_info`.
pub(crate) fn parse(text: &str, variables: &Variables) -> Result<Vec<KmsInstance>, CredentialsError> {
    let objects = objects(text, ENV_INSTANCES)?;
    if objects.is_empty() {
        return Err(invalid(
            format!("{ENV_INSTANCES} names no KMS instance"),
            "add one, or leave the setting out",
        ));
    }
    objects
        .iter()
        .enumerate()
        .map(|(index, object)| {
            let field = Field {
                setting: ENV_INSTANCES,
                entry: index + 1,
                object,
            };
            if field.flag("ignoreSslCerts")? {
                return Err(field.wrong(
                    "ignoreSslCerts",
                    "would disable certificate verification, which is not supported; set caFilePath instead",
                ));
            }
            let mut password = None;
            // As the vendor documents it: the setting names the variable that holds the password.
            let variable = field.text("passwordFromEnvVariable")?;
            if let Some(path) = field.text("passwordFromFilePath")? {
                let source = PasswordSource::of_instance().file(path);
                password = Some(Password::Source(source, Variables::default()));
            } else if let Some(variable) = variable {
                variables.check(variable, ENV_INSTANCES)?;
                let source = PasswordSource::of_instance().env_variable(variable);
                password = Some(Password::source(source, variables.clone())?);
            }
            let mut instance = KmsInstance::new(field.required("regionId")?, field.required("endpoint")?);
            instance.key = Some(Key::File(field.required("clientKeyFile")?.into(), password));
            instance.ca_file = field.text("caFilePath")?.map(PathBuf::from);
            Ok(instance)
        })
        .collect()
}

/// The variables that entries name for their passwords. [`parse`] reports malformed settings.
pub(crate) fn password_variables(text: &str) -> Vec<String> {
    let objects = objects(text, ENV_INSTANCES).unwrap_or_default();
    let name = |object: &serde_json::Map<String, serde_json::Value>| {
        Some(object.get("passwordFromEnvVariable")?.as_str()?.to_owned())
    };
    objects.iter().filter_map(name).collect()
}
