//! What an exchange amounts to that brought nothing: the same for every source.

use std::fmt;
use std::io;

use zeroize::Zeroizing;

use super::{HttpError, HttpErrorKind};
use crate::error::{CredentialsError, ErrorDetail, clean};

impl HttpError {
    /// This failure as the error of a source: [`CredentialsError::InvalidConfig`] if the request could not be
    /// made, else [`CredentialsError::Unavailable`].
    ///
    /// `service` is who did not answer, as it stands in a sentence, and `place` method and URL. `hint` may know
    /// better than this what to do about one kind of failure or another. Why a request could not be made, only
    /// the client knows: its words, such as "no tokio runtime is running here; …", are the hint then.
    ///
    /// # Examples
    ///
    /// ```
    /// use oss_credentials_core::http::{HttpError, HttpErrorKind};
    ///
    /// let error = HttpError::new(HttpErrorKind::Connect, "connection refused");
    /// let place = "GET https://vault.example/key";
    /// assert_eq!(
    ///     error.into_credentials_error("vault", "the vault", place, |_| None).to_string(),
    ///     "vault: no connection to the vault (GET https://vault.example/key); check network, DNS and proxy"
    /// );
    /// ```
    pub fn into_credentials_error(
        self,
        provider: &'static str,
        service: &str,
        place: &str,
        hint: impl FnOnce(HttpErrorKind) -> Option<&'static str>,
    ) -> CredentialsError {
        let kind = self.kind();
        let (what, general) = match kind {
            HttpErrorKind::Connect => (
                format!("no connection to {service}"),
                "check network, DNS and proxy",
            ),
            HttpErrorKind::Timeout => (
                format!("no answer from {service} in time"),
                "check network and proxy, or raise the timeout",
            ),
            HttpErrorKind::Interrupted => (format!("{service}'s answer broke off"), "try again later"),
            HttpErrorKind::Tls => (
                format!("no trusted TLS connection to {service}"),
                "check the trusted certificates and the proxy, or, if the host speaks plain http, write http://",
            ),
            HttpErrorKind::Request => ("the request could not be sent".to_owned(), ""),
            HttpErrorKind::Other => (
                format!("the exchange with {service} failed"),
                "check network and proxy",
            ),
        };
        let place = match self.proxy() {
            Some(proxy) => &format!("{place} through the proxy {proxy}"),
            None => place,
        };
        let is_out_of_files = self.innermost().downcast_ref().is_some_and(is_out_of_files);
        let hint = match hint(kind) {
            _ if is_out_of_files => {
                "raise the limit of open files (`ulimit -n`), or look for what leaves them open".to_owned()
            }
            Some(hint) => hint.to_owned(),
            None if kind == HttpErrorKind::Request => what_is_missing(&self),
            None => general.to_owned(),
        };
        let detail = ErrorDetail::builder(provider, what)
            .place(place)
            .hint(hint)
            .source(self);
        match kind {
            HttpErrorKind::Request => CredentialsError::invalid_config(detail),
            _ => CredentialsError::unavailable(detail),
        }
    }
}

/// Whether the process or the machine can open no more files, which sockets count as.
///
/// Other causes of a connection that is not made say that nobody answers there; this one says nothing about the service.
pub fn is_out_of_files(error: &io::Error) -> bool {
    let codes = if cfg!(unix) {
        // ENFILE, EMFILE
        [23, 24]
    } else {
        // ERROR_TOO_MANY_OPEN_FILES, WSAEMFILE
        [4, 10_024]
    };
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}

/// Why the client could not make a request, and what to do about it: most often the client says both.
fn what_is_missing(error: &HttpError) -> String {
    let why = clean(&error.innermost().to_string());
    if why.contains("; ") {
        return why;
    }
    format!("{why}; check the URL, and the HTTP client: its features, and its runtime")
}

/// Whether a service that refused with this status and error code (empty if there is none) may do what was asked
/// later, without anybody changing anything: HTTP 408, 429 and 5xx except 501 (Not Implemented), and codes of the
/// families `Throttling`, `InternalError` and `ServiceUnavailable`.
///
/// ```
/// use oss_credentials_core::http::may_pass;
/// assert!(may_pass(503, "") && may_pass(400, "Throttling.User"));
/// assert!(!may_pass(403, "NoPermission") && !may_pass(501, ""));
/// ```
pub fn may_pass(status: u16, code: &str) -> bool {
    let family = code.split('.').next().unwrap_or_default();
    matches!(status, 408 | 429 | 500 | 502..)
        || matches!(family, "Throttling" | "InternalError" | "ServiceUnavailable")
}

