//! A caller that waits for an attempt.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::shared::{Entered, Purpose, Seat, Shared};
use crate::credentials::Credentials;
use crate::error::CredentialsError;

/// Joins the attempt under way or begins one, polls it together with all others who joined, and takes its
/// outcome. Dropping it leaves the flight to the others, or to whoever comes next.
pub(super) struct Join {
    shared: Arc<Shared>,
    seat: Seat,
    purpose: Purpose,
}

impl Join {
    pub(super) fn new(shared: &Arc<Shared>, purpose: Purpose) -> Self {
        Self {
            seat: shared.new_seat(),
            shared: Arc::clone(shared),
            purpose,
        }
    }
}

impl Future for Join {
    type Output = Result<Credentials, CredentialsError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self {
            shared,
            seat,
            purpose,
        } = &mut *self;
        loop {
            let now = shared.clock.now();
            if seat.joined_at.is_none() {
                match shared.enter(seat, purpose, now) {
                    Entered::Answered(answer) => return Poll::Ready(answer),
                    Entered::Joined { began: true } => super::spawn::on_begin(shared),
                    Entered::Joined { began: false } => {}
                }
            }
            shared.wakes.register(seat.id, cx.waker());
            ready!(shared.advance(seat, now));
            seat.joined_at = None;
            let now = shared.clock.now();
            if let Some(outcome) = shared.collect(purpose, now) {
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
