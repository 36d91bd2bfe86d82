//! Paginated lists.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::error::Error;

/// Detects a list that repeats its pages: in a list that ends, positions, markers and tokens never repeat.
///
/// Keeps one position, by Brent's algorithm: a loop of any length is found after at most three times as many pages as
/// there are up to its end.
#[derive(Debug, Default)]
pub(crate) struct PageLoop {
    kept: Option<String>,
    /// For how many positions more it is kept.
    left: u64,
    /// For how many positions it was kept at first.
    span: u64,
}

impl PageLoop {
    /// Whether this position was there before.
    pub(crate) fn closes_at(&mut self, position: &str) -> bool {
        if self.kept.as_deref() == Some(position) {
            return true;
        }
        if self.left == 0 {
            self.span = self.span.saturating_mul(2).max(1);
            self.left = self.span;
            self.kept = Some(position.to_owned());
        }
        self.left -= 1;
        false
    }
}

/// A list that is fetched page by page as it is read: a stream. It ends after an error.
///
/// # Examples
///
/// ```no_run
/// # async fn run(client: &oss_client::Client) -> Result<(), oss_client::Error> {
/// let mut objects = client.list_objects_v2("examplebucket").prefix("logs/").objects();
/// while let Some(object) = objects.try_next().await? {
///     println!("{} has {} bytes", object.key, object.size);
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is sent before it is polled"]
pub struct Paged<T>(Pin<Box<dyn Stream<Item = Result<T, Error>> + Send>>);

impl<T> Paged<T> {
    pub(crate) fn new(stream: impl Stream<Item = Result<T, Error>> + Send + 'static) -> Self {
        Self(Box::pin(stream))
    }

    /// Returns the next item; `None` at the end.
    ///
    /// # Errors
    ///
    /// Those of fetching a page.
    pub async fn try_next(&mut self) -> Result<Option<T>, Error> {
        std::future::poll_fn(|cx| self.0.as_mut().poll_next(cx))
            .await
            .transpose()
    }
}

impl<T> Stream for Paged<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl<T> fmt::Debug for Paged<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Paged").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_of_any_length_are_found_and_nothing_else() {
        for before in [0_usize, 1, 2, 5, 100] {
            for length in [1_usize, 2, 3, 7, 100] {
                let mut page_loop = PageLoop::default();
                let mut position = 0;
                let mut pages = 1;
                while !page_loop.closes_at(&position.to_string()) {
                    position += 1;
                    if position == before + length {
                        position = before;
                    }
                    pages += 1;
                    assert!(pages <= 3 * (before + length) + 2, "{before} {length}");
                }
                assert!(pages > before + length, "{before} {length}");
            }
        }
        let mut page_loop = PageLoop::default();
        assert!((0..10_000).all(|position| !page_loop.closes_at(&position.to_string())));
    }
}
