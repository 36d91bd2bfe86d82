//! Makes one call of the OpenAPI with `acs-client`, as JSON on its input says, and prints what came of it as JSON.
//!
//! The input: `endpoint`, `product`, `version`, `key` (ID, secret, token), `signature` (`rpc` or `acs3`), `action`,
//! `style` (`RPC` or `ROA`), `method`, `path`, and lists of pairs `query`, `form` and `headers`; `json` is a body.
#![allow(clippy::print_stdout, reason = "its output is its purpose")]
#![allow(clippy::expect_used, reason = "a broken set-up ends it")]

use std::process::ExitCode;

use acs_client::{AcsClient, AcsError, Call, SignatureVersion};
use oss_credentials_core::{Credentials, CredentialsError};
use oss_credentials_http::HttpMethod;
use serde::Deserialize;
use serde_json::{Value, json};

type Pairs = Vec<(String, String)>;

#[derive(Deserialize)]
struct Input {
    endpoint: String,
    product: String,
    version: String,
    key: (String, String, Option<String>),
    signature: String,
    action: String,
    style: String,
    method: String,
    path: String,
    query: Pairs,
    form: Pairs,
    headers: Pairs,
    json: Option<Value>,
}

fn main() -> ExitCode {
    let input: Input = serde_json::from_reader(std::io::stdin()).expect("a call");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.expect("a runtime").block_on(call(&input)) {
        Ok(body) => {
            println!("{body}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!(
                "{}",
                json!({"code": error.code(), "request_id": error.request_id(), "text": error.to_string()})
            );
            ExitCode::FAILURE
        }
    }
}

async fn call(input: &Input) -> Result<Value, AcsError> {
    let client = AcsClient::builder(input.product.clone(), input.version.clone())
        .endpoint(&input.endpoint)
        .credentials_provider(key(input)?)
        .signature_version(match input.signature.as_str() {
            "rpc" => SignatureVersion::Rpc,
            _ => SignatureVersion::Acs3,
        })
        .build()?;
    let method = match input.method.as_str() {
        "GET" => HttpMethod::Get,
        "PUT" => HttpMethod::Put,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Post,
    };
    let mut call = match input.style.as_str() {
        "RPC" => Call::rpc(input.action.clone()).method(method),
        _ => Call::roa(input.action.clone(), method, &input.path),
    };
    for (name, value) in &input.query {
        call = call.query(name, value);
    }
    for (name, value) in &input.form {
        call = call.form(name, value);
    }
    for (name, value) in &input.headers {
        call = call.header(name, value);
    }
    if let Some(body) = &input.json {
        call = call.json(body);
    }
    client.call(&call).await?.json()
}

fn key(input: &Input) -> Result<Credentials, CredentialsError> {
    let (id, secret, token) = &input.key;
    let builder = Credentials::builder(id, secret).source("env");
    match token {
        Some(token) => builder.security_token(token).build(),
        None => builder.build(),
    }
}
