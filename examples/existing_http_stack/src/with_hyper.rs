//! hyper, through hyper-util's client on tokio.

use std::error::Error;
use std::io;

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper_util::client::legacy::{self, Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use oss_credentials_http::{
    Endpoint, HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse, MAX_BODY, http_fn,
};
use tokio::runtime::Handle;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout_at};

/// Sends through the program's connector. For `https://` pass one with TLS, and change the type.
pub fn http_client(connector: HttpConnector) -> impl HttpClient {
    http_fn(move |request| send(connector.clone(), request))
}

async fn send(mut connector: HttpConnector, request: HttpRequest) -> Result<HttpResponse, HttpError> {
    if Handle::try_current().is_err() {
        return Err(refused(
            "hyper's connector needs a tokio runtime; poll the future inside one",
        ));
    }
    // The connector would call it a failed connection.
    if !Endpoint::parse(request.url()).is_ok_and(|endpoint| endpoint.scheme() == "http") {
        return Err(refused(
            "this connector speaks plain http only; pass one with TLS",
        ));
    }
    // Credentials are fetched about once an hour: a pool would have nothing to keep.
    connector.set_connect_timeout(Some(request.connect_timeout()));
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let end = Instant::now() + request.timeout();
    let request: http::Request<Vec<u8>> = request.try_into()?;
    let request = request.map(|body| Full::new(Bytes::from(body)));
    let response = timeout_at(end, client.request(request)).await.map_err(late)?;
    let (parts, body) = response.map_err(|error| explained(&error))?.into_parts();
    // From here on somebody is there, whatever comes of it.
    let body = timeout_at(end, whole(body))
        .await
        .map_err(late)
        .and_then(|body| body);
    let body = body.map_err(HttpError::with_answer_begun)?;
    Ok(http::Response::from_parts(parts, body).into())
}

async fn whole(body: Incoming) -> Result<Vec<u8>, HttpError> {
    let body = Limited::new(body, MAX_BODY).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            return HttpError::new(HttpErrorKind::Other, error);
        }
        HttpError::new(broken(&*error), error)
    })?;
    Ok(body.to_bytes().to_vec())
}

fn late(elapsed: Elapsed) -> HttpError {
    HttpError::new(HttpErrorKind::Timeout, elapsed)
}

fn refused(why: &'static str) -> HttpError {
    HttpError::new(HttpErrorKind::Request, why)
}

/// At which point it failed. hyper-util's own text is a heading without content; what it wraps says more.
fn explained(error: &legacy::Error) -> HttpError {
    let kind = if error.is_connect() {
        HttpErrorKind::Connect
    } else {
        broken(error)
    };
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    HttpError::new(kind, cause.to_string())
}

/// A connection that broke, or an answer that is no HTTP.
fn broken(error: &(dyn Error + 'static)) -> HttpErrorKind {
    let mut cause = Some(error);
    while let Some(inner) = cause {
        if inner.is::<io::Error>()
            || inner
                .downcast_ref::<hyper::Error>()
                .is_some_and(|error| error.is_incomplete_message() || error.is_body_write_aborted())
        {
            return HttpErrorKind::Interrupted;
        }
        cause = inner.source();
    }
    HttpErrorKind::Other
}
