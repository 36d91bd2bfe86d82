//! The SDKs' `credentials.ini`, and INI files with keys of one's own. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use configparser::ini::Ini;
use oss_credentials_core::{CredentialsError, ErrorDetail};
use zeroize::Zeroizing;

use crate::NAME;
use crate::config::DEFAULT_PROFILE;
use crate::lookup::{Lookup, others};
use crate::plan::{Keys, Plan, Role, Way};
use crate::section::Section;

const KEY_ID: &str = "access_key_id";
const KEY_SECRET: &str = "access_key_secret";
const KEY_TOKEN: &str = "security_token";
/// Of the vendor's OSS documents, *Configure access credentials*, "configuration file".
const OWN_KEY_ID: &str = "alibaba_cloud_access_key_id";
const OWN_KEY_SECRET: &str = "alibaba_cloud_access_key_secret";

/// The sections of a file, each with its keys.
type Sections = BTreeMap<String, BTreeMap<String, Option<Zeroizing<String>>>>;

/// Reads the text.
///
/// `=` or `:` separates key and value. `#` and `;` begin a comment at the start of a line, never inside a
/// value. Nothing is interpolated or continued on the next line; no section lends its keys to others. Names
/// of sections and keys are taken as they are written, white space around them aside.
fn parse(text: &str) -> Result<Sections, String> {
    let mut ini = Ini::new_cs();
    ini.set_comment_symbols(&['#', ';']);
    // A secret may hold any of these.
    let mut settings = ini.defaults();
    settings.enable_inline_comments = false;
    settings.delimiters = vec!['=', ':'];
    settings.multiline = false;
    settings.cascade_defaults = false;
    // Keys in front of the first section belong to none; by default they would be added to [default].
    settings.default_section = String::new();
    ini.load_defaults(settings);
    // The parser takes a byte order mark for the first character of the first section's line.
    let read = ini.read(crate::file::without_mark(text).to_owned())?;
    // The parser keeps one copy and hands out another; both are overwritten when they are dropped.
    let kept = std::mem::take(ini.get_mut_map());
    drop(
        kept.into_values()
            .flatten()
            .filter_map(|(_, value)| value)
            .map(Zeroizing::new)
            .collect::<Vec<_>>(),
    );
    Ok(read
        .into_iter()
        .map(|(section, keys)| {
            let keys = keys.into_iter().map(|(key, value)| {
                let value = value.map(Zeroizing::new).map(|value| unquoted(&value));
                (key, value)
            });
            (section, keys.collect())
        })
        .collect())
}

/// Quotes around the whole value are optional; the parser leaves them to us.
fn unquoted(value: &str) -> Zeroizing<String> {
    let inner = ['"', '\'']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
    Zeroizing::new(inner.unwrap_or(value).to_owned())
}

/// Looks for a section; `wanted` is `None` if nobody named one.
pub(crate) fn credentials_file(
    text: &str,
    file: &Path,
    wanted: Option<&str>,
) -> Result<Lookup, CredentialsError> {
    let name = wanted.unwrap_or(DEFAULT_PROFILE);
    let values = match section(text, file, name)? {
        Ok(values) => values,
        Err(absent) => return Ok(absent),
    };
    let section = Section::ini(file, name, &values);
    // Java's SDK demands `true`; the others do not know the key.
    let enable = section.text("enable")?.unwrap_or_default();
    if ["false", "0", "no", "off"]
        .iter()
        .any(|no| enable.eq_ignore_ascii_case(no))
    {
        return Ok(Lookup::Absent(format!(
            "the section {name:?} is disabled by its key \"enable\""
        )));
    }
    let way = way(&section)?;
    Ok(Lookup::Found(Box::new(Plan {
        place: section.place,
        way,
    })))
}

/// The two keys that the vendor's OSS documents use, in a section of the user's choice.
pub(crate) fn own_keys(text: &str, file: &Path, name: &str) -> Result<Lookup, CredentialsError> {
    let values = match section(text, file, name)? {
        Ok(values) => values,
        Err(absent) => return Ok(absent),
    };
    let section = Section::ini(file, name, &values);
    let keys = Keys::pair(&section, OWN_KEY_ID, OWN_KEY_SECRET)?;
    Ok(Lookup::Found(Box::new(Plan {
        place: section.place,
        way: Way::Keys(keys),
    })))
}

