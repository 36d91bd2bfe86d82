//! Objects that are extended at their end.

use http::Method;

use crate::body::Body;
use crate::client::Client;
use crate::error::Error;
use crate::operation::{Crc, Operation};
use crate::response::{REPORT, ResponseHead};

use super::{default_content_type, header_settings, object_settings, request, traffic_limit_setting};

const NEXT: &str = "x-oss-next-append-position";

impl Client {
    /// Adds bytes to the end of an appendable object, or creates one at `position` 0. `position` is the current
    /// length of the object: [`Appended::next_position`] of the previous call.
    ///
    /// An append whose response was lost may have been carried out. The call that follows is then refused with
    /// `PositionNotEqualToLength`, so nothing is added twice.
    ///
    /// Vendor document: `AppendObject` (Object Storage Service, API reference).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn run(client: &oss_client::Client) -> Result<(), oss_client::Error> {
    /// let first = client.append_object("examplebucket", "app.log", 0, "one line\n").await?;
    /// client.append_object("examplebucket", "app.log", first.next_position, "another\n").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn append_object(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        position: u64,
        body: impl Into<Body>,
    ) -> AppendObject {
        let mut operation = Operation::object("AppendObject", Method::POST, bucket.into(), key.into())
            .query("append", "")
            .query("position", position.to_string());
        operation.body = body.into();
        // The CRC-64 of the response is that of the whole object.
        if position == 0 {
            operation.crc = Crc::Sent;
        }
        AppendObject::new(self.clone(), operation)
    }
}

request! {
    /// Adds bytes to an object; see [`Client::append_object`](crate::Client::append_object).
    AppendObject -> Appended
}

impl AppendObject {
    header_settings! {
        /// `Content-Type` of the object, set by the first append. Default: derived from the extension of the key
        /// (feature
        /// `content-type`), otherwise `application/octet-stream`.
        content_type => "content-type",
        /// `Content-MD5`, the MD5 of these bytes in base64, which the service compares.
        content_md5 => "content-md5",
    }

    object_settings!();
    traffic_limit_setting!();

    /// Sends the bytes.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`]; the code is `PositionNotEqualToLength` if the object
    /// has another length, and `ObjectNotAppendable` if it was not made by an append.
    pub async fn send(mut self) -> Result<Appended, Error> {
        default_content_type(&self.client, &mut self.operation);
        let response = self.client.send(self.operation).await?;
        let next = response.head().header(NEXT).and_then(|next| next.parse().ok());
        match next {
            Some(next_position) => Ok(Appended {
                next_position,
                head: response.into_head(),
            }),
            None => Err(response.unusable("it does not say how long the object is", REPORT)),
        }
    }
}

/// The result of [`AppendObject`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Appended {
    /// Length of the object, the position of the next append.
    pub next_position: u64,
    /// Status and headers; [`ResponseHead::crc64`] is that of the whole object.
    pub head: ResponseHead,
}
