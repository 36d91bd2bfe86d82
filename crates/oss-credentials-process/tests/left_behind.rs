//! What a program leaves behind must cost nothing. Alone in its process, whose threads and files it counts.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::thread;
use std::time::Duration;

use oss_credentials_core::{CredentialsSource as _, blocking};
use oss_credentials_process::CredentialsProcess;

/// Threads, and open files, of this process.
fn held() -> [usize; 2] {
    ["/proc/self/task", "/proc/self/fd"].map(|folder| fs::read_dir(folder).unwrap().count())
}

/// A key agent is in a session of its own, where nobody ends it, and may keep the program's outputs for as long as
/// the machine runs.
#[test]
fn a_daemon_in_its_own_session_costs_a_second_and_nothing_else() {
    for script in [
        r#"setsid sleep 30 & echo '{"access_key_id": "id", "access_key_secret": "secret"}'"#,
        // Ends long before what it started prints on.
        r#"setsid sh -c 'sleep 30; echo junk' & echo '{"access_key_id": "id", "access_key_secret": "secret"}'"#,
        r#"setsid sleep 30 >/dev/null & echo '{"access_key_id": "id", "access_key_secret": "secret"}'"#,
    ] {
        let source = CredentialsProcess::builder()
            .command(["/bin/sh", "-c", script])
            .time_limit(Duration::from_secs(15))
            .build_source()
            .unwrap();
        let before = held();
        thread::scope(|scope| {
            let threads: Vec<_> = (0..7)
                .map(|_| scope.spawn(|| blocking::wait(source.fetch())))
                .collect();
            for thread in threads {
                let fetched = thread.join().unwrap().unwrap();
                assert_eq!(fetched.credentials().access_key_id(), "id");
            }
        });
        let (_sender, never) = std::sync::mpsc::channel::<()>();
        let settled =
            (0..200).any(|_| held() == before || never.recv_timeout(Duration::from_millis(10)).is_ok());
        assert!(settled, "{before:?} became {:?}", held());
    }

    // What is there counts, complete or not.
    let source = CredentialsProcess::builder()
        .command(["/bin/sh", "-c", r#"setsid sleep 30 & printf '{"access_key_id":'"#])
        .build_source()
        .unwrap();
    let error = blocking::wait(source.fetch()).unwrap_err();
    assert!(
        error.to_string().starts_with(
            "process: the program's output is not the JSON that was expected (line 1, column 17) (sh); "
        ),
        "{error}"
    );
}
