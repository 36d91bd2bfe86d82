//! Security Token Service: AssumeRole and GetCallerIdentity in the RPC and the ACS3 form, and
//! AssumeRoleWithOIDC, which is not signed.
//!
//! Vendor documents: "AssumeRole", "AssumeRoleWithOIDC" and "GetCallerIdentity" (Resource Access Management, API reference of STS,
//! version 2015-04-01); "Common parameters" and "Common error codes" of the same reference.

mod calls;
pub(crate) mod oidc;

use serde_json::{Map, Value};

use crate::openapi::{self, Product, Refusal, auth};
use crate::server::Judgement;
use crate::state::State;
use crate::wire::{Answer, Request};

const VERSION: &str = "2015-04-01";

pub(crate) const PRODUCT: Product = Product {
    name: "Sts",
    host: "sts.aliyuncs.com",
};

/// Carries out a request.
pub(crate) fn handle(state: &State, request: &Request, judgement: Judgement) -> Answer {
    match answer(state, request, judgement) {
        Ok((name, fields)) => openapi::success(request, name, fields),
        Err(refusal) => openapi::error(&PRODUCT, request, refusal.status, refusal.code, &refusal.message),
    }
}

fn answer(
    state: &State,
    request: &Request,
    judgement: Judgement,
) -> Result<(&'static str, Map<String, Value>), Refusal> {
    openapi::check_version(request, VERSION)?;
    let call = match openapi::action(request).as_str() {
        "AssumeRole" => calls::assume_role,
        "GetCallerIdentity" => calls::get_caller_identity,
        "AssumeRoleWithOIDC" => return oidc::assume_role_with_oidc(state, request, judgement),
        _ => return Err(openapi::unknown_action()),
    };
    let caller = auth::authenticate(state, request, judgement)?;
    call(state, request, &caller, judgement)
}
