//! Files with profiles for everything in the local cloud, in the formats of the CLI and the SDKs.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::LocalCloud;
use crate::login::oauth::OAuthSite;
use crate::time::iso;

/// Lifetime of the keys that are written into files.
const LIFETIME: Duration = Duration::from_secs(12 * 3600);
const SESSION: &str = "profile";

/// The place of the files that [`LocalCloud::write_profiles`] wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileFiles {
    folder: PathBuf,
}

impl ProfileFiles {
    /// Returns the path of `config.json`, as the CLI writes it. Each profile is named after its mode.
    pub fn config_json(&self) -> PathBuf {
        self.folder.join("config.json")
    }

    /// Returns the path of `credentials.ini`, as the SDKs read it. Each section except `default` is named after its
    /// type.
    pub fn credentials_ini(&self) -> PathBuf {
        self.folder.join("credentials.ini")
    }

    /// Returns the path of the OIDC token that both refer to; valid for an hour. Replace it with
    /// [`LocalCloud::write_oidc_token`].
    pub fn oidc_token(&self) -> PathBuf {
        self.folder.join("oidc-token")
    }

    /// What the program of the profile `External` prints.
    fn output(&self) -> PathBuf {
        self.folder.join("external.json")
    }
}

/// Files with profiles.
impl LocalCloud {
    /// Writes a `config.json` with a profile for each mode, a `credentials.ini` with a section for each type, and
    /// everything that they refer to into a directory. From then on [`LocalCloud::env`] has the variables that name
    /// them. The files stay when the cloud stops.
    ///
    /// The profiles, named after their modes: `AK`, which is `current`, `StsToken`, `RamRoleArn`,
    /// `ChainableRamRoleArn` (over `StsToken`), `EcsRamRole`, `RamRoleArnWithRoleName`, `OIDC`, `CredentialsURI`,
    /// `External`, `CloudSSO` and `OAuth`, the last two with a new login each. The sections, named after their
    /// types: `access_key`, `sts`, `ram_role_arn`, `ecs_ram_role`, `oidc_role_arn`; and `default`, an `access_key`.
    ///
    /// The vendor's CLI reads all profiles; its credentials libraries for Go, Java and Python read all except
    /// `CredentialsURI` and `RamRoleArnWithRoleName`. They do not read `sts_endpoint`, which only the CLI reads. A
    /// comment above each section names the libraries that read its type: none of them reads `sts`, Java and Python
    /// read
    /// `oidc_role_arn`, and all three read the others.
    ///
    /// Some hosts cannot be named in a profile: those of the instance metadata and of OAuth, and in the INI file that
    /// of STS. They need a client that is [routed](LocalCloud::routed). Keys in the files, and those that the program
    /// of `External` prints, are valid for 12 hours, or as long as the cloud's sessions last.
    ///
    /// # Errors
    ///
    /// The error of the operating system if a file cannot be written.
    pub fn write_profiles(&self, dir: impl AsRef<Path>) -> io::Result<ProfileFiles> {
        let files = ProfileFiles {
            folder: std::path::absolute(dir)?,
        };
        self.write_oidc_token(files.oidc_token())?;
        let lifetime = self.state.session_length.unwrap_or(LIFETIME);
        let keys = self.issue(lifetime)?;
        let output = json!({
            "mode": "StsToken",
            "access_key_id": keys.access_key_id(),
            "access_key_secret": keys.access_key_secret(),
            "sts_token": keys.security_token(),
            "expiration": keys.expires_at().map(iso),
        });
        write_private(&files.output(), &output.to_string())?;
        let config = json!({
            "current": "AK",
            "profiles": self.profiles(&files, lifetime)?,
            "meta_path": "",
        });
        // As the CLI has it.
        write_private(&files.config_json(), &format!("{config:#}\n"))?;
        write_private(&files.credentials_ini(), &self.sections(&files, lifetime)?)?;
        *self.profile_files.lock().unwrap_or_else(PoisonError::into_inner) = Some(files.folder.clone());
        Ok(files)
    }

    /// The variables that lead to the files, if they were written.
    pub(crate) fn profile_env(&self) -> Vec<(&'static str, String)> {
        let folder = self.profile_files.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(files) = folder.clone().map(|folder| ProfileFiles { folder }) else {
            return Vec::new();
        };
        let path = |path: PathBuf| path.to_string_lossy().into_owned();
        vec![
            ("ALIBABA_CLOUD_CONFIG_FILE", path(files.config_json())),
            ("ALIBABA_CLOUD_CREDENTIALS_FILE", path(files.credentials_ini())),
        ]
    }

