//! Providers that ask a service.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use acs_sign::{ClientKeySigner, SignError};
use acs_sts::{SignatureVersion, StsClient};
use oss_credentials_core::blocking;
use oss_credentials_ecs_ram_role::EcsRamRole;
use oss_credentials_http::{HttpRequest, HttpResponse, http_fn};
use oss_credentials_kms_client_key::{ClientKey, ClientKeyFile, KmsClientKey, KmsInstance, KmsRegion};
use oss_credentials_oidc_rrsa::OidcRrsa;
use oss_credentials_process::CredentialsProcess;
use oss_credentials_reqwest::ReqwestClient;
use oss_credentials_sts_assume_role::StsAssumeRole;
use oss_credentials_uri::CredentialsUri;

use super::{Scenario, clean, clock, credentials, fetch, refused, service};
use crate::secrets::{SECRETS, leak};

const ROLE: &str = "acs:ram::123456789012:role/example";

pub(super) fn all() -> Vec<Scenario> {
    let mut all = vec![
        sts("sts-assume-role: RPC", SignatureVersion::Rpc),
        sts("sts-assume-role: ACS3", SignatureVersion::Acs3),
        sts_refused(),
        clean("sts: whose keys these are", || {
            let body = r#"{"AccountId": "1", "Arn": "acs:ram::1:user/u", "RequestId": "R-1"}"#;
            let client = StsClient::builder(std::sync::Arc::new(service(move |_| (200, body))))
                .clock(clock())
                .build()
                .unwrap();
            blocking::wait(client.get_caller_identity(&credentials())).unwrap();
        }),
    ];
    all.extend(oidc());
    all.extend(metadata());
    all.extend(uri());
    all.extend(kms());
    all.extend(process());
    all.push(over_reqwest());
    all
}

/// An answer of STS.
fn session() -> &'static str {
    leak(format!(
        r#"{{"RequestId": "R-1", "Credentials": {{"AccessKeyId": "STS.ExampleIssuedKeyId", "AccessKeySecret": "{}",
        "SecurityToken": "{}", "Expiration": "2026-03-08T11:42:40Z"}}}}"#,
        SECRETS.issued_secret, SECRETS.issued_token
    ))
}

/// An answer of the metadata service, or of a credentials URI.
pub(super) fn keys() -> &'static str {
    leak(format!(
        r#"{{"Code": "Success", "AccessKeyId": "STS.ExampleIssuedKeyId", "AccessKeySecret": "{}",
        "SecurityToken": "{}", "Expiration": "2026-03-08T11:42:40Z"}}"#,
        SECRETS.issued_secret, SECRETS.issued_token
    ))
}

fn sts(name: &'static str, version: SignatureVersion) -> Scenario {
    let body = session();
    clean(name, move || {
        let source = StsAssumeRole::builder(credentials())
            .role_arn(ROLE)
            .signature_version(version)
            .http_client(service(move |_| (200, body)))
            .clock(clock())
            .build_source()
            .unwrap();
        fetch(source, SECRETS.issued_secret);
    })
}

/// A service that repeats what it was sent.
fn sts_refused() -> Scenario {
    let bodies = [
        leak(format!(
            r#"{{"RequestId": "R-1", "Code": "NoPermission", "Message": "bad token \"{}\" of {}", "Recommend": "https://h/?{}"}}"#,
            SECRETS.token, SECRETS.secret, SECRETS.token
        )),
        leak(format!(
            "<Error><Code>NoPermission</Code><Message>{}</Message></Error>",
            SECRETS.token
        )),
        leak(format!("<html>{}</html>", SECRETS.secret)),
        leak(format!(
            r#"{{"Credentials": {{"AccessKeySecret": "{}"}}}}"#,
            SECRETS.issued_secret
        )),
    ];
    clean("sts-assume-role: refusals that repeat secrets", move || {
        for (status, body) in [
            (403, bodies[0]),
            (403, bodies[1]),
            (502, bodies[2]),
            (200, bodies[3]),
            (400, bodies[3]),
        ] {
            let source = StsAssumeRole::builder(credentials())
                .role_arn(ROLE)
                .http_client(service(move |_| (status, body)))
                .clock(clock())
                .build_source()
                .unwrap();
            refused(source);
        }
    })
}

