//! What the public types promise to the compiler.
#![allow(missing_docs)]

use std::panic::{RefUnwindSafe, UnwindSafe};

use oss_credentials_http::{
    Endpoint, HttpClient, HttpError, HttpRequest, HttpResponse, LearnedOffset, ProxyVariables, Scrubber,
};

fn shared<T: Send + Sync + Unpin>() {}
fn value<T: Send + Sync + Unpin + UnwindSafe + RefUnwindSafe>() {}

#[test]
fn values_can_go_anywhere() {
    value::<Endpoint>();
    value::<HttpRequest>();
    value::<HttpResponse>();
    value::<ProxyVariables>();
    value::<Scrubber>();
    shared::<LearnedOffset>();
    // It holds a `dyn Error`, which may have interior mutability of its own.
    shared::<HttpError>();
}

#[test]
fn a_client_can_be_an_object() {
    shared::<Box<dyn HttpClient>>();
}
