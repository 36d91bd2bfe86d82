//! What happens between the role and the provider under it.

use std::collections::VecDeque;
use std::error::Error as _;
use std::sync::{Arc, Mutex};

use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{
    Credentials, CredentialsError, CredentialsFuture, CredentialsProvider, CredentialsSource, ErrorDetail,
    Invalidation, blocking, provider_fn,
};
use oss_credentials_sts_assume_role::StsAssumeRole;

use crate::service::{ARN, NOW, Service, ServiceExt as _, an_hour, fetch, key, param};

/// A base that fetches: `cached` says nothing, and `invalidate` moves on to the next key.
#[derive(Clone, Debug)]
struct Base(Arc<Mutex<(VecDeque<Credentials>, Vec<String>)>>);

impl Base {
    fn new(keys: impl IntoIterator<Item = Credentials>) -> Self {
        Self(Arc::new(Mutex::new((keys.into_iter().collect(), Vec::new()))))
    }

    fn rejected(&self) -> Vec<String> {
        self.0.lock().unwrap().1.clone()
    }
}

impl CredentialsProvider for Base {
    fn name(&self) -> &'static str {
        "base"
    }
    fn credentials(&self) -> CredentialsFuture<'_> {
        CredentialsFuture::new(async { Ok(self.0.lock().unwrap().0.front().unwrap().clone()) })
    }
    fn invalidate(&self, rejected: &Credentials) -> Invalidation {
        let mut state = self.0.lock().unwrap();
        state.1.push(rejected.access_key_id().to_owned());
        if state.0.len() > 1 {
            state.0.pop_front();
        }
        Invalidation::Dropped
    }
}

#[test]
fn the_base_is_asked_at_every_fetch() {
    let service = Service::new()
        .answers(200, an_hour("STS.A"))
        .answers(200, an_hour("STS.B"));
    let base = Base::new([key("LTAI.first"), key("LTAI.second")]);
    let source = StsAssumeRole::builder(base.clone())
        .role_arn(ARN)
        .http_client(service.clone());
    let source = source.clock(ManualClock::at_unix(NOW)).build_source().unwrap();
    blocking::wait(source.fetch()).unwrap();
    base.0.lock().unwrap().0.pop_front();
    blocking::wait(source.fetch()).unwrap();
    let ids: Vec<_> = service
        .requests()
        .iter()
        .map(|r| param(r, "AccessKeyId").unwrap())
        .collect();
    assert_eq!(ids, ["LTAI.first", "LTAI.second"]);
}

#[test]
fn a_rejected_base_key_is_invalidated_and_its_successor_tried() {
    for code in ["InvalidSecurityToken.Expired", "InvalidAccessKeyId.NotFound"] {
        let service = Service::new()
            .refuses(400, code)
            .answers(200, an_hour("STS.EXAMPLE"));
        let base = Base::new([key("LTAI.old"), key("LTAI.new")]);
        let builder = StsAssumeRole::builder(base.clone())
            .role_arn(ARN)
            .http_client(service.clone());
        fetch(builder.clock(ManualClock::at_unix(NOW))).unwrap();
        assert_eq!(base.rejected(), ["LTAI.old"]);
        let ids: Vec<_> = service
            .requests()
            .iter()
            .map(|r| param(r, "AccessKeyId").unwrap())
            .collect();
        assert_eq!(ids, ["LTAI.old", "LTAI.new"]);
    }
}

#[test]
fn a_base_without_another_key_is_not_tried_again() {
    let service = Service::new().refuses(404, "InvalidAccessKeyId.NotFound");
    let base = Base::new([key("LTAI.only")]);
    let error = fetch(
        StsAssumeRole::builder(base.clone())
            .role_arn(ARN)
            .http_client(service.clone()),
    )
    .unwrap_err();
    assert!(matches!(error, CredentialsError::Denied(_)), "{error:?}");
    assert_eq!(base.rejected(), ["LTAI.only"]);
    assert_eq!(service.requests().len(), 1);

    // Two rejected keys: two told, and no third call.
    let service = Service::new()
        .refuses(400, "InvalidSecurityToken")
        .refuses(400, "InvalidSecurityToken");
    let base = Base::new([key("LTAI.1"), key("LTAI.2"), key("LTAI.3")]);
    fetch(
        StsAssumeRole::builder(base.clone())
            .role_arn(ARN)
            .http_client(service.clone()),
    )
    .unwrap_err();
    assert_eq!(base.rejected(), ["LTAI.1", "LTAI.2"]);

    // What is wrong with the role is not the base's fault.
    let service = Service::new().refuses(403, "NoPermission");
    let base = Base::new([key("LTAI.only")]);
    fetch(
        StsAssumeRole::builder(base.clone())
            .role_arn(ARN)
            .http_client(service.clone()),
    )
    .unwrap_err();
    assert!(base.rejected().is_empty());
}

