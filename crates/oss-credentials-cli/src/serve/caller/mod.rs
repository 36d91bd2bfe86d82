//! Who is at the other end of a connection, where the system shows it.

#[cfg(target_os = "linux")]
mod linux;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::OnceCell;

#[cfg(target_os = "linux")]
use linux::{look, process_of};

/// Whether this system shows the user of a connection.
pub(super) const ARE_KNOWN: bool = cfg!(target_os = "linux");

/// A connection, whose caller is looked up once.
#[derive(Debug)]
pub(super) struct Connection {
    peer: SocketAddr,
    local: SocketAddr,
    caller: OnceCell<Option<Caller>>,
    is_logged: AtomicBool,
}

/// Who has opened a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) user_id: u32,
    /// Of the socket, by which its process is found.
    inode: u64,
}

impl Connection {
    pub(super) fn new(peer: SocketAddr, local: SocketAddr) -> Self {
        Self {
            peer,
            local,
            caller: OnceCell::new(),
            is_logged: AtomicBool::new(false),
        }
    }

    /// Whether the log has it already.
    pub(super) fn is_logged(&self) -> bool {
        self.is_logged.load(Ordering::Relaxed)
    }

    pub(super) fn set_logged(&self) {
        self.is_logged.store(true, Ordering::Relaxed);
    }

    /// The caller; `None` where the system does not show it. Has to be asked while the connection is open.
    pub(super) async fn caller(&self) -> Option<Caller> {
        let (peer, local) = (self.peer, self.local);
        let look = || async move {
            tokio::task::spawn_blocking(move || look(peer, local))
                .await
                .ok()?
        };
        *self.caller.get_or_init(look).await
    }

    /// The caller as the log shows it. Finding the process takes long, so it is done for the log alone; it is unknown
    /// for a process of another user or container.
    pub(super) async fn describe(&self) -> String {
        let Some(Caller { user_id, inode }) = self.caller().await else {
            return "unknown".to_owned();
        };
        let process = tokio::task::spawn_blocking(move || process_of(inode)).await;
        match process.ok().flatten() {
            Some(id) => format!("pid {id}, user {user_id}"),
            None => format!("user {user_id}"),
        }
    }
}

/// The user who runs the agent.
#[cfg(unix)]
pub(super) fn own_user_id() -> u32 {
    nix::unistd::geteuid().as_raw()
}

/// Nobody: users are not known here.
#[cfg(not(unix))]
pub(super) fn own_user_id() -> u32 {
    u32::MAX
}

#[cfg(not(target_os = "linux"))]
fn look(_peer: SocketAddr, _local: SocketAddr) -> Option<Caller> {
    None
}

#[cfg(not(target_os = "linux"))]
fn process_of(_inode: u64) -> Option<u32> {
    None
}
