//! Advice, with the most likely cause first.

use oss_credentials::http::HttpErrorKind;
use oss_credentials::{CredentialsError, Env, ErrorDetail, Explanation, MemberReport, Standing};

use super::{Findings, bucket};
use crate::identity::Answer;

/// A larger offset is reported: services reject requests that are 15 minutes old.
const TOLERATED_OFFSET: i64 = 60;

const EXPIRED: &str = "get new temporary credentials, or use a source that renews them: these have expired";

/// Codes of the services, and what most likely is behind them; the first that matches counts. Vendor documents: *Error codes* of the Security Token
/// Service and of RAM.
const CODES: [(&str, &[&str]); 8] = [
    (
        "InvalidAccessKeyId.NotFound",
        &[
            "compare the key ID with the console: it was mistyped, or the key has been deleted",
            "check the site: keys of the international site are unknown to the Chinese one, and the reverse",
        ],
    ),
    (
        "InvalidAccessKeyId.Inactive",
        &["enable the key in the RAM console, or use another one"],
    ),
    (
        "SignatureDoesNotMatch",
        &["set the secret again: it does not belong to this key ID, or was cut when it was copied"],
    ),
    ("InvalidSecurityToken.Expired", &[EXPIRED]),
    ("SecurityTokenExpired", &[EXPIRED]),
    (
        "InvalidSecurityToken",
        &[
            "take key ID, secret and token from the same response: they belong together",
            "get new temporary credentials: these may have expired",
        ],
    ),
    (
        "NoPermission",
        &[
            "grant the caller `sts:AssumeRole` on the role",
            "let the trust policy of the role name the caller",
        ],
    ),
    (
        "EntityNotExist.Role",
        &["correct the ARN of the role: there is no such role in that account"],
    ),
];

pub(super) fn advice(findings: &Findings, env: &dyn Env) -> Vec<String> {
    let Findings {
        explanation,
        online,
        bucket,
        ..
    } = findings;
    let mut advice = Vec::new();
    advice.extend(clock(explanation, online.as_ref()));
    match findings.to_repair() {
        Some(error) if error.is_not_configured() => advice.extend(set_up(env)),
        Some(error) => advice.extend(repair(error, explanation, env)),
        None => {}
    }
    advice.extend(bucket.iter().flat_map(of_bucket));
    // A bucket that responds has accepted the key.
    let is_proven = online.is_some() || bucket.as_ref().is_some_and(|bucket| bucket.error().is_none());
    if findings.chain_error().is_none() && !is_proven {
        advice.push("run it with --online to see whether the service accepts these credentials".to_owned());
    }
    advice
}

/// What to do about a bucket that cannot be used.
fn of_bucket(bucket: &bucket::Answer) -> Vec<String> {
    let Some(error) = bucket.error() else {
        return Vec::new();
    };
    if let Some(misplaced) = bucket.misplaced() {
        return vec![misplaced.to_owned()];
    }
    match error {
        oss_client::Error::InvalidInput(problem) => return vec![problem.hint().to_owned()],
        oss_client::Error::Credentials(problem) => {
            let hint = problem.detail().and_then(ErrorDetail::hint);
            return hint.map(str::to_owned).into_iter().collect();
        }
        _ => {}
    }
    let code = error.code().unwrap_or_default();
    let own = match code {
        "AccessDenied" => {
            Some("grant oss:ListObjects on the bucket to this identity, or ask the bucket's owner to")
        }
        "InvalidAccessKeyId" => {
            Some("compare the key ID with the console: it was mistyped, deleted or disabled")
        }
        "NoSuchBucket" => Some("correct the name of the bucket: there is none of this name"),
        _ => None,
    };
    let of_code = by_code(code).map(str::to_owned);
    of_code.chain(own.map(str::to_owned)).collect()
}

/// The advice for a code of a service.
fn by_code(code: &str) -> impl Iterator<Item = &'static str> + use<> {
    let known = CODES.iter().find(|(known, _)| code.starts_with(known));
    known.into_iter().flat_map(|(_, advice)| advice.iter().copied())
}

/// Advice about the clock, because a wrong clock makes everything else fail.
fn clock(explanation: &Explanation, online: Option<&Answer>) -> Option<String> {
    let seen = online.and_then(|answer| answer.exchange?.clock_offset);
    let known = || explanation.in_use().and_then(MemberReport::clock_offset);
    let offset = seen.or_else(known)?.as_secs();
    let is_wrong = offset.abs() > TOLERATED_OFFSET;
    is_wrong.then(|| format!("set the clock of this machine: it is off by {} s", offset.abs()))
}

/// What to configure, depending on the environment.
fn set_up(env: &dyn Env) -> Vec<String> {
    let rrsa = "in a pod, give its service account a role (RRSA): the cluster then sets the OIDC variables";
    let ci =
        "in a CI job, set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET from its secrets";
    let laptop = "on a laptop, run `aliyun configure`, which writes ~/.aliyun/config.json";
    let instance = "on an ECS instance, attach a RAM role to it";
    let agent = "beside an agent (`oss-credentials serve`), set ALIBABA_CLOUD_CREDENTIALS_URI to its URL";
    let mut advice = Vec::new();
    let has_home = ["HOME", "USERPROFILE"]
        .iter()
        .any(|name| env.non_empty(name).is_some());
    if !has_home {
        advice.push(
            "set HOME, or name a file with --config-file: profiles are looked up in the home directory",
        );
    }
    if env.non_empty("KUBERNETES_SERVICE_HOST").is_some() {
        advice.extend([rrsa, instance, agent]);
    } else if env.non_empty("CI").is_some() {
        advice.extend([ci, rrsa, instance]);
    } else {
        advice.extend([laptop, instance, rrsa, ci, agent]);
    }
    advice.into_iter().map(str::to_owned).collect()
}

/// What to do about an error: advice for its service code, then the library's hint, then general advice.
fn repair(error: &CredentialsError, explanation: &Explanation, env: &dyn Env) -> Vec<String> {
    let detail = error.detail();
    let code = detail.and_then(ErrorDetail::code).unwrap_or_default();
    let mut advice: Vec<String> = by_code(code).map(str::to_owned).collect();
    advice.extend(detail.and_then(ErrorDetail::hint).map(str::to_owned));
    if is_of_the_network(error) {
        let proxies = [
            "HTTPS_PROXY",
            "https_proxy",
            "HTTP_PROXY",
            "http_proxy",
            "ALL_PROXY",
            "all_proxy",
        ];
        let set = proxies.into_iter().find(|name| env.non_empty(name).is_some());
        advice.push(match set {
            Some(name) => format!("check the proxy in {name}, or set NO_PROXY for this host"),
            None => "check the network: name service, route and firewall, or set HTTPS_PROXY".to_owned(),
        });
    }
    let available = explanation
        .members()
        .find(|member| member.standing() == Standing::Available);
    advice.extend(available.map(|member| {
        format!(
            "or use what `{}` has, with --provider {0}: it is another identity",
            member.name()
        )
    }));
    advice
}

/// Whether there was no response.
fn is_of_the_network(error: &CredentialsError) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(http) = error.downcast_ref::<oss_credentials::http::HttpError>() {
            return matches!(http.kind(), HttpErrorKind::Connect | HttpErrorKind::Timeout);
        }
        cause = error.source();
    }
    false
}
