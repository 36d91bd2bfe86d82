//! What is measured: a source that obeys the benchmark, and the caches that stand before it, ours and others'.
//!
//! Every cache gets the same source and is reached through its public interface alone.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use oss_credentials_core::{
    BoxFuture, Clock, Credentials, CredentialsError, CredentialsSource, ErrorDetail, Fetched,
};

const ID: &str = "STS.FakeTempKeyId0002";
const SECRET: &str = "FakeTempSecret0002FakeTempSecr";
/// As long as the tokens that are handed out for a role.
const TOKEN_LENGTH: usize = 720;

/// Looks like a security token: base64, so that about one character in 32 has to be escaped in a URL.
pub fn token(length: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut state = 1_u32;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(ALPHABET[state as usize >> 26])
        })
        .collect()
}

/// What the source does when it is asked.
#[derive(Clone, Copy, Debug)]
pub enum Reply {
    /// A new value that lives this long.
    Lasting(Duration),
    /// The value that ends at this instant, whenever it is asked for.
    EndingAt(SystemTime),
    Failure,
}

/// A source that does as it is told, and counts.
#[derive(Debug)]
pub struct Source {
    clock: Arc<dyn Clock>,
    token: String,
    fetches: AtomicUsize,
    orders: Mutex<Orders>,
}

#[derive(Debug)]
struct Orders {
    delay: Duration,
    reply: Reply,
    /// How long the last fetch really took.
    took: Duration,
}

impl Source {
    pub fn new(clock: impl Clock, delay: Duration, reply: Reply) -> Arc<Self> {
        Arc::new(Self {
            clock: Arc::new(clock),
            token: "T".repeat(TOKEN_LENGTH),
            fetches: AtomicUsize::new(0),
            orders: Mutex::new(Orders {
                delay,
                reply,
                took: Duration::ZERO,
            }),
        })
    }

    pub fn obey(&self, delay: Duration, reply: Reply) {
        let mut orders = self.orders.lock().unwrap();
        (orders.delay, orders.reply) = (delay, reply);
    }

    /// How often it was asked.
    pub fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    /// How long the last fetch really took: timers are coarse.
    pub fn took(&self) -> Duration {
        self.orders.lock().unwrap().took
    }

    /// When the value ends, after the delay.
    async fn answer(&self) -> Result<SystemTime, ()> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        let (delay, reply) = {
            let orders = self.orders.lock().unwrap();
            (orders.delay, orders.reply)
        };
        let start = tokio::time::Instant::now();
        if !delay.is_zero() {
            #[expect(clippy::disallowed_methods, reason = "a benchmark waits")]
            tokio::time::sleep(delay).await;
        }
        self.orders.lock().unwrap().took = start.elapsed();
        match reply {
            Reply::Lasting(life) => Ok(self.clock.now() + life),
            Reply::EndingAt(end) => Ok(end),
            Reply::Failure => Err(()),
        }
    }
}

/// Ours.
#[derive(Debug)]
pub struct Ours(pub Arc<Source>);

impl CredentialsSource for Ours {
    fn name(&self) -> &'static str {
        "bench"
    }
    fn fetch(&self) -> BoxFuture<'_, Result<Fetched, CredentialsError>> {
        Box::pin(async {
            let end = self.0.answer().await.map_err(|()| {
                CredentialsError::unavailable(ErrorDetail::builder("bench", "the source was told to fail"))
            })?;
            let credentials = Credentials::builder(ID, SECRET).security_token(self.0.token.as_str());
            Ok(Fetched::new(credentials.expires_at(end).build()?))
        })
    }
}

#[cfg(feature = "rivals")]
pub mod reqsign {
    //! The cache is inside the signer and is reached by signing only. So the signing is left out: what is left
    //! is the cache, and the copy of the request's head that the signer makes.

    use std::time::{Duration, UNIX_EPOCH};

    use http::request::Parts;
    use reqsign_aliyun_oss::Credential;
    use reqsign_core::{Context, Error, ProvideCredential, Result, SignRequest, Signer};

    use super::{Arc, ID, SECRET, Source};

    #[derive(Debug)]
    struct Loader(Arc<Source>);

    impl ProvideCredential for Loader {
        type Credential = Credential;

