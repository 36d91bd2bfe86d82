//! Fields of a profile, as they are in its file now.

use oss_credentials_core::CredentialsError;

use crate::cli::{Config, mode_of};
use crate::config::{LOOK_INTERVAL, MAX_CONFIG_FILE};
use crate::file::read;
use crate::lookup::unreadable;
use crate::plan::Mode;
use crate::section::{Place, Section};

/// Reads the current fields of the profile from the file: the CLI may have renewed them. They cannot be used if the
/// profile now has a mode other than `mode`: its login would be sent to the host of another one.
pub(super) fn read_fields<T>(
    place: &Place,
    mode: &Mode,
    look: impl FnOnce(&Section<'_>) -> Result<T, CredentialsError>,
) -> Result<T, CredentialsError> {
    let text = read(&place.file, MAX_CONFIG_FILE).map_err(|error| unreadable(&place.file, error))?;
    let config = Config::parse(&text.text, &place.file)?;
    let Some(fields) = config.profile(&place.name) else {
        return Err(place.invalid("no longer exists", "log in again, or name another profile"));
    };
    let section = Section::json(&place.file, &place.name, fields);
    if mode_of(&config, &place.file, &section)? != *mode {
        let what = format!("the {} has changed in the meantime", place.subject());
        let hint = format!("retry: it is read again within {} s", LOOK_INTERVAL.as_secs());
        return Err(CredentialsError::unavailable(place.detail(what).hint(hint)));
    }
    look(&section)
}
