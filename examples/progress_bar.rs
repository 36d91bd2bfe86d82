//! Uploads a file and downloads it again, with progress bars and checkpoints.
//!
//! `cargo run -p oss-testkit -- cargo run --example progress_bar -- FILE`, and without FILE a file of 20 MiB. Stop it and
//! start it again: it continues where it was.

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use oss_client::Client;
use oss_credentials_env::EnvProvider;

const SAMPLE: u64 = 20 * 1024 * 1024;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let file = match env::args_os().nth(1) {
        Some(file) => PathBuf::from(file),
        None => sample(folder.path())?,
    };
    let bucket = env::var("OSS_BUCKET")?;
    let client = Client::builder()
        .region(env::var("OSS_REGION")?)
        .endpoint(env::var("OSS_ENDPOINT")?)
        .credentials(EnvProvider::new())
        .build()?;

    let (bar, shown) = progress("up")?;
    let uploaded = client
        .upload_file(&bucket, "progress.bin", &file)
        .checkpoint(beside(&file, ".upload"))
        .on_progress(move |progress| {
            shown.set_length(progress.total.unwrap_or(progress.sent));
            shown.set_position(progress.sent);
        })
        .await?;
    bar.finish();
    println!("{} bytes in {} parts", uploaded.size, uploaded.parts);

    let (bar, shown) = progress("down")?;
    let target = beside(&file, ".copy");
    let downloaded = client
        .download_file(&bucket, "progress.bin", &target)
        .parallel(3)
        .checkpoint(beside(&file, ".download"))
        .on_progress(move |progress| {
            shown.set_length(progress.total.unwrap_or(progress.received));
            shown.set_position(progress.received);
        })
        .await?;
    bar.finish();
    println!("{} bytes in {}", downloaded.size, target.display());
    Ok(())
}

/// A bar, and another handle on it for the closure that moves it.
fn progress(name: &'static str) -> Result<(ProgressBar, ProgressBar), Box<dyn Error>> {
    let template = "{prefix:4} [{wide_bar}] {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    let bar = ProgressBar::new(0)
        .with_style(ProgressStyle::with_template(template)?)
        .with_prefix(name);
    Ok((bar.clone(), bar))
}

/// The path with something appended to its name.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn sample(folder: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let path = folder.join("sample");
    std::fs::File::create(&path)?.set_len(SAMPLE)?;
    Ok(path)
}
