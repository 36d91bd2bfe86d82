//! Which files are searched for the profile, and their results.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use oss_credentials_core::secret_file::Stamp;
use oss_credentials_core::{CredentialsError, ErrorDetail};

use crate::NAME;
use crate::config::{
    DEFAULT_PROFILE, ENV_CONFIG_FILE, ENV_CREDENTIALS_FILE, ENV_PROFILE, MAX_CONFIG_FILE, MAX_INI_FILE,
};
use crate::file::{ReadError, Text, read, without_mark};
use crate::plan::Plan;
use crate::{cli, ini};

/// How many names of a file's profiles an error lists.
const MAX_NAMES: usize = 10;
/// How many characters it shows of each.
const LONGEST_NAME: usize = 24;

/// The result for one file.
pub(crate) enum Lookup {
    Found(Box<Plan>),
    /// It is not in this file, or does not count there, for this reason.
    Absent(String),
    /// An INI file ends without its section; the sections that it has.
    NoSection(String),
}

/// The names that a file has, after the missing one. A line that only looks like a heading, or other text
/// in place of a name, may be a key: such names are counted and not shown.
pub(crate) fn others(names: impl ExactSizeIterator<Item = impl AsRef<str>>) -> String {
    let all = names.len();
    let shown: Vec<_> = names
        .filter_map(|name| cut(name.as_ref()))
        .take(MAX_NAMES)
        .collect();
    match (shown.join(", "), all - shown.len()) {
        (_, 0) if all == 0 => String::new(),
        (shown, 0) => format!(", but {shown}"),
        (shown, more) if !shown.is_empty() => format!(", but {shown} and {more} more"),
        (_, 1) => ", but one whose name is not shown".to_owned(),
        (_, more) => format!(", but {more} whose names are not shown"),
    }
}

/// A name as one of many; `None` if it does not look like one. Secrets are letters and digits alone, and longer.
fn cut(name: &str) -> Option<String> {
    let separates = |c: char| matches!(c, ' ' | '.' | '_' | '-' | '@' | ':' | '/');
    let is_name = |c: char| c.is_alphanumeric() || separates(c);
    if name.is_empty() || !name.chars().all(is_name) {
        return None;
    }
    let Some((at, _)) = name.char_indices().nth(LONGEST_NAME) else {
        return Some(format!("{name:?}"));
    };
    let is_word = name.is_ascii() && !name[..at].contains(separates);
    (!is_word).then(|| format!("{:?}…", &name[..at]))
}

#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) path: PathBuf,
    pub(crate) kind: Kind,
    /// Whether it was named: then it must exist.
    pub(crate) named: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The CLI's `config.json`.
    Cli,
    /// The SDKs' `credentials.ini`.
    Credentials,
    /// An INI file with the two keys of the OSS documents.
    OwnKeys,
}

/// The files in the order in which they are searched.
#[derive(Clone, Debug)]
pub(crate) struct Candidates {
    pub(crate) files: Vec<Candidate>,
    /// `None` if none was named.
    pub(crate) profile: Option<String>,
}

impl Candidates {
    /// Equal as long as nothing has changed.
    pub(crate) fn stamps(&self) -> Vec<Option<Stamp>> {
        self.files.iter().map(|file| Stamp::of(&file.path)).collect()
    }

    /// The profile from the first file that has it.
    pub(crate) fn load(&self, now: SystemTime) -> Result<Plan, CredentialsError> {
        let mut reasons = Vec::new();
        for candidate in &self.files {
            match candidate.look(self.profile.as_deref(), now)? {
                Lookup::Found(plan) => return Ok(*plan),
                Lookup::Absent(reason) | Lookup::NoSection(reason) => {
                    reasons.push(format!("{}: {reason}", candidate.path.display()));
                }
            }
        }
        let what = match &self.profile {
            Some(name) => format!("there is no profile {name:?}"),
            None => "no file has a profile to use".to_owned(),
        };
        let detail = ErrorDetail::builder(NAME, what)
            .place(reasons.join("; "))
            .hint(self.hint());
        if self.profile.is_some() || self.files.iter().any(|file| file.named) {
            // Naming a profile or a file asks for it: a chain must not continue with another identity.
            return Err(CredentialsError::invalid_config(detail));
        }
        Err(CredentialsError::not_configured(detail))
    }

    /// The region of the profile in the CLI's file, if both are there.
    pub(crate) fn region(&self) -> Result<Option<String>, CredentialsError> {
        for candidate in self.files.iter().filter(|file| file.kind == Kind::Cli) {
            let Ok(read) = candidate.read()? else { continue };
            let region = cli::region(&read.text, &candidate.path, self.profile.as_deref())?;
            if region.is_some() {
                return Ok(region);
            }
        }
        Ok(None)
    }

    /// What to do if no file has the profile.
    fn hint(&self) -> String {
        if self.files.iter().any(|file| file.kind == Kind::OwnKeys) {
            return "correct the name given to config_ini(..), or add the section".to_owned();
        }
        let by = format!("profile(..) or {ENV_PROFILE}");
        if self.profile.is_some() {
            return format!("correct {by}, or add the profile");
        }
        let to = if self.files.len() == 1 {
            "it"
        } else {
            "one of them"
        };
        format!("add the profile {DEFAULT_PROFILE:?} to {to}, or name one with {by}")
    }
}

