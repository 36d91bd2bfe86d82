//! The command in a pseudo-terminal. On Linux, whose `setsid` can make it the leader of one.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use nix::pty::{Winsize, openpty};

use crate::support::{PROGRAM, Place};

/// A program in a terminal of its own.
struct Terminal {
    device: File,
    child: Child,
    shown: String,
}

impl Terminal {
    fn start(mut command: Command, width: u16) -> Self {
        let size = Winsize {
            ws_row: 24,
            ws_col: width,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let pair = openpty(&size, None).unwrap();
        let end = || Stdio::from(pair.slave.try_clone().unwrap());
        command.env("TERM", "xterm");
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        Self {
            device: pair.master.into(),
            child,
            shown: String::new(),
        }
    }

    /// Reads what is shown, until this text or the end of the program.
    fn read_until(&mut self, text: &str) {
        let mut part = [0; 4096];
        while text.is_empty() || !self.shown.contains(text) {
            // Linux reports an error where no program has the terminal any more.
            match self.device.read(&mut part) {
                Ok(0) | Err(_) => return,
                Ok(length) => self.shown.push_str(&String::from_utf8_lossy(&part[..length])),
            }
        }
    }

    fn press(&mut self, keys: &str) {
        self.device.write_all(keys.as_bytes()).unwrap();
    }

    /// All that was shown, and the exit code.
    fn end(mut self) -> (String, Option<i32>) {
        self.read_until("");
        let code = self.child.wait().unwrap().code();
        (self.shown.replace("\r\n", "\n"), code)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It has ended, unless a test has failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The text without colors.
fn plain(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    // A color ends with `m`.
    parts.fold(first, |plain, part| {
        plain + part.split_once('m').map_or("", |(_, rest)| rest)
    })
}

#[test]
fn a_terminal_has_colors_and_lines_of_its_width() {
    let place = Place::new();
    let words = ["doctor", "--online", "--bucket", "example-bucket"];
    for width in [40, 80] {
        let (shown, code) = Terminal::start(place.with_keys(&words), width).end();
        assert_eq!(code, Some(0), "{shown}");
        assert!(shown.contains("\u{1b}[1m\u{1b}[32min use\u{1b}[0m"), "{shown}");
        for line in plain(&shown).lines() {
            let is_one_word = line.split_whitespace().count() <= 2;
            assert!(
                is_one_word || line.chars().count() <= width.into(),
                "{width}: {line:?}"
            );
            assert_eq!(line, line.trim_end(), "{width}");
        }
    }
    let mut colorless = place.with_keys(&words);
    colorless.env("NO_COLOR", "1");
    let (shown, _) = Terminal::start(colorless, 80).end();
    assert!(shown.contains("in use") && !shown.contains('\u{1b}'), "{shown}");
}

#[test]
fn no_secret_is_shown_on_a_terminal_unasked() {
    let place = Place::new();
    let role = place.cloud.role_arn();
    let secret = place.cloud.access_key().access_key_secret().to_owned();
    for words in [
        &["export"][..],
        &["export", "--format", "json"],
        &["assume-role", &role],
        &["serve"],
    ] {
        let (shown, code) = Terminal::start(place.with_keys(words), 80).end();
        let begins = format!("{}: standard output is a terminal", words[0]);
        assert!(code == Some(1) && shown.starts_with(&begins), "{shown}");
    }
    assert!(place.cloud.requests().is_empty(), "nothing is fetched in vain");
    let (shown, code) = Terminal::start(place.with_keys(&["export", "--show"]), 80).end();
    assert!(code == Some(0) && shown.contains(&secret), "{shown}");
}

/// The command as the leader of the terminal, which Ctrl-C reaches.
fn leading(place: &Place, words: &[&str]) -> Terminal {
    let keys = place.cloud.access_key();
    let mut command = place.program("setsid");
    command
        .args(["--ctty", "--wait", "env", "--default-signal", PROGRAM])
        .args(words)
        .env("ALIBABA_CLOUD_ACCESS_KEY_ID", keys.access_key_id())
        .env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", keys.access_key_secret());
    Terminal::start(command, 80)
}

#[test]
fn ctrl_c_reaches_the_program_once() {
    let place = Place::new();
    let script = "n=0; trap 'n=$((n+1)); echo caught' INT; echo ready; \
                  while ! read line; do :; done; echo times $n; exit 9";
    let mut terminal = leading(&place, &["exec", "--serve", "--", "sh", "-c", script]);
    terminal.read_until("ready");
    terminal.press("\u{3}");
    terminal.read_until("caught");
    terminal.press("go\n");
    let (shown, code) = terminal.end();
    assert!(shown.ends_with("times 1\n"), "{shown}");
    assert_eq!(code, Some(9), "{shown}");
}

#[test]
fn ctrl_c_ends_an_agent_in_order() {
    let place = Place::new();
    let file = place.path("url");
    let mut terminal = leading(&place, &["serve", "--url-file", file.to_str().unwrap()]);
    terminal.read_until("listening");
    assert!(file.exists());
    terminal.press("\u{3}");
    let (shown, code) = terminal.end();
    assert!(code == Some(0) && shown.contains("ending"), "{shown}");
    assert!(!file.exists());
}
