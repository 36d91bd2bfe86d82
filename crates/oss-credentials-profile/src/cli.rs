//! The CLI's `config.json`. Pure.

use std::collections::BTreeMap;
use std::path::Path;

use oss_credentials_core::body::{BodyDefect, json_object};
use oss_credentials_core::{CredentialsError, ErrorDetail};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::NAME;
use crate::config::{DEFAULT_PROFILE, ENV_PROFILE, MAX_DEPTH};
use crate::lookup::{Lookup, others};
use crate::plan::{CloudSso, Keys, Mode, Plan, Role, Site};
use crate::section::Section;

const KEY_ID: &str = "access_key_id";
const KEY_SECRET: &str = "access_key_secret";
const KEY_TOKEN: &str = "sts_token";
const REGION: &str = "region_id";
/// Setting one of these begins to configure a profile, whatever its mode is.
const BEGUN_BY: [&str; 11] = [
    KEY_ID,
    KEY_SECRET,
    KEY_TOKEN,
    "ram_role_arn",
    "ram_role_name",
    "source_profile",
    "oidc_provider_arn",
    "process_command",
    "credentials_uri",
    "cloud_sso_sign_in_url",
    "oauth_access_token",
];
/// Maximum length of a mode that an error shows; access key secrets are longer.
const LONGEST_MODE: usize = 24;

/// The file, with each value as it is written.
#[derive(Deserialize)]
pub(crate) struct Config<'a> {
    current: Option<String>,
    #[serde(borrow)]
    profiles: Option<Vec<BTreeMap<String, &'a RawValue>>>,
}

impl<'a> Config<'a> {
    /// Parses the text; an error states where it is not JSON, and quotes nothing.
    pub(crate) fn parse(text: &'a str, file: &Path) -> Result<Self, CredentialsError> {
        let text = crate::file::without_mark(text);
        let parsed = json_object(text.as_bytes()).and_then(|_| {
            serde_json::from_str(text).map_err(|error| BodyDefect::NotJson {
                line: error.line(),
                column: error.column(),
            })
        });
        parsed.map_err(|defect| {
            CredentialsError::invalid_config(
                ErrorDetail::builder(NAME, format!("the CLI's configuration {defect}"))
                    .place(file.to_string_lossy())
                    .hint("correct it, or create it again with `aliyun configure`"),
            )
        })
    }

    /// The fields of the first profile with this name.
    pub(crate) fn profile(&'a self, name: &str) -> Option<&'a BTreeMap<String, &'a RawValue>> {
        let mut profiles = self.profiles.iter().flatten();
        profiles.find(|fields| own_name(fields).is_some_and(|own| own == name))
    }

    /// The name of the profile to use; `wanted` is `None` if nobody named one.
    fn chosen<'n>(&'n self, wanted: Option<&'n str>) -> &'n str {
        wanted.or(self.current()).unwrap_or(DEFAULT_PROFILE)
    }

    fn current(&self) -> Option<&str> {
        self.current.as_deref().filter(|name| !name.is_empty())
    }

    /// The names of all.
    fn names(&self) -> Vec<String> {
        self.profiles.iter().flatten().filter_map(own_name).collect()
    }
}

/// The name that a profile gives itself.
fn own_name(fields: &BTreeMap<String, &RawValue>) -> Option<String> {
    serde_json::from_str(fields.get("name")?.get()).ok()
}

/// Looks for a profile; `wanted` is `None` if none was named.
pub(crate) fn find(text: &str, file: &Path, wanted: Option<&str>) -> Result<Lookup, CredentialsError> {
    let config = Config::parse(text, file)?;
    if config.profiles.as_ref().is_none_or(Vec::is_empty) {
        return without_profiles(text, file);
    }
    let name = config.chosen(wanted);
    let Some(fields) = config.profile(name) else {
        if wanted.is_none() && config.current().is_some() {
            let what = format!("\"current\" names the profile {name:?}, and there is none");
            return Err(CredentialsError::invalid_config(
                ErrorDetail::builder(NAME, what)
                    .place(file.to_string_lossy())
                    .hint(format!(
                        "choose one with `aliyun configure switch`, or name one with profile(..) or {ENV_PROFILE}"
                    )),
            ));
        }
        let others = others(config.names().iter());
        return Ok(Lookup::Absent(format!("no profile {name:?}{others}")));
    };
    // The CLI writes such a profile when it is first run.
    if wanted.is_none() && name == DEFAULT_PROFILE && is_blank(&Section::json(file, name, fields))? {
        return Ok(Lookup::Absent(format!("the profile {name:?} is empty")));
    }
    let plan = plan(&config, file, name, &mut Vec::new())?;
    Ok(Lookup::Found(Box::new(plan)))
}

