//! Container Service for Kubernetes, as a product of the ROA style: `DescribeClusters` and `DescribeClustersV1`.
//!
//! Vendor document: `DescribeClustersV1` (API reference of ACK, version 2015-12-15).

use std::sync::Arc;

use serde_json::{Value, json};

use super::auth;
use super::product::{self, Product, Refusal};
use crate::record::Service;
use crate::service::{CloudService, Judgement};
use crate::state::State;
use crate::wire::{Answer, Request};

const VERSION: &str = "2015-12-15";

const PRODUCT: Product = Product {
    name: "CS",
    host: "cs.aliyuncs.com",
};

/// Clusters of the account: id and name.
const CLUSTERS: [(&str, &str); 2] = [
    ("c0123456789abcdef0123456789abcde0", "staging"),
    ("c0123456789abcdef0123456789abcde1", "production"),
];

/// The operation of a path. The headers must name the same one.
#[derive(Clone, Copy)]
enum Operation {
    DescribeClusters,
    DescribeClustersV1,
}

impl Operation {
    fn of(request: &Request) -> Option<Self> {
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/clusters") => Some(Self::DescribeClusters),
            ("GET", "/api/v1/clusters") => Some(Self::DescribeClustersV1),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::DescribeClusters => "DescribeClusters",
            Self::DescribeClustersV1 => "DescribeClustersV1",
        }
    }
}

/// The service.
pub(crate) struct Cs {
    state: Arc<State>,
}

impl Cs {
    pub(crate) fn new(state: Arc<State>) -> Self {
        Self { state }
    }

    fn answer(&self, request: &Request, judgement: Judgement) -> Result<Value, Refusal> {
        product::check_version(request, VERSION)?;
        let operation = Operation::of(request).ok_or_else(product::unknown_action)?;
        if request.header("x-acs-action") != Some(operation.name()) {
            return Err(product::unknown_action());
        }
        auth::authenticate(&self.state, request, judgement)?;
        let name = request.query_value("name").unwrap_or_default();
        let found = CLUSTERS
            .into_iter()
            .filter(|(_, own)| name.is_empty() || *own == name);
        let clusters: Vec<Value> = found.map(|cluster| self.describe(cluster)).collect();
        Ok(match operation {
            Operation::DescribeClusters => json!(clusters),
            Operation::DescribeClustersV1 => json!({
                "page_info": { "page_number": 1, "page_size": 50, "total_count": clusters.len() },
                "clusters": clusters,
            }),
        })
    }

    fn describe(&self, (id, name): (&str, &str)) -> Value {
        json!({
            "cluster_id": id,
            "name": name,
            "region_id": self.state.region,
            "cluster_type": "ManagedKubernetes",
            "state": "running",
        })
    }
}

impl CloudService for Cs {
    fn id(&self) -> Service {
        Service::Cs
    }

    fn is_at(&self, host: &str) -> bool {
        product::is_at(host, &["cs"])
    }

    fn action(&self, request: &Request) -> String {
        product::action(request)
    }

    fn access_key_id(&self, request: &Request) -> Option<String> {
        product::access_key_id(request)
    }

    fn handle(&self, request: &Request, judgement: Judgement) -> Answer {
        match self.answer(request, judgement) {
            Ok(body) => Answer::new(200, "application/json;charset=utf-8", body.to_string())
                .with("x-acs-request-id", product::request_id()),
            Err(refusal) => self.error(request, refusal.status, refusal.code, &refusal.message),
        }
    }

    fn error(&self, request: &Request, status: u16, code: &str, message: &str) -> Answer {
        product::error(&PRODUCT, request, status, code, message)
    }

    fn throttling(&self, request: &Request) -> Answer {
        product::throttling(&PRODUCT, request)
    }
}
