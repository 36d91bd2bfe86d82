//! Checks whether a bucket can be accessed.

use std::time::Duration;

use oss_client::Client;
use oss_credentials::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::chain::Chain;
use crate::failure::{Exit, Failure};
use crate::oss::Place;
use crate::terminal::{BAD, GOOD, Page};

/// The region in which a bucket without a configured region is requested: the service then names the right one.
const FIRST_REGION: &str = "cn-hangzhou";

/// The result of a request for a bucket.
pub(super) struct Answer {
    bucket: String,
    /// The region of the bucket; `None` if it cannot be determined.
    region: Option<String>,
    latency: Duration,
    outcome: Result<(), oss_client::Error>,
}

/// Asks for one object of the bucket, which shows that the key may list it, how quickly, and in which region. The region
/// that is set is the one that programs use, so the bucket is asked elsewhere only if none is set.
pub(super) async fn ask(bucket: &str, place: &Place, chain: &Chain) -> Result<Answer, Failure> {
    let known = place.region(chain);
    let asked = known.clone().unwrap_or_else(|| FIRST_REGION.to_owned());
    let client = place.client_of(asked.clone(), chain)?;
    let begun = SystemClock.monotonic();
    let mut outcome = list(&client, bucket).await;
    let ended = SystemClock.monotonic();
    let latency = ended.zip(begun).map(|(ended, begun)| ended.saturating_sub(begun));
    let mut region = outcome.is_ok().then(|| asked.clone());
    if outcome.is_err() {
        region = client.detect_region(bucket).await.ok();
    }
    if let Some(found) = region.clone().filter(|found| known.is_none() && *found != asked) {
        outcome = list(&place.client_of(found, chain)?, bucket).await;
    }
    Ok(Answer {
        bucket: bucket.to_owned(),
        region,
        latency: latency.unwrap_or_default(),
        outcome,
    })
}

async fn list(client: &Client, bucket: &str) -> Result<(), oss_client::Error> {
    client.list_objects_v2(bucket).max_keys(1).send().await.map(drop)
}

impl Answer {
    pub(super) fn exit(&self) -> Option<Exit> {
        self.outcome.as_ref().err().map(Exit::of_client)
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
