//! How sources talk HTTP without knowing an HTTP library.

mod base64;
mod client;
mod endpoint;
mod layers;
mod message;
mod outcome;
mod proxy;
mod request_id;
mod scrub;

pub use client::{HttpClient, HttpError, HttpErrorKind, blocking_http_fn, http_fn};
pub(crate) use endpoint::without_secrets;
pub use endpoint::{Endpoint, is_metadata_host};
pub use message::{HttpMethod, HttpRequest, HttpResponse, MAX_BODY};
pub use outcome::{BodyDefect, is_out_of_files, json_object, json_text, may_pass, required, xml_text};
pub use proxy::ProxyVariables;
pub use scrub::Scrubber;
