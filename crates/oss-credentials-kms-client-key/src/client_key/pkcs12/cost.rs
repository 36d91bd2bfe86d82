//! Limits the work that a file may cause.

use super::error::Error;

/// Maximum number of iterations of all key derivations of one file: its MAC, its contents and its keys each need one. A
/// file that KMS issues has 4097 in all, those of other tools 6000 to 30 000. A million take about a second, in which
/// the thread of an executor is blocked.
pub(super) const MAX_ITERATIONS: u32 = 1_000_000;

/// What may still be spent on a file.
pub(super) struct Cost {
    left: u32,
}

impl Default for Cost {
    fn default() -> Self {
        Self { left: MAX_ITERATIONS }
    }
}

impl Cost {
    /// Must be called before each derivation; the file is input from outside.
    pub(super) fn spend(&mut self, iterations: u32) -> Result<(), Error> {
        if iterations == 0 {
            return Err(Error::Malformed("it specifies no iterations"));
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
    fn all_derivations_together_are_limited() {
        let mut cost = Cost::default();
        assert_eq!(cost.spend(1_000_001), Err(Error::TooManyIterations));
        assert!(matches!(cost.spend(0), Err(Error::Malformed(_))));
        assert_eq!(cost.spend(400_000), Ok(()));
        assert_eq!(cost.spend(600_001), Err(Error::TooManyIterations));
        assert_eq!(cost.spend(600_000), Ok(()));
        assert_eq!(cost.spend(1), Err(Error::TooManyIterations));
    }
}
