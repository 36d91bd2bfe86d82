//! Alibaba Cloud credentials of an ECS instance's RAM role, from instance metadata.
