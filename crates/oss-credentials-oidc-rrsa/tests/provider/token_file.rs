//! The token file: when it is read, and what it may hold.

use std::time::Duration;

use crate::service::{JWT, NOW, Service, an_hour, at, fetch, refusal, session};
use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{
    ChainProvider, CredentialsError, CredentialsProvider, CredentialsSource, blocking, provider_fn,
};
use oss_credentials_http::HttpResponse;

#[test]
fn it_is_read_at_every_refresh_and_not_before() {
    let clock = ManualClock::at_unix(NOW);
    let service = Service::new()
        .answers(200, an_hour("STS.A"))
        .answers(200, session("STS.B", "2026-01-02T05:04:05Z"));
    let provider = service.builder().clock(clock.clone()).build().unwrap();
    service.write("canary-oidc-first");
    blocking::wait(provider.credentials()).unwrap();
    service.write("canary-oidc-second\n");
    clock.advance(Duration::from_secs(3601));
    blocking::wait(provider.credentials()).unwrap();
    assert_eq!(service.tokens(), ["canary-oidc-first", "canary-oidc-second"]);
}

#[test]
fn white_space_and_a_byte_order_mark_around_the_token_are_no_part_of_it() {
    for content in [
        format!("{JWT}\r\n"),
        format!("\n  {JWT}\t\n\n"),
        format!("\u{feff}{JWT}\n"),
        JWT.to_owned(),
    ] {
        let service = Service::new().answers(200, an_hour("STS.A"));
        service.write(&content);
        fetch(service.builder()).unwrap();
        assert_eq!(service.tokens(), [JWT], "{content:?}");
        // No newline in any encoding.
        let body = String::from_utf8(service.requests()[0].body().to_vec()).unwrap();
        assert!(
            !body.contains("%0A") && !body.contains("%0D") && !body.contains("%EF"),
            "{body}"
        );
    }
}

#[test]
fn what_is_no_token_is_refused_and_not_sent() {
    let long = format!("{JWT}\n{}", " ".repeat(64 * 1024 - JWT.len()));
    let many = "x".repeat(20_001);
    for (content, what) in [
        (&b""[..], "the OIDC token file is empty"),
        (b" \r\n\t\n", "the OIDC token file is empty"),
        ("\u{feff}\n".as_bytes(), "the OIDC token file is empty"),
        (
            b"\xff\xfec\0a\0n\0a\0r\0y\0",
            "the OIDC token file is not UTF-8 text",
        ),
        (b"canary\xff", "the OIDC token file is not UTF-8 text"),
        (
            b"canary-a.b.c\ncanary-d.e.f\n",
            "the OIDC token contains white space or a character that no JWT has",
        ),
        (
            b"canary-a\0b",
            "the OIDC token contains white space or a character that no JWT has",
        ),
        (
            "canary-图".as_bytes(),
            "the OIDC token contains white space or a character that no JWT has",
        ),
        (b"abc", "the OIDC token has 3 characters"),
        (many.as_bytes(), "the OIDC token has 20001 characters"),
        (long.as_bytes(), "the OIDC token file is larger than 64 KiB"),
    ] {
        let service = Service::new();
        service.write(content);
        let error = fetch(service.builder()).unwrap_err();
        assert!(
            matches!(error, CredentialsError::InvalidConfig(_)),
            "{what}: {error:?}"
        );
        let text = error.to_string();
        let start = format!("oidc-rrsa: {what} ({}); ", service.file().display());
        assert!(text.starts_with(&start), "{text}");
        assert!(!format!("{text} {error:?}").contains("canary"), "{error:?}");
        assert!(service.requests().is_empty());
    }
    // As large as allowed.
    let service = Service::new().answers(200, an_hour("STS.A"));
    service.write(&long[..64 * 1024]);
    fetch(service.builder()).unwrap();
    assert_eq!(service.tokens(), [JWT]);
}

#[test]
fn an_empty_file_is_unavailable_for_a_second() {
    let clock = ManualClock::at_unix(NOW);
    for empty in ["", " \n", "\u{feff}"] {
        let service = Service::new();
        service.write(empty);
        let file = std::fs::File::options().write(true).open(service.file()).unwrap();
        file.set_modified(at(NOW)).unwrap();
        for (age, kind, what) in [
            (
                0,
                "unavailable",
                "is empty, and was modified less than a second ago",
            ),
            (
                999,
                "unavailable",
                "is empty, and was modified less than a second ago",
            ),
            (1000, "invalid-config", "is empty"),
        ] {
            clock.set(at(NOW) + Duration::from_millis(age));
            let error = fetch(service.builder().clock(clock.clone())).unwrap_err();
            assert_eq!(error.kind(), kind, "{age} ms: {error}");
            let start = format!(
                "oidc-rrsa: the OIDC token file {what} ({}); ",
                service.file().display()
            );
            assert!(error.to_string().starts_with(&start), "{error}");
        }
    }
}

#[test]
fn a_missing_file_is_not_taken_for_a_source_that_is_not_set_up() {
    let service = Service::new();
    std::fs::remove_file(service.file()).unwrap();
    let error = fetch(service.builder()).unwrap_err();
    assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        format!(
            "oidc-rrsa: there is no OIDC token file ({}); mount the token there, or correct oidc_token_file(..) or \
             ALIBABA_CLOUD_OIDC_TOKEN_FILE",
            service.file().display()
        )
    );
    assert!(std::error::Error::source(&error).is_some());

    // So no chain walks on to another identity.
    let chain = ChainProvider::builder()
        .member("oidc-rrsa", service.builder().build())
        .member(
            "other",
            Ok(provider_fn("other", || panic!("this is another identity"))),
        )
        .build();
    let error = blocking::wait(chain.credentials()).unwrap_err();
    assert!(
        error.to_string().contains("there is no OIDC token file"),
        "{error}"
    );
}

