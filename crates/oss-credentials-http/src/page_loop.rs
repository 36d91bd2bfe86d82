//! Detection of lists without end.

use std::fmt;

/// Detects a list that repeats its pages: in a list that ends, positions, markers and tokens never repeat.
///
/// It stores one position, by Brent's algorithm: a loop of any length is found after at most three times as many pages
/// as there are up to its end.
///
/// `Debug` does not show the position, which may contain the name of an object.
///
/// # Examples
///
/// ```
/// use oss_credentials_http::PageLoop;
///
/// let mut page_loop = PageLoop::default();
/// let tokens = ["a", "b", "c", "b"];
/// let repeated = tokens.iter().position(|token| page_loop.closes_at(token));
/// assert_eq!(repeated, Some(3));
/// ```
#[derive(Clone, Default)]
pub struct PageLoop {
    kept: Option<String>,
    /// For how many positions more it is kept.
    left: u64,
    /// For how many positions it was kept at first.
    span: u64,
}

impl PageLoop {
    /// Returns whether this position was there before; otherwise it is the next one. `true` may come some pages late.
    pub fn closes_at(&mut self, position: &str) -> bool {
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

impl fmt::Debug for PageLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageLoop").finish_non_exhaustive()
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
