//! The SDKs' `credentials.ini`, and INI files with custom keys. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use configparser::ini::Ini;
use oss_credentials_core::{CredentialsError, ErrorDetail};
use zeroize::Zeroizing;

use crate::NAME;
use crate::config::DEFAULT_PROFILE;
use crate::lookup::{Lookup, others};
use crate::plan::{Keys, Mode, Plan, Role};
use crate::section::Section;

const KEY_ID: &str = "access_key_id";
const KEY_SECRET: &str = "access_key_secret";
const KEY_TOKEN: &str = "security_token";
/// Of the vendor's OSS documents, *Configure access credentials*, "configuration file".
const OWN_KEY_ID: &str = "alibaba_cloud_access_key_id";
const OWN_KEY_SECRET: &str = "alibaba_cloud_access_key_secret";

/// The sections of a file, each with its keys.
type Sections = BTreeMap<String, BTreeMap<String, Option<Zeroizing<String>>>>;

/// The text without its comments, and without a byte order mark. A comment begins with `#` or `;` at the start of a
/// line or after white space, as in the vendor's SDKs for Java and Go; elsewhere these are characters of a value. Every
/// line stays, so that its number does.
fn without_comments(text: &str) -> Zeroizing<String> {
    let mut rest = Zeroizing::new(String::with_capacity(text.len()));
    for line in crate::file::without_mark(text).split_inclusive('\n') {
        let mut before = ' ';
        let comment = line.find(|c: char| {
            let begins = matches!(c, '#' | ';') && before.is_whitespace();
            before = c;
            begins
        });
        match comment {
            Some(at) => {
                rest.push_str(&line[..at]);
                rest.push('\n');
            }
            None => rest.push_str(line),
        }
    }
    rest
}

/// Reads the text, which has no comments any more.
///
/// `=` or `:` separates key and value. Nothing is interpolated or continued on the next line; sections do not inherit
/// keys. Names of sections and keys are taken literally, except for white space around them.
fn parse(text: &str) -> Result<Sections, String> {
    let mut ini = Ini::new_cs();
    ini.set_comment_symbols(&[]);
    let mut settings = ini.defaults();
    settings.enable_inline_comments = false;
    settings.delimiters = vec!['=', ':'];
    settings.multiline = false;
    settings.cascade_defaults = false;
    // Keys in front of the first section belong to none; by default they would be added to [default].
    settings.default_section = String::new();
    ini.load_defaults(settings);
    let read = ini.read(text.to_owned())?;
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

/// Looks for a section; `wanted` is `None` if none was named.
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
    if !is_enabled(&section, text)? {
        return Ok(Lookup::Absent(format!(
            "the section {name:?} is disabled by its key \"enable\""
        )));
    }
    let mode = mode(&section)?;
    Ok(Lookup::Found(Box::new(Plan {
        place: section.place,
        mode,
    })))
}

/// Returns whether a section counts. Java's SDK requires `true`; the others do not know the key.
fn is_enabled(section: &Section<'_>, text: &str) -> Result<bool, CredentialsError> {
    let Some(word) = section.text("enable")? else {
        return Ok(true);
    };
    let is_one_of = |words: [&str; 4]| words.iter().any(|known| word.eq_ignore_ascii_case(known));
    if is_one_of(["true", "1", "yes", "on"]) {
        return Ok(true);
    }
    if is_one_of(["false", "0", "no", "off"]) {
        return Ok(false);
    }
    let text = without_comments(text);
    let line = lines_of(&text, &section.place.name).find(|(_, line)| key_of(line) == "enable");
    let line = line.map_or(0, |(number, _)| number);
    Err(section.place.invalid(
        format!("has an unknown word for enable on line {line}"),
        "write true, yes, on or 1, or false, no, off or 0",
    ))
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
        mode: Mode::Keys(keys),
    })))
}

