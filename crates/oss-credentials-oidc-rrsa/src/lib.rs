//! Alibaba Cloud credentials from an OIDC token (RRSA), refreshed in the background.
