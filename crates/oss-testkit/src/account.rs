//! Keys, the identities behind them, and the roles that they may assume.

use std::sync::Arc;
use std::time::Duration;

use oss_credentials_core::{Credentials, nonce};

use crate::policy::Policy;

/// The longest session of a role that sets none, as in the RAM console.
const DEFAULT_MAX_SESSION: Duration = Duration::from_secs(3600);

/// The identity that a key belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Principal {
    /// The account itself, which may not assume roles.
    Root,
    /// A RAM user.
    User(String),
    /// A session of a role.
    Session { role: String, session: String },
}

impl Principal {
    /// A session of a role that was not started by AssumeRole.
    pub(crate) fn session(role: &str) -> Self {
        Self::Session {
            role: role.to_owned(),
            session: "oss-testkit".to_owned(),
        }
    }
}

/// An AccessKey that the local cloud accepts.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) credentials: Credentials,
    pub(crate) principal: Principal,
    pub(crate) revoked: bool,
    /// The policy of the session, which OSS enforces.
    pub(crate) policy: Option<Arc<Policy>>,
}

impl Key {
    pub(crate) fn new(credentials: Credentials, principal: Principal) -> Self {
        Self {
            credentials,
            principal,
            revoked: false,
            policy: None,
        }
    }
}

/// A RAM role of the local cloud.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use oss_testkit::Role;
///
/// let role = Role::new("backup").max_session(Duration::from_secs(43_200)).trusts_user("deploy");
/// assert_eq!(role.name(), "backup");
/// ```
#[derive(Clone, Debug)]
pub struct Role {
    name: String,
    pub(crate) id: String,
    pub(crate) max_session: Duration,
    trusted_users: Vec<String>,
    trusted_subjects: Vec<String>,
    pub(crate) external_id: Option<String>,
}

impl Role {
    /// Creates a role that every user and role of the account, and the bearer of every valid OIDC token, may assume for up to
    /// an hour.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            id: decimal_id(),
            max_session: DEFAULT_MAX_SESSION,
            trusted_users: Vec::new(),
            trusted_subjects: Vec::new(),
            external_id: None,
        }
    }

    /// The role's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sets the longest session; whole seconds, 3600 to 43200 in RAM. Default: 3600.
    #[must_use]
    pub fn max_session(mut self, duration: Duration) -> Self {
        self.max_session = duration;
        self
    }

    /// Lets this user assume the role. Once this method or [`Role::trusts_subject`] has been called, only the named
    /// users and subjects may assume it. Default: everyone except the account itself.
    #[must_use]
    pub fn trusts_user(mut self, user: impl Into<String>) -> Self {
        self.trusted_users.push(user.into());
        self
    }

    /// Lets bearers of OIDC tokens with this subject (`sub`) assume the role. Once this method or [`Role::trusts_user`]
    /// has been called, only the named subjects and users may assume it. Default: everyone except the account itself.
    #[must_use]
    pub fn trusts_subject(mut self, subject: impl Into<String>) -> Self {
        self.trusted_subjects.push(subject.into());
        self
    }

    /// Sets the `ExternalId` that a caller must send; AssumeRoleWithOIDC cannot send one. Default: none is required.
    #[must_use]
    pub fn external_id(mut self, id: impl Into<String>) -> Self {
        self.external_id = Some(id.into());
        self
    }

    /// Returns whether the role's trust policy allows this caller.
    pub(crate) fn trusts(&self, caller: &Principal) -> bool {
        match caller {
            Principal::Root => false,
            Principal::User(name) => self.trusts_all() || self.trusted_users.contains(name),
            Principal::Session { .. } => self.trusts_all(),
        }
    }

    /// Returns whether the trust policy allows the bearer of a token with this subject.
    pub(crate) fn trusts_token_of(&self, subject: &str) -> bool {
        let named = self.trusted_subjects.iter().any(|own| own == subject);
        self.external_id.is_none() && (self.trusts_all() || named)
    }

    fn trusts_all(&self) -> bool {
        self.trusted_users.is_empty() && self.trusted_subjects.is_empty()
    }
}

/// An ID of 18 decimal digits that begins with 3, as RAM assigns it to roles and users.
pub(crate) fn decimal_id() -> String {
    let digits = nonce()
        .bytes()
        .map(|byte| char::from(b'0' + byte % 10))
        .take(17)
        .collect::<String>();
    format!("3{digits}")
}

/// A key as the service would issue it: the ID begins with `LTAI5t`.
pub(crate) fn new_key_pair() -> (String, String) {
    let id = format!("LTAI5t{}", mixed(18));
    (id, mixed(30))
}

/// A key of a session, whose token has many characters that must be escaped in a URL.
pub(crate) fn new_session_key() -> (String, String, String) {
    let id = format!("STS.NU{}", mixed(22));
    let token = format!("CAIS{}+/{}+{}==", mixed(40), mixed(40), mixed(40));
    (id, mixed(44), token)
}

/// Letters and digits that no other call returns.
pub(crate) fn mixed(length: usize) -> String {
    let mut text = String::new();
    while text.len() < length {
        // Only the random part at the front of the nonce: the counter at its end hardly varies.
        text.extend(nonce().chars().take(32));
    }
    text.truncate(length);
    text.chars()
        .enumerate()
        .map(|(at, c)| if at % 3 == 0 { c.to_ascii_uppercase() } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issued_keys_look_like_the_services_and_never_repeat() {
        let (id, secret) = new_key_pair();
        assert_eq!((id.len(), secret.len()), (24, 30));
        assert!(id.starts_with("LTAI5t"));
        let (temporary, _, token) = new_session_key();
        assert!(temporary.starts_with("STS.NU") && token.starts_with("CAIS"));
        assert!(token.contains('+') && token.contains('/') && token.ends_with("=="));
        assert_ne!(new_session_key().0, temporary);
        assert!(decimal_id().len() == 18 && decimal_id().bytes().all(|byte| byte.is_ascii_digit()));
    }

    #[test]
    fn a_role_trusts_whom_it_names() {
        let user = |name: &str| Principal::User(name.to_owned());
        let session = Principal::Session {
            role: "r".to_owned(),
            session: "s".to_owned(),
        };
        let open = Role::new("r");
        assert!(open.trusts(&user("a")) && open.trusts(&session) && !open.trusts(&Principal::Root));
        let closed = Role::new("r").trusts_user("a");
        assert!(closed.trusts(&user("a")) && !closed.trusts(&user("b")) && !closed.trusts(&session));
        assert!(open.trusts_token_of("t") && !closed.trusts_token_of("t"));
        let tokens = Role::new("r").trusts_subject("t");
        assert!(tokens.trusts_token_of("t") && !tokens.trusts_token_of("u") && !tokens.trusts(&user("a")));
        assert!(!tokens.external_id("e").trusts_token_of("t"));
    }
}
