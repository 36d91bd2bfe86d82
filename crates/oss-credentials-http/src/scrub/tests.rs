use super::*;

const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl-W9mLWEt_2FuYXJ5";

fn key() -> Credentials {
    Credentials::builder("STS.NUExampleTempKeyId", "canarySecretAlnum30CharsLong12")
        .security_token("CAISCANARY+tok/en+x==")
        .build()
        .unwrap()
}

fn bearer() -> Scrubber<'static> {
    Scrubber::new().hide(JWT)
}

#[test]
fn what_says_nothing_of_a_secret_stays() {
    let key = key();
    let of_key = Scrubber::of(&key);
    for text in [
        "The role not exists.",
        "The OIDC token has expired.",
        "The token of system:serviceaccount:default:example is bad",
        "11 characters: c2lnbmF0dXJ",
        "100 % & \\ &; %zz %é &#x110000; \\u12 \\x1",
    ] {
        assert_eq!(bearer().text(text), text);
        assert_eq!(of_key.text(text), text);
        assert_eq!(of_key.redacted(text), text);
        assert_eq!(of_key.quotable(text).as_deref(), Some(text));
    }
}

#[test]
fn what_was_signed_is_left_out() {
    for (text, expected) in [
        (
            "Signature is wrong. server string to sign is:POST&%2F&SecurityToken%3Dcanary",
            "Signature is wrong. server string to sign withheld",
        ),
        ("see StringToSign: x", "see string to sign withheld"),
    ] {
        assert_eq!(Scrubber::of(&key()).text(text), expected);
        assert_eq!(Scrubber::new().text(text), expected);
    }
}

#[test]
fn a_key_is_found_in_any_encoding_and_in_part() {
    let key = key();
    for text in [
        "token CAISCANARY+tok/en+x== is bad",
        "CAISCANARY%2Btok%2Fen%2Bx%3D%3D",
        "CAISCANARY%2btok%2fen%2bx%3d%3d",
        "POST&%2F&SecurityToken%3DCAISCANARY%252Btok%252Fen%252Bx%253D%253D",
        "CAISCANARY%25252Btok%25252Fen",
        "CAISCANARY&#43;tok&#x2F;en",
        "CAISCANARY&amp;#43;tok/en",
        "CAISCANARY&plus;tok&sol;en",
        "CAISCANARY tok/en x==",
        "CAISCANARY\\u002Btok\\/en",
        "CAISCANARY\\x2btok\\x2fen",
        "%43%41%49%53%43%41%4e%41%52%59%2b%74%6f%6b",
        "CAISCANARY+tok/en+x...",
        "caiscanary+tok/e",
        "canarySecretAlnum30CharsLong12",
        "SecretAlnum3",
        "...Alnum30CharsLong12",
    ] {
        let scrubber = Scrubber::of(&key);
        assert!(scrubber.repeats(text), "{text}");
        assert_eq!(scrubber.text(text), WITHHELD, "{text}");
        assert_eq!(scrubber.quotable(text), None, "{text}");
        assert!(
            !scrubber.redacted(text).to_lowercase().contains("canary"),
            "{text}"
        );
    }
}

#[test]
fn a_token_is_found_in_any_encoding_and_in_part() {
    for text in [
        JWT,
        "bad: eyJhbGciOiJSUzI1NiJ9...",
        "12 characters: c2lnbmF0dXJl",
        "across parts: NiJ9.eyJzdWIi",
        "%63%32%6c%6e%62%6d%46%30%64%58%4a%6c",
        "c2lnbmF0dXJl%252DW9mLWEt",
        "EYJHBGCIOIJS",
    ] {
        assert_eq!(bearer().text(text), WITHHELD, "{text}");
    }
}

#[test]
fn a_short_secret_is_found_as_it_is_written() {
    for (secret, text, is_found) in [
        ("c+1=", "token c+1= is bad", true),
        ("c+1=", "OIDCToken=c%2B1%3D", true),
        ("c+1=", "it is c1", false),
        ("canary", "the canary is dead", true),
        ("canary", "Can a rye field burn?", false),
        // Eight letters and digits are no word any more.
        ("can-4321", "it was CAN4321", false),
        ("cana-4321", "it was CANA4321", true),
        ("", "anything", false),
        ("s", "the signature is wrong", false),
        ("s", "it was s", true),
        ("s", "s", true),
        ("s", "OIDCToken=s&x=1, %3Ds%26", true),
        ("s", "it\u{e9}s s\u{e9}", false),
        ("aaa", "aaaa aaa", true),
        ("a-a", "xa-a-a", true),
        ("secret", "secrets, 1secret", false),
    ] {
        assert_eq!(
            Scrubber::new().hide(secret).repeats(text),
            is_found,
            "{secret}: {text}"
        );
    }
}