impl Candidate {
    /// The text, or why this file does not count.
    fn read(&self) -> Result<Result<Text, &'static str>, CredentialsError> {
        let limit = match self.kind {
            Kind::Cli => MAX_CONFIG_FILE,
            Kind::Credentials | Kind::OwnKeys => MAX_INI_FILE,
        };
        match read(&self.path, limit) {
            Ok(read) => Ok(Ok(read)),
            Err(ReadError::Missing) if !self.named && !leads_nowhere(&self.path) => {
                Ok(Err("there is no such file"))
            }
            // Of a service that has another user's home directory.
            Err(ReadError::Hidden) if !self.named => Ok(Err("its folder may not be looked into")),
            Err(ReadError::Missing) => Err(self.missing()),
            Err(error) => Err(unreadable(&self.path, error)),
        }
    }

    fn look(&self, wanted: Option<&str>, now: SystemTime) -> Result<Lookup, CredentialsError> {
        let Text { text, stamp } = match self.read()? {
            Ok(read) => read,
            Err(reason) => return Ok(Lookup::Absent(reason.to_owned())),
        };
        let is_young = stamp.is_young(now);
        // Editors and the CLI empty a file before they write to it.
        if is_young && without_mark(&text).trim().is_empty() {
            return Err(half_written(&self.path, "is empty"));
        }
        let name = wanted.unwrap_or(DEFAULT_PROFILE);
        let found = match self.kind {
            Kind::Cli => cli::find(&text, &self.path, wanted),
            Kind::Credentials => ini::credentials_file(&text, &self.path, wanted),
            Kind::OwnKeys => ini::own_keys(&text, &self.path, name),
        }?;
        // Unlike JSON, the first half of an INI file is an INI file.
        if is_young && matches!(found, Lookup::NoSection(_)) {
            return Err(half_written(&self.path, &format!("has no section {name:?}")));
        }
        Ok(found)
    }

    /// The error for a named file that does not exist, with the setting that names it, since the path alone is not
    /// enough.
    fn missing(&self) -> CredentialsError {
        let by = match self.kind {
            Kind::Cli => format!("cli_file(..) or {ENV_CONFIG_FILE}"),
            Kind::Credentials => format!("ini_file(..) or {ENV_CREDENTIALS_FILE}"),
            Kind::OwnKeys => "the path given to config_ini(..)".to_owned(),
        };
        no_such_file(&self.path, format!("correct {by}, or write the file"))
    }
}

/// Not `NotConfigured`: a chain must not continue with another identity because the file is being saved.
fn half_written(path: &Path, problem: &str) -> CredentialsError {
    let what = format!("the file {problem}, and was modified less than a second ago");
    let detail = ErrorDetail::builder(NAME, what).place(path.to_string_lossy());
    CredentialsError::unavailable(detail.hint("retry: it may not be complete yet"))
}

fn no_such_file(path: &Path, hint: impl Into<Cow<'static, str>>) -> CredentialsError {
    let detail = ErrorDetail::builder(NAME, "there is no such file").place(path.to_string_lossy());
    CredentialsError::invalid_config(detail.hint(hint))
}

/// Returns whether there is a dangling link in place of the file or of its folder.
fn leads_nowhere(path: &Path) -> bool {
    path.ancestors()
        .take(2)
        .any(|path| path.is_symlink() && !path.exists())
}

/// A file that cannot be used.
pub(crate) fn unreadable(path: &Path, error: ReadError) -> CredentialsError {
    let detail = |what: String| ErrorDetail::builder(NAME, what).place(path.to_string_lossy());
    let (what, hint, source) = match error {
        ReadError::Missing => return no_such_file(path, "correct the path, or write the file"),
        ReadError::Hidden => (
            "the file's folder may not be looked into".to_owned(),
            "let the user of this process do so",
            None,
        ),
        ReadError::NotRegular => (
            "this is not a regular file".to_owned(),
            "set the path of the file itself",
            None,
        ),
        ReadError::TooLarge(limit) => (
            format!("the file is larger than {} KiB", limit / 1024),
            "set the path of a file with profiles",
            None,
        ),
        ReadError::NotUtf8 => ("the file is not UTF-8".to_owned(), "save it as UTF-8", None),
        ReadError::Io(error) if error.kind() == std::io::ErrorKind::PermissionDenied => (
            "the file may not be read".to_owned(),
            "let the user of this process read it",
            Some(error),
        ),
        // Of the disk, or of a network file system: it may be temporary.
        ReadError::Io(error) => {
            let detail = detail("reading the file failed".to_owned())
                .hint("retry later")
                .source(error);
            return CredentialsError::unavailable(detail);
        }
    };
    let mut detail = detail(what).hint(hint);
    if let Some(error) = source {
        detail = detail.source(error);
    }
    CredentialsError::invalid_config(detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Texts that come close to a file with profiles.
    fn text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[ -~\\n\u{e9}\u{feff}]{0,5}",
            Just("[default]\n".to_owned()),
            Just("type = access_key\n".to_owned()),
            Just("access_key_id = i\n access_key_secret: s\n".to_owned()),
            Just("{\"profiles\": [{\"name\": \"default\",".to_owned()),
            Just("\"mode\": \"AK\"".to_owned()),
            Just("}]}".to_owned()),
        ];
        proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn no_text_makes_a_reader_panic(text in text()) {
            let file = Path::new("f");
            for wanted in [None, Some("default"), Some("x")] {
                let found = [
                    cli::find(&text, file, wanted),
                    ini::credentials_file(&text, file, wanted),
                    ini::own_keys(&text, file, "default"),
                ];
                for error in found.into_iter().filter_map(Result::err) {
                    prop_assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
                }
            }
        }
    }
}
