//! Use from synchronous code.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future on this thread until it is done. The thread is parked while the future waits.
///
/// This is enough for static, environment and file providers, and for any provider over a blocking HTTP client
/// (`blocking_http_fn` of `oss-credentials-http`). Futures of an async HTTP client need a runtime of their own
/// on another thread.
///
/// Never call it inside an async task: it blocks that task's thread. If the runtime needs that thread to make
/// progress, it waits forever and no timeout fires. Use `.await` there.
///
/// ```
/// use oss_credentials_core::blocking;
/// assert_eq!(blocking::wait(async { 7 }), 7);
/// ```
pub fn wait<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut cx = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        // A wake-up between the poll and here leaves a permit, so park returns at once.
        std::thread::park();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wake_up_from_another_thread_ends_the_wait() {
        waits_until_woken_by(Waker::wake);
        waits_until_woken_by(|waker| waker.wake_by_ref());
    }

    fn waits_until_woken_by(wake: fn(Waker)) {
        let (sender, receiver) = std::sync::mpsc::channel::<Waker>();
        let other = std::thread::spawn(move || wake(receiver.recv().unwrap()));
        let mut polls = 0;
        let output = wait(std::future::poll_fn(|cx| {
            polls += 1;
            if polls == 1 {
                sender.send(cx.waker().clone()).unwrap();
                return Poll::Pending;
            }
            Poll::Ready(polls)
        }));
        other.join().unwrap();
        assert!(output >= 2);
    }
}
