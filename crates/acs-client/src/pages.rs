//! Paginated lists.

use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use oss_credentials_core::CredentialsError;
use oss_credentials_core::body::BodyDefect;
use oss_credentials_http::PageLoop;
use serde_json::Value;

use crate::call::Call;
use crate::caller::Caller;
use crate::client::AcsClient;
use crate::error::AcsError;
use crate::response::AcsResponse;

/// How many responses in a row may contain the same items, or none where the total announces more. A service that filters
/// a list after dividing it returns empty pages: any number where tokens lead on, but not as many beside a total.
const MAX_WITHOUT_NEWS: u32 = 100;

/// How an operation divides a list into pages.
///
/// Names of members may lead into objects: `page_info.total_count`.
///
/// # Examples
///
/// ```
/// use acs_client::Paging;
///
/// // ListUsers of RAM: the parameter and the member `Marker`.
/// let by_token = Paging::token("Marker");
/// // DescribeInstances of ECS: `PageNumber`, `PageSize` and `TotalCount`.
/// let by_number = Paging::number(100);
/// // DescribeClustersV1 of CS, whose total is inside an object.
/// let with_names = Paging::number(50).number_names("page_number", "page_size", "page_info.total_count");
/// # let _ = (by_token, by_number, with_names);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Paging {
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Token {
        parameter: &'static str,
        member: &'static str,
    },
    Number {
        parameter: &'static str,
        size_parameter: &'static str,
        size: u64,
        total: &'static str,
    },
}

impl Paging {
    /// Divides by a token: the member of a response with the token of the next page, and the query parameter that
    /// takes it, have the same name, such as `NextToken` or, in RAM, `Marker`. The list ends where the member is
    /// missing or empty.
    ///
    /// A token that leads back to an earlier page ends the list with an error, as do 100 responses in a row with the same
    /// items, which are expected in arrays: the service does not know the parameter.
    pub fn token(name: &'static str) -> Self {
        Self {
            kind: Kind::Token {
                parameter: name,
                member: name,
            },
        }
    }

    /// Sets the member of the response, if its name differs from the parameter's.
    #[must_use]
    pub fn token_member(mut self, name: &'static str) -> Self {
        if let Kind::Token { member, .. } = &mut self.kind {
            *member = name;
        }
        self
    }

    /// Divides by number, from 1: the query parameters `PageNumber` and `PageSize`, with `size` items on a page, and
    /// the member `TotalCount` of the responses.
    ///
    /// A service may put fewer items on a page than requested. If a response states the size, in a member beside the
    /// total with the name of the parameter, that size counts. Otherwise `size` must not exceed the service's maximum, or
    /// the list ends too early.
    ///
    /// The items are expected in arrays: if 100 responses in a row have the same arrays, or none with content, and the
    /// total still announces more, the list ends with an error.
    pub fn number(size: u32) -> Self {
        Self {
            kind: Kind::Number {
                parameter: "PageNumber",
                size_parameter: "PageSize",
                size: u64::from(size.max(1)),
                total: "TotalCount",
            },
        }
    }

    /// Sets other names: of the parameters for number and size, and of the member with the total, as in
    /// `("page_number", "page_size", "page_info.total_count")`.
    #[must_use]
    pub fn number_names(
        mut self,
        number_name: &'static str,
        size_name: &'static str,
        total_name: &'static str,
    ) -> Self {
        if let Kind::Number {
            parameter,
            size_parameter,
            total,
            ..
        } = &mut self.kind
        {
            (*parameter, *size_parameter, *total) = (number_name, size_name, total_name);
        }
        self
    }
}

/// Iterates over the pages of a list: see [`AcsClient::pages`].
///
/// `Debug` shows the operation and how it is divided, and no parameter.
#[must_use]
pub struct Pages<'a> {
    client: AcsClient,
    call: Call<'a>,
    paging: Paging,
    state: State,
}

impl fmt::Debug for Pages<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("call", &self.call)
            .field("paging", &self.paging)
            .finish_non_exhaustive()
    }
}

