//! Whether a refusal of the service concerns key or clock, for programs that send with their own HTTP stack.

use oss_credentials_core::{Credentials, CredentialsProvider};

/// Codes with which OSS refuses the key or the token itself: a provider may have other credentials by now.
///
/// `SignatureDoesNotMatch` and `AccessDenied` are not among them: the same key would be refused again.
///
/// Vendor document: "Error codes" (Object Storage Service, API reference).
pub const KEY_REJECTED_CODES: [&str; 3] = [
    "InvalidAccessKeyId",
    "InvalidSecurityToken",
    "SecurityTokenExpired",
];

/// Codes with which OSS refuses the signing time, because the local clock is wrong.
///
/// Vendor document: "Error codes" (Object Storage Service, API reference).
pub const CLOCK_REJECTED_CODES: [&str; 1] = ["RequestTimeTooSkewed"];

/// Longest part of an error document in which a code is looked for, in bytes.
const MAX_DOCUMENT: usize = 64 * 1024;

/// The cause of a refusal: the credentials or the clock of the request.
///
/// # Examples
///
/// ```
/// use oss_sign::Refusal;
///
/// let body = b"<Error><Code>SecurityTokenExpired</Code><Message>...</Message></Error>";
/// assert_eq!(Refusal::of_response(403, body), Some(Refusal::Key));
/// assert_eq!(Refusal::of_response(200, body), None);
/// assert_eq!(Refusal::of_code("NoSuchKey"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The service does not accept this key or token; see [`KEY_REJECTED_CODES`].
    Key,
    /// The service does not accept the signing time; see [`CLOCK_REJECTED_CODES`].
    Clock,
}

impl Refusal {
    /// Classifies an error code, such as `InvalidAccessKeyId`; `None` if it concerns neither key nor clock.
    pub fn of_code(code: &str) -> Option<Self> {
        if KEY_REJECTED_CODES.contains(&code) {
            Some(Self::Key)
        } else if CLOCK_REJECTED_CODES.contains(&code) {
            Some(Self::Clock)
        } else {
            None
        }
    }

    /// Classifies a response, by its status and its body in XML; `None` for a success, and if the refusal concerns
    /// neither key nor clock.
    ///
    /// The first 64 KiB of the body are examined. A refusal of HEAD has no body: there the document is in the header
    /// `x-oss-err`, in base64.
    pub fn of_response(status: u16, body: &[u8]) -> Option<Self> {
        if (200..300).contains(&status) {
            return None;
        }
        let body = body.get(..MAX_DOCUMENT).unwrap_or(body);
        let document = String::from_utf8_lossy(body);
        let (_, from_code) = document.split_once("<Code>")?;
        let (code, _) = from_code.split_once("</Code>")?;
        Self::of_code(code.trim())
    }
}

