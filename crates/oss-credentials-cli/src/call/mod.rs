//! `call`: any operation of the OpenAPI.

mod document;

use std::path::PathBuf;
use std::process::ExitCode;

use acs_client::{AcsClient, AcsError, AcsResponse, Call as Request};
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use oss_credentials::http::HttpMethod;
use oss_credentials::{CredentialsError, CredentialsProvider as _, ErrorDetail};
use serde_json::value::RawValue;

use crate::chain::{Chain, ChainOptions};
use crate::failure::{Failure, Outcome};
use crate::files::read_verbatim;
use crate::terminal;

/// Longest file with a parameter or a body, in bytes.
const LONGEST_VALUE: usize = 1024 * 1024;
/// The `User-Agent` of this command.
const USER_AGENT: &str = concat!("oss-credentials-cli/", env!("CARGO_PKG_VERSION"));

/// Products that are not of the OpenAPI, and what to use for them. Vendor documents: *Sign requests* of each of them.
const OTHERS: [(&[&str], &str, &str); 4] = [
    (
        &["oss"],
        "OSS",
        "use `oss-credentials ls` or `presign`, or ossutil",
    ),
    (
        &["sls", "log"],
        "Log Service",
        "use its own SDK or CLI, with `oss-credentials exec`",
    ),
    (
        &["ots", "tablestore"],
        "Table Store",
        "use its own SDK or CLI, with `oss-credentials exec`",
    ),
    (
        &["mns"],
        "Message Service",
        "use its own SDK, with `oss-credentials exec`",
    ),
];

const METHODS: [HttpMethod; 5] = [
    HttpMethod::Get,
    HttpMethod::Post,
    HttpMethod::Put,
    HttpMethod::Delete,
    HttpMethod::Patch,
];

const EXAMPLES: &str = "\
Examples:
  oss-credentials call ecs DescribeRegions --version 2014-05-26 \\
      --region cn-hangzhou | jq -r '.Regions.Region[].RegionId'
  oss-credentials call ram GetPolicy --version 2015-05-01 \\
      --endpoint ram.aliyuncs.com \\
      --param PolicyType=System --param PolicyName=AliyunOSSReadOnlyAccess
  oss-credentials call cs DescribeClustersV1 --version 2015-12-15 \\
      --region cn-hangzhou --roa GET /api/v1/clusters

The API reference of a product states its version, the style of its operations and their parameters. What the service \
returns is printed as it is, which may be a secret.

Exit codes:
  0  success            4  no call was made, or no usable response arrived
  1  another refusal    5  the service refused the credentials or the action
  2  wrong arguments    3  no credentials are configured";

/// Call any operation of Alibaba Cloud's OpenAPI, and print its response as JSON
///
/// Operations are of the RPC style unless --roa is given. Requests are signed with ACS3-HMAC-SHA256. OSS, Log Service,
/// Table Store and Message Service use other signatures and cannot be called.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Call {
    /// The product, as the first part of its host: ecs for ecs.cn-hangzhou.aliyuncs.com
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    product: String,
    /// The operation, such as DescribeRegions
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    action: String,
    /// Version of the product's API, such as 2014-05-26
    #[arg(long = "version", value_name = "DATE", value_parser = NonEmptyStringValueParser::new())]
    api_version: String,
    /// Region of the host to call: PRODUCT.REGION.aliyuncs.com
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Host to call, for products with a central host or a host of another form
    #[arg(long, value_name = "HOST")]
    endpoint: Option<String>,
    /// A parameter, sent in the query; may be repeated
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = pair)]
    parameters: Vec<(String, String)>,
    /// A parameter whose value is the text of a file as it is, sent in a form: for secrets; may be repeated
    #[arg(long = "param-file", value_name = "NAME=PATH", value_parser = pair)]
    parameter_files: Vec<(String, String)>,
    /// Call an operation of the ROA style; its path must be percent-encoded
    #[arg(long, num_args = 2, value_names = ["METHOD", "PATH"])]
    roa: Option<Vec<String>>,
    /// A file with the JSON that is the body, for operations of the ROA style
    #[arg(
        long,
        value_name = "PATH",
        requires = "roa",
        conflicts_with = "parameter_files"
    )]
    body: Option<PathBuf>,
    /// Maximum number of attempts; use 1 for an operation that must not run twice and has no parameter ClientToken
    #[arg(long, value_name = "NUMBER", default_value_t = acs_client::DEFAULT_MAX_ATTEMPTS, value_parser = clap::value_parser!(u32).range(1..=10))]
    max_attempts: u32,
    #[command(flatten)]
    chain: ChainOptions,
}

/// A name and a value, separated by the first `=`.
fn pair(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("it has to be a name, `=` and a value"),
    }
}

