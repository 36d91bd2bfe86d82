//! Who sends requests.

use std::hint::black_box;

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use oss_client::Client;
use oss_credentials_core::{CredentialsSource as _, Fetched, RefreshingProvider, source_fn};
use oss_credentials_ecs_ram_role::EcsRamRole;
use oss_credentials_reqwest::ReqwestClient;
use oss_credentials_sts_assume_role::StsAssumeRole;
use oss_sign::RequestView;
use oss_sign::v4::Signer;
use sha2::{Digest as _, Sha256};

use benches::server::{LARGE, LARGE_KEY};
use benches::setting::{BUCKET, REGION, Standing};

use crate::{KEY, SMALL, credentials};
use oss_credentials_core::Clock as _;

/// Runs a contender; `false` if there is none of this name.
pub(crate) fn run(name: &str, address: &str, count: usize) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("builds");
    let (who, what) = name.split_once('-').unwrap_or((name, ""));
    match (who, what) {
        ("hashing", _) => hashing(count, what),
        ("bare", "role" | "metadata") => runtime.block_on(bare_refresh(address, count, what)),
        ("bare", _) => runtime.block_on(bare(address, count, what)),
        ("ours", "role") => runtime.block_on(role(address, count)),
        ("ours", "metadata") => runtime.block_on(metadata(address, count)),
        ("ours" | "plain", _) => runtime.block_on(ours(address, count, what, who == "ours")),
        #[cfg(feature = "rivals")]
        ("ossify", _) => runtime.block_on(rivals::ossify(address, count, what)),
        #[cfg(feature = "rivals")]
        ("others", _) => runtime.block_on(rivals::ali_oss_rs(address, count, what)),
        _ => return false,
    }
    true
}

fn key(what: &str) -> &'static str {
    match what {
        "download" | "upload" => LARGE_KEY,
        _ => KEY,
    }
}

/// What is uploaded: clones share it.
fn content(what: &str) -> Bytes {
    match what {
        "put" => Bytes::from_static(SMALL),
        "upload" => vec![b'x'; usize::try_from(LARGE).expect("fits")].into(),
        _ => Bytes::new(),
    }
}

async fn bare(address: &str, count: usize, what: &str) {
    let client = reqwest::Client::builder().no_proxy().build().expect("builds");
    let url = format!("http://{address}/{BUCKET}/{}", key(what));
    let content = content(what);
    for _ in 0..count {
        let request = match what {
            "get" | "download" => client.get(&url),
            _ => client.put(&url).body(content.clone()),
        };
        let mut response = request.send().await.expect("answers");
        while let Some(piece) = response.chunk().await.expect("arrives") {
            black_box(piece);
        }
    }
}

async fn ours(address: &str, count: usize, what: &str, check_crc: bool) {
    let provider =
        RefreshingProvider::builder(source_fn("bench", || async { Ok(Fetched::new(credentials())) }));
    let client = Client::builder()
        .region(REGION)
        .endpoint(format!("http://{address}"))
        .no_proxy()
        .check_crc(check_crc)
        .clock(Standing)
        .credentials(provider.clock(Standing).build());
    let client = client.build().expect("valid");
    let content = content(what);
    for _ in 0..count {
        if matches!(what, "get" | "download") {
            let mut response = client
                .get_object(BUCKET, key(what))
                .send()
                .await
                .expect("answers");
            while let Some(piece) = response.chunk().await.expect("arrives") {
                black_box(piece);
            }
        } else {
            let put = client.put_object(BUCKET, key(what), content.clone());
            black_box(put.send().await.expect("answers"));
        }
    }
}

/// The exchanges of a refresh, without credentials.
async fn bare_refresh(address: &str, count: usize, what: &str) {
    let client = reqwest::Client::builder().no_proxy().build().expect("builds");
    let url = |path: &str| format!("http://{address}{path}");
    for _ in 0..count {
        let requests = if what == "role" {
            vec![client.post(url("/")).body("")]
        } else {
            vec![
                client.put(url("/latest/api/token")).body(""),
                client.get(url("/latest/meta-data/ram/security-credentials/bench")),
            ]
        };
        for request in requests {
            black_box(
                request
                    .send()
                    .await
                    .expect("answers")
                    .bytes()
                    .await
                    .expect("arrives"),
            );
        }
    }
}

