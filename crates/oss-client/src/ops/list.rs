//! The objects of a bucket.

use std::time::SystemTime;

use http::Method;
use oss_credentials_http::PageLoop;
use percent_encoding::percent_decode;

use crate::client::Client;
use crate::error::Error;
use crate::operation::Operation;
use crate::response::ResponseHead;
use crate::xml::{Element, Shape};

use super::pages::{Listing, entries, pages};
use super::{Paged, query_settings, request};

/// The parts of a page that are read.
const SHAPE: Shape = Shape {
    root: "ListBucketResult",
    read: Some(&[
        "CommonPrefixes",
        "Contents",
        "DisplayName",
        "ETag",
        "EncodingType",
        "ID",
        "IsTruncated",
        "Key",
        "KeyCount",
        "LastModified",
        NEXT,
        "Owner",
        "Prefix",
        "Size",
        "StorageClass",
        "Type",
    ]),
};

/// The field of a page that names the next one.
const NEXT: &str = "NextContinuationToken";

/// What is wrong with a page that cannot be parsed.
const UNREADABLE: &str = "a name in it cannot be decoded, or a number is not a number";

impl Client {
    /// Lists the objects of a bucket.
    ///
    /// Vendor document: `ListObjectsV2` (Object Storage Service, API reference).
    pub fn list_objects_v2(&self, bucket: impl Into<String>) -> ListObjectsV2 {
        let mut operation = Operation::new("ListObjectsV2", Method::GET)
            .bucket(bucket)
            .query("list-type", "2")
            .query("encoding-type", "url");
        operation.has_document = true;
        ListObjectsV2::new(self.clone(), operation)
    }
}

request! {
    /// Lists the objects of a bucket; see [`Client::list_objects_v2`](crate::Client::list_objects_v2).
    ///
    /// [`ListObjectsV2::send`] returns one page, [`ListObjectsV2::pages`] and [`ListObjectsV2::objects`] all.
    ListObjectsV2 -> ObjectsPage
}

impl ListObjectsV2 {
    query_settings! {
        /// Lists only keys with this prefix. Default: all.
        prefix => "prefix",
        /// Groups keys up to this character after the prefix, usually `/`, as
        /// [`ObjectsPage::common_prefixes`]. Default: none.
        delimiter => "delimiter",
        /// Begins after this key. Default: at the first.
        start_after => "start-after",
        /// Where to continue: [`ObjectsPage::next_continuation_token`] of an earlier page.
        continuation_token => "continuation-token",
    }

    /// Sets the maximum number of objects and common prefixes on a page, 1 to 1000. Default: 100, set by the service.
    pub fn max_keys(self, count: u16) -> Self {
        self.query("max-keys", count.to_string())
    }

    /// Sets whether each object includes its owner. Default: no.
    pub fn fetch_owner(self, fetch: bool) -> Self {
        self.query("fetch-owner", if fetch { "true" } else { "false" })
    }

    /// Fetches one page.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`]; [`Error::InvalidResponse`] for a document that
    /// cannot be read, and for a page that is not the last one and does not state where the next one begins.
    pub async fn send(mut self) -> Result<ObjectsPage, Error> {
        self.page(&mut PageLoop::default()).await
    }

    /// Returns all pages from here on. A list that repeats its pages is an [`Error::InvalidResponse`].
    pub fn pages(self) -> Paged<ObjectsPage> {
        pages(self)
    }

    /// Returns all objects from here on. Common prefixes are left out.
    pub fn objects(self) -> Paged<ObjectSummary> {
        entries(self, |page| page.objects)
    }
}

impl Listing for ListObjectsV2 {
    type Page = ObjectsPage;

    async fn page(&mut self, page_loop: &mut PageLoop) -> Result<ObjectsPage, Error> {
        let asked = self
            .operation
            .query_value("continuation-token")
            .map(str::to_owned);
        fetch_page(&self.client, &mut self.operation, SHAPE, |document, head| {
            let page = ObjectsPage::read(document, head)?;
            let next = page.next_continuation_token.as_deref();
            check_position(page_loop, page.is_truncated, next, asked.as_deref())?;
            Ok(page)
        })
        .await
    }

    fn after(self, page: &ObjectsPage) -> Option<Self> {
        let next = page.next_continuation_token.clone()?;
        Some(self.continuation_token(next))
    }
}

/// Fetches a page of the list that `operation` requests. Exclusive, since a body cannot be shared between threads.
pub(super) async fn fetch_page<P>(
    client: &Client,
    operation: &mut Operation,
    shape: Shape,
    read: impl FnOnce(&Element, ResponseHead) -> Result<P, &'static str>,
) -> Result<P, Error> {
    let response = client.send(operation.without_body()).await?;
    response.document(shape, read).await
}

/// Checks where the next page begins; see [`check_next`] and [`check_page_loop`].
pub(super) fn check_position(
    page_loop: &mut PageLoop,
    is_truncated: bool,
    next: Option<&str>,
    asked: Option<&str>,
) -> Result<(), &'static str> {
    check_next(is_truncated, next, asked)?;
    check_page_loop(page_loop, next)
}