    fn profiles(&self, files: &ProfileFiles, lifetime: Duration) -> io::Result<Vec<Value>> {
        let pair = self.access_key();
        let keys = self.issue(lifetime)?;
        let sso = self.cloud_sso_login();
        let oauth = self.oauth_login(OAuthSite::China);
        let role = json!({
            "ram_role_arn": self.role_arn(),
            "ram_session_name": SESSION,
            "sts_endpoint": self.sts_endpoint(),
        });
        let pair = json!({
            "access_key_id": pair.access_key_id(),
            "access_key_secret": pair.access_key_secret(),
        });
        let profile = |mode: &str, parts: &[&Value]| profile(mode, self.region(), parts);
        Ok(vec![
            profile("AK", &[&pair]),
            profile(
                "StsToken",
                &[&json!({
                    "access_key_id": keys.access_key_id(),
                    "access_key_secret": keys.access_key_secret(),
                    "sts_token": keys.security_token(),
                })],
            ),
            profile("RamRoleArn", &[&pair, &role]),
            profile(
                "ChainableRamRoleArn",
                &[&json!({ "source_profile": "StsToken" }), &role],
            ),
            profile("EcsRamRole", &[]),
            profile("RamRoleArnWithRoleName", &[&role]),
            profile(
                "OIDC",
                &[
                    &json!({
                        "oidc_provider_arn": self.oidc_provider_arn(),
                        "oidc_token_file": files.oidc_token(),
                    }),
                    &role,
                ],
            ),
            profile(
                "CredentialsURI",
                &[&json!({ "credentials_uri": self.credentials_uri() })],
            ),
            profile(
                "External",
                &[&json!({ "process_command": printing(&files.output()) })],
            ),
            profile(
                "CloudSSO",
                &[&json!({
                    "cloud_sso_sign_in_url": self.cloud_sso_sign_in_url(),
                    "cloud_sso_account_id": self.account_id(),
                    "cloud_sso_access_config": self.cloud_sso_access_configuration(),
                    "access_token": sso.access_token(),
                    "cloud_sso_access_token_expire": unix(sso.expires_at()),
                })],
            ),
            profile(
                "OAuth",
                &[&json!({
                    "oauth_site_type": oauth.site().name(),
                    "oauth_access_token": oauth.access_token(),
                    "oauth_access_token_expire": unix(oauth.access_token_expires_at()),
                    "oauth_refresh_token": oauth.refresh_token(),
                    "oauth_refresh_token_expire": unix(oauth.refresh_token_expires_at()),
                })],
            ),
        ])
    }

    fn sections(&self, files: &ProfileFiles, lifetime: Duration) -> io::Result<String> {
        let pair = self.access_key();
        let pair = format!(
            "access_key_id = {}\naccess_key_secret = {}\n",
            pair.access_key_id(),
            pair.access_key_secret()
        );
        let keys = self.issue(lifetime)?;
        let keys = format!(
            "access_key_id = {}\naccess_key_secret = {}\nsecurity_token = {}\n",
            keys.access_key_id(),
            keys.access_key_secret(),
            keys.security_token().unwrap_or_default()
        );
        let role = format!("role_arn = {}\nrole_session_name = {SESSION}\n", self.role_arn());
        let oidc = format!(
            "oidc_provider_arn = {}\noidc_token_file_path = {}\n",
            self.oidc_provider_arn(),
            files.oidc_token().display()
        );
        // Java reads the type only with a name in it.
        let attached = self
            .services
            .metadata
            .first_role()
            .unwrap_or_else(|| self.role.clone());
        let instance = format!("role_name = {attached}\n");
        let section = |name: &str, kind: &str, keys: &[&str]| {
            let readers = readers(kind);
            let keys = keys.concat();
            format!("# {readers}\n[{name}]\nenable = true\ntype = {kind}\n{keys}\n")
        };
        Ok([
            section("default", "access_key", &[&pair]),
            section("access_key", "access_key", &[&pair]),
            section("sts", "sts", &[&keys]),
            section("ram_role_arn", "ram_role_arn", &[&pair, &role]),
            section("ecs_ram_role", "ecs_ram_role", &[&instance]),
            section("oidc_role_arn", "oidc_role_arn", &[&oidc, &role]),
        ]
        .concat())
    }
}

/// Which of the vendor's credentials libraries read sections of a type.
fn readers(kind: &str) -> &'static str {
    match kind {
        "sts" => "none of the vendor's credentials libraries for Go, Java and Python reads this type",
        "oidc_role_arn" => "read by the vendor's credentials libraries for Java and Python",
        _ => "read by the vendor's credentials libraries for Go, Java and Python",
    }
}

/// A profile of this mode and name, with what the CLI writes into every one.
fn profile(mode: &str, region: &str, parts: &[&Value]) -> Value {
    let own = json!({ "name": mode, "mode": mode });
    let rest = json!({ "region_id": region, "output_format": "json", "language": "en" });
    let all = [&own].into_iter().chain(parts.iter().copied()).chain([&rest]);
    let fields = all.filter_map(Value::as_object).flatten();
    Value::Object(
        fields
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    )
}

/// A command that prints a file.
fn printing(path: &Path) -> String {
    let program = if cfg!(windows) { "cmd /c type" } else { "cat" };
    format!("{program} \"{}\"", path.display())
}

fn unix(at: SystemTime) -> u64 {
    at.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// For its owner alone, as the CLI writes its file: the keys open nothing but this cloud, but programs may check.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