#[test]
fn a_folder_is_no_token_file() {
    let service = Service::new();
    let folder = service.file().parent().unwrap().to_owned();
    for (path, what) in [
        (folder, "the OIDC token file is not a regular file"),
        (service.file().join("below"), "there is no OIDC token file"),
    ] {
        let error = fetch(service.builder().oidc_token_file(&path)).unwrap_err();
        assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
        assert!(
            error
                .to_string()
                .starts_with(&format!("oidc-rrsa: {what} ({})", path.display())),
            "{error}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_link_to_the_file_is_followed_at_every_read() {
    // As Kubernetes mounts it: `token` leads to `..data/token`, and `..data` to a folder per generation.
    let service = Service::new();
    let link = service.file().with_file_name("link");
    std::os::unix::fs::symlink(service.file(), &link).unwrap();
    let service = service.answers(200, an_hour("STS.A"));
    fetch(service.builder().oidc_token_file(link)).unwrap();
    assert_eq!(service.tokens(), [JWT]);
}

#[test]
fn a_file_that_comes_back_is_read() {
    let clock = ManualClock::at_unix(NOW);
    let service = Service::new().answers(200, an_hour("STS.A"));
    std::fs::remove_file(service.file()).unwrap();
    let source = service.builder().clock(clock).build_source().unwrap();
    blocking::wait(source.fetch()).unwrap_err();
    service.write(JWT);
    blocking::wait(source.fetch()).unwrap();
}

#[test]
fn a_token_renewed_during_the_call_is_tried_once() {
    for code in ["Expired", "Invalid", "PublicKeyFingerprintMismatch"] {
        let code = format!("AuthenticationFail.OIDCToken.{code}");
        let service = Service::new();
        let (file, body) = (service.clone(), refusal(&code));
        let service = service
            .then(move |_| {
                file.write("canary-oidc-renewed");
                Ok(HttpResponse::new(400, body.clone().into_bytes()))
            })
            .answers(200, an_hour("STS.A"));
        fetch(service.builder()).unwrap();
        assert_eq!(service.tokens(), [JWT, "canary-oidc-renewed"], "{code}");
    }
}

#[test]
fn a_renewed_token_that_is_rejected_too_ends_the_attempt() {
    let service = Service::new();
    let (first, second) = (service.clone(), service.clone());
    let refuse = |code: &str| Ok(HttpResponse::new(400, refusal(code).into_bytes()));
    let service = service
        .then(move |_| {
            first.write("canary-oidc-second");
            refuse("AuthenticationFail.OIDCToken.Expired")
        })
        .then(move |_| {
            second.write("canary-oidc-third");
            refuse("AuthenticationFail.OIDCToken.Invalid")
        });
    let error = fetch(service.builder()).unwrap_err();
    assert!(matches!(error, CredentialsError::Denied(_)), "{error:?}");
    assert!(
        error.to_string().contains("AuthenticationFail.OIDCToken.Invalid"),
        "{error}"
    );
    assert_eq!(service.tokens().len(), 2);
}

#[test]
fn the_same_token_is_not_sent_twice() {
    let service = Service::new();
    let file = service.clone();
    let service = service.then(move |_| {
        // Written anew, but not renewed.
        file.write(format!("  {JWT}"));
        Ok(HttpResponse::new(
            400,
            refusal("AuthenticationFail.OIDCToken.Expired").into_bytes(),
        ))
    });
    let error = fetch(service.builder()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "oidc-rrsa: the service refused AssumeRoleWithOIDC (POST https://sts.aliyuncs.com/, HTTP 400): \
         AuthenticationFail.OIDCToken.Expired: m, request ID R-1; the token was not renewed in time: check the program that writes it, and the local clock"
    );
    assert_eq!(service.requests().len(), 1);
}

#[test]
fn a_file_that_vanished_during_the_call_does_not_hide_what_the_service_said() {
    let service = Service::new();
    let file = service.file();
    let service = service.then(move |_| {
        std::fs::remove_file(&file).unwrap();
        Ok(HttpResponse::new(
            400,
            refusal("AuthenticationFail.OIDCToken.Expired").into_bytes(),
        ))
    });
    let error = fetch(service.builder()).unwrap_err();
    assert!(
        error.to_string().contains("AuthenticationFail.OIDCToken.Expired"),
        "{error}"
    );
}

#[test]
fn another_refusal_does_not_read_the_file_again() {
    let service = Service::new();
    let file = service.clone();
    let service = service.then(move |_| {
        file.write("canary-oidc-renewed");
        Ok(HttpResponse::new(
            403,
            refusal("AuthenticationFail.NoPermission").into_bytes(),
        ))
    });
    let error = fetch(service.builder()).unwrap_err();
    assert!(
        error.to_string().contains("AuthenticationFail.NoPermission"),
        "{error}"
    );
    assert_eq!(service.tokens(), [JWT]);
}

#[test]
fn a_file_that_breaks_takes_no_working_credentials_away() {
    let clock = ManualClock::at_unix(NOW);
    let service = Service::new().answers(200, an_hour("STS.A"));
    let provider = service.builder().clock(clock.clone()).build().unwrap();
    blocking::wait(provider.credentials()).unwrap();
    service.write("");
    clock.advance(Duration::from_secs(3500));
    assert_eq!(
        blocking::wait(provider.credentials()).unwrap().access_key_id(),
        "STS.A"
    );
    clock.advance(Duration::from_secs(100));
    let error = blocking::wait(provider.credentials()).unwrap_err();
    assert!(
        error.to_string().contains("the OIDC token file is empty"),
        "{error}"
    );
}
