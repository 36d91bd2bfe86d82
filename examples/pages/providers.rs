//! The programs on the pages of the providers, each as it is shown there.
//!
//! `cargo run -p oss-testkit -- cargo run --example page_providers -- uri`

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    match std::env::args().nth(1).as_deref() {
        Some("env") => env::main()?,
        Some("static") => static_keys::main()?,
        Some("process") => process::main()?,
        Some("uri") => uri::main()?,
        Some("fc-context") => fc_context::main()?,
        Some("ecs-ram-role") => ecs_ram_role::main()?,
        Some("oidc-rrsa") => oidc_rrsa::main()?,
        Some("sts-assume-role") => sts_assume_role::main()?,
        Some("kms-client-key") => kms_client_key::main()?,
        Some("profile") => profile::main()?,
        Some("vending") => vending::main()?,
        Some("ecs-ram-role-blocking") => ecs_ram_role_blocking::main()?,
        Some("oidc-rrsa-blocking") => oidc_rrsa_blocking::main()?,
        Some("uri-blocking") => uri_blocking::main()?,
        Some("sts-assume-role-blocking") => sts_assume_role_blocking::main()?,
        Some("kms-client-key-blocking") => kms_client_key_blocking::main()?,
        _ => return Err("usage: page_providers PAGE, such as uri".into()),
    }
    Ok(())
}

mod env {
    use oss_credentials_core::{CredentialsError, CredentialsProvider, blocking};
    use oss_credentials_env::{EnvProvider, Family};

    pub(super) fn main() -> Result<(), CredentialsError> {
        // A tool that has nothing to do with OSS.
        let provider = EnvProvider::new().families([Family::AlibabaCloud]);
        let credentials = blocking::wait(provider.credentials())?;
        println!("acting as {credentials:?}"); // shows a masked access key ID, and no secret
        Ok(())
    }
}

mod static_keys {
    use oss_credentials_core::{CredentialsError, CredentialsProvider};
    use oss_credentials_static::StaticProvider;

    /// Takes the three values that the program received from a vault.
    fn provider(
        id: String,
        secret: String,
        token: String,
    ) -> Result<impl CredentialsProvider, CredentialsError> {
        StaticProvider::sts_token(id, secret, token)
    }

    pub(super) fn main() -> Result<(), CredentialsError> {
        let provider = provider(
            "STS.example".into(),
            "example-secret".into(),
            "example-token".into(),
        )?;
        println!("{:?}", provider.cached());
        Ok(())
    }
}

mod process {
    use std::time::Duration;

    use oss_credentials_core::{CredentialsError, CredentialsProvider, blocking};
    use oss_credentials_process::CredentialsProcess;

    pub(super) fn main() -> Result<(), CredentialsError> {
        let provider = CredentialsProcess::builder()
            .command(["/usr/local/bin/login-helper", "--account", "staging"])
            .time_limit(Duration::from_secs(20))
            .build()?;
        let credentials = blocking::wait(provider.credentials())?;
        println!("acting as {credentials:?}");
        Ok(())
    }
}

mod uri {
    use oss_credentials_core::{CredentialsError, CredentialsProvider, ProcessEnv};
    use oss_credentials_uri::CredentialsUri;

    #[tokio::main]
    pub(super) async fn main() -> Result<(), CredentialsError> {
        let provider = CredentialsUri::from_env(&ProcessEnv)?.build()?;
        let credentials = provider.credentials().await?;
        println!("acting as {credentials:?}");
        Ok(())
    }
}

mod fc_context {
    use oss_credentials_core::{CredentialsError, CredentialsProvider, ProcessEnv};
    use oss_credentials_fc_context::{FcContext, FcContextProvider};

    /// Is called for each invocation, with its headers.
    fn invoked(provider: &FcContextProvider, headers: &[(&str, &str)]) -> Result<(), CredentialsError> {
        provider.update(FcContext::from_headers_or_env(
            headers.iter().copied(),
            &ProcessEnv,
        )?);
        println!("acting as {:?}", provider.cached());
        Ok(())
    }