async fn role(address: &str, count: usize) {
    let source = StsAssumeRole::builder(credentials())
        .role_arn("acs:ram::123456789012:role/reader")
        .role_session_name("bench")
        .endpoint(format!("http://{address}"))
        .allow_http(true)
        .http_client(ReqwestClient::new())
        .clock(Standing)
        .build_source()
        .expect("valid");
    for _ in 0..count {
        black_box(source.fetch().await.expect("fetches"));
    }
}

async fn metadata(address: &str, count: usize) {
    let source = EcsRamRole::builder()
        .role_name("bench")
        .endpoint(format!("http://{address}"))
        .http_client(ReqwestClient::new())
        .clock(Standing)
        .build_source()
        .expect("valid");
    for _ in 0..count {
        black_box(source.fetch().await.expect("fetches"));
    }
}

fn hashing(count: usize, what: &str) {
    let signer = Signer::builder(REGION).build().expect("valid");
    let (method, headers): (_, &[(&str, &[u8])]) = match what {
        "get" => ("GET", &[]),
        // As the key's extension says.
        _ => ("PUT", &[("content-type", b"text/plain")]),
    };
    let view = RequestView::new(method).bucket(BUCKET).key(KEY);
    let explained = signer
        .explain(&view.headers(headers), &credentials(), Standing.now())
        .expect("signs");
    let keyed = Hmac::<Sha256>::new_from_slice(&[7; 32]).expect("any length");
    for _ in 0..count {
        black_box(Sha256::digest(black_box(explained.canonical_request())));
        let mut mac = keyed.clone();
        mac.update(black_box(explained.string_to_sign().as_bytes()));
        black_box(mac.finalize());
    }
}

#[cfg(feature = "rivals")]
mod rivals {
    //! Other clients, with the same credentials.

    use std::hint::black_box;

    use ali_oss_rs::object::ObjectOperations as _;
    use ossify::ops::object::base::{GetObjectOperations as _, PutObjectOperations as _};

    use super::{content, key};
    use crate::credentials;
    use benches::setting::{self, BUCKET, REGION};

    pub(super) async fn ossify(address: &str, count: usize, what: &str) {
        let client = setting::ossify(address, &credentials());
        let content = content(what);
        for _ in 0..count {
            if matches!(what, "get" | "download") {
                let params = Default::default();
                black_box(client.get_object(key(what), params, None).await.expect("answers"));
            } else {
                black_box(
                    client
                        .put_object(key(what), content.clone(), None)
                        .await
                        .expect("answers"),
                );
            }
        }
    }

    /// It writes the bucket in front of the host, which leads here by a name of its own.
    pub(super) async fn ali_oss_rs(address: &str, count: usize, what: &str) {
        let keys = credentials();
        let address: std::net::SocketAddr = address.parse().expect("an address");
        let host = "oss.example";
        let http = ali_oss_rs::reqwest::Client::builder()
            .no_proxy()
            .resolve(&format!("{BUCKET}.{host}"), address)
            .build()
            .expect("builds");
        let endpoint = format!("http://{host}:{}", address.port());
        let client = ali_oss_rs::ClientBuilder::new(keys.access_key_id(), keys.access_key_secret(), endpoint)
            .region(REGION)
            .sts_token(keys.security_token().unwrap_or_default())
            .client(http)
            .build()
            .expect("valid");
        let content = content(what);
        for _ in 0..count {
            if matches!(what, "get" | "download") {
                black_box(
                    client
                        .get_object_to_buffer(BUCKET, key(what), None)
                        .await
                        .expect("answers"),
                );
            } else {
                let put = client.put_object_from_buffer(BUCKET, key(what), content.to_vec(), None);
                black_box(put.await.expect("answers"));
            }
        }
    }
}
