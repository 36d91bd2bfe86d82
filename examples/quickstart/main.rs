//! From keys in the environment to an object in a bucket and back, and what happens when things change.
//!
//! `cargo run --example quickstart` starts a local cloud inside the process, so that it needs no account and no
//! network. With `-- --real` the same code runs against the real service; set `OSS_REGION`, `OSS_BUCKET`,
//! `OSS_ACCESS_KEY_ID`, `OSS_ACCESS_KEY_SECRET`, and `ALIBABA_CLOUD_ROLE_ARN` to assume a role.

mod place;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use oss_client::Client;
use oss_credentials_core::{Credentials, CredentialsProvider, MaskedId, RefreshingProvider};
use oss_credentials_env::EnvProvider;
use oss_credentials_static::StaticProvider;
use oss_credentials_sts_assume_role::StsAssumeRole;
use place::Place;

const KEY: &str = "oss-credentials quickstart/hello 你好.txt";
const CONTENT: &[u8] = b"hello from oss-credentials\n";

type Failure = Box<dyn Error>;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\n{error}");
            let mut cause = error.source();
            while let Some(inner) = cause {
                eprintln!("  because: {inner}");
                cause = inner.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let place = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Place::local().await?,
        ["--real"] => Place::real(),
        _ => return Err("usage: quickstart [--real]".into()),
    };
    println!("This runs against {}.", place.describe());
    let bucket = place.required("OSS_BUCKET")?;

    step(1, "Keys from the environment");
    let base = EnvProvider::with_env(Arc::clone(&place.env));
    show(&place, &base.credentials().await?);

    step(2, "A role, assumed with them");
    let role = assume_role(&place, base.clone())?;
    let provider: Arc<dyn CredentialsProvider> = match &role {
        Some(role) => Arc::new(role.clone()),
        None => Arc::new(base),
    };
    show(&place, &provider.credentials().await?);

    let client = client(&place, Arc::clone(&provider))?;
    objects(&client, &bucket).await?;
    presigned(&place, &client, &bucket).await?;

    step(6, "A refresh");
    match &role {
        Some(role) => refresh(&place, role, &client, &bucket).await?,
        None => println!("   skipped: long-term keys do not expire; set ALIBABA_CLOUD_ROLE_ARN to see one"),
    }

    step(7, "A wrong secret");
    wrong_secret(&place, &bucket).await?;

    let deleted = client.delete_object(&bucket, KEY).send().await?;
    println!(
        "\nDeleted the object again: HTTP {}. Everything worked.",
        deleted.status().as_u16()
    );
    Ok(())
}

/// The provider that assumes the role; none if no role is set, which only the real service allows.
fn assume_role(
    place: &Place,
    base: EnvProvider,
) -> Result<Option<RefreshingProvider<StsAssumeRole>>, Failure> {
    let Some(role_arn) = place.env.non_empty("ALIBABA_CLOUD_ROLE_ARN") else {
        println!("   skipped: ALIBABA_CLOUD_ROLE_ARN is not set; the keys above are used as they are");
        return Ok(None);
    };
    println!("   role {role_arn}");
    let role = StsAssumeRole::from_env(base, &place.env)?
        .role_session_name("quickstart")
        .clock(Arc::clone(&place.clock))
        .build()?;
    Ok(Some(role))
}

fn client(place: &Place, provider: impl CredentialsProvider) -> Result<Client, Failure> {
    let mut client = Client::builder()
        .region(place.required("OSS_REGION")?)
        .credentials(provider)
        .clock(Arc::clone(&place.clock));
    if let Some(endpoint) = place.env.non_empty("OSS_ENDPOINT") {
        client = client.endpoint(endpoint);
    }
    Ok(client.build()?)
}

