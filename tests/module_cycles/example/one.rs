use std::fmt::{self, Debug};

/// By the name that the root passes on, which `two` has from its child.
pub struct One(Option<Box<crate::Renamed>>);

#[cfg(test)]
mod tests {
    use crate::Two;
}
