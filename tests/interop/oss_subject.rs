//! Does what it is told with our OSS client: a line of JSON on standard input is a call, and each is answered by a
//! line of JSON on standard output.
//!
//! A call names the client in `client` and what it does in `do`: an operation of the service, `typed` for one that has
//! a method of its own, `presign` or `post`.
//! The interop tests drive it beside the vendor's clients. Bodies are base64.
#![allow(clippy::print_stdout, reason = "its output is its purpose")]

mod oss_typed;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::error::Error as StdError;
use std::io::{self, BufRead as _};
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Method};
use oss_client::oss_sign::v4::{PostPolicy, Signer};
use oss_client::{Client, Error, NoRetry, Operation, SignatureVersion};
use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{Clock as _, Credentials, SystemClock};
use serde::Deserialize;
use serde_json::{Value, json};

use oss_typed::Typed;

#[derive(Clone, Deserialize, PartialEq, Eq, Hash)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Default: made from the region.
    endpoint: Option<String>,
    region: String,
    /// Settings that are on, such as `path_style`.
    #[serde(default)]
    on: Vec<String>,
    /// `v1` or `v4`.
    version: String,
    /// Id, secret and token; none for unsigned requests.
    key: Option<(String, String, Option<String>)>,
    /// What the client's clock shows, in seconds since 1970. Default: the system's.
    at: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    client: Settings,
    #[serde(rename = "do")]
    what: String,
    #[serde(default)]
    method: String,
    bucket: String,
    key: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    query: BTreeMap<String, String>,
    #[serde(default)]
    body: String,
    /// How long a URL or form works, in seconds.
    #[serde(default)]
    expires: u64,
    /// Of a form, as its policy writes them.
    #[serde(default)]
    conditions: Vec<Value>,
    /// The operation and arguments of `typed`.
    typed: Option<Typed>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    let mut clients = HashMap::new();
    for line in io::stdin().lock().lines() {
        let call: Call = serde_json::from_str(&line?)?;
        println!("{}", answer(&mut clients, call).await?);
    }
    Ok(())
}

/// What the client did, or its error. Fails for a call that makes no sense.
async fn answer(clients: &mut HashMap<Settings, Client>, mut call: Call) -> Result<Value, Box<dyn StdError>> {
    if call.what == "post" {
        return form(&call);
    }
    let client = match clients.entry(call.client.clone()) {
        Entry::Occupied(known) => known.get().clone(),
        Entry::Vacant(place) => place.insert(client(&call.client)?).clone(),
    };
    let done = match (call.typed.take(), call.what.as_str()) {
        (Some(typed), _) => {
            typed
                .run(&client, call.bucket, call.key.unwrap_or_default())
                .await
        }
        (None, "presign") => presign(&client, call).await,
        (None, _) => send(&client, call).await,
    };
    Ok(done.unwrap_or_else(|error| json!({ "error": told(&error) })))
}

fn client(settings: &Settings) -> Result<Client, Box<dyn StdError>> {
    let mut builder = Client::builder()
        .region(&settings.region)
        .signature_version(match settings.version.as_str() {
            "v1" => SignatureVersion::V1,
            "v4" => SignatureVersion::V4,
            _ => return Err("there is no such version".into()),
        })
        .credentials(credentials(settings)?)
        // A refusal is seen as it came.
        .retry(NoRetry);
    if let Some(endpoint) = &settings.endpoint {
        builder = builder.endpoint(endpoint);
    }
    for name in &settings.on {
        builder = match name.as_str() {
            "accelerate" => builder.accelerate(true),
            "cname" => builder.cname(true),
            "dual_stack" => builder.dual_stack(true),
            "internal" => builder.internal(true),
            "path_style" => builder.path_style(true),
            _ => return Err("there is no such setting".into()),
        };
    }
    if let Some(seconds) = settings.at {
        builder = builder.clock(ManualClock::at_unix(seconds));
    }
    Ok(builder.build()?)
}

fn credentials(settings: &Settings) -> Result<Credentials, Box<dyn StdError>> {
    let Some((id, secret, token)) = &settings.key else {
        return Ok(Credentials::anonymous());
    };
    let token = token.clone().unwrap_or_default();
    Ok(Credentials::builder(id, secret).security_token(token).build()?)
}

/// Adds the call's headers and query to any of the client's requests.
macro_rules! with_all {
    ($request:expr, $call:expr) => {{
        let mut request = $request;
        for (name, value) in $call.headers {
            request = request.header(name, value);
        }
        for (name, value) in $call.query {
            request = request.query(name, value);
        }
        request
    }};
}

