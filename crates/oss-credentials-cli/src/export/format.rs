//! The output formats for other programs.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use clap::ValueEnum;
use oss_credentials::Credentials;
use oss_credentials::env::Family;
use serde_json::json;
use zeroize::Zeroizing;

use crate::time::rfc3339;

/// How long credentials without an expiry may be kept by who reads them: the vendor's SDKs would otherwise run the
/// program on every call, and ask again 15 minutes before this is over.
pub(crate) const ASSUMED_LIFETIME: Duration = Duration::from_secs(3600);

/// What `export` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Lines for `eval` in a POSIX shell
    Env,
    /// One JSON object, described in docs/cli.md
    Json,
    /// What a `process_command` prints: the JSON of the mode External
    Process,
    /// NAME=value lines
    Dotenv,
    /// Lines for Invoke-Expression in PowerShell
    Powershell,
}

/// When to use the credentials no longer, by the local clock, which is what the readers compare with. For credentials
/// without an expiry that is an hour from now.
pub(crate) fn local_expiry(credentials: &Credentials, now: SystemTime) -> SystemTime {
    match credentials.expires_at() {
        // As the cache knows it, by the local clock.
        Some(_) => credentials.fresh_until(now),
        None => now + ASSUMED_LIFETIME,
    }
}

impl Format {
    pub(crate) fn text(self, credentials: &Credentials, now: SystemTime) -> Zeroizing<String> {
        Zeroizing::new(match self {
            Self::Env => shell(credentials),
            Self::Powershell => powershell(credentials),
            Self::Dotenv => dotenv(credentials),
            Self::Json => format!("{:#}\n", plain_json(credentials)),
            Self::Process => format!("{}\n", process_json(credentials, now)),
        })
    }
}

/// The variables of both families, and their values. `None` is a token that there is not.
pub(crate) fn variables(credentials: &Credentials) -> Vec<(&'static str, Option<&str>)> {
    let of = |family: Family| {
        [
            (family.access_key_id(), Some(credentials.access_key_id())),
            (family.access_key_secret(), Some(credentials.access_key_secret())),
            (family.security_token(), credentials.security_token()),
        ]
    };
    [Family::AlibabaCloud, Family::Oss]
        .into_iter()
        .flat_map(of)
        .collect()
}

/// Each line ends a command of its own, so that it also works in an `eval` without quotes.
fn shell(credentials: &Credentials) -> String {
    let mut text = String::new();
    for (name, value) in variables(credentials) {
        let _ = match value {
            Some(value) => writeln!(text, "export {name}='{}';", value.replace('\'', r"'\''")),
            // One of earlier credentials would be sent along.
            None => writeln!(text, "unset {name};"),
        };
    }
    with_remark(text, credentials)
}

fn powershell(credentials: &Credentials) -> String {
    let mut text = String::new();
    for (name, value) in variables(credentials) {
        let _ = match value {
            Some(value) => writeln!(text, "$env:{name} = '{}';", value.replace('\'', "''")),
            // Removes it. An empty text does that only before PowerShell 7.5.
            None => writeln!(text, "$env:{name} = $null;"),
        };
    }
    with_remark(text, credentials)
}

fn dotenv(credentials: &Credentials) -> String {
    let mut text = String::new();
    for (name, value) in variables(credentials) {
        let Some(value) = value else { continue };
        // Some readers take quotes as part of the value, so there are none unless they are needed.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./+=:@%-,~".contains(&byte);
        let _ = if value.bytes().all(is_plain) {
            writeln!(text, "{name}={value}")
        } else {
            writeln!(text, "{name}='{value}'")
        };
    }
    text
}

/// When the credentials expire, in a comment at the end.
fn with_remark(mut text: String, credentials: &Credentials) -> String {
    if let Some(at) = credentials.expires_at().and_then(rfc3339) {
        let _ = writeln!(text, "# expires {at}");
    }
    text
}

fn plain_json(credentials: &Credentials) -> serde_json::Value {
    json!({
        "access_key_id": credentials.access_key_id(),
        "access_key_secret": credentials.access_key_secret(),
        "security_token": credentials.security_token(),
        "expires_at": credentials.expires_at().and_then(rfc3339),
        "source": credentials.source(),
    })
}

/// Vendor document: *Configure credentials* of the aliyun CLI, "External".
fn process_json(credentials: &Credentials, now: SystemTime) -> serde_json::Value {
    let expiration = rfc3339(local_expiry(credentials, now));
    match credentials.security_token() {
        Some(token) => json!({
            "mode": "StsToken",
            "access_key_id": credentials.access_key_id(),
            "access_key_secret": credentials.access_key_secret(),
            "sts_token": token,
            "expiration": expiration,
        }),
        None => json!({
            "mode": "AK",
            "access_key_id": credentials.access_key_id(),
            "access_key_secret": credentials.access_key_secret(),
            "expiration": expiration,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(secs)
    }

    fn temporary() -> Credentials {
        Credentials::builder("STS.EXAMPLE", "it's")
            .security_token("TOKEN+/=")
            .expires_at(at(1_767_326_645))
            .build()
            .unwrap()
    }

    fn lasting() -> Credentials {
        Credentials::builder("LTAIEXAMPLE", "SECRET").build().unwrap()
    }

    fn text(format: Format, credentials: &Credentials) -> String {
        // 2026-01-02T03:04:05Z, an hour before the temporary key expires.
        format.text(credentials, at(1_767_323_045)).to_string()
    }

    #[test]
    fn a_shell_gets_both_families_and_loses_an_old_token() {
        let shown = text(Format::Env, &temporary());
        assert!(
            shown.contains("export ALIBABA_CLOUD_ACCESS_KEY_SECRET='it'\\''s';\n"),
            "{shown}"
        );
        assert!(
            shown.contains("export OSS_SESSION_TOKEN='TOKEN+/=';\n"),
            "{shown}"
        );
        assert!(shown.ends_with("# expires 2026-01-02T04:04:05Z\n"), "{shown}");
        let shown = text(Format::Env, &lasting());
        assert!(shown.contains("unset ALIBABA_CLOUD_SECURITY_TOKEN;\n"), "{shown}");
        assert!(
            shown.contains("unset OSS_SESSION_TOKEN;\n") && !shown.contains('#'),
            "{shown}"
        );
    }

    #[test]
    fn powershell_and_dotenv_quote_in_their_own_way() {
        let shown = text(Format::Powershell, &temporary());
        assert!(
            shown.contains("$env:OSS_ACCESS_KEY_SECRET = 'it''s';\n"),
            "{shown}"
        );
        let shown = text(Format::Powershell, &lasting());
        assert!(shown.contains("$env:OSS_SESSION_TOKEN = $null;\n"), "{shown}");
        let shown = text(Format::Dotenv, &lasting());
        assert!(
            shown.contains("OSS_ACCESS_KEY_ID=LTAIEXAMPLE\n") && !shown.contains("TOKEN"),
            "{shown}"
        );
    }

    #[test]
    fn the_external_mode_always_has_an_expiration() {
        let read = |credentials: Credentials| {
            serde_json::from_str::<serde_json::Value>(&text(Format::Process, &credentials)).unwrap()
        };
        let shown = read(temporary());
        assert_eq!(shown["mode"], "StsToken");
        assert_eq!(shown["sts_token"], "TOKEN+/=");
        assert_eq!(shown["expiration"], "2026-01-02T04:04:05Z");
        let shown = read(lasting());
        assert_eq!(shown["mode"], "AK");
        assert_eq!(shown["expiration"], "2026-01-02T04:04:05Z", "an hour from now");
        assert!(shown.get("sts_token").is_none());
    }
}
