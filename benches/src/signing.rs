//! How long signing takes, compared with the hashing that it cannot do without, and with other crates.
//!
//! The crates that ours are compared with are asked as their documentation shows: a provider gives the credentials,
//! a signer signs. Ours then asks a provider as well.
//!
//! `cargo run --release --bin signing [-- --gate]`, with `--no-default-features` for the comparison with hashing alone.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use benches::measure::{Contender, Goal, Table, interleaved};
use benches::subjects::token;
use hmac::{Hmac, KeyInit, Mac};
use http::request::Parts;
use http::{HeaderMap, Request};
use oss_credentials_core::Credentials;
use oss_sign::v4::Signer;
use oss_sign::{RequestView, v1};
use sha1::Sha1;
use sha2::{Digest, Sha256};

const REGION: &str = "cn-hangzhou";
const BUCKET: &str = "examplebucket";
const KEY: &str = "path/to/exampleobject.txt";
const ID: &str = "STS.FakeTempKeyId0002";
const SECRET: &str = "FakeTempSecret0002FakeTempSecr";
const EXPIRES: Duration = Duration::from_secs(3600);

/// Requests in one batch, and batches in one run.
const BATCH: usize = 32;
const ROUNDS: usize = 3001;

/// What every contender gets.
struct Setting {
    token: String,
    credentials: Credentials,
    signer: Signer,
    time: SystemTime,
}

impl Setting {
    fn new(token_length: usize) -> Self {
        let token = token(token_length);
        Self {
            credentials: Credentials::builder(ID, SECRET)
                .security_token(token.as_str())
                .build()
                .expect("valid"),
            token,
            signer: Signer::builder(REGION).build().expect("valid"),
            time: SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_256_200),
        }
    }

    fn named(&self, form: &str) -> String {
        format!("{form}, token of {} bytes", self.token.len())
    }

    fn view(&self) -> RequestView<'_> {
        RequestView::new("GET").bucket(BUCKET).key(KEY)
    }
}

fn parts() -> Parts {
    let url = format!("https://{BUCKET}.oss-{REGION}.aliyuncs.com/{KEY}");
    let mut parts = Request::get(url).body(()).expect("valid").into_parts().0;
    parts.headers = HeaderMap::with_capacity(16);
    parts
}

/// The bare hashing: SHA-256 of the canonical request, and one HMAC of the string to sign with a key at hand.
fn hashing(explained: &oss_sign::v4::Explained) -> Contender<'static> {
    let canonical_request = explained.canonical_request().to_vec();
    let string_to_sign = explained.string_to_sign().to_owned();
    let keyed = Hmac::<Sha256>::new_from_slice(&[7; 32]).expect("any length");
    Box::new(move |watch| {
        watch.time(|| {
            for _ in 0..BATCH {
                black_box(Sha256::digest(black_box(&canonical_request)));
                let mut mac = keyed.clone();
                mac.update(black_box(string_to_sign.as_bytes()));
                black_box(mac.finalize());
            }
        });
    })
}

/// `sign_parts` on requests with room in their header maps.
fn header_form(setting: &Setting) -> Contender<'_> {
    let mut batch: Vec<Parts> = (0..BATCH).map(|_| parts()).collect();
    Box::new(move |watch| {
        batch.iter_mut().for_each(|parts| parts.headers.clear());
        watch.time(|| {
            for parts in &mut batch {
                let signer = &setting.signer;
                black_box(signer.sign_parts(
                    parts,
                    Some(BUCKET),
                    Some(KEY),
                    &setting.credentials,
                    setting.time,
                ))
                .expect("signs");
            }
        });
    })
}

fn url_form(setting: &Setting) -> Contender<'_> {
    Box::new(move |watch| {
        watch.time(|| {
            for _ in 0..BATCH {
                let view = black_box(setting.view());
                black_box(
                    setting
                        .signer
                        .presign(&view, &setting.credentials, setting.time, EXPIRES),
                )
                .expect("signs");
            }
        });
    })
}

/// The bare hashing of V1: one HMAC of the string to sign with a key at hand.
fn v1_hashing(explained: &v1::Explained) -> Contender<'static> {
    let string_to_sign = explained.string_to_sign().to_vec();
    let keyed = Hmac::<Sha1>::new_from_slice(&[7; 32]).expect("any length");
    Box::new(move |watch| {
        watch.time(|| {
            for _ in 0..BATCH {
                let mut mac = keyed.clone();
                mac.update(black_box(&string_to_sign));
                black_box(mac.finalize());
            }
        });
    })
}

