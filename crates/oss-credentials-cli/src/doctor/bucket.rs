//! Whether a bucket answers.

use std::time::Duration;

use oss_credentials::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::chain::Chain;
use crate::failure::{Exit, Failure};
use crate::oss::Place;
use crate::terminal::{BAD, GOOD, Page};

/// What asking a bucket brought.
pub(super) struct Answer {
    bucket: String,
    region: String,
    latency: Duration,
    outcome: Result<(), oss_client::Error>,
}

/// Asks for one object of the bucket, which shows that the key may list it, in which region, and how quickly.
pub(super) async fn ask(bucket: &str, place: &Place, chain: &Chain) -> Result<Answer, Failure> {
    let client = place.client("doctor", chain)?;
    let begun = SystemClock.monotonic();
    let outcome = client.list_objects_v2(bucket).max_keys(1).send().await.map(drop);
    let ended = SystemClock.monotonic();
    let latency = ended.zip(begun).map(|(ended, begun)| ended.saturating_sub(begun));
    Ok(Answer {
        bucket: bucket.to_owned(),
        region: place.region(chain).unwrap_or_default(),
        latency: latency.unwrap_or_default(),
        outcome,
    })
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
                    &format!("the bucket {} answers", self.bucket),
                    2,
                    Some(("answers", GOOD)),
                );
                page.fact("region", &self.region);
                page.fact("latency", &format!("{} ms", self.latency.as_millis()));
            }
            Err(error) => {
                let line = format!("the bucket {} cannot be used: {error}", self.bucket);
                page.line(&line, 2, Some(("cannot be used", BAD)));
            }
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let error = self.outcome.as_ref().err();
        let refusal = error.and_then(oss_client::Error::service);
        json!({
            "name": self.bucket,
            "region": self.outcome.is_ok().then_some(&self.region),
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
