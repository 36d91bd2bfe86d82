//! Profiles with the role of an instance.

use oss_credentials_core::{CredentialsError, CredentialsProvider, blocking};
use oss_credentials_http::HttpErrorKind;

use crate::support::Folder;

const PROFILE: &str = r#"{"name": "x", "mode": "EcsRamRole", "ram_role_name": ""}"#;

#[test]
fn no_metadata_service_is_an_outage_for_a_profile_that_wants_it() {
    let mut folder = Folder::new();
    folder.http = folder
        .http
        .fails(HttpErrorKind::Connect)
        .fails(HttpErrorKind::Connect);
    let error = blocking::wait(folder.cli("x", PROFILE).credentials()).unwrap_err();
    assert!(matches!(error, CredentialsError::Unavailable(_)), "{error:?}");
}

#[test]
fn what_the_environment_turns_off_is_off() {
    let folder = Folder::new();
    let path = folder.write(
        "config.json",
        format!(r#"{{"current": "x", "profiles": [{PROFILE}]}}"#),
    );
    let env = folder.env().with("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true");
    let provider = folder.builder().cli_file(path).env(&env).build().unwrap();
    let text = folder.invalid(&provider);
    assert!(
        text.starts_with("profile: in the profile \"x\" instance metadata is disabled (config.json)"),
        "{text}"
    );
}
