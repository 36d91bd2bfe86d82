//! Cross-origin requests of pages: the rules of a bucket, preflights, and the headers of responses.
//!
//! Vendor documents: "`PutBucketCors`", "`GetBucketCors`", "`DeleteBucketCors`" and "Options" (Object Storage Service, API
//! reference), "cors-options" (ossutil).

use super::bucket::{Bucket, named};
use super::call::Call;
use super::cors_rule::{Asked, Rule};
use super::document::document;
use super::error::Refusal;
use super::store::Oss;
use super::xml::Node;
use crate::wire::{Answer, Request};

/// Replaces the earlier rules. That a rule without an origin or a method is malformed is a guess.
pub(super) fn put(call: &Call<'_>, bucket: &mut Bucket) -> Result<Answer, Refusal> {
    let root = Node::parse(&call.request.body).filter(|root| root.name == "CORSConfiguration");
    let rules: Option<Vec<Rule>> = root
        .as_ref()
        .and_then(|root| root.children("CORSRule").map(Rule::read).collect());
    bucket.cors = rules
        .filter(|rules| !rules.is_empty())
        .ok_or_else(Refusal::malformed_xml)?;
    Ok(Answer::empty(200))
}

pub(super) fn get(bucket: &Bucket) -> Result<Answer, Refusal> {
    if bucket.cors.is_empty() {
        let message = "The CORS Configuration does not exist.";
        return Err(Refusal::new(404, "NoSuchCORSConfiguration", message, ""));
    }
    let rules: String = bucket.cors.iter().map(Rule::document).collect();
    Ok(document("CORSConfiguration", &rules))
}

pub(super) fn delete(bucket: &mut Bucket) -> Answer {
    bucket.cors.clear();
    Answer::empty(204)
}

/// Responds to a preflight, which has no signature that could be checked.
pub(super) fn preflight(call: &Call<'_>, bucket: &Bucket) -> Result<Answer, Refusal> {
    let message = match (bucket.cors.is_empty(), Asked::of(call.request)) {
        (true, _) => "CORSResponse: CORS is not enabled for this bucket.",
        (false, Some(asked)) if rule(bucket, &asked).is_some() => return Ok(Answer::empty(200)),
        (false, _) => "CORSResponse: This CORS request is not allowed.",
    };
    Err(Refusal::new(403, "AccessForbidden", message, ""))
}

/// Adds the headers that let a page of another origin read the response, be it an error or not, if a rule allows that.
pub(super) fn answered(oss: &Oss, bucket: &str, request: &Request, answer: Answer) -> Answer {
    let Some(asked) = Asked::of(request) else {
        return answer;
    };
    let mut buckets = oss.buckets();
    let Ok(bucket) = named(&mut buckets, bucket) else {
        return answer;
    };
    match rule(bucket, &asked) {
        Some(rule) => rule.add_to(&asked, answer),
        None => answer,
    }
}

/// The first rule that covers the request.
fn rule<'b>(bucket: &'b Bucket, asked: &Asked<'_>) -> Option<&'b Rule> {
    bucket.cors.iter().find(|rule| rule.covers(asked))
}
