//! The control port: what a test in another language, or a shell, may do to the local cloud over HTTP.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State as Shared;
use axum::response::Response;
use http_body_util::BodyExt as _;
use serde_json::json;
use tokio::net::TcpListener;

use crate::kms::secrets::Kms;
use crate::wire::Request;

/// Serves until the runtime ends.
pub(crate) async fn run(kms: Arc<Kms>, listener: TcpListener) {
    let router = Router::new().fallback(handle).with_state(kms);
    if let Err(error) = axum::serve(listener, router).await {
        tracing::warn!(target: "oss_testkit", %error, "stopped serving the control port");
    }
}

async fn handle(Shared(kms): Shared<Arc<Kms>>, request: http::Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        return Response::default();
    };
    let (status, body) = act(&kms, &Request::new(&parts, body.to_bytes()));
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    response
}

/// Carries out a request; returns the HTTP status and a response in JSON.
fn act(kms: &Kms, request: &Request) -> (u16, serde_json::Value) {
    // No page in a browser can send a POST with this header without the server's leave.
    if request.method != "POST" || request.header("oss-testkit-control").is_none() {
        return (
            405,
            json!({ "error": "send a POST with the header oss-testkit-control" }),
        );
    }
    let name = request.query_value("secret").unwrap_or_default();
    let done = match request.path.as_str() {
        "/kms/rotate" => {
            let keep_old = request.query_value("immediately").is_none();
            kms.rotate_secret(name, keep_old).map(|new| {
                json!({
                    "AccessKeyId": new.access_key_id(),
                    "AccessKeySecret": new.access_key_secret(),
                })
            })
        }
        "/kms/put" => std::str::from_utf8(&request.body)
            .is_ok_and(|value| kms.put_secret(name, value))
            .then(|| json!({})),
        _ => None,
    };
    done.map_or_else(
        || (404, json!({ "error": "no such thing" })),
        |answer| (200, answer),
    )
}
