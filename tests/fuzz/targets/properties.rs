//! Properties files of the KMS provider.
#![no_main]

use fuzz::check;
use libfuzzer_sys::fuzz_target;
use oss_credentials_core::test_util::FakeEnv;
use oss_credentials_kms_client_key::KmsClientKey;

fuzz_target!(|data: &[u8]| {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kms.properties");
    std::fs::write(&file, data).unwrap();
    let built =
        KmsClientKey::from_properties(&file).and_then(|builder| builder.env(&FakeEnv::new()).build_source());
    if let Err(error) = built {
        check(Err(&error));
    }
});
