//! The string to sign.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use zeroize::Zeroizing;

use super::sub_resources::SubResources;
use crate::encode::TextSink;
use crate::headers::{Scratch, SignedHeaders, Sink};
use crate::v4::names::{DATE, SECURITY_TOKEN};
use crate::view::put_method;
use crate::{RequestView, SignError};

/// Length of a signature: 20 bytes in base64.
pub(crate) const SIGNATURE_LEN: usize = 28;

/// The signed parts of a request.
pub(crate) struct Canonical<'a> {
    view: RequestView<'a>,
    bucket: Option<&'a str>,
    key: Option<&'a str>,
    content_md5: &'a [u8],
    content_type: &'a [u8],
    date: &'a [u8],
    headers: SignedHeaders<'a>,
    sub_resources: SubResources<'a>,
}

impl<'a> Canonical<'a> {
    /// Takes headers and names of `view`. A `token` is signed as a header, in place of one that the request
    /// has.
    pub(crate) fn of(
        view: &RequestView<'a>,
        sub_resources: SubResources<'a>,
        token: Option<&'a str>,
        replaced: &[&str],
    ) -> Result<Self, SignError> {
        let (bucket, key) = view.resource()?;
        let mut canonical = Self {
            view: *view,
            bucket,
            key,
            content_md5: b"",
            content_type: b"",
            date: b"",
            headers: SignedHeaders::new(),
            sub_resources,
        };
        view.header_source().each(
            |name| slot(name).is_some(),
            |name, value| match slot(name) {
                Some(Slot::ContentMd5) => canonical.content_md5 = value,
                Some(Slot::ContentType) => canonical.content_type = value,
                Some(Slot::Date) => canonical.date = value,
                None => {}
            },
        )?;
        let token = token.map(|token| (SECURITY_TOKEN, token.as_bytes()));
        canonical.headers.collect_oss(view, token, replaced)?;
        Ok(canonical)
    }

    /// The `x-oss-date` header of the request: it takes the place of `Date`, for callers who cannot set that.
    pub(crate) fn oss_date(&self) -> Option<&'a [u8]> {
        self.headers.value(DATE).filter(|date| !date.is_empty())
    }

    /// The `Date` header of the request.
    pub(crate) fn date(&self) -> &'a [u8] {
        self.date
    }

    /// Writes the string to sign, with the text in the place of the date.
    pub(crate) fn put(&self, out: &mut impl Sink, date: &[u8]) {
        put_method(out, &self.view);
        for slot in [self.content_md5, self.content_type, date] {
            out.put(b"\n");
            out.put(slot);
        }
        out.put(b"\n");
        self.headers.put_lines(out, &[]);
        self.put_resource(out);
    }

    /// Writes the resource. Nothing in it is encoded.
    fn put_resource(&self, out: &mut impl Sink) {
        out.put(b"/");
        if let Some(bucket) = self.bucket {
            out.put_str(bucket);
            out.put(b"/");
        }
        out.put_str(self.key.unwrap_or_default());
        self.sub_resources.put(out);
    }

    /// The headers that a URL binds, as lines in the order of their names.
    pub(crate) fn bound_lines(&self) -> Vec<u8> {
        let mut lines = Vec::new();
        // Both names come before `x-oss-`.
        for (name, value) in [
            ("content-md5", self.content_md5),
            ("content-type", self.content_type),
        ] {
            if !value.is_empty() {
                for piece in [name.as_bytes(), b":", value, b"\n"] {
                    lines.extend_from_slice(piece);
                }
            }
        }
        self.headers.put_lines(&mut lines, &[]);
        lines
    }

    pub(crate) fn explain(&self, date: &[u8]) -> Explained {
        Explained {
            string_to_sign: gathered(|out| self.put(out, date)),
            canonicalized_headers: gathered(|out| self.headers.put_lines(out, &[])),
            canonicalized_resource: gathered(|out| self.put_resource(out)),
        }
    }

    /// HMAC-SHA1 over the string to sign.
    pub(crate) fn mac(&self, secret: &str, date: &[u8]) -> Hmac<Sha1> {
        let mut hashing = Hashing(keyed(secret));
        self.put(&mut hashing, date);
        hashing.0
    }
}

/// What is written, without a copy of it left behind.
fn gathered(put: impl FnOnce(&mut Scratch)) -> Zeroizing<Vec<u8>> {
    let mut scratch = Scratch::new();
    put(&mut scratch);
    Zeroizing::new(scratch.items().to_vec())
}

/// Headers whose values stand in the string to sign without their names.
enum Slot {
    ContentMd5,
    ContentType,
    Date,
}

fn slot(name: &str) -> Option<Slot> {
    let is = |known| name.eq_ignore_ascii_case(known);
    match name.len() {
        4 if is("date") => Some(Slot::Date),
        11 if is("content-md5") => Some(Slot::ContentMd5),
        12 if is("content-type") => Some(Slot::ContentType),
        _ => None,
    }
}

/// Hashes what is written, so that no copy of it is needed.
struct Hashing(Hmac<Sha1>);

impl TextSink for Hashing {
    fn put_str(&mut self, piece: &str) {
        self.0.update(piece.as_bytes());
    }
}

impl Sink for Hashing {
    fn put(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }
}

/// HMAC takes keys of any length, so there is no error to report.
pub(crate) fn keyed(secret: &str) -> Hmac<Sha1> {
    Hmac::new_from_slice(secret.as_bytes())
        .unwrap_or_else(|_| Hmac::new(&hmac::digest::Key::<Hmac<Sha1>>::default()))
}

/// The signature in base64.
pub(crate) fn encoded(mac: Hmac<Sha1>) -> [u8; SIGNATURE_LEN] {
    let mut signature = [0; SIGNATURE_LEN];
    // 20 bytes make 28 characters.
    let _ = STANDARD.encode_slice(mac.finalize().into_bytes(), &mut signature);
    signature
}

/// What was signed, for diagnosis. It may contain a security token; `Debug` does not show it.
#[derive(Clone)]
pub struct Explained {
    string_to_sign: Zeroizing<Vec<u8>>,
    canonicalized_headers: Zeroizing<Vec<u8>>,
    canonicalized_resource: Zeroizing<Vec<u8>>,
}

impl Explained {
    /// Returns the string that was signed, with the security token if there is one. Bytes, because header values need
    /// not be UTF-8.
    pub fn string_to_sign(&self) -> &[u8] {
        &self.string_to_sign
    }

    /// Returns the lines of the `x-oss-*` headers in it, each with its line end.
    pub fn canonicalized_headers(&self) -> &[u8] {
        &self.canonicalized_headers
    }

    /// Returns bucket, key and sub-resources, with which it ends.
    pub fn canonicalized_resource(&self) -> &[u8] {
        &self.canonicalized_resource
    }
}

impl fmt::Debug for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Explained").finish_non_exhaustive()
    }
}
