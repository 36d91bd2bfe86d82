//! How much work a file may ask for.

use super::error::Error;

/// Iterations of one key derivation; files in use have 1 to 600 000.
pub(super) const MAX_ITERATIONS: u32 = 1_000_000;

/// Iterations of all derivations that one file asks for: its MAC, its contents and its keys each need one.
const MAX_TOTAL: u32 = 4 * MAX_ITERATIONS;

/// What may still be spent on a file.
pub(super) struct Cost {
    left: u32,
}

impl Default for Cost {
    fn default() -> Self {
        Self { left: MAX_TOTAL }
    }
}

impl Cost {
    /// To be asked before each derivation; the file is input from outside.
    pub(super) fn spend(&mut self, iterations: u32) -> Result<(), Error> {
        if iterations == 0 {
            return Err(Error::Malformed("it asks for no iterations"));
        }
        if iterations > MAX_ITERATIONS {
            return Err(Error::TooManyIterations);
        }
        self.left = self
            .left
            .checked_sub(iterations)
            .ok_or(Error::TooManyIterations)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_derivation_and_all_of_them_are_limited() {
        let mut cost = Cost::default();
        assert_eq!(cost.spend(MAX_ITERATIONS + 1), Err(Error::TooManyIterations));
        assert!(matches!(cost.spend(0), Err(Error::Malformed(_))));
        for _ in 0..4 {
            assert_eq!(cost.spend(MAX_ITERATIONS), Ok(()));
        }
        assert_eq!(cost.spend(1), Err(Error::TooManyIterations));
    }
}
