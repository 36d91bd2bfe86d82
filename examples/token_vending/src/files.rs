//! What a user has uploaded.

use std::error::Error;

use oss_client::ObjectSummary;
use serde_json::{Value, json};

use crate::App;
use crate::grants::Grants;

/// As many as the page shows.
const MOST: u16 = 100;

/// The objects of a user with a URL for each.
///
/// They are listed with the session of the user: a mistake here shows nobody the names of another user.
pub async fn list(app: &App, user: &str) -> Result<Value, Box<dyn Error + Send + Sync>> {
    // A client for each request, since its keys are those of this user. A busy service keeps one for each user.
    let session = app.grants.session(user).await?;
    let client = app.settings.client(session.into_credentials())?;
    let prefix = Grants::prefix(user);
    let page = client
        .list_objects_v2(&app.settings.bucket)
        .prefix(&prefix)
        .max_keys(MOST)
        .send()
        .await?;
    let keys: Vec<String> = page.objects.iter().map(|object| object.key.clone()).collect();
    if keys.is_empty() {
        return Ok(json!({ "files": [] }));
    }
    let grant = app.grants.downloads(user, &keys).await?;
    let files = page.objects.iter().zip(grant.urls());
    let files = files.map(|(object, url)| file(object, &prefix, &url.url()));
    Ok(json!({ "files": files.collect::<Vec<_>>() }))
}

fn file(object: &ObjectSummary, prefix: &str, url: &str) -> Value {
    let name = object.key.strip_prefix(prefix).unwrap_or(&object.key);
    json!({ "name": name, "bytes": object.size, "url": url })
}

/// Whether a name can be that of a file: the server builds the key of it.
pub fn is_name(name: &str) -> bool {
    let is_bad = |c: char| c.is_control() || matches!(c, '/' | '\\');
    (1..=200).contains(&name.len()) && !name.contains(is_bad) && !matches!(name, "." | "..")
}
