//! Single objects: store, read, inspect, delete.

use std::ops::{Bound, RangeBounds};

use http::Method;
use http::header::RANGE;
use reqwest::StatusCode;

use crate::body::Body;
use crate::client::Client;
use crate::error::{Error, InvalidInput};
use crate::operation::{Crc, Operation};
use crate::response::{Response, ResponseHead};

use super::{
    callback_settings, default_content_type, header_settings, object_settings, presigned, query_settings,
    request, time_settings, traffic_limit_setting,
};

impl Client {
    /// Stores an object. An existing one is replaced.
    ///
    /// For objects of any size see [`Client::upload`].
    ///
    /// Vendor document: `PutObject` (Object Storage Service, API reference).
    pub fn put_object(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        body: impl Into<Body>,
    ) -> PutObject {
        let mut operation = Operation::object("PutObject", Method::PUT, bucket.into(), key.into());
        operation.body = body.into();
        operation.crc = Crc::Sent;
        PutObject::new(self.clone(), operation)
    }

    /// Reads an object.
    ///
    /// Vendor document: `GetObject` (Object Storage Service, API reference).
    pub fn get_object(&self, bucket: impl Into<String>, key: impl Into<String>) -> GetObject {
        let mut operation = Operation::object("GetObject", Method::GET, bucket.into(), key.into());
        operation.crc = Crc::Received;
        GetObject::new(self.clone(), operation)
    }

    /// Reads the headers of an object.
    ///
    /// Vendor document: `HeadObject` (Object Storage Service, API reference).
    pub fn head_object(&self, bucket: impl Into<String>, key: impl Into<String>) -> HeadObject {
        let operation = Operation::object("HeadObject", Method::HEAD, bucket.into(), key.into());
        HeadObject::new(self.clone(), operation)
    }

    /// Reads length, `ETag` and times of an object, without user metadata.
    ///
    /// Vendor document: `GetObjectMeta` (Object Storage Service, API reference).
    pub fn get_object_meta(&self, bucket: impl Into<String>, key: impl Into<String>) -> GetObjectMeta {
        let operation = Operation::object("GetObjectMeta", Method::HEAD, bucket.into(), key.into())
            .query("objectMeta", "");
        GetObjectMeta::new(self.clone(), operation)
    }

    /// Deletes an object. A missing object is not an error.
    ///
    /// Vendor document: `DeleteObject` (Object Storage Service, API reference).
    pub fn delete_object(&self, bucket: impl Into<String>, key: impl Into<String>) -> DeleteObject {
        let operation = Operation::object("DeleteObject", Method::DELETE, bucket.into(), key.into());
        DeleteObject::new(self.clone(), operation)
    }
}

request! {
    /// Stores an object; see [`Client::put_object`](crate::Client::put_object).
    PutObject -> ResponseHead
}

impl PutObject {
    header_settings! {
        /// `Content-Type`. Default: derived from the extension of the key (feature `content-type`), otherwise
        /// `application/octet-stream`; a URL made by [`PutObject::presign`] has none.
        content_type => "content-type",
        /// `Content-MD5`, the MD5 of the body in base64, which the service compares.
        content_md5 => "content-md5",
    }

    object_settings!();
    callback_settings!();
    traffic_limit_setting!();

    /// Sends the object.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`].
    pub async fn send(mut self) -> Result<ResponseHead, Error> {
        default_content_type(&self.client, &mut self.operation);
        Ok(self.client.send(self.operation).await?.into_head())
    }
}

request! {
    /// Reads an object; see [`Client::get_object`](crate::Client::get_object).
    GetObject -> Response
}

/// The conditions of a download.
macro_rules! conditions {
    () => {
        header_settings! {
            /// Succeeds only if the `ETag` is this one; otherwise HTTP 412, `PreconditionFailed`.
            if_match => "if-match",
            /// Succeeds only if the `ETag` is a different one; otherwise HTTP 304, also an [`Error::Service`].
            if_none_match => "if-none-match",
        }

        time_settings! {
            /// Succeeds only if the object is newer; otherwise HTTP 304, also an [`Error::Service`].
            if_modified_since => "if-modified-since",
            /// Succeeds only if the object is not newer; otherwise HTTP 412, `PreconditionFailed`.
            if_unmodified_since => "if-unmodified-since",
        }
    };
}

