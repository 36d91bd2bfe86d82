//! `oss-client`.

use std::hint::black_box;

use benches::setting::{BUCKET, REGION, Standing, credentials};
use oss_client::{Body, Client, GetObject};
use oss_credentials_core::{Clock as _, Fetched, RefreshingProvider, source_fn};

use crate::pieces::streamed;
use crate::{Job, PARALLEL, for_each_small, small};

pub(crate) async fn run(job: &Job, check_crc: bool) -> bool {
    let fetch = || async { Ok(Fetched::new(credentials(Standing.now()))) };
    let provider = RefreshingProvider::builder(source_fn("bench", fetch)).clock(Standing);
    let client = Client::builder()
        .region(REGION)
        .endpoint(format!("http://{}", job.address))
        .no_proxy()
        .check_crc(check_crc)
        .clock(Standing)
        .credentials(provider.build())
        .build()
        .expect("valid");
    let key = job.key();
    match job.task.as_str() {
        "upload-file" => {
            let upload = client.upload_file(BUCKET, key, &job.file);
            black_box(upload.await.expect("arrives"));
        }
        "download-file" => {
            let download = client.download_file(BUCKET, key, &job.file);
            black_box(download.await.expect("arrives"));
        }
        "download-parts" => {
            let download = client.download_file(BUCKET, key, &job.file).parallel(PARALLEL);
            black_box(download.await.expect("arrives"));
        }
        "put" => {
            let body = Body::sized_stream(streamed(job.size), job.size);
            black_box(client.put_object(BUCKET, key, body).await.expect("arrives"));
        }
        "upload" => {
            let body = Body::stream(streamed(job.size));
            black_box(client.upload(BUCKET, key, body).await.expect("arrives"));
        }
        "get" => read(client.get_object(BUCKET, key)).await,
        "put-small" => {
            let content = small();
            for_each_small(job, |key| {
                let put = client.put_object(BUCKET, key, content.clone());
                async {
                    black_box(put.await.expect("arrives"));
                }
            })
            .await;
        }
        "get-small" => for_each_small(job, |key| read(client.get_object(BUCKET, key))).await,
        _ => return false,
    }
    true
}

async fn read(get: GetObject) {
    let mut response = get.send().await.expect("answers");
    while let Some(piece) = response.chunk().await.expect("arrives") {
        black_box(piece);
    }
}
