//! Names of the variables.

/// Variable with the access key ID of the OSS family.
///
/// Vendor document: *Configure access credentials* of the OSS SDKs (OSS developer reference).
pub const ENV_OSS_ACCESS_KEY_ID: &str = "OSS_ACCESS_KEY_ID";
/// Variable with the access key secret of the OSS family. Vendor document: as [`ENV_OSS_ACCESS_KEY_ID`].
pub const ENV_OSS_ACCESS_KEY_SECRET: &str = "OSS_ACCESS_KEY_SECRET";
/// Variable with the security token of the OSS family; optional. Vendor document: as [`ENV_OSS_ACCESS_KEY_ID`].
pub const ENV_OSS_SESSION_TOKEN: &str = "OSS_SESSION_TOKEN";

/// Variable with the access key ID of the general family.
///
/// Vendor document: *Manage access credentials* of the Alibaba Cloud SDKs (default credential chain).
pub const ENV_ALIBABA_CLOUD_ACCESS_KEY_ID: &str = "ALIBABA_CLOUD_ACCESS_KEY_ID";
/// Variable with the access key secret of the general family. Vendor document: as [`ENV_ALIBABA_CLOUD_ACCESS_KEY_ID`].
pub const ENV_ALIBABA_CLOUD_ACCESS_KEY_SECRET: &str = "ALIBABA_CLOUD_ACCESS_KEY_SECRET";
/// Variable with the security token of the general family; optional. Vendor document: as
/// [`ENV_ALIBABA_CLOUD_ACCESS_KEY_ID`].
pub const ENV_ALIBABA_CLOUD_SECURITY_TOKEN: &str = "ALIBABA_CLOUD_SECURITY_TOKEN";

/// Variables that belong together. ID, secret and token are always taken from one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Family {
    /// `OSS_ACCESS_KEY_ID`, `OSS_ACCESS_KEY_SECRET`, `OSS_SESSION_TOKEN`: what the OSS SDKs read.
    Oss,
    /// `ALIBABA_CLOUD_ACCESS_KEY_ID`, `ALIBABA_CLOUD_ACCESS_KEY_SECRET`, `ALIBABA_CLOUD_SECURITY_TOKEN`:
    /// what the other Alibaba Cloud SDKs read.
    AlibabaCloud,
}

impl Family {
    /// The families that are read by default, in order: [`Family::Oss`], then
    /// [`Family::AlibabaCloud`].
    pub const DEFAULT: [Self; 2] = [Self::Oss, Self::AlibabaCloud];

    /// Returns the name of the variable with the access key ID.
    pub const fn access_key_id(self) -> &'static str {
        match self {
            Self::Oss => ENV_OSS_ACCESS_KEY_ID,
            Self::AlibabaCloud => ENV_ALIBABA_CLOUD_ACCESS_KEY_ID,
        }
    }

    /// Returns the name of the variable with the access key secret.
    pub const fn access_key_secret(self) -> &'static str {
        match self {
            Self::Oss => ENV_OSS_ACCESS_KEY_SECRET,
            Self::AlibabaCloud => ENV_ALIBABA_CLOUD_ACCESS_KEY_SECRET,
        }
    }

    /// Returns the name of the variable with the security token.
    pub const fn security_token(self) -> &'static str {
        match self {
            Self::Oss => ENV_OSS_SESSION_TOKEN,
            Self::AlibabaCloud => ENV_ALIBABA_CLOUD_SECURITY_TOKEN,
        }
    }
}
