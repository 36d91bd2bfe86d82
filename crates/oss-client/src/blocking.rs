//! The client for programs without async code.
//!
//! [`Client`] runs the requests of the [async client](crate::Client) on a thread of its own and waits for them. It
//! turns bodies into [`Read`] and [`Write`], and lists into iterators.
//!
//! ```no_run
//! use std::io::{Read as _, Write as _};
//! use oss_client::blocking;
//! use oss_credentials_static::StaticProvider;
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let oss = oss_client::Client::builder()
//!         .region("cn-hangzhou")
//!         .credentials(StaticProvider::access_key("LTAI5tExampleKeyId01", "example-secret")?)
//!         .build()?;
//!     let blocking = blocking::Client::new(oss.clone())?;
//!
//!     // Any request of the async client.
//!     blocking.wait(oss.put_object("examplebucket", "greeting.txt", "hello").storage_class("IA"))?;
//!
//!     let mut text = String::new();
//!     blocking.read(oss.get_object("examplebucket", "greeting.txt"))?.read_to_string(&mut text)?;
//!
//!     let mut writer = blocking.write(|body| oss.upload("examplebucket", "numbers.txt", body))?;
//!     for number in 0..1_000_000 {
//!         writeln!(writer, "{number}")?;
//!     }
//!     writer.finish()?;
//!
//!     for object in blocking.iter(oss.list_objects_v2("examplebucket").objects()) {
//!         println!("{}", object?.key);
//!     }
//!     Ok(())
//! }
//! ```
//!
//! Inside a tokio runtime, also in `spawn_blocking`, each call returns an error: await the async client there.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::mpsc as std_mpsc;

use bytes::{Buf as _, Bytes};
use tokio::runtime::{Builder, Handle};
use tokio::sync::{mpsc, oneshot};

use crate::body::Body;
use crate::error::{Error, InvalidInput};
use crate::ops::Paged;
use crate::ops::object::GetObject;
use crate::response::{ResponseBody, ResponseHead};
use crate::upload::{Upload, Uploaded};
use crate::written::{Collected, Piece, until_finished};

/// The name of the thread; Linux truncates names to 15 bytes.
const THREAD_NAME: &str = "oss-client";

/// Runs an [async client](crate::Client) on a thread of its own.
///
/// Clones are cheap and share the thread. The thread ends when the last clone and everything created from it have been
/// dropped. The client's provider and `sleep` must work without another runtime.
#[derive(Clone)]
pub struct Client {
    client: crate::Client,
    thread: Arc<Thread>,
}

