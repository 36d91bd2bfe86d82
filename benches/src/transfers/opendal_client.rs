//! `opendal`, with the vendor's part size and number of parts at once.

use std::hint::black_box;
use std::path::Path;

use benches::setting::{BUCKET, Standing, credentials};
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _, pin_mut};
use opendal::services::Oss;
use opendal::{Buffer, HttpTransporter, OperationContext, Operator};
use opendal_http_transport_reqwest::ReqwestTransport;
use oss_credentials_core::Clock as _;

use crate::pieces::{Writer, constant, read, streamed};
use crate::{Job, PARALLEL, PART, for_each_small, small};

pub(crate) async fn run(job: &Job) -> bool {
    let operator = operator(job);
    let key = job.key();
    match job.task.as_str() {
        "upload-file" => upload(&operator, &key, read(&job.file)).await,
        "upload" => upload(&operator, &key, streamed(job.size)).await,
        "put" => {
            let content: Vec<Bytes> = constant(job.size).collect();
            black_box(
                operator
                    .write(&key, Buffer::from(content))
                    .await
                    .expect("arrives"),
            );
        }
        "get" => {
            let reader = operator.reader(&key).await.expect("opens");
            let mut pieces = reader.into_bytes_stream(..).await.expect("answers");
            while let Some(piece) = pieces.try_next().await.expect("arrives") {
                black_box(piece);
            }
        }
        "download-file" => download(&operator, &key, &job.file, 1).await,
        "download-parts" => download(&operator, &key, &job.file, PARALLEL).await,
        "put-small" => {
            let content = small();
            for_each_small(job, |key| {
                let (operator, content) = (&operator, content.clone());
                async move {
                    black_box(operator.write(&key, content).await.expect("arrives"));
                }
            })
            .await;
        }
        "get-small" => {
            for_each_small(job, |key| {
                let operator = &operator;
                async move {
                    black_box(operator.read(&key).await.expect("answers"));
                }
            })
            .await;
        }
        _ => return false,
    }
    true
}

fn operator(job: &Job) -> Operator {
    let keys = credentials(Standing.now());
    let oss = Oss::default()
        .bucket(BUCKET)
        .endpoint(&format!("http://{}", job.address))
        .addressing_style("path")
        .access_key_id(keys.access_key_id())
        .access_key_secret(keys.access_key_secret())
        .security_token(keys.security_token().unwrap_or_default());
    let client = reqwest::Client::builder().no_proxy().build().expect("builds");
    let transport = HttpTransporter::new(ReqwestTransport::new(client));
    let context = OperationContext::new().with_http_transport(transport);
    Operator::new(oss).expect("valid").with_context(context)
}

async fn upload(operator: &Operator, key: &str, pieces: impl Stream<Item = std::io::Result<Bytes>>) {
    let writer = operator.writer_with(key).chunk(PART).concurrent(PARALLEL);
    let mut writer = writer.await.expect("opens");
    pin_mut!(pieces);
    while let Some(piece) = pieces.try_next().await.expect("reads") {
        writer.write(piece).await.expect("arrives");
    }
    black_box(writer.close().await.expect("arrives"));
}

async fn download(operator: &Operator, key: &str, file: &Path, parallel: usize) {
    let reader = operator.reader_with(key).concurrent(parallel);
    let reader = if parallel > 1 { reader.chunk(PART) } else { reader };
    let reader = reader.await.expect("opens");
    let mut pieces = reader.into_bytes_stream(..).await.expect("answers");
    let mut file = Writer::create(file);
    while let Some(piece) = pieces.try_next().await.expect("arrives") {
        file = file.write(piece).await;
    }
    file.flush().await;
}
