//! A thin Alibaba Cloud OSS client that composes any credentials provider with oss-sign and reqwest.