/// Why a body is not the one that was expected. Holds nothing of it, as any piece may belong to a key.
///
/// `Display` is the end of the sentence "the answer …".
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyDefect {
    /// Nothing but white space.
    Empty,
    /// HTML, most likely of a proxy or a log-in page, or XML.
    Markup,
    /// Something else than a JSON object.
    NotObject,
    /// A JSON object at first, but broken at this place, or with a field of another type there. A parser's own
    /// text may quote what it stumbled over.
    NotJson {
        /// From 1.
        line: usize,
        /// From 1; 0 for the end of the line before.
        column: usize,
    },
    /// This field is not there or is empty.
    Missing(&'static str),
    /// This field, or what else is named, is not what it should be.
    Unreadable(&'static str),
}

impl fmt::Display for BodyDefect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("is empty"),
            Self::Markup => f.write_str("is HTML or XML"),
            Self::NotObject => f.write_str("is not a JSON object"),
            Self::NotJson { line, column } => {
                write!(
                    f,
                    "is not the JSON that was expected (line {line}, column {column})"
                )
            }
            Self::Missing(field) => write!(f, "has no {field}"),
            Self::Unreadable(field) => write!(f, "has an unreadable {field}"),
        }
    }
}

impl std::error::Error for BodyDefect {}

/// Gives the body back if it begins as a JSON object does, so that a parser may be asked about the rest.
///
/// Parsers that are derived from a structure may take an array for it, too.
///
/// # Errors
///
/// [`BodyDefect::Empty`], [`BodyDefect::Markup`] or [`BodyDefect::NotObject`].
///
/// ```
/// use oss_credentials_core::http::{BodyDefect, json_object};
/// assert_eq!(json_object(b" {}"), Ok(&b" {}"[..]));
/// assert_eq!(json_object(b"<html>"), Err(BodyDefect::Markup));
/// ```
pub fn json_object(body: &[u8]) -> Result<&[u8], BodyDefect> {
    match body.trim_ascii_start().first() {
        Some(b'{') => Ok(body),
        Some(b'<') => Err(BodyDefect::Markup),
        Some(_) => Err(BodyDefect::NotObject),
        None => Err(BodyDefect::Empty),
    }
}

/// The value of a field that has to be there and must not be empty.
///
/// # Errors
///
/// [`BodyDefect::Missing`].
///
/// ```
/// use oss_credentials_core::http::{BodyDefect, required};
/// assert_eq!(required(Some("STS.example"), "AccessKeyId"), Ok("STS.example"));
/// assert_eq!(required(Some(""), "AccessKeyId"), Err(BodyDefect::Missing("AccessKeyId")));
/// ```
pub fn required<T: AsRef<str>>(value: Option<T>, field: &'static str) -> Result<T, BodyDefect> {
    value
        .filter(|value| !value.as_ref().is_empty())
        .ok_or(BodyDefect::Missing(field))
}

/// The text of a JSON string, given as it is written, with its quotes; `None` if it is not one.
///
/// The text is written once, into memory that is overwritten. Parsers keep a text with escapes in a buffer of their own,
/// which they free as it is.
///
/// ```
/// use oss_credentials_core::http::json_text;
/// assert_eq!(json_text(r#""a \"b\" \u00e9""#).as_deref().map(String::as_str), Some("a \"b\" é"));
/// assert!(json_text("7").is_none());
/// ```
pub fn json_text(raw: &str) -> Option<Zeroizing<String>> {
    let mut rest = raw.strip_prefix('"')?.strip_suffix('"')?;
    // No escape is shorter than its character, so this never grows.
    let mut plain = Zeroizing::new(String::with_capacity(rest.len()));
    while let Some((before, from)) = rest.split_once('\\') {
        plain.push_str(before);
        let (character, length) = json_escape(from)?;
        plain.push(character);
        rest = from.get(length..)?;
    }
    plain.push_str(rest);
    Some(plain)
}