/// The keys of one section, or that it does not exist.
fn section(
    text: &str,
    file: &Path,
    name: &str,
) -> Result<Result<BTreeMap<String, Zeroizing<String>>, Lookup>, CredentialsError> {
    if let Some(what) = other_format(text) {
        return Ok(Err(Lookup::Absent(what.to_owned())));
    }
    let text = &*without_comments(text);
    let mut sections = parse(text).map_err(|problem| unreadable(file, &problem))?;
    let Some(keys) = sections.remove(name) else {
        // The parser's name for the keys before the first section.
        sections.remove("");
        let reason = if sections.is_empty() {
            format!("no section {name:?}, nor any other")
        } else {
            format!("no section {name:?}{}", others(sections.keys()))
        };
        return Ok(Err(Lookup::NoSection(reason)));
    };
    if let Some(repeated) = repeated(text, name) {
        let place = Section::ini(file, name, &BTreeMap::new()).place;
        let hint = "keep the one that counts, and remove the other";
        return Err(match repeated {
            Repeated::Section => place.invalid("appears twice", hint),
            Repeated::Key(key) => place.invalid(format!("has {key} twice"), hint),
        });
    }
    let mut values = BTreeMap::new();
    for (key, value) in keys {
        let Some(value) = value else {
            // Perhaps the rest of a value that was wrapped: the part that was read would be wrong, too.
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

/// Returns the format of a file that was named in place of an INI file; `None` if it may be one. Nothing of
/// it is shown.
fn other_format(text: &str) -> Option<&'static str> {
    let mut lines = crate::file::without_mark(text)
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let first = lines.clone().next()?;
    if first.starts_with('{') {
        return Some(
            "it is JSON: the CLI's config.json belongs in ALIBABA_CLOUD_CONFIG_FILE or cli_file(..)",
        );
    }
    // The console hands out such a file with a new pair.
    if first.trim_matches('"').starts_with("AccessKey ID") && first.contains(',') {
        return Some("it is a table of keys, as AccessKey.csv of the console, and has no section");
    }
    let is_variable = |line: &str| {
        let line = line.strip_prefix("export ").unwrap_or(line);
        line.starts_with("ALIBABA_CLOUD_") && line.contains('=')
    };
    let has_section = lines.clone().any(|line| line.starts_with('['));
    (!has_section && lines.any(is_variable))
        .then_some("it has no section: it is a list of variables, which belong in the environment")
}

/// The lines of a section, trimmed, with their numbers from 1; empty ones are left out. The heading is one of them.
fn lines_of<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    let mut inside = false;
    text.lines()
        .map(str::trim)
        .zip(1..)
        .filter_map(move |(line, number)| {
            if let Some(heading) = line.strip_prefix('[') {
                let end = heading.rfind(']');
                inside = end.and_then(|end| heading.get(..end)).map(str::trim) == Some(name);
            }
            (inside && !line.is_empty()).then_some((number, line))
        })
}

/// The part of a line before the separator.
fn key_of(line: &str) -> &str {
    line.split(['=', ':']).next().unwrap_or_default().trim()
}

/// Finds what occurs twice in a section. The parser, which reads everything else, would combine both: half of one and
/// half of the other would be an identity that nobody intended.
fn repeated(text: &str, name: &str) -> Option<Repeated> {
    let mut keys = BTreeSet::new();
    let mut seen = false;
    for (_, line) in lines_of(text, name) {
        if line.starts_with('[') {
            if seen {
                return Some(Repeated::Section);
            }
            seen = true;
            continue;
        }
        let key = key_of(line);
        if !keys.insert(key) {
            // Another one may be a piece of a secret.
            let is_name = key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            return Some(Repeated::Key(if is_name { key } else { "a key" }.to_owned()));
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
        Some(number) => format!("line {number} is not a section, key or comment"),
        None => "the file is not an INI file".to_owned(),
    };
    CredentialsError::invalid_config(
        ErrorDetail::builder(NAME, what)
            .place(file.to_string_lossy())
            .hint("write [section], and key = value below it"),
    )
}

fn mode(section: &Section<'_>) -> Result<Mode, CredentialsError> {
    let kind = section.required("type")?;
    match kind.as_str() {
        "access_key" => Ok(Mode::Keys(Keys::pair(section, KEY_ID, KEY_SECRET)?)),
        "sts" => {
            let mut keys = Keys::pair(section, KEY_ID, KEY_SECRET)?;
            keys.token = Some(section.required_secret(KEY_TOKEN)?);
            Ok(Mode::Keys(keys))
        }
        "ecs_ram_role" => Ok(Mode::EcsRamRole {
            role_name: section.text("role_name")?,
        }),
        "ram_role_arn" => {
            let mut keys = Keys::pair(section, KEY_ID, KEY_SECRET)?;
            // A pair that is temporary itself is of no use without it.
            keys.token = section.secret(KEY_TOKEN)?;
            Ok(Mode::AssumeRole {
                base: Box::new(Plan {
                    place: section.place.clone(),
                    mode: Mode::Keys(keys),
                }),
                role: role(section)?,
            })
        }
        "oidc_role_arn" => Ok(Mode::Oidc {
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