impl Call {
    pub(crate) fn chain(&self) -> &ChainOptions {
        &self.chain
    }

    pub(crate) async fn run(self) -> Outcome {
        self.check_product()?;
        let request = self.request()?;
        let chain = self.chain.chain()?;
        let client = self.client(&chain)?;
        // Cached: whatever fails from here on is the call.
        chain.provider.credentials().await?;
        let response = client.call(&request).await.map_err(of_arguments)?;
        print(&response)?;
        Ok(ExitCode::SUCCESS)
    }

    fn check_product(&self) -> Result<(), Failure> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if !self.product.chars().all(is_name) {
            let text = "the product is malformed; write the first part of its host, such as ecs";
            return Err(Failure::usage("call", text));
        }
        let is_named = |names: &[&str]| names.iter().any(|name| self.product.eq_ignore_ascii_case(name));
        let other = OTHERS.iter().find(|(names, ..)| is_named(names));
        other.map_or(Ok(()), |(_, name, hint)| {
            let text = format!("{name} is not a product of the OpenAPI and has other signatures; {hint}");
            Err(Failure::usage("call", text))
        })
    }

    fn client(&self, chain: &Chain) -> Result<AcsClient, Failure> {
        let mut builder = AcsClient::builder(self.product.clone(), self.api_version.clone())
            .credentials_provider(chain.provider.clone())
            .http_client(chain.http.clone())
            .max_attempts(self.max_attempts)
            .user_agent(USER_AGENT);
        builder = match (&self.endpoint, &self.region) {
            (Some(endpoint), _) => builder.endpoint(endpoint),
            (None, Some(region)) => builder.region(region),
            (None, None) => {
                let text =
                    "the host is not known; pass --region, or --endpoint for a product that is central";
                return Err(Failure::usage("call", text));
            }
        };
        builder.build().map_err(Failure::Argument)
    }

    fn request(&self) -> Result<Request<'_>, Failure> {
        let mut request = match self.roa.as_deref() {
            Some([method, path]) => Request::roa(self.action.clone(), parse_method(method)?, path),
            _ => Request::rpc(self.action.clone()),
        };
        for (name, value) in &self.parameters {
            request = request.query(name, value);
        }
        for (name, path) in &self.parameter_files {
            let value = read_verbatim("--param-file", path.as_ref(), LONGEST_VALUE)?;
            request = request.form(name, value);
        }
        if let Some(path) = &self.body {
            let text = read_verbatim("--body", path, LONGEST_VALUE)?;
            if let Err(error) = serde_json::from_str::<&RawValue>(&text) {
                // Neither the text nor a part of it, which may be a secret.
                let place = format!("line {}, column {}", error.line(), error.column());
                let text = format!("--body: {} is not JSON: {place}; correct it", path.display());
                return Err(Failure::usage("call", text));
            }
            request = request.body("application/json; charset=utf-8", text);
        }
        Ok(request)
    }
}

fn parse_method(name: &str) -> Result<HttpMethod, Failure> {
    let found = METHODS
        .into_iter()
        .find(|method| method.as_str().eq_ignore_ascii_case(name));
    found.ok_or_else(|| {
        let known = METHODS.map(HttpMethod::as_str).join(", ");
        Failure::usage("call", format!("--roa: {name:?} is not one of {known}"))
    })
}

/// What the client says of a call that cannot be made is about the arguments.
fn of_arguments(error: AcsError) -> Failure {
    match error.into() {
        error @ CredentialsError::InvalidConfig(_)
            if error.detail().map(ErrorDetail::provider) == Some("acs-client") =>
        {
            Failure::Argument(error)
        }
        error => Failure::Call(error),
    }
}

/// Prints the response. Some operations return nothing.
fn print(response: &AcsResponse) -> Result<(), Failure> {
    if response.bytes().trim_ascii().is_empty() {
        return Ok(());
    }
    // Numbers stay as they are written: a `Value` would round long ones.
    let body: Box<RawValue> = response.json()?;
    Ok(terminal::print(&format!("{}\n", document::indented(body.get())))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_have_an_equals_sign() {
        let owned = |(name, value): (&str, &str)| Ok((name.to_owned(), value.to_owned()));
        assert_eq!(pair("Filter=a=b"), owned(("Filter", "a=b")));
        assert_eq!(pair("Filter="), owned(("Filter", "")));
        assert!(pair("Filter").is_err() && pair("=a").is_err());
    }

    #[test]
    fn methods_are_known_in_any_case() {
        assert_eq!(parse_method("delete").unwrap(), HttpMethod::Delete);
        let text = parse_method("FETCH").unwrap_err().to_string();
        assert_eq!(
            text,
            "call: --roa: \"FETCH\" is not one of GET, POST, PUT, DELETE, PATCH"
        );
    }
}
