//! One call: send, and retry where that helps.

mod attempt;
mod failure;
mod identity;
mod outcome;
mod pause;
mod request;
mod state;

use oss_credentials_core::body::BodyDefect;

use crate::call::Call;
use crate::caller::Caller;
use crate::client::AcsClient;
use crate::error::AcsError;
use crate::response::AcsResponse;
use state::CallState;

impl AcsClient {
    /// Makes a call with the client's credentials provider.
    ///
    /// # Errors
    ///
    /// See [`AcsError::error`].
    ///
    /// # Examples
    ///
    /// ```
    /// use acs_client::{AcsClient, AcsError, Call};
    ///
    /// async fn regions(ecs: &AcsClient) -> Result<serde_json::Value, AcsError> {
    ///     ecs.call(&Call::rpc("DescribeRegions")).await?.json()
    /// }
    /// ```
    #[cfg(feature = "signed")]
    pub async fn call(&self, call: &Call<'_>) -> Result<AcsResponse, AcsError> {
        let provider = self.provider(call)?;
        self.call_as(Caller::Provider(&*provider), call).await
    }

    /// The provider that the client was built with.
    #[cfg(feature = "signed")]
    pub(crate) fn provider(
        &self,
        call: &Call<'_>,
    ) -> Result<std::sync::Arc<dyn oss_credentials_core::CredentialsProvider>, AcsError> {
        self.inner.provider.clone().ok_or_else(|| {
            let hint = "set credentials_provider(..), or name the caller with call_as(..)";
            failure::invalid(self, call, "there is no credentials provider", hint)
        })
    }

    /// Makes a call with this caller: a provider, credentials, the holder of a client key, or no caller at all.
    ///
    /// # Errors
    ///
    /// See [`AcsError::error`].
    ///
    /// # Examples
    ///
    /// ```
    /// use acs_client::{AcsClient, AcsError, Call, Caller};
    ///
    /// /// Parameters in a form are not in the URL, and the secrets among them are in no error.
    /// async fn with_token(sts: &AcsClient, token: &str) -> Result<(), AcsError> {
    ///     let call = Call::rpc("AssumeRoleWithOIDC").form("OIDCToken", token);
    ///     sts.call_as(Caller::Unsigned(&[token]), &call).await?;
    ///     Ok(())
    /// }
    /// ```
    pub async fn call_as(&self, caller: Caller<'_>, call: &Call<'_>) -> Result<AcsResponse, AcsError> {
        let read = |_: &AcsResponse| Ok(());
        let ((), response) = self.call_and_read(caller, call, read).await?;
        Ok(response)
    }

    /// Makes a call and parses its response with `read`. A defect becomes an error that quotes the code of the
    /// response, if the response has one.
    ///
    /// # Errors
    ///
    /// See [`AcsError::error`].
    ///
    /// # Examples
    ///
    /// ```
    /// use acs_client::{AcsClient, AcsError, AcsResponse, Call, Caller};
    /// use oss_credentials_core::body::{BodyDefect, json_object};
    ///
    /// async fn length(client: &AcsClient, caller: Caller<'_>) -> Result<usize, AcsError> {
    ///     let read = |response: &AcsResponse| -> Result<usize, BodyDefect> { Ok(json_object(response.bytes())?.len()) };
    ///     let (length, _response) = client.call_and_read(caller, &Call::rpc("DescribeRegions"), read).await?;
    ///     Ok(length)
    /// }
    /// ```
    pub async fn call_and_read<T>(
        &self,
        caller: Caller<'_>,
        call: &Call<'_>,
        read: impl FnOnce(&AcsResponse) -> Result<T, BodyDefect>,
    ) -> Result<(T, AcsResponse), AcsError> {
        let mut state = CallState::begin(self, caller, call).await?;
        loop {
            match state.attempt().await {
                Ok(response) => {
                    let value = read(&response).map_err(|defect| state.unusable(&response, &defect))?;
                    return Ok((value, response));
                }
                Err(failure) => state.prepare_next(failure).await?,
            }
        }
    }
}
