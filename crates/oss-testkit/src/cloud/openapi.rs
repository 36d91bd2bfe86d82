//! Methods for tests: services of the OpenAPI other than STS.

use super::LocalCloud;
use crate::builder::LocalCloudBuilder;
use crate::record::Service;

impl LocalCloud {
    /// Returns the endpoint of ECS, `http://127.0.0.1:<port>`. It has `DescribeRegions`, signed in the RPC or the
    /// ACS3 form.
    pub fn ecs_endpoint(&self) -> String {
        self.url(Service::Ecs)
    }

    /// Returns the port of ECS.
    pub fn ecs_port(&self) -> u16 {
        self.port(Service::Ecs)
    }

    /// Returns the endpoint of RAM, `http://127.0.0.1:<port>`. It has `GetPolicy` for two system policies.
    pub fn ram_endpoint(&self) -> String {
        self.url(Service::Ram)
    }

    /// Returns the port of RAM.
    pub fn ram_port(&self) -> u16 {
        self.port(Service::Ram)
    }

    /// Returns the endpoint of Container Service, `http://127.0.0.1:<port>`. It has `DescribeClusters` and
    /// `DescribeClustersV1`, in the ROA style.
    pub fn cs_endpoint(&self) -> String {
        self.url(Service::Cs)
    }

    /// Returns the port of Container Service.
    pub fn cs_port(&self) -> u16 {
        self.port(Service::Cs)
    }
}

impl LocalCloudBuilder {
    /// Sets the port of ECS on 127.0.0.1. Default: 0, a free one.
    #[must_use]
    pub fn ecs_port(mut self, port: u16) -> Self {
        self.ecs_port = port;
        self
    }

    /// Sets the port of RAM on 127.0.0.1. Default: 0, a free one.
    #[must_use]
    pub fn ram_port(mut self, port: u16) -> Self {
        self.ram_port = port;
        self
    }

    /// Sets the port of Container Service on 127.0.0.1. Default: 0, a free one.
    #[must_use]
    pub fn cs_port(mut self, port: u16) -> Self {
        self.cs_port = port;
        self
    }
}
