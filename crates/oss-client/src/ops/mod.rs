//! One builder per operation.

pub(crate) mod append;
pub(crate) mod bucket_info;
pub(crate) mod buckets;
pub(crate) mod copy;
pub(crate) mod delete;
mod document;
pub(crate) mod exists;
pub(crate) mod list;
pub(crate) mod multipart;
pub(crate) mod object;
mod paged;
mod pages;
pub(crate) mod properties;
pub(crate) mod uploads;
pub(crate) mod versions;

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::header::CONTENT_TYPE;

use crate::client::Client;
use crate::date;
use crate::error::InvalidInput;
use crate::headers;
use crate::operation::Operation;

pub use paged::Paged;

/// For an object whose key has no known extension.
const DEFAULT_CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// Lowest and highest `x-oss-traffic-limit`, in bits per second.
///
/// Vendor document: "Limit the bandwidth of a single connection" (Object Storage Service, developer guide).
const TRAFFIC_LIMIT: std::ops::RangeInclusive<u64> = 245_760..=838_860_800;

/// Declares a request: an operation and the client that sends it, to be awaited.
macro_rules! request {
    ($(#[$docs:meta])* $name:ident -> $output:ty) => {
        $(#[$docs])*
        #[must_use = "nothing is sent before `send`"]
        pub struct $name {
            pub(crate) client: $crate::client::Client,
            pub(crate) operation: $crate::operation::Operation,
        }

        impl $name {
            pub(crate) fn new(
                client: $crate::client::Client,
                operation: $crate::operation::Operation,
            ) -> Self {
                Self { client, operation }
            }

            $crate::ops::common_settings!();

            /// Returns the current operation, for [`Client::send`](crate::Client::send),
            /// [`Client::presign`](crate::Client::presign) and [`Client::sign`](crate::Client::sign). It does not include what `send`
            /// adds automatically, such as a guessed `Content-Type`, nor its checks of the response.
            pub fn into_operation(self) -> $crate::operation::Operation {
                self.operation
            }
        }

        $crate::ops::awaited!($name -> $output);
    };
}
pub(crate) use request;

/// `Debug` without secrets, and `.await` as a short form of `.send().await`.
macro_rules! awaited {
    ($name:ident -> $output:ty) => {
        impl std::future::IntoFuture for $name {
            type Output = Result<$output, $crate::error::Error>;
            type IntoFuture = oss_credentials_core::BoxFuture<'static, Self::Output>;

            fn into_future(self) -> Self::IntoFuture {
                Box::pin(self.send())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("bucket", &self.operation.bucket)
                    .field("key", &self.operation.key)
                    .finish_non_exhaustive()
            }
        }
    };
}
pub(crate) use awaited;

/// The settings of every operation.
macro_rules! common_settings {
    () => {
        /// Adds a header, replacing an earlier one of the same name. The value is bytes or text; spaces around it are
        /// removed. A value that cannot be sent, or a header that the client sets itself (`Authorization`, `Date`,
        /// …), makes
        /// `send` fail.
        pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<[u8]>) -> Self {
            self.operation.set_header(name.as_ref(), value.as_ref());
            self
        }

        /// Adds a query parameter, replacing an earlier one of the same name. An empty value sends the bare name.
        pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
            self.operation.set_query(name.into(), value.into());
            self
        }

        /// Charges the caller instead of the owner of the bucket (`x-oss-request-payer: requester`).
        pub fn request_payer(self) -> Self {
            self.header($crate::headers::REQUEST_PAYER, "requester")
        }
    };
}
pub(crate) use common_settings;

