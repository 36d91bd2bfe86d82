//! How many connections other users may have, so that none of them keeps everybody else out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::caller::{Connection, own_user_id};

/// Most connections of another user, of those that were accepted while there were few places left. Users whom the system
/// does not show count as one.
const MOST_OF_A_USER: usize = 64;

/// The connections of other users that count.
#[derive(Debug, Default)]
pub(super) struct Shares {
    taken: Mutex<HashMap<Option<u32>, usize>>,
}

/// One connection of a user; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    shares: Arc<Shares>,
    user: Option<u32>,
}

impl Shares {
    /// Takes a place for the user of a connection; `None` if the user has had enough. Looking a user up takes as long as
    /// many requests, so this is asked only where places are few.
    pub(super) async fn admit(self: &Arc<Self>, connection: &Connection) -> Option<Share> {
        let user = connection.caller().await.map(|caller| caller.user_id);
        self.take(user, own_user_id())
    }

    /// The user who runs the agent could end it, and is not limited.
    fn take(self: &Arc<Self>, user: Option<u32>, own: u32) -> Option<Share> {
        let mut taken = self.taken();
        let count = taken.entry(user).or_default();
        if *count >= MOST_OF_A_USER && user != Some(own) {
            return None;
        }
        *count += 1;
        Some(Share {
            shares: Arc::clone(self),
            user,
        })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<Option<u32>, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut taken = self.shares.taken();
        let left = taken.get(&self.user).map_or(0, |count| count - 1);
        if left == 0 {
            taken.remove(&self.user);
        } else {
            taken.insert(self.user, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_user_cannot_take_every_place() {
        let shares = Arc::new(Shares::default());
        let take = |user| shares.take(user, 1000);
        for user in [Some(7), None] {
            let mut held: Vec<Share> = (0..MOST_OF_A_USER).filter_map(|_| take(user)).collect();
            assert_eq!(held.len(), 64);
            assert!(take(user).is_none());
            assert!(take(Some(8)).is_some(), "the limit is each user's own");
            held.pop();
            assert!(take(user).is_some(), "a place is given back");
        }
        let own: Vec<Share> = (0..200).filter_map(|_| take(Some(1000))).collect();
        assert_eq!(own.len(), 200);
        drop(own);
        assert!(shares.taken().is_empty(), "nobody who has left is remembered");
    }
}
