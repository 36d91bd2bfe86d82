//! Version 4.

mod received;
mod requests;
mod urls;

use oss_sign::RequestView;
use oss_sign::v4::Signer;

use crate::{fixed, time};

/// Signature of the vector `get-simple`.
const SIMPLE: &str = "17691d81c56e32a35642cee705b55458f7ef45bd771f2b28bfa5981ae84f51dd";

fn signer() -> Signer {
    Signer::builder("cn-hangzhou").build().unwrap()
}

fn canonical(signer: &Signer, view: &RequestView<'_>) -> String {
    let explained = signer.explain(view, &fixed(), time()).unwrap();
    String::from_utf8(explained.canonical_request().to_vec()).unwrap()
}
