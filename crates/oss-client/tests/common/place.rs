//! A local cloud and a folder, for transfers that a later process continues.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use oss_client::{Client, Download, Error, FixedDelay, MultipartUpload, Upload};
use oss_testkit::{Fault, LocalCloud, RecordedRequest, Service};
use serde_json::Value;
use tempfile::TempDir;

use crate::common::of_cloud;
use crate::files::{PART, content, names};
use crate::log::warnings;

/// A cloud, a folder, and what there is in them.
pub struct Place {
    pub cloud: Arc<LocalCloud>,
    pub folder: TempDir,
    pub target: PathBuf,
    pub checkpoint: PathBuf,
}

impl Place {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            cloud: Arc::new(LocalCloud::start().await.unwrap()),
            target: folder.path().join("f"),
            checkpoint: folder.path().join("c"),
            folder,
        }
    }

    /// A client of its own, as a later process has: requests are sent up to three times.
    pub fn client(&self) -> Client {
        let retry = FixedDelay::new(3, Duration::ZERO);
        of_cloud(&self.cloud).retry(retry).build().unwrap()
    }

    /// A download of this place's object by a process of its own.
    pub fn download(&self) -> Download {
        self.client()
            .download_file(self.cloud.bucket(), "k", &self.target)
            .part_size(PART)
            .checkpoint(&self.checkpoint)
    }

    /// An upload of this place's file by a process of its own.
    pub fn upload(&self) -> Upload {
        self.client()
            .upload_file(self.cloud.bucket(), "k", &self.target)
            .part_size(PART)
            .parallel(1)
            .checkpoint(&self.checkpoint)
    }

    /// A download that fails when two ranges of five have arrived, and half of the third.
    pub async fn broken_download(&self) -> Bytes {
        let content = content(5 * PART - 7);
        self.cloud.put_object(self.cloud.bucket(), "k", content.clone());
        let cloud = Arc::clone(&self.cloud);
        let mut is_broken = false;
        let broken = self.download().on_progress(move |progress| {
            if progress.received >= 2 * PART && !std::mem::replace(&mut is_broken, true) {
                cloud.fault(Service::Oss, Fault::error(500, "InternalError").always());
            }
        });
        let error = broken.await.unwrap_err();
        assert_eq!(error.code(), Some("InternalError"));
        self.cloud.clear_faults();
        self.cloud.forget_requests();
        content
    }

    /// An upload that fails when two parts of five are there.
    pub async fn broken_upload(&self) -> Bytes {
        let content = content(5 * PART - 7);
        fs::write(&self.target, &content).unwrap();
        let third = Fault::error(500, "InternalError").action("UploadPart");
        self.cloud
            .fault(Service::Oss, third.parameter("partNumber", "3").always());
        let error = self.upload().await.unwrap_err();
        assert_eq!(error.code(), Some("InternalError"));
        assert!(matches!(error, Error::Service(_)), "{error}");
        assert_eq!(self.cloud.count(Service::Oss, "AbortMultipartUpload"), 0);
        self.cloud.clear_faults();
        self.cloud.forget_requests();
        content
    }

    /// Continues, and gives what the log warned of.
    pub async fn downloaded(&self, content: &Bytes) -> String {
        let (log, downloaded) = warnings(self.download().send()).await;
        let downloaded = downloaded.unwrap();
        assert_eq!(fs::read(&self.target).unwrap(), *content);
        assert_eq!(downloaded.size, content.len() as u64);
        let head = self.client().head_object(self.cloud.bucket(), "k").await.unwrap();
        assert_eq!(downloaded.crc64, head.crc64());
        assert_eq!(names(self.folder.path()), ["f"]);
        log
    }

    pub async fn uploaded(&self, content: &Bytes) -> String {
        let (log, uploaded) = warnings(self.upload().send()).await;
        let uploaded = uploaded.unwrap();
        assert_eq!(self.cloud.object(self.cloud.bucket(), "k").unwrap(), *content);
        assert_eq!((uploaded.size, uploaded.parts), (content.len() as u64, 5));
        assert_eq!(names(self.folder.path()), ["f"]);
        assert_eq!(self.uploads().await, []);
        log
    }

    /// Uploads that have not ended.
    pub async fn uploads(&self) -> Vec<MultipartUpload> {
        let mut listed = self
            .client()
            .list_multipart_uploads(self.cloud.bucket())
            .uploads();
        let mut uploads = Vec::new();
        while let Some(upload) = listed.try_next().await.unwrap() {
            uploads.push(upload);
        }
        uploads
    }

    pub fn noted(&self) -> Value {
        serde_json::from_slice(&fs::read(&self.checkpoint).unwrap()).unwrap()
    }

    /// Changes a field of the checkpoint.
    pub fn note(&self, name: &str, value: impl Into<Value>) {
        let mut noted = self.noted();
        noted[name] = value.into();
        fs::write(&self.checkpoint, noted.to_string()).unwrap();
    }

    /// The ranges that were asked for.
    pub fn ranges(&self) -> Vec<String> {
        let requests = self.cloud.requests();
        let range = |request: &RecordedRequest| request.header("range").map(str::to_owned);
        let mut ranges: Vec<_> = requests.iter().filter_map(range).collect();
        ranges.sort();
        ranges
    }

    /// The parts that were sent.
    pub fn parts(&self) -> Vec<String> {
        let requests = self.cloud.requests();
        let sent = requests.iter().filter(|request| request.action() == "UploadPart");
        sent.map(|request| request.query_value("partNumber").unwrap().to_owned())
            .collect()
    }
}
