//! A grant as JSON.

use std::fmt;

use oss_sign::v4::LimitedBy;
use serde::{Serialize, Serializer};

use super::address::CONTENT_LENGTH;
use super::form::GrantedForm;
use super::url::GrantedUrl;
use crate::session::{Session, SessionDocument};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GrantDocument<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    credentials: Option<SessionDocument<'a>>,
    urls: Vec<UrlDocument<'a>>,
    forms: Vec<FormDocument<'a>>,
}

impl<'a> GrantDocument<'a> {
    pub(super) fn of(session: Option<&'a Session>, urls: &'a [GrantedUrl], forms: &'a [GrantedForm]) -> Self {
        Self {
            credentials: session.map(SessionDocument::of),
            urls: urls.iter().map(UrlDocument::of).collect(),
            forms: forms.iter().map(FormDocument::of).collect(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UrlDocument<'a> {
    method: &'a str,
    key: &'a str,
    url: Joined<'a>,
    #[serde(serialize_with = "as_map")]
    headers: Vec<(&'static str, &'a str)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_length: Option<u64>,
    valid_until: String,
    limited_by: &'static str,
}

impl<'a> UrlDocument<'a> {
    fn of(url: &'a GrantedUrl) -> Self {
        // A page cannot set this header: the browser does.
        let (length, headers) = url
            .headers()
            .partition::<Vec<_>, _>(|(name, _)| *name == CONTENT_LENGTH);
        Self {
            method: url.method(),
            key: url.key(),
            url: Joined(url.parts()),
            headers,
            content_length: length.first().and_then(|(_, value)| value.parse().ok()),
            valid_until: url.valid_until_utc().to_string(),
            limited_by: limit(url.limited_by()),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FormDocument<'a> {
    url: &'a str,
    #[serde(serialize_with = "as_map")]
    fields: Vec<(&'static str, &'a str)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_prefix: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    content_types: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    content_length_range: Option<[u64; 2]>,
    valid_until: String,
    limited_by: &'static str,
}

impl<'a> FormDocument<'a> {
    fn of(form: &'a GrantedForm) -> Self {
        Self {
            url: form.url(),
            fields: form.fields().collect(),
            key_prefix: form.key_prefix(),
            content_types: form.content_types(),
            content_length_range: form
                .content_length_range()
                .map(|range| [*range.start(), *range.end()]),
            valid_until: form.valid_until_utc().to_string(),
            limited_by: limit(form.limited_by()),
        }
    }
}

/// A URL in two parts. It is written into the document without a copy, since the query is a secret.
struct Joined<'a>((&'a str, &'a str));

impl fmt::Display for Joined<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (base, query) = self.0;
        write!(f, "{base}?{query}")
    }
}

impl Serialize for Joined<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn as_map<S: Serializer>(pairs: &[(&'static str, &str)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().copied())
}

/// What limits a part of a grant.
fn limit(limited_by: LimitedBy) -> &'static str {
    match limited_by {
        LimitedBy::Credentials => "session",
        LimitedBy::SevenDays => "sevenDays",
        _ => "lifetime",
    }
}
