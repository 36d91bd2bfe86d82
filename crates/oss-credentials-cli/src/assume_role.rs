//! `assume-role`: temporary credentials of a role.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use acs_sts::{AssumeRole as Request, made_up_session_name};
use clap::Args;
use oss_credentials::{Clock as _, CredentialsProvider as _, SystemClock};

use crate::chain::ChainOptions;
use crate::duration;
use crate::export::Output;
use crate::failure::{Failure, Outcome};
use crate::files::read_text;

/// Longest file with a policy, in bytes: white space that a person reads by counts, too.
const LONGEST_POLICY: usize = 16 * 1024;
/// Longest file with an external ID, in bytes.
const LONGEST_EXTERNAL_ID: usize = 2048;
/// What a session is called that was given no name.
const SESSION_PREFIX: &str = "oss-credentials-cli-";

const EXAMPLES: &str = "\
Examples:
  eval \"$(oss-credentials assume-role acs:ram::123456789012:role/reader)\"
  oss-credentials assume-role acs:ram::123456789012:role/reader --duration 15m --policy only-logs.json --format json";

/// Print temporary credentials of a role, which the credentials in use may assume
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct AssumeRole {
    /// The role, such as acs:ram::123456789012:role/reader
    #[arg(value_name = "ARN")]
    role: String,
    /// How long they last, 15 minutes to 12 hours, and no longer than the role allows
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration::parse)]
    duration: Duration,
    /// Name of the session, which appears in audit logs; made up otherwise
    #[arg(long, value_name = "NAME")]
    session_name: Option<String>,
    /// A file with a policy that narrows what the role may do
    #[arg(long, value_name = "PATH")]
    policy: Option<PathBuf>,
    /// A file with the external ID that the role's trust policy asks for
    #[arg(long, value_name = "PATH")]
    external_id_file: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    chain: ChainOptions,
}

impl AssumeRole {
    pub(crate) fn chain(&self) -> &ChainOptions {
        &self.chain
    }

    pub(crate) async fn run(self) -> Outcome {
        self.output.check_terminal("assume-role")?;
        let request = self.request()?;
        request.validate("assume-role")?;
        let chain = self.chain.chain()?;
        let caller = chain.provider.credentials().await?;
        let sts = chain.sts(Arc::clone(&chain.http))?;
        let assumed = sts.assume_role(&caller, &request).await?;
        self.output.print(assumed.credentials())
    }

    fn request(&self) -> Result<Request, Failure> {
        let made_up = || made_up_session_name(SESSION_PREFIX, SystemClock.now());
        let session = self.session_name.clone().unwrap_or_else(made_up);
        let mut request = Request::new(&self.role, session).duration(self.duration);
        if let Some(path) = &self.policy {
            request = request.policy(read_text("--policy", path, LONGEST_POLICY)?);
        }
        if let Some(path) = &self.external_id_file {
            request = request.external_id(read_text("--external-id-file", path, LONGEST_EXTERNAL_ID)?);
        }
        Ok(request)
    }
}
