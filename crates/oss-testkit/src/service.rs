//! The interface of a service to the rest of the local cloud.
//!
//! A new service is a folder with a type that implements [`CloudService`], a variant of [`Service`], and one line in
//! the builder's list.

use axum::body::Body;
use http::request::Parts;
use oss_credentials_core::BoxFuture;

use crate::body::{self, Unread};
use crate::fault;
use crate::record::Service;
use crate::wire::{Answer, Request};

/// How a fault changes the way a service judges one request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Judgement {
    /// Seconds added to the clock.
    pub(crate) clock_offset: i64,
    /// Issued credentials have already expired.
    pub(crate) expired_credentials: bool,
    /// A page of a list is empty, and states that there is more.
    pub(crate) empty_page: bool,
}

/// A service: its name, its requests, its state, and its errors. The builder sets its port.
pub(crate) trait CloudService: Send + Sync {
    /// Its name in records and for faults.
    fn id(&self) -> Service;

    /// Returns whether a public host is one of the service's.
    fn is_at(&self, host: &str) -> bool;

    /// The name of the requested operation; `Unknown` if there is no such operation.
    fn action(&self, request: &Request) -> String;

    /// The access key ID that the request names.
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

    /// Returns whether the response to this request never arrives.
    fn loses_answer(&self, _request: &Request) -> bool {
        false
    }

    /// Carries out a request.
    fn handle(&self, request: &Request, judgement: Judgement) -> Answer;

    /// An error in the service's own format.
    fn error(&self, request: &Request, status: u16, code: &str, message: &str) -> Answer;

    /// An error as JSON, for a service with another error format.
    fn json_error(&self, request: &Request, status: u16, code: &str) -> Answer {
        self.error(request, status, code, "A fault scripted for this request.")
    }

    /// The service's own throttling error.
    fn throttling(&self, request: &Request) -> Answer;

    /// Removes a field from a response.
    fn remove_field(&self, answer: &mut Answer, name: &str) {
        fault::remove_field(answer, name);
    }

    /// The path without parts that may be secret.
    fn shown_path<'a>(&self, request: &'a Request) -> &'a str {
        &request.path
    }
}
