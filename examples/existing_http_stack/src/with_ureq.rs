//! ureq: blocking, and no async runtime anywhere.

use std::io::ErrorKind;

use oss_credentials_http::{
    Endpoint, HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse, MAX_BODY, blocking_http_fn,
};
use ureq::{Agent, Body, Error, Timeout};

/// Sends through the program's agent: its connections, proxy and TLS settings.
pub fn http_client(agent: Agent) -> impl HttpClient {
    blocking_http_fn(move |request| send(&agent, request))
}

fn send(agent: &Agent, request: HttpRequest) -> Result<HttpResponse, HttpError> {
    let metadata = Endpoint::parse(request.url()).is_ok_and(|endpoint| endpoint.is_metadata_host());
    let (connect_timeout, timeout) = (request.connect_timeout(), request.timeout());
    let request = http::Request::try_from(request)?;

    // What sources rely on, whatever the agent does for the rest of the program.
    let mut settings = agent
        .configure_request(request)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .accept("")
        .accept_encoding("")
        .user_agent("")
        .timeout_connect(Some(connect_timeout))
        .timeout_global(Some(timeout));
    if metadata {
        settings = settings.proxy(None);
    }
    let response = agent.run(settings.build()).map_err(explained)?;
    let (parts, body) = response.into_parts();
    // From here on somebody is there, whatever comes of it.
    let body = whole(body).map_err(|error| explained(error).with_answer_begun())?;
    Ok(http::Response::from_parts(parts, body).into())
}

fn whole(mut body: Body) -> Result<Vec<u8>, Error> {
    let limit = MAX_BODY as u64;
    // The reader takes a body as long as its limit for one that is too long.
    let body = body.with_config().limit(limit + 1).read_to_vec()?;
    if body.len() > MAX_BODY {
        return Err(Error::BodyExceedsLimit(limit));
    }
    Ok(body)
}

/// At which point it failed. Texts that could show a URL are left out.
fn explained(error: Error) -> HttpError {
    let kind = match &error {
        Error::Timeout(Timeout::Connect | Timeout::Resolve) => HttpErrorKind::Connect,
        Error::Timeout(_) => HttpErrorKind::Timeout,
        Error::HostNotFound | Error::ConnectionFailed | Error::ConnectProxyFailed(_) => {
            HttpErrorKind::Connect
        }
        Error::Io(io) => match io.kind() {
            ErrorKind::ConnectionRefused | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
                HttpErrorKind::Connect
            }
            ErrorKind::TimedOut => HttpErrorKind::Timeout,
            _ => HttpErrorKind::Interrupted,
        },
        Error::Tls(_) => HttpErrorKind::Tls,
        Error::BadUri(_) => return HttpError::new(HttpErrorKind::Request, "the URL cannot be used"),
        Error::Http(_) | Error::TlsRequired | Error::RequireHttpsOnly(_) => HttpErrorKind::Request,
        _ => HttpErrorKind::Other,
    };
    HttpError::new(kind, error)
}
