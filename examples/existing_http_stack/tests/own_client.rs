//! The client that `docs/custom.md` shows, over ureq, and the check of its contract.

use oss_credentials_http::test_util::HttpConformance;
use oss_credentials_http::{
    HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse, MAX_BODY, blocking_http_fn,
};
use std::io::ErrorKind;
use ureq::tls::{TlsConfig, TlsProvider};
use ureq::{Agent, Error, Timeout, http};

fn client(agent: Agent) -> impl HttpClient {
    blocking_http_fn(move |request: HttpRequest| send(&agent, request))
}

fn send(agent: &Agent, request: HttpRequest) -> Result<HttpResponse, HttpError> {
    let (connect, total) = (request.connect_timeout(), request.timeout());
    let request = agent
        .configure_request(http::Request::<Vec<u8>>::try_from(request)?)
        // First trap: by default, ureq reports status 400 and above as an error. The provider needs the response.
        .http_status_as_error(false)
        // Second trap: a followed redirect would take tokens and keys to another host.
        .max_redirects(0)
        .max_redirects_will_error(false)
        // Metadata hosts must not be reached through a proxy; this client uses none at all.
        .proxy(None)
        .accept_encoding("")
        .timeout_connect(Some(connect))
        .timeout_global(Some(total))
        .build();
    let response = agent.run(request).map_err(failure)?;
    let (head, mut body) = response.into_parts();
    let body = body
        .with_config()
        .limit(MAX_BODY as u64 + 1) // ureq refuses a body of exactly this length
        .read_to_vec()
        .map_err(|error| failure(error).with_answer_begun())?;
    Ok(http::Response::from_parts(head, body).into())
}

/// Uses the system's TLS library, so that no crypto provider of rustls has to be chosen.
fn agent() -> Agent {
    let tls = TlsConfig::builder().provider(TlsProvider::NativeTls).build();
    Agent::config_builder().tls_config(tls).build().into()
}

fn failure(error: Error) -> HttpError {
    let kind = match &error {
        Error::Timeout(Timeout::Connect | Timeout::Resolve)
        | Error::HostNotFound
        | Error::ConnectionFailed => HttpErrorKind::Connect,
        Error::Timeout(_) => HttpErrorKind::Timeout,
        Error::Tls(_) | Error::NativeTls(_) => HttpErrorKind::Tls,
        Error::Io(io) if io.kind() == ErrorKind::ConnectionRefused => HttpErrorKind::Connect,
        Error::Io(_) => HttpErrorKind::Interrupted,
        Error::BadUri(_) => return HttpError::new(HttpErrorKind::Request, "the URL is malformed"),
        _ => HttpErrorKind::Other,
    };
    HttpError::new(kind, error)
}

#[test]
fn follows_the_contract() {
    let report = HttpConformance::new(|| client(agent())).run_all();
    println!("{report}"); // lists the checks that were skipped, too
}