        async fn provide_credential(&self, _: &Context) -> Result<Option<Credential>> {
            let end = self
                .0
                .answer()
                .await
                .map_err(|()| Error::unexpected("told to fail"))?;
            let since_epoch = end.duration_since(UNIX_EPOCH).unwrap();
            Ok(Some(Credential {
                access_key_id: ID.to_owned(),
                access_key_secret: SECRET.to_owned(),
                security_token: Some(self.0.token.clone()),
                expires_in: Some(
                    "1970-01-01T00:00:00Z".parse::<reqsign_core::time::Timestamp>()? + since_epoch,
                ),
            }))
        }
    }

    #[derive(Debug)]
    struct SignsNothing;

    impl SignRequest for SignsNothing {
        type Credential = Credential;

        async fn sign_request(
            &self,
            _: &Context,
            _: &mut Parts,
            credential: Option<&Credential>,
            _: Option<Duration>,
        ) -> Result<()> {
            std::hint::black_box(credential);
            Ok(())
        }
    }

    pub fn cache(source: &Arc<Source>) -> Signer<Credential> {
        Signer::new(Context::new(), Loader(Arc::clone(source)), SignsNothing)
    }

    /// A head with nothing in it that would cost a copy.
    pub fn empty_head() -> Parts {
        http::Request::new(()).into_parts().0
    }
}

#[cfg(feature = "rivals")]
pub mod ossify {
    //! `CachingCredentialsProvider`.

    use std::io;
    use std::time::SystemTime;

    use ossify::Error;
    use ossify::credentials::{CachingCredentialsProvider, Credentials, CredentialsProvider};

    use super::{Arc, ID, SECRET, Source};

    #[derive(Debug)]
    pub struct Inner(Arc<Source>);

    impl CredentialsProvider for Inner {
        async fn get_credentials(&self) -> ossify::Result<Credentials> {
            let end: SystemTime = self.0.answer().await.map_err(|()| Error::from(failure()))?;
            let end = end.try_into().unwrap();
            Ok(Credentials::with_sts(
                ID,
                SECRET,
                self.0.token.as_str(),
                Some(end),
            ))
        }
    }

    fn failure() -> io::Error {
        io::Error::other("told to fail")
    }

    pub fn cache(source: &Arc<Source>) -> CachingCredentialsProvider<Inner> {
        CachingCredentialsProvider::new(Inner(Arc::clone(source)))
    }
}

#[cfg(feature = "rivals")]
pub mod object_store {
    //! `TokenCache` is private. The credentials of an S3 store come out of it, here those of a container task,
    //! which take one HTTP request; the answer to that is put in place of the network.

    use std::io;
    use std::pin::Pin;

    use object_store::RetryConfig;
    use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, AwsCredentialProvider};
    use object_store::client::{
        ClientOptions, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
        HttpService,
    };

    use super::{Arc, ID, SECRET, Source};

    #[derive(Clone, Debug)]
    struct Container(Arc<Source>);

    impl HttpConnector for Container {
        fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
            Ok(HttpClient::new(self.clone()))
        }
    }

    impl HttpService for Container {
        fn call<'a, 'b>(
            &'a self,
            _: HttpRequest,
        ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'b>>
        where
            'a: 'b,
            Self: 'b,
        {
            Box::pin(async {
                let failure = |()| HttpError::new(HttpErrorKind::Unknown, io::Error::other("told to fail"));
                let end = self.0.answer().await.map_err(failure)?;
                let end = jiff::Timestamp::try_from(end).unwrap();
                let token = &self.0.token;
                let body = format!(
                    r#"{{"AccessKeyId":"{ID}","SecretAccessKey":"{SECRET}","Token":"{token}","Expiration":"{end}"}}"#
                );
                Ok(HttpResponse::new(body.into()))
            })
        }
    }

    pub fn cache(source: &Arc<Source>) -> AwsCredentialProvider {
        let store = AmazonS3Builder::new()
            .with_bucket_name("examplebucket")
            .with_region("eu-west-1")
            .with_config(
                AmazonS3ConfigKey::ContainerCredentialsRelativeUri,
                "/v2/credentials",
            )
            // As with all others, one fetch is one request.
            .with_retry(RetryConfig {
                max_retries: 0,
                ..RetryConfig::default()
            })
            .with_http_connector(Container(Arc::clone(source)))
            .build()
            .unwrap();
        Arc::clone(store.credentials())
    }
}