/// The character of an escape, by what follows the backslash, and how many bytes of that belong to it.
fn json_escape(from: &str) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = from.get(at..at + 4)?;
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex.then(|| u16::from_str_radix(digits, 16).ok()).flatten()
    };
    Some(match from.chars().next()? {
        'u' => {
            let first = unit(1)?;
            let second = if from.get(5..7) == Some("\\u") {
                unit(7)
            } else {
                None
            };
            let mut characters = char::decode_utf16([first].into_iter().chain(second));
            // An unpaired half of a character is an error.
            let character = characters.next()?.ok()?;
            (character, 5 + if character.len_utf16() == 2 { 6 } else { 0 })
        }
        'n' => ('\n', 1),
        'r' => ('\r', 1),
        't' => ('\t', 1),
        'b' => ('\u{8}', 1),
        'f' => ('\u{c}', 1),
        itself @ ('"' | '\\' | '/') => (itself, 1),
        _ => return None,
    })
}

/// The text of an XML element with the five predefined entities replaced, in memory that is overwritten: an error may
/// repeat a secret.
///
/// ```
/// assert_eq!(*oss_credentials_core::http::xml_text("a &lt; b &amp;lt; c"), "a < b &lt; c");
/// ```
pub fn xml_text(text: &str) -> Zeroizing<String> {
    const ENTITIES: [(&str, char); 5] = [
        ("&lt;", '<'),
        ("&gt;", '>'),
        ("&quot;", '"'),
        ("&apos;", '\''),
        ("&amp;", '&'),
    ];
    // No entity is shorter than its character, so this never grows.
    let mut plain = Zeroizing::new(String::with_capacity(text.len()));
    let mut rest = text;
    while let Some((before, from)) = rest.find('&').and_then(|at| rest.split_at_checked(at)) {
        plain.push_str(before);
        let known = ENTITIES.iter().find(|(entity, _)| from.starts_with(entity));
        let (character, length) = known.map_or(('&', 1), |(entity, character)| (*character, entity.len()));
        plain.push(character);
        rest = from.get(length..).unwrap_or_default();
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_failure_has_its_words() {
        let shown = |kind, hint| {
            let error = HttpError::new(kind, "cause").into_credentials_error(
                "vault",
                "the vault",
                "GET https://vault.example/key?canary",
                |asked| {
                    assert_eq!(asked, kind);
                    hint
                },
            );
            let cause = std::error::Error::source(error.detail().unwrap()).unwrap();
            assert!(cause.to_string().ends_with(": cause"));
            let text = error.to_string();
            let text = text.strip_prefix("vault: ").unwrap();
            let text = text.replace(" (GET https://vault.example/key)", " @");
            (error.kind(), text)
        };
        for (kind, text) in [
            (
                HttpErrorKind::Connect,
                "no connection to the vault @; check network, DNS and proxy",
            ),
            (
                HttpErrorKind::Timeout,
                "no answer from the vault in time @; check network and proxy, or raise the timeout",
            ),
            (
                HttpErrorKind::Interrupted,
                "the vault's answer broke off @; try again later",
            ),
            (
                HttpErrorKind::Tls,
                "no trusted TLS connection to the vault @; check the trusted certificates and the proxy, or, if the \
                 host speaks plain http, write http://",
            ),
            (
                HttpErrorKind::Other,
                "the exchange with the vault failed @; check network and proxy",
            ),
        ] {
            assert_eq!(shown(kind, None), ("unavailable", text.to_owned()));
        }
        let sent = "the request could not be sent @; cause; check the URL, and the HTTP client: its features, and \
                    its runtime";
        assert_eq!(
            shown(HttpErrorKind::Request, None),
            ("invalid-config", sent.to_owned())
        );
        let proxied = HttpError::new(HttpErrorKind::Timeout, "cause")
            .with_proxy("http://us:canary@proxy.example:3128")
            .into_credentials_error("vault", "the vault", "GET https://vault.example/key", |_| None);
        assert_eq!(
            proxied.to_string(),
            "vault: no answer from the vault in time (GET https://vault.example/key through the proxy \
             http://proxy.example:3128); check network and proxy, or raise the timeout"
        );
        let full = HttpError::new(HttpErrorKind::Other, io::Error::from_raw_os_error(24))
            .into_credentials_error("vault", "the vault", "GET https://vault.example/key", |_| {
                Some("open it")
            });
        assert_eq!(
            (full.kind(), full.to_string().as_str()),
            (
                "unavailable",
                "vault: the exchange with the vault failed (GET https://vault.example/key); raise the limit of open files \
                 (`ulimit -n`), or look for what leaves them open"
            )
        );
        let own = "no connection to the vault @; open it";
        assert_eq!(
            shown(HttpErrorKind::Connect, Some("open it")),
            ("unavailable", own.to_owned())
        );
    }

    #[test]
    fn why_no_request_could_be_made_stands_in_the_text() {
        let why = "no tokio runtime is running here;\nawait it inside one";
        let shown = |error, hint| {
            HttpError::new(HttpErrorKind::Request, error)
                .into_credentials_error("vault", "the vault", "GET https://vault.example/key", |_| hint)
                .to_string()
        };
        let failed = "vault: the request could not be sent (GET https://vault.example/key)";
        assert_eq!(
            shown(why, None),
            format!("{failed}; no tokio runtime is running here; await it inside one")
        );
        assert_eq!(shown(why, Some("look there")), format!("{failed}; look there"));
    }

    #[test]
    fn what_may_pass_is_told_by_status_or_code() {
        for (status, code) in [
            (408, ""),
            (429, "NoPermission"),
            (500, ""),
            (599, "x"),
            (400, "Throttling"),
            (403, "Throttling.Api"),
            (200, "InternalError"),
            (400, "ServiceUnavailable"),
        ] {
            assert!(may_pass(status, code), "{status} {code}");
        }
        for (status, code) in [
            (400, ""),
            (200, ""),
            (302, ""),
            (501, "NotImplemented"),
            (404, "ThrottlingX"),
            (403, "x.Throttling"),
        ] {
            assert!(!may_pass(status, code), "{status} {code}");
        }
    }

    #[test]
    fn a_body_is_looked_at_before_it_is_parsed() {
        for (body, defect) in [
            (&b""[..], BodyDefect::Empty),
            (b" \r\n", BodyDefect::Empty),
            (b"\n<html>", BodyDefect::Markup),
            (b"[{}]", BodyDefect::NotObject),
            (b"\"{}\"", BodyDefect::NotObject),
            (b"\xEF\xBB\xBF{}", BodyDefect::NotObject),
        ] {
            assert_eq!(json_object(body), Err(defect), "{body:?}");
        }
        assert_eq!(json_object(b"\n {"), Ok(&b"\n {"[..]));
        assert_eq!(required(None::<String>, "Code"), Err(BodyDefect::Missing("Code")));
    }

    #[test]
    fn json_texts_are_read_without_a_parser() {
        for (raw, text) in [
            (r#""""#, Some("")),
            (r#""a\"\\\/\b\f\n\r\tz""#, Some("a\"\\/\u{8}\u{c}\n\r\tz")),
            (r#""\u56fe\u00E9x""#, Some("图éx")),
            (r#""\ud83d\ude00\u0041""#, Some("😀A")),
            (r#""\u0041\ud83d\ude00""#, Some("A😀")),
            (r#""\ud83d""#, None),
            (r#""\ud83d\u0041""#, None),
            (r#""\ude00""#, None),
            (r#""\u+123""#, None),
            (r#""\u12""#, None),
            (r#""\x""#, None),
            (r#""a"#, None),
            ("null", None),
        ] {
            assert_eq!(json_text(raw).as_deref().map(String::as_str), text, "{raw}");
        }
        let long = json_text(&format!("\"{}\"", "\\\"".repeat(100))).unwrap();
        assert_eq!((long.len(), long.capacity()), (100, 200));
    }

    #[test]
    fn xml_entities_are_replaced_once() {
        for (text, plain) in [
            ("a &lt;b&gt; &quot;&apos;&amp;", "a <b> \"'&"),
            ("&amp;lt; &amp;amp;", "&lt; &amp;"),
            ("& &unknown; &l", "& &unknown; &l"),
        ] {
            assert_eq!(*xml_text(text), plain);
        }
    }

    #[test]
    fn defects_end_a_sentence() {
        for (defect, text) in [
            (BodyDefect::Empty, "is empty"),
            (BodyDefect::Markup, "is HTML or XML"),
            (BodyDefect::NotObject, "is not a JSON object"),
            (
                BodyDefect::NotJson { line: 2, column: 7 },
                "is not the JSON that was expected (line 2, column 7)",
            ),
            (BodyDefect::Missing("Arn"), "has no Arn"),
            (BodyDefect::Unreadable("Arn"), "has an unreadable Arn"),
        ] {
            assert_eq!(defect.to_string(), text);
        }
    }
}
