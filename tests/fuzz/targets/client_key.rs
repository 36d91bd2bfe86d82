//! PKCS#12 of a client key file, after its JSON and base64.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fuzz::check_without;
use libfuzzer_sys::fuzz_target;
use oss_credentials_kms_client_key::ClientKeyFile;

const PASSWORD: &str = "c4n4ry+Own/Secret0";

fuzz_target!(|data: &[u8]| {
    let json = format!(
        r#"{{"KeyId": "KAAP.example", "PrivateKeyData": "{}"}}"#,
        STANDARD.encode(data)
    );
    if let Err(error) = ClientKeyFile::open(json.as_bytes(), PASSWORD) {
        check_without(Err(&error), Some(PASSWORD));
    }
    if let Err(error) = ClientKeyFile::open(data, PASSWORD) {
        check_without(Err(&error), Some(PASSWORD));
    }
});
