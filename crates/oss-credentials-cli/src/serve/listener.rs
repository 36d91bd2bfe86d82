//! Connections: how many there are, and how long each may take.

use std::cell::RefCell;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use oss_credentials::{Sleep as _, TokioSleep};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::caller::Connection;
use super::router::Router;
use super::share::Shares;
use crate::TRACING_TARGET;

/// More callers wait in the system's queue. A process has 1024 descriptors by default.
const MOST_CONNECTIONS: usize = 512;
/// With fewer places left, those of each other user are counted.
const FEW_LEFT: usize = MOST_CONNECTIONS / 2;
/// How long a caller may take to send the head of a request, and an idle connection stays open.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection lives, whatever it does.
const LONGEST_CONNECTION: Duration = Duration::from_secs(600);
/// How many bytes the head of a request may have. hyper allows 100 headers; to say so would cost an allocation for each
/// request.
const MOST_BYTES: usize = 16 * 1024;
/// How long requests in progress may take when the agent ends.
const LONGEST_FAREWELL: Duration = Duration::from_secs(5);
/// How long to wait where no connection can be accepted, as without descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// The connections of an agent.
#[derive(Debug)]
pub(super) struct Connections {
    places: Arc<Semaphore>,
    shares: Arc<Shares>,
    tasks: RefCell<JoinSet<()>>,
    is_ending: watch::Sender<bool>,
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(MOST_CONNECTIONS)),
            shares: Arc::default(),
            tasks: RefCell::default(),
            is_ending: watch::Sender::new(false),
        }
    }
}

impl Connections {
    /// Accepts until this is dropped. Connections that were accepted continue.
    pub(super) async fn accept(&self, listener: &TcpListener, router: &Arc<Router>) {
        loop {
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
                return;
            };
            let (stream, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(target: TRACING_TARGET, %error, "no connection can be accepted");
                    TokioSleep.sleep(PAUSE).await;
                    continue;
                }
            };
            let is_crowded = self.places.available_permits() < FEW_LEFT;
            let shares = is_crowded.then(|| Arc::clone(&self.shares));
            let serving = serve(
                stream,
                peer,
                Arc::clone(router),
                shares,
                self.is_ending.subscribe(),
            );
            let mut tasks = self.tasks.borrow_mut();
            // What has ended is forgotten, so that the set does not grow.
            while tasks.try_join_next().is_some() {}
            tasks.spawn(async move {
                let _place = place;
                serving.await;
            });
        }
    }

    /// Lets requests in progress complete, within a limit.
    pub(super) async fn finish(self) {
        self.is_ending.send_replace(true);
        let mut tasks = self.tasks.into_inner();
        let all = async { while tasks.join_next().await.is_some() {} };
        tokio::select! {
            () = all => {}
            () = TokioSleep.sleep(LONGEST_FAREWELL) => {}
        }
    }
}

/// Responds on one connection until it ends. With `shares`, it is closed at once if its user has had enough.
async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    router: Arc<Router>,
    shares: Option<Arc<Shares>>,
    mut is_ending: watch::Receiver<bool>,
) {
    // Responses are small, and nothing follows that they could wait for.
    let _ = stream.set_nodelay(true);
    let Ok(local) = stream.local_addr() else { return };
    let connection = Connection::new(peer, local);
    let _share = match &shares {
        None => None,
        Some(shares) => match shares.admit(&connection).await {
            Some(share) => Some(share),
            None => return,
        },
    };
    let service = service_fn(|request| {
        let answer = router.answer(request, &connection);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let mut settings = http1::Builder::new();
    settings
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MOST_BYTES);
    let serving = settings.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(serving);
    let ending = async {
        let _ = is_ending.wait_for(|is_ending| *is_ending).await;
    };
    let outcome = tokio::select! {
        outcome = &mut serving => outcome,
        () = TokioSleep.sleep(LONGEST_CONNECTION) => return,
        () = ending => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(target: TRACING_TARGET, %error, "a connection ended");
    }
}
