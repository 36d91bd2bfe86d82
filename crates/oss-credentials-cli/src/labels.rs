//! The names of settings: errors of the library name the methods of its builders, and whoever reads them here has flags.

use std::borrow::Cow;

use serde_json::Value;

/// What a text of the library names, and what it is here. Longer texts come before parts of them.
const LABELS: [(&str, &str); 31] = [
    ("; only endpoint(..) in code may name another host", ""),
    (", or allow_http(true) for a network you trust", ""),
    (", or let write_back(true) renew it", ""),
    ("; attempt_limit sets the timeout", ""),
    (", or let redirects(..) follow", ""),
    (", or raise `read_timeout`", ""),
    ("raise `operation_timeout`, or look", "look"),
    (", or list it in `additional_headers` (V4)", ""),
    (
        "oidc_provider_arn, or ALIBABA_CLOUD_OIDC_PROVIDER_ARN where that is read",
        "--oidc-provider-arn or ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
    ),
    (
        "role_arn, or ALIBABA_CLOUD_ROLE_ARN where that is read",
        "--role-arn or ALIBABA_CLOUD_ROLE_ARN",
    ),
    ("required(true)", "--provider ecs-ram-role"),
    ("disabled(true)", "--no-ecs-metadata"),
    ("allow_programs(false)", "--no-programs"),
    ("profile(..)", "--profile"),
    ("cli_file(..)", "--config-file"),
    ("ini_file(..)", "--credentials-file"),
    ("uri(..)", "--credentials-uri-file"),
    ("oidc_provider_arn(..)", "--oidc-provider-arn"),
    ("oidc_token_file(..)", "--oidc-token-file"),
    ("role_session_name(..)", "--role-session-name"),
    ("role_name(..)", "--ecs-role"),
    ("role_arn(..)", "--role-arn"),
    ("external_id(..)", "--external-id-file"),
    ("policy(..)", "--policy"),
    ("duration(..)", "--duration"),
    ("`region(..)`", "--region"),
    ("region(..)", "--region"),
    ("endpoint(..)", "--endpoint"),
    ("`region`", "--region"),
    ("`endpoint`", "--endpoint"),
    ("`path_style`", "path style"),
];

/// The text with flags in the place of methods.
pub(crate) fn as_flags(text: &str) -> Cow<'_, str> {
    let mut shown = Cow::Borrowed(text);
    for (name, flag) in LABELS {
        if shown.contains(name) {
            shown = Cow::Owned(shown.replace(name, flag));
        }
    }
    shown
}

/// All texts of a report with flags in the place of methods.
pub(crate) fn in_report(report: &mut Value) {
    match report {
        Value::String(text) => *text = as_flags(text).into_owned(),
        Value::Array(values) => values.iter_mut().for_each(in_report),
        Value::Object(fields) => fields.values_mut().for_each(in_report),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    #[test]
    fn methods_are_shown_as_flags() {
        for (text, shown) in [
            (
                "set oidc_token_file(..) or ALIBABA_CLOUD_OIDC_TOKEN_FILE",
                "set --oidc-token-file or ALIBABA_CLOUD_OIDC_TOKEN_FILE",
            ),
            (
                "unset ALIBABA_CLOUD_ECS_METADATA_DISABLED, or remove disabled(true)",
                "unset ALIBABA_CLOUD_ECS_METADATA_DISABLED, or remove --no-ecs-metadata",
            ),
            (
                "write it as http://127.0.0.1:port, or unset it; only endpoint(..) in code may name another host",
                "write it as http://127.0.0.1:port, or unset it",
            ),
            ("grant sts:AssumeRole", "grant sts:AssumeRole"),
        ] {
            assert_eq!(as_flags(text), shown);
        }
        let mut report = serde_json::json!({ "a": [{ "hint": "correct profile(..)" }, 1, null] });
        in_report(&mut report);
        assert_eq!(report["a"][0]["hint"], "correct --profile");
    }

    /// The sources of the libraries whose texts the command shows.
    fn sources() -> Vec<(PathBuf, String)> {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut folders: Vec<_> = [
            "acs-client",
            "acs-sts",
            "oss-credentials",
            "oss-credentials-ecs-ram-role",
            "oss-credentials-env",
            "oss-credentials-oidc-rrsa",
            "oss-credentials-process",
            "oss-credentials-profile",
            "oss-credentials-sts-assume-role",
            "oss-credentials-uri",
        ]
        .map(|name| crates.join(name).join("src"))
        .into();
        let mut sources = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let text = std::fs::read_to_string(&path).unwrap();
                    sources.push((path, text));
                }
            }
        }
        sources
    }

    /// Names of methods in texts that this command cannot show: it always has a client for HTTP, names files and
    /// members only by flags and variables, and runs no other builder's settings.
    const NEVER_SHOWN: [&str; 14] = [
        "http_client(..)",
        "config_ini(..)",
        "use_cli(true)",
        "use_ini(true)",
        "credentials_provider(..)",
        "call_as(..)",
        "oidc_token(..)",
        "order(..)",
        "without(..)",
        "only(..)",
        "command(..)",
        "command_line(..)",
        "http_fn(..)",
        "allow_http(true)",
    ];

    #[test]
    fn every_method_that_a_text_of_the_libraries_names_has_a_flag() {
        if !Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../oss-credentials-env")).exists() {
            println!("skipped: the sources of the libraries are not in the package");
            return;
        }
        let mut found = 0;
        for (path, source) in sources() {
            let code = source.split("#[cfg(test)]").next().unwrap();
            let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            for text in lines.filter(|line| line.contains('"')) {
                for end in ["(..)", "(true)", "(false)"] {
                    for (at, _) in text.match_indices(end) {
                        let is_word = |c: char| c.is_ascii_lowercase() || c == '_';
                        let begin = text[..at].trim_end_matches(is_word).len();
                        let name = format!("{}{end}", &text[begin..at]);
                        // Code, such as `.unwrap_or(false)`, is not a text, and a type is not a method.
                        let is_text = text[..begin].matches('"').count() % 2 == 1
                            && !text[..begin].ends_with(|c: char| c.is_ascii_uppercase());
                        if !is_text || begin == at || NEVER_SHOWN.contains(&&*name) {
                            continue;
                        }
                        found += 1;
                        let shown = as_flags(&name);
                        let is_part = LABELS.iter().any(|(label, _)| label.contains(&*name));
                        assert!(
                            shown != name || is_part,
                            "{}: {name} has no flag: {text}",
                            path.display()
                        );
                    }
                }
            }
        }
        assert!(found > 20, "{found}: the texts are not found");
    }
}
