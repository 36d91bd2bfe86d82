//! Elastic Compute Service, as far as a tool needs it that is not about OSS: `DescribeRegions`.
//!
//! Vendor document: `DescribeRegions` (API reference of ECS, version 2014-05-26).

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::auth;
use super::product::{self, Product, Refusal};
use crate::record::Service;
use crate::service::{CloudService, Judgement};
use crate::state::State;
use crate::wire::{Answer, Request};

const VERSION: &str = "2014-05-26";

const PRODUCT: Product = Product {
    name: "Ecs",
    host: "ecs.aliyuncs.com",
};

/// Regions beside the cloud's own; id, and name in English.
const REGIONS: [(&str, &str); 3] = [
    ("cn-hangzhou", "China (Hangzhou)"),
    ("cn-shanghai", "China (Shanghai)"),
    ("ap-southeast-1", "Singapore"),
];

/// The service.
pub(crate) struct Ecs {
    state: Arc<State>,
}

impl Ecs {
    pub(crate) fn new(state: Arc<State>) -> Self {
        Self { state }
    }
}

impl CloudService for Ecs {
    fn id(&self) -> Service {
        Service::Ecs
    }

    fn is_at(&self, host: &str) -> bool {
        product::is_at(host, &["ecs"])
    }

    fn action(&self, request: &Request) -> String {
        product::action(request)
    }

    fn access_key_id(&self, request: &Request) -> Option<String> {
        product::access_key_id(request)
    }

    fn handle(&self, request: &Request, judgement: Judgement) -> Answer {
        match answer(&self.state, request, judgement) {
            Ok(fields) => product::success(request, "DescribeRegions", fields),
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

fn answer(state: &State, request: &Request, judgement: Judgement) -> Result<Map<String, Value>, Refusal> {
    product::check_version(request, VERSION)?;
    if product::action(request) != "DescribeRegions" {
        return Err(product::unknown_action());
    }
    auth::authenticate(state, request, judgement)?;
    let own = Some((state.region.as_str(), state.region.as_str()));
    let own = own.filter(|(id, _)| REGIONS.iter().all(|(other, _)| other != id));
    let regions: Vec<Value> = REGIONS.into_iter().chain(own).map(region).collect();
    let mut fields = Map::new();
    fields.insert("Regions".to_owned(), json!({ "Region": regions }));
    Ok(fields)
}

fn region((id, name): (&str, &str)) -> Value {
    json!({
        "RegionId": id,
        "LocalName": name,
        "RegionEndpoint": format!("ecs.{id}.aliyuncs.com"),
        "Status": "available",
    })
}
