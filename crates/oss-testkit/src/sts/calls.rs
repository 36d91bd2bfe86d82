//! The operations, after the caller is known.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::account::{Key, Principal, Role};
use crate::openapi::auth::mandatory;
use crate::openapi::product::Refusal;
use crate::policy::Policy;
use crate::service::Judgement;
use crate::session::Session;
use crate::state::State;
use crate::time::iso;
use crate::wire::Request;

const MIN_SESSION: Duration = Duration::from_secs(900);
const DEFAULT_SESSION: Duration = Duration::from_secs(3600);
const MAX_POLICY: usize = 2048;

pub(super) type Fields = Result<(&'static str, Map<String, Value>), Refusal>;

/// AssumeRole.
pub(super) fn assume_role(state: &State, request: &Request, caller: &Key, judgement: Judgement) -> Fields {
    let arn = mandatory(request, "RoleArn", "MissingRoleArn")?;
    let session = mandatory(request, "RoleSessionName", "MissingRoleSessionName")?;
    check_session_name(session)?;
    let policy = read_policy(request.parameter("Policy"))?;
    check_external_id(request.parameter("ExternalId"))?;
    let name = role_name(arn, &state.account)?;
    let role = find_role(state, name, arn)?;
    check_trust(&role, caller, request.parameter("ExternalId"))?;
    let lifetime = session_length(request.parameter("DurationSeconds"), &role)?;

    let principal = Principal::Session {
        role: role.name().to_owned(),
        session: session.to_owned(),
    };
    let begun = Session::begin(state, principal, lifetime, judgement);
    let begun = begun.map_err(|error| Refusal::new(500, "InternalError", error.to_string()))?;
    begun.restrict(state, policy);
    Ok(("AssumeRole", session_fields(state, &role, session, &begun)))
}

/// The role of this name.
pub(super) fn find_role(state: &State, name: &str, arn: &str) -> Result<Role, Refusal> {
    let role = state.lock().roles.get(name).cloned();
    role.ok_or_else(|| Refusal::new(404, "EntityNotExist.Role", format!("The role not exists: {arn}.")))
}

/// The common fields of every response that starts a session of a role.
pub(super) fn session_fields(state: &State, role: &Role, name: &str, begun: &Session) -> Map<String, Value> {
    into_map(json!({
        "AssumedRoleUser": {
            "Arn": format!("{}/{name}", state.role_arn(role.name())),
            "AssumedRoleId": format!("{}:{name}", role.id),
        },
        "Credentials": {
            "AccessKeyId": begun.credentials.access_key_id(),
            "AccessKeySecret": begun.credentials.access_key_secret(),
            "SecurityToken": begun.credentials.security_token(),
            "Expiration": iso(begun.expires_at),
        },
    }))
}

/// GetCallerIdentity.
#[expect(clippy::unnecessary_wraps, reason = "all operations have one shape")]
pub(super) fn get_caller_identity(
    state: &State,
    _request: &Request,
    caller: &Key,
    _judgement: Judgement,
) -> Fields {
    let account = &state.account;
    let fields = match &caller.principal {
        Principal::Root => json!({
            "IdentityType": "Account",
            "AccountId": account,
            "PrincipalId": account,
            "UserId": account,
            "Arn": format!("acs:ram::{account}:root"),
        }),
        Principal::User(name) => json!({
            "IdentityType": "RAMUser",
            "AccountId": account,
            "PrincipalId": user_id(name),
            "UserId": user_id(name),
            "Arn": format!("acs:ram::{account}:user/{name}"),
        }),
        Principal::Session { role, session } => {
            let id = state
                .lock()
                .roles
                .get(role)
                .map(|role| role.id.clone())
                .unwrap_or_default();
            json!({
                "IdentityType": "AssumedRoleUser",
                "AccountId": account,
                "PrincipalId": format!("{id}:{session}"),
                "RoleId": id,
                "Arn": format!("acs:ram::{account}:assumed-role/{role}/{session}"),
            })
        }
    };
    Ok(("GetCallerIdentity", into_map(fields)))
}

pub(super) fn into_map(fields: Value) -> Map<String, Value> {
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// A user's id: the same for the same name.
fn user_id(name: &str) -> String {
    let sum = name.bytes().fold(7_u64, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u64::from(byte))
    });
    format!("2{:017}", sum % 100_000_000_000_000_000)
}

/// The role's name in an ARN of this account.
pub(super) fn role_name<'a>(arn: &'a str, account: &str) -> Result<&'a str, Refusal> {
    let parts = arn
        .strip_prefix("acs:ram::")
        .and_then(|rest| rest.split_once(":role/"));
    match parts {
        Some((own, name))
            if !own.is_empty() && own.bytes().all(|b| b.is_ascii_digit()) && !name.is_empty() =>
        {
            // The service tells nobody which roles other accounts have.
            if own == account {
                Ok(name)
            } else {
                Err(not_trusted())
            }
        }
        _ => Err(Refusal::new(
            400,
            "InvalidParameter.RoleArn",
            "The parameter RoleArn is wrongly formed.",
        )),
    }
}