/// Settings that are one header each.
macro_rules! header_settings {
    ($($(#[$docs:meta])* $method:ident => $header:literal),* $(,)?) => {$(
        $(#[$docs])*
        pub fn $method(self, value: impl AsRef<str>) -> Self {
            self.header($header, value.as_ref())
        }
    )*};
}
pub(crate) use header_settings;

/// Settings that are one query parameter each.
macro_rules! query_settings {
    ($($(#[$docs:meta])* $method:ident => $parameter:literal),* $(,)?) => {$(
        $(#[$docs])*
        pub fn $method(self, value: impl Into<String>) -> Self {
            self.query($parameter, value)
        }
    )*};
}
pub(crate) use query_settings;

/// Settings that are a point in time in a header.
macro_rules! time_settings {
    ($($(#[$docs:meta])* $method:ident => $header:literal),* $(,)?) => {$(
        $(#[$docs])*
        pub fn $method(mut self, time: std::time::SystemTime) -> Self {
            $crate::ops::set_time(&mut self.operation, $header, time);
            self
        }
    )*};
}
pub(crate) use time_settings;

/// The settings of a stored object, for every operation that creates one.
macro_rules! object_settings {
    () => {
        $crate::ops::header_settings! {
            /// `Cache-Control` of downloads.
            cache_control => "cache-control",
            /// `Content-Disposition` of downloads.
            content_disposition => "content-disposition",
            /// `Content-Encoding` of downloads: how the given bytes are already compressed.
            content_encoding => "content-encoding",
            /// Who may use the object: `default` (the bucket's setting), `private`, `public-read` or
            /// `public-read-write`.
            acl => "x-oss-object-acl",
            /// `Standard`, `IA`, `Archive`, `ColdArchive` or `DeepColdArchive`. Default: that of the bucket.
            storage_class => "x-oss-storage-class",
            /// Encryption at rest: `AES256`, `KMS` or `SM4`. Default: that of the bucket.
            server_side_encryption => "x-oss-server-side-encryption",
            /// ID of the KMS key. Default: the one that KMS manages.
            server_side_encryption_key_id => "x-oss-server-side-encryption-key-id",
        }

        $crate::ops::time_settings! {
            /// `Expires` of downloads.
            expires => "expires",
        }

        /// User metadata, `x-oss-meta-{name}`. Names are case-insensitive; all together have at most 8 KiB.
        pub fn metadata(self, name: impl AsRef<str>, value: impl AsRef<[u8]>) -> Self {
            self.header(format!("x-oss-meta-{}", name.as_ref()), value)
        }

        /// Tags, at most 10. They are encoded here.
        pub fn tagging<N: AsRef<str>, V: AsRef<str>>(self, tags: impl IntoIterator<Item = (N, V)>) -> Self {
            self.header("x-oss-tagging", $crate::ops::tags(tags))
        }

        /// Sets whether an existing object makes this fail (`FileAlreadyExists`). Default: no, it is replaced.
        pub fn forbid_overwrite(self, forbid: bool) -> Self {
            self.header(
                $crate::headers::FORBID_OVERWRITE,
                if forbid { "true" } else { "false" },
            )
        }
    };
}
pub(crate) use object_settings;

/// `x-oss-callback` and its variables.
macro_rules! callback_settings {
    () => {
        /// Sets what the service calls when the object is stored: a JSON object such as
        /// `{"callbackUrl":"https://…","callbackBody":"bucket=${bucket}"}`. If the call fails, the object is still
        /// stored, and `send` fails with code `CallbackFailed`.
        ///
        /// Vendor document: "Callback" (Object Storage Service, API reference).
        pub fn callback(self, json: impl AsRef<str>) -> Self {
            self.header("x-oss-callback", $crate::ops::base64(json.as_ref()))
        }

        /// Sets the variables of the callback: a JSON object whose names begin with `x:`.
        pub fn callback_var(self, json: impl AsRef<str>) -> Self {
            self.header("x-oss-callback-var", $crate::ops::base64(json.as_ref()))
        }
    };
}
pub(crate) use callback_settings;

/// `x-oss-traffic-limit`.
macro_rules! traffic_limit_setting {
    () => {
        /// Sets the maximum bits per second of this connection, 245,760 to 838,860,800. Default: no limit.
        pub fn traffic_limit(mut self, bits_per_second: u64) -> Self {
            $crate::ops::set_traffic_limit(&mut self.operation, bits_per_second);
            self
        }
    };
}
pub(crate) use traffic_limit_setting;

/// `presign` of the operations that the vendor's SDKs presign.
macro_rules! presigned {
    ($($name:ident),*) => {$(
        impl $name {
            /// Creates a URL of this request instead of sending it: await the result. The body is left out.
            ///
            /// `expires` is from 1 second to 7 days, in whole seconds; with V1 there is no upper limit. Headers that
            /// were set bind the URL: anyone who uses it must send them. Headers that a URL cannot bind are refused.
            pub fn presign(self, expires: std::time::Duration) -> $crate::presign::Presign {
                $crate::presign::Presign::new(self.client, self.operation, expires)
            }
        }
    )*};
}
pub(crate) use presigned;

pub(crate) fn set_time(operation: &mut Operation, header: &str, time: SystemTime) {
    match date::to_http(time) {
        Some(text) => operation.set_header(header, text.as_bytes()),
        None => operation.refuse(InvalidInput::new(
            format!("the time of the header {header:?} cannot be written"),
            "use one between 1970 and 9999",
        )),
    }
}

pub(crate) fn set_traffic_limit(operation: &mut Operation, bits_per_second: u64) {
    if !TRAFFIC_LIMIT.contains(&bits_per_second) {
        operation.refuse(InvalidInput::new(
            format!("a traffic limit of {bits_per_second} bits per second is out of range"),
            "use 245760 to 838860800",
        ));
    }
    operation.set_header(headers::TRAFFIC_LIMIT, bits_per_second.to_string().as_bytes());
}

/// `name=value&…`, percent-encoded.
pub(crate) fn tags<N: AsRef<str>, V: AsRef<str>>(tags: impl IntoIterator<Item = (N, V)>) -> String {
    let encoded = tags.into_iter().map(|(name, value)| {
        let (name, value) = (oss_sign::encode(name.as_ref()), oss_sign::encode(value.as_ref()));
        format!("{name}={value}")
    });
    encoded.collect::<Vec<_>>().join("&")
}

pub(crate) fn base64(text: &str) -> String {
    STANDARD.encode(text)
}

/// Gives the upload a `Content-Type`: that of the client, otherwise one derived from the key's extension, as the
/// vendor's SDKs do.
pub(crate) fn default_content_type(client: &Client, operation: &mut Operation) {
    let of_client = client.inner.default_headers.get(CONTENT_TYPE).cloned();
    let guessed = of_client.or_else(|| guess(operation.key.as_deref().unwrap_or_default()));
    operation.default_header(CONTENT_TYPE, &guessed.unwrap_or(DEFAULT_CONTENT_TYPE));
}

#[cfg(feature = "content-type")]
fn guess(key: &str) -> Option<HeaderValue> {
    let guessed = mime_guess::from_path(key).first_raw()?;
    Some(HeaderValue::from_static(guessed))
}

#[cfg(not(feature = "content-type"))]
fn guess(_key: &str) -> Option<HeaderValue> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_encoded_one_by_one() {
        assert_eq!(
            tags([("a", "1"), ("b c", "x=y&z"), ("e", "")]),
            "a=1&b%20c=x%3Dy%26z&e="
        );
    }

    #[test]
    fn the_type_follows_the_extension() {
        let guessed = |key| guess(key).map(|value| value.to_str().unwrap().to_owned());
        let expected = |guess: &str| cfg!(feature = "content-type").then(|| guess.to_owned());
        assert_eq!(guessed("a/b.jpg"), expected("image/jpeg"));
        assert_eq!(guessed("index.HTML"), expected("text/html"));
        for unknown in ["", "README", "a.jpg/b", "x.no-such-extension"] {
            assert_eq!(guessed(unknown), None, "{unknown}");
        }
    }
}
