//! The error of a failed exchange, the same for every source.

use std::io;
use std::time::Duration;

use zeroize::Zeroizing;

use oss_credentials_core::text::clean;
use oss_credentials_core::{ClockOffset, CredentialsError, ErrorDetail};

use crate::adapter::TooLarge;
use crate::client::{HttpError, HttpErrorKind};

impl HttpError {
    /// Converts this failure into the error of a source: [`CredentialsError::InvalidConfig`] if the request could not
    /// be made, otherwise [`CredentialsError::Unavailable`].
    ///
    /// `service` names the service that did not respond, as it appears in a sentence, and `place` is method and URL.
    /// `hint` may return better advice for some kinds of failures. If the request could not be made, only
    /// the client knows why: its text, such as "no tokio runtime is running here; …", is then the hint.
    ///
    /// # Examples
    ///
    /// ```
    /// use oss_credentials_http::{HttpError, HttpErrorKind};
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
                format!("no response from {service} in time"),
                "check network and proxy, or raise the timeout",
            ),
            HttpErrorKind::Interrupted => (format!("the response from {service} was cut off"), "retry later"),
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
        let is_too_large = self.innermost().is::<TooLarge>();
        let hint = match hint(kind) {
            _ if is_out_of_files => {
                "raise the limit of open files (`ulimit -n`), or look for what leaves them open".to_owned()
            }
            _ if is_too_large => "check the endpoint, or request less at a time".to_owned(),
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

/// Returns whether the process or the machine can open no more files. Sockets count as files.
///
/// Other causes of a failed connection indicate that there is no service; this one says nothing about the service.
///
/// ```
/// use std::io;
/// use oss_credentials_http::is_out_of_files;
///
/// // EMFILE.
/// # #[cfg(unix)]
/// assert!(is_out_of_files(&io::Error::from_raw_os_error(24)));
/// assert!(!is_out_of_files(&io::ErrorKind::ConnectionRefused.into()));
/// ```
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

/// Returns the error of the system if the process, or the whole machine, can open no more files.
///
/// The libraries that read the system's certificates report only that there are none.
///
/// ```
/// assert!(oss_credentials_http::out_of_files().is_none());
/// ```
pub fn out_of_files() -> Option<io::Error> {
    std::fs::File::open("/").err().filter(is_out_of_files)
}

/// Returns why the client could not make a request, and what to do about it; most often the client states both.
fn what_is_missing(error: &HttpError) -> String {
    let why = clean(&error.innermost().to_string());
    if why.contains("; ") {
        return why;
    }
    format!("{why}; check the URL, and the HTTP client: its features, and its runtime")
}

/// Returns whether a service that refused with this status and error code (empty if there is none) may succeed
/// later without any change: HTTP 408, 429 and 5xx except 501 (Not Implemented), and codes of the
/// families `Throttling`, `InternalError` and `ServiceUnavailable`.
///
/// ```
/// use oss_credentials_http::may_pass;
/// assert!(may_pass(503, "") && may_pass(400, "Throttling.User"));
/// assert!(!may_pass(403, "NoPermission") && !may_pass(501, ""));
/// ```
pub fn may_pass(status: u16, code: &str) -> bool {
    let family = code.split('.').next().unwrap_or_default();
    matches!(status, 408 | 429 | 500 | 502..)
        || matches!(family, "Throttling" | "InternalError" | "ServiceUnavailable")
}

/// A clock that is off by more than this is mentioned in a hint. Services accept 15 minutes.
const NOTABLE_OFFSET: Duration = Duration::from_secs(60);

/// Returns the hint for a time that a service refused, with the offset if one was measured and is
/// more than a minute.
///
/// ```
/// use oss_credentials_http::clock_hint;
/// assert_eq!(clock_hint(None), "set the local clock");
/// ```
pub fn clock_hint(offset: Option<ClockOffset>) -> String {
    let Some(offset) = offset.filter(|offset| offset.abs() >= NOTABLE_OFFSET) else {
        return "set the local clock".to_owned();
    };
    let side = if offset.as_secs() > 0 {
        "behind"
    } else {
        "ahead of"
    };
    let seconds = offset.as_secs().unsigned_abs();
    format!("set the local clock: it is {seconds} s {side} the service's")
}

/// Returns the text of an XML element with the five predefined entities replaced, in memory that is overwritten: an
/// error may repeat a secret.
///
/// ```
/// assert_eq!(*oss_credentials_http::xml_text("a &lt; b &amp;lt; c"), "a < b &lt; c");
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
    fn a_body_over_the_limit_is_not_the_networks_fault() {
        let error = HttpError::new(HttpErrorKind::Other, TooLarge);
        let error =
            error.into_credentials_error("vault", "the vault", "GET https://vault.example/keys", |_| None);
        assert_eq!(
            error.to_string(),
            "vault: the exchange with the vault failed (GET https://vault.example/keys); check the endpoint, or request \
             less at a time"
        );
    }

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
                "no response from the vault in time @; check network and proxy, or raise the timeout",
            ),
            (
                HttpErrorKind::Interrupted,
                "the response from the vault was cut off @; retry later",
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
            "vault: no response from the vault in time (GET https://vault.example/key through the proxy \
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
    fn xml_entities_are_replaced_once() {
        for (text, plain) in [
            ("a &lt;b&gt; &quot;&apos;&amp;", "a <b> \"'&"),
            ("&amp;lt; &amp;amp;", "&lt; &amp;"),
            ("& &unknown; &l", "& &unknown; &l"),
        ] {
            assert_eq!(*xml_text(text), plain);
        }
    }
}
