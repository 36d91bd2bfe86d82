//! Logins of the CLI, and storing what was renewed.

#[cfg(feature = "sso")]
mod cloud_sso;
#[cfg(all(feature = "write-back", any(feature = "oauth", feature = "process")))]
mod edit;
#[cfg(any(feature = "oauth", feature = "sso"))]
mod exchange;
#[cfg(any(feature = "oauth", feature = "sso"))]
mod fields;
#[cfg(all(feature = "write-back", any(feature = "oauth", feature = "process")))]
mod folder;
#[cfg(feature = "oauth")]
mod oauth;
#[cfg(all(feature = "write-back", any(feature = "oauth", feature = "process")))]
mod store;
#[cfg(all(feature = "write-back", any(feature = "oauth", feature = "process")))]
mod stored;
#[cfg(feature = "oauth")]
mod turn;
#[cfg(any(feature = "oauth", feature = "sso"))]
mod wire;

#[cfg(feature = "sso")]
pub(crate) use cloud_sso::CloudSsoSource;
#[cfg(feature = "oauth")]
pub(crate) use oauth::OAuthSource;
#[cfg(all(feature = "process", feature = "write-back"))]
pub(crate) use stored::Stored;
