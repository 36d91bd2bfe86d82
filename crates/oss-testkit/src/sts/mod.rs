//! Security Token Service: AssumeRole and GetCallerIdentity in the RPC and the ACS3 form, and
//! AssumeRoleWithOIDC, which is not signed.
//!
//! Vendor documents: "AssumeRole", "AssumeRoleWithOIDC" and "GetCallerIdentity" (Resource Access Management, API reference of STS,
//! version 2015-04-01); "Common parameters" and "Common error codes" of the same reference.

mod calls;
pub(crate) mod oidc;

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::openapi::auth;
use crate::openapi::product::{self, Product, Refusal};
use crate::record::Service;
use crate::service::{CloudService, Judgement};
use crate::state::State;
use crate::wire::{Answer, Request};
use oidc::Issuer;

const VERSION: &str = "2015-04-01";

const PRODUCT: Product = Product {
    name: "Sts",
    host: "sts.aliyuncs.com",
};

/// The service.
pub(crate) struct Sts {
    state: Arc<State>,
    /// Who signs the tokens of the account's OIDC provider.
    pub(crate) issuer: Issuer,
}

impl Sts {
    pub(crate) fn new(state: Arc<State>, settings: oidc::Settings) -> Self {
        Self {
            state,
            issuer: Issuer::new(settings),
        }
    }

    fn answer(
        &self,
        request: &Request,
        judgement: Judgement,
    ) -> Result<(&'static str, Map<String, Value>), Refusal> {
        let state = &*self.state;
        product::check_version(request, VERSION)?;
        let call = match product::action(request).as_str() {
            "AssumeRole" => calls::assume_role,
            "GetCallerIdentity" => calls::get_caller_identity,
            "AssumeRoleWithOIDC" => {
                return oidc::assume_role_with_oidc(state, &self.issuer, request, judgement);
            }
            _ => return Err(product::unknown_action()),
        };
        let caller = auth::authenticate(state, request, judgement)?;
        call(state, request, &caller, judgement)
    }
}

impl CloudService for Sts {
    fn id(&self) -> Service {
        Service::Sts
    }

    fn is_at(&self, host: &str) -> bool {
        product::is_at(host, &["sts", "sts-vpc"])
    }

    fn action(&self, request: &Request) -> String {
        product::action(request)
    }

    fn access_key_id(&self, request: &Request) -> Option<String> {
        product::access_key_id(request)
    }

    fn handle(&self, request: &Request, judgement: Judgement) -> Answer {
        match self.answer(request, judgement) {
            Ok((name, fields)) => product::success(request, name, fields),
            Err(refusal) => product::error(&PRODUCT, request, refusal.status, refusal.code, &refusal.message),
        }
    }

    fn error(&self, request: &Request, status: u16, code: &str, message: &str) -> Answer {
        product::error(&PRODUCT, request, status, code, message)
    }

    fn throttling(&self, request: &Request) -> Answer {
        product::throttling(&PRODUCT, request)
    }
}
