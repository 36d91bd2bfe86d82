//! Gets credentials by one of our providers, set up by variables alone, and prints whose they are as JSON.
//!
//! `interop-subject <provider>` is what the interop tests compare with the vendor's client. Keys are printed as
//! hashes. It ends with 1 where the provider fails, and then prints the error.
//!
//! `interop-subject default-chain` reads surroundings as a JSON array, and prints what the chain finds in each.
#![allow(clippy::print_stdout, reason = "its output is its purpose")]
#![allow(clippy::expect_used, reason = "a broken set-up ends it")]

mod chain;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use acs_sign::acs3::content_sha256;
use acs_sts::StsClient;
use oss_credentials_core::{
    Credentials, CredentialsError, CredentialsProvider, Env as _, ErrorDetail, ProcessEnv,
};
use oss_credentials_ecs_ram_role::EcsRamRole;
use oss_credentials_env::EnvProvider;
use oss_credentials_kms_client_key::KmsClientKey;
use oss_credentials_oidc_rrsa::OidcRrsa;
use oss_credentials_reqwest::ReqwestClient;
use oss_credentials_sts_assume_role::StsAssumeRole;
use oss_credentials_uri::CredentialsUri;
use serde_json::{Value, json};

const METADATA: &str = "ALIBABA_CLOUD_ECS_METADATA_SERVICE_ENDPOINT";
const STS: &str = "ALIBABA_CLOUD_STS_ENDPOINT";

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    if name == "default-chain" {
        let runs: Vec<chain::Run> = serde_json::from_reader(std::io::stdin()).expect("surroundings");
        let client = ReqwestClient::new();
        let outcomes: Vec<Value> = runs.iter().map(|run| run.outcome(&runtime, &client)).collect();
        println!("{}", Value::from(outcomes));
        return ExitCode::SUCCESS;
    }
    match runtime.block_on(run(&name)) {
        Ok(identity) => {
            println!("{identity}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("{}", told(&error));
            ExitCode::FAILURE
        }
    }
}

async fn run(name: &str) -> Result<Value, CredentialsError> {
    let credentials = provider(name)?.credentials().await?;
    let sts = StsClient::builder(Arc::new(ReqwestClient::new()))
        .endpoint(endpoint(STS)?)
        .build()?;
    let caller = sts.get_caller_identity(&credentials).await?;
    Ok(identity(&credentials, caller.arn(), caller.account_id()))
}

/// The provider, with nothing set in code but where the service is.
fn provider(name: &str) -> Result<Arc<dyn CredentialsProvider>, CredentialsError> {
    Ok(match name {
        "ecs-ram-role" => {
            let builder = EcsRamRole::from_env(&ProcessEnv)?;
            Arc::new(builder.endpoint(endpoint(METADATA)?).build()?)
        }
        "kms-client-key" => Arc::new(KmsClientKey::from_env(&ProcessEnv)?.build()?),
        "oidc-rrsa" => {
            let builder = OidcRrsa::from_env(&ProcessEnv)?;
            Arc::new(builder.endpoint(endpoint(STS)?).build()?)
        }
        "sts-assume-role" => {
            let builder = StsAssumeRole::from_env(EnvProvider::new(), &ProcessEnv)?;
            Arc::new(builder.endpoint(endpoint(STS)?).build()?)
        }
        "uri" => Arc::new(CredentialsUri::from_env(&ProcessEnv)?.build()?),
        _ => return Err(unusable("there is no such provider")),
    })
}

fn endpoint(variable: &'static str) -> Result<String, CredentialsError> {
    ProcessEnv.non_empty(variable).ok_or_else(|| unusable(variable))
}

fn unusable(what: &'static str) -> CredentialsError {
    CredentialsError::invalid_config(ErrorDetail::builder("interop-subject", what))
}

/// Whose credentials these are; keys as hashes.
fn identity(credentials: &Credentials, arn: &str, account: &str) -> Value {
    let expires_at = credentials
        .expires_at()
        .and_then(|end| end.duration_since(SystemTime::UNIX_EPOCH).ok())
        .map(|since| since.as_secs());
    json!({
        "access_key_id": credentials.access_key_id(),
        "secret_sha256": content_sha256(credentials.access_key_secret().as_bytes()),
        "token_sha256": credentials.security_token().map(|token| content_sha256(token.as_bytes())),
        "expires_at": expires_at,
        "arn": arn,
        "account": account,
    })
}

/// What an error says.
fn told(error: &CredentialsError) -> Value {
    let detail = error.detail();
    json!({
        "kind": error.kind(),
        "status": detail.and_then(ErrorDetail::http_status),
        "code": detail.and_then(ErrorDetail::code),
        "text": error.to_string(),
    })
}
