//! Logins of the CLI, and storing what was renewed.

#[cfg(feature = "sso")]
mod cloud_sso;
#[cfg(all(feature = "write-back", any(feature = "oauth", feature = "process")))]
mod edit;
#[cfg(any(feature = "oauth", feature = "sso"))]
mod exchange;
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

/// Reads the current fields of the profile from the file: the CLI may have renewed them. They cannot be used if the
/// profile now has a mode other than `mode`: its login would be sent to the host of another one.
#[cfg(any(feature = "oauth", feature = "sso"))]
fn read_fields<T>(
    place: &crate::section::Place,
    mode: &crate::plan::Mode,
    look: impl FnOnce(&crate::section::Section<'_>) -> Result<T, oss_credentials_core::CredentialsError>,
) -> Result<T, oss_credentials_core::CredentialsError> {
    let text = crate::file::read(&place.file, crate::config::MAX_CONFIG_FILE)
        .map_err(|error| crate::lookup::unreadable(&place.file, error))?;
    let config = crate::cli::Config::parse(&text.text, &place.file)?;
    let Some(fields) = config.profile(&place.name) else {
        return Err(place.invalid("no longer exists", "log in again, or name another profile"));
    };
    let section = crate::section::Section::json(&place.file, &place.name, fields);
    if crate::cli::mode_of(&config, &place.file, &section)? != *mode {
        let what = format!("the {} has changed in the meantime", place.subject());
        let hint = format!(
            "retry: it is read again within {} s",
            crate::config::LOOK_INTERVAL.as_secs()
        );
        return Err(oss_credentials_core::CredentialsError::unavailable(
            place.detail(what).hint(hint),
        ));
    }
    look(&section)
}
