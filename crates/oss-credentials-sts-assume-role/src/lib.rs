//! Alibaba Cloud credentials from STS AssumeRole, refreshed in the background.
