//! Form uploads: the policy that defines what may be uploaded, and its signature.
//!
//! Vendor documents: "POST V4 signature" and "`PostObject`" (Object Storage Service, API reference).

use std::fmt;
use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oss_credentials_core::Credentials;
use serde_json::json;
use zeroize::Zeroizing;

use super::names::{ALGORITHM, CREDENTIAL, DATE, SECURITY_TOKEN, SIGNATURE, SIGNATURE_VERSION};
use super::presign::{MAX_EXPIRES, check_times};
use super::signer::Signer;
use crate::error::shown;
use crate::presigned::{LimitedBy, limits};
use crate::time::{Stamp, second_of};
use crate::view::is_token;
use crate::{SignError, UtcTime};

const POLICY: &str = "policy";
const BUCKET: &str = "bucket";

/// Fields that the signer sets or that the service treats specially: conditions on them are refused.
const OWN: &[&str] = &[
    BUCKET,
    POLICY,
    "file",
    CREDENTIAL,
    DATE,
    SECURITY_TOKEN,
    SIGNATURE,
    SIGNATURE_VERSION,
];

/// What a form may upload: a bucket, and conditions that the fields of the form must meet.
///
/// Fields are named as in the form, without `$`: `key`, `content-type`, `success_action_status`,
/// `x-oss-meta-...`, `x:...` for a variable of a callback. All conditions must hold. The bucket, and the fields of the
/// signature, are always conditions.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use oss_credentials_core::Credentials;
/// use oss_sign::v4::{PostPolicy, Signer};
///
/// let policy = PostPolicy::new("examplebucket")
///     .starts_with("key", "user/eric/")
///     .content_length_range(1..=10_485_760)
///     .is_in("content-type", ["image/jpeg", "image/png"]);
///
/// let signer = Signer::builder("cn-hangzhou").build()?;
/// let credentials = Credentials::builder("FakeAccessKeyId0001", "FakeAccessKeySecret0001").build()?;
/// let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_256_200);
/// let form = signer.sign_post(&policy, &credentials, time, Duration::from_secs(900))?;
///
/// // Give these to the browser, as hidden fields of the form before the field `file`.
/// let names: Vec<_> = form.fields().map(|(name, _)| name).collect();
/// assert_eq!(
///     names,
///     ["policy", "x-oss-signature-version", "x-oss-credential", "x-oss-date", "x-oss-signature"]
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct PostPolicy {
    bucket: String,
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug)]
enum Condition {
    /// `eq`, `starts-with`: a field and a text.
    Text(&'static str, String, String),
    /// `in`, `not-in`: a field and a list of texts.
    List(&'static str, String, Vec<String>),
    /// Smallest and largest size in bytes.
    ContentLengthRange(u64, u64),
}

impl PostPolicy {
    /// Creates a policy for uploads to one bucket, without other conditions.
    pub fn new(bucket: impl Into<String>) -> Self {
        Self {
            bucket: bucket.into(),
            conditions: Vec::new(),
        }
    }

    /// Returns the bucket that the form uploads to.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Requires that the field has this value.
    #[must_use]
    pub fn equals(self, field: impl Into<String>, value: impl Into<String>) -> Self {
        self.with(Condition::Text("eq", field.into(), value.into()))
    }

    /// Requires that the field's value begins with `prefix`; an empty one allows any value.
    #[must_use]
    pub fn starts_with(self, field: impl Into<String>, prefix: impl Into<String>) -> Self {
        self.with(Condition::Text("starts-with", field.into(), prefix.into()))
    }

    /// Requires that the field has one of these values.
    #[must_use]
    pub fn is_in(
        self,
        field: impl Into<String>,
        values: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.with(Condition::List("in", field.into(), values))
    }

    /// Requires that the field has none of these values.
    #[must_use]
    pub fn is_not_in(
        self,
        field: impl Into<String>,
        values: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.with(Condition::List("not-in", field.into(), values))
    }

    /// Requires that the object's size is in this range, in bytes. Default: what the service accepts, up to 5 GB.
    #[must_use]
    pub fn content_length_range(self, bytes: RangeInclusive<u64>) -> Self {
        let (smallest, largest) = bytes.into_inner();
        self.with(Condition::ContentLengthRange(smallest, largest))
    }

    fn with(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }

    fn check(&self) -> Result<(), SignError> {
        let refused = |field: &str, what| SignError::InvalidPostPolicy {
            field: shown(field.as_bytes()),
            what,
        };
        if self.bucket.is_empty() {
            return Err(refused(BUCKET, "is empty"));
        }
        for condition in &self.conditions {
            match condition {
                Condition::Text(_, field, _) | Condition::List(_, field, _) if !is_field_name(field) => {
                    return Err(refused(field, "is not the name of a form field; leave out the $"));
                }
                Condition::Text(_, field, _) | Condition::List(_, field, _)
                    if OWN.iter().any(|own| own.eq_ignore_ascii_case(field)) =>
                {
                    return Err(refused(field, "is set by the signer or cannot have a condition"));
                }
                Condition::List(_, field, values) if values.is_empty() => {
                    return Err(refused(field, "has an empty list of values"));
                }
                Condition::ContentLengthRange(smallest, largest) if smallest > largest => {
                    return Err(refused(
                        "content-length-range",
                        "has its limits the wrong way round",
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The document that is signed. `own` are the fields of the signature.
    fn document(&self, own: &[(&str, &str)], expiration: &str) -> Zeroizing<Vec<u8>> {
        let fixed = [(BUCKET, self.bucket.as_str())];
        let fixed = || fixed.iter().chain(own);
        let given = self.conditions.iter().map(|condition| match condition {
            Condition::Text(mode, field, text) => json!([mode, format!("${field}"), text]),
            Condition::List(mode, field, texts) => json!([mode, format!("${field}"), texts]),
            Condition::ContentLengthRange(smallest, largest) => {
                json!(["content-length-range", smallest, largest])
            }
        });
        let given = given
            .map(|condition| condition.to_string())
            .collect::<Vec<_>>()
            .join(",");
        // One of the fields is the security token. Room for all of it, each character escaped: growing would leave a
        // copy in memory.
        let most: usize = fixed()
            .map(|(name, value)| 2 * (name.len() + value.len()) + 16)
            .sum();
        let mut document = Zeroizing::new(Vec::with_capacity(most + given.len() + 2 * expiration.len() + 64));
        document.extend_from_slice(b"{\"conditions\":[");
        for (at, (name, value)) in fixed().enumerate() {
            document.extend_from_slice(if at > 0 { b",{" } else { b"{" });
            put_json(&mut document, name);
            document.push(b':');
            put_json(&mut document, value);
            document.push(b'}');
        }
        if !given.is_empty() {
            document.push(b',');
        }
        document.extend_from_slice(given.as_bytes());
        document.extend_from_slice(b"],\"expiration\":");
        put_json(&mut document, expiration);
        document.push(b'}');
        document
    }
}

/// Writes a text as JSON.
fn put_json(out: &mut Vec<u8>, text: &str) {
    // Texts become JSON, and a `Vec` takes them, without fail.
    let _ = serde_json::to_writer(out, text);
}

impl Signer {
    /// Signs a policy for form uploads.
    ///
    /// The form works from `time` for `expires`: from 1 second to 7 days ([`MAX_EXPIRES`]), in whole seconds;
    /// a fraction is dropped, as it is from `time`. If the credentials expire earlier, so does the policy: see
    /// [`PostForm::valid_until`]. With [anonymous](Credentials::anonymous) credentials there are no fields to
    /// add; such an upload works only for buckets that everyone may write to.
    ///
    /// # Errors
    ///
    /// [`SignError::InvalidPostPolicy`], [`SignError::ExpiresOutOfRange`], [`SignError::CredentialsExpired`]
    /// or [`SignError::TimeOutOfRange`].
    pub fn sign_post(
        &self,
        policy: &PostPolicy,
        credentials: &Credentials,
        time: SystemTime,
        expires: Duration,
    ) -> Result<PostForm, SignError> {
        policy.check()?;
        let (second, seconds) = check_times(credentials, time, expires)?;
        let (end, limited_by) = limits(credentials, second, seconds, Some(MAX_EXPIRES));
        // The policy's expiry is written in whole seconds.
        let end = second_of(end)?;
        if end <= second {
            return Err(SignError::CredentialsExpired);
        }
        let mut form = PostForm {
            fields: Vec::new(),
            valid_until: SystemTime::UNIX_EPOCH + Duration::from_secs(end),
            limited_by,
        };
        if credentials.is_anonymous() {
            return Ok(form);
        }
        let expiration = Stamp::new(end).extended(".000");
        self.with_moment(credentials, second, |moment| {
            let credential = format!("{}/{}", credentials.access_key_id(), moment.key.scope);
            let date = String::from_utf8_lossy(moment.stamp.iso());
            let own = [
                (SIGNATURE_VERSION, ALGORITHM),
                (CREDENTIAL, credential.as_str()),
                (DATE, &*date),
                (SECURITY_TOKEN, credentials.security_token().unwrap_or_default()),
            ];
            let own = match credentials.security_token() {
                Some(_) => &own[..],
                None => &own[..3],
            };
            let encoded = Zeroizing::new(STANDARD.encode(&*policy.document(own, &expiration)));
            let signature = moment.key.signature(encoded.as_bytes());
            let signature = String::from_utf8_lossy(&signature).into_owned();
            form.fields.push((POLICY, encoded));
            form.fields.extend(
                own.iter()
                    .map(|(name, value)| (*name, Zeroizing::new((*value).to_owned()))),
            );
            form.fields.push((SIGNATURE, Zeroizing::new(signature)));
        });
        Ok(form)
    }
}

/// Returns whether a condition can name this field. Variables of a callback are fields whose names begin with `x:`
/// (vendor document: "Callback", Object Storage Service, API reference).
fn is_field_name(field: &str) -> bool {
    is_token(field.strip_prefix("x:").unwrap_or(field)) && !field.starts_with('$')
}

/// The fields that sign a form, and how long it works.
///
/// They are a secret: anyone who has them can upload what the policy allows until it expires. `Debug` shows none of
/// their values.
#[derive(Clone)]
pub struct PostForm {
    fields: Vec<(&'static str, Zeroizing<String>)>,
    valid_until: SystemTime,
    limited_by: LimitedBy,
}

impl PostForm {
    /// Returns the fields to put into the form, in any order but before the field `file`: `policy`,
    /// `x-oss-signature-version`, `x-oss-credential`, `x-oss-date`, `x-oss-security-token` if there is a
    /// token, and `x-oss-signature`. The form also needs `key` and the fields that the other conditions require, and is
    /// sent by `POST` as `multipart/form-data` to the bucket's host.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.fields.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// Returns whether the form is signed: false for anonymous credentials.
    pub fn is_signed(&self) -> bool {
        !self.fields.is_empty()
    }

    /// Returns when the form stops working: the earliest of the requested end, the expiry of the credentials and 7
    /// days, in whole seconds. This is the policy's `expiration`.
    pub fn valid_until(&self) -> SystemTime {
        self.valid_until
    }

    /// Returns [`PostForm::valid_until`] for display: it prints as UTC.
    pub fn valid_until_utc(&self) -> UtcTime {
        self.valid_until.into()
    }

    /// Returns what determines [`PostForm::valid_until`].
    pub fn limited_by(&self) -> LimitedBy {
        self.limited_by
    }
}

impl fmt::Debug for PostForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.fields.iter().map(|(name, _)| name).collect();
        f.debug_struct("PostForm")
            .field("fields", &names)
            .field("valid_until", &self.valid_until_utc())
            .field("limited_by", &self.limited_by)
            .finish()
    }
}