#[test]
fn placeholders_do_not_mangle_what_the_service_says() {
    let key = Credentials::builder("id", "secret")
        .security_token("token")
        .build()
        .unwrap();
    let scrubber = Scrubber::of(&key);
    let text = "The OSS Access Key Id you provided does not exist in our records, nor do tokens and ids.";
    assert_eq!(scrubber.text(text), text);
    assert_eq!(scrubber.redacted(text), text);
    assert_eq!(scrubber.quotable(text).as_deref(), Some(text));
    assert_eq!(scrubber.text("no id here"), "no **** here");
    assert_eq!(scrubber.text("got token=token"), WITHHELD);
    assert_eq!(
        scrubber.redacted("got secret, id and secrets"),
        "got <redacted>, id and secrets"
    );

    let letters = Credentials::builder("i", "s")
        .security_token("t")
        .build()
        .unwrap();
    assert_eq!(Scrubber::of(&letters).text(text), text);
}

#[test]
fn an_error_code_outlives_placeholders() {
    let key = Credentials::builder("id", "secret")
        .security_token("Invalid")
        .build()
        .unwrap();
    for code in [
        "InvalidAccessKeyId",
        "Invalid.id",
        "secret",
        "InvalidSecurityToken",
    ] {
        assert_eq!(Scrubber::of(&key).identifier(code), Some(code));
    }
    let key = Credentials::builder("my-key-1", "a-b-c-d-e")
        .security_token("eightone")
        .build()
        .unwrap();
    for code in [
        "my-key-1",
        "no.my-key-1",
        "a-b-c-d-e",
        "Xa-b-c-d-eX",
        "EightOne",
        "got.eight.one",
    ] {
        assert_eq!(Scrubber::of(&key).identifier(code), None, "{code}");
    }
    assert_eq!(bearer().identifier("string_to_sign"), None);
}

#[test]
fn several_secrets_are_hidden_at_once() {
    let key = key();
    let scrubber = Scrubber::of(&key).hide(JWT).hide("pass word");
    for text in ["CAISCANARY%2Btok", "c2lnbmF0dXJl", "Pass-Word", "SecretAlnum3"] {
        assert!(scrubber.repeats(text), "{text}");
    }
}

#[test]
fn encoding_without_end_is_not_followed_without_end() {
    let nested = |layers: usize| format!("%{}41", "25".repeat(layers - 1));
    assert!(!bearer().repeats(&nested(4)));
    assert!(bearer().repeats(&nested(5)));
    assert!(bearer().repeats(&nested(10_000)));
    assert!(!Scrubber::new().repeats(&nested(10_000)));
}

#[test]
fn a_secret_is_replaced_where_the_rest_is_worth_keeping() {
    let key = key();
    let scrubber = Scrubber::of(&key);
    assert_eq!(
        scrubber.redacted("x-oss-security-token:CAISCANARY+tok/en+x==\nSTS.NUExampleTempKeyId"),
        "x-oss-security-token:<redacted>\nSTS.NUExampleTempKeyId"
    );
    assert_eq!(scrubber.redacted("x CAISCANARY%2Btok%2Fen"), "<redacted>");
}

#[test]
fn access_key_ids_are_masked() {
    let key = key();
    assert_eq!(
        Scrubber::of(&key).text("not found: STS.NUExampleTempKeyId."),
        "not found: STS.****eyId."
    );
    let client_key = Scrubber::new().mask("KAAP.ed804cff-d4d1-4e7e-825e-4f7dc1fd4620");
    assert_eq!(
        client_key.text("bad key KAAP.ed804cff-d4d1-4e7e-825e-4f7dc1fd4620."),
        "bad key KAAP****4620."
    );
    assert_eq!(
        client_key.identifier("KAAP.ed804cff-d4d1-4e7e-825e-4f7dc1fd4620"),
        None
    );
    assert_eq!(
        Scrubber::new().text("OSSAccessKeyId=LTAI5tExampleKeyId01&x=1, LTAI5t, STS."),
        "OSSAccessKeyId=LTAI****Id01&x=1, LTAI5t, STS."
    );
}

#[test]
fn a_page_that_shows_the_request_is_not_quoted() {
    let key = key();
    for page in [
        "AUTHORIZATION: OSS4-HMAC-SHA256 x",
        "x-oss-Security-Token: some other token",
        r#"{"x-oss-security\u002dtoken": 1}"#,
        "<SecurityToken>other</SecurityToken>",
        "key STS&#46;NUExampleTempKeyId",
    ] {
        assert_eq!(Scrubber::of(&key).quotable(page), None, "{page}");
    }
    let page = "<h1>STS.NUExampleTempKeyId may not</h1>";
    assert_eq!(
        Scrubber::of(&key).quotable(page).as_deref(),
        Some("<h1>STS.****eyId may not</h1>")
    );
}

