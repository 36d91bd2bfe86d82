//! A profile of the aliyun CLI that assumes a role over another profile.
//!
//! `cargo run -p oss-testkit -- cargo run --example profile`

mod whoami;

use std::error::Error;
use std::io::Write as _;

use oss_credentials_core::{Env as _, ProcessEnv};
use oss_credentials_profile::ProfileProvider;
use tempfile::NamedTempFile;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let file = config_json()?;
    // Most programs say `ProfileProvider::from_env(&ProcessEnv)?` instead, and take the files in the home directory.
    let provider = ProfileProvider::builder()
        .cli_file(file.path())
        .profile("role")
        .build()?;
    whoami::show(&provider).await
}

/// Plays `aliyun configure`.
fn config_json() -> Result<NamedTempFile, Box<dyn Error>> {
    let var = |name| {
        let value = ProcessEnv.non_empty(name);
        value.map_or_else(|| "null".to_owned(), |value| format!("{value:?}"))
    };
    let mut file = NamedTempFile::new()?;
    write!(
        file,
        r#"{{
    "current": "keys",
    "profiles": [
        {{"name": "keys", "mode": "AK", "access_key_id": {}, "access_key_secret": {}}},
        {{"name": "role", "mode": "ChainableRamRoleArn", "source_profile": "keys", "ram_role_arn": {},
          "ram_session_name": "profile-example", "expired_seconds": 900, "sts_endpoint": {}}}
    ]
}}"#,
        var("ALIBABA_CLOUD_ACCESS_KEY_ID"),
        var("ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
        var("ALIBABA_CLOUD_ROLE_ARN"),
        var("ALIBABA_CLOUD_STS_ENDPOINT")
    )?;
    Ok(file)
}
