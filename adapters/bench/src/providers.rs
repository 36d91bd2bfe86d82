//! What reads credentials or signs, and does not send.

use std::hint::black_box;

use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use benches::setting::{BUCKET, REGION};
use http::request::Parts;
use oss_credentials_aws::AwsCredentials;
use oss_credentials_reqsign::OssCredentials;
use reqsign_aliyun_oss::{RequestSigner, SigningVersion, StaticCredentialProvider};
use reqsign_core::{Context, Signer};

use crate::{KEY, Outcome, credentials, provider};

pub(crate) async fn reqsign(how: &str, what: &str, count: usize) -> Outcome {
    let version = match what {
        "sign" => SigningVersion::V4,
        "sign1" => SigningVersion::V1,
        _ => return Ok(false),
    };
    let request = RequestSigner::new(BUCKET)
        .with_region(REGION)
        .with_signing_version(version);
    let signer = match how {
        "own" => {
            let keys = credentials();
            let provider = StaticCredentialProvider::new(keys.access_key_id(), keys.access_key_secret())
                .with_security_token(keys.security_token().unwrap_or_default());
            Signer::new(Context::new(), provider, request)
        }
        "ours" => Signer::new(Context::new(), OssCredentials::new(provider()), request),
        _ => return Ok(false),
    };
    let parts = request_parts()?;
    for _ in 0..count {
        let mut parts = parts.clone();
        signer.sign(&mut parts, None).await?;
        black_box(parts);
    }
    Ok(true)
}

fn request_parts() -> http::Result<Parts> {
    let uri = format!("http://{BUCKET}.localhost/{KEY}");
    Ok(http::Request::put(uri).body(())?.into_parts().0)
}

pub(crate) async fn aws(how: &str, count: usize) -> Outcome {
    match how {
        "own" => {
            let keys = credentials();
            let token = keys.security_token().map(str::to_owned);
            let (id, secret) = (keys.access_key_id(), keys.access_key_secret());
            let constant = Credentials::new(id, secret, token, keys.expires_at(), "bench");
            read(&constant, count).await?;
        }
        "ours" => read(&AwsCredentials::new(provider()), count).await?,
        _ => return Ok(false),
    }
    Ok(true)
}

async fn read(provider: &dyn ProvideCredentials, count: usize) -> Result<(), CredentialsError> {
    for _ in 0..count {
        black_box(provider.provide_credentials().await?);
    }
    Ok(())
}