fn v1_header_form(setting: &Setting) -> Contender<'_> {
    let mut batch: Vec<Parts> = (0..BATCH).map(|_| parts()).collect();
    let signer = v1::Signer::new();
    Box::new(move |watch| {
        batch.iter_mut().for_each(|parts| parts.headers.clear());
        watch.time(|| {
            for parts in &mut batch {
                black_box(signer.sign_parts(
                    parts,
                    Some(BUCKET),
                    Some(KEY),
                    &setting.credentials,
                    setting.time,
                ))
                .expect("signs");
            }
        });
    })
}

fn v1_url_form(setting: &Setting) -> Contender<'_> {
    let signer = v1::Signer::new();
    Box::new(move |watch| {
        watch.time(|| {
            for _ in 0..BATCH {
                let view = black_box(setting.view());
                black_box(signer.presign(&view, &setting.credentials, setting.time, EXPIRES)).expect("signs");
            }
        });
    })
}

/// V1 has no goal: it is for what cannot do V4 yet.
fn measure_v1(table: &mut Table, setting: &Setting) {
    let (signer, view) = (v1::Signer::new(), setting.view());
    let header = signer.explain(&view, &setting.credentials, setting.time);
    let url = signer.explain_presign(&view, &setting.credentials, setting.time, EXPIRES);
    let rounds = interleaved(
        ROUNDS,
        &mut [
            v1_hashing(&header.expect("signs")),
            v1_header_form(setting),
            v1_hashing(&url.expect("signs")),
            v1_url_form(setting),
            header_form(setting),
        ],
    );
    table.row(
        setting.named("V1 headers / bare hashing"),
        Goal::None,
        rounds.ratio(1, 0),
    );
    table.row(
        setting.named("V1 URL / bare hashing"),
        Goal::None,
        rounds.ratio(3, 2),
    );
    table.row(
        setting.named("V1 headers / V4 headers"),
        Goal::None,
        rounds.ratio(1, 4),
    );
}

/// The crates that ours are compared with, and what ours does for each comparison.
#[cfg(feature = "rivals")]
mod rivals {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use http::header::AUTHORIZATION;
    use http::{HeaderName, HeaderValue};
    use oss_credentials_core::CredentialsProvider;
    use oss_sign::url_path;
    use oss_sign::v4::Explained;
    use ossify::QueryAuthOptionsBuilder;
    use ossify::ops::object::base::{GetObjectOperations, GetObjectParams};
    use reqsign_aliyun_oss::{RequestSigner, SigningVersion, StaticCredentialProvider};
    use sha2::block_api::compress256;