fn oidc() -> [Scenario; 2] {
    let file = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    std::fs::write(&file, [SECRETS.oidc_token, "\n"].concat()).unwrap();
    let file = std::sync::Arc::new(file);
    let source = move |status, body| {
        OidcRrsa::builder()
            .role_arn(ROLE)
            .oidc_provider_arn("acs:ram::123456789012:oidc-provider/example")
            .oidc_token_file(file.to_path_buf())
            .http_client(service(move |_| (status, body)))
            .clock(clock())
            .build_source()
            .unwrap()
    };
    let (good, again) = (source.clone(), source);
    let bad = leak(format!(
        r#"{{"Code": "AuthenticationFail", "Message": "{} is bad"}}"#,
        SECRETS.oidc_token
    ));
    let body = session();
    [
        clean("oidc-rrsa: a token from a file", move || {
            fetch(good(200, body), SECRETS.issued_secret)
        }),
        clean("oidc-rrsa: a refusal that repeats the token", move || {
            refused(again(400, bad))
        }),
    ]
}

fn metadata() -> [Scenario; 2] {
    let body = keys();
    let source = |status, body: &'static str| {
        EcsRamRole::builder()
            .http_client(service(move |url| match url {
                url if url.ends_with("/token") => (200, SECRETS.metadata_token),
                url if url.ends_with('/') => (200, "example-role"),
                _ => (status, body),
            }))
            .clock(clock())
            .build_source()
            .unwrap()
    };
    let half = leak(format!(
        r#"{{"Code": "Success", "AccessKeySecret": "{}"}}"#,
        SECRETS.issued_secret
    ));
    [
        clean("ecs-ram-role: a token, a role, its keys", move || {
            fetch(source(200, body), SECRETS.issued_secret)
        }),
        clean("ecs-ram-role: answers that are not complete", move || {
            refused(source(200, half));
            refused(source(500, half));
        }),
    ]
}

/// A URI with secrets in it.
fn private() -> String {
    [
        "http://user:",
        SECRETS.password,
        "@127.0.0.1:6666/keys?key=",
        SECRETS.query,
    ]
    .concat()
}

fn uri() -> [Scenario; 4] {
    let body = keys();
    let source = |status, body: &'static str| {
        CredentialsUri::builder()
            .uri(private())
            .http_client(service(move |_| (status, body)))
            .clock(clock())
            .build_source()
            .unwrap()
    };
    let escaped = leak(keys().replacen(
        &SECRETS.issued_token[..9],
        &[&SECRETS.issued_token[..9], "\\/"].concat(),
        1,
    ));
    let bad = leak(format!(
        r#"{{"Code": "Bad", "Message": "{} {}"}}"#,
        SECRETS.password, SECRETS.query
    ));
    [
        clean("uri: user information and query", move || {
            let source = source(200, body);
            drop(format!("{source:?}"));
            fetch(source, SECRETS.issued_secret);
        }),
        clean("uri: a redirect", move || {
            let http = http_fn(move |request: HttpRequest| {
                let is_second = request.url().ends_with(SECRETS.metadata_token);
                std::future::ready(Ok(if is_second {
                    HttpResponse::new(200, body.as_bytes().to_vec())
                } else {
                    let location = ["/elsewhere?key=", SECRETS.metadata_token].concat();
                    HttpResponse::new(307, Vec::new()).with_header("location", location)
                }))
            });
            let source = CredentialsUri::builder().uri(private()).http_client(http);
            fetch(
                source.clock(clock()).build_source().unwrap(),
                SECRETS.issued_secret,
            );
        }),
        Scenario {
            name: "uri: a token that is written with escapes",
            expected: &[("issued token", "serde_json")],
            work: Box::new(move || fetch(source(200, escaped), SECRETS.issued_secret)),
        },
        clean(
            "uri: an answer that repeats the URI, and a URI that is refused",
            move || {
                refused(source(200, bad));
                refused(source(404, bad));
                let uri = [
                    "http://user:",
                    SECRETS.password,
                    "@keys.example.com/?key=",
                    SECRETS.query,
                ]
                .concat();
                assert!(
                    CredentialsUri::builder()
                        .uri(uri)
                        .http_client(service(|_| (200, "")))
                        .build_source()
                        .is_err()
                );
            },
        ),
    ]
}

#[derive(Debug)]
struct Signer;

impl ClientKeySigner for Signer {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(vec![0; 256])
    }
}

