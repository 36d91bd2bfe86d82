//! The programs that sign a GET by themselves, against a local cloud that checks the signature.

use std::process::{Command, Output};

use oss_testkit::LocalCloud;

const PROGRAMS: [&str; 2] = [
    env!("CARGO_BIN_EXE_signed-get-hyper"),
    env!("CARGO_BIN_EXE_signed-get-ureq"),
];

async fn run(program: &'static str, cloud: &LocalCloud, secret: &str) -> Output {
    let credentials = cloud.access_key();
    let arguments = [
        &cloud.oss_endpoint(),
        cloud.region(),
        "examplebucket",
        "a b/\u{76ee}+%.txt",
    ]
    .map(str::to_owned);
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("OSS_ACCESS_KEY_ID", credentials.access_key_id())
        .env("OSS_ACCESS_KEY_SECRET", secret)
        .env_remove("OSS_SESSION_TOKEN");
    tokio::task::spawn_blocking(move || command.output().expect("the program starts"))
        .await
        .expect("it ends")
}

#[tokio::test]
async fn an_object_is_read_with_a_signature_that_the_cloud_checks() {
    let cloud = LocalCloud::builder()
        .bucket("examplebucket")
        .start()
        .await
        .expect("it starts");
    cloud.put_object("examplebucket", "a b/\u{76ee}+%.txt", "hello");
    let secret = cloud.access_key().access_key_secret().to_owned();
    for program in PROGRAMS {
        let output = run(program, &cloud, &secret).await;
        assert!(
            output.status.success(),
            "{program}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(output.stdout, b"hello\n", "{program}");
        let refused = run(program, &cloud, "another-secret").await;
        let why = String::from_utf8_lossy(&refused.stderr);
        assert!(
            !refused.status.success() && why.contains("SignatureDoesNotMatch"),
            "{program}: {why}"
        );
    }
}
