//! The page: one document, one script, one style sheet, and nothing from elsewhere.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};

use crate::App;

pub async fn index(State(app): State<Arc<App>>) -> Response {
    // Scripts of this service alone run, and they talk to it and to the bucket alone.
    let bucket = app.settings.bucket_url();
    let origin: String = bucket.split_inclusive('/').take(3).collect();
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self' {origin}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
    file(
        "text/html; charset=utf-8",
        include_str!("../page/page.html"),
        &policy,
    )
}

pub async fn script() -> Response {
    file(
        "text/javascript; charset=utf-8",
        include_str!("../page/page.js"),
        "default-src 'none'",
    )
}

pub async fn style() -> Response {
    file(
        "text/css; charset=utf-8",
        include_str!("../page/page.css"),
        "default-src 'none'",
    )
}

fn file(content_type: &str, text: &'static str, policy: &str) -> Response {
    let response = Response::builder()
        .header(CONTENT_TYPE, content_type)
        .header(CONTENT_SECURITY_POLICY, policy)
        .header(REFERRER_POLICY, "no-referrer")
        .header(X_CONTENT_TYPE_OPTIONS, "nosniff");
    response.body(Body::from(text)).unwrap_or_default()
}
