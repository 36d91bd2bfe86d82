//! What the public types promise to the compiler.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, reason = "a broken set-up ends the test")]

use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use oss_credentials_core::test_util::{ManualClock, ScriptedSource};
use oss_credentials_core::{
    Backoff, BoxFuture, ChainPolicy, ChainProvider, ChainReport, Clock, ClockOffset, Credentials,
    CredentialsError, CredentialsFuture, CredentialsProvider, CredentialsSource, Env, ErrorDetail, Fetched,
    PerGeneration, RefreshDriver, RefreshStatus, RefreshingProvider, Sleep, SystemClock, Updates,
    provider_fn, source_fn,
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
    value::<Backoff>();
    value::<ChainPolicy>();
    value::<SystemClock>();
    // These hold `dyn Error` or other trait objects, which may have interior mutability of their own.
    shared::<CredentialsError>();
    shared::<ErrorDetail>();
    shared::<ChainReport>();
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
    shared::<Box<dyn Clock>>();
    shared::<Box<dyn Sleep>>();
    shared::<Box<dyn Env>>();
    provider::<Box<dyn CredentialsProvider>>();
    provider::<Arc<dyn CredentialsProvider>>();
    provider::<RefreshingProvider<Box<dyn CredentialsSource>>>();
}

#[test]
fn cached_answer_is_small_and_errors_are_cheap_to_move() {
    assert!(size_of::<Credentials>() <= size_of::<usize>());
    assert!(size_of::<CredentialsError>() <= 3 * size_of::<usize>());
}

/// Its derived `Debug` shows the token. It is demanded of no source and no provider, so nothing may rely on it.
#[derive(Clone, Debug)]
struct Vault {
    #[expect(dead_code, reason = "shown by Debug, which is the point")]
    token: &'static str,
}

impl CredentialsSource for Vault {
    fn name(&self) -> &'static str {
        "vault"
    }
    fn fetch(&self) -> BoxFuture<'_, Result<Fetched, CredentialsError>> {
        Box::pin(std::future::pending())
    }
}

impl CredentialsProvider for Vault {
    fn name(&self) -> &'static str {
        "vault"
    }
    fn credentials(&self) -> CredentialsFuture<'_> {
        CredentialsFuture::new(std::future::pending())
    }
}

#[test]
fn wrappers_keep_the_name_of_what_they_wrap() {
    fn name(source: &impl CredentialsSource) -> &'static str {
        source.name()
    }
    let vault = Vault { token: "sesame" };
    assert_eq!(name(&Box::new(vault.clone())), "vault");
    assert_eq!(name(&Arc::new(vault)), "vault");
    let cache = RefreshingProvider::new(Vault { token: "sesame" });
    assert_eq!(CredentialsProvider::name(&cache), "vault");
    let never = || std::future::pending::<Result<Fetched, CredentialsError>>();
    assert_eq!(name(&source_fn("closure", never)), "closure");
    let anonymous = provider_fn("closure", || Ok(Credentials::anonymous()));
    assert_eq!(anonymous.name(), "closure");
    assert_eq!(CredentialsProvider::name(&Credentials::anonymous()), "anonymous");
}

#[test]
fn debug_names_the_type() {
    let generation = PerGeneration::<String>::default();
    assert_eq!(format!("{generation:?}"), "PerGeneration { .. }");
    let detail = ErrorDetail::builder("x", "y");
    assert!(format!("{detail:?}").contains("ErrorDetailBuilder"), "{detail:?}");
    for (future, shown) in [
        (
            CredentialsFuture::ready(Ok(Credentials::anonymous())),
            "CredentialsFuture(ready)",
        ),
        (
            CredentialsFuture::new(std::future::pending()),
            "CredentialsFuture(pending)",
        ),
    ] {
        assert_eq!(format!("{future:?}"), shown);
    }
    let provider = RefreshingProvider::new(Vault { token: "sesame" });
    let status = provider.status();
    assert!(format!("{status:?}").starts_with("RefreshStatus {"), "{status:?}");
    let updates = provider.subscribe();
    assert_eq!(format!("{updates:?}"), "Updates { seen: 0, .. }");
    let driver = provider.driver(ManualClock::at_unix(0)).unwrap();
    assert_eq!(format!("{driver:?}"), "RefreshDriver { attached: true, .. }");
    drop(provider);
    assert_eq!(format!("{driver:?}"), "RefreshDriver { attached: false, .. }");
}

#[test]
fn what_contains_a_source_or_provider_shows_its_name_alone() {
    let vault = Vault { token: "sesame" };
    let (source, provider): (Arc<dyn CredentialsSource>, Arc<dyn CredentialsProvider>) =
        (Arc::new(vault.clone()), Arc::new(vault.clone()));
    assert_eq!(format!("{source:?}"), r#"CredentialsSource("vault")"#);
    assert_eq!(format!("{provider:?}"), r#"CredentialsProvider("vault")"#);
    let chain = ChainProvider::builder()
        .member("first", Ok(vault.clone()))
        .build();
    let builder = RefreshingProvider::builder(vault.clone());
    for text in [
        format!("{chain:?}"),
        format!("{builder:?}"),
        format!("{:?}", RefreshingProvider::new(vault)),
    ] {
        assert!(text.contains("vault") && !text.contains("sesame"), "{text}");
    }
}
