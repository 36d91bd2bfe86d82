//! Transfers that a later process continues, against a local cloud that checks every signature.

use std::fs;
use std::sync::{Arc, Mutex};

use crate::files::{PART, content, names};
use crate::log::warnings;
use crate::place::Place;
use bytes::Bytes;
use oss_testkit::{Fault, Service};
use serde_json::Value;

#[tokio::test]
async fn a_download_is_continued_by_a_later_process() {
    let place = Place::new().await;
    let content = place.broken_download().await;
    let left = names(place.folder.path());
    assert!(
        left.len() == 2 && left[0].starts_with(".oss-download-") && left[1] == "c",
        "{left:?}"
    );
    let noted = fs::read_to_string(&place.checkpoint).unwrap();
    let key = place.cloud.access_key();
    assert!(!noted.contains(key.access_key_id()), "{noted}");
    assert!(!noted.contains(key.access_key_secret()), "{noted}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(&place.checkpoint).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert_eq!(place.downloaded(&content).await, "");
    assert_eq!(
        place.ranges(),
        ["bytes=204800-307199", "bytes=307200-409599", "bytes=409600-"]
    );
}

#[tokio::test]
async fn a_download_that_is_dropped_is_continued_too() {
    let place = Place::new().await;
    let content = content(3 * PART);
    place.cloud.put_object(place.cloud.bucket(), "k", content.clone());
    let cloud = Arc::clone(&place.cloud);
    let (told, arrived) = tokio::sync::oneshot::channel();
    let mut told = Some(told);
    let download = place.download().on_progress(move |progress| {
        if progress.received >= 2 * PART
            && let Some(told) = told.take()
        {
            cloud.fault(Service::Oss, Fault::hang().always());
            told.send(()).unwrap();
        }
    });
    let noted = async {
        arrived.await.unwrap();
        // The request for the third range shows that the second was noted.
        while place.cloud.count(Service::Oss, "GetObject") < 3 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        outcome = download.send() => panic!("{outcome:?}"),
        () = noted => {}
    }
    place.cloud.clear_faults();
    place.cloud.forget_requests();
    assert_eq!(place.downloaded(&content).await, "");
    assert_eq!(place.ranges(), ["bytes=204800-"]);
}

#[tokio::test]
async fn ranges_that_the_disk_does_not_have_are_fetched_again() {
    let place = Place::new().await;
    let content = place.broken_download().await;
    let unfinished = place.folder.path().join(place.noted()["file"].as_str().unwrap());
    let mut bytes = fs::read(&unfinished).unwrap();
    bytes[5] ^= 1;
    fs::write(&unfinished, bytes).unwrap();
    assert_eq!(place.downloaded(&content).await, "");
    assert_eq!(place.ranges().len(), 4);
    assert_eq!(place.ranges()[0], "bytes=0-102399");
}

#[tokio::test]
async fn a_checkpoint_of_another_download_is_discarded() {
    type Change = Box<dyn Fn(&Place, &mut Bytes)>;
    let noted = |name: &'static str, value: Value| -> Change {
        Box::new(move |place, _| place.note(name, value.clone()))
    };
    let changes: [(Change, &str); 10] = [
        (
            Box::new(|place, content| {
                *content = vec![7; content.len()].into();
                place.cloud.put_object(place.cloud.bucket(), "k", content.clone());
            }),
            r#"its field "etag" differs"#,
        ),
        (noted("size", 1.into()), r#"its field "size" differs"#),
        (
            noted("modified", "1.000000000".into()),
            r#"its field "modified" differs"#,
        ),
        (noted("key", "other".into()), r#"its field "key" differs"#),
        (noted("target", "other".into()), r#"its field "target" differs"#),
        (
            noted("kind", "oss-client/upload/1".into()),
            r#"its field "kind" differs"#,
        ),
        (noted("file", "../f".into()), "it has no ranges that fit"),
        (
            noted("file", ".oss-download-gone".into()),
            "its unfinished file is gone",
        ),
        (noted("part_size", 0.into()), "it has no ranges that fit"),
        (
            noted("parts", vec![vec![9, 1]].into()),
            "it has no ranges that fit",
        ),
    ];
    for (change, why) in changes {
        let place = Place::new().await;
        let mut content = place.broken_download().await;
        let file = place.noted()["file"].clone();
        change(&place, &mut content);
        let name_is_lost = place.noted()["file"] != file;
        let (log, downloaded) = warnings(place.download().send()).await;
        downloaded.unwrap();
        assert_eq!(fs::read(&place.target).unwrap(), content, "{why}");
        assert!(log.contains(why), "{why}: {log}");
        assert!(log.contains("a checkpoint is discarded"), "{log}");
        assert_eq!(place.ranges().len(), 5, "{why}");
        assert!(!place.checkpoint.exists());
        // The earlier file goes where it is certainly that of the earlier download. Otherwise the log has its path.
        let mut left = names(place.folder.path());
        let is_foreign = ["\"target\"", "\"kind\""].iter().any(|field| why.contains(field));
        assert_eq!(log.contains("is left behind"), is_foreign, "{log}");
        if is_foreign {
            let earlier = left.remove(0);
            assert!(log.contains(&earlier), "{log}");
        }
        // Nobody knows it.
        left.retain(|name| !name_is_lost || !name.starts_with(".oss-download-"));
        assert_eq!(left, ["f"], "{why}");
    }
}

#[tokio::test]
async fn a_file_that_is_no_checkpoint_is_refused_and_kept() {
    let content = content(5 * PART);
    for foreign in ["{", "[]", "\u{0}\u{0}", "{\"kind\": \"mine\"}"] {
        let place = Place::new().await;
        place.cloud.put_object(place.cloud.bucket(), "k", content.clone());
        fs::write(&place.checkpoint, foreign).unwrap();
        let error = place.download().await.unwrap_err().to_string();
        let hint = "it is not a checkpoint; name another file, or delete this one if nobody needs it";
        assert!(error.ends_with(&format!("/c cannot be used: {hint}")), "{error}");
        fs::write(&place.target, &content).unwrap();
        let error = place.upload().await.unwrap_err().to_string();
        assert!(error.ends_with(&format!("/c cannot be used: {hint}")), "{error}");
        assert_eq!(fs::read(&place.checkpoint).unwrap(), foreign.as_bytes());
    }
    // An empty file holds nothing that could be lost.
    let place = Place::new().await;
    place.cloud.put_object(place.cloud.bucket(), "k", content.clone());
    fs::write(&place.checkpoint, "").unwrap();
    assert!(place.downloaded(&content).await.contains("it is empty"));
    fs::write(&place.checkpoint, "").unwrap();
    assert!(place.uploaded(&content).await.contains("it is empty"));
}

#[tokio::test]
async fn the_file_that_is_transferred_cannot_be_its_checkpoint() {
    let mut place = Place::new().await;
    let content = content(5 * PART);
    place.cloud.put_object(place.cloud.bucket(), "k", content.clone());
    place.checkpoint = place.folder.path().join(".").join("f");
    assert_eq!(place.checkpoint.file_name(), place.target.file_name());
    let error = place.download().await.unwrap_err().to_string();
    assert!(
        error.ends_with("it is the file of the transfer itself; name another file"),
        "{error}"
    );
    fs::write(&place.target, &content).unwrap();
    let error = place.upload().await.unwrap_err().to_string();
    assert!(error.contains("it is the file of the transfer itself"), "{error}");
    assert_eq!(fs::read(&place.target).unwrap(), content);
}

#[tokio::test]
async fn what_is_no_file_cannot_be_a_checkpoint() {
    let place = Place::new().await;
    fs::create_dir(&place.checkpoint).unwrap();
    fs::write(&place.target, content(2 * PART)).unwrap();
    let error = place.upload().await.unwrap_err().to_string();
    assert!(
        error.contains("/c cannot be used: it is not a regular file; name a file"),
        "{error}"
    );
    assert!(place.cloud.requests().is_empty());
}

#[tokio::test]
async fn a_checkpoint_that_cannot_be_written_ends_the_transfer() {
    let mut place = Place::new().await;
    place.checkpoint = place.folder.path().join("missing/c");
    fs::write(&place.target, content(2 * PART)).unwrap();
    let error = place.upload().await.unwrap_err();
    assert!(
        error.to_string().contains("missing/c cannot be used: "),
        "{error}"
    );
    assert_eq!(place.uploads().await, []);
    place
        .cloud
        .put_object(place.cloud.bucket(), "k", content(2 * PART));
    let error = place.download().await.unwrap_err();
    assert!(
        error.to_string().contains("missing/c cannot be used: "),
        "{error}"
    );
    assert_eq!(names(place.folder.path()), ["f"]);
    let client = place.client();
    let upload = client
        .upload(place.cloud.bucket(), "k", "bytes")
        .checkpoint(&place.checkpoint);
    let error = upload.await.unwrap_err().to_string();
    assert!(
        error.contains("a checkpoint is set for an upload that is not of a file"),
        "{error}"
    );
}

#[tokio::test]
async fn an_upload_is_continued_by_a_later_process() {
    let place = Place::new().await;
    let content = place.broken_upload().await;
    assert_eq!(names(place.folder.path()), ["c", "f"]);
    assert_eq!(place.uploads().await.len(), 1);
    place.cloud.forget_requests();
    assert_eq!(place.uploaded(&content).await, "");
    assert_eq!(place.parts(), ["3", "4", "5"]);
    assert_eq!(place.cloud.count(Service::Oss, "InitiateMultipartUpload"), 0);
}

#[tokio::test]
async fn progress_of_a_continued_upload_counts_what_is_there() {
    let place = Place::new().await;
    place.broken_upload().await;
    let progress = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&progress);
    let upload = place
        .upload()
        .on_progress(move |progress| seen.lock().unwrap().push(progress));
    upload.await.unwrap();
    let progress = progress.lock().unwrap();
    let there = |progress: &oss_client::UploadProgress| (progress.sent, progress.acknowledged);
    assert!(
        progress
            .iter()
            .any(|progress| there(progress) == (2 * PART, 2 * PART)),
        "{progress:?}"
    );
    let last = progress.last().unwrap();
    assert_eq!((last.sent, last.acknowledged), (5 * PART - 7, 5 * PART - 7));
}

#[tokio::test]
async fn a_part_that_is_another_one_is_sent_again() {
    let place = Place::new().await;
    let content = place.broken_upload().await;
    let id = place.uploads().await.pop().unwrap().upload_id;
    let other = vec![0; usize::try_from(PART).unwrap()];
    let replaced = place
        .client()
        .upload_part(place.cloud.bucket(), "k", id, 2, other);
    replaced.await.unwrap();
    place.cloud.forget_requests();
    assert_eq!(place.uploaded(&content).await, "");
    assert_eq!(place.parts(), ["2", "3", "4", "5"]);
}

#[tokio::test]
async fn a_checkpoint_of_another_upload_is_discarded() {
    type Change = Box<dyn Fn(&Place, &mut Bytes)>;
    let noted = |name: &'static str, value: Value| -> Change {
        Box::new(move |place, _| place.note(name, value.clone()))
    };
    let changes: [(Change, &str, u64); 7] = [
        (
            Box::new(|place, content| {
                let modified = fs::metadata(&place.target).unwrap().modified().unwrap();
                *content = vec![7; content.len() - 1].into();
                fs::write(&place.target, content).unwrap();
                let file = fs::File::options().write(true).open(&place.target).unwrap();
                file.set_modified(modified).unwrap();
            }),
            r#"its field "size" differs"#,
            1,
        ),
        (
            Box::new(|place, content| {
                *content = vec![7; content.len()].into();
                fs::write(&place.target, &*content).unwrap();
                let file = fs::File::options().write(true).open(&place.target).unwrap();
                file.set_modified(std::time::UNIX_EPOCH).unwrap();
            }),
            r#"its field "modified" differs"#,
            1,
        ),
        (
            noted("settings", "0".into()),
            r#"its field "settings" differs"#,
            1,
        ),
        (
            noted("source", "other".into()),
            r#"its field "source" differs"#,
            1,
        ),
        // Not ours to abort.
        (noted("key", "other".into()), r#"its field "key" differs"#, 0),
        (noted("part_size", 1.into()), "it has no upload that fits", 1),
        (
            noted("upload_id", "0".into()),
            "the service does not have the upload any more",
            0,
        ),
    ];
    for (change, why, aborted) in changes {
        let place = Place::new().await;
        let mut content = place.broken_upload().await;
        change(&place, &mut content);
        let (log, uploaded) = warnings(place.upload().send()).await;
        uploaded.unwrap();
        assert_eq!(
            place.cloud.object(place.cloud.bucket(), "k").unwrap(),
            content,
            "{why}"
        );
        assert!(log.contains(why), "{why}: {log}");
        assert_eq!(place.parts().len(), 5, "{why}");
        assert_eq!(
            place.cloud.count(Service::Oss, "AbortMultipartUpload"),
            aborted,
            "{why}"
        );
        assert_eq!(place.uploads().await.len() as u64, 1 - aborted, "{why}");
        assert_eq!(log.contains("are left behind"), why.contains("\"key\""), "{log}");
        assert_eq!(names(place.folder.path()), ["f"]);
    }
}

#[tokio::test]
async fn an_upload_whose_parts_cannot_be_listed_stays_as_it_is() {
    let place = Place::new().await;
    place.broken_upload().await;
    let refused = Fault::error(403, "AccessDenied").action("ListParts");
    place.cloud.fault(Service::Oss, refused.always());
    assert_eq!(place.upload().await.unwrap_err().code(), Some("AccessDenied"));
    assert_eq!(names(place.folder.path()), ["c", "f"]);
    assert_eq!(place.uploads().await.len(), 1);
}

/// Others may write to the folder, too.
#[cfg(unix)]
#[tokio::test]
async fn a_planted_file_is_neither_written_nor_removed() {
    use std::os::unix::fs::{chown, symlink};

    for plant in ["symbolic link", "hard link", "file of another user"] {
        let place = Place::new().await;
        let content = place.broken_download().await;
        let planted = place.folder.path().join(place.noted()["file"].as_str().unwrap());
        let elsewhere = tempfile::tempdir_in(place.folder.path()).unwrap();
        let victim = elsewhere.path().join("victim");
        // With the same bytes, so that only the kind of file differs.
        let bytes = fs::read(&planted).unwrap();
        fs::rename(&planted, &victim).unwrap();
        match plant {
            "symbolic link" => symlink(&victim, &planted).unwrap(),
            "hard link" => fs::hard_link(&victim, &planted).unwrap(),
            _ => {
                fs::copy(&victim, &planted).unwrap();
                // Only root can do that.
                if chown(&planted, Some(12_345), None).is_err() {
                    continue;
                }
            }
        }
        let (log, downloaded) = warnings(place.download().send()).await;
        downloaded.unwrap();
        assert_eq!(fs::read(&place.target).unwrap(), content, "{plant}");
        assert!(
            log.contains("its unfinished file is a link, has a second name or belongs to another user"),
            "{plant}: {log}"
        );
        assert_eq!(fs::read(&victim).unwrap(), bytes, "{plant}");
        assert_eq!(fs::read(&planted).unwrap(), bytes, "{plant}");
    }
}

#[tokio::test]
async fn an_unfinished_file_that_is_too_long_is_removed() {
    let place = Place::new().await;
    let content = place.broken_download().await;
    let unfinished = place.folder.path().join(place.noted()["file"].as_str().unwrap());
    let file = fs::File::options().write(true).open(&unfinished).unwrap();
    file.set_len(5 * PART).unwrap();
    let log = place.downloaded(&content).await;
    assert!(
        log.contains("its unfinished file is longer than the object"),
        "{log}"
    );
    assert_eq!(place.ranges().len(), 5);
}

#[tokio::test]
async fn no_file_beside_the_checkpoint_is_touched() {
    let place = Place::new().await;
    let beside = place.folder.path().join("c.new");
    fs::write(&beside, "mine").unwrap();
    let content = place.broken_download().await;
    place.download().await.unwrap();
    assert_eq!(fs::read(&place.target).unwrap(), content);
    fs::remove_file(&place.target).unwrap();
    place.broken_upload().await;
    place.upload().await.unwrap();
    assert_eq!(fs::read_to_string(&beside).unwrap(), "mine");
    assert_eq!(names(place.folder.path()), ["c.new", "f"]);
}

#[tokio::test]
async fn a_checkpoint_that_can_no_longer_be_written_does_not_end_the_download() {
    let mut place = Place::new().await;
    let inside = place.folder.path().join("inside");
    fs::create_dir(&inside).unwrap();
    place.checkpoint = inside.join("c");
    let content = content(5 * PART);
    place.cloud.put_object(place.cloud.bucket(), "k", content.clone());
    let download = place.download().on_progress(move |_| {
        let _ = fs::remove_dir_all(&inside);
    });
    let (log, downloaded) = warnings(download.send()).await;
    downloaded.unwrap();
    assert_eq!(fs::read(&place.target).unwrap(), content);
    assert_eq!(names(place.folder.path()), ["f"]);
    // Once, and not for each range.
    assert_eq!(
        log.matches("a checkpoint could not be written").count(),
        1,
        "{log}"
    );
    assert!(log.contains("event=\"oss.checkpoint_not_written\""), "{log}");
}

/// A checkpoint of one direction, used for the other one.
#[tokio::test]
async fn what_a_checkpoint_of_the_other_direction_names_is_logged() {
    let place = Place::new().await;
    let content = place.broken_upload().await;
    place.cloud.put_object(place.cloud.bucket(), "k", content.clone());
    let upload_id = place.uploads().await.pop().unwrap().upload_id;
    let (log, downloaded) = warnings(place.download().send()).await;
    downloaded.unwrap();
    assert!(
        log.contains("are left behind") && log.contains(&upload_id),
        "{log}"
    );

    let place = Place::new().await;
    let content = place.broken_download().await;
    let unfinished = names(place.folder.path()).remove(0);
    fs::write(&place.target, &content).unwrap();
    let (log, uploaded) = warnings(place.upload().send()).await;
    uploaded.unwrap();
    assert!(
        log.contains("is left behind") && log.contains(&unfinished),
        "{log}"
    );
}