pub(super) fn check_session_name(name: &str) -> Result<(), Refusal> {
    let good = |c: char| c.is_ascii_alphanumeric() || ".@-_".contains(c);
    if (2..=64).contains(&name.len()) && name.chars().all(good) {
        return Ok(());
    }
    let message = "The parameter RoleSessionName is wrongly formed.";
    Err(Refusal::new(400, "InvalidParameter.RoleSessionName", message))
}

/// Reads a session policy. Only a malformed one is refused; OSS enforces the others.
pub(super) fn read_policy(policy: Option<&str>) -> Result<Option<Policy>, Refusal> {
    let Some(policy) = policy else { return Ok(None) };
    if policy.chars().count() > MAX_POLICY {
        let message = "The size of Policy must be smaller than 2048 bytes.";
        return Err(Refusal::new(400, "InvalidParameter.PolicySize", message));
    }
    let policy = Policy::parse(policy).ok_or_else(|| {
        let message = "The parameter Policy has not passed grammar check.";
        Refusal::new(400, "InvalidParameter.PolicyGrammar", message)
    })?;
    Ok(Some(policy))
}

fn check_external_id(id: Option<&str>) -> Result<(), Refusal> {
    let good = |c: char| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c);
    if id.is_none_or(|id| (2..=1224).contains(&id.len()) && id.chars().all(good)) {
        return Ok(());
    }
    let message = "The parameter ExternalId is wrongly formed.";
    Err(Refusal::new(400, "InvalidParameter.ExternalId", message))
}

fn check_trust(role: &Role, caller: &Key, external_id: Option<&str>) -> Result<(), Refusal> {
    if caller.principal == Principal::Root {
        return Err(Refusal::new(
            403,
            "NoPermission",
            "Roles may not be assumed by root accounts.",
        ));
    }
    let known = role
        .external_id
        .as_deref()
        .is_none_or(|id| external_id == Some(id));
    if role.trusts(&caller.principal) && known {
        Ok(())
    } else {
        Err(not_trusted())
    }
}

fn not_trusted() -> Refusal {
    let message = "You are not authorized to do this action. You should be authorized by RAM.";
    Refusal::new(403, "NoPermission", message)
}

pub(super) fn session_length(asked: Option<&str>, role: &Role) -> Result<Duration, Refusal> {
    let Some(asked) = asked.filter(|asked| !asked.is_empty()) else {
        return Ok(DEFAULT_SESSION.min(role.max_session));
    };
    let asked = asked.parse().ok().map(Duration::from_secs);
    asked
        .filter(|asked| (MIN_SESSION..=role.max_session).contains(asked))
        .ok_or_else(|| {
            let message = format!(
                "The Min/Max value of DurationSeconds is {}/{} seconds.",
                MIN_SESSION.as_secs(),
                role.max_session.as_secs()
            );
            Refusal::new(400, "InvalidParameter.DurationSeconds", message)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_those_of_the_reference() {
        let role = Role::new("r").max_session(Duration::from_secs(7200));
        let seconds = |text| session_length(text, &role).ok().map(|length| length.as_secs());
        assert_eq!(seconds(None), Some(3600));
        assert_eq!((seconds(Some("900")), seconds(Some("899"))), (Some(900), None));
        assert_eq!((seconds(Some("7200")), seconds(Some("7201"))), (Some(7200), None));
        assert_eq!((seconds(Some("-900")), seconds(Some("1h"))), (None, None));

        let session = |name: &str| check_session_name(name).is_ok();
        assert!(session("ab") && session("a.b@c-d_9") && session(&"x".repeat(64)));
        assert!(!session("a") && !session("a b") && !session(&"x".repeat(65)) && !session("é3"));

        let policy = |text: &str| read_policy(Some(text)).map_err(|refusal| refusal.code).err();
        let padded = |length: usize| {
            format!(
                "{{\"Version\":\"1\",\"Statement\":[]{}}}",
                " ".repeat(length - 30)
            )
        };
        assert_eq!(policy(&padded(2048)), None);
        assert_eq!(policy(&padded(2049)), Some("InvalidParameter.PolicySize"));
        assert_eq!(policy("[]"), Some("InvalidParameter.PolicyGrammar"));
    }

    #[test]
    fn only_arns_of_roles_are_taken() {
        let code = |arn: &'static str| role_name(arn, "1").map_err(|refusal| refusal.code);
        assert_eq!(code("acs:ram::1:role/a"), Ok("a"));
        assert_eq!(code("acs:ram::2:role/a"), Err("NoPermission"));
        for bad in [
            "acs:ram::1:user/a",
            "acs:ram:::role/a",
            "acs:ram::x:role/a",
            "acs:ram::1:role/",
            "a",
        ] {
            assert_eq!(code(bad), Err("InvalidParameter.RoleArn"), "{bad}");
        }
    }
}
