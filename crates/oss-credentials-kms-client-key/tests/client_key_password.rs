//! Where the password of a client key comes from.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail the test"
)]

use std::path::{Path, PathBuf};

use oss_credentials_core::CredentialsError;
use oss_credentials_core::test_util::{FakeEnv, PanickingEnv};
use oss_credentials_kms_client_key::{ENV_CLIENT_KEY_PASSWORD, PasswordSource};
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/kms/passwords")
}

fn read(source: &PasswordSource, env: &FakeEnv) -> Result<String, String> {
    match source.read(env) {
        Ok(password) => Ok(password.as_str().to_owned()),
        Err(error) => {
            assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error}");
            Err(error.to_string())
        }
    }
}

#[test]
fn every_password_file_is_read_as_expected() {
    let expected: Value =
        serde_json::from_slice(&std::fs::read(folder().join("expected.json")).unwrap()).unwrap();
    let expected = expected.as_object().unwrap();
    assert_eq!(expected.len(), 7);
    for (name, expected) in expected {
        let file = folder().join(name);
        // What the variable says does not matter once a file is given.
        let env = FakeEnv::new().with(ENV_CLIENT_KEY_PASSWORD, "other");
        let got = read(&PasswordSource::new().file(&file), &env);
        let fails =
            |what: &str, hint: &str| Err(format!("kms-client-key: {what} ({}); {hint}", file.display()));
        let wanted = if let Some(password) = expected.as_str() {
            Ok(password.to_owned())
        } else if expected["error"] == "missing_password" {
            fails(
                "the password file of the client key is empty",
                "write the password into it that KMS showed beside the client key",
            )
        } else {
            assert_eq!(expected["recommended"], "error: more than one line", "{name}");
            fails(
                "the password file of the client key has more than one line",
                "leave only the password in it",
            )
        };
        assert_eq!(got, wanted, "{name}");
    }
}

#[test]
fn the_named_variable_comes_first_then_the_file_then_the_variable_of_last_resort() {
    let source = PasswordSource::new()
        .env_variable("NAMED")
        .file(folder().join("lf.txt"));
    let env = FakeEnv::new()
        .with("NAMED", "from variable")
        .with(ENV_CLIENT_KEY_PASSWORD, "last");
    assert_eq!(read(&source, &env).unwrap(), "from variable");
    env.set("NAMED", "");
    assert_eq!(read(&source, &env).unwrap(), "Throw-Away_01");
    env.unset("NAMED");
    assert_eq!(read(&source, &env).unwrap(), "Throw-Away_01");
    let source = PasswordSource::new().env_variable("NAMED");
    assert_eq!(read(&source, &env).unwrap(), "last");
    // Values of variables are taken as they are.
    env.set("NAMED", " padded ");
    assert_eq!(read(&source, &env).unwrap(), " padded ");
    let unset = PasswordSource::new().env_variable("").file("");
    assert_eq!(read(&unset, &env).unwrap(), "last");
}

#[test]
fn a_file_alone_does_not_read_the_environment() {
    let source = PasswordSource::new().file(folder().join("crlf.txt"));
    assert_eq!(source.read(&PanickingEnv).unwrap().as_str(), "Throw-Away_01");
}

#[test]
fn all_places_that_were_tried_are_named() {
    let source = PasswordSource::new().env_variable("NAMED");
    // One of the vendor's clients would take the name of the variable for the password here.
    let env = FakeEnv::new()
        .with("client_key_password_from_env_variable", "NAMED")
        .with(ENV_CLIENT_KEY_PASSWORD, "");
    assert_eq!(
        read(&source, &env).unwrap_err(),
        "kms-client-key: the password of the client key was not provided (variable NAMED is not set, variable \
         client_key_password is empty); set one of them to the password that KMS showed beside the client key, \
         or client_key_password_from_file_path to the path of a file that holds it"
    );
    assert_eq!(
        read(&PasswordSource::new(), &FakeEnv::new()).unwrap_err(),
        "kms-client-key: the password of the client key was not provided (variable client_key_password is not set); \
         set it to the password that KMS showed beside the client key, or client_key_password_from_file_path to the \
         path of a file that holds it"
    );
}

#[test]
fn a_password_in_place_of_a_name_or_a_path_is_not_shown() {
    let hint = "set one of them to the password that KMS showed beside the client key";
    for password in ["Canary-Pass_1", "CanaryPass1", "cana4cba7b5e9a4463b8a1f0c2d3e4f5"] {
        let source = PasswordSource::new().env_variable(password);
        let text = read(&source, &FakeEnv::new()).unwrap_err();
        let tried = "the variable named by client_key_password_from_env_variable is not set, variable \
                     client_key_password is not set";
        assert!(text.contains(&format!("({tried}); {hint}")), "{text}");
        let file = PasswordSource::new().file(password);
        assert_eq!(
            read(&file, &FakeEnv::new()).unwrap_err(),
            "kms-client-key: there is no password file of the client key (client_key_password_from_file_path); \
             correct the path of the password file, `client_key_password_from_file_path`: what it says now does not \
             look like one"
        );
        for shown in [text, format!("{source:?} {file:?}")] {
            assert!(!shown.to_lowercase().contains("cana"), "{shown}");
        }
    }
    let named = PasswordSource::new().env_variable("PW").file("/run/pw");
    assert!(format!("{named:?}").contains("PW") && format!("{named:?}").contains("/run/pw"));
}

#[test]
fn a_file_that_cannot_be_a_password_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password.txt");
    let source = PasswordSource::new().file(&file);
    let fails = || read(&source, &FakeEnv::new()).unwrap_err();
    let starts = |what: &str| format!("kms-client-key: {what} ({}); ", file.display());
    assert!(fails().starts_with(&starts("there is no password file of the client key")));
    for (content, what) in [
        (
            &b"\xff\xfep\0"[..],
            "the password file of the client key is not UTF-8",
        ),
        (
            b"\xef\xbb\xbf \r\n",
            "the password file of the client key is empty",
        ),
        (
            b"a\rb",
            "the password file of the client key has more than one line",
        ),
        (
            &vec![b'a'; 64 * 1024 + 1],
            "the password file of the client key is larger than 64 KiB",
        ),
    ] {
        std::fs::write(&file, content).unwrap();
        let error = fails();
        assert!(error.starts_with(&starts(what)), "{error}");
    }
}

#[test]
fn the_password_is_not_shown() {
    let env = FakeEnv::new().with(ENV_CLIENT_KEY_PASSWORD, "canary");
    let password = PasswordSource::new().read(&env).unwrap();
    assert_eq!(format!("{password:?}"), "ClientKeyPassword(<redacted>)");
}
