//! What must hold of every outcome, whatever the input was.

use std::error::Error;

use oss_credentials_core::{Credentials, CredentialsError};

/// Longest text of an error, in bytes: what the service said is cut at 512 characters, and stands in it once.
const LONGEST_TEXT: usize = 8 * 1024;

/// Fails if credentials could not be used, or if an error could not be shown.
pub fn check(outcome: Result<&Credentials, &CredentialsError>) {
    check_without(outcome, None);
}

/// As [`check`]; besides, no error may repeat a secret of the caller's own, not even where the service does.
pub fn check_without(outcome: Result<&Credentials, &CredentialsError>, secret: Option<&str>) {
    match outcome {
        Ok(credentials) => usable(credentials),
        Err(error) => presentable(error, secret),
    }
}

fn usable(credentials: &Credentials) {
    let token = credentials.security_token().unwrap_or("token");
    for text in [
        credentials.access_key_id(),
        credentials.access_key_secret(),
        token,
    ] {
        assert!(!text.is_empty(), "an empty part");
        assert!(
            !text.chars().any(char::is_control),
            "a control character would end a header"
        );
    }
}

fn presentable(error: &CredentialsError, secret: Option<&str>) {
    let mut text = format!("{error} {error:?}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    let repeats = secret.is_some_and(|secret| text.contains(secret));
    assert!(!repeats, "the text repeats a secret: {text}");
    let shown = error.to_string();
    assert!(shown.len() <= LONGEST_TEXT, "{} bytes of text", shown.len());
    let control = shown.chars().find(|c| c.is_control() && *c != '\n');
    assert!(control.is_none(), "a terminal would obey {control:?}: {shown:?}");
}