/// The position of a page that begins after an ID of a key; `None` without key.
pub(super) fn position(key: Option<&str>, id: Option<&str>) -> Option<String> {
    Some(format!("{}\n{}", key?, id.unwrap_or_default()))
}

/// Whether the next page can be requested. Without this check, a faulty service would keep the client busy forever.
fn check_next(is_truncated: bool, next: Option<&str>, asked: Option<&str>) -> Result<(), &'static str> {
    match next {
        _ if !is_truncated => Ok(()),
        None => Err("it is not the last page, and does not say where the next one begins"),
        Some(next) if asked == Some(next) => Err("it says that the next page begins where this one does"),
        Some(_) => Ok(()),
    }
}

/// Whether the next page was not fetched before.
fn check_page_loop(page_loop: &mut PageLoop, next: Option<&str>) -> Result<(), &'static str> {
    match next {
        Some(next) if page_loop.closes_at(next) => Err("its pages form a loop"),
        _ => Ok(()),
    }
}

/// Whether there are more pages, for a document that names the next one in `next`. Without this check, a truncated list
/// could pass for a complete one.
pub(super) fn is_truncated(document: &Element, next: &str) -> Result<bool, &'static str> {
    match document.text_of("IsTruncated").map(str::trim) {
        None if document.text_of(next).is_none() => Ok(false),
        Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err("it does not say whether it is the last page"),
    }
}

/// Whether names are URL-encoded. In an unknown encoding they would be different names.
pub(super) fn is_encoded(document: &Element) -> Option<bool> {
    match document.text_of("EncodingType").map(str::trim) {
        None => Some(false),
        Some("url") => Some(true),
        Some(_) => None,
    }
}

/// A page of [`ListObjectsV2`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ObjectsPage {
    /// The objects, in order of their keys. May be empty on a page that is not the last one.
    pub objects: Vec<ObjectSummary>,
    /// The common part of keys up to and including the delimiter.
    pub common_prefixes: Vec<String>,
    /// How many objects and common prefixes there are on this page, as the service reports.
    pub key_count: Option<u64>,
    /// Whether there are more pages.
    pub is_truncated: bool,
    /// The start of the next page; `None` on the last one.
    pub next_continuation_token: Option<String>,
    /// Status and headers.
    pub head: ResponseHead,
}

/// An object in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectSummary {
    /// The key.
    pub key: String,
    /// Length in bytes.
    pub size: u64,
    /// `ETag`, with its quotes.
    pub etag: Option<String>,
    /// When it was stored.
    pub last_modified: Option<SystemTime>,
    /// `Normal`, `Multipart`, `Appendable` or `Symlink`.
    pub object_type: Option<String>,
    /// Such as `Standard`.
    pub storage_class: Option<String>,
    /// The owner, if [`ListObjectsV2::fetch_owner`] is enabled.
    pub owner: Option<Owner>,
}

/// The owner of objects or buckets.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Owner {
    /// ID of the account.
    pub id: String,
    /// Name of the account; at present the same as its ID.
    pub display_name: String,
}

impl ObjectsPage {
    /// Returns what is wrong with it, if something cannot be parsed.
    fn read(document: &Element, head: ResponseHead) -> Result<Self, &'static str> {
        let is_encoded = is_encoded(document).ok_or(UNREADABLE)?;
        let name = |text: &str| decode(text, is_encoded).ok_or(UNREADABLE);
        let is_truncated = is_truncated(document, NEXT)?;
        let next = document.text_of(NEXT).filter(|_| is_truncated);
        let key_count = document.text_of("KeyCount");
        Ok(Self {
            objects: document
                .all("Contents")
                .map(|contents| ObjectSummary::read(contents, is_encoded).ok_or(UNREADABLE))
                .collect::<Result<_, _>>()?,
            common_prefixes: document
                .all("CommonPrefixes")
                .map(|prefixes| prefixes.text_of("Prefix").ok_or(UNREADABLE).and_then(name))
                .collect::<Result<_, _>>()?,
            key_count: key_count
                .map(|count| count.trim().parse().ok())
                .unwrap_or_default(),
            is_truncated,
            next_continuation_token: next.map(name).transpose()?,
            head,
        })
    }
}

impl ObjectSummary {
    /// `None` without key or size.
    fn read(contents: &Element, is_encoded: bool) -> Option<Self> {
        let text = |child| contents.text_of(child).map(str::to_owned);
        Some(Self {
            key: decode(contents.text_of("Key")?, is_encoded)?,
            size: contents.text_of("Size")?.trim().parse().ok()?,
            etag: text("ETag"),
            last_modified: contents.time_of("LastModified"),
            object_type: text("Type"),
            storage_class: text("StorageClass"),
            owner: contents.child("Owner").map(Owner::read),
        })
    }
}

impl Owner {
    pub(super) fn read(owner: &Element) -> Self {
        let text = |child| owner.text_of(child).unwrap_or_default().to_owned();
        Self {
            id: text("ID"),
            display_name: text("DisplayName"),
        }
    }
}

