//! Alibaba Cloud credentials from the context of a Function Compute invocation.
