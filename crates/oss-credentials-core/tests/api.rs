//! What the public types promise to the compiler.
#![allow(missing_docs)]

use std::panic::{RefUnwindSafe, UnwindSafe};

use oss_credentials_core::http::{Endpoint, HttpClient, HttpError, HttpRequest, HttpResponse};
use oss_credentials_core::test_util::ScriptedSource;
use oss_credentials_core::{
    Backoff, ChainPolicy, ChainProvider, ChainReport, Clock, ClockOffset, Credentials, CredentialsError,
    CredentialsFuture, CredentialsProvider, CredentialsSource, Env, ErrorDetail, Fetched, RefreshDriver,
    RefreshStatus, RefreshingProvider, Sleep, SystemClock, Updates,
};

fn send<T: Send>() {}
fn provider<T: CredentialsProvider>() {}
fn shared<T: Send + Sync + Unpin>() {}
fn value<T: Send + Sync + Unpin + UnwindSafe + RefUnwindSafe>() {}

#[test]
fn values_can_go_anywhere() {
    value::<Credentials>();
    value::<Fetched>();
    value::<ClockOffset>();
    value::<Endpoint>();
    value::<HttpRequest>();
    value::<HttpResponse>();
    value::<Backoff>();
    value::<ChainPolicy>();
    value::<SystemClock>();
    // These hold `dyn Error` or other trait objects, which may have interior mutability of their own.
    shared::<CredentialsError>();
    shared::<ErrorDetail>();
    shared::<ChainReport>();
    shared::<HttpError>();
    shared::<RefreshStatus>();
    shared::<RefreshingProvider<ScriptedSource>>();
    shared::<ChainProvider>();
    shared::<Updates>();
    send::<RefreshDriver>();
    send::<CredentialsFuture<'static>>();
}

#[test]
fn traits_can_be_objects_behind_either_pointer() {
    shared::<Box<dyn CredentialsProvider>>();
    shared::<Box<dyn CredentialsSource>>();
    shared::<Box<dyn HttpClient>>();
    shared::<Box<dyn Clock>>();
    shared::<Box<dyn Sleep>>();
    shared::<Box<dyn Env>>();
    provider::<Box<dyn CredentialsProvider>>();
    provider::<std::sync::Arc<dyn CredentialsProvider>>();
    provider::<RefreshingProvider<Box<dyn CredentialsSource>>>();
}

#[test]
fn cached_answer_is_small_and_errors_are_cheap_to_move() {
    assert!(size_of::<Credentials>() <= size_of::<usize>());
    assert!(size_of::<CredentialsError>() <= 3 * size_of::<usize>());
}