enum State {
    /// The token of the next page; none before the first.
    Token {
        next: Option<String>,
        seen: PageLoop,
        news: News,
    },
    /// The number of the next page.
    Number {
        next: u64,
        news: News,
    },
    Ended,
}

/// Whether pages contain anything that the page before did not.
#[derive(Default)]
struct News {
    /// Hash of the items of the last page.
    items: Option<u64>,
    /// How many pages in a row had them.
    pages: u32,
}

impl News {
    fn count(&mut self, body: &Value) {
        let mut hasher = DefaultHasher::new();
        hash_arrays(body, &mut hasher);
        let items = Some(hasher.finish());
        self.pages = if self.items == items {
            self.pages.saturating_add(1)
        } else {
            1
        };
        self.items = items;
    }

    /// Whether there were too many pages with the same items, or with none.
    fn is_missing(&self) -> bool {
        self.pages >= MAX_WITHOUT_NEWS
    }
}

/// The items of a page are in arrays; what differs from response to response, such as the request ID, is not.
fn hash_arrays(value: &Value, hasher: &mut DefaultHasher) {
    match value {
        Value::Array(items) => items.hash(hasher),
        Value::Object(members) => members.values().for_each(|value| hash_arrays(value, hasher)),
        _ => {}
    }
}

fn has_items(value: &Value) -> bool {
    match value {
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => members.values().any(has_items),
        _ => false,
    }
}

impl AcsClient {
    /// Iterates over the pages of a list, with one call for each.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "signed")] {
    /// # use acs_client::{AcsClient, Call, Paging};
    /// # use oss_credentials_core::{Credentials, blocking};
    /// # use oss_credentials_http::{HttpResponse, http_fn};
    /// # let http = http_fn(|request| async move {
    /// #     let body = if request.url().contains("Marker=m") { r#"{"Users": {}}"# } else { r#"{"Marker": "m"}"# };
    /// #     Ok(HttpResponse::new(200, body.as_bytes().to_vec()))
    /// # });
    /// # let key = Credentials::builder("LTAI5tExampleKeyId01", "example-secret").build()?;
    /// # let ram = AcsClient::builder("ram", "2015-05-01").endpoint("ram.aliyuncs.com").http_client(http)
    /// #     .credentials_provider(key).build()?;
    /// let mut pages = ram.pages(Call::rpc("ListUsers"), Paging::token("Marker"));
    /// let mut count = 0;
    /// while let Some(page) = blocking::wait(pages.next()) {
    ///     let page = page?;
    ///     count += 1;
    /// #   let _ = page;
    /// }
    /// assert_eq!(count, 2);
    /// # }
    /// # Ok::<(), oss_credentials_core::CredentialsError>(())
    /// ```
    pub fn pages<'a>(&self, call: Call<'a>, paging: Paging) -> Pages<'a> {
        let state = match paging.kind {
            Kind::Token { .. } => State::Token {
                next: None,
                seen: PageLoop::default(),
                news: News::default(),
            },
            Kind::Number { .. } => State::Number {
                next: 1,
                news: News::default(),
            },
        };
        Pages {
            client: self.clone(),
            call,
            paging,
            state,
        }
    }
}

