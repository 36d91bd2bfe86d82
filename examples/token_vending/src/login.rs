//! A STUB. Replace it with the login of your service: here two users have passwords that everybody can read.
//!
//! What the rest of the service needs from a login is in [`Logins::user_of`]: from a cookie, the name of a user that the
//! server trusts.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use http::HeaderMap;
use http::header::COOKIE;
use oss_credentials_core::nonce;

/// Users and their passwords.
const USERS: [(&str, &str); 2] = [("alice", "wonderland"), ("bob", "builder")];
const COOKIE_NAME: &str = "login=";

/// Who is logged in, by the random value of the cookie.
#[derive(Default)]
pub struct Logins(Mutex<HashMap<String, &'static str>>);

impl Logins {
    /// Returns the `Set-Cookie` header of a new login, if the password is right.
    pub fn log_in(&self, user: &str, password: &str) -> Option<String> {
        let (user, _) = USERS.into_iter().find(|known| *known == (user, password))?;
        let value = nonce();
        self.lock().insert(value.clone(), user);
        // No script reads it, and no other site sends it along. Over HTTPS, add `Secure`.
        Some(format!("{COOKIE_NAME}{value}; HttpOnly; SameSite=Strict; Path=/"))
    }

    /// Ends a login. What was handed out for it works until it expires: see docs/handing-out-access.md.
    pub fn log_out(&self, headers: &HeaderMap) {
        if let Some(value) = cookie(headers) {
            self.lock().remove(value);
        }
    }

    /// The user whose cookie this is.
    pub fn user_of(&self, headers: &HeaderMap) -> Option<&'static str> {
        self.lock().get(cookie(headers)?).copied()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, &'static str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get(COOKIE)?.to_str().ok()?;
    cookies
        .split(';')
        .find_map(|cookie| cookie.trim().strip_prefix(COOKIE_NAME))
}
