//! Which credentials this machine has, where they are from, and what is wrong with those that do not work.
//!
//! `cargo run --example doctor`, with `-- --all` for what stands behind the credentials in use, and `-- --json` for
//! programs. It ends with 1 if there are none.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let is_given = |option: &str| std::env::args().skip(1).any(|argument| argument == option);
    let provider = match oss_credentials::default_provider() {
        Ok(provider) => provider,
        // The variable that pins a member names none.
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let explanation = if is_given("--all") {
        provider.explain_all().await
    } else {
        provider.explain().await
    };
    if is_given("--json") {
        println!("{}", explanation.to_json());
    } else {
        println!("{explanation}");
    }
    match explanation.error() {
        None => ExitCode::SUCCESS,
        Some(_) => ExitCode::FAILURE,
    }
}
