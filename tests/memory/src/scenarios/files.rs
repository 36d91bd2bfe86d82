//! Profile files: read, and written back.

use oss_credentials_core::CredentialsProvider as _;
use oss_credentials_core::blocking;
use oss_credentials_profile::{ProfileProvider, ProfileProviderBuilder};
use tempfile::TempDir;

use super::exchanges::keys;
use super::{Scenario, ask, clean, clock, service};
use crate::secrets::{NOW, SECRETS, leak};

pub(super) fn all() -> Vec<Scenario> {
    vec![
        config(
            "profile: an access key in config.json",
            &[("mode", "AK"), ID, SECRET],
        ),
        config(
            "profile: a token in config.json",
            &[("mode", "StsToken"), ID, SECRET, TOKEN],
        ),
        ini(),
        cloud_sso(),
        oauth(),
        external(),
        broken(),
    ]
}

const ID: (&str, &str) = ("access_key_id", "LTAI5tExampleKeyId01");
const SECRET: (&str, &str) = ("access_key_secret", "SECRET");
const TOKEN: (&str, &str) = ("sts_token", "TOKEN");

fn json(fields: &[(&str, &str)]) -> String {
    let filled = fields.iter().map(|(name, value)| match *value {
        "SECRET" => format!("\"{name}\": \"{}\"", SECRETS.secret),
        "TOKEN" => format!("\"{name}\": \"{}\"", SECRETS.token),
        number if number.parse::<u64>().is_ok() => format!("\"{name}\": {number}"),
        text => format!("\"{name}\": \"{text}\""),
    });
    let fields = filled.collect::<Vec<_>>().join(", ");
    format!(r#"{{"current": "x", "profiles": [{{"name": "x", {fields}}}]}}"#)
}

/// A folder with this file.
fn folder(name: &str, text: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), text).unwrap();
    folder
}

fn cli(folder: &TempDir) -> ProfileProviderBuilder {
    ProfileProvider::builder()
        .cli_file(folder.path().join("config.json"))
        .clock(clock())
}

fn config(name: &'static str, fields: &[(&str, &str)]) -> Scenario {
    let folder = folder("config.json", &json(fields));
    clean(name, move || ask(&cli(&folder).build().unwrap(), SECRETS.secret))
}

fn ini() -> Scenario {
    let text = format!(
        "[default]\ntype = sts\naccess_key_id = id\naccess_key_secret = {}\nsecurity_token = '{}'\n",
        SECRETS.secret, SECRETS.token
    );
    let folder = folder("credentials.ini", &text);
    Scenario {
        name: "profile: credentials.ini",
        expected: &[
            ("access key secret", "configparser"),
            ("security token", "configparser"),
        ],
        work: Box::new(move || {
            let provider = ProfileProvider::builder()
                .ini_file(folder.path().join("credentials.ini"))
                .build()
                .unwrap();
            ask(&provider, SECRETS.secret);
        }),
    }
}

/// Whether `config.json` was written back with this secret.
fn holds(folder: &TempDir, secret: &str) {
    let text = std::fs::read_to_string(folder.path().join("config.json")).unwrap();
    assert!(text.contains(secret));
    // Not a copy of ours.
    std::mem::forget(text);
}

fn issued() -> String {
    format!(
        r#"{{"AccessKeyId": "STS.ExampleIssuedKeyId", "AccessKeySecret": "{}", "SecurityToken": "{}",
        "Expiration": "2026-03-08T11:42:40Z"}}"#,
        SECRETS.issued_secret, SECRETS.issued_token
    )
}

fn cloud_sso() -> Scenario {
    let folder = folder(
        "config.json",
        &json(&[
            ("mode", "CloudSSO"),
            ("cloud_sso_sign_in_url", "https://signin.example.com/start"),
            ("cloud_sso_account_id", "one"),
            ("cloud_sso_access_config", "ac"),
            ("access_token", SECRETS.access_token),
        ]),
    );
    let body = leak(format!(
        r#"{{"CloudCredential": {}, "RequestId": "R-1"}}"#,
        issued()
    ));
    clean("profile: a CloudSSO login", move || {
        let provider = cli(&folder)
            .write_back(true)
            .http_client(service(move |_| (200, body)))
            .build()
            .unwrap();
        ask(&provider, SECRETS.issued_secret);
    })
}

fn oauth() -> Scenario {
    let ended = (NOW - 10).to_string();
    let folder = folder(
        "config.json",
        &json(&[
            ("mode", "OAuth"),
            ("oauth_site_type", "CN"),
            ("oauth_access_token", SECRETS.access_token),
            ("oauth_access_token_expire", ended.as_str()),
            ("oauth_refresh_token", SECRETS.refresh_token),
        ]),
    );
    let renewed = leak(format!(
        r#"{{"access_token": "{}", "refresh_token": "{}", "expires_in": 3600}}"#,
        SECRETS.new_access_token, SECRETS.new_refresh_token
    ));
    let body = leak(issued());
    clean(
        "profile: an OAuth login that is renewed and written back",
        move || {
            let answer = move |url: &str| (200, if url.ends_with("/v1/token") { renewed } else { body });
            let provider = cli(&folder)
                .write_back(true)
                .http_client(service(answer))
                .build()
                .unwrap();
            ask(&provider, SECRETS.issued_secret);
            holds(&folder, SECRETS.new_refresh_token);
        },
    )
}

fn external() -> Scenario {
    let keys = leak(keys());
    let output = folder("keys.json", keys);
    let command = ["/bin/cat ", output.path().join("keys.json").to_str().unwrap()].concat();
    let folder = folder(
        "config.json",
        &json(&[("mode", "External"), ("process_command", &command)]),
    );
    clean("profile: the output of a program, written back", move || {
        ask(
            &cli(&folder).write_back(true).build().unwrap(),
            SECRETS.issued_secret,
        );
        holds(&folder, SECRETS.issued_token);
        drop(output);
    })
}

fn broken() -> Scenario {
    let text = json(&[("mode", "StsToken"), ID, SECRET, TOKEN]);
    let texts = [
        text.trim_end_matches('}').to_owned(),
        text.replace("access_key_id", "other"),
    ]
    .map(leak);
    let folders = texts.map(|text| folder("config.json", text));
    clean("profile: files that are cut or not complete", move || {
        for folder in folders {
            let error = blocking::wait(cli(&folder).build().unwrap().credentials()).unwrap_err();
            assert!(!format!("{error} {error:?}").contains(SECRETS.secret));
        }
    })
}
