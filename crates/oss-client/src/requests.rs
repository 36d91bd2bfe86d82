//! One builder per operation.

use std::fmt;

use http::HeaderValue;
use http::header::CONTENT_TYPE;

use crate::client::Client;
use crate::error::Error;
use crate::operation::Operation;
use crate::response::{Answer, Response};

/// Of an object that is stored without type.
const DEFAULT_CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/octet-stream");

macro_rules! request {
    ($(#[$docs:meta])* $name:ident) => {
        $(#[$docs])*
        #[must_use = "nothing is sent before `send`"]
        pub struct $name {
            client: Client,
            operation: Operation,
        }

        impl $name {
            pub(crate) fn new(client: Client, operation: Operation) -> Self {
                Self { client, operation }
            }

            /// Adds a header, in place of an earlier one of the same name. The value is bytes or text; blanks around
            /// it are cut off. What cannot be sent, or is set by the client itself (`Authorization`, `Date`, …),
            /// makes `send` fail.
            pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<[u8]>) -> Self {
                self.operation.set_header(name.as_ref(), value.as_ref());
                self
            }

            /// Adds a query parameter such as `versionId`, in place of an earlier one of the same name. An empty value
            /// sends the bare name.
            pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
                self.operation.set_query(name.into(), value.into());
                self
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("bucket", &self.operation.bucket)
                    .field("key", &self.operation.key)
                    .finish_non_exhaustive()
            }
        }
    };
}

request! {
    /// Stores an object; see [`Client::put_object`].
    PutObject
}

impl PutObject {
    /// `Content-Type`. Default: `application/octet-stream`.
    pub fn content_type(self, content_type: impl AsRef<str>) -> Self {
        self.header("content-type", content_type.as_ref())
    }

    /// Sends the object.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] but [`Error::InvalidConfig`].
    pub async fn send(mut self) -> Result<Response, Error> {
        self.operation.default_header(CONTENT_TYPE, &DEFAULT_CONTENT_TYPE);
        Ok(self.client.send(self.operation).await?.into_response())
    }
}

request! {
    /// Reads an object; see [`Client::get_object`].
    GetObject
}

impl GetObject {
    /// Asks for the object. Its body is read from the result.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] but [`Error::InvalidConfig`].
    pub async fn send(self) -> Result<Answer, Error> {
        self.client.send(self.operation).await
    }
}

request! {
    /// Reads the headers of an object; see [`Client::head_object`].
    HeadObject
}

impl HeadObject {
    /// Asks for the headers.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] but [`Error::InvalidConfig`].
    pub async fn send(self) -> Result<Response, Error> {
        Ok(self.client.send(self.operation).await?.into_response())
    }
}

request! {
    /// Deletes an object; see [`Client::delete_object`].
    DeleteObject
}

impl DeleteObject {
    /// Sends the request.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] but [`Error::InvalidConfig`].
    pub async fn send(self) -> Result<Response, Error> {
        Ok(self.client.send(self.operation).await?.into_response())
    }
}