/// The region of a profile, chosen as [`find`] does; `None` if there is no such profile, or it has none.
pub(crate) fn region(
    text: &str,
    file: &Path,
    wanted: Option<&str>,
) -> Result<Option<String>, CredentialsError> {
    let config = Config::parse(text, file)?;
    let name = config.chosen(wanted);
    match config.profile(name) {
        Some(fields) => Section::json(file, name, fields).text(REGION),
        None => Ok(None),
    }
}

/// A file without any profile: either `aliyun configure delete` has removed the last one, or a profile was written
/// without the list around it.
fn without_profiles(text: &str, file: &Path) -> Result<Lookup, CredentialsError> {
    let fields: BTreeMap<String, &RawValue> =
        serde_json::from_str(crate::file::without_mark(text)).unwrap_or_default();
    let is_set = |key: &&&str| {
        fields
            .get(**key)
            .is_some_and(|value| !matches!(value.get(), "null" | "\"\""))
    };
    let Some(key) = BEGUN_BY.iter().find(is_set) else {
        return Ok(Lookup::Absent("it has no profiles".to_owned()));
    };
    let what = format!("the CLI's configuration has {key} at its top level, and no profiles");
    Err(CredentialsError::invalid_config(
        ErrorDetail::builder(NAME, what)
            .place(file.to_string_lossy())
            .hint(
                "write {\"current\": \"default\", \"profiles\": [{\"name\": \"default\", \"mode\": \"AK\", ..}]}, or create it again with `aliyun configure`",
            ),
    ))
}

fn is_blank(section: &Section<'_>) -> Result<bool, CredentialsError> {
    let mode = section.text("mode")?.unwrap_or_default();
    if !mode.is_empty() && !mode.eq_ignore_ascii_case("AK") {
        return Ok(false);
    }
    for key in BEGUN_BY {
        if section.secret(key)?.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `trail` holds the names that led here.
fn plan(
    config: &Config<'_>,
    file: &Path,
    name: &str,
    trail: &mut Vec<String>,
) -> Result<Plan, CredentialsError> {
    let circle = trail.iter().any(|before| before == name);
    trail.push(name.to_owned());
    let invalid = |what: String, hint: &'static str| {
        let detail = ErrorDetail::builder(NAME, what).place(file.to_string_lossy());
        Err(CredentialsError::invalid_config(detail.hint(hint)))
    };
    if circle || trail.len() > MAX_DEPTH {
        let names: Vec<_> = trail.iter().map(|name| format!("{name:?}")).collect();
        let names = names.join(" -> ");
        return if circle {
            let what = format!("the profiles' source_profile lead in a circle: {names}");
            invalid(what, "let one of them name another source_profile, or none")
        } else {
            let what = format!("the chain of source_profile has more than {MAX_DEPTH} profiles: {names}");
            invalid(what, "shorten it")
        };
    }
    let Some(fields) = config.profile(name) else {
        let from = trail.iter().rev().nth(1).map_or("", String::as_str);
        let what = format!("the source_profile of the profile {from:?} is {name:?}, and there is none");
        return invalid(what, "correct source_profile, or add the profile");
    };
    let section = Section::json(file, name, fields);
    let mode = mode(config, file, &section, trail)?;
    Ok(Plan {
        place: section.place,
        mode,
    })
}

/// The plan of a profile without `source_profile`: a login, or a program.
#[cfg(any(
    feature = "oauth",
    feature = "sso",
    all(feature = "process", feature = "write-back")
))]
pub(crate) fn mode_of(
    config: &Config<'_>,
    file: &Path,
    section: &Section<'_>,
) -> Result<Mode, CredentialsError> {
    mode(config, file, section, &mut vec![section.place.name.clone()])
}

