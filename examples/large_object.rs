//! Uploads and downloads an object of 1 GiB, and fails if that takes more than 64 MiB of memory.
//!
//! Run it against a local cloud in a separate process, which stores nothing of what it receives:
//!
//! ```sh
//! cargo build -p oss-testkit -p examples --example large_object --bins
//! target/debug/oss-testkit --sink-bucket sink -- target/debug/examples/large_object
//! ```
//!
//! `large_object MEBIBYTES` uses another size. The bucket is `sink`, or the one in `OSS_SINK_BUCKET`.

use std::env;
use std::error::Error;
use std::io;
use std::path::Path;

use bytes::Bytes;
use futures_util::stream;
use oss_client::{Body, Client};
use oss_credentials_env::EnvProvider;

const MIB: u64 = 1024 * 1024;
/// Maximum growth of memory, in KiB.
const LIMIT: u64 = 64 * 1024;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mebibytes = env::args().nth(1).map_or(Ok(1024), |size| size.parse::<u64>())?;
    let bucket = env::var("OSS_SINK_BUCKET").unwrap_or_else(|_| "sink".to_owned());
    let client = Client::builder()
        .region(env::var("OSS_REGION")?)
        .endpoint(env::var("OSS_ENDPOINT")?)
        .credentials(EnvProvider::new())
        .build()?;
    let before = peak()?;

    // A sink returns zeros, so the program uploads zeros.
    let file = tempfile::NamedTempFile::new()?;
    file.as_file().set_len(mebibytes * MIB)?;
    up_and_down(
        &client,
        &bucket,
        "from a file",
        mebibytes,
        file.path().into(),
        before,
    )
    .await?;
    into_a_file(&client, &bucket, mebibytes, before).await?;
    let pieces =
        move || stream::iter((0..mebibytes * 16).map(|_| Ok::<_, io::Error>(Bytes::from(vec![0; 65_536]))));
    let sized = Body::sized_stream(pieces(), mebibytes * MIB);
    up_and_down(&client, &bucket, "from a stream", mebibytes, sized.into(), before).await?;
    let unsized_ = Body::stream(pieces());
    up_and_down(
        &client,
        &bucket,
        "from a stream without length",
        mebibytes,
        unsized_.into(),
        before,
    )
    .await
}

enum Source {
    File(std::path::PathBuf),
    Stream(Body),
}

impl From<&Path> for Source {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl From<Body> for Source {
    fn from(body: Body) -> Self {
        Self::Stream(body)
    }
}

async fn up_and_down(
    client: &Client,
    bucket: &str,
    what: &str,
    mebibytes: u64,
    source: Source,
    before: u64,
) -> Result<(), Box<dyn Error>> {
    let upload = match source {
        Source::File(path) => client.upload_file(bucket, "large", path),
        Source::Stream(body) => client.upload(bucket, "large", body),
    };
    let uploaded = upload.send().await?;
    assert_eq!(uploaded.size, mebibytes * MIB);
    let mut object = client.get_object(bucket, "large").send().await?;
    let mut read = 0;
    while let Some(piece) = object.chunk().await? {
        read += piece.len() as u64;
    }
    assert_eq!(read, uploaded.size);
    let grown = peak()?.saturating_sub(before);
    println!(
        "{what}: {mebibytes} MiB in {} parts, memory grew by {} KiB at most",
        uploaded.parts, grown
    );
    if grown > LIMIT {
        return Err(format!("that is more than {LIMIT} KiB").into());
    }
    Ok(())
}

async fn into_a_file(
    client: &Client,
    bucket: &str,
    mebibytes: u64,
    before: u64,
) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let target = folder.path().join("large");
    let downloaded = client.download_file(bucket, "large", &target).await?;
    assert_eq!(downloaded.size, mebibytes * MIB);
    assert_eq!(std::fs::metadata(&target)?.len(), downloaded.size);
    let grown = peak()?.saturating_sub(before);
    println!("into a file: {mebibytes} MiB, memory grew by {grown} KiB at most");
    if grown > LIMIT {
        return Err(format!("that is more than {LIMIT} KiB").into());
    }
    Ok(())
}

/// The peak memory use of this process, in KiB, as Linux reports it.
fn peak() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number
        .ok_or("the system does not say how much memory is used")?
        .parse()?)
}
