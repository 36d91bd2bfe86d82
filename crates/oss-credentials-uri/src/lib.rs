//! Alibaba Cloud credentials from a credentials URI.
