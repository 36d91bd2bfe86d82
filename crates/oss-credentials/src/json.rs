//! The report as JSON.

use oss_credentials_core::{ChainPolicy, ClockOffset, CredentialsError, ErrorDetail};
use serde_json::{Value, json};

use crate::explain::{Explanation, MemberReport, causes, rfc3339};

impl Explanation {
    /// Returns the report as a JSON object, over several lines. Instants are RFC 3339, the clock offset is in seconds
    /// (positive if the service is ahead); unknown values are `null`.
    ///
    /// ```
    /// use oss_credentials::{Credentials, DefaultProvider, blocking};
    ///
    /// let keys = Credentials::builder("LTAI5tEXAMPLEKEYID", "EXAMPLE").build();
    /// let provider = DefaultProvider::builder().member("keys", keys).order(["keys"]).build()?;
    /// let json = blocking::wait(provider.explain()).to_json();
    /// assert!(json.contains(r#""in_use": "keys""#) && !json.contains("LTAI5tEXAMPLEKEYID"));
    /// # Ok::<(), oss_credentials::CredentialsError>(())
    /// ```
    pub fn to_json(&self) -> String {
        let policy = match self.policy {
            ChainPolicy::ContinueOnFailure => "continue-on-failure",
            _ => "stop-on-failure",
        };
        let value = json!({
            "in_use": self.in_use().map(MemberReport::name),
            "pinned_by": self.pinned_by,
            "policy": policy,
            "error": self.error.as_ref().map(error),
            "members": self.members.iter().map(member).collect::<Vec<_>>(),
        });
        format!("{value:#}")
    }
}

fn member(member: &MemberReport) -> Value {
    json!({
        "name": member.name(),
        "standing": member.standing().as_str(),
        "place": member.place(),
        "access_key_id": member.access_key_id(),
        "source": member.source(),
        "expires_at": member.expires_at().and_then(rfc3339),
        "next_refresh": member.next_refresh().and_then(rfc3339),
        "clock_offset_seconds": member.clock_offset().map(ClockOffset::as_secs),
        "error": member.error().map(error),
    })
}

fn error(error: &CredentialsError) -> Value {
    let detail = error.detail();
    json!({
        "kind": error.kind(),
        "text": error.to_string(),
        "provider": detail.map(ErrorDetail::provider),
        "what": detail.map(ErrorDetail::what),
        "place": detail.and_then(ErrorDetail::place),
        "http_status": detail.and_then(ErrorDetail::http_status),
        "code": detail.and_then(ErrorDetail::code),
        "message": detail.and_then(ErrorDetail::message),
        "request_id": detail.and_then(ErrorDetail::request_id),
        "hint": detail.and_then(ErrorDetail::hint),
        "causes": causes(error),
    })
}
