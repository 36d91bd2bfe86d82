//! `ossify`. It has nothing for files or for bodies of responses as streams: a download is in memory as a whole.

use std::hint::black_box;

use benches::setting::{self, Standing, credentials};
use oss_credentials_core::Clock as _;
use ossify::ops::object::base::{GetObjectOperations as _, PutObjectOperations as _};

use crate::pieces::{Writer, read, streamed};
use crate::{Job, for_each_small, small};

pub(crate) async fn run(job: &Job) -> bool {
    let client = setting::ossify(&job.address, &credentials(Standing.now()));
    let key = job.key();
    match job.task.as_str() {
        "upload-file" => {
            let put = client.put_object_stream(key, read(&job.file), None);
            black_box(put.await.expect("arrives"));
        }
        "put" => {
            let put = client.put_object_stream(key, streamed(job.size), None);
            black_box(put.await.expect("arrives"));
        }
        "get" => {
            let get = client.get_object(key, Default::default(), None);
            black_box(get.await.expect("answers"));
        }
        "download-file" => {
            let get = client.get_object(key, Default::default(), None);
            let content = get.await.expect("answers");
            Writer::create(&job.file).write(content).await.flush().await;
        }
        "put-small" => {
            let content = small();
            for_each_small(job, |key| {
                let put = client.put_object(key, content.clone(), None);
                async {
                    black_box(put.await.expect("arrives"));
                }
            })
            .await;
        }
        "get-small" => {
            for_each_small(job, |key| {
                let get = client.get_object(key, Default::default(), None);
                async {
                    black_box(get.await.expect("answers"));
                }
            })
            .await;
        }
        _ => return false,
    }
    true
}
