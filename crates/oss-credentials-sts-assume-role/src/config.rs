//! Names of variables, and defaults: those of the providers over STS are defined in `acs-sts`.

pub use acs_sts::{
    DEFAULT_CONNECT_TIMEOUT, DEFAULT_DURATION, DEFAULT_SESSION_NAME_PREFIX, DEFAULT_TIMEOUT, ENV_ROLE_ARN,
    ENV_ROLE_SESSION_NAME, ENV_STS_ENDPOINT, ENV_STS_REGION, ENV_VPC_ENDPOINT_ENABLED,
};