    /// What a future gives that is ready at once, as all of these are. An executor has a waker at hand; to make one for
    /// each signing would be a cost that belongs to none of the contenders.
    fn now<F: Future>(future: F) -> F::Output {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("nothing to wait for"),
        }
    }

    /// Fresh requests with room in their header maps, signed in place; making and dropping them does not count.
    fn in_place<'a>(mut sign: impl FnMut(&mut Parts) + 'a) -> Contender<'a> {
        Box::new(move |watch| {
            let mut batch: Vec<Parts> = (0..BATCH).map(|_| parts()).collect();
            watch.time(|| batch.iter_mut().for_each(|parts| sign(black_box(parts))));
            black_box(batch);
        })
    }

    /// Provider, then headers.
    fn header_form(setting: &Setting) -> Contender<'_> {
        let provider: &dyn CredentialsProvider = &setting.credentials;
        in_place(move |parts| {
            let credentials = now(provider.credentials()).expect("static");
            let signed =
                setting
                    .signer
                    .sign_parts(parts, Some(BUCKET), Some(KEY), &credentials, setting.time);
            signed.expect("signs");
        })
    }

    /// Provider, then the whole URL as text.
    fn url_text(setting: &Setting) -> Contender<'_> {
        let provider: &dyn CredentialsProvider = &setting.credentials;
        Box::new(move |watch| {
            watch.time(|| {
                for _ in 0..BATCH {
                    let credentials = now(provider.credentials()).expect("static");
                    let view = black_box(setting.view());
                    let presigned = setting.signer.presign(&view, &credentials, setting.time, EXPIRES);
                    let path = url_path(None, Some(KEY));
                    let base = format!("https://{BUCKET}.oss-{REGION}.aliyuncs.com{path}");
                    black_box(presigned.expect("signs").url(&base));
                }
            });
        })
    }

    /// Headers, or the whole URL as text.
    fn reqsign(setting: &Setting, expires: Option<Duration>) -> Contender<'_> {
        let signer = reqsign_core::Signer::new(
            reqsign_core::Context::new(),
            StaticCredentialProvider::new(ID, SECRET).with_security_token(&setting.token),
            RequestSigner::new(BUCKET)
                .with_region(REGION)
                .with_signing_version(SigningVersion::V4),
        );
        in_place(move |parts| {
            now(signer.sign(parts, expires)).expect("signs");
            if expires.is_some() {
                black_box(parts.uri.to_string());
            }
        })
    }

    /// The whole URL as text. For headers this crate offers no call that does not send the request as well.
    fn ossify(setting: &Setting) -> Contender<'_> {
        let client = ossify::Client::builder()
            .endpoint(format!("https://oss-{REGION}.aliyuncs.com"))
            .region(REGION)
            .bucket(BUCKET)
            .access_key_id(ID)
            .access_key_secret(SECRET)
            .security_token(&setting.token)
            .build()
            .expect("valid");
        Box::new(move |watch| {
            watch.time(|| {
                for _ in 0..BATCH {
                    let options = QueryAuthOptionsBuilder::default().x_oss_expires(3600).build();
                    let url = client.presign_get_object(KEY, true, GetObjectParams::new(), None, options);
                    black_box(now(url).expect("signs"));
                }
            });
        })
    }

    /// What no signing of headers can leave out: one copy of the canonical request, its compressions, those of an HMAC
    /// whose key and common beginning were taken before, one new header value, and five headers set. The text is there
    /// and padded, the other values are there: nothing is encoded, sorted, looked up or spelled in digits.
    fn least(token: &str, explained: &Explained) -> Contender<'static> {
        let mut canonical_request = explained.canonical_request().to_vec();
        canonical_request.resize((canonical_request.len() + 9).next_multiple_of(64), 0);
        // One block of the string to sign is the same for a second.
        let string_to_sign = vec![0; (explained.string_to_sign().len() + 9).next_multiple_of(64) - 64];
        let outer = vec![0; 64];
        let authorization = "a".repeat(160);
        let headers = [
            ("x-oss-date", 16),
            ("x-oss-content-sha256", 16),
            ("x-oss-security-token", token.len()),
            ("date", 29),
        ]
        .map(|(name, length)| {
            let value = HeaderValue::try_from("v".repeat(length)).expect("valid");
            (HeaderName::from_static(name), value)
        });
        in_place(move |parts| {
            let mut copy = [0; 1024];
            let copy = &mut copy[..canonical_request.len()];
            copy.copy_from_slice(&canonical_request);
            let mut state = [7; 8];
            for text in [&*copy, &string_to_sign, &outer] {
                compress256(&mut state, black_box(text.as_chunks().0));
            }
            black_box(state);
            for (name, value) in &headers {
                parts.headers.insert(name, value.clone());
            }
            let authorization = HeaderValue::try_from(authorization.clone()).expect("valid");
            parts.headers.insert(AUTHORIZATION, authorization);
        })
    }

    pub fn compare(table: &mut Table, setting: &Setting) {
        let explained = setting
            .signer
            .explain(&setting.view(), &setting.credentials, setting.time)
            .expect("signs");
        let rounds = interleaved(
            ROUNDS / 5,
            &mut [
                header_form(setting),
                reqsign(setting, None),
                url_text(setting),
                reqsign(setting, Some(EXPIRES)),
                ossify(setting),
                least(&setting.token, &explained),
            ],
        );
        let what = |form: &str| setting.named(form);
        table.row(
            what("headers: reqsign-aliyun-oss / ours"),
            Goal::AtLeastUpTo {
                goal: 7.0,
                bound: rounds.ratio(1, 5),
            },
            rounds.ratio(1, 0),
        );
        table.row(
            what("URL: reqsign-aliyun-oss / ours"),
            Goal::AtLeast(7.0),
            rounds.ratio(3, 2),
        );
        table.row(what("URL: ossify / ours"), Goal::AtLeast(5.0), rounds.ratio(4, 2));
    }
}

fn main() -> ExitCode {
    let mut table = Table::default();
    for length in [140, 720] {
        let setting = Setting::new(length);
        let Setting {
            signer,
            credentials,
            time,
            ..
        } = &setting;
        let header = signer
            .explain(&setting.view(), credentials, *time)
            .expect("signs");
        let url = signer
            .explain_presign(&setting.view(), credentials, *time, EXPIRES)
            .expect("signs");
        let rounds = interleaved(
            ROUNDS,
            &mut [
                hashing(&header),
                header_form(&setting),
                hashing(&url),
                url_form(&setting),
            ],
        );
        table.row(
            setting.named("headers / bare hashing"),
            Goal::AtMost(2.0),
            rounds.ratio(1, 0),
        );
        table.row(
            setting.named("URL / bare hashing"),
            Goal::AtMost(1.5),
            rounds.ratio(3, 2),
        );
        measure_v1(&mut table, &setting);
        #[cfg(feature = "rivals")]
        rivals::compare(&mut table, &setting);
    }
    table.finish()
}