#[test]
fn links_are_passed_on_only_if_they_are_links() {
    let key = key();
    for text in [
        "https://api.aliyun.com/troubleshoot?q=NoPermission&product=Sts",
        "https://api.aliyun.com?from=a@b",
    ] {
        assert_eq!(bearer().link(text), Some(text));
    }
    for text in [
        "http://x/",
        "javascript:1",
        "https://",
        "https:///x",
        "https://x/\n",
        "https://x/ y",
        "https://user:password@x/",
        "https://x\\@y/",
        "https://x/?t=c2lnbmF0dXJl",
        "https://x/?id=STS.NUExampleTempKeyId",
        "https://x/?t=CAISCANARY%2Btok%2Fen%2Bx%3D%3D",
        &format!("https://{}", "x".repeat(300)),
    ] {
        assert_eq!(Scrubber::of(&key).hide(JWT).link(text), None, "{text}");
    }
}

#[test]
fn identifiers_are_short_and_plain() {
    let key = key();
    let scrubber = Scrubber::of(&key).hide(JWT);
    for id in [
        "6894B13B-6D71-4EF5-88FA-F32781734A7F",
        "AuthenticationFail.OIDCToken.Expired",
        "0026_00000001",
        &"x".repeat(64),
    ] {
        assert_eq!(scrubber.identifier(id), Some(id));
    }
    for bad in [
        "",
        "a b",
        "a+b",
        "ü",
        "c2lnbmF0dXJl-W9mLWEt",
        "canarySecretAlnum30CharsLong12",
        "STS.NUExampleTempKeyId",
        &"x".repeat(65),
    ] {
        assert_eq!(scrubber.identifier(bad), None, "{bad}");
    }
}

#[test]
fn the_scrubber_itself_shows_nothing() {
    assert_eq!(format!("{:?}", bearer()), "Scrubber(..)");
}

/// By coreutils' `base64` and `basenc --base64url`, of the secret and the token of [`key`], with other text around
/// them: `key=`, and one and two characters more before it.
#[test]
fn a_key_is_found_in_base64() {
    let key = key();
    let scrubber = Scrubber::of(&key).hide("?>?>ab~~canary~~cd?>?>");
    for text in [
        "a2V5PWNhbmFyeVNlY3JldEFsbnVtMzBDaGFyc0xvbmcxMiBpcyBiYWQ=",
        "a2V5PUNBSVNDQU5BUlkrdG9rL2VuK3g9PSBpcyBiYWQ=",
        "a2V5PT8+Pz5hYn5+Y2FuYXJ5fn5jZD8+Pz4gaXMgYmFk",
        "a2V5PXhjYW5hcnlTZWNyZXRBbG51bTMwQ2hhcnNMb25nMTIgaXMgYmFk",
        "a2V5PXhDQUlTQ0FOQVJZK3Rvay9lbit4PT0gaXMgYmFk",
        "a2V5PXg/Pj8+YWJ+fmNhbmFyeX5+Y2Q/Pj8+IGlzIGJhZA==",
        "a2V5PXh5Y2FuYXJ5U2VjcmV0QWxudW0zMENoYXJzTG9uZzEyIGlzIGJhZA==",
        "a2V5PXh5Q0FJU0NBTkFSWSt0b2svZW4reD09IGlzIGJhZA==",
        "a2V5PXh5Pz4/PmFifn5jYW5hcnl+fmNkPz4/PiBpcyBiYWQ=",
        "a2V5PXg_Pj8-YWJ-fmNhbmFyeX5-Y2Q_Pj8-IGlzIGJhZA",
        "a2V5PXh5Pz4_PmFifn5jYW5hcnl-fmNkPz4_Pg",
        "Y2FuYXJ5U2VjcmV0QWxudW0zMENoYXJzTG9uZzEy",
        "a2V5PXhDQUlTQ0FOQVJZK3Rvay9lbit4PT0%3D",
    ] {
        assert!(scrubber.repeats(text), "{text}");
        assert_eq!(scrubber.text(text), WITHHELD);
        assert_eq!(scrubber.redacted(text), REDACTED);
        assert_eq!(scrubber.quotable(text), None);
    }
    // Of something else: `the role of example`, and the same secret turned around.
    for text in [
        "dGhlIHJvbGUgb2YgZXhhbXBsZQ==",
        "MjFnbm9Mc3JhaEMwM211bmxBdGVyY2VTeXJhbmFj",
    ] {
        assert_eq!(scrubber.text(text), text);
    }
}

#[test]
fn what_is_not_looked_at_is_not_shown() {
    let key = key();
    let scrubber = Scrubber::of(&key);
    let long = format!(
        "{}\u{56fe}{}",
        "a ".repeat(MAX_SEARCHED / 2 - 1),
        key.access_key_secret()
    );
    for shown in [
        scrubber.text(&long),
        scrubber.redacted(&long),
        scrubber.quotable(&long).unwrap(),
    ] {
        assert_eq!(shown, "a ".repeat(MAX_SEARCHED / 2 - 1));
    }
    // A megabyte, as a server may send: in time that nobody notices, which a search of all of it would not be.
    let page = "x%41&amp;".repeat(1 << 17);
    assert_eq!(scrubber.text(&page).len(), MAX_SEARCHED);
    assert!(scrubber.repeats(&format!("{page}{}", key.access_key_secret())));
}
