//! A local cloud, its files with profiles, and providers over them.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use acs_sts::StsClient;
use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{Clock as _, Credentials, CredentialsError, CredentialsProvider as _, blocking};
use oss_credentials_http::{HttpClient, HttpRequest, http_fn};
use oss_credentials_profile::{ProfileProvider, ProfileProviderBuilder};
use oss_credentials_reqwest::ReqwestClient;
use oss_testkit::{Fault, LocalCloud, LocalCloudBuilder, ProfileFiles, Service};
use serde_json::Value;

/// 2026-01-02T03:04:05Z.
pub(crate) const NOW: u64 = 1_767_323_045;
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
/// Instead of the ten seconds that a provider would wait, where nothing will come.
const PATIENCE: Duration = Duration::from_millis(250);

pub(crate) struct Bench {
    pub(crate) cloud: LocalCloud,
    /// The services'.
    pub(crate) clock: ManualClock,
    /// The providers', which may be wrong.
    pub(crate) own_clock: ManualClock,
    pub(crate) files: ProfileFiles,
    pub(crate) folder: tempfile::TempDir,
    client: Arc<dyn HttpClient>,
    is_impatient: Arc<AtomicBool>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(settings: impl FnOnce(LocalCloudBuilder) -> LocalCloudBuilder) -> Self {
        let clock = ManualClock::at_unix(NOW);
        let builder = LocalCloud::builder().clock(clock.clone());
        let cloud = settings(builder).start_blocking().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let files = cloud.write_profiles(folder.path()).unwrap();
        let is_impatient = Arc::new(AtomicBool::new(false));
        let client = Arc::new(cloud.routed(client(Arc::clone(&is_impatient))));
        Self {
            cloud,
            clock,
            own_clock: ManualClock::at_unix(NOW),
            files,
            folder,
            client,
            is_impatient,
        }
    }

    /// Lets time pass, for the services and the providers.
    pub(crate) fn pass(&self, by: Duration) {
        self.clock.advance(by);
        self.own_clock.advance(by);
    }

    /// The services' time.
    pub(crate) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// What is in the folder.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }

    pub(crate) fn builder(&self) -> ProfileProviderBuilder {
        ProfileProvider::builder()
            .http_client(Arc::clone(&self.client))
            .clock(self.own_clock.clone())
    }

    /// A profile of `config.json`.
    pub(crate) fn cli(&self, name: &str) -> ProfileProviderBuilder {
        self.builder().cli_file(self.config()).profile(name)
    }

    /// The same, with what is renewed written back.
    pub(crate) fn writing(&self, name: &str) -> ProfileProvider {
        self.cli(name).write_back(true).build().unwrap()
    }

    /// The same; `action` is done when the first request is about to be sent.
    pub(crate) fn writing_when_asked(
        &self,
        name: &str,
        action: impl FnOnce() + Send + 'static,
    ) -> ProfileProvider {
        let action = Mutex::new(Some(action));
        let client = Arc::clone(&self.client);
        let http = http_fn(move |request: HttpRequest| {
            if let Some(action) = action.lock().unwrap().take() {
                action();
            }
            let client = Arc::clone(&client);
            async move { client.send(request).await }
        });
        self.cli(name).write_back(true).http_client(http).build().unwrap()
    }

    pub(crate) fn reading(&self, name: &str) -> ProfileProvider {
        self.cli(name).build().unwrap()
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.files.config_json()
    }

    pub(crate) fn text(&self) -> String {
        std::fs::read_to_string(self.config()).unwrap()
    }

    /// A profile as the file has it now.
    pub(crate) fn stored(&self, name: &str) -> Value {
        let config: Value = serde_json::from_str(&self.text()).unwrap();
        let mut profiles = config["profiles"].as_array().unwrap().iter();
        profiles.find(|profile| profile["name"] == name).unwrap().clone()
    }

    /// Sets fields of a profile in the file, as a person would with an editor.
    pub(crate) fn edit(&self, name: &str, fields: &Value) {
        let mut config: Value = serde_json::from_str(&self.text()).unwrap();
        let mut profiles = config["profiles"].as_array_mut().unwrap().iter_mut();
        let profile = profiles.find(|profile| profile["name"] == name).unwrap();
        let fields = fields.as_object().unwrap().clone();
        profile.as_object_mut().unwrap().extend(fields);
        std::fs::write(self.config(), format!("{config:#}\n")).unwrap();
    }

    /// Asks with the fault in the way, which must not help.
    pub(crate) fn failure(
        &self,
        provider: &ProfileProvider,
        service: Service,
        fault: Fault,
    ) -> CredentialsError {
        let hangs = format!("{fault:?}").contains("Hang");
        self.is_impatient.store(hangs, Ordering::SeqCst);
        self.cloud.fault(service, fault);
        let error = ask(provider).unwrap_err();
        self.is_impatient.store(false, Ordering::SeqCst);
        error
    }

    /// Another one takes its place, at other ports.
    pub(crate) fn stop_the_cloud(&mut self) {
        self.cloud = LocalCloud::start_blocking().unwrap();
    }

    /// Whose credentials these are, as STS says.
    pub(crate) fn owner(&self, credentials: &Credentials) -> String {
        let sts = StsClient::builder(Arc::clone(&self.client))
            .clock(self.clock.clone())
            .endpoint(self.cloud.sts_endpoint())
            .build()
            .unwrap();
        let identity = blocking::wait(sts.get_caller_identity(credentials)).unwrap();
        identity.arn().to_owned()
    }

    /// An error's text with what differs from run to run shortened, and without the profile that leads to a
    /// service, which stands at its end.
    pub(crate) fn shown(&self, error: &CredentialsError) -> String {
        let folder = format!("{}/", std::path::absolute(self.folder.path()).unwrap().display());
        let text = error.to_string().replace(&folder, "");
        let address = format!("127.0.0.1:{}", self.cloud.cloud_sso_port());
        let text = text.replace(&address, "SSO");
        let text = match text.split_once("; configured by the profile ") {
            Some((text, by)) => {
                assert!(by.ends_with("\" in config.json"), "{by}");
                text.to_owned()
            }
            None => text,
        };
        // Of the services' request ids.
        match text.split_once("request ID ") {
            Some((before, rest)) => format!("{before}request ID …{}", rest.get(36..).unwrap_or_default()),
            None => text,
        }
    }
}

/// A client whose patience can be made short. Its thread is its own, so that futures can be waited for anywhere.
pub(crate) fn client(is_impatient: Arc<AtomicBool>) -> impl HttpClient {
    let client = ReqwestClient::with_own_runtime();
    http_fn(move |mut request: HttpRequest| {
        let client = client.clone();
        if is_impatient.load(Ordering::SeqCst) {
            request = request.with_timeout(PATIENCE);
        }
        async move { client.send(request).await }
    })
}

pub(crate) fn ask(provider: &ProfileProvider) -> Result<Credentials, CredentialsError> {
    blocking::wait(provider.credentials())
}