impl Pages<'_> {
    /// Returns the next page, called by the client's credentials provider; `None` after the last. An error ends the
    /// list.
    #[cfg(feature = "signed")]
    pub async fn next(&mut self) -> Option<Result<AcsResponse, AcsError>> {
        match self.client.provider(&self.call) {
            Ok(provider) => self.next_as(Caller::Provider(&*provider)).await,
            Err(error) => Some(Err(self.end(error))),
        }
    }

    /// Returns the next page, called by this caller; `None` after the last. An error ends the list.
    pub async fn next_as(&mut self, caller: Caller<'_>) -> Option<Result<AcsResponse, AcsError>> {
        if !self.prepare() {
            return None;
        }
        let response = match self.client.call_as(caller, &self.call).await {
            Ok(response) => response,
            Err(error) => return Some(Err(self.end(error))),
        };
        if let Err(error) = self.advance(&response) {
            return Some(Err(self.end(error)));
        }
        Some(Ok(response))
    }

    fn end(&mut self, error: AcsError) -> AcsError {
        self.state = State::Ended;
        error
    }

    /// Writes the wanted page into the call; `false` after the last.
    fn prepare(&mut self) -> bool {
        match (&self.state, &self.paging.kind) {
            (
                State::Token {
                    next: Some(token), ..
                },
                Kind::Token { parameter, .. },
            ) => {
                self.call.set_query(parameter, token.clone());
            }
            (
                State::Number { next, .. },
                Kind::Number {
                    parameter,
                    size_parameter,
                    size,
                    ..
                },
            ) => {
                self.call.set_query(parameter, next.to_string());
                self.call.set_query(size_parameter, size.to_string());
            }
            (State::Ended, _) => return false,
            _ => {}
        }
        true
    }

    /// Continues with what follows this page.
    fn advance(&mut self, response: &AcsResponse) -> Result<(), AcsError> {
        let body: Value = response.parsed()?;
        let goes_on = match (&mut self.state, &self.paging.kind) {
            (
                State::Number { next, news },
                Kind::Number {
                    size_parameter,
                    size,
                    total,
                    ..
                },
            ) => {
                let count = member(&body, total).and_then(Value::as_u64);
                let count = count.ok_or_else(|| response.unusable(&BodyDefect::Missing(total), None))?;
                let size = stated_size(&body, total, size_parameter).unwrap_or(*size);
                let is_last = next.saturating_mul(size) >= count;
                news.count(&body);
                if news.is_missing() && !is_last {
                    let what = format!(
                        "the last {MAX_WITHOUT_NEWS} responses to {} contain the same items or none, and the total announces more",
                        response.action
                    );
                    return Err(endless(response, what));
                }
                *next = next.saturating_add(1);
                !is_last
            }
            (State::Token { next, seen, news }, Kind::Token { member: name, .. }) => {
                news.count(&body);
                let before = next.take();
                *next = member(&body, name)
                    .and_then(Value::as_str)
                    .filter(|token| !token.is_empty())
                    .map(str::to_owned);
                if let Some(token) = next {
                    check_token(response, token, before.as_deref(), seen)?;
                }
                if next.is_some() && news.is_missing() && has_items(&body) {
                    let what = format!(
                        "the last {MAX_WITHOUT_NEWS} responses to {} contain the same items, each with another token",
                        response.action
                    );
                    return Err(endless(response, what));
                }
                next.is_some()
            }
            _ => false,
        };
        if !goes_on {
            self.state = State::Ended;
        }
        Ok(())
    }
}

/// Refuses a token that leads to a page which was there already: the list would continue forever.
fn check_token(
    response: &AcsResponse,
    token: &str,
    before: Option<&str>,
    seen: &mut PageLoop,
) -> Result<(), AcsError> {
    let what = if before == Some(token) {
        format!(
            "the response to {} has the token of its own page",
            response.action
        )
    } else if seen.closes_at(token) {
        format!(
            "the response to {} has the token of an earlier page",
            response.action
        )
    } else {
        return Ok(());
    };
    Err(endless(response, what))
}

/// Either a fault of the service, or it does not know the parameter and returns the first page again and again.
fn endless(response: &AcsResponse, what: String) -> AcsError {
    let hint = "check the names given to `Paging`; if they are right, report it to the service operator";
    let detail = response.detail(what).hint(hint);
    AcsError::new(
        CredentialsError::invalid_response(detail),
        response.action.clone(),
    )
}

/// The size of a page as a response states it, beside the total.
fn stated_size(body: &Value, total: &str, name: &str) -> Option<u64> {
    let beside = match total.rsplit_once('.') {
        Some((object, _)) => member(body, object)?,
        None => body,
    };
    beside.get(name)?.as_u64().filter(|size| *size > 0)
}

fn member<'v>(body: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(body, |value, name| value.get(name))
}
