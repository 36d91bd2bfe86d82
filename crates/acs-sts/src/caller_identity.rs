//! `GetCallerIdentity`: the identity that a key belongs to.

use acs_client::{AcsResponse, Call, Caller};
use oss_credentials_core::Credentials;

use crate::client::StsClient;
use crate::error::StsError;
use crate::wire;

/// The identity that a key belongs to: see [`StsClient::get_caller_identity`].
#[derive(Clone, Debug)]
pub struct CallerIdentity {
    account_id: String,
    arn: String,
    principal_id: Option<String>,
    identity_type: Option<String>,
    user_id: Option<String>,
    role_id: Option<String>,
    request_id: Option<String>,
}

impl CallerIdentity {
    /// Returns the ID of the Alibaba Cloud account.
    pub fn account_id(&self) -> &str {
        &self.account_id
    }

    /// Returns the ARN of the account, RAM user or session.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// Returns the ID of the principal: of the account, of the user, or of the role with the session's name.
    pub fn principal_id(&self) -> Option<&str> {
        self.principal_id.as_deref()
    }

    /// Returns `Account`, `RAMUser` or `AssumedRoleUser`.
    pub fn identity_type(&self) -> Option<&str> {
        self.identity_type.as_deref()
    }

    /// Returns the ID of the RAM user, if it is one.
    pub fn user_id(&self) -> Option<&str> {
        self.user_id.as_deref()
    }

    /// Returns the ID of the role, if it is a session of one.
    pub fn role_id(&self) -> Option<&str> {
        self.role_id.as_deref()
    }

    /// Returns the service's ID of the request, if it stated one.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

impl StsClient {
    /// Returns the identity that the `caller`'s key belongs to. Needs no permission, so it also proves that a key
    /// works.
    ///
    /// Vendor document: "GetCallerIdentity" of the Security Token Service,
    /// <https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-getcalleridentity>.
    ///
    /// # Errors
    ///
    /// As [`StsClient::assume_role`], except `Expired`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use acs_sts::StsClient;
    /// # use oss_credentials_core::{Credentials, blocking};
    /// # use oss_credentials_http::{HttpResponse, http_fn};
    /// # let http = http_fn(|_| async {
    /// #     let body = br#"{"AccountId": "123456789012", "Arn": "acs:ram::123456789012:user/alice"}"#;
    /// #     Ok(HttpResponse::new(200, body.to_vec()))
    /// # });
    /// # let client = StsClient::builder(Arc::new(http)).build()?;
    /// let caller = Credentials::builder("LTAI5tExampleKeyId01", "example-secret").build()?;
    /// let identity = blocking::wait(client.get_caller_identity(&caller))?;
    /// assert_eq!(identity.arn(), "acs:ram::123456789012:user/alice");
    /// # Ok::<(), oss_credentials_core::CredentialsError>(())
    /// ```
    pub async fn get_caller_identity(&self, caller: &Credentials) -> Result<CallerIdentity, StsError> {
        const ACTION: &str = "GetCallerIdentity";
        self.refuse_anonymous(ACTION, caller)?;
        let call = Call::rpc(ACTION);
        let read = |response: &AcsResponse| wire::parse_identity(response.bytes());
        let read = self
            .client
            .call_and_read(Caller::Credentials(caller), &call, read);
        let (identity, response) = read.await.map_err(StsError::of)?;
        Ok(CallerIdentity {
            account_id: identity.account_id.unwrap_or_default(),
            arn: identity.arn.unwrap_or_default(),
            principal_id: identity.principal_id,
            identity_type: identity.kind,
            user_id: identity.user_id,
            role_id: identity.role_id,
            request_id: response.request_id().map(str::to_owned),
        })
    }
}
