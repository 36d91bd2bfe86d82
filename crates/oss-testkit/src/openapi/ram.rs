//! Resource Access Management, as far as a tool needs it that is not about OSS: `GetPolicy`.
//!
//! Vendor document: `GetPolicy` (API reference of RAM, version 2015-05-01).

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::auth;
use super::product::{self, Product, Refusal};
use crate::record::Service;
use crate::service::{CloudService, Judgement};
use crate::state::State;
use crate::wire::{Answer, Request};

const VERSION: &str = "2015-05-01";

const PRODUCT: Product = Product {
    name: "Ram",
    host: "ram.aliyuncs.com",
};

/// When all policies were created.
const CREATED: &str = "2015-01-23T12:33:18Z";

/// System policies: name, description, and the actions that they allow on everything.
const POLICIES: [(&str, &str, &[&str]); 2] = [
    (
        "AliyunOSSReadOnlyAccess",
        "Provides read-only access to Object Storage Service.",
        &["oss:Get*", "oss:List*"],
    ),
    (
        "AliyunECSReadOnlyAccess",
        "Provides read-only access to Elastic Compute Service.",
        &["ecs:Describe*"],
    ),
];

/// The service.
pub(crate) struct Ram {
    state: Arc<State>,
}

impl Ram {
    pub(crate) fn new(state: Arc<State>) -> Self {
        Self { state }
    }

    fn answer(&self, request: &Request, judgement: Judgement) -> Result<Map<String, Value>, Refusal> {
        product::check_version(request, VERSION)?;
        if product::action(request) != "GetPolicy" {
            return Err(product::unknown_action());
        }
        auth::authenticate(&self.state, request, judgement)?;
        let wanted = auth::mandatory(request, "PolicyName", "MissingPolicyName")?;
        let kind = auth::mandatory(request, "PolicyType", "MissingPolicyType")?;
        let mut system = POLICIES.into_iter().filter(|_| kind == "System");
        let found = system.find(|(name, ..)| *name == wanted);
        let (name, description, actions) = found.ok_or_else(|| {
            let message = format!("The policy does not exist: {wanted} .");
            Refusal::new(404, "EntityNotExist.Policy", message)
        })?;
        let document = json!({
            "Version": "1",
            "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": "*" }],
        });
        let policy = json!({
            "PolicyName": name,
            "PolicyType": kind,
            "Description": description,
            "DefaultVersion": "v1",
            "PolicyDocument": "N/A",
            "CreateDate": CREATED,
            "UpdateDate": CREATED,
            "AttachmentCount": 0,
        });
        let version = json!({
            "VersionId": "v1",
            "IsDefaultVersion": true,
            "PolicyDocument": document.to_string(),
            "CreateDate": CREATED,
        });
        let fields = [("Policy", policy), ("DefaultPolicyVersion", version)];
        Ok(fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect())
    }
}

impl CloudService for Ram {
    fn id(&self) -> Service {
        Service::Ram
    }

    fn is_at(&self, host: &str) -> bool {
        host == PRODUCT.host
    }

    fn action(&self, request: &Request) -> String {
        product::action(request)
    }

    fn access_key_id(&self, request: &Request) -> Option<String> {
        product::access_key_id(request)
    }

    fn handle(&self, request: &Request, judgement: Judgement) -> Answer {
        match self.answer(request, judgement) {
            Ok(fields) => product::success(request, "GetPolicy", fields),
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
