//! A service that lets browsers upload to a bucket without passing the bytes through itself: it checks who the user is and
//! hands out presigned URLs and forms for the user's own prefix.
//!
//! `cargo run -p oss-testkit -- cargo run -p token-vending -- --allow-this-origin`, then open the URL that it prints.
//!
//! With an account: set `OSS_REGION`, `OSS_BUCKET`, `ALIBABA_CLOUD_ROLE_ARN` and keys that may assume the role, add a CORS
//! rule for the origin of this service to the bucket, **and replace `login.rs`**.

mod files;
mod grants;
mod login;
mod page;
mod routes;
mod settings;

use std::error::Error;
use std::sync::Arc;

use tokio::net::TcpListener;

use grants::Grants;
use login::Logins;
use settings::Settings;

/// What all requests share.
struct App {
    logins: Logins,
    grants: Grants,
    settings: Settings,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let settings = Settings::read()?;
    let listener = TcpListener::bind(("127.0.0.1", settings.port)).await?;
    let origin = format!("http://{}", listener.local_addr()?);
    if settings.allow_this_origin {
        settings::allow_origin(&settings, &origin).await?;
    }
    let app = App {
        logins: Logins::default(),
        grants: Grants::new(&settings)?,
        settings,
    };
    println!("open {origin}");
    axum::serve(listener, routes::router(Arc::new(app))).await?;
    Ok(())
}
