//! The processes that have started this one.

use std::fs;
use std::iter::successors;

/// A longer row of ancestors is not examined: the table changes while it is read, and a row might never end.
const MOST: usize = 256;

/// How many ancestors of this process have its name; 0 where the system has no table of processes.
pub(crate) fn of_this_name() -> usize {
    let Some(own) = process("self") else { return 0 };
    let parents = successors(process(&own.parent), |child| process(&child.parent));
    parents
        .take(MOST)
        .filter(|parent| parent.name == own.name)
        .count()
}

#[derive(Debug, PartialEq, Eq)]
struct Process {
    name: String,
    parent: String,
}

fn process(id: &str) -> Option<Process> {
    parse(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?)
}

/// Name and parent of a process. Manual page proc_pid_stat(5).
fn parse(stat: &str) -> Option<Process> {
    // A name may have any characters, parentheses included.
    let (before, after) = stat.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    // The state is between them.
    let parent = after.split_ascii_whitespace().nth(1)?;
    Some(Process {
        name: name.to_owned(),
        parent: parent.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_parent_are_read_whatever_the_name_is() {
        let found = parse("17 (a) b (c) S 16 17 17 0 -1 4194304").unwrap();
        assert_eq!((found.name.as_str(), found.parent.as_str()), ("a) b (c", "16"));
        assert_eq!(parse(""), None);
        assert_eq!(parse("17 (a)"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_parent_of_this_process_is_found() {
        let parent = std::os::unix::process::parent_id().to_string();
        assert_eq!(process("self").unwrap().parent, parent);
        assert!(process(&parent).is_some());
    }
}
