//! What reqwest sends is what was signed: requests and URLs against vectors of the official clients.
//!
//! The vectors were made with `alibabacloud-oss-v2` 1.4.1 (Python) and checked with `oss2` 2.19.1 and with
//! `alibabacloud-oss-go-sdk-v2`. All keys are fake.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::time::{Duration, SystemTime};

use common::{NOW, Server, builder, ok};
use oss_client::LimitedBy;
use oss_credentials_core::Credentials;

struct Vector {
    id: &'static str,
    method: &'static str,
    key: &'static str,
    query: &'static [(&'static str, &'static str)],
    /// Id, secret, and token if there is one.
    keys: (&'static str, &'static str, &'static str),
    /// Path and query of the virtual-hosted URL, before signing.
    target: &'static str,
    header_signature: &'static str,
    /// Of a URL for an hour. A PUT is bound to `application/octet-stream` here too.
    url_signature: &'static str,
}

const VECTORS: [Vector; 15] = [
    Vector {
        id: "get-simple",
        method: "GET",
        key: "exampleobject.txt",
        query: &[],
        keys: ("FakeAccessKeyId0001", "FakeAccessKeySecret0001", ""),
        target: "/exampleobject.txt",
        header_signature: "17691d81c56e32a35642cee705b55458f7ef45bd771f2b28bfa5981ae84f51dd",
        url_signature: "6fa0d70f02e9a2d075c2333b894635a66b229852623f93119274c10f32a403fb",
    },
    Vector {
        id: "key-unicode",
        method: "GET",
        key: "目录/文件名.txt",
        query: &[],
        keys: ("FakeAccessKeyId0001", "FakeAccessKeySecret0001", ""),
        target: "/%E7%9B%AE%E5%BD%95/%E6%96%87%E4%BB%B6%E5%90%8D.txt",
        header_signature: "b26744250a68ca5e0b3f384c33118583a1ecb942ba8d8adeb3cdfb84c6fc103e",
        url_signature: "46116b0d736b41829a627dbaedbc3d5f62d972e83d6d12d5a2b2777d04ce2d87",
    },
    Vector {
        id: "key-space",
        method: "GET",
        key: "my dir/a b  c.txt",
        query: &[],
        keys: ("FakeAccessKeyId0001", "FakeAccessKeySecret0001", ""),
        target: "/my%20dir/a%20b%20%20c.txt",
        header_signature: "fcd4bebd673efc1be6f0af9338d5fc66f22b9c3c93dc815c2413612b25a4f359",
        url_signature: "4225a435ecb34ac00601eea97cc870c1d35a420346186f4432a0189297542068",
    },
    Vector {
        id: "key-plus",
        method: "GET",
        key: "a+b/c++.txt",
        query: &[],
        keys: ("FakeAccessKeyId0001", "FakeAccessKeySecret0001", ""),
        target: "/a%2Bb/c%2B%2B.txt",
        header_signature: "b5efe5ccc0b928b12d04c871e061755dbd31b04316a28c3a30941954ee2719ce",
        url_signature: "7a058ce7e70676e4a71a22f1d2597ca3df43e58c68deba26c7b59408973fcbc2",
    },
    Vector {
        id: "key-tilde-star",
        method: "GET",
        key: "~tilde/star*key_-.txt",
        query: &[],
        keys: ("FakeAccessKeyId0001", "FakeAccessKeySecret0001", ""),
        target: "/~tilde/star%2Akey_-.txt",
        header_signature: "cdfc5c298e6c5202756b61459bcdccc31bde5d600bcdbe82d6c442f85d1dd637",
        url_signature: "ac8da3889a6d595f1a216b212224226962330e3d32c5f544586032e7bb98f87f",
    },
    Vector {
        id: "key-percent",
        method: "GET",
        key: "100%/a%2Fb%20c",
        query: &[],
        keys: ("FakeAccessKeyId0001", "FakeAccessKeySecret0001", ""),
        target: "/100%25/a%252Fb%2520c",
        header_signature: "e63254bb1f6d88ef57fc8d08b1252c74a1e65c2718415d9469e4902d93104804",
        url_signature: "e127bfe78ddc599f8593ef28eb2ddc727ba9e1f44ecaff3fb1033a0ef17c4d13",
    },
    Vector {
        id: "key-leading-slash",
        method: "PUT",
        key: "/leading/slash.bin",
        query: &[],
        keys: ("FakeAccessKeyId0001", "FakeAccessKeySecret0001", ""),
        target: "//leading/slash.bin",
        header_signature: "48e556768330db2489f349124a76186dfcdc023038ee3388bfd89e1a15df2152",
        url_signature: "332cb62e608f7d7a5eff91c1c66502a48f1c12468746a729f00f73c2e211d7f1",
    },
    Vector {
        id: "key-reserved",
        method: "GET",
        key: "a:b@c,d;e$f&g=h!i'j(k)l[m]n{o}p|q\\r^s`t\"u<v>w",
        query: &[],
        keys: ("FakeAccessKeyId0001", "FakeAccessKeySecret0001", ""),
        target: "/a%3Ab%40c%2Cd%3Be%24f%26g%3Dh%21i%27j%28k%29l%5Bm%5Dn%7Bo%7Dp%7Cq%5Cr%5Es%60t%22u%3Cv%3Ew",
        header_signature: "c0cbe5831e71bfd9405531c62f5b32c3b571942b568aef87b13031a3f5b6dfa6",
        url_signature: "61edbb3e8641e25f09fd45a1912487fbea00c96e4f99bfcc7ea941a564f7f461",
    },
    Vector {
        id: "key-question-hash",
        method: "GET",
        key: "what?is#this",
        query: &[],
        keys: ("FakeAccessKeyId0001", "FakeAccessKeySecret0001", ""),
        target: "/what%3Fis%23this",
        header_signature: "afea0c2005d85469a252ff9789e1c8f3ff6d5e45c04a1a2e4285fd5e1aa1b2b5",
        url_signature: "df5d3411bf1d7d37f458639b3910b78e368956aa04e45c4c636fddad5e98a427",
    },
    Vector {
        id: "key-emoji-nfd",
        method: "GET",
        key: "e\u{301}/😀.png",
        query: &[],
        keys: ("FakeAccessKeyId0001", "FakeAccessKeySecret0001", ""),
        target: "/e%CC%81/%F0%9F%98%80.png",
        header_signature: "a0743fefd45664df6262137daf48e60441512fc88261a8dc5a2eee15e5b38661",
        url_signature: "17b155a3851325dd79faf132a992dc9c5c6cd5911ed6ffba7fa6d61c5f48498b",
    },
    Vector {
        id: "key-control",
        method: "GET",
        key: "tab\there\nnewline",
        query: &[],
        keys: ("FakeAccessKeyId0001", "FakeAccessKeySecret0001", ""),
        target: "/tab%09here%0Anewline",
        header_signature: "09a6bf4b0012e835523fa04ad4b59b95f3826f902b58bfb06420fbc80a37ac85",
        url_signature: "e0c70cf1fd4b862cc77358400a5edf618b0abf6eb06abf053f2e546e282acd3f",
    },
    Vector {
        id: "version-id",
        method: "GET",
        key: "exampledir/exampleobject.txt",
        query: &[(
            "versionId",
            "CAEQARiBgID8rumR2hYiIGUyOTAyZGY2MzU5MjQ5ZjlhYzQzZjNlYTAyZDE3****",
        )],
        keys: ("FakeAccessKeyId0001", "FakeAccessKeySecret0001", ""),
        target: "/exampledir/exampleobject.txt?versionId=CAEQARiBgID8rumR2hYiIGUyOTAyZGY2MzU5MjQ5ZjlhYzQzZjNlYTAyZDE3%2A%2A%2A%2A",
        header_signature: "f7edcc3c9aff0cc9dffa2867bff7eaf5d17482fab05de11f9b846ec20de796a3",
        url_signature: "a6b7406e8b10294d8fdd2849041b67d8d180d8bfc5d356d6193d21762856880b",
    },
    Vector {
        id: "response-overrides",
        method: "GET",
        key: "report.pdf",
        query: &[
            (
                "response-content-disposition",
                "attachment; filename=\"a b+c 报告.pdf\"",
            ),
            ("response-content-type", "application/pdf; charset=utf-8"),
            ("response-cache-control", "no-cache"),
            ("response-expires", "Fri, 01 Jan 2027 00:00:00 GMT"),
            ("response-content-language", "zh-CN"),
            ("response-content-encoding", "gzip"),
        ],
        keys: (
            "STS.FakeTempKeyId0002",
            "FakeTempSecret0002",
            "FakeSecurityToken0002",
        ),
        target: "/report.pdf?response-content-disposition=attachment%3B%20filename%3D%22a%20b%2Bc%20%E6%8A%A5%E5%91%8A.pdf%22&response-content-type=application%2Fpdf%3B%20charset%3Dutf-8&response-cache-control=no-cache&response-expires=Fri%2C%2001%20Jan%202027%2000%3A00%3A00%20GMT&response-content-language=zh-CN&response-content-encoding=gzip",
        header_signature: "349e8285c1e62906944257ab4fd0a0cba7a9d36806512e8699e232a1288bf4de",
        url_signature: "08cc09100cc4049b571ca8160dfb3f02f47b9cb8061e289d617cd73d344d319e",
    },
    Vector {
        id: "sts-plain",
        method: "GET",
        key: "exampleobject.txt",
        query: &[],
        keys: (
            "STS.FakeTempKeyId0002",
            "FakeTempSecret0002",
            "FakeSecurityToken0002",
        ),
        target: "/exampleobject.txt",
        header_signature: "5f98741ad8be5f5aca75bc11d6432eadc1a842754c21ed59e7b5ef7e1e9cacb9",
        url_signature: "6f4be0f0c712c35740e751d7749443d696319150fe162906570e315dd93bc192",
    },
    Vector {
        id: "sts-hard",
        method: "GET",
        key: "exampleobject.txt",
        query: &[("versionId", "null")],
        keys: (
            "STS.FakeTempKeyId0003",
            "FakeTempSecret+0003/With==Chars",
            "CAIS+Fake/Token==0003 with space&amp=1%25",
        ),
        target: "/exampleobject.txt?versionId=null",
        header_signature: "a361310c3e0139a0e2b79cdeb2b672c2d569ffa83a68a1bff980afce97182c11",
        url_signature: "b34265443004579119fe0f9030cef91ee7f02ef7476de5b46d300ef9d05c72c8",
    },
];

impl Vector {
    fn credentials(&self) -> Credentials {
        let (id, secret, token) = self.keys;
        Credentials::builder(id, secret)
            .security_token(token)
            .build()
            .unwrap()
    }
}

#[tokio::test]
async fn requests_go_out_exactly_as_they_were_signed() {
    for vector in &VECTORS {
        // Path-style on loopback: the signature does not depend on where the bucket stands.
        let server = Server::start([ok()]);
        let client = builder(&server.endpoint(), vector.credentials()).build().unwrap();
        match vector.method {
            "GET" => {
                let mut request = client.get_object("examplebucket", vector.key);
                for (name, value) in vector.query {
                    request = request.query(*name, *value);
                }
                request.send().await.map(drop)
            }
            _ => client
                .put_object("examplebucket", vector.key, "x")
                .send()
                .await
                .map(drop),
        }
        .unwrap_or_else(|error| panic!("{}: {error}", vector.id));
        let received = &server.received()[0];
        assert_eq!(
            received.line,
            format!("{} /examplebucket{}", vector.method, vector.target),
            "{}",
            vector.id
        );
        let authorization = format!(
            "OSS4-HMAC-SHA256 Credential={}/20260101/cn-hangzhou/oss/aliyun_v4_request,Signature={}",
            vector.keys.0, vector.header_signature
        );
        assert_eq!(
            received.header("authorization"),
            Some(&*authorization),
            "{}",
            vector.id
        );
        assert_eq!(received.header("x-oss-date"), Some("20260101T083000Z"));
        assert_eq!(received.header("date"), Some("Thu, 01 Jan 2026 08:30:00 GMT"));
        let token = Some(vector.keys.2).filter(|token| !token.is_empty());
        assert_eq!(received.header("x-oss-security-token"), token);
    }
}

#[tokio::test]
async fn presigned_urls_are_those_of_the_official_clients() {
    for vector in &VECTORS {
        let client = builder("http://oss-cn-hangzhou.aliyuncs.com", vector.credentials())
            .build()
            .unwrap();
        let hour = Duration::from_secs(3600);
        let mut request = match vector.method {
            "GET" => client.presign_get("examplebucket", vector.key, hour),
            _ => client
                .presign_put("examplebucket", vector.key, hour)
                .content_type("application/octet-stream"),
        };
        for (name, value) in vector.query {
            request = request.query(*name, *value);
        }
        let presigned = request.await.unwrap();
        let url = reqwest::Url::parse(presigned.url()).unwrap();
        assert_eq!(
            url.as_str(),
            presigned.url(),
            "a URL library changes nothing of {}",
            vector.id
        );
        assert_eq!(url.host_str(), Some("examplebucket.oss-cn-hangzhou.aliyuncs.com"));
        let (path, query) = vector.target.split_once('?').unwrap_or((vector.target, ""));
        assert_eq!(url.path(), path, "{}", vector.id);
        let mut pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        pairs.sort();
        let mut expected: Vec<(String, String)> = [
            ("x-oss-signature-version", "OSS4-HMAC-SHA256"),
            ("x-oss-date", "20260101T083000Z"),
            ("x-oss-expires", "3600"),
            (
                "x-oss-credential",
                &format!("{}/20260101/cn-hangzhou/oss/aliyun_v4_request", vector.keys.0),
            ),
            ("x-oss-security-token", vector.keys.2),
            ("x-oss-signature", vector.url_signature),
        ]
        .iter()
        .chain(vector.query)
        .filter(|(name, value)| *name != "x-oss-security-token" || !value.is_empty())
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
        expected.sort();
        assert_eq!(pairs, expected, "{}", vector.id);
        assert!(
            query.split('&').all(|pair| presigned.url().contains(pair)),
            "{}",
            vector.id
        );

        assert_eq!(presigned.method(), vector.method);
        assert_eq!(
            presigned.valid_until(),
            SystemTime::UNIX_EPOCH + Duration::from_secs(NOW + 3600)
        );
        assert_eq!(presigned.limited_by(), LimitedBy::Asked);
        let headers: Vec<_> = presigned.headers().collect();
        match vector.method {
            "GET" => assert!(headers.is_empty()),
            _ => assert_eq!(headers, [("content-type", &b"application/octet-stream"[..])]),
        }
        let shown = format!("{presigned:?}");
        assert!(
            shown.contains("?<redacted>") && !shown.contains(vector.url_signature),
            "{shown}"
        );
    }
}
