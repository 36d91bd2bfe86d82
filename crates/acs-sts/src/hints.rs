//! Hints for refusals, where this service needs better advice than the client of all products gives.

use acs_client::{Hint, Refusal, codes};

/// The hint for a refusal; `None` if the general one is right.
pub(crate) fn hint(refusal: &Refusal<'_>) -> Option<Hint> {
    let (family, detail) = refusal.code.split_once('.').unwrap_or((refusal.code, ""));
    if !refusal.is_signed && matches!(family, "NoPermission" | "AuthenticationFail" | "EntityNotExist") {
        return Some(Hint::new(oidc_hint(refusal.code)));
    }
    Some(match family {
        "NoPermission" | "AuthenticationFail" => Hint::new(format!(
            "allow sts:{} to the caller and name the caller in the role's trust policy; the root account cannot \
             assume roles",
            refusal.action
        )),
        "EntityNotExist" => Hint::new("check the role ARN, account ID and name"),
        "InvalidParameter" => setting_hint(detail)?,
        _ => return None,
    })
}

/// What to do about a refused parameter, and its setting.
fn setting_hint(field: &str) -> Option<Hint> {
    Some(match field {
        "RoleArn" => Hint::new("check the role ARN").setting("role_arn", "role_arn(..)"),
        "RoleSessionName" => {
            Hint::new("check the role session name").setting("role_session_name", "role_session_name(..)")
        }
        "DurationSeconds" => Hint::new("check {setting}: 900 s at least, and no longer than the role allows")
            .setting("duration", "duration(..)"),
        "PolicyGrammar" => {
            Hint::new("check {setting}: it has to be a RAM policy, in JSON").setting("policy", "policy(..)")
        }
        "PolicySize" => Hint::new("shorten {setting}").setting("policy", "policy(..)"),
        "ExternalId" => Hint::new("check {setting}").setting("external_id", "external_id(..)"),
        "OIDCProviderArn" => Hint::new("check the ARN of the OIDC provider")
            .setting("oidc_provider_arn", "oidc_provider_arn(..)"),
        _ => return None,
    })
}

/// Returns whether the code means that the OIDC token is not accepted: `AuthenticationFail.OIDCToken.*`.
pub(crate) fn rejects_oidc_token(code: &str) -> bool {
    let mut parts = code.split('.');
    parts.next() == Some("AuthenticationFail") && parts.next() == Some("OIDCToken")
}

fn oidc_hint(code: &str) -> &'static str {
    match code {
        "AuthenticationFail.OIDCToken.Expired" => {
            "the token was not renewed in time: check the program that writes it, and the local clock"
        }
        "AuthenticationFail.OIDCToken.PublicKeyFingerprintMismatch" => {
            "renew the fingerprints of the OIDC provider in RAM"
        }
        _ if rejects_oidc_token(code) => {
            "check that the token is a raw JWT, and that its issuer and audience are those of the OIDC provider \
             in RAM"
        }
        _ if codes::family(code) == "EntityNotExist" => "check the ARNs of the role and of the OIDC provider",
        _ => {
            "name the OIDC provider in the role's trust policy, and compare its conditions oidc:iss, oidc:aud \
             and oidc:sub with the token"
        }
    }
}
