//! A local Alibaba Cloud for tests: STS and OSS on loopback, checking signatures like the services do.
