//! What a service of the local cloud is to the rest of it.
//!
//! A new one is a folder with a type that implements [`CloudService`], a variant of [`Service`], and one line in the
//! builder's list.

use axum::body::Body;
use http::request::Parts;
use oss_credentials_core::BoxFuture;

use crate::body::{self, Unread};
use crate::fault;
use crate::record::Service;
use crate::wire::{Answer, Request};

/// What a fault changes in the way a service judges one request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Judgement {
    /// Seconds added to the clock.
    pub(crate) clock_offset: i64,
    /// Credentials issued have expired already.
    pub(crate) expired_credentials: bool,
    /// A page of a list is empty, with more to come.
    pub(crate) empty_page: bool,
}

/// A service: its name, its requests, its state, and its ways to fail. Its port is the builder's.
pub(crate) trait CloudService: Send + Sync {
    /// Its name in records, and for faults.
    fn id(&self) -> Service;

    /// Whether it is what a public host stands for.
    fn is_at(&self, host: &str) -> bool;

    /// The name of the operation that is asked for; `Unknown` if there is none such.
    fn action(&self, request: &Request) -> String;

    /// The AccessKey id that the request names.
    fn access_key_id(&self, _request: &Request) -> Option<String> {
        None
    }

    /// Reads a request to its end.
    fn receive(&self, parts: Parts, body: Body, limit: usize) -> BoxFuture<'_, Result<Request, Unread>> {
        Box::pin(async move {
            let body = body::read(body, limit).await?;
            Ok(Request::new(&parts, body))
        })
    }

    /// Whether the answer to this request never arrives.
    fn loses_answer(&self, _request: &Request) -> bool {
        false
    }

    /// Carries out a request.
    fn handle(&self, request: &Request, judgement: Judgement) -> Answer;

    /// An error in the service's own format.
    fn error(&self, request: &Request, status: u16, code: &str, message: &str) -> Answer;

    /// An error as JSON, for a service whose errors are not.
    fn json_error(&self, request: &Request, status: u16, code: &str) -> Answer {
        self.error(request, status, code, "A fault scripted for this request.")
    }

    /// The service's own way of saying "too many requests".
    fn throttling(&self, request: &Request) -> Answer;

    /// Takes a field away from an answer.
    fn remove_field(&self, answer: &mut Answer, name: &str) {
        fault::remove_field(answer, name);
    }

    /// The path without what may be a secret in it.
    fn shown_path<'a>(&self, request: &'a Request) -> &'a str {
        &request.path
    }
}
