//! One request and its response.

use std::sync::Arc;

use bytes::Bytes;
use oss_credentials_http::{BodyBuffer, HttpError, HttpErrorKind, HttpMethod, HttpRequest, HttpResponse};
use reqwest::header::{HeaderName, HeaderValue};

use crate::clients::Clients;
use crate::error;

/// Needs a tokio runtime around it.
pub(crate) async fn exchange(clients: Arc<Clients>, request: HttpRequest) -> Result<HttpResponse, HttpError> {
    let url = parse(request.url())?;
    let https = url.scheme() == "https";
    let key = clients.key(&url, request.connect_timeout());
    let client = clients.get(&key)?;
    let request = convert(url, request)?;
    let fail = |error| {
        let error = error::from_reqwest(error, https);
        match key.proxy() {
            Some(proxy) => error.with_proxy(proxy),
            None => error,
        }
    };
    let mut response = client.execute(request).await.map_err(fail)?;

    let body = body(&mut response, fail)
        .await
        .map_err(HttpError::with_answer_begun)?;
    let status = response.status().as_u16();
    let answer = HttpResponse::new(status, body);
    let headers = response
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name, value.to_str().ok()?)));
    Ok(headers.fold(answer, |answer, (name, value)| {
        answer.with_header(name.as_str(), value)
    }))
}

async fn body(
    response: &mut reqwest::Response,
    fail: impl Fn(reqwest::Error) -> HttpError,
) -> Result<Vec<u8>, HttpError> {
    let mut body = BodyBuffer::new(response.content_length())?;
    while let Some(chunk) = response.chunk().await.map_err(&fail)? {
        body.append(&chunk)?;
    }
    Ok(body.into_vec())
}

fn parse(url: &str) -> Result<reqwest::Url, HttpError> {
    let url = reqwest::Url::parse(url).map_err(|error| HttpError::new(HttpErrorKind::Request, error))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(error::request(
            "the URL's scheme is not supported; use https:// or http://",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        // reqwest would turn it into a header, or drop it: neither is what was asked for.
        return Err(error::request(
            "the URL contains a user or password; send them in a header",
        ));
    }
    Ok(url)
}

fn convert(url: reqwest::Url, request: HttpRequest) -> Result<reqwest::Request, HttpError> {
    let method = match request.method() {
        HttpMethod::Get => reqwest::Method::GET,
        HttpMethod::Post => reqwest::Method::POST,
        HttpMethod::Put => reqwest::Method::PUT,
        HttpMethod::Delete => reqwest::Method::DELETE,
        HttpMethod::Patch => reqwest::Method::PATCH,
        _ => {
            return Err(error::request(
                "the method is not known to this version of oss-credentials-reqwest",
            ));
        }
    };
    let mut target = reqwest::Request::new(method, url);
    *target.timeout_mut() = Some(request.timeout());
    for (name, value) in request.headers() {
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| error::request("a header has a name that HTTP does not allow"))?;
        let mut value = HeaderValue::from_str(value)
            .map_err(|_| error::request("a header has a value that HTTP does not allow"))?;
        // Keeps it out of HPACK's tables and of `Debug`.
        value.set_sensitive(true);
        target.headers_mut().append(name, value);
    }
    if !request.body().is_empty() {
        // The request itself owns the bytes, so they are overwritten when the last reader is done.
        *target.body_mut() = Some(Bytes::from_owner(Body(request)).into());
    }
    Ok(target)
}

struct Body(HttpRequest);

impl AsRef<[u8]> for Body {
    fn as_ref(&self) -> &[u8] {
        self.0.body()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_that_cannot_be_sent_are_refused_without_showing_them() {
        for (request, word) in [
            (HttpRequest::get("canary"), "relative URL"),
            (HttpRequest::get("ftp://h/canary"), "scheme"),
            (HttpRequest::get("http://h:canary/"), "port"),
            (HttpRequest::get("http://canary:canary@h/"), "user or password"),
            (HttpRequest::get("http://canary@h/"), "user or password"),
            (HttpRequest::get("http://h/").with_header("a b", "canary"), "name"),
            (
                HttpRequest::get("http://h/").with_header("a", "canary\r\nb: c"),
                "value",
            ),
        ] {
            let error = parse(request.url())
                .and_then(|url| convert(url, request))
                .unwrap_err();
            assert_eq!(error.kind(), HttpErrorKind::Request);
            let text = format!("{error} {error:?}");
            assert!(text.contains(word) && !text.contains("canary"), "{text}");
        }
    }

    #[test]
    fn header_values_are_hidden_and_keep_their_order() {
        let request = HttpRequest::get("http://h/")
            .with_header("a", "canary")
            .with_header("A", "2");
        let converted = convert(parse("http://h/").unwrap(), request).unwrap();
        assert_eq!(
            converted.headers().get_all("a").iter().collect::<Vec<_>>(),
            ["canary", "2"]
        );
        assert!(!format!("{converted:?}").contains("canary"));
    }
}
