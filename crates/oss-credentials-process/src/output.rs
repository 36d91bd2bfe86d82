//! Reads what a program prints, without being held up by another process that holds the pipe.

use std::io;
use std::process::ChildStdout;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::config::MAX_OUTPUT;

/// The read end of the program's standard output, and what arrived through it.
pub(crate) struct Output {
    source: Source,
    /// Has its full size from the beginning: it is never moved, and leaves no copy of a key.
    buffer: Zeroizing<Vec<u8>>,
    filled: usize,
    closed: bool,
}

impl Output {
    pub(crate) fn new(pipe: ChildStdout) -> Self {
        Self {
            source: Source::new(pipe),
            buffer: Zeroizing::new(vec![0; MAX_OUTPUT + 1]),
            filled: 0,
            closed: false,
        }
    }

    /// Returns whether no process can print any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Waits at most this long for a piece, and takes it; returns whether the total is at most [`MAX_OUTPUT`].
    pub(crate) fn read(&mut self, limit: Duration) -> io::Result<bool> {
        self.take(limit)?;
        Ok(self.filled <= MAX_OUTPUT)
    }

    /// Takes what is available, without waiting for more; returns whether the total is at most [`MAX_OUTPUT`].
    pub(crate) fn drain(&mut self) -> io::Result<bool> {
        while !self.closed && self.filled <= MAX_OUTPUT && self.take(Duration::ZERO)? {}
        Ok(self.filled <= MAX_OUTPUT)
    }

    /// Returns whether a piece came.
    fn take(&mut self, limit: Duration) -> io::Result<bool> {
        let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
        let taken = self.source.take(room, limit)?;
        self.filled += taken.unwrap_or_default();
        self.closed = taken == Some(0);
        Ok(taken.is_some())
    }

    pub(crate) fn into_text(mut self) -> Zeroizing<Vec<u8>> {
        self.buffer.truncate(self.filled);
        self.buffer
    }
}

#[cfg(unix)]
use polled::Source;
#[cfg(not(unix))]
use threaded::Source;

/// Asks the system whether there is something before it reads: dropping this closes the pipe at once.
#[cfg(unix)]
mod polled {
    use std::io::{self, Read};
    use std::os::fd::AsFd;
    use std::process::ChildStdout;
    use std::time::Duration;

    use nix::errno::Errno;
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

    pub(super) struct Source(ChildStdout);

    impl Source {
        pub(super) fn new(pipe: ChildStdout) -> Self {
            Self(pipe)
        }

        /// The length of a piece, 0 at the end; `None` if nothing came within the limit.
        pub(super) fn take(&mut self, room: &mut [u8], limit: Duration) -> io::Result<Option<usize>> {
            let limit = PollTimeout::try_from(limit).unwrap_or(PollTimeout::MAX);
            match poll(&mut [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)], limit) {
                Ok(0) | Err(Errno::EINTR) => return Ok(None),
                // Something is there, or the end, or an error that reading tells.
                Ok(_) => {}
                Err(error) => return Err(error.into()),
            }
            match self.0.read(room) {
                Ok(length) => Ok(Some(length)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(None),
                Err(error) => Err(error),
            }
        }
    }
}

/// Reads on a separate thread, where pipes cannot be polled. It ends when the job, which nothing leaves, does.
#[cfg(not(unix))]
mod threaded {
    use std::io::{self, Read};
    use std::process::ChildStdout;
    use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
    use std::thread;
    use std::time::Duration;

    use zeroize::Zeroizing;

    type Piece = io::Result<Zeroizing<Vec<u8>>>;

    /// Largest piece, in bytes.
    const PIECE: usize = 4096;

    pub(super) struct Source {
        pieces: Receiver<Piece>,
        /// What did not fit last time.
        rest: Zeroizing<Vec<u8>>,
    }

    impl Source {
        pub(super) fn new(mut pipe: ChildStdout) -> Self {
            // Few at a time: a program that prints without end waits, as it does for a pipe.
            let (sender, pieces) = mpsc::sync_channel::<Piece>(4);
            let failed = sender.clone();
            let reader = thread::Builder::new()
                .name("oss-credentials-process".to_owned())
                .spawn(move || {
                    loop {
                        let mut piece = Zeroizing::new(vec![0; PIECE]);
                        let read = pipe.read(&mut piece);
                        let is_last = !matches!(read, Ok(1..));
                        let piece = read.map(|length| {
                            piece.truncate(length);
                            piece
                        });
                        if sender.send(piece).is_err() || is_last {
                            return;
                        }
                    }
                });
            if let Err(error) = reader {
                let _ = failed.send(Err(error));
            }
            Self {
                pieces,
                rest: Zeroizing::default(),
            }
        }

        /// The length of a piece, 0 at the end; `None` if nothing came within the limit.
        pub(super) fn take(&mut self, room: &mut [u8], limit: Duration) -> io::Result<Option<usize>> {
            if self.rest.is_empty() {
                self.rest = match self.pieces.recv_timeout(limit) {
                    Ok(piece) => piece?,
                    Err(RecvTimeoutError::Timeout) => return Ok(None),
                    Err(RecvTimeoutError::Disconnected) => return Ok(Some(0)),
                };
            }
            let length = self.rest.len().min(room.len());
            for (to, from) in room.iter_mut().zip(self.rest.drain(..length)) {
                *to = from;
            }
            Ok(Some(length))
        }
    }
}
