//! Checks whether a bucket can be accessed.

use std::time::Duration;

use oss_client::Client;
use oss_credentials::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::chain::Chain;
use crate::failure::Exit;
use crate::oss::Place;
use crate::terminal::{BAD, GOOD, Page};

/// The region in which a bucket without a configured region is requested: the service then names the right one.
const FIRST_REGION: &str = "cn-hangzhou";

/// The `EC` of a request that is signed for another region than the endpoint's, as observed from the vendor's clients.
const SIGNED_FOR_ANOTHER_REGION: &str = "0002-00000226";

/// The result of a request for a bucket.
pub(super) struct Answer {
    bucket: String,
    /// The region of the bucket; `None` if it cannot be determined.
    region: Option<String>,
    /// What to do if the region or the endpoint that is set is not the bucket's.
    misplaced: Option<String>,
    latency: Duration,
    outcome: Result<(), oss_client::Error>,
}

/// Asks for one object of the bucket, which shows that the key may list it, how quickly, and in which region. The region
/// that is set is the one that programs use, so the bucket is asked elsewhere only if none is set.
pub(super) async fn ask(bucket: &str, place: &Place, chain: &Chain) -> Answer {
    let known = match place.region(chain) {
        Ok(known) => known,
        Err(error) => return Answer::not_asked(bucket, error),
    };
    let asked = known.clone().unwrap_or_else(|| FIRST_REGION.to_owned());
    let begun = SystemClock.monotonic();
    let mut outcome = list(place, asked.clone(), chain, bucket).await;
    let ended = SystemClock.monotonic();
    let latency = ended.zip(begun).map(|(ended, begun)| ended.saturating_sub(begun));
    let mut region = outcome.is_ok().then(|| asked.clone());
    if outcome.is_err() {
        region = detect(place, &asked, chain, bucket).await;
    }
    if let Some(found) = region.clone().filter(|found| known.is_none() && *found != asked) {
        outcome = list(place, found, chain, bucket).await;
    }
    let misplaced = match &outcome {
        Err(error) => misplaced(error, known.as_deref(), region.as_deref(), place, chain),
        Ok(()) => None,
    };
    Answer {
        bucket: bucket.to_owned(),
        region,
        misplaced,
        latency: latency.unwrap_or_default(),
        outcome,
    }
}

/// The region of the bucket, as the service names it.
async fn detect(place: &Place, asked: &str, chain: &Chain, bucket: &str) -> Option<String> {
    let client = place.client_of(asked.to_owned(), chain).ok()?;
    client.detect_region(bucket).await.ok()
}

/// What to do if the region or the endpoint that is set is not the bucket's: then nothing is wrong with the key.
fn misplaced(
    error: &oss_client::Error,
    known: Option<&str>,
    found: Option<&str>,
    place: &Place,
    chain: &Chain,
) -> Option<String> {
    let setting = place.region_setting();
    let endpoint = place.endpoint(chain).map(|(_, setting)| setting);
    if let Some(found) = found.filter(|found| known.is_some_and(|known| known != *found)) {
        let also = endpoint
            .map(|endpoint| format!(", and leave out {endpoint}, or set it to a host of that region"));
        return Some(format!(
            "set {setting} to {found}, where the bucket is{}",
            also.unwrap_or_default()
        ));
    }
    if let oss_client::Error::InvalidConfig(problem) = error {
        return Some(problem.hint().to_owned());
    }
    let is_misplaced = error.service().is_some_and(|refusal| {
        refusal.ec() == Some(SIGNED_FOR_ANOTHER_REGION) || refusal.field("Endpoint").is_some()
    });
    is_misplaced.then(|| match endpoint {
        Some(endpoint) => format!(
            "set {setting} to the region of the host in {endpoint}, which does not accept {}; or leave {endpoint} out",
            known.unwrap_or(FIRST_REGION)
        ),
        None => format!("set {setting} to the region of the bucket"),
    })
}

async fn list(place: &Place, region: String, chain: &Chain, bucket: &str) -> Result<(), oss_client::Error> {
    let client: Client = place.client_of(region, chain)?;
    client.list_objects_v2(bucket).max_keys(1).send().await.map(drop)
}

impl Answer {
    /// The region cannot be looked up, which also stops programs that look it up.
    fn not_asked(bucket: &str, error: oss_client::Error) -> Self {
        Self {
            bucket: bucket.to_owned(),
            region: None,
            misplaced: None,
            latency: Duration::ZERO,
            outcome: Err(error),
        }
    }

    pub(super) fn exit(&self) -> Option<Exit> {
        self.outcome.as_ref().err().map(Exit::of_client)
    }

    pub(super) fn error(&self) -> Option<&oss_client::Error> {
        self.outcome.as_ref().err()
    }

    /// What to do if the bucket is not where it was requested.
    pub(super) fn misplaced(&self) -> Option<&str> {
        self.misplaced.as_deref()
    }

    pub(super) fn write(&self, page: &mut Page) {
        page.line("", 0, None);
        match &self.outcome {
            Ok(()) => {
                page.line(
                    &format!("the bucket {} responds", self.bucket),
                    2,
                    Some(("responds", GOOD)),
                );
                page.fact("latency", &format!("{} ms", self.latency.as_millis()));
            }
            Err(error) => {
                let line = format!("the bucket {} cannot be used: {error}", self.bucket);
                page.line(&line, 2, Some(("cannot be used", BAD)));
            }
        }
        if let Some(region) = &self.region {
            page.fact("region", region);
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let error = self.outcome.as_ref().err();
        let refusal = error.and_then(oss_client::Error::service);
        json!({
            "name": self.bucket,
            "region": self.region,
            "latency_ms": u64::try_from(self.latency.as_millis()).ok(),
            "error": error.map(|error| json!({
                "text": error.to_string(),
                "http_status": refusal.map(|refusal| refusal.status().as_u16()),
                "code": refusal.map(oss_client::ServiceError::code),
                "request_id": refusal.and_then(oss_client::ServiceError::request_id),
            })),
        })
    }
}