impl Client {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidConfig`] if the system cannot start a thread.
    pub fn new(client: crate::Client) -> Result<Self, Error> {
        let thread = Arc::new(Thread::start().map_err(|error| no_thread(&error))?);
        Ok(Self { client, thread })
    }

    /// Returns the async client, for creating requests.
    pub fn client(&self) -> &crate::Client {
        &self.client
    }

    /// Waits for a request, or for any other future that returns a result of this crate.
    ///
    /// # Errors
    ///
    /// Those of the request; [`Error::InvalidInput`] inside a tokio runtime.
    pub fn wait<T: Send + 'static>(
        &self,
        request: impl IntoFuture<Output = Result<T, Error>, IntoFuture: Send + 'static>,
    ) -> Result<T, Error> {
        self.thread.wait(request.into_future())?
    }

    /// Waits for async code that uses the client, for example for several requests at once or in a row.
    ///
    /// # Errors
    ///
    /// Those of the code; [`Error::InvalidInput`] inside a tokio runtime.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn run(blocking: &oss_client::blocking::Client) -> Result<(), oss_client::Error> {
    /// let size = blocking.run(async |oss| {
    ///     oss.put_object("examplebucket", "k", "hello").await?;
    ///     Ok(oss.head_object("examplebucket", "k").await?.content_length())
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn run<T, F>(&self, code: impl FnOnce(crate::Client) -> F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        self.wait(code(self.client.clone()))
    }

    /// Requests an object, whose content is then read from the result.
    ///
    /// # Errors
    ///
    /// Those of [`GetObject::send`]; [`Error::InvalidInput`] inside a tokio runtime.
    pub fn read(&self, request: GetObject) -> Result<Reader, Error> {
        let (head, body) = self.wait(request)?.into_parts();
        Ok(Reader {
            thread: Arc::clone(&self.thread),
            head,
            state: State::Open(body),
            rest: Bytes::new(),
        })
    }

    /// Starts an upload of what is written to the result. Nothing is stored before [`Writer::finish`].
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] inside a tokio runtime.
    pub fn write(&self, upload: impl FnOnce(Body) -> Upload) -> Result<Writer, Error> {
        check(self.thread.process)?;
        let (pieces, received) = mpsc::channel(1);
        let upload = upload(Body::stream(until_finished(received)));
        let (done, outcome) = std_mpsc::sync_channel(1);
        let thread = Arc::clone(&self.thread);
        self.thread.handle.spawn(async move {
            // If this fails, nobody waits any more.
            let _ = done.send(upload.send().await);
            // Until here: a writer that is dropped may be the last to know the thread, and its parts are to be deleted.
            drop(thread);
        });
        Ok(Writer {
            collected: Collected::default(),
            pieces,
            outcome,
            process: self.thread.process,
        })
    }

    /// Returns the items of a list. Pages are fetched as needed.
    pub fn iter<T: Send + 'static>(&self, paged: Paged<T>) -> Iter<T> {
        Iter {
            thread: Arc::clone(&self.thread),
            paged: Some(paged),
            was_refused: false,
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("blocking::Client").field(&self.client).finish()
    }
}

/// The content of an object. Its errors are those of [`Response::chunk`](crate::Response::chunk), as [`io::Error`]s of
/// kind `Other` around an [`Error`]. After an error each further read returns the same error instead of the end, so
/// that a truncated object is not mistaken for the whole one.
pub struct Reader {
    thread: Arc<Thread>,
    head: ResponseHead,
    state: State,
    rest: Bytes,
}

enum State {
    Open(ResponseBody),
    /// Whether all of it was read.
    Ended,
    Failed(Error),
}

impl Reader {
    /// Returns the status and headers.
    pub fn head(&self) -> &ResponseHead {
        &self.head
    }

    /// The next piece; `None` at the end.
    fn piece(&mut self) -> Result<Option<Bytes>, Error> {
        check(self.thread.process)?;
        // What is left if the code below panics.
        let mut body = match std::mem::replace(&mut self.state, State::Failed(thread_is_gone())) {
            State::Open(body) => body,
            State::Ended => {
                self.state = State::Ended;
                return Ok(None);
            }
            State::Failed(error) => {
                let again = error.again();
                self.state = State::Failed(error);
                return Err(again);
            }
        };
        let (body, piece) = self.thread.wait(async move {
            let piece = body.chunk().await;
            (body, piece)
        })?;
        self.state = match &piece {
            Ok(Some(_)) => State::Open(body),
            Ok(None) => State::Ended,
            Err(error) => State::Failed(error.again()),
        };
        piece
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.piece().map_err(io::Error::other)? {
                Some(piece) => self.rest = piece,
                None => return Ok(0),
            }
        }
        let count = self.rest.len().min(buffer.len());
        self.rest
            .split_to(count)
            .copy_to_slice(buffer.get_mut(..count).unwrap_or_default());
        Ok(count)
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("head", &self.head)
            .finish_non_exhaustive()
    }
}

/// An upload in progress. If it is dropped before [`Writer::finish`], nothing is stored: the client's thread deletes
/// the parts that were sent, and stays until that is done, unless the program ends first.
pub struct Writer {
    collected: Collected,
    pieces: mpsc::Sender<Piece>,
    outcome: std_mpsc::Receiver<Result<Uploaded, Error>>,
    process: u32,
}

impl Writer {
    /// Sends the remaining data, and waits until the object is stored.
    ///
    /// # Errors
    ///
    /// Those of [`Upload::send`], also if an earlier write failed; [`Error::InvalidInput`] inside a tokio runtime.
    pub fn finish(mut self) -> Result<Uploaded, Error> {
        check(self.process)?;
        // If this fails, the upload has ended already, and reports why.
        let _ = self.hand_on().and_then(|()| self.send(Piece::End));
        self.outcome.recv().map_err(|_| thread_is_gone())?
    }

    fn hand_on(&mut self) -> io::Result<()> {
        if self.collected.is_empty() {
            return Ok(());
        }
        // Checked before anything is taken: what is refused here is still to be sent.
        check(self.process).map_err(io::Error::other)?;
        let piece = self.collected.take_out();
        self.send(Piece::Bytes(piece))
    }

    fn send(&self, piece: Piece) -> io::Result<()> {
        let ended = |_| {
            io::Error::new(
                io::ErrorKind::BrokenPipe,
                "the upload has failed; `finish` says why",
            )
        };
        self.pieces.blocking_send(piece).map_err(ended)
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.collected.is_full() {
            self.hand_on()?;
        }
        Ok(self.collected.take_in(bytes))
    }

    /// Passes on what was written. It may not have arrived yet: see [`Writer::finish`].
    fn flush(&mut self) -> io::Result<()> {
        self.hand_on()
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

/// The items of a list. It ends after an error, which is an item too. Only after the error of a call inside a tokio
/// runtime, iteration can continue outside of it.
pub struct Iter<T> {
    thread: Arc<Thread>,
    /// `None` after the end.
    paged: Option<Paged<T>>,
    /// Whether the last call was refused.
    was_refused: bool,
}

impl<T: Send + 'static> Iterator for Iter<T> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        // This error lost nothing, but a loop that ignores errors would never end.
        if let Err(error) = check_caller() {
            let is_first = !std::mem::replace(&mut self.was_refused, true);
            return is_first.then_some(Err(error));
        }
        self.was_refused = false;
        let mut paged = self.paged.take()?;
        let next = self.thread.wait(async move {
            let item = paged.try_next().await;
            (paged, item)
        });
        match next {
            Err(error) => Some(Err(error)),
            Ok((paged, item)) => {
                if matches!(item, Ok(Some(_))) {
                    self.paged = Some(paged);
                }
                item.transpose()
            }
        }
    }
}

impl<T> fmt::Debug for Iter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").finish_non_exhaustive()
    }
}

/// A runtime on a thread of its own.
struct Thread {
    handle: Handle,
    /// The process that owns this thread. A forked child does not have the thread.
    process: u32,
    /// Dropping it ends the thread.
    _stop: oneshot::Sender<()>,
}

impl Thread {
    /// Starts the thread. The runtime is created and dropped on it: dropping a runtime inside another one panics.
    fn start() -> io::Result<Self> {
        let (started, starting) = std_mpsc::sync_channel(1);
        let (stop, stopped) = oneshot::channel();
        let body = move || {
            let runtime = match Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => {
                    // If this fails, nobody waits any more.
                    let _ = started.send(Err(error));
                    return;
                }
            };
            if started.send(Ok(runtime.handle().clone())).is_ok() {
                let _ = runtime.block_on(stopped);
            }
            // A name lookup may be stuck in the system: do not wait for it.
            runtime.shutdown_background();
        };
        std::thread::Builder::new()
            .name(THREAD_NAME.to_owned())
            .spawn(body)?;
        let handle = starting.recv().map_err(io::Error::other)??;
        let process = std::process::id();
        Ok(Self {
            handle,
            process,
            _stop: stop,
        })
    }

    fn wait<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> Result<T, Error> {
        check(self.process)?;
        let (done, outcome) = std_mpsc::sync_channel(1);
        self.handle.spawn(async move {
            // The caller that started this waits for it.
            let _ = done.send(future.await);
        });
        outcome.recv().map_err(|_| thread_is_gone())
    }
}

/// Whether this caller may wait for the thread.
fn check(process: u32) -> Result<(), Error> {
    check_caller()?;
    check_process(process)
}

/// Refuses a call on a thread of a runtime: a waiting thread cannot do the runtime's other work, and a runtime with one
/// thread would wait for itself.
fn check_caller() -> Result<(), Error> {
    if Handle::try_current().is_err() {
        return Ok(());
    }
    Err(Error::InvalidInput(InvalidInput::new(
        "a blocking call inside a tokio runtime",
        "await the async client there, in `spawn_blocking` with `Handle::block_on`",
    )))
}

/// Refuses a call in a forked child, where nothing would ever respond.
fn check_process(process: u32) -> Result<(), Error> {
    if std::process::id() == process {
        return Ok(());
    }
    Err(Error::InvalidInput(InvalidInput::new(
        "the blocking client was made before this process was forked",
        "make a new one in the child",
    )))
}

fn no_thread(error: &io::Error) -> Error {
    Error::InvalidConfig(InvalidInput::new(
        format!("the blocking client has no thread: {error}"),
        "check the limits of the process",
    ))
}

fn thread_is_gone() -> Error {
    Error::InvalidInput(InvalidInput::new(
        "the code that the blocking client ran panicked",
        "see the panic's own message",
    ))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use oss_credentials_core::test_util::ManualClock;
    use oss_credentials_core::{Credentials, SystemClock};
    use oss_credentials_http::RequestIds;
    use reqwest::StatusCode;
    use reqwest::header::HeaderMap;

    use super::*;
    use crate::idle::IdleTimeout;
    use crate::request_context::RequestContext;

    /// A reader as a forked child has it.
    fn forked() -> Reader {
        let mut thread = Thread::start().unwrap();
        thread.process = 0;
        let idle = IdleTimeout {
            limit: Duration::from_secs(1),
            sleep: Arc::new(ManualClock::at_unix(0)),
            clock: Arc::new(SystemClock),
        };
        let (ids, nobody) = (RequestIds::default(), Credentials::anonymous());
        let context = RequestContext::new("GetObject".into(), http::Method::GET, String::new(), 1);
        Reader {
            thread: Arc::new(thread),
            head: ResponseHead::new(StatusCode::OK, HeaderMap::new(), &ids, &nobody),
            state: State::Open(ResponseBody::of(Bytes::from_static(b"x"), idle, context)),
            rest: Bytes::new(),
        }
    }

    #[test]
    fn a_forked_reader_reports_the_fork_each_time() {
        let mut reader = forked();
        for _ in 0..2 {
            let error = reader.read(&mut [0]).unwrap_err();
            assert!(error.to_string().contains("forked"), "{error}");
        }
    }

    #[test]
    fn a_forked_child_gets_an_error_and_does_not_wait() {
        let mut thread = Thread::start().unwrap();
        assert_eq!(thread.wait(async { 7 }).unwrap(), 7);
        thread.process += 1;
        let error = thread.wait(async { 7 }).unwrap_err();
        assert_eq!(
            error.to_string(),
            "oss-client: the blocking client was made before this process was forked; make a new one in the child"
        );
    }
}
