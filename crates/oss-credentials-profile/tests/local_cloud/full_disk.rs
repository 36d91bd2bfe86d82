//! A disk that is full: a real one of 256 KiB in memory, which only root can have.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use oss_testkit::Service;

use crate::bench::{Bench, HOUR, ask};
use crate::killed::drafts;
use crate::renewal::{answers, holds_the_login};

struct Disk(PathBuf);

impl Disk {
    /// With the files that are in the folder. `None` if this process may not mount one.
    #[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
    fn mounted_on(folder: &Path) -> Option<Self> {
        let entries = std::fs::read_dir(folder).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let files: Vec<_> = paths
            .map(|path| (path.clone(), std::fs::read(path).unwrap()))
            .collect();
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=256k,mode=700", "tmpfs"])
            .arg(folder);
        if mount.output().is_ok_and(|output| output.status.success()) {
            for (path, content) in files {
                std::fs::write(path, content).unwrap();
            }
            return Some(Self(folder.to_owned()));
        }
        println!("skipped: only root can mount a small disk");
        None
    }

    /// Leaves no byte.
    fn fill(&self) -> PathBuf {
        let path = self.0.join("filler");
        let mut file = std::fs::File::create(&path).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_login_is_not_spent_while_there_is_no_space_for_the_next_one() {
    let bench = Bench::new();
    let Some(disk) = Disk::mounted_on(bench.folder.path()) else {
        return;
    };
    let before = bench.text();
    // Once it is there, it takes no space.
    std::fs::write(bench.folder.path().join("config.json.lock"), "").unwrap();
    let filler = disk.fill();
    bench.pass(3 * HOUR);
    let provider = bench.writing("OAuth");
    let error = ask(&provider).unwrap_err();
    assert_eq!(
        (error.kind(), bench.shown(&error)),
        (
            "unavailable",
            "profile: the file cannot be replaced by a renewed one (config.json); free some space on its disk"
                .to_owned()
        )
    );
    assert_eq!(bench.cloud.count(Service::OAuth, "RefreshToken"), 0);
    assert_eq!(bench.text(), before);
    assert!(drafts(&bench).is_empty());

    std::fs::remove_file(filler).unwrap();
    bench.pass(HOUR);
    bench.owner(&ask(&provider).unwrap());
    holds_the_login(&bench);
    assert!(answers(&bench).iter().all(|(_, status)| *status == Some(200)));
}

/// What another program takes meanwhile does not count: the space was reserved.
#[test]
fn a_disk_that_fills_up_during_the_renewal_loses_no_login() {
    let bench = Bench::new();
    let Some(disk) = Disk::mounted_on(bench.folder.path()) else {
        return;
    };
    bench.pass(3 * HOUR);
    let disk = Arc::new(disk);
    let filled = Arc::clone(&disk);
    let provider = bench.writing_when_asked("OAuth", move || drop(filled.fill()));
    bench.owner(&ask(&provider).unwrap());
    holds_the_login(&bench);
}
