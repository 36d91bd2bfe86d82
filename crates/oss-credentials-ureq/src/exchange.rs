//! One request and its response.

use std::io::{self, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

use oss_credentials_http::{BodyBuffer, HttpError, HttpRequest, HttpResponse};
use ureq::{Agent, Body, Proxy};
use zeroize::Zeroizing;

use crate::error;

/// Bytes that are read at once.
const PIECE: usize = 8 * 1024;

/// How the host is reached.
pub(crate) enum Route<'a> {
    Direct,
    /// The proxy's URL, perhaps with a password.
    Proxy(&'a str),
    AsTheAgentSays,
}

pub(crate) fn exchange(
    agent: &Agent,
    route: &Route<'_>,
    https: bool,
    request: HttpRequest,
) -> Result<HttpResponse, HttpError> {
    let result = attempt(agent, route, https, request);
    match route {
        Route::Proxy(url) => result.map_err(|error| error.with_proxy(url)),
        Route::Direct | Route::AsTheAgentSays => result,
    }
}

fn attempt(
    agent: &Agent,
    route: &Route<'_>,
    https: bool,
    request: HttpRequest,
) -> Result<HttpResponse, HttpError> {
    let (connect_timeout, timeout) = (request.connect_timeout(), request.timeout());
    let request = http::Request::<Vec<u8>>::try_from(request)?.map(Zeroizing::new);
    let (head, body) = request.into_parts();

    // What sources rely on, whatever the agent does for the rest of the program.
    let mut settings = agent
        .configure_request(http::Request::from_parts(head, body.as_slice()))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .accept("")
        .accept_encoding("")
        .user_agent("")
        .timeout_connect(Some(connect_timeout))
        .timeout_global(Some(timeout));
    match route {
        Route::Direct => settings = settings.proxy(None),
        Route::Proxy(url) => {
            let proxy = Proxy::new(url).map_err(|_| {
                error::request("the proxy's URL cannot be used; write it as http://host:port")
            })?;
            settings = settings.proxy(Some(proxy));
        }
        Route::AsTheAgentSays => {}
    }
    let request = settings.build();
    // ureq panics where the agent's TLS settings ask for what the build does not have.
    let sent = catch_unwind(AssertUnwindSafe(|| agent.run(request)));
    let response = sent
        .map_err(|_| error::panicked())?
        .map_err(|cause| error::from_ureq(cause, https))?;

    let (head, body) = response.into_parts();
    // From here on the service has answered, whatever happens to the rest.
    let body = read(body, https).map_err(HttpError::with_answer_begun)?;
    Ok(http::Response::from_parts(head, body).into())
}

fn read(body: Body, https: bool) -> Result<Vec<u8>, HttpError> {
    let mut whole = BodyBuffer::new(body.content_length())?;
    let mut reader = body.into_reader();
    let mut piece = Zeroizing::new(vec![0; PIECE]);
    loop {
        match reader.read(&mut piece) {
            Ok(0) => return Ok(whole.into_vec()),
            Ok(length) => whole.append(piece.get(..length).unwrap_or_default())?,
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(error::from_ureq(cause.into(), https)),
        }
    }
}

#[cfg(test)]
mod tests {
    use oss_credentials_http::HttpErrorKind;

    use super::*;

    #[test]
    fn the_error_names_the_proxy_and_not_its_password() {
        let agent = Agent::config_builder().proxy(None).build().new_agent();
        let request = || HttpRequest::get("http://sts.proxy-check.invalid/");
        // Nobody listens on port 1.
        let proxy = Route::Proxy("http://user:canary@127.0.0.1:1");
        let error = exchange(&agent, &proxy, false, request()).unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::Connect);
        assert_eq!(error.proxy(), Some("http://127.0.0.1:1"));
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");

        let error = exchange(&agent, &Route::Proxy("http://canary:x@["), false, request()).unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::Request);
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
}
