//! Where the quickstart runs: a cloud inside this process, or the real one.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use oss_credentials_core::test_util::{FakeEnv, ManualClock};
use oss_credentials_core::{Clock, Env, ProcessEnv, SystemClock};
use oss_testkit::{LocalCloud, Service};

/// Variables, a clock, and the local cloud if there is one. The code that uses it is the same in both places.
pub(crate) struct Place {
    pub(crate) env: Arc<dyn Env>,
    pub(crate) clock: Arc<dyn Clock>,
    local: Option<(LocalCloud, ManualClock)>,
}

impl Place {
    pub(crate) fn real() -> Self {
        Self {
            env: Arc::new(ProcessEnv),
            clock: Arc::new(SystemClock),
            local: None,
        }
    }

    /// Starts the local cloud, whose services share a clock with this program.
    pub(crate) async fn local() -> Result<Self, Box<dyn Error>> {
        let clock = ManualClock::new(SystemClock.now());
        let cloud = LocalCloud::builder().clock(clock.clone()).start().await?;
        let env: FakeEnv = cloud.env().into_iter().collect();
        Ok(Self {
            env: Arc::new(env),
            clock: Arc::new(clock.clone()),
            local: Some((cloud, clock)),
        })
    }

    /// A required variable.
    pub(crate) fn required(&self, name: &str) -> Result<String, Box<dyn Error>> {
        self.env
            .non_empty(name)
            .ok_or_else(|| format!("quickstart: {name} is not set; --real needs it").into())
    }

    pub(crate) fn describe(&self) -> String {
        match &self.local {
            Some((cloud, _)) => format!(
                "a local cloud inside this process (STS at {}, OSS at {}); no account, no network",
                cloud.sts_endpoint(),
                cloud.oss_endpoint()
            ),
            None => "the real service".to_owned(),
        }
    }

    /// How many AssumeRole calls the cloud has received; unknown for the real one.
    pub(crate) fn assume_role_calls(&self) -> Option<u64> {
        self.local
            .as_ref()
            .map(|(cloud, _)| cloud.count(Service::Sts, "AssumeRole"))
    }

    /// Lets time pass, where that is possible.
    pub(crate) fn skip(&self, time: Duration) -> bool {
        if let Some((_, clock)) = &self.local {
            clock.advance(time);
        }
        self.local.is_some()
    }

    /// How long it is until an instant, for a person.
    pub(crate) fn until(&self, at: Option<SystemTime>) -> String {
        let Some(at) = at else {
            return "never".to_owned();
        };
        let left = at.duration_since(self.clock.now()).unwrap_or_default().as_secs();
        format!("in {} min {} s", left / 60, left % 60)
    }
}
