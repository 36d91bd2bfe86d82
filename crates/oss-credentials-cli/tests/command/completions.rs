//! What shells complete, in the shells themselves.

use std::process::Command;

use crate::support::{Place, run};

/// Calls the function that the script has registered, as bash does when Tab is pressed.
const BASH: &str = r#"
source "$1"
read -ra COMP_WORDS <<< "$2"
[[ $2 == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
registered=$(complete -p oss-credentials)
function=${registered##*-F }
"${function%% *}" oss-credentials "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
"#;

/// Presses Tab in a zsh of its own, in a pseudo-terminal.
const ZSH: &str = r#"
zmodload zsh/zpty
export SCRIPT=$1
zpty inner zsh -f -i
zpty -w inner "source $3"
until_line() {
  while zpty -r inner line; do
    [[ $line == *match:* ]] && print -r -- ${${line##*match:}%%$'\r'*}
    [[ $line == *$1* ]] && return
  done
}
until_line ready:
zpty -w -n inner "$2"$'\t'
until_line completed:
"#;

const FISH: &str = "source $argv[1]; complete -C $argv[2]";

/// The way to the matches of a line in each shell.
fn shell(place: &Place, name: &str) -> Command {
    let mut command = place.program("env");
    match name {
        "bash" => command.args(["bash", "--norc", "-c", BASH, "bash"]),
        "zsh" => command.args(["zsh", "-f", "-c", ZSH, "zsh"]),
        _ => command.args(["fish", "--no-config", "-c", FISH]),
    };
    command
}

/// The matches of a line.
fn complete(place: &Place, name: &str, line: &str) -> Vec<String> {
    let mut command = shell(place, name);
    command.args([&place.path("script"), std::path::Path::new(line)]);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/command/complete.zsh"));
    let ended = run(command);
    // fish explains a match behind a tab.
    let matches = ended.out.lines().map(|line| line.split('\t').next().unwrap());
    matches.map(|found| found.trim().to_owned()).collect()
}

fn is_installed(place: &Place, name: &str) -> bool {
    let known = place.program("env").args([name, "--version"]).output();
    known.is_ok_and(|output| output.status.success())
}

#[test]
fn shells_complete_commands_flags_and_values() {
    let place = Place::new();
    let file = format!("serve --url-file {}/conf", place.folder.path().display());
    for name in ["bash", "zsh", "fish"] {
        if !is_installed(&place, name) {
            println!("skipped: {name} is not installed");
            continue;
        }
        let script = run(place.bare(&["completions", name]));
        assert_eq!((script.code, script.err.as_str()), (Some(0), ""));
        std::fs::write(place.path("script"), script.out).unwrap();
        for (words, expected) in [
            ("do", &["doctor"][..]),
            ("doctor --pro", &["--profile", "--provider"]),
            ("-v doctor --credentials-u", &["--credentials-uri-file"]),
            (
                "doctor --provider ",
                &["ecs-ram-role", "env", "oidc-rrsa", "profile", "uri"],
            ),
            ("export --format p", &["powershell", "process"]),
            ("assume-role --du", &["--duration"]),
            ("presign P", &["PUT"]),
            ("completions f", &["fish"]),
            ("help who", &["whoami"]),
        ] {
            let mut found = complete(&place, name, &format!("oss-credentials {words}"));
            found.sort_unstable();
            assert_eq!(found, expected, "{name}: {words}");
        }
        let found = complete(&place, name, &format!("oss-credentials {file}"));
        assert!(
            found.len() == 1 && found[0].ends_with("config.json"),
            "{name}: {found:?}"
        );
    }
}
