//! A caller that waits for an attempt.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::moment::Moment;
use super::shared::{Entered, Purpose, Seat, Shared};
use crate::credentials::Credentials;
use crate::error::CredentialsError;
use crate::future::BoxFuture;

/// Joins the attempt in progress or begins one, polls it together with everyone who joined, and takes its
/// outcome. Dropping it leaves the flight to the others, or to the next caller.
pub(super) struct Join {
    shared: Arc<Shared>,
    seat: Seat,
    purpose: Purpose,
    /// When it began to wait, by the steady clock.
    waits_since: Option<Duration>,
    /// Checks the attempt again at its deadline, by the steady clock, if there is a timer: the flight
    /// and the driver may be bound to a runtime that is no longer running.
    timer: Option<(Duration, BoxFuture<'static, ()>)>,
}

impl Join {
    pub(super) fn new(shared: &Arc<Shared>, purpose: Purpose) -> Self {
        Self {
            seat: shared.new_seat(),
            shared: Arc::clone(shared),
            purpose,
            waits_since: None,
            timer: None,
        }
    }

    /// The attempt's deadline, once the timer says that it has come.
    fn poll_deadline(&mut self, now: Moment, cx: &mut Context<'_>) -> Option<Duration> {
        let deadline = self.shared.attempt_deadline(&self.seat)?;
        if self.timer.as_ref().is_none_or(|(target, _)| *target != deadline) {
            let wait = deadline.saturating_sub(now.steady);
            self.timer = Some((deadline, super::spawn::timer(&self.shared, wait)?));
        }
        let (target, done) = self.timer.as_mut()?;
        // A runtime that shuts down makes its timers panic.
        match catch_unwind(AssertUnwindSafe(|| done.as_mut().poll(cx))) {
            Ok(Poll::Pending) => None,
            Ok(Poll::Ready(())) => {
                let reached = *target;
                self.timer = None;
                Some(reached)
            }
            Err(_) => {
                self.timer = None;
                None
            }
        }
    }
}

impl Future for Join {
    type Output = Result<Credentials, CredentialsError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let join = &mut *self;
        let mut reached = None;
        loop {
            let clock = join.shared.now();
            let now = reached.take().map_or(clock, |deadline| clock.at_least(deadline));
            if join.seat.joined_at.is_none() {
                let is_first = join.waits_since.is_none();
                match join.shared.enter(&mut join.seat, &join.purpose, is_first, now) {
                    Entered::Answered(answer) => return Poll::Ready(answer),
                    Entered::Joined { began: true } => super::spawn::on_begin(&join.shared),
                    Entered::Joined { began: false } => {}
                }
            }
            let waits_since = *join.waits_since.get_or_insert(now.steady);
            join.shared.wakes.register(join.seat.id, cx.waker());
            if join.shared.advance(&mut join.seat, now).is_pending() {
                reached = join.poll_deadline(now, cx);
                if reached.is_none() {
                    return Poll::Pending;
                }
                continue;
            }
            join.seat.joined_at = None;
            let now = join.shared.now();
            let waited = now.steady.saturating_sub(waits_since);
            if let Some(outcome) = join.shared.collect(&join.purpose, waited, now) {
                return Poll::Ready(outcome);
            }
        }
    }
}

impl Drop for Join {
    fn drop(&mut self) {
        self.shared.leave(&self.seat);
    }
}
