//! Signing of Alibaba Cloud OSS requests and presigned URLs, without I/O.