/// The keys of one section, or that it is not there.
fn section(
    text: &str,
    file: &Path,
    name: &str,
) -> Result<Result<BTreeMap<String, Zeroizing<String>>, Lookup>, CredentialsError> {
    let mut sections = parse(text).map_err(|problem| unreadable(file, &problem))?;
    let Some(keys) = sections.remove(name) else {
        let others = others(sections.keys());
        return Ok(Err(Lookup::Absent(format!("no section {name:?}{others}"))));
    };
    if let Some(repeated) = repeated(text, name) {
        let place = Section::ini(file, name, &BTreeMap::new()).place;
        let hint = "keep the one that counts, and remove the other";
        return Err(match repeated {
            Repeated::Section => place.invalid("stands twice", hint),
            Repeated::Key(key) => place.invalid(format!("has {key} twice"), hint),
        });
    }
    let mut values = BTreeMap::new();
    for (key, value) in keys {
        let Some(value) = value else {
            // Perhaps the rest of a value that somebody wrapped: what was read of that would be wrong, too.
            // The line may be a piece of a secret.
            let place = Section::ini(file, name, &values).place;
            return Err(place.invalid(
                "has a line that is neither key and value nor a comment",
                "write each value on one line, as key = value",
            ));
        };
        values.insert(key, value);
    }
    Ok(Ok(values))
}

enum Repeated {
    Section,
    /// Its name, if it is certain that it is one.
    Key(String),
}

/// What of a section stands twice. The parser, which reads all else, puts both together: half of one and half of the
/// other would be an identity that nobody meant.
fn repeated(text: &str, name: &str) -> Option<Repeated> {
    let mut keys = BTreeSet::new();
    let (mut seen, mut inside) = (false, false);
    for line in crate::file::without_mark(text).lines().map(str::trim) {
        if let Some(heading) = line.strip_prefix('[') {
            inside = heading
                .rfind(']')
                .and_then(|end| heading.get(..end))
                .map(str::trim)
                == Some(name);
            if inside && seen {
                return Some(Repeated::Section);
            }
            seen |= inside;
        } else if inside && !line.is_empty() && !line.starts_with(['#', ';']) {
            let key = line.split(['=', ':']).next().unwrap_or_default().trim();
            if !keys.insert(key) {
                // Another one may be a piece of a secret.
                let is_name = key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
                return Some(Repeated::Key(if is_name { key } else { "a key" }.to_owned()));
            }
        }
    }
    None
}

/// The parser's text begins with "line 3"; the rest may be a piece of the file.
fn unreadable(file: &Path, problem: &str) -> CredentialsError {
    let number = problem
        .strip_prefix("line ")
        .map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
    let what = match number.filter(|number| !number.is_empty()) {
        Some(number) => format!("line {number} is no section, key or comment"),
        None => "the file is no INI file".to_owned(),
    };
    CredentialsError::invalid_config(
        ErrorDetail::builder(NAME, what)
            .place(file.to_string_lossy())
            .hint("write [section], and key = value below it"),
    )
}

fn way(section: &Section<'_>) -> Result<Way, CredentialsError> {
    let kind = section.required("type")?;
    match kind.as_str() {
        "access_key" => Ok(Way::Keys(Keys::pair(section, KEY_ID, KEY_SECRET)?)),
        "sts" => {
            let mut keys = Keys::pair(section, KEY_ID, KEY_SECRET)?;
            keys.token = Some(section.required_secret(KEY_TOKEN)?);
            Ok(Way::Keys(keys))
        }
        "ecs_ram_role" => Ok(Way::EcsRamRole {
            role_name: section.text("role_name")?,
        }),
        "ram_role_arn" => {
            let mut keys = Keys::pair(section, KEY_ID, KEY_SECRET)?;
            // A pair that is temporary itself is of no use without it.
            keys.token = section.secret(KEY_TOKEN)?;
            Ok(Way::AssumeRole {
                base: Box::new(Plan {
                    place: section.place.clone(),
                    way: Way::Keys(keys),
                }),
                role: role(section)?,
            })
        }
        "oidc_role_arn" => Ok(Way::Oidc {
            role: role(section)?,
            provider_arn: section.required("oidc_provider_arn")?,
            token_file: section.required("oidc_token_file_path")?,
        }),
        "rsa_key_pair" | "bearer" => Err(section.place.invalid(
            format!("is of the type {kind}, which is not supported"),
            "use access_key, sts, ecs_ram_role, ram_role_arn or oidc_role_arn",
        )),
        _ => Err(section.place.invalid(
            "has an unknown type",
            "set type to access_key, sts, ecs_ram_role, ram_role_arn or oidc_role_arn",
        )),
    }
}

fn role(section: &Section<'_>) -> Result<Role, CredentialsError> {
    Ok(Role {
        arn: section.required("role_arn")?,
        session_name: section.text("role_session_name")?,
        // Of the older Go SDK.
        duration: section.session_length("role_session_expiration")?,
        policy: section.text("policy")?,
        ..Role::default()
    })
}