async fn send(client: &Client, call: Call) -> Result<Value, Error> {
    let (bucket, key) = (call.bucket, call.key.unwrap_or_default());
    let body = STANDARD.decode(&call.body).unwrap_or_default();
    let (head, body) = match call.what.as_str() {
        "PutObject" => {
            let request = with_all!(client.put_object(bucket, key, body), call);
            (request.send().await?, None)
        }
        "GetObject" => {
            let response = with_all!(client.get_object(bucket, key), call).send().await?;
            (response.head().clone(), Some(response.bytes().await?))
        }
        "HeadObject" => {
            let request = with_all!(client.head_object(bucket, key), call);
            (request.send().await?, None)
        }
        "DeleteObject" => {
            let request = with_all!(client.delete_object(bucket, key), call);
            (request.send().await?, None)
        }
        _ => {
            let mut operation = Operation::new(call.what, method(&call.method))
                .bucket(bucket)
                .body(body);
            if !key.is_empty() {
                operation = operation.key(key);
            }
            let response = client.send(with_all!(operation, call)).await?;
            (response.head().clone(), Some(response.bytes().await?))
        }
    };
    Ok(json!({
        "status": head.status().as_u16(),
        "headers": texts(head.headers()),
        "body": body.map(|body| STANDARD.encode(body)),
    }))
}

async fn presign(client: &Client, call: Call) -> Result<Value, Error> {
    let (bucket, key) = (call.bucket, call.key.unwrap_or_default());
    let expires = Duration::from_secs(call.expires);
    let presign = match call.method.as_str() {
        "GET" => client.presign_get(bucket, key, expires),
        "PUT" => client.presign_put(bucket, key, expires),
        other => {
            let operation = Operation::new("presigned", method(other)).bucket(bucket).key(key);
            client.presign(operation, expires)
        }
    };
    let request = with_all!(presign, call).await?;
    let headers: BTreeMap<_, _> = request
        .headers()
        .map(|(name, value)| (name, String::from_utf8_lossy(value)))
        .collect();
    Ok(json!({ "method": request.method(), "url": request.url(), "headers": headers }))
}

fn form(call: &Call) -> Result<Value, Box<dyn StdError>> {
    let mut policy = PostPolicy::new(&call.bucket);
    for condition in &call.conditions {
        policy = conditioned(policy, condition).ok_or("a condition has another shape")?;
    }
    let signer = Signer::builder(&call.client.region).build()?;
    let now = match call.client.at {
        Some(seconds) => UNIX_EPOCH + Duration::from_secs(seconds),
        None => SystemClock.now(),
    };
    let expires = Duration::from_secs(call.expires);
    let form = signer.sign_post(&policy, &credentials(&call.client)?, now, expires)?;
    Ok(json!({ "fields": form.fields().collect::<BTreeMap<_, _>>() }))
}

/// The policy with one condition more, from the form that the document has it in.
fn conditioned(policy: PostPolicy, condition: &Value) -> Option<PostPolicy> {
    let [mode, first, second] = condition.as_array()?.as_slice() else {
        return None;
    };
    let mode = mode.as_str()?;
    if mode == "content-length-range" {
        return Some(policy.content_length_range(first.as_u64()?..=second.as_u64()?));
    }
    let field = first.as_str()?.strip_prefix('$')?;
    let texts = || {
        second
            .as_array()?
            .iter()
            .map(Value::as_str)
            .collect::<Option<Vec<_>>>()
    };
    Some(match mode {
        "eq" => policy.equals(field, second.as_str()?),
        "starts-with" => policy.starts_with(field, second.as_str()?),
        "in" => policy.is_in(field, texts()?),
        "not-in" => policy.is_not_in(field, texts()?),
        _ => return None,
    })
}

/// An unusable one is none that the client takes.
fn method(name: &str) -> Method {
    Method::from_bytes(name.as_bytes()).unwrap_or(Method::TRACE)
}

fn texts(headers: &HeaderMap) -> BTreeMap<&str, String> {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    headers
        .iter()
        .map(|(name, value)| (name.as_str(), text(value.as_bytes())))
        .collect()
}

fn told(error: &Error) -> Value {
    let service = error.service();
    json!({
        "status": service.map(|said| said.status().as_u16()),
        "code": error.code(),
        "ec": service.and_then(|said| said.ec()),
        "request_id": error.request_id(),
        "headers": service.map(|said| texts(said.headers())),
        "text": error.to_string(),
    })
}
