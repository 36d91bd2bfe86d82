//! Credentials that are at hand, and text in which they may stand.

use oss_credentials_core::CredentialsProvider as _;
use oss_credentials_core::{ChainProvider, Env, Fetched, RefreshingProvider, blocking, source_fn};
use oss_credentials_env::EnvProvider;
use oss_credentials_fc_context::{FcContext, FcContextProvider};
use oss_credentials_http::{HttpRequest, Scrubber};
use oss_credentials_static::StaticProvider;

use super::{Scenario, ask, clean, credentials};
use crate::secrets::{SECRETS, leak};

pub(super) fn all() -> Vec<Scenario> {
    vec![
        clean("static: an access key", || {
            ask(
                &StaticProvider::access_key("LTAI5tExampleKeyId01", SECRETS.secret).unwrap(),
                SECRETS.secret,
            );
        }),
        clean("static: a token, and a builder that is dropped", || {
            ask(
                &StaticProvider::sts_token("STS.NUExampleTempKeyId", SECRETS.secret, SECRETS.token).unwrap(),
                SECRETS.secret,
            );
            drop(
                StaticProvider::builder("STS.NUExampleTempKeyId", SECRETS.secret)
                    .security_token(SECRETS.token),
            );
        }),
        clean("static: a token that is refused", || {
            let refused = StaticProvider::sts_token(
                "STS.NUExampleTempKeyId",
                SECRETS.secret,
                [SECRETS.token, "\n"].concat(),
            );
            assert!(refused.is_err());
        }),
        clean("env: a pair with a token", || {
            ask(&environment(&[ID, SECRET, TOKEN]), SECRETS.secret);
        }),
        clean("env: a half-set pair, and a pair that is refused", || {
            assert!(blocking::wait(environment(&[SECRET]).credentials()).is_err());
            assert!(blocking::wait(environment(&[SECRET, TOKEN]).credentials()).is_err());
            assert!(blocking::wait(environment(&[BAD_ID, SECRET, TOKEN]).credentials()).is_err());
        }),
        function_context(),
        clean("cache: credentials that are replaced, in a chain", || {
            let source = source_fn("vault", || async { Ok(Fetched::from(credentials())) });
            let cache = RefreshingProvider::new(source);
            let chain = ChainProvider::builder()
                .member("env", Ok(environment(&[])))
                .member("vault", Ok(cache.clone()))
                .build();
            ask(&chain, SECRETS.secret);
            blocking::wait(cache.refresh_now()).unwrap();
            chain.invalidate(&credentials());
            ask(&chain, SECRETS.secret);
        }),
        scrubber(),
        clean("http: the URL, headers and body of a request", || {
            let request = HttpRequest::post(["https://127.0.0.1/?key=", SECRETS.query].concat())
                .with_header("authorization", SECRETS.access_token)
                .with_body(SECRETS.token.as_bytes().to_vec());
            drop(format!("{request:?} {:?}", request.clone()));
        }),
    ]
}

const ID: (&str, &str) = ("OSS_ACCESS_KEY_ID", "id");
const BAD_ID: (&str, &str) = ("OSS_ACCESS_KEY_ID", "id\u{0}");
const SECRET: (&str, &str) = ("OSS_ACCESS_KEY_SECRET", "");
const TOKEN: (&str, &str) = ("OSS_SESSION_TOKEN", "");

/// Hands out each value as a string of its own, as the process environment does.
#[derive(Debug)]
pub(super) struct Variables(pub(super) Vec<(&'static str, &'static str)>);

impl Env for Variables {
    fn var(&self, name: &str) -> Option<String> {
        self.0
            .iter()
            .find(|(own, _)| *own == name)
            .map(|(_, value)| (*value).to_owned())
    }
}

fn environment(variables: &[(&'static str, &'static str)]) -> EnvProvider {
    let filled = variables.iter().map(|(name, value)| match *name {
        "OSS_ACCESS_KEY_SECRET" => (*name, SECRETS.secret),
        "OSS_SESSION_TOKEN" => (*name, SECRETS.token),
        _ => (*name, *value),
    });
    EnvProvider::with_env(Variables(filled.collect()))
}

fn function_context() -> Scenario {
    let json = leak(format!(
        r#"{{"credentials": {{"accessKeyId": "id", "accessKeySecret": "{}", "securityToken": "{}"}}}}"#,
        SECRETS.secret, SECRETS.token
    ));
    clean("fc-context: headers, JSON and variables", move || {
        let provider = FcContextProvider::new();
        let headers = [
            ("x-fc-access-key-id", "id"),
            ("x-fc-access-key-secret", SECRETS.secret),
            ("x-fc-security-token", SECRETS.token),
        ];
        provider.update(FcContext::from_headers(headers).unwrap());
        ask(&provider, SECRETS.secret);
        assert!(FcContext::from_headers(headers.into_iter().skip(1)).is_err());
        provider.update(FcContext::from_json(json).unwrap());
        ask(&provider, SECRETS.secret);
        let variables = Variables(vec![
            ("ALIBABA_CLOUD_ACCESS_KEY_ID", "id"),
            ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", SECRETS.secret),
            ("ALIBABA_CLOUD_SECURITY_TOKEN", SECRETS.token),
        ]);
        provider.update(FcContext::from_env(&variables).unwrap());
        ask(&provider, SECRETS.secret);
    })
}

fn scrubber() -> Scenario {
    let encoded = SECRETS
        .token
        .bytes()
        .map(|byte| format!("%25{byte:02x}"))
        .collect::<String>();
    let texts: Vec<&'static str> = [
        format!("the token {} is bad", SECRETS.token),
        format!(
            "the secret &quot;{}&quot; is bad",
            SECRETS.secret.to_ascii_lowercase()
        ),
        format!("bad: {encoded}"),
        format!("the first {} is bad", &SECRETS.token[..40]),
        format!("string to sign: {} {}", SECRETS.secret, SECRETS.token),
        "all is well".to_owned(),
    ]
    .into_iter()
    .map(leak)
    .collect();
    clean("scrubber: texts that repeat a secret", move || {
        let credentials = credentials();
        let scrubber = Scrubber::of(&credentials).hide(SECRETS.oidc_token);
        for text in texts {
            for shown in [
                scrubber.text(text),
                scrubber.redacted(text),
                scrubber.quotable(text).unwrap_or_default(),
            ] {
                assert!(!shown.contains(SECRETS.secret) && !shown.contains(SECRETS.token));
            }
            assert!(scrubber.identifier(text).is_none() && scrubber.link(text).is_none());
        }
    })
}
