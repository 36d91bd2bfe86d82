//! Alibaba Cloud OpenAPI request signing: RPC HMAC-SHA1 and ACS3-HMAC-SHA256, without I/O.
