//! reqwest without signature: what no client can do without.

use std::hint::black_box;

use bytes::Bytes;
use reqwest::Body;

use crate::pieces::{Writer, read, streamed};
use crate::{Job, for_each_small, small};

pub(crate) async fn run(job: &Job) -> bool {
    let client = reqwest::Client::builder().no_proxy().build().expect("builds");
    let url = job.url(&job.key());
    let put = |body| client.put(&url).header("content-length", job.size).body(body);
    match job.task.as_str() {
        "upload-file" => finish(put(Body::wrap_stream(read(&job.file)))).await,
        "put" => finish(put(Body::wrap_stream(streamed(job.size)))).await,
        // Without its length: one request in chunks.
        "upload" => finish(client.put(&url).body(Body::wrap_stream(streamed(job.size)))).await,
        "get" => finish(client.get(&url)).await,
        "download-file" => {
            let mut response = client.get(&url).send().await.expect("answers");
            let mut file = Writer::create(&job.file);
            while let Some(piece) = response.chunk().await.expect("arrives") {
                file = file.write(piece).await;
            }
            file.flush().await;
        }
        "put-small" => {
            let content = small();
            for_each_small(job, |key| finish(client.put(job.url(&key)).body(content.clone()))).await;
        }
        "get-small" => for_each_small(job, |key| finish(client.get(job.url(&key)))).await,
        _ => return false,
    }
    true
}

async fn finish(request: reqwest::RequestBuilder) {
    let mut response = request.send().await.expect("answers");
    assert!(response.status().is_success(), "{}", response.status());
    while let Some(piece) = response.chunk().await.expect("arrives") {
        black_box::<Bytes>(piece);
    }
}
