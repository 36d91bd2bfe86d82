//! One request and its response.

use std::error::Error;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::Poll;

use hyper::body::{Body, Bytes, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{CaptureConnection, Connect, capture_connection};
use oss_credentials_http::{BodyBuffer, HttpError, HttpErrorKind, HttpRequest, HttpResponse, checked_target};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use crate::error;

pub(crate) async fn exchange<C, B>(
    client: &Client<C, B>,
    make_body: &(dyn Fn(Bytes) -> B + Send + Sync),
    request: HttpRequest,
) -> Result<HttpResponse, HttpError>
where
    C: Connect + Clone + Send + Sync + 'static,
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let endpoint = checked_target(&request)?;
    let started = Instant::now();
    let (connected_by, end) = (started + request.connect_timeout(), started + request.timeout());
    let request = http::Request::<Vec<u8>>::try_from(request)?;
    let mut request = request.map(|body| make_body(Bytes::from_owner(Zeroizing::new(body))));

    let connection = capture_connection(&mut request);
    let sending = within(connected_by, connection, client.request(request));
    let response = timeout_at(end, sending).await.map_err(error::late)??;
    let (head, body) = response
        .map_err(|error| error::from_hyper_util(&error, endpoint.is_https()))?
        .into_parts();
    // From here on the service has answered, whatever happens to the rest.
    let body = timeout_at(end, read(body))
        .await
        .map_err(error::late)
        .and_then(|body| body)
        .map_err(HttpError::with_answer_begun)?;
    Ok(http::Response::from_parts(head, body).into())
}

/// Gives up if the request has no connection in time. A connector's own limit is fixed when it is built; ours comes with
/// each request.
async fn within<R>(
    connected_by: Instant,
    mut connection: CaptureConnection,
    sending: impl Future<Output = R>,
) -> Result<R, HttpError> {
    let mut sending = pin!(sending);
    let mut connected = pin!(timeout_at(connected_by, async move {
        connection.wait_for_connection_metadata().await;
    }));
    let early = poll_fn(|cx| {
        if let Poll::Ready(response) = sending.as_mut().poll(cx) {
            return Poll::Ready(Ok(Some(response)));
        }
        connected.as_mut().poll(cx).map_ok(|()| None)
    });
    match early.await {
        Ok(Some(response)) => Ok(response),
        Ok(None) => Ok(sending.await),
        Err(elapsed) => Err(HttpError::new(HttpErrorKind::Connect, elapsed)),
    }
}

async fn read(mut body: Incoming) -> Result<Vec<u8>, HttpError> {
    let mut whole = BodyBuffer::new(body.size_hint().exact())?;
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let frame = frame.map_err(|error| error::from_hyper(&error))?;
        if let Some(piece) = frame.data_ref() {
            whole.append(piece)?;
        }
    }
    Ok(whole.into_vec())
}

/// Turns what tokio reports by panicking into an error: no runtime, or one without timer or I/O driver.
pub(crate) async fn in_runtime<T>(
    exchange: impl Future<Output = Result<T, HttpError>>,
) -> Result<T, HttpError> {
    if Handle::try_current().is_err() {
        return Err(error::request(
            "no tokio runtime is running here; await the provider inside the one that the hyper client uses",
        ));
    }
    let mut exchange = pin!(exchange);
    let polled = poll_fn(|cx| {
        match catch_unwind(AssertUnwindSafe(|| exchange.as_mut().poll(cx))) {
            Ok(poll) => poll,
            // The panic's own text is not repeated: nobody promised that it holds no part of the request.
            Err(_) => Poll::Ready(Err(error::request(
                "hyper or tokio panicked; build the runtime with `enable_all`, and look at the client's connector",
            ))),
        }
    });
    polled.await
}
