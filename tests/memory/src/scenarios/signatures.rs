//! The signers.

use std::time::Duration;

use acs_sign::{ApiRequest, acs3, rpc};
use oss_sign::v4::PostPolicy;
use oss_sign::{RequestView, v1, v4};

use super::{Scenario, clean, credentials, now};
use crate::secrets::{REGION, SECRETS};

const HOUR: Duration = Duration::from_secs(3600);

pub(super) fn all() -> Vec<Scenario> {
    vec![
        clean("RPC signature", || {
            let request =
                ApiRequest::new("POST", "sts.aliyuncs.com", "AssumeRole", "2015-04-01").form(&[("a", "b")]);
            let signed = rpc::sign(&request, &credentials(), now(), "n-1").unwrap();
            drop(format!("{signed:?} {:?}", signed.clone()));
        }),
        clean("ACS3 signature", || {
            let form = [("OIDCToken", SECRETS.oidc_token)];
            let request = ApiRequest::new("POST", "sts.aliyuncs.com", "AssumeRole", "2015-04-01").form(&form);
            let signed = acs3::sign(&request, &credentials(), now(), "n-1").unwrap();
            drop(format!("{signed:?} {:?}", signed.clone()));
        }),
        clean("V4: headers", || {
            let signer = v4::Signer::builder(REGION).build().unwrap();
            let signed = signer.sign(&view(), &credentials(), now()).unwrap();
            assert!(signed.headers().count() > 3);
            // Two more seconds, another day, other credentials: each replaces what is cached.
            for later in [1, 2, 90_000] {
                signer
                    .sign(&view(), &credentials(), now() + Duration::from_secs(later))
                    .unwrap();
            }
        }),
        clean("V4: many headers and a long key", || {
            let signer = v4::Signer::builder(REGION).build().unwrap();
            let key = "k".repeat(900);
            let headers: Vec<(String, String)> = (0..40)
                .map(|at| (format!("x-oss-meta-{at}"), "v".repeat(60)))
                .collect();
            let headers: Vec<(&str, &[u8])> = headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_bytes()))
                .collect();
            let view = RequestView::new("PUT")
                .bucket("examplebucket")
                .key(key.as_str())
                .headers(&headers[..]);
            signer.sign(&view, &credentials(), now()).unwrap();
            drop(signer.explain(&view, &credentials(), now()).unwrap());
        }),
        clean("V4: the signature is explained", || {
            let signer = v4::Signer::builder(REGION).build().unwrap();
            drop(signer.explain(&view(), &credentials(), now()).unwrap().clone());
            drop(
                signer
                    .explain_presign(&view(), &credentials(), now(), HOUR)
                    .unwrap(),
            );
        }),
        clean("V4: a presigned URL", || {
            let signer = v4::Signer::builder(REGION).build().unwrap();
            let presigned = signer.presign(&view(), &credentials(), now(), HOUR).unwrap();
            drop(format!("{presigned:?} {:?}", presigned.clone()));
            let headers = [("x-oss-meta-a", &b"b"[..])];
            drop(
                signer
                    .presign(&view().headers(&headers[..]), &credentials(), now(), HOUR)
                    .unwrap(),
            );
        }),
        clean("V4: the parts of a request", || {
            let signer = v4::Signer::builder(REGION).build().unwrap();
            let (mut parts, ()) = parts();
            for later in 0..2 {
                let time = now() + Duration::from_secs(later);
                signer
                    .sign_parts(&mut parts, Some("examplebucket"), Some("k"), &credentials(), time)
                    .unwrap();
            }
        }),
        clean("V4: the fields of a form", || {
            let signer = v4::Signer::builder(REGION).build().unwrap();
            let policy = PostPolicy::new("examplebucket").equals("key", "k");
            drop(
                signer
                    .sign_post(&policy, &credentials(), now(), HOUR)
                    .unwrap()
                    .clone(),
            );
        }),
        clean("V1: headers", || {
            let signed = v1::Signer::new().sign(&view(), &credentials(), now()).unwrap();
            assert!(signed.headers().count() > 1);
            drop(v1::Signer::new().explain(&view(), &credentials(), now()).unwrap());
        }),
        clean("V1: a presigned URL", || {
            let presigned = v1::Signer::new()
                .presign(&view(), &credentials(), now(), HOUR)
                .unwrap();
            drop(format!("{presigned:?}"));
            drop(
                v1::Signer::new()
                    .explain_presign(&view(), &credentials(), now(), HOUR)
                    .unwrap(),
            );
        }),
        clean("V1: the parts of a request", || {
            let (mut parts, ()) = parts();
            v1::Signer::new()
                .sign_parts(
                    &mut parts,
                    Some("examplebucket"),
                    Some("k"),
                    &credentials(),
                    now(),
                )
                .unwrap();
        }),
    ]
}

fn view() -> RequestView<'static> {
    RequestView::new("GET").bucket("examplebucket").key("k")
}

fn parts() -> (http::request::Parts, ()) {
    http::Request::get("https://examplebucket.oss-cn-hangzhou.aliyuncs.com/k")
        .body(())
        .unwrap()
        .into_parts()
}
