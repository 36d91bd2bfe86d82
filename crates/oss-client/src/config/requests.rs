//! Headers that every request has, `User-Agent` included.

use http::header::{ACCEPT_ENCODING, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE, RANGE};
use http::{HeaderMap, HeaderValue};

use crate::USER_AGENT_VALUE;
use crate::error::InvalidInput;
use crate::headers;
use crate::validate;

/// Headers that belong to one request or body, or that change what a response contains.
const NOT_FOR_ALL: [http::HeaderName; 9] = [
    RANGE,
    ACCEPT_ENCODING,
    IF_MATCH,
    IF_NONE_MATCH,
    IF_MODIFIED_SINCE,
    IF_UNMODIFIED_SINCE,
    http::HeaderName::from_static("content-md5"),
    http::HeaderName::from_static(headers::CALLBACK),
    http::HeaderName::from_static(headers::CALLBACK_VAR),
];

/// The settings as they were given.
#[derive(Default)]
pub(super) struct Requests {
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) user_agent: Option<String>,
    pub(super) user_agent_suffix: Option<String>,
}

impl Requests {
    /// The headers that every request gets, `User-Agent` aside.
    pub(super) fn headers(&self) -> Result<HeaderMap, InvalidInput> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let (name, value) = validate::header(name, value)?;
            if NOT_FOR_ALL.contains(&name) {
                return Err(InvalidInput::new(
                    format!(
                        "the header {:?} cannot be the same for every request",
                        name.as_str()
                    ),
                    "set it on the operation that needs it",
                ));
            }
            let full = |_| InvalidInput::new("the client has too many default headers", "set fewer");
            headers.try_insert(name, value).map_err(full)?;
        }
        Ok(headers)
    }

    /// The value of `User-Agent`.
    pub(super) fn user_agent(&self) -> Result<HeaderValue, InvalidInput> {
        let suffix = self
            .user_agent_suffix
            .as_deref()
            .filter(|suffix| !suffix.is_empty());
        let value = match (&self.user_agent, suffix) {
            (Some(_), Some(_)) => {
                return Err(InvalidInput::new(
                    "`user_agent` and `user_agent_suffix` are both set",
                    "write the whole value into `user_agent`",
                ));
            }
            (Some(whole), None) => whole.clone(),
            (None, Some(suffix)) => format!("{USER_AGENT_VALUE}/{suffix}"),
            (None, None) => return Ok(HeaderValue::from_static(USER_AGENT_VALUE)),
        };
        HeaderValue::try_from(value).map_err(|_| {
            InvalidInput::new(
                "the user agent contains a control character",
                "use visible characters in `user_agent` or `user_agent_suffix`",
            )
        })
    }
}
