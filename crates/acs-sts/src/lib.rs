//! Calls to the Alibaba Cloud Security Token Service over any HTTP client.
