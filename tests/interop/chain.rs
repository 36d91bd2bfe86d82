//! The default chain in many surroundings: what it finds, and where it stops.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use acs_sts::StsClient;
use oss_credentials::env::{EnvProvider, Family};
use oss_credentials::http::{HttpClient, HttpError, HttpErrorKind, HttpRequest, http_fn};
use oss_credentials::profile::ProfileProvider;
use oss_credentials::{
    ChainPolicy, Credentials, CredentialsProvider as _, DefaultProvider, DefaultProviderBuilder, Explanation,
    MemberReport, Standing,
};
use oss_credentials_core::test_util::{FakeEnv, logged};
use oss_credentials_http::Endpoint;
use oss_credentials_reqwest::ReqwestClient;
use serde::Deserialize;
use serde_json::Value;
use tokio::runtime::Runtime;

/// The hosts that requests were for.
type Asked = Arc<Mutex<Vec<String>>>;

/// The surroundings of one chain.
#[derive(Deserialize)]
pub(crate) struct Run {
    /// Whether it is the chain as the vendor's SDKs have it.
    as_the_vendor: bool,
    variables: BTreeMap<String, String>,
    /// Where requests to these hosts go; to others but this machine none do.
    hosts: BTreeMap<String, String>,
    /// Knows whose a key is.
    sts: String,
}

impl Run {
    /// What the chain brings, and what it logged about going on.
    pub(crate) fn outcome(&self, runtime: &Runtime, client: &ReqwestClient) -> Value {
        let asked = Asked::default();
        let http: Arc<dyn HttpClient> = Arc::new(self.leading(client.clone(), &asked));
        let provider = self.builder(&http).build().expect("names of members");
        let mut answer = None;
        let log = logged(|| answer = Some(runtime.block_on(provider.credentials())));
        let answer = answer.expect("an answer");
        let found = runtime.block_on(provider.explain());
        let mut told = match answer {
            Ok(credentials) => runtime.block_on(self.told(&provider, &found, &credentials, client)),
            Err(error) => {
                let failed = found
                    .members()
                    .find(|member| member.standing() == Standing::Failed);
                let mut told = crate::told(&error);
                told["member"] = failed.map(MemberReport::name).into();
                told
            }
        };
        let went_on = |line: &&str| line.starts_with(" WARN ") && line.contains("the chain continues");
        told["warnings"] = log.lines().filter(went_on).count().into();
        told["hosts"] = asked.lock().expect("no panic").clone().into();
        told
    }

    fn builder(&self, http: &Arc<dyn HttpClient>) -> DefaultProviderBuilder {
        let env = Arc::new(self.env());
        let builder = DefaultProvider::builder()
            .env(Arc::clone(&env))
            .http_client(Arc::clone(http));
        if !self.as_the_vendor {
            return builder;
        }
        // As docs/default-chain.md has it.
        let files = || Ok(ProfileProvider::from_env(&*env)?.http_client(Arc::clone(http)));
        let keys = EnvProvider::with_env(Arc::clone(&env)).families([Family::AlibabaCloud]);
        builder
            .policy(ChainPolicy::ContinueOnFailure)
            .member("env", Ok(keys))
            .member("profile", files().and_then(|files| files.use_ini(false).build()))
            .member("ini", files().and_then(|files| files.use_cli(false).build()))
            .order(["env", "oidc-rrsa", "profile", "ini", "ecs-ram-role", "uri"])
    }

    fn env(&self) -> FakeEnv {
        let env = FakeEnv::new();
        for (name, value) in &self.variables {
            env.set(name.as_str(), value.as_str());
        }
        env
    }

    /// Leads requests to the local cloud, and is else the client that programs get.
    fn leading(&self, client: ReqwestClient, asked: &Asked) -> impl HttpClient + use<> {
        let (hosts, asked) = (self.hosts.clone(), Arc::clone(asked));
        http_fn(move |request: HttpRequest| {
            let led = led(&hosts, &asked, &request);
            let client = client.clone();
            async move { client.send(led?).await }
        })
    }

    async fn told(
        &self,
        provider: &DefaultProvider,
        found: &Explanation,
        credentials: &Credentials,
        client: &ReqwestClient,
    ) -> Value {
        // The keys of the files are made up: nobody knows whose they are.
        let sts = StsClient::builder(Arc::new(client.clone()))
            .endpoint(self.sts.as_str())
            .build()
            .expect("an endpoint");
        let caller = sts.get_caller_identity(credentials).await.ok();
        let arn = caller.as_ref().map_or("", |caller| caller.arn());
        let mut told = crate::identity(credentials, arn, "");
        told["member"] = provider.answered().into();
        told["place"] = found.in_use().and_then(|member| member.place()).into();
        told["source"] = credentials.source().into();
        told
    }
}

fn led(
    hosts: &BTreeMap<String, String>,
    asked: &Asked,
    request: &HttpRequest,
) -> Result<HttpRequest, HttpError> {
    let refused = |_| HttpError::new(HttpErrorKind::Request, "a malformed URL");
    let endpoint = Endpoint::parse(request.url()).map_err(refused)?;
    asked.lock().expect("no panic").push(endpoint.origin());
    let url = match hosts.get(&endpoint.origin()) {
        Some(host) => request.url().replacen(&endpoint.origin(), host, 1),
        None if endpoint.is_loopback() => request.url().to_owned(),
        None => return Err(HttpError::new(HttpErrorKind::Connect, "there is no such host")),
    };
    let mut led = HttpRequest::new(request.method(), url)
        .with_body(request.body().to_vec())
        .with_connect_timeout(request.connect_timeout())
        .with_timeout(request.timeout());
    for (name, value) in request.headers() {
        led = led.with_header(name, value);
    }
    Ok(led)
}
