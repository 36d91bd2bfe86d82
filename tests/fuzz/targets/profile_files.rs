//! The CLI's `config.json` and the SDKs' `credentials.ini`.
#![no_main]

use fuzz::check;
use libfuzzer_sys::fuzz_target;
use oss_credentials_core::{CredentialsProvider, blocking};
use oss_credentials_http::{HttpResponse, http_fn};
use oss_credentials_profile::ProfileProvider;

fuzz_target!(|data: &[u8]| {
    let folder = tempfile::tempdir().unwrap();
    let (cli, ini) = (
        folder.path().join("config.json"),
        folder.path().join("credentials.ini"),
    );
    std::fs::write(&cli, data).unwrap();
    std::fs::write(&ini, data).unwrap();
    for use_cli in [true, false] {
        let provider = ProfileProvider::builder()
            .cli_file(&cli)
            .ini_file(&ini)
            .use_cli(use_cli)
            .use_ini(!use_cli)
            .http_client(http_fn(|_| async { Ok(HttpResponse::new(503, Vec::new())) }))
            .build();
        match provider {
            Ok(provider) => check(blocking::wait(provider.credentials()).as_ref()),
            Err(error) => check(Err(&error)),
        }
    }
    assert_eq!(std::fs::read(&cli).unwrap(), data, "a file was changed");
});