fn mode(
    config: &Config<'_>,
    file: &Path,
    section: &Section<'_>,
    trail: &mut Vec<String>,
) -> Result<Mode, CredentialsError> {
    let name = section.required("mode")?;
    let here = |mode| {
        Box::new(Plan {
            place: section.place.clone(),
            mode,
        })
    };
    Ok(match name.to_ascii_lowercase().as_str() {
        "ak" => Mode::Keys(Keys::pair(section, KEY_ID, KEY_SECRET)?),
        "ststoken" => {
            let mut keys = Keys::pair(section, KEY_ID, KEY_SECRET)?;
            keys.token = Some(section.required_secret(KEY_TOKEN)?);
            Mode::Keys(keys)
        }
        "ramrolearn" => {
            let mut keys = Keys::pair(section, KEY_ID, KEY_SECRET)?;
            // As the CLI does, and unlike the SDKs: a temporary pair is of no use without it.
            keys.token = section.secret(KEY_TOKEN)?;
            Mode::AssumeRole {
                base: here(Mode::Keys(keys)),
                role: role(section)?,
            }
        }
        "ecsramrole" => Mode::EcsRamRole {
            role_name: section.text("ram_role_name")?,
        },
        "ramrolearnwithrolename" => Mode::AssumeRole {
            base: here(Mode::EcsRamRole {
                role_name: section.text("ram_role_name")?,
            }),
            role: role(section)?,
        },
        "chainableramrolearn" => {
            let source = section.required("source_profile")?;
            let role = role(section)?;
            Mode::AssumeRole {
                base: Box::new(plan(config, file, &source, trail)?),
                role,
            }
        }
        "oidc" => Mode::Oidc {
            role: role(section)?,
            provider_arn: section.required("oidc_provider_arn")?,
            token_file: section.required("oidc_token_file")?,
        },
        "external" => Mode::Process(section.required_secret("process_command")?),
        "credentialsuri" => Mode::Uri(section.required_secret("credentials_uri")?),
        "cloudsso" => Mode::CloudSso(CloudSso {
            sign_in_url: section.required("cloud_sso_sign_in_url")?,
            account_id: section.required("cloud_sso_account_id")?,
            access_config: section.required("cloud_sso_access_config")?,
        }),
        "oauth" => Mode::OAuth(site(section)?),
        "rsakeypair" | "bearertoken" | "anonymous" => {
            return Err(section.place.invalid(
                format!("is of the mode {name}, which is not supported"),
                "use another profile",
            ));
        }
        _ => return Err(unknown_mode(section, &name)),
    })
}

fn unknown_mode(section: &Section<'_>, mode: &str) -> CredentialsError {
    // A key in the wrong place must not be shown.
    let is_name = mode.len() <= LONGEST_MODE && mode.bytes().all(|byte| byte.is_ascii_alphabetic());
    let problem = if is_name {
        format!("has the unknown mode {mode}")
    } else {
        "has an unknown mode".to_owned()
    };
    section.place.invalid(
        problem,
        "set mode to AK, StsToken, RamRoleArn, RamRoleArnWithRoleName, EcsRamRole, OIDC, ChainableRamRoleArn, \
         External, CredentialsURI, CloudSSO or OAuth",
    )
}

fn role(section: &Section<'_>) -> Result<Role, CredentialsError> {
    Ok(Role {
        arn: section.required("ram_role_arn")?,
        session_name: match section.text("ram_session_name")? {
            None => section.text("role_session_name")?,
            own => own,
        },
        duration: section.session_length("expired_seconds")?,
        policy: section.text("policy")?,
        external_id: section.text("external_id")?,
        region: section.text("sts_region")?,
        vpc: section.switch("enable_vpc")?,
        endpoint: section.text("sts_endpoint")?,
    })
}

fn site(section: &Section<'_>) -> Result<Site, CredentialsError> {
    let site = section.required("oauth_site_type")?;
    if site.eq_ignore_ascii_case("CN") {
        Ok(Site::China)
    } else if site.eq_ignore_ascii_case("INTL") {
        Ok(Site::International)
    } else {
        Err(section
            .place
            .invalid("has an unknown oauth_site_type", "set it to CN or INTL"))
    }
}
