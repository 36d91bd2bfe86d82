//! Transfers that end at any point, as of a killed process, and are continued by a later one.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::files::{PART, content, names};
use crate::place::Place;
use oss_testkit::{Fault, Service};

/// What a process leaves that is killed now.
fn copied(from: &Path) -> Vec<(String, Vec<u8>)> {
    let names = names(from).into_iter();
    names
        .filter_map(|name| Some((name.clone(), fs::read(from.join(name)).ok()?)))
        .collect()
}

#[tokio::test]
async fn a_download_is_continued_from_whatever_a_killed_process_leaves() {
    for length in [0, 1, PART, 3 * PART, 4 * PART + 1] {
        let place = Place::new().await;
        let content = content(length);
        place.cloud.put_object(place.cloud.bucket(), "k", content.clone());
        let states = Arc::new(Mutex::new(vec![copied(place.folder.path())]));
        let (seen, folder) = (Arc::clone(&states), place.folder.path().to_owned());
        let download = place
            .download()
            .parallel(2)
            .on_progress(move |_| seen.lock().unwrap().push(copied(&folder)));
        download.await.unwrap();
        let mut states = std::mem::take(&mut *states.lock().unwrap());
        // The file was renamed, and the checkpoint not yet removed.
        let done = ("f".to_owned(), content.to_vec());
        if let Some(mut last) = states.last().cloned() {
            last.retain(|(name, _)| name == "c");
            last.push(done);
            states.push(last);
        }
        assert!(states.len() > 2 || length < 2, "{length}");
        for state in states {
            for name in names(place.folder.path()) {
                fs::remove_file(place.folder.path().join(name)).unwrap();
            }
            for (name, bytes) in &state {
                fs::write(place.folder.path().join(name), bytes).unwrap();
            }
            place.downloaded(&content).await;
        }
    }
}

#[tokio::test]
async fn an_upload_is_continued_whichever_of_its_requests_fails() {
    let part = |number| ("UploadPart", Some(number));
    let steps = [
        ("InitiateMultipartUpload", None),
        part("1"),
        part("3"),
        part("5"),
        ("CompleteMultipartUpload", None),
    ];
    for (action, number) in steps {
        // Refused; carried out, and the response is lost; or only its beginning arrives.
        for fault in [
            Fault::error(500, "InternalError"),
            Fault::reset(),
            Fault::cut_body(),
        ] {
            let place = Place::new().await;
            let content = content(5 * PART - 7);
            fs::write(&place.target, &content).unwrap();
            let mut fault = fault.action(action).always();
            if let Some(number) = number {
                fault = fault.parameter("partNumber", number);
            }
            place.cloud.fault(Service::Oss, fault);
            let _ = place.upload().await;
            place.cloud.clear_faults();
            // Whose ID never arrived.
            for upload in place.uploads().await {
                if action == "InitiateMultipartUpload" {
                    let client = place.client();
                    let abort = client.abort_multipart_upload(place.cloud.bucket(), "k", upload.upload_id);
                    abort.await.unwrap();
                }
            }
            place.uploaded(&content).await;
        }
    }
}
