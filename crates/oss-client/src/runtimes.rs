//! reqwest's clients: one per runtime.

use std::sync::{Mutex, OnceLock, PoisonError};

use oss_credentials_http::{HttpError, HttpErrorKind, out_of_files};
use tokio::runtime::Id;

use crate::error::InvalidInput;

/// For how many runtimes besides the first one clients are kept, those used last.
const KEPT: usize = 64;

pub(crate) type Make = Box<dyn Fn() -> Result<reqwest::Client, InvalidInput> + Send + Sync>;

/// A connection is driven by the runtime in which it was made, and hangs where that is not polled any more. So each runtime
/// has a client, and with it a pool, of its own.
pub(crate) struct Clients {
    /// Made when the settings were checked.
    first: reqwest::Client,
    /// The runtime that used the first one first.
    owner: OnceLock<Id>,
    others: Mutex<Vec<(Id, reqwest::Client)>>,
    /// `None`: the client was given ready-made.
    make: Option<Make>,
}

impl Clients {
    pub(crate) fn ready(client: reqwest::Client) -> Self {
        Self {
            first: client,
            owner: OnceLock::new(),
            others: Mutex::default(),
            make: None,
        }
    }

    pub(crate) fn made(make: Make) -> Result<Self, InvalidInput> {
        let first = make()?;
        Ok(Self {
            make: Some(make),
            ..Self::ready(first)
        })
    }

    /// The client of this runtime, made now if it has none.
    pub(crate) fn of(&self, runtime: Id) -> Result<reqwest::Client, HttpError> {
        match &self.make {
            Some(make) if *self.owner.get_or_init(|| runtime) != runtime => self.another(runtime, make),
            _ => Ok(self.first.clone()),
        }
    }

    fn another(&self, runtime: Id, make: &Make) -> Result<reqwest::Client, HttpError> {
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        let known = others.iter().position(|(other, _)| *other == runtime);
        let found = if let Some(at) = known {
            others.remove(at)
        } else {
            let client = make().map_err(|problem| match out_of_files() {
                Some(error) => HttpError::new(HttpErrorKind::Other, error),
                None => HttpError::new(HttpErrorKind::Request, problem),
            })?;
            (runtime, client)
        };
        let client = found.1.clone();
        // Last used stands last, so the first is the one to go.
        others.push(found);
        if others.len() > KEPT {
            others.remove(0);
        }
        Ok(client)
    }
}
