//! Alibaba Cloud credentials from environment variables.
