//! Elastic Compute Service, as far as a tool needs it that is not about OSS: `DescribeRegions`.
//!
//! Vendor document: `DescribeRegions` (API reference of ECS, version 2014-05-26).

use std::net::SocketAddr;

use serde_json::{Map, Value, json};

use crate::builder::LocalCloudBuilder;
use crate::cloud::LocalCloud;
use crate::openapi::{self, Product, Refusal, auth};
use crate::server::Judgement;
use crate::state::State;
use crate::wire::{Answer, Request};

const VERSION: &str = "2014-05-26";

pub(crate) const PRODUCT: Product = Product {
    name: "Ecs",
    host: "ecs.aliyuncs.com",
};

/// Regions beside the cloud's own; id, and name in English.
const REGIONS: [(&str, &str); 3] = [
    ("cn-hangzhou", "China (Hangzhou)"),
    ("cn-shanghai", "China (Shanghai)"),
    ("ap-southeast-1", "Singapore"),
];

/// Carries out a request.
pub(crate) fn handle(state: &State, request: &Request, judgement: Judgement) -> Answer {
    match answer(state, request, judgement) {
        Ok(fields) => openapi::success(request, "DescribeRegions", fields),
        Err(refusal) => openapi::error(&PRODUCT, request, refusal.status, refusal.code, &refusal.message),
    }
}

fn answer(state: &State, request: &Request, judgement: Judgement) -> Result<Map<String, Value>, Refusal> {
    openapi::check_version(request, VERSION)?;
    if openapi::action(request) != "DescribeRegions" {
        return Err(openapi::unknown_action());
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

impl LocalCloud {
    /// Where ECS is: `http://127.0.0.1:<port>`. It has `DescribeRegions`, signed in the RPC or the ACS3 form.
    pub fn ecs_endpoint(&self) -> String {
        format!("http://{}", self.ecs)
    }

    /// The port of ECS.
    pub fn ecs_port(&self) -> u16 {
        SocketAddr::port(&self.ecs)
    }
}

impl LocalCloudBuilder {
    /// The port of ECS on 127.0.0.1. Default: 0, a free one.
    #[must_use]
    pub fn ecs_port(mut self, port: u16) -> Self {
        self.ecs_port = port;
        self
    }
}
