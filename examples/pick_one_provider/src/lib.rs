//! An SDK for a message queue that has nothing to do with OSS and has its own signatures.
//!
//! It depends only on the trait crate. The program chooses the provider and the HTTP stack.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use oss_credentials_core::{Credentials, CredentialsError, CredentialsProvider};
use sha2::Sha256;

/// Sends messages to a queue.
#[derive(Clone, Debug)]
pub struct QueueClient {
    credentials: Arc<dyn CredentialsProvider>,
}

/// A signed message, with the headers that prove its sender.
///
/// No `Debug`: the headers are secrets.
#[expect(missing_debug_implementations, reason = "the headers are secrets")]
pub struct SignedMessage {
    /// Names and values.
    pub headers: Vec<(&'static str, String)>,
    /// The text.
    pub body: String,
}

impl QueueClient {
    /// Creates a client that calls this provider before every message.
    pub fn new(credentials: impl CredentialsProvider) -> Self {
        Self {
            credentials: Arc::new(credentials),
        }
    }

    /// Signs a message. With a provider that caches, this sends no request.
    ///
    /// # Errors
    ///
    /// The provider's error, which states what to do.
    pub async fn sign(&self, body: impl Into<String>) -> Result<SignedMessage, CredentialsError> {
        let credentials = self.credentials.credentials().await?;
        let body = body.into();
        let mut headers = vec![("authorization", authorization(&credentials, &body))];
        if let Some(token) = credentials.security_token() {
            headers.push(("x-queue-security-token", token.to_owned()));
        }
        Ok(SignedMessage { headers, body })
    }
}

/// The queue's own signature scheme.
fn authorization(credentials: &Credentials, body: &str) -> String {
    let signature = Hmac::<Sha256>::new_from_slice(credentials.access_key_secret().as_bytes())
        .map(|mac| STANDARD.encode(mac.chain_update(body).finalize().into_bytes()))
        .unwrap_or_default();
    format!("QUEUE {}:{signature}", credentials.access_key_id())
}