/// Decodes a name. An encoded one is parsed like a form's value: where a service writes `+`, it means a space, as
/// observed from the vendor's Go SDK V2, which also refuses a `%` without two digits.
pub(super) fn decode(text: &str, is_encoded: bool) -> Option<String> {
    if !is_encoded {
        return Some(text.to_owned());
    }
    let is_escape =
        |tail: &str| matches!(tail.as_bytes(), [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
    if !text.split('%').skip(1).all(is_escape) {
        return None;
    }
    let spaced = text.replace('+', " ");
    let decoded = percent_decode(spaced.as_bytes()).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::StatusCode;
    use std::time::Duration;

    fn page(document: &str) -> Result<ObjectsPage, &'static str> {
        let head = ResponseHead::new(
            StatusCode::OK,
            http::HeaderMap::new(),
            &oss_credentials_http::RequestIds::default(),
            &oss_credentials_core::Credentials::anonymous(),
        );
        ObjectsPage::read(&Element::parse(document, SHAPE).unwrap(), head)
    }

    /// In the form of the vendor's page "`ListObjectsV2` (`GetBucketV2`)".
    const DOCUMENT: &str = "<ListBucketResult><Name>examplebucket</Name><Prefix>docs%2F</Prefix>\
        <StartAfter>docs%2Fa</StartAfter><MaxKeys>2</MaxKeys><Delimiter>%2F</Delimiter>\
        <EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>\
        <NextContinuationToken>Fake%2BToken--</NextContinuationToken><KeyCount>2</KeyCount>\
        <Contents><Key>docs%2F%E6%8A%A5%E5%91%8A+1%2B.pdf</Key><LastModified>2026-01-01T08:30:00.000Z</LastModified>\
        <ETag>\"00000000000000000000000000000002\"</ETag><Type>Normal</Type><Size>5368709121</Size>\
        <StorageClass>Standard</StorageClass><Owner><ID>1000000000000001</ID>\
        <DisplayName>1000000000000002</DisplayName></Owner></Contents>\
        <CommonPrefixes><Prefix>docs%2Fold%2F</Prefix></CommonPrefixes></ListBucketResult>";

    #[test]
    fn a_page_is_read_and_its_names_decoded() {
        let page = page(DOCUMENT).unwrap();
        let expected = ObjectSummary {
            key: "docs/报告 1+.pdf".to_owned(),
            size: 5_368_709_121,
            etag: Some("\"00000000000000000000000000000002\"".to_owned()),
            last_modified: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_256_200)),
            object_type: Some("Normal".to_owned()),
            storage_class: Some("Standard".to_owned()),
            owner: Some(Owner {
                id: "1000000000000001".to_owned(),
                display_name: "1000000000000002".to_owned(),
            }),
        };
        assert_eq!(page.objects, [expected]);
        assert_eq!(page.common_prefixes, ["docs/old/"]);
        assert_eq!((page.key_count, page.is_truncated), (Some(2), true));
        assert_eq!(page.next_continuation_token.as_deref(), Some("Fake+Token--"));
    }

    #[test]
    fn names_are_decoded_only_if_the_answer_says_so() {
        let plain = DOCUMENT.replace("<EncodingType>url</EncodingType>", "");
        assert_eq!(
            page(&plain).unwrap().objects[0].key,
            "docs%2F%E6%8A%A5%E5%91%8A+1%2B.pdf"
        );
    }

    #[test]
    fn what_cannot_be_read_is_never_left_out_or_changed() {
        for (from, to) in [
            ("%E6", "%FF"),
            ("%E6", "%zz"),
            ("1%2B.pdf", "%"),
            ("1%2B.pdf", "%2"),
            ("1%2B.pdf", "%+2"),
            ("docs%2Fold%2F", "docs%2"),
            ("docs%2Fold%2F", ""),
            ("Fake%2BToken--", "Fake%2"),
            ("5368709121", "many"),
            ("5368709121", "-1"),
            ("<EncodingType>url", "<EncodingType>base64"),
        ] {
            assert_eq!(page(&DOCUMENT.replace(from, to)).unwrap_err(), UNREADABLE, "{to}");
        }
        let of = |text: &str| page(&DOCUMENT.replace("<IsTruncated>true", &format!("<IsTruncated>{text}")));
        assert!(of("maybe").unwrap_err().contains("whether it is the last"));
        assert!(of("").unwrap_err().contains("whether it is the last"));
        for (text, expected) in [(" True\n", true), ("false", false), ("FALSE", false)] {
            assert_eq!(of(text).unwrap().is_truncated, expected, "{text}");
        }
    }

    #[test]
    fn a_next_page_has_to_begin_elsewhere() {
        assert_eq!(check_next(false, None, None), Ok(()));
        assert_eq!(check_next(true, Some("b"), None), Ok(()));
        assert_eq!(check_next(true, Some("b"), Some("a")), Ok(()));
        assert!(check_next(true, Some("a"), Some("a")).is_err());
        assert!(check_next(true, None, Some("a")).is_err());
    }
}