    pub(super) fn main() -> Result<(), CredentialsError> {
        // Once, when the instance starts. Clients get a clone of the provider.
        let provider = FcContextProvider::new();
        invoked(
            &provider,
            &[
                ("x-fc-access-key-id", "STS.example"),
                ("x-fc-access-key-secret", "example-secret"),
                ("x-fc-security-token", "example-token"),
            ],
        )
    }
}

mod ecs_ram_role {
    use oss_credentials_core::{CredentialsError, CredentialsProvider, ProcessEnv};
    use oss_credentials_ecs_ram_role::EcsRamRole;

    #[tokio::main]
    pub(super) async fn main() -> Result<(), CredentialsError> {
        let provider = EcsRamRole::from_env(&ProcessEnv)?.allow_v1(false).build()?;
        let credentials = provider.credentials().await?;
        println!("acting as {credentials:?}");
        Ok(())
    }
}

mod oidc_rrsa {
    use std::time::Duration;

    use oss_credentials_core::{CredentialsError, CredentialsProvider, ProcessEnv};
    use oss_credentials_oidc_rrsa::OidcRrsa;

    #[tokio::main]
    pub(super) async fn main() -> Result<(), CredentialsError> {
        let provider = OidcRrsa::from_env(&ProcessEnv)?
            .region("cn-hangzhou")
            .duration(Duration::from_secs(1800))
            .build()?;
        let credentials = provider.credentials().await?;
        println!("acting as {credentials:?}");
        Ok(())
    }
}

mod sts_assume_role {
    use std::time::Duration;

    use oss_credentials_core::{CredentialsError, CredentialsProvider, ProcessEnv};
    use oss_credentials_env::EnvProvider;
    use oss_credentials_sts_assume_role::StsAssumeRole;

    #[tokio::main]
    pub(super) async fn main() -> Result<(), CredentialsError> {
        let provider = StsAssumeRole::from_env(EnvProvider::new(), &ProcessEnv)?
            .role_session_name("nightly-backup")
            .duration(Duration::from_secs(1800))
            .region("cn-hangzhou")
            .build()?;
        let credentials = provider.credentials().await?;
        println!("acting as {credentials:?}");
        Ok(())
    }
}

mod kms_client_key {
    use oss_credentials_core::{CredentialsError, CredentialsProvider};
    use oss_credentials_kms_client_key::{KmsClientKey, KmsRegion};

    #[tokio::main]
    pub(super) async fn main() -> Result<(), CredentialsError> {
        let provider = KmsClientKey::builder()
            .secret_name("acs/ram/user/oss-reader")
            .client_key_file("/etc/app/clientKey_KAAP.json")
            .client_key_password_file("/etc/app/clientKey_KAAP_Password.txt")
            .region(KmsRegion::new("cn-hangzhou").vpc(true))
            .build()?;
        let credentials = provider.credentials().await?;
        println!("acting as {credentials:?}");
        Ok(())
    }
}

mod profile {
    use oss_credentials_core::{CredentialsError, CredentialsProvider, ProcessEnv};
    use oss_credentials_profile::ProfileProvider;

    #[tokio::main]
    pub(super) async fn main() -> Result<(), CredentialsError> {
        let provider = ProfileProvider::from_env(&ProcessEnv)?
            .profile("staging")
            .write_back(true)
            .build()?;
        let credentials = provider.credentials().await?;
        println!("acting as {credentials:?}");
        Ok(())
    }
}

mod vending {
    use std::error::Error;
    use std::time::Duration;

    use oss_credentials_env::EnvProvider;
    use oss_credentials_sts_assume_role::StsAssumeRole;
    use oss_credentials_vending::{
        BucketAddress, FormRequest, Grant, PolicyBuilder, SessionRequest, UrlRequest, Vendor,
    };

