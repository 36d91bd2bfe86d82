//! What each user is allowed, and for how long.

use std::error::Error;
use std::time::Duration;

use oss_credentials_core::ProcessEnv;
use oss_credentials_env::EnvProvider;
use oss_credentials_sts_assume_role::StsAssumeRole;
use oss_credentials_vending::{
    BucketAddress, FormRequest, Grant, GrantBuilder, PolicyBuilder, Session, SessionRequest, UrlRequest,
    Vendor,
};

/// How long a URL or a form works: long enough for a slow upload.
const LIFETIME: Duration = Duration::from_secs(15 * 60);
/// Largest file that a form takes.
pub const MAX_BYTES: u64 = 50 * 1024 * 1024;

/// A file that a page wants to upload.
pub struct Wanted {
    /// Below the user's prefix.
    pub name: String,
    pub content_type: String,
    pub bytes: u64,
}

/// Hands out access, to each user below a prefix of their own.
pub struct Grants {
    vendor: Vendor,
    bucket: BucketAddress,
}

impl Grants {
    pub fn new(settings: &crate::Settings) -> Result<Self, Box<dyn Error>> {
        let role = StsAssumeRole::from_env(EnvProvider::new(), &ProcessEnv)?.build_source()?;
        Ok(Self {
            vendor: Vendor::builder(role).build(),
            bucket: BucketAddress::new(&settings.bucket, &settings.region)?.url(&settings.bucket_url())?,
        })
    }

    /// The prefix of a user, whose name the login has checked. A page never chooses it.
    pub fn prefix(user: &str) -> String {
        format!("users/{user}/")
    }

    /// A session that can do nothing outside the user's prefix, and lasts as long as what is signed with it.
    pub async fn session(&self, user: &str) -> Result<Session, Box<dyn Error + Send + Sync>> {
        let policy = PolicyBuilder::new(self.bucket.bucket())
            .prefix(Self::prefix(user))
            .read()
            .write()
            .list()
            .build()?;
        let request = SessionRequest::new(format!("user-{user}"))
            .policy(policy)
            .lasts_at_least(LIFETIME);
        Ok(self.vendor.session(&request).await?)
    }

    /// One URL for each file, bound to its type and size.
    pub async fn uploads(
        &self,
        user: &str,
        wanted: &[Wanted],
    ) -> Result<Grant, Box<dyn Error + Send + Sync>> {
        let urls = wanted.iter().map(|file| {
            UrlRequest::put(format!("{}{}", Self::prefix(user), file.name))
                .content_type(&file.content_type)
                .content_length(file.bytes)
        });
        let grant = self.grant().urls(urls);
        Ok(grant.sign(&self.session(user).await?)?)
    }

    /// A form for any name below the prefix, up to a size.
    pub async fn form(&self, user: &str) -> Result<Grant, Box<dyn Error + Send + Sync>> {
        let form = FormRequest::below(Self::prefix(user))
            .content_length_range(1..=MAX_BYTES)
            .success_status(200);
        Ok(self.grant().form(form).sign(&self.session(user).await?)?)
    }

    /// One URL for each object that the user may read.
    pub async fn downloads(
        &self,
        user: &str,
        keys: &[String],
    ) -> Result<Grant, Box<dyn Error + Send + Sync>> {
        let urls = keys.iter().map(UrlRequest::get);
        Ok(self.grant().urls(urls).sign(&self.session(user).await?)?)
    }

    fn grant(&self) -> GrantBuilder {
        Grant::builder(&self.bucket).lifetime(LIFETIME)
    }
}
