//! Uploads in parts, step by step. [`Upload`](crate::Upload) performs all of these steps.

use http::Method;

use crate::body::Body;
use crate::client::Client;
use crate::error::{Error, InvalidInput};
use crate::headers;
use crate::operation::{Crc, Operation};
use crate::response::{REPORT, ResponseHead};
use crate::xml::Element;

use super::document::{document, text};
use super::{
    callback_settings, default_content_type, header_settings, object_settings, presigned, request,
    traffic_limit_setting,
};

/// The highest number of a part, and the maximum number of parts.
///
/// Vendor document: "`UploadPart`" (Object Storage Service, API reference).
pub(crate) const MAX_PARTS: u16 = 10_000;

impl Client {
    /// Starts an upload in parts. [`Client::upload`] performs all of its steps.
    ///
    /// Vendor document: `InitiateMultipartUpload` (Object Storage Service, API reference).
    pub fn initiate_multipart_upload(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
    ) -> InitiateMultipartUpload {
        let mut operation =
            Operation::object("InitiateMultipartUpload", Method::POST, bucket.into(), key.into())
                .query("uploads", "")
                .query("encoding-type", "url");
        operation.has_document = true;
        InitiateMultipartUpload::new(self.clone(), operation)
    }

    /// Uploads a part of an object, with a number from 1 to 10,000; every part except the last has at least 100 KiB.
    ///
    /// Vendor document: `UploadPart` (Object Storage Service, API reference).
    pub fn upload_part(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        upload_id: impl Into<String>,
        number: u16,
        body: impl Into<Body>,
    ) -> UploadPart {
        let mut operation = Operation::object("UploadPart", Method::PUT, bucket.into(), key.into())
            .query("partNumber", number.to_string())
            .query("uploadId", upload_id);
        check_part_number(&mut operation, number);
        operation.body = body.into();
        operation.crc = Crc::Sent;
        UploadPart::new(self.clone(), operation)
    }

    /// Creates an object from the parts that were uploaded.
    ///
    /// Vendor document: `CompleteMultipartUpload` (Object Storage Service, API reference).
    pub fn complete_multipart_upload(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        upload_id: impl Into<String>,
    ) -> CompleteMultipartUpload {
        let mut operation =
            Operation::object("CompleteMultipartUpload", Method::POST, bucket.into(), key.into())
                .query("uploadId", upload_id)
                .query("encoding-type", "url");
        operation.has_document = true;
        CompleteMultipartUpload::new(self.clone(), operation, Vec::new())
    }

    /// Aborts an upload in parts: no object is created, and its parts are deleted.
    ///
    /// Vendor document: `AbortMultipartUpload` (Object Storage Service, API reference).
    pub fn abort_multipart_upload(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        upload_id: impl Into<String>,
    ) -> AbortMultipartUpload {
        let operation = Operation::object("AbortMultipartUpload", Method::DELETE, bucket.into(), key.into())
            .query("uploadId", upload_id);
        AbortMultipartUpload::new(self.clone(), operation)
    }
}

/// Refuses an invalid part number.
pub(super) fn check_part_number(operation: &mut Operation, number: u16) {
    if !(1..=MAX_PARTS).contains(&number) {
        let what = format!("a part has the number {number}");
        operation.refuse(InvalidInput::new(what, "use 1 to 10000"));
    }
}

request! {
    /// Starts an upload in parts; see [`Client::initiate_multipart_upload`](crate::Client::initiate_multipart_upload).
    InitiateMultipartUpload -> InitiatedUpload
}

impl InitiateMultipartUpload {
    header_settings! {
        /// `Content-Type`. Default: derived from the extension of the key (feature `content-type`), otherwise
        /// `application/octet-stream`; a URL created by [`InitiateMultipartUpload::presign`] has none.
        content_type => "content-type",
    }

    object_settings!();

    /// Starts the upload.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`].
    pub async fn send(mut self) -> Result<InitiatedUpload, Error> {
        default_content_type(&self.client, &mut self.operation);
        let response = self.client.send(self.operation).await?;
        let read = |document: &Element, head| {
            Ok(InitiatedUpload {
                upload_id: document
                    .text_of("UploadId")
                    .ok_or("it has no UploadId")?
                    .to_owned(),
                head,
            })
        };
        response.document("InitiateMultipartUploadResult", read).await
    }
}

/// The result of [`InitiateMultipartUpload`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InitiatedUpload {
    /// The ID of the upload, needed for all further steps.
    pub upload_id: String,
    /// The status and headers.
    pub head: ResponseHead,
}

request! {
    /// Uploads a part; see [`Client::upload_part`](crate::Client::upload_part).
    UploadPart -> UploadedPart
}

impl UploadPart {
    header_settings! {
        /// `Content-MD5`, the MD5 of the part in base64, which the service verifies.
        content_md5 => "content-md5",
    }

    traffic_limit_setting!();

    /// Sends the part.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`]; [`Error::InvalidResponse`] without `ETag`.
    pub async fn send(self) -> Result<UploadedPart, Error> {
        let number = self
            .operation
            .query_value("partNumber")
            .and_then(|number| number.parse().ok())
            .unwrap_or_default();
        let response = self.client.send(self.operation).await?;
        match response.head().etag() {
            Some(etag) => Ok(UploadedPart {
                number,
                etag: etag.to_owned(),
                head: response.into_head(),
            }),
            None => Err(response.unusable("it has no ETag", REPORT)),
        }
    }
}