    #[tokio::main]
    pub(super) async fn main() -> Result<(), Box<dyn Error>> {
        let role = StsAssumeRole::builder(EnvProvider::new())
            .role_arn("acs:ram::123456789012:role/tenants")
            .build_source()?;
        let vendor = Vendor::builder(role).build();
        let policy = PolicyBuilder::new("uploads")
            .prefix("tenants/42/")
            .read()
            .write()
            .build()?;
        let request = SessionRequest::new("tenant-42").policy(policy);
        let session = vendor.session(&request).await?;

        let bucket = BucketAddress::new("uploads", "cn-hangzhou")?;
        let grant = Grant::builder(&bucket)
            .lifetime(Duration::from_secs(600))
            .url(UrlRequest::get("tenants/42/report.pdf"))
            .url(
                UrlRequest::put("tenants/42/photo.jpg")
                    .content_type("image/jpeg")
                    .content_length(48_213),
            )
            .form(FormRequest::below("tenants/42/").content_length_range(1..=10_485_760))
            .sign(&session)?;
        // The body of the response to the browser or the app.
        println!("{}", grant.to_json());
        Ok(())
    }
}

mod ecs_ram_role_blocking {
    use oss_credentials_core::{CredentialsError, CredentialsProvider, ProcessEnv, blocking};
    use oss_credentials_ecs_ram_role::EcsRamRole;
    use oss_credentials_ureq::UreqClient;

    pub(super) fn main() -> Result<(), CredentialsError> {
        let provider = EcsRamRole::from_env(&ProcessEnv)?
            .http_client(UreqClient::new())
            .build()?;
        let credentials = blocking::wait(provider.credentials())?;
        println!("acting as {credentials:?}");
        Ok(())
    }
}

mod oidc_rrsa_blocking {
    use oss_credentials_core::{CredentialsError, CredentialsProvider, ProcessEnv, blocking};
    use oss_credentials_oidc_rrsa::OidcRrsa;
    use oss_credentials_ureq::UreqClient;

    pub(super) fn main() -> Result<(), CredentialsError> {
        let provider = OidcRrsa::from_env(&ProcessEnv)?
            .http_client(UreqClient::new())
            .build()?;
        let credentials = blocking::wait(provider.credentials())?;
        println!("acting as {credentials:?}");
        Ok(())
    }
}

mod uri_blocking {
    use oss_credentials_core::{CredentialsError, CredentialsProvider, ProcessEnv, blocking};
    use oss_credentials_ureq::UreqClient;
    use oss_credentials_uri::CredentialsUri;

    pub(super) fn main() -> Result<(), CredentialsError> {
        let provider = CredentialsUri::from_env(&ProcessEnv)?
            .http_client(UreqClient::new())
            .build()?;
        let credentials = blocking::wait(provider.credentials())?;
        println!("acting as {credentials:?}");
        Ok(())
    }
}

mod sts_assume_role_blocking {
    use oss_credentials_core::{CredentialsError, CredentialsProvider, ProcessEnv, blocking};
    use oss_credentials_env::EnvProvider;
    use oss_credentials_sts_assume_role::StsAssumeRole;
    use oss_credentials_ureq::UreqClient;

    pub(super) fn main() -> Result<(), CredentialsError> {
        let provider = StsAssumeRole::from_env(EnvProvider::new(), &ProcessEnv)?
            .http_client(UreqClient::new())
            .build()?;
        let credentials = blocking::wait(provider.credentials())?;
        println!("acting as {credentials:?}");
        Ok(())
    }
}

mod kms_client_key_blocking {
    use oss_credentials_core::{CredentialsError, CredentialsProvider, ProcessEnv, blocking};
    use oss_credentials_kms_client_key::KmsClientKey;
    use oss_credentials_ureq::UreqClient;

    pub(super) fn main() -> Result<(), CredentialsError> {
        let provider = KmsClientKey::from_env(&ProcessEnv)?
            .http_client(UreqClient::new())
            .build()?;
        let credentials = blocking::wait(provider.credentials())?;
        println!("acting as {credentials:?}");
        Ok(())
    }
}
