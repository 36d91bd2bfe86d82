//! Fixed Alibaba Cloud credentials: AccessKey pair, STS token, anonymous.
