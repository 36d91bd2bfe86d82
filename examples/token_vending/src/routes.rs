//! The requests that the page sends.

use std::error::Error;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, SET_COOKIE};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::json;

use crate::grants::{Grants, Wanted};
use crate::{App, files, page};

type Shared = State<Arc<App>>;

pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(page::index))
        .route("/page.js", get(page::script))
        .route("/page.css", get(page::style))
        .route("/api/login", post(log_in))
        .route("/api/logout", post(log_out))
        .route("/api/me", get(me))
        .route("/api/form", post(form))
        .route("/api/uploads", post(uploads))
        .route("/api/files", get(list))
        .with_state(app)
}

#[derive(Deserialize)]
struct Login {
    user: String,
    password: String,
}

async fn log_in(State(app): Shared, body: Bytes) -> Response {
    let Ok(login) = serde_json::from_slice::<Login>(&body) else {
        return refused(StatusCode::BAD_REQUEST, "user and password are missing");
    };
    match app.logins.log_in(&login.user, &login.password) {
        Some(cookie) => {
            let mut response = document("{}".to_owned());
            if let Ok(cookie) = cookie.parse() {
                response.headers_mut().insert(SET_COOKIE, cookie);
            }
            response
        }
        None => refused(StatusCode::FORBIDDEN, "user or password is wrong"),
    }
}

async fn log_out(State(app): Shared, headers: HeaderMap) -> Response {
    app.logins.log_out(&headers);
    document("{}".to_owned())
}

async fn me(State(app): Shared, headers: HeaderMap) -> Response {
    let Some(user) = app.logins.user_of(&headers) else {
        return nobody();
    };
    document(json!({ "user": user, "prefix": Grants::prefix(user) }).to_string())
}

/// A form for the user's prefix.
async fn form(State(app): Shared, headers: HeaderMap) -> Response {
    let Some(user) = app.logins.user_of(&headers) else {
        return nobody();
    };
    match app.grants.form(user).await {
        Ok(grant) => document(grant.to_json()),
        Err(error) => failed(error.as_ref()),
    }
}

#[derive(Deserialize)]
struct File {
    name: String,
    #[serde(rename = "type")]
    content_type: String,
    bytes: u64,
}

/// URLs for the files that the page names.
async fn uploads(State(app): Shared, headers: HeaderMap, body: Bytes) -> Response {
    let Some(user) = app.logins.user_of(&headers) else {
        return nobody();
    };
    let Ok(wanted) = serde_json::from_slice::<Vec<File>>(&body) else {
        return refused(StatusCode::BAD_REQUEST, "the list of files is malformed");
    };
    if wanted.is_empty() || !wanted.iter().all(|file| files::is_name(&file.name)) {
        return refused(StatusCode::BAD_REQUEST, "a file has a name that is not allowed");
    }
    let wanted: Vec<Wanted> = wanted
        .into_iter()
        .map(|file| Wanted {
            name: file.name,
            content_type: file.content_type,
            bytes: file.bytes,
        })
        .collect();
    match app.grants.uploads(user, &wanted).await {
        Ok(grant) => document(grant.to_json()),
        Err(error) => failed(error.as_ref()),
    }
}

async fn list(State(app): Shared, headers: HeaderMap) -> Response {
    let Some(user) = app.logins.user_of(&headers) else {
        return nobody();
    };
    match files::list(&app, user).await {
        Ok(files) => document(files.to_string()),
        Err(error) => failed(error.as_ref()),
    }
}

fn document(json: String) -> Response {
    respond(StatusCode::OK, json)
}

fn nobody() -> Response {
    refused(StatusCode::UNAUTHORIZED, "log in first")
}

fn refused(status: StatusCode, why: &str) -> Response {
    respond(status, json!({ "error": why }).to_string())
}

/// The operator reads why; the user does not, since the error may name roles and keys.
fn failed(error: &(dyn Error + 'static)) -> Response {
    eprintln!("{error}");
    refused(StatusCode::BAD_GATEWAY, "the service cannot grant access now")
}

/// What is granted is a secret: no cache keeps it.
fn respond(status: StatusCode, json: String) -> Response {
    let response = Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "application/json")
        .header(CACHE_CONTROL, "no-store");
    response.body(Body::from(json)).unwrap_or_default()
}