/// The result of [`UploadPart`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UploadedPart {
    /// The number of the part.
    pub number: u16,
    /// The `ETag`, with its quotes, as needed by [`CompleteMultipartUpload::part`].
    pub etag: String,
    /// The status and headers.
    pub head: ResponseHead,
}

/// Creates an object from parts; see [`Client::complete_multipart_upload`](crate::Client::complete_multipart_upload).
#[must_use = "nothing is sent before `send`"]
pub struct CompleteMultipartUpload {
    client: Client,
    pub(crate) operation: Operation,
    parts: Vec<(u16, String)>,
}

impl CompleteMultipartUpload {
    /// With these parts, whose numbers are distinct.
    pub(crate) fn new(client: Client, operation: Operation, parts: Vec<(u16, String)>) -> Self {
        Self {
            client,
            operation,
            parts,
        }
    }

    super::common_settings!();
    callback_settings!();

    /// Adds a part by its number, 1 to 10,000, and the unchanged `ETag` that its upload returned. The order does not
    /// matter; a later part with the same number replaces an earlier one.
    pub fn part(mut self, number: u16, etag: impl Into<String>) -> Self {
        self.parts.retain(|(own, _)| *own != number);
        self.parts.push((number, etag.into()));
        self
    }

    /// Adds parts that were uploaded.
    pub fn parts<'a>(self, parts: impl IntoIterator<Item = &'a UploadedPart>) -> Self {
        let add = |request: Self, part: &UploadedPart| request.part(part.number, part.etag.as_str());
        parts.into_iter().fold(self, add)
    }

    /// Uses all parts that the service has, instead of a list (`x-oss-complete-all: yes`).
    pub fn complete_all(self) -> Self {
        self.header("x-oss-complete-all", "yes")
    }

    /// Whether the request fails if the object exists (`FileAlreadyExists`). Default: no, the object is replaced.
    pub fn forbid_overwrite(self, forbid: bool) -> Self {
        self.header(headers::FORBID_OVERWRITE, if forbid { "true" } else { "false" })
    }

    /// Returns the operation with the list of parts as its body, for [`Client::send`](crate::Client::send) and
    /// [`Client::presign`](crate::Client::presign).
    pub fn into_operation(mut self) -> Operation {
        let takes_all = self.operation.headers.contains_key("x-oss-complete-all");
        if takes_all != self.parts.is_empty() {
            let problem = if takes_all {
                InvalidInput::new("`complete_all` and parts are both given", "leave one of them out")
            } else {
                InvalidInput::new(
                    "an upload cannot be completed without parts",
                    "list them, or use `complete_all`",
                )
            };
            self.operation.refuse(problem);
        }
        if !takes_all {
            self.operation.body = self.document().into();
        }
        self.operation
    }

    /// Creates a URL for this request instead of sending it: await the result. The URL does not contain the list of
    /// parts: anyone who uses the URL has to send it.
    ///
    /// `expires` is from 1 second to 7 days, in whole seconds; with V1 there is no upper limit. The URL binds the
    /// headers that were set: a request that uses the URL must send them.
    pub fn presign(self, expires: std::time::Duration) -> crate::presign::Presign {
        crate::presign::Presign::new(self.client, self.operation, expires)
    }

    fn document(&mut self) -> Vec<u8> {
        // The service requires this order.
        self.parts.sort_by_key(|(number, _)| *number);
        document("CompleteMultipartUpload", |document| {
            for (number, etag) in &self.parts {
                let part = document.create_element("Part");
                part.write_inner_content(|document| {
                    text(document, "PartNumber", &number.to_string())?;
                    text(document, "ETag", etag)
                })?;
            }
            Ok(())
        })
    }

    /// Creates the object.
    ///
    /// If the response to a first attempt is lost, the second one may fail with `NoSuchUpload` although the object
    /// exists; [`Upload`](crate::Upload) handles this case.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`].
    pub async fn send(self) -> Result<CompletedUpload, Error> {
        let client = self.client.clone();
        // With a callback, the body is the response of the program that was called.
        let has_callback = self.operation.headers.contains_key(headers::CALLBACK);
        let response = client.send(self.into_operation()).await?;
        if has_callback {
            let head = response.into_head();
            return Ok(CompletedUpload {
                etag: head.etag().map(str::to_owned),
                location: None,
                head,
            });
        }
        let read = |document: &Element, head| {
            Ok(CompletedUpload {
                etag: document.text_of("ETag").map(str::to_owned),
                location: document.text_of("Location").map(str::to_owned),
                head,
            })
        };
        response.document("CompleteMultipartUploadResult", read).await
    }
}

super::awaited!(CompleteMultipartUpload -> CompletedUpload);

/// The result of [`CompleteMultipartUpload`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CompletedUpload {
    /// The `ETag` of the object, with its quotes. Not an MD5 of its content.
    pub etag: Option<String>,
    /// The address of the object, as the service reports it.
    pub location: Option<String>,
    /// The status and headers; [`ResponseHead::version_id`] and [`ResponseHead::crc64`] are those of the object.
    pub head: ResponseHead,
}

request! {
    /// Aborts an upload in parts; see [`Client::abort_multipart_upload`](crate::Client::abort_multipart_upload).
    AbortMultipartUpload -> ResponseHead
}

impl AbortMultipartUpload {
    /// Aborts the upload. Parts that are being sent meanwhile may have to be removed with another abort.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`].
    pub async fn send(self) -> Result<ResponseHead, Error> {
        Ok(self.client.send(self.operation).await?.into_head())
    }
}

presigned!(InitiateMultipartUpload, UploadPart, AbortMultipartUpload);
