//! The system's tables of sockets and processes.

use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, SocketAddr};

use super::Caller;

/// `TCP_ESTABLISHED`. Other states have no owner: they show user 0.
const ESTABLISHED: &str = "01";

/// Finds the socket at the other end in the system's table.
pub(super) fn look(peer: SocketAddr, local: SocketAddr) -> Option<Caller> {
    let table = if peer.is_ipv4() {
        "/proc/net/tcp"
    } else {
        "/proc/net/tcp6"
    };
    let (user_id, inode) = find(&fs::read_to_string(table).ok()?, peer, local)?;
    Some(Caller { user_id, inode })
}

/// User and inode of the socket from `peer` to `local`. Manual page proc_net_tcp(5).
pub(super) fn find(table: &str, peer: SocketAddr, local: SocketAddr) -> Option<(u32, u64)> {
    let (peer, local) = (hexadecimal(peer), hexadecimal(local));
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let is_it = fields.next()? == peer && fields.next()? == local && fields.next()? == ESTABLISHED;
        if !is_it {
            return None;
        }
        // Queues, timer, retransmissions; user, timeout, inode.
        let user = fields.nth(3)?.parse().ok()?;
        Some((user, fields.nth(1)?.parse().ok()?))
    })
}

/// An address as the table has it: each 32 bits of it in the byte order of the machine.
fn hexadecimal(address: SocketAddr) -> String {
    let mut text = String::new();
    let bytes = match address.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    for word in bytes.chunks_exact(4) {
        let word = <[u8; 4]>::try_from(word)
            .map(u32::from_ne_bytes)
            .unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = write!(text, "{word:08X}");
    }
    format!("{text}:{:04X}", address.port())
}

/// The process that has a socket open; `None` where its descriptors may not be read.
pub(super) fn process_of(inode: u64) -> Option<u32> {
    let wanted = format!("socket:[{inode}]");
    let has_it = |process: &fs::DirEntry| {
        let descriptors = fs::read_dir(process.path().join("fd"))
            .into_iter()
            .flatten()
            .flatten();
        descriptors
            .filter_map(|descriptor| fs::read_link(descriptor.path()).ok())
            .any(|target| target.as_os_str() == wanted.as_str())
    };
    let processes = fs::read_dir("/proc").ok()?.flatten();
    processes
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry)))
        .find(|(_, entry)| has_it(entry))
        .map(|(id, _)| id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn the_table_names_the_socket_of_the_caller() {
        // A line as proc_net_tcp(5) describes it, on a little-endian machine: 127.0.0.1 is 0100007F.
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
               0: 0100007F:0016 0100007F:1F90 06 00000000:00000000 00:00000000 00000000     0        0 0 3 x\n\
               1: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 4242 1 x\n";
        let local = "127.0.0.1:8080".parse().unwrap();
        if cfg!(target_endian = "little") {
            assert_eq!(
                find(table, "127.0.0.1:50000".parse().unwrap(), local),
                Some((1000, 4242))
            );
            assert_eq!(
                find(table, "127.0.0.1:22".parse().unwrap(), local),
                None,
                "it has been closed"
            );
        }
    }

    #[test]
    fn this_process_is_found() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let caller = look(stream.local_addr().unwrap(), stream.peer_addr().unwrap()).unwrap();
        assert_eq!(caller.user_id, nix::unistd::geteuid().as_raw());
        assert_eq!(process_of(caller.inode), Some(std::process::id()));
    }
}
