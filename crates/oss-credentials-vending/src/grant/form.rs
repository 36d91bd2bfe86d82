//! Forms that upload.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::SystemTime;

use oss_sign::v4::{LimitedBy, PostForm, PostPolicy};
use oss_sign::{UtcTime, check_key_for_url};

use super::GrantError;
use super::signing::Signing;
use crate::policy::check_prefix;

const KEY: &str = "key";
const CONTENT_TYPE: &str = "content-type";
const FORBID_OVERWRITE: &str = "x-oss-forbid-overwrite";
const SUCCESS_STATUS: &str = "success_action_status";

/// A form that a grant is to contain: a `POST` as `multipart/form-data` that stores one object.
///
/// Unlike a presigned URL it can limit the size to a range, and leave the end of the key to the client.
///
/// Vendor document: `PostObject` (Object Storage Service, API reference).
///
/// # Examples
///
/// ```
/// use oss_credentials_vending::FormRequest;
///
/// let photos = FormRequest::below("tenants/42/photos/")
///     .content_types(["image/jpeg", "image/png"])
///     .content_length_range(1..=10_485_760)
///     .success_status(201);
/// # let _ = photos;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct FormRequest {
    target: Target,
    content_types: Vec<String>,
    content_length_range: Option<RangeInclusive<u64>>,
    forbid_overwrite: bool,
    success_status: Option<u16>,
}

/// Which keys a form stores.
#[derive(Clone, Debug)]
enum Target {
    Below(String),
    Key(String),
}

impl FormRequest {
    /// Requests a form that stores any key below a prefix, which ends with `/`. The client adds the field `key`;
    /// `${filename}` in it is replaced by the name of the file. The prefix is one that a policy can express, without
    /// `*`, `?` and `${`: the session's policy has to cover the same keys.
    pub fn below(prefix: impl Into<String>) -> Self {
        Self::new(Target::Below(prefix.into()))
    }

    /// Requests a form that stores exactly one key.
    pub fn key(key: impl Into<String>) -> Self {
        Self::new(Target::Key(key.into()))
    }

    fn new(target: Target) -> Self {
        Self {
            target,
            content_types: Vec::new(),
            content_length_range: None,
            forbid_overwrite: false,
            success_status: None,
        }
    }

    /// Accepts only these content types, in the field `content-type`. Default: any.
    pub fn content_types(mut self, types: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.content_types = types.into_iter().map(Into::into).collect();
        self
    }

    /// Accepts only files of a size in this range, in bytes. Default: what the service accepts, up to 5 GB.
    pub fn content_length_range(mut self, bytes: RangeInclusive<u64>) -> Self {
        self.content_length_range = Some(bytes);
        self
    }

    /// Makes an upload fail if the object exists. Default: an upload replaces the object.
    pub fn forbid_overwrite(mut self) -> Self {
        self.forbid_overwrite = true;
        self
    }

    /// Sets the status of a successful response: 200 and 204 without a body, 201 with an XML document. Default: 204.
    pub fn success_status(mut self, status: u16) -> Self {
        self.success_status = Some(status);
        self
    }

    pub(super) fn sign(self, signing: &Signing<'_>) -> Result<GrantedForm, GrantError> {
        let fixed = self.fixed_fields()?;
        let mut policy = PostPolicy::new(signing.bucket.bucket());
        if let Target::Below(prefix) = &self.target {
            policy = policy.starts_with(KEY, prefix);
        }
        for (name, value) in &fixed {
            policy = policy.equals(*name, value);
        }
        if self.content_types.len() > 1 {
            policy = policy.is_in(CONTENT_TYPE, &self.content_types);
        }
        if let Some(range) = &self.content_length_range {
            policy = policy.content_length_range(range.clone());
        }
        let session = signing.session;
        let form = signing.bucket.signer().sign_post(
            &policy,
            session.credentials(),
            session.handed_out_at(),
            signing.lifetime,
        )?;
        Ok(GrantedForm {
            url: signing.bucket.url_of(None),
            request: self,
            fixed,
            form,
        })
    }

    /// The fields whose value the grant decides.
    fn fixed_fields(&self) -> Result<Vec<(&'static str, String)>, GrantError> {
        let mut fields = Vec::new();
        match &self.target {
            Target::Below(prefix) => {
                check_prefix(prefix)?;
                check_key_for_url(prefix)?;
            }
            Target::Key(key) if key.is_empty() => return Err(GrantError::NoKey),
            // The service puts the name of the file in its place.
            Target::Key(key) if key.contains("${") => return Err(GrantError::Placeholder),
            Target::Key(key) => fields.push((KEY, key.clone())),
        }
        if let [content_type] = self.content_types.as_slice() {
            fields.push((CONTENT_TYPE, content_type.clone()));
        }
        if self.forbid_overwrite {
            fields.push((FORBID_OVERWRITE, "true".to_owned()));
        }
        if let Some(status) = self.success_status {
            fields.push((SUCCESS_STATUS, status.to_string()));
        }
        Ok(fields)
    }
}

/// A signed form, and what must be known to send it.
///
/// The fields are a secret: anyone who has them can upload what the conditions allow until the form expires. `Debug` shows
/// none of their values.
#[derive(Clone)]
pub struct GrantedForm {
    url: String,
    request: FormRequest,
    fixed: Vec<(&'static str, String)>,
    form: PostForm,
}

impl GrantedForm {
    /// Returns where the form is sent to, by `POST` as `multipart/form-data`. It is not a secret.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the fields to send before the field `file`, in any order. They include the signature. For a form
    /// [below a prefix](FormRequest::below) the client adds `key`, for several content types `content-type`.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let fixed = self.fixed.iter().map(|(name, value)| (*name, value.as_str()));
        self.form.fields().chain(fixed)
    }

    /// Returns the prefix that the field `key` must begin with, unless the form is for one key.
    pub fn key_prefix(&self) -> Option<&str> {
        match &self.request.target {
            Target::Below(prefix) => Some(prefix),
            Target::Key(_) => None,
        }
    }

    /// Returns the content types that are accepted; none means any.
    pub fn content_types(&self) -> &[String] {
        &self.request.content_types
    }

    /// Returns the sizes that are accepted, in bytes, if they are limited.
    pub fn content_length_range(&self) -> Option<RangeInclusive<u64>> {
        self.request.content_length_range.clone()
    }

    /// Returns when the form stops working, by the service's clock.
    pub fn valid_until(&self) -> SystemTime {
        self.form.valid_until()
    }

    /// Returns [`GrantedForm::valid_until`] as a value that prints as UTC, such as `2026-01-01T08:30:00Z`.
    pub fn valid_until_utc(&self) -> UtcTime {
        self.form.valid_until_utc()
    }

    /// Returns what sets [`GrantedForm::valid_until`].
    pub fn limited_by(&self) -> LimitedBy {
        self.form.limited_by()
    }
}

impl fmt::Debug for GrantedForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrantedForm")
            .field("url", &self.url)
            .field("request", &self.request)
            .field("form", &self.form)
            .finish_non_exhaustive()
    }
}
