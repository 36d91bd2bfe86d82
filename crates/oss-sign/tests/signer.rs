//! The signer of either version, where they differ.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::borrow::Cow;
use std::time::Duration;

use oss_sign::v4::{self, MAX_EXPIRES};
use oss_sign::{SignError, Signer};

const SECOND: Duration = Duration::from_secs(1);

fn v4_signer() -> Signer {
    let builder = v4::Signer::builder("cn-hangzhou").additional_headers(["host", "range"]);
    builder.build().unwrap().into()
}

#[test]
fn v4_urls_last_from_a_second_to_seven_days() {
    let signer = v4_signer();
    assert_eq!(signer.check_expires(SECOND), Ok(()));
    assert_eq!(signer.check_expires(MAX_EXPIRES), Ok(()));
    for (expires, seconds) in [(Duration::from_millis(999), 0), (MAX_EXPIRES + SECOND, 604_801)] {
        assert_eq!(
            signer.check_expires(expires),
            Err(SignError::ExpiresOutOfRange { seconds })
        );
    }
}

#[test]
fn v4_binds_service_headers_the_content_type_and_what_is_listed() {
    let signer = v4_signer();
    for name in ["x-oss-meta-a", "content-type", "content-md5"] {
        assert!(!signer.is_additional(name), "{name}");
        assert!(signer.binds(name, b"") && signer.binds(name, b"v"), "{name}");
    }
    for name in ["host", "range"] {
        assert!(signer.is_additional(name), "{name}");
        assert!(signer.binds(name, b"v"), "{name}");
        assert!(!signer.binds(name, b""), "{name}: an empty value is not signed");
    }
    for name in ["cache-control", "x-os"] {
        assert!(!signer.is_additional(name), "{name}");
        assert!(!signer.binds(name, b"v"), "{name}");
    }
}

#[test]
fn v4_signs_every_parameter_already() {
    let signer = v4_signer();
    let more = signer.with_sub_resources(&["x-new".to_owned()]).unwrap();
    assert!(matches!(more, Cow::Borrowed(_)));
}

#[cfg(feature = "v1")]
mod v1 {
    use super::*;
    use oss_sign::v1;

    fn v1_signer() -> Signer {
        v1::Signer::builder()
            .extra_sub_resources(["x-first"])
            .build()
            .unwrap()
            .into()
    }

    #[test]
    fn v1_urls_last_at_least_a_second() {
        let signer = v1_signer();
        for expires in [Duration::ZERO, Duration::from_millis(999)] {
            assert_eq!(
                signer.check_expires(expires),
                Err(SignError::EndOutOfRange { seconds: 0 })
            );
        }
        assert_eq!(signer.check_expires(SECOND), Ok(()));
        assert_eq!(signer.check_expires(2 * MAX_EXPIRES), Ok(()));
    }

    #[test]
    fn v1_binds_no_other_headers() {
        let signer = v1_signer();
        assert!(signer.binds("x-oss-meta-a", b"v") && signer.binds("content-md5", b"v"));
        assert!(!signer.is_additional("host") && !signer.binds("host", b"v"));
    }

    #[test]
    fn v1_learns_sub_resources_and_keeps_those_it_knows() {
        let signer = v1_signer();
        let same = signer.with_sub_resources(&[]).unwrap();
        assert!(matches!(same, Cow::Borrowed(_)));
        let more = signer.with_sub_resources(&["x-second".to_owned()]).unwrap();
        let names: Vec<_> = match &*more {
            Signer::V1(more) => more.extra_sub_resources().collect(),
            Signer::V4(_) => Vec::new(),
        };
        assert_eq!(names, ["x-first", "x-second"]);
    }
}