/// A base that has dropped too many keys lately: another one is available, and may not be used up.
struct Limited(Base);

impl CredentialsProvider for Limited {
    fn name(&self) -> &'static str {
        "limited"
    }
    fn credentials(&self) -> CredentialsFuture<'_> {
        let credentials = self.0.0.lock().unwrap().0.pop_front().unwrap();
        CredentialsFuture::ready(Ok(credentials))
    }
    fn invalidate(&self, _: &Credentials) -> Invalidation {
        Invalidation::LimitReached
    }
}

#[test]
fn a_base_that_keeps_its_key_is_not_asked_again() {
    let service = Service::new()
        .refuses(404, "InvalidAccessKeyId.NotFound")
        .answers(200, an_hour("STS.EXAMPLE"));
    let base = Base::new([key("LTAI.1"), key("LTAI.2")]);
    let builder = StsAssumeRole::builder(Limited(base.clone()))
        .role_arn(ARN)
        .http_client(service.clone());
    let error = fetch(builder).unwrap_err();
    assert!(matches!(error, CredentialsError::Denied(_)), "{error:?}");
    assert_eq!((service.requests().len(), base.0.lock().unwrap().0.len()), (1, 1));
}

#[test]
fn a_base_that_fails_after_the_rejection_does_not_hide_it() {
    let service = Service::new().refuses(404, "InvalidAccessKeyId.NotFound");
    let seen = service.clone();
    let base = provider_fn("vault", move || {
        if seen.requests().is_empty() {
            return Ok(key("LTAI.old"));
        }
        Err(CredentialsError::unavailable(ErrorDetail::builder(
            "vault", "sealed",
        )))
    });
    let error = fetch(
        StsAssumeRole::builder(base)
            .role_arn(ARN)
            .http_client(service.clone()),
    )
    .unwrap_err();
    assert!(matches!(error, CredentialsError::Denied(_)), "{error:?}");
    assert_eq!(
        error.detail().and_then(ErrorDetail::code),
        Some("InvalidAccessKeyId.NotFound")
    );
}

#[test]
fn a_base_that_is_not_set_up_does_not_let_a_chain_go_on() {
    let base = provider_fn("vault", || {
        Err(CredentialsError::not_configured(ErrorDetail::builder(
            "vault",
            "no vault is set up",
        )))
    });
    let service = Service::new();
    let error = fetch(
        StsAssumeRole::builder(base)
            .role_arn(ARN)
            .http_client(service.clone()),
    )
    .unwrap_err();
    assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        "sts-assume-role: the base provider vault is not configured; set it up, or remove the role from the chain"
    );
    assert_eq!(error.source().unwrap().to_string(), "vault: no vault is set up");

    let base = provider_fn("vault", || {
        Err(CredentialsError::unavailable(ErrorDetail::builder(
            "vault", "sealed",
        )))
    });
    let error = fetch(
        StsAssumeRole::builder(base)
            .role_arn(ARN)
            .http_client(service.clone()),
    )
    .unwrap_err();
    assert_eq!(error.to_string(), "vault: sealed");
    assert!(matches!(error, CredentialsError::Unavailable(_)), "{error:?}");
}

#[test]
fn roles_can_be_chained() {
    let hub = Service::new().answers(200, an_hour("STS.HUB"));
    let spoke = Service::new().answers(200, an_hour("STS.SPOKE"));
    let provider = StsAssumeRole::builder(hub.builder().build().unwrap())
        .role_arn("acs:ram::2:role/spoke")
        .http_client(spoke.clone())
        .clock(ManualClock::at_unix(NOW))
        .build()
        .unwrap();
    let credentials = blocking::wait(provider.credentials()).unwrap();
    assert_eq!(credentials.access_key_id(), "STS.SPOKE");
    let request = &spoke.requests()[0];
    assert_eq!(param(request, "AccessKeyId").as_deref(), Some("STS.HUB"));
    assert_eq!(
        param(request, "SecurityToken").as_deref(),
        Some("canary-new-token")
    );
    assert_eq!(param(&hub.requests()[0], "SecurityToken"), None);
}

#[test]
fn an_anonymous_base_is_refused() {
    let service = Service::new();
    let builder = StsAssumeRole::builder(Credentials::anonymous())
        .role_arn(ARN)
        .http_client(service.clone());
    let error = builder.build().unwrap_err();
    assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");

    // One that has to fetch shows itself only then.
    let late = Base::new([Credentials::anonymous()]);
    let error = fetch(
        StsAssumeRole::builder(late)
            .role_arn(ARN)
            .http_client(service.clone()),
    )
    .unwrap_err();
    assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        "sts-assume-role: AssumeRole cannot be called anonymously; use an access key pair, or temporary \
         credentials, as the base"
    );
    assert!(service.requests().is_empty());
}