impl GetObject {
    /// Sets the part to read, such as `0..100`, `100..` or `..=99`, in bytes. Default: all.
    ///
    /// For a range that goes beyond the end, the service sends the available bytes; it refuses one that begins past
    /// the end (`InvalidRange`), because `x-oss-range-behavior: standard` is sent too. Two more forms go through
    /// [`GetObject::last`] and `header("range", …)`.
    pub fn range(mut self, range: impl RangeBounds<u64>) -> Self {
        let first = match range.start_bound() {
            Bound::Included(first) => Some(*first),
            Bound::Excluded(before) => before.checked_add(1),
            Bound::Unbounded => Some(0),
        };
        let last = match range.end_bound() {
            Bound::Included(last) => Some(Some(*last)),
            Bound::Excluded(end) => end.checked_sub(1).map(Some),
            Bound::Unbounded => Some(None),
        };
        match (first, last) {
            (Some(0), Some(None)) => self,
            (Some(first), Some(None)) => self.standard_range(&format!("bytes={first}-")),
            (Some(first), Some(Some(last))) if first <= last => {
                self.standard_range(&format!("bytes={first}-{last}"))
            }
            _ => {
                let problem = InvalidInput::new("the range is empty", "name at least one byte");
                self.operation.refuse(problem);
                self
            }
        }
    }

    /// Reads the last `bytes` bytes, or all if there are fewer.
    pub fn last(self, bytes: u64) -> Self {
        self.standard_range(&format!("bytes=-{bytes}"))
    }

    fn standard_range(self, value: &str) -> Self {
        self.header("range", value)
            .header("x-oss-range-behavior", "standard")
    }

    conditions!();
    traffic_limit_setting!();

    header_settings! {
        /// `Accept-Encoding`, such as `gzip`: lets the service compress the body, which is returned as it arrives.
        /// Default: none is sent.
        accept_encoding => "accept-encoding",
    }

    query_settings! {
        /// The version to read, in a versioned bucket. Default: the newest.
        version_id => "versionId",
        /// Processes the object, such as `image/resize,w_100`. The CRC-64 of the result is not known.
        process => "x-oss-process",
        /// `Content-Type` of the response.
        response_content_type => "response-content-type",
        /// `Content-Language` of the response.
        response_content_language => "response-content-language",
        /// `Content-Disposition` of the response, such as `attachment; filename="report.pdf"`.
        response_content_disposition => "response-content-disposition",
        /// `Content-Encoding` of the response.
        response_content_encoding => "response-content-encoding",
        /// `Cache-Control` of the response.
        response_cache_control => "response-cache-control",
        /// `Expires` of the response, such as `Thu, 01 Jan 2026 08:30:00 GMT`.
        response_expires => "response-expires",
    }

    /// Sends the request. The body is read from the result.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`]; [`Error::InvalidResponse`] if the response has a
    /// different range than requested, a part where none was requested, or the whole object instead of a range. To
    /// accept the whole object, pass [`GetObject::into_operation`] to [`Client::send`](crate::Client::send):
    /// [`Response::status`] is then 200, and 206 for a part.
    pub async fn send(self) -> Result<Response, Error> {
        let wants_range = self.operation.headers.contains_key(RANGE);
        let response = self.client.send(self.operation).await?;
        if wants_range && response.status() != StatusCode::PARTIAL_CONTENT {
            return Err(response.unusable(
                "it has the whole object instead of the range",
                "request a range within the object, or add the header x-oss-range-behavior: standard",
            ));
        }
        Ok(response)
    }
}

request! {
    /// Reads the headers of an object; see [`Client::head_object`](crate::Client::head_object).
    HeadObject -> ResponseHead
}

impl HeadObject {
    conditions!();

    query_settings! {
        /// The version to inspect, in a versioned bucket. Default: the newest.
        version_id => "versionId",
    }

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`].
    pub async fn send(self) -> Result<ResponseHead, Error> {
        Ok(self.client.send(self.operation).await?.into_head())
    }
}

request! {
    /// Reads a few headers of an object; see [`Client::get_object_meta`](crate::Client::get_object_meta).
    GetObjectMeta -> ResponseHead
}

impl GetObjectMeta {
    query_settings! {
        /// The version to inspect, in a versioned bucket. Default: the newest.
        version_id => "versionId",
    }

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`].
    pub async fn send(self) -> Result<ResponseHead, Error> {
        Ok(self.client.send(self.operation).await?.into_head())
    }
}

request! {
    /// Deletes an object; see [`Client::delete_object`](crate::Client::delete_object).
    DeleteObject -> ResponseHead
}

impl DeleteObject {
    query_settings! {
        /// The version to delete, in a versioned bucket. Default: none, which adds a delete marker.
        version_id => "versionId",
    }

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`].
    pub async fn send(self) -> Result<ResponseHead, Error> {
        Ok(self.client.send(self.operation).await?.into_head())
    }
}

presigned!(PutObject, GetObject, HeadObject);