async fn objects(client: &Client, bucket: &str) -> Result<(), Failure> {
    step(3, "Put an object");
    let put = client
        .put_object(bucket, KEY, CONTENT)
        .content_type("text/plain")
        .send()
        .await?;
    println!(
        "   PUT {bucket}/{KEY}: HTTP {}, {} bytes",
        put.status().as_u16(),
        CONTENT.len()
    );

    step(4, "Get it back");
    let object = client.get_object(bucket, KEY).send().await?;
    let status = object.status().as_u16();
    compare(status, &object.bytes().await?)
}

/// Creates a URL and fetches it as anyone could: with a plain HTTP client that has no key.
async fn presigned(place: &Place, client: &Client, bucket: &str) -> Result<(), Failure> {
    step(5, "A presigned URL, fetched with a plain HTTP client");
    let presigned = client.presign_get(bucket, KEY, Duration::from_secs(900)).await?;
    // The query is equivalent to a password, so only the rest is shown.
    let shown = presigned.url().split('?').next().unwrap_or_default();
    println!("   {} {shown}?<signature>", presigned.method());
    println!(
        "   works until: {} ({:?})",
        place.until(Some(presigned.valid_until())),
        presigned.limited_by()
    );
    let answer = reqwest::get(presigned.url()).await?;
    let status = answer.status().as_u16();
    compare(status, &answer.bytes().await?)
}

async fn refresh(
    place: &Place,
    role: &RefreshingProvider<StsAssumeRole>,
    client: &Client,
    bucket: &str,
) -> Result<(), Failure> {
    let before = role.credentials().await?;
    println!(
        "   next refresh is due {}",
        place.until(role.status().next_attempt())
    );
    let skipped = Duration::from_secs(50 * 60);
    if place.skip(skipped) {
        println!(
            "   the clock is put {} minutes ahead, and the object is asked for again",
            skipped.as_secs() / 60
        );
        let object = client.get_object(bucket, KEY).send().await?;
        println!("   GET: HTTP {}", object.status().as_u16());
    } else {
        println!("   asked for now, instead of waiting");
        role.refresh_now().await?;
    }
    let after = role.credentials().await?;
    println!("   key before: {}", MaskedId(before.access_key_id()));
    println!("   key after:  {}", MaskedId(after.access_key_id()));
    println!("   ends {}", place.until(after.expires_at()));
    if let Some(calls) = place.assume_role_calls() {
        println!("   calls of AssumeRole so far: {calls}");
    }
    if before.same_key_as(&after) {
        return Err("quickstart: the key is still the same; a refresh was due".into());
    }
    Ok(())
}

async fn wrong_secret(place: &Place, bucket: &str) -> Result<(), Failure> {
    let right = EnvProvider::with_env(Arc::clone(&place.env))
        .credentials()
        .await?;
    let wrong = StaticProvider::access_key(right.access_key_id(), "not-the-secret")?;
    match client(place, wrong)?.get_object(bucket, KEY).send().await {
        Ok(object) => Err(format!("quickstart: a wrong secret got HTTP {}", object.status()).into()),
        Err(error) => {
            println!("   refused, as it should be:\n   {error}");
            Ok(())
        }
    }
}

fn compare(status: u16, bytes: &[u8]) -> Result<(), Failure> {
    let same = bytes == CONTENT;
    println!(
        "   GET: HTTP {status}, {} bytes, {}",
        bytes.len(),
        if same { "the same" } else { "DIFFERENT" }
    );
    if same {
        Ok(())
    } else {
        Err("quickstart: what came back is not what was stored".into())
    }
}

fn show(place: &Place, credentials: &Credentials) {
    let token = if credentials.security_token().is_some() {
        "with a security token"
    } else {
        "long-term"
    };
    println!(
        "   from {:?}: key {}, {token}",
        credentials.source(),
        MaskedId(credentials.access_key_id())
    );
    println!("   expires: {}", place.until(credentials.expires_at()));
}

fn step(number: u32, what: &str) {
    println!("\n{number}. {what}");
}