/// Decides after a response whether the request should be signed and sent once more, and with which credentials.
///
/// If the service rejected the key ([`Refusal::Key`]), this reports it to the provider
/// ([`CredentialsProvider::invalidate`]) and calls it again. Returns its credentials if they differ from `used`;
/// `None` if the request must not be sent again, because the response does not reject the key, the credentials are
/// anonymous, or the provider has no others.
///
/// Call it once for each request, or a provider that alternates between two revoked keys causes a loop. The caller
/// decides whether the body can be sent a second time.
///
/// # Examples
///
/// ```
/// # use oss_credentials_core::{Credentials, blocking};
/// # let used = Credentials::builder("FakeAccessKeyId0001", "FakeAccessKeySecret0001").build()?;
/// # let provider = Credentials::builder("FakeAccessKeyId0002", "FakeAccessKeySecret0002").build()?;
/// # let (status, body) = (403, b"<Error><Code>InvalidAccessKeyId</Code></Error>");
/// # let again = async {
/// let again = oss_sign::credentials_for_retry(&provider, &used, status, body).await;
/// # again
/// # };
/// # let again = blocking::wait(again);
/// assert_eq!(again.map(|fresh| fresh.access_key_id().to_owned()).as_deref(), Some("FakeAccessKeyId0002"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn credentials_for_retry(
    provider: &dyn CredentialsProvider,
    used: &Credentials,
    status: u16,
    body: &[u8],
) -> Option<Credentials> {
    if used.is_anonymous() || Refusal::of_response(status, body) != Some(Refusal::Key) {
        return None;
    }
    if !provider.invalidate(used).may_retry() {
        return None;
    }
    let fresh = provider.credentials().await.ok()?;
    (!fresh.same_generation_as(used) && !fresh.is_anonymous()).then_some(fresh)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_in_documents_of_refusals_alone() {
        let document =
            |code: &str| format!("<?xml version=\"1.0\"?>\n<Error>\n  <Code>{code}</Code></Error>");
        for (code, expected) in [
            ("InvalidAccessKeyId", Some(Refusal::Key)),
            ("InvalidSecurityToken", Some(Refusal::Key)),
            ("SecurityTokenExpired", Some(Refusal::Key)),
            ("RequestTimeTooSkewed", Some(Refusal::Clock)),
            ("SignatureDoesNotMatch", None),
            ("AccessDenied", None),
            ("", None),
        ] {
            assert_eq!(
                Refusal::of_response(403, document(code).as_bytes()),
                expected,
                "{code}"
            );
            assert_eq!(
                Refusal::of_response(200, document(code).as_bytes()),
                None,
                "{code}"
            );
        }
        for body in [
            &b""[..],
            b"<Code>",
            b"InvalidAccessKeyId",
            b"\xff\xfe<Code>InvalidAccessKeyId",
        ] {
            assert_eq!(Refusal::of_response(403, body), None);
        }
        // A proxy may add a comment; a page of any length is not searched to its end.
        for (length, expected) in [(65_000, Some(Refusal::Key)), (66_000, None)] {
            let comment = format!("<!--{}-->", " ".repeat(length));
            let document = [&*comment, &document("InvalidAccessKeyId")].concat();
            assert_eq!(
                Refusal::of_response(403, document.as_bytes()),
                expected,
                "{length}"
            );
        }
    }

    #[test]
    fn only_other_keys_are_for_a_retry() {
        use oss_credentials_core::{Invalidation, blocking, provider_fn};
        struct Limited(Credentials);
        impl CredentialsProvider for Limited {
            fn name(&self) -> &'static str {
                "limited"
            }
            fn credentials(&self) -> oss_credentials_core::CredentialsFuture<'_> {
                oss_credentials_core::CredentialsFuture::ready(Ok(self.0.clone()))
            }
            fn invalidate(&self, _: &Credentials) -> Invalidation {
                Invalidation::LimitReached
            }
        }
        let key = |id: &str| {
            Credentials::builder(id, "FakeAccessKeySecret0001")
                .build()
                .unwrap()
        };
        let (used, other) = (key("FakeAccessKeyId0001"), key("FakeAccessKeyId0002"));
        let retry = |provider: &dyn CredentialsProvider, used: &Credentials, code: &str| {
            let body = format!("<Error><Code>{code}</Code></Error>");
            let retry = credentials_for_retry(provider, used, 403, body.as_bytes());
            blocking::wait(retry).map(|fresh| fresh.access_key_id().to_owned())
        };
        let found = Some("FakeAccessKeyId0002".to_owned());
        assert_eq!(retry(&other, &used, "InvalidAccessKeyId"), found);
        assert_eq!(retry(&other, &used, "AccessDenied"), None);
        assert_eq!(retry(&used, &used, "InvalidAccessKeyId"), None);
        assert_eq!(
            retry(&other, &Credentials::anonymous(), "InvalidAccessKeyId"),
            None
        );
        assert_eq!(
            retry(&Credentials::anonymous(), &used, "InvalidAccessKeyId"),
            None
        );
        assert_eq!(retry(&Limited(other), &used, "InvalidAccessKeyId"), None);
        let failing = provider_fn("failing", || Credentials::builder("", "").build());
        assert_eq!(retry(&failing, &used, "InvalidAccessKeyId"), None);
    }
}