fn kms() -> Vec<Scenario> {
    let data = |secret: &str| {
        format!(r#"{{\"AccessKeyId\": \"LTAI5tExampleKeyId01\", \"AccessKeySecret\": \"{secret}\"}}"#)
    };
    let body = leak(format!(
        r#"{{"RequestId": "R-1", "SecretType": "RAMCredentials", "SecretData": "{}"}}"#,
        data(SECRETS.issued_secret)
    ));
    let odd = leak(format!(
        r#"{{"RequestId": "R-1", "SecretData": "{} {{"}}"#,
        SECRETS.issued_secret
    ));
    let echo = leak(format!(
        r#"{{"Code": "Forbidden", "Message": "{}", "SecretData": "{}"}}"#,
        SECRETS.issued_secret, SECRETS.issued_secret
    ));
    let builder = || {
        KmsClientKey::builder()
            .secret_name("acs/ram/user/example")
            .client_key(ClientKey::new("KAAP.example", Signer))
            .clock(clock())
    };
    let shared = move |status, body| {
        builder()
            .region(KmsRegion::new("cn-hangzhou"))
            .http_client(service(move |_| (status, body)))
            .build_source()
            .unwrap()
    };
    // Field 3 is the data, field 2 the type of the secret.
    let plain = data(SECRETS.issued_secret).replace('\\', "");
    let mut message = vec![2 << 3 | 2, 14];
    message.extend_from_slice(b"RAMCredentials");
    message.extend_from_slice(&[3 << 3 | 2, u8::try_from(plain.len()).unwrap()]);
    message.extend_from_slice(plain.as_bytes());
    let message = leak(String::from_utf8(message).unwrap());
    vec![
        clean("kms-client-key: a secret of the shared gateway", move || {
            fetch(shared(200, body), SECRETS.issued_secret)
        }),
        clean("kms-client-key: answers that hold no pair", move || {
            refused(shared(200, odd));
            refused(shared(403, echo));
        }),
        clean("kms-client-key: a secret of an instance", move || {
            let source = builder()
                .instance(KmsInstance::new(
                    "cn-hangzhou",
                    "kst-example.cryptoservice.kms.aliyuncs.com",
                ))
                .instance_http_client(service(move |_| (200, message)))
                .build_source()
                .unwrap();
            fetch(source, SECRETS.issued_secret);
        }),
        clean("kms-client-key: a client key file", || {
            let file =
                ClientKeyFile::open_path(&SECRETS.client_key_file, SECRETS.client_key_password).unwrap();
            drop(format!("{file:?}"));
            drop(file.with_signer(Signer));
            assert!(ClientKeyFile::open_path(&SECRETS.client_key_file, SECRETS.password).is_err());
        }),
    ]
}

fn process() -> [Scenario; 2] {
    let file = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    std::fs::write(&file, keys()).unwrap();
    let broken = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    std::fs::write(&broken, keys().trim_end_matches('}')).unwrap();
    let source = |file: &std::path::Path| {
        CredentialsProcess::builder()
            .command(["/bin/cat".into(), file.as_os_str().to_owned()])
            .clock(clock())
            .build_source()
            .unwrap()
    };
    [
        clean("process: the output of a program", move || {
            fetch(source(&file), SECRETS.issued_secret)
        }),
        clean("process: output that is cut", move || refused(source(&broken))),
    ]
}

/// The same over a real connection.
fn over_reqwest() -> Scenario {
    let answer = leak(format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{}",
        keys().len(),
        keys()
    ));
    Scenario {
        name: "uri: over reqwest",
        expected: &[
            // Buffers of the connection, header values, the URL.
            ("issued secret", "bytes"),
            ("issued token", "bytes"),
            ("password in base64", "bytes"),
            ("password in base64", "hyper"),
            ("query", "bytes"),
            ("query", "hyper"),
            ("query", "reqwest"),
            ("query", "url"),
        ],
        work: Box::new(move || {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap().to_string();
            let server = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0_u8; 4096];
                while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                    assert!(stream.read(&mut request).unwrap() > 0);
                }
                stream.write_all(answer.as_bytes()).unwrap();
            });
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let source = CredentialsUri::builder()
                    .uri(
                        [
                            "http://user:",
                            SECRETS.password,
                            "@",
                            &address,
                            "/keys?key=",
                            SECRETS.query,
                        ]
                        .concat(),
                    )
                    .http_client(ReqwestClient::new())
                    .clock(clock())
                    .build_source()
                    .unwrap();
                let fetched = oss_credentials_core::CredentialsSource::fetch(&source)
                    .await
                    .unwrap();
                assert_eq!(fetched.credentials().access_key_secret(), SECRETS.issued_secret);
            });
            drop(runtime);
            server.join().unwrap();
        }),
    }
}
