//! The SDKs' `credentials.ini`: each row of what the three SDKs' parsers disagree about, and each type.

use super::support::{Folder, keys, pair};

/// The secret that a section with this line has.
fn secret(line: &str) -> String {
    let folder = Folder::new();
    let text = format!("[default]\ntype = access_key\naccess_key_id = id\naccess_key_secret{line}\n");
    keys(&folder.ini(&text)).1
}

fn problem(text: &str) -> String {
    let folder = Folder::new();
    let provider = folder.ini(text);
    folder.invalid(&provider)
}

#[test]
fn equals_sign_or_colon_separates() {
    for line in [" = v", "=v", ": v", ":v", " : v"] {
        assert_eq!(secret(line), "v", "{line:?}");
    }
    // The first one does.
    for (line, value) in [
        (" = a:b=c", "a:b=c"),
        (": a=b:c", "a=b:c"),
        (" = =", "="),
        (" = a=b", "a=b"),
    ] {
        assert_eq!(secret(line), value);
    }
}

#[test]
fn nothing_inside_a_value_is_a_comment() {
    for value in ["id#x", "s;e", "a;b#c", "#x", ";"] {
        assert_eq!(secret(&format!("={value}")), value);
    }
}

/// The SDKs for Java and Go cut at both signs, and their READMEs show comments so.
#[test]
fn white_space_and_a_sign_begin_a_comment() {
    for line in [
        " = v # c",
        " = v ; c",
        " = v\t#c",
        " = v #",
        "=v ;",
        " = v  ; a # b",
        " = \"v\"   # c",
        ": v #c#",
    ] {
        assert_eq!(secret(line), "v", "{line:?}");
    }
    assert_eq!(secret(" = a#b;c # d"), "a#b;c");
    // The heading, and a value that is nothing but a comment.
    let text = "[default]   # it is\nrole_name =   # none\ntype = access_key\naccess_key_id = id\naccess_key_secret = s\n";
    assert_eq!(keys(&Folder::new().ini(text)), pair("id", "s"));
    let text = "[default] ; it is\ntype = access_key\naccess_key_id =   # id\naccess_key_secret = s\n";
    assert_eq!(
        problem(text),
        "profile: the section \"default\" has no access_key_id (credentials.ini); set access_key_id"
    );
}

/// Files as the READMEs of the vendor's SDKs show them.
#[test]
fn files_with_comments_after_values_are_read() {
    for text in [
        include_str!("../cases/ini-inline-comments/as-documented.ini"),
        include_str!("../cases/ini-inline-comments/keys-only.ini"),
    ] {
        let expected = pair("LTAIProbeUser000000001", "ProbeSecretProbeSecret000000001");
        assert_eq!(keys(&Folder::new().ini(text)), expected);
    }
    let disabled = include_str!("../cases/ini-inline-comments/disabled.ini");
    assert!(problem(disabled).contains("the section \"default\" is disabled by its key \"enable\""));
}

#[cfg(feature = "ecs-ram-role")]
#[test]
fn a_comment_is_no_part_of_a_role_name() {
    let folder = Folder::answering(200, "metadata-token").then_answering(404, "");
    let provider = folder.ini(include_str!("../cases/ini-inline-comments/role-name.ini"));
    assert!(
        oss_credentials_core::blocking::wait(oss_credentials_core::CredentialsProvider::credentials(
            &provider
        ))
        .is_err()
    );
    assert!(
        folder.http.requests()[1]
            .url()
            .ends_with("/security-credentials/worker")
    );
}

#[test]
fn a_line_that_is_no_heading_is_not_shown() {
    for text in [
        include_str!("../cases/ini-first-line-is-secret/leak1.ini"),
        include_str!("../cases/ini-first-line-is-secret/leak2.ini"),
        "[ProbeSecretProbeSecret000000001]\n",
        "[Probe=Secret/with+signs]\n",
    ] {
        let error = problem(text);
        assert_eq!(
            error,
            "profile: no file has a profile to use (credentials.ini: no section \"default\", but one whose name is not \
             shown); add the profile \"default\" to it, or name one with profile(..) or ALIBABA_CLOUD_PROFILE"
        );
    }
    let text = problem("[{\"Probe\"}]\n[prod]\n['Probe']\n");
    assert!(
        text.contains("no section \"default\", but \"prod\" and 2 more)"),
        "{text}"
    );
    let text = problem("[{\"Probe\"}]\n['Probe']\n");
    assert!(
        text.contains("no section \"default\", but 2 whose names are not shown)"),
        "{text}"
    );
}

#[test]
fn a_file_of_another_tool_is_told_from_an_ini_file() {
    for (text, reason) in [
        (
            include_str!("../cases/credentials-file-of-another-tool/config.json"),
            "it is JSON: the CLI's config.json belongs in ALIBABA_CLOUD_CONFIG_FILE or cli_file(..)",
        ),
        (
            include_str!("../cases/credentials-file-of-another-tool/velero.env"),
            "it has no section: it is a list of variables, which belong in the environment",
        ),
        (
            include_str!("../cases/credentials-file-of-another-tool/AccessKey.csv"),
            "it is a table of keys, as AccessKey.csv of the console, and has no section",
        ),
        (
            "access_key_id = LTAIProbeUser000000001\n",
            "no section \"default\", nor any other",
        ),
    ] {
        let error = problem(text);
        assert!(
            error.contains(&format!("(credentials.ini: {reason});")),
            "{error}"
        );
        assert!(!error.contains("Probe"), "{error}");
    }
}

#[test]
fn comments_stand_on_lines_of_their_own() {
    let text = "# first\n; second\n[default]\n  # access_key_id = no\n\t;x\ntype = access_key\naccess_key_id = id\n\
        #access_key_secret = no\naccess_key_secret = yes\n;access_key_secret = no\n";
    assert_eq!(keys(&Folder::new().ini(text)), pair("id", "yes"));
}

#[test]
fn nothing_is_interpolated() {
    for value in ["a%b", "%(access_key_id)s", "100%", "%%", "${HOME}", "$x"] {
        assert_eq!(secret(&format!(" = {value}")), value);
    }
    // In a section that nobody asked for, either.
    let text = "[other]\nx = %(\n[default]\ntype = access_key\naccess_key_id = id\naccess_key_secret = s\n";
    assert_eq!(keys(&Folder::new().ini(text)), pair("id", "s"));
}

#[test]
fn the_section_named_default_in_capitals_is_one_like_others() {
    let text = "[DEFAULT]\naccess_key_secret = shared\n[default]\ntype = access_key\naccess_key_id = id\n";
    assert_eq!(
        problem(text),
        "profile: the section \"default\" has no access_key_secret (credentials.ini); set access_key_secret"
    );
    // Nor do keys before the first section belong to one.
    let text = "access_key_secret = shared\n[default]\ntype = access_key\naccess_key_id = id\n";
    assert!(problem(text).contains("has no access_key_secret"));
    let folder = Folder::new();
    let path = folder.write(
        "c.ini",
        "[DEFAULT]\ntype = access_key\naccess_key_id = capitals\naccess_key_secret = s\n\
         [default]\ntype = access_key\naccess_key_id = small\naccess_key_secret = s\n",
    );
    for (name, id) in [("DEFAULT", "capitals"), ("default", "small")] {
        let provider = folder.builder().ini_file(&path).profile(name).build().unwrap();
        assert_eq!(keys(&provider).0, id);
    }
}

#[test]
fn the_case_of_keys_and_sections_counts() {
    let text = "[default]\nType = access_key\nACCESS_KEY_ID = id\naccess_key_secret = s\n";
    assert_eq!(
        problem(text),
        "profile: the section \"default\" has no type (credentials.ini); set type"
    );
    let text = "[Default]\ntype = access_key\naccess_key_id = id\naccess_key_secret = s\n";
    assert!(problem(text).contains("no section \"default\""));
}

#[test]
fn names_are_trimmed() {
    let text = "[ default ]\n  type=access_key \n\taccess_key_id  =  id  \naccess_key_secret=\ts\t\n";
    assert_eq!(keys(&Folder::new().ini(text)), pair("id", "s"));
}

/// Go refuses the whole file, Java knows lines that begin with a tab, Python those that are indented. Here a
/// value that somebody wrapped is an error, as half of it would be worse than none.
#[test]
fn values_are_not_continued_on_the_next_line() {
    let error = "profile: the section \"default\" has a line that is neither key and value nor a comment \
        (credentials.ini); write each value on one line, as key = value";
    for wrapped in ["s\n  canary-rest", "s\n\tcanary-rest", "s\\\ncanary-rest"] {
        let text =
            format!("[default]\ntype = access_key\naccess_key_id = id\naccess_key_secret = {wrapped}\n");
        assert_eq!(problem(&text), error, "{wrapped:?}");
    }
    // A backslash at the end is a part of the value.
    assert_eq!(secret(" = s\\"), "s\\");
    // What other sections hold does not matter.
    let text =
        "[other]\nx = 1\n  rest\n[default]\ntype = access_key\naccess_key_id = id\naccess_key_secret = s\n";
    assert_eq!(keys(&Folder::new().ini(text)), pair("id", "s"));
}

#[test]
fn quotes_around_a_value_are_optional() {
    for (line, value) in [(r#" = "a#b""#, "a#b"), (r#" = "ab""#, "ab"), (" = 'ab'", "ab")] {
        assert_eq!(secret(line), value, "{line}");
    }
    // Other quotes are characters of the value, which no key has.
    for line in [
        r#" = "a"#,
        r#" = a""#,
        r#" = "a'"#,
        r#" = a"b"c"#,
        r#" = ""a"""#,
        r#" = ""#,
    ] {
        let text = format!("[default]\ntype = access_key\naccess_key_id = id\naccess_key_secret{line}\n");
        assert_eq!(
            problem(&text),
            "profile: in the section \"default\" the access key secret contains a quotation mark (credentials.ini); set the value \
             exactly as the service issued it"
        );
    }
}

#[test]
fn byte_order_mark_and_windows_line_ends_are_accepted() {
    let text =
        "\u{feff}[default]\r\ntype = access_key\r\naccess_key_id = id\r\n\r\naccess_key_secret = s\r\n";
    assert_eq!(keys(&Folder::new().ini(text)), pair("id", "s"));
}

#[test]
fn enable_is_true_unless_it_says_no() {
    let text = |enable: &str| {
        format!("[default]\n{enable}\ntype = access_key\naccess_key_id = id\naccess_key_secret = s\n")
    };
    for enable in [
        "",
        "enable =",
        "enable = true",
        "enable = TRUE",
        "enable = 1",
        "enable = yes",
        "enable = On",
        "enable = true   # yes",
    ] {
        assert_eq!(
            keys(&Folder::new().ini(&text(enable))),
            pair("id", "s"),
            "{enable}"
        );
    }
    for enable in [
        "enable = false",
        "enable: False",
        "enable=0",
        "enable = no",
        "enable = OFF",
        "enable = false   # not yet",
    ] {
        assert!(
            problem(&text(enable)).contains("the section \"default\" is disabled by its key \"enable\""),
            "{enable}"
        );
    }
}

#[test]
fn another_word_for_enable_is_named_with_its_line() {
    for word in ["maybe", "disabled", "canary", "2", "tru", "false#not yet"] {
        let text = format!(
            "# first\n[other]\nenable = perhaps\n\n[default]\n; more\ntype = access_key\nenable = {word}\n\
             access_key_id = id\naccess_key_secret = s\n"
        );
        assert_eq!(
            problem(&text),
            "profile: the section \"default\" has an unknown word for enable on line 8 (credentials.ini); write true, \
             yes, on or 1, or false, no, off or 0"
        );
    }
}

#[test]
fn a_file_that_is_no_ini_file_is_named_with_the_line() {
    let text = "[default]\ntype = access_key\n[unclosed canary\n";
    assert_eq!(
        problem(text),
        "profile: line 3 is not a section, key or comment (credentials.ini); write [section], and key = value below it"
    );
    assert!(problem("[default]\n= canary\n").starts_with("profile: line 2 is not a section"));
}

/// The section of the reference's sample.
const SESSION: &str = "[session]\nenable = true\ntype = sts\naccess_key_id = STS.EXAMPLE\naccess_key_secret = EXAMPLE\n\
    security_token = TOKEN\n";

#[test]
fn keys_and_tokens() {
    let folder = Folder::new();
    let path = folder.write("credentials.ini", SESSION);
    let provider = folder
        .builder()
        .ini_file(&path)
        .profile("session")
        .build()
        .unwrap();
    let expected = (
        "STS.EXAMPLE".to_owned(),
        "EXAMPLE".to_owned(),
        Some("TOKEN".to_owned()),
    );
    assert_eq!(keys(&provider), expected);
    for key in ["access_key_id", "access_key_secret", "security_token"] {
        let without: String = SESSION
            .lines()
            .filter(|line| !line.starts_with(key))
            .fold(String::new(), |text, line| text + line + "\n");
        let empty = format!("{without}{key} =\n");
        for text in [without, empty] {
            folder.write("credentials.ini", text);
            let provider = folder
                .builder()
                .ini_file(&path)
                .profile("session")
                .build()
                .unwrap();
            assert_eq!(
                folder.invalid(&provider),
                format!("profile: the section \"session\" has no {key} (credentials.ini); set {key}")
            );
        }
    }
}

#[test]
fn types_that_are_not_supported_are_named() {
    for kind in ["rsa_key_pair", "bearer"] {
        assert_eq!(
            problem(&format!("[default]\ntype = {kind}\n")),
            format!(
                "profile: the section \"default\" is of the type {kind}, which is not supported (credentials.ini); use \
                 access_key, sts, ecs_ram_role, ram_role_arn or oidc_role_arn"
            )
        );
    }
    assert_eq!(
        problem("[default]\ntype = canary\n"),
        "profile: the section \"default\" has an unknown type (credentials.ini); set type to access_key, sts, \
         ecs_ram_role, ram_role_arn or oidc_role_arn"
    );
}

#[cfg(feature = "sts-assume-role")]
#[test]
fn a_role() {
    use super::support::{ROLE, param, session};
    let folder = Folder::answering(200, &session("STS.ROLE"));
    let provider = folder.ini(&format!(
        "[default]\nenable = true\ntype = ram_role_arn\naccess_key_id = LTAI5tEXAMPLEKEYID\n\
         access_key_secret = EXAMPLE\nrole_arn = {ROLE}\nrole_session_name = example-session\n\
         policy = {{\"Version\":\"1\",\"Statement\":[]}}\n"
    ));
    assert_eq!(keys(&provider).0, "STS.ROLE");
    let request = &folder.http.requests()[0];
    for (name, value) in [
        ("Action", "AssumeRole"),
        ("AccessKeyId", "LTAI5tEXAMPLEKEYID"),
        ("RoleArn", ROLE),
        ("RoleSessionName", "example-session"),
        ("Policy", r#"{"Version":"1","Statement":[]}"#),
        ("DurationSeconds", "3600"),
    ] {
        assert_eq!(param(request, name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(param(request, "SecurityToken"), None);
    assert_eq!(
        problem("[default]\ntype = ram_role_arn\naccess_key_id = id\naccess_key_secret = s\n"),
        "profile: the section \"default\" has no role_arn (credentials.ini); set role_arn"
    );
    assert_eq!(
        problem(
            "[default]\ntype = ram_role_arn\naccess_key_id = id\naccess_key_secret = s\nrole_arn = canary\n"
        ),
        "profile: in the section \"default\" the role ARN is malformed (credentials.ini); write it as \
         acs:ram::<account ID>:role/<role name>; it is role_arn"
    );
    let text = format!(
        "[default]\ntype = ram_role_arn\naccess_key_id = id\naccess_key_secret = s\nrole_arn = {ROLE}\n\
         role_session_expiration = soon\n"
    );
    assert_eq!(
        problem(&text),
        "profile: the section \"default\" has something other than a whole number of 0 or more in role_session_expiration \
         (credentials.ini); correct role_session_expiration"
    );
}

#[cfg(feature = "oidc-rrsa")]
#[test]
fn an_oidc_token() {
    use super::support::{ROLE, param, session};
    let folder = Folder::answering(200, &session("STS.POD"));
    let token = folder.write("token", "example.jwt.token\n");
    let provider = folder.ini(&format!(
        "[default]\ntype = oidc_role_arn\nrole_arn = {ROLE}\n\
         oidc_provider_arn = acs:ram::123456789012:oidc-provider/example\noidc_token_file_path = {}\n\
         role_session_name = example-session\n",
        token.display()
    ));
    assert_eq!(keys(&provider).0, "STS.POD");
    std::fs::remove_file(&token).unwrap();
    folder.clock.advance(std::time::Duration::from_secs(7200));
    let text = folder.invalid(&provider);
    assert!(
        text.ends_with(
            "or correct oidc_token_file_path; configured by the section \"default\" in credentials.ini"
        ),
        "{text}"
    );
    let request = &folder.http.requests()[0];
    assert_eq!(param(request, "OIDCToken").as_deref(), Some("example.jwt.token"));
    assert_eq!(
        param(request, "RoleSessionName").as_deref(),
        Some("example-session")
    );
    assert_eq!(
        problem(&format!("[default]\ntype = oidc_role_arn\nrole_arn = {ROLE}\n")),
        "profile: the section \"default\" has no oidc_provider_arn (credentials.ini); set oidc_provider_arn"
    );
}

#[cfg(feature = "ecs-ram-role")]
#[test]
fn a_role_of_the_instance() {
    let keys_of = |text: &str| {
        let folder = Folder::answering(200, "metadata-token");
        let folder = if text.contains("role_name = ") {
            folder
        } else {
            folder.then_answering(200, "found-role")
        };
        let folder = folder.then_answering(
            200,
            r#"{"AccessKeyId": "STS.ECS", "AccessKeySecret": "s", "SecurityToken": "t", "Code": "Success",
                "Expiration": "2026-01-02T09:04:05Z", "LastUpdated": "2026-01-02T03:04:05Z"}"#,
        );
        assert_eq!(keys(&folder.ini(text)).0, "STS.ECS");
        folder.http.requests().last().unwrap().url().to_owned()
    };
    let base = "http://100.100.100.200/latest/meta-data/ram/security-credentials/";
    let url = keys_of("[default]\ntype = ecs_ram_role\nrole_name = example-role\n");
    assert_eq!(url, format!("{base}example-role"));
    for text in [
        "[default]\ntype = ecs_ram_role\n",
        "[default]\ntype = ecs_ram_role\nrole_name =\n",
    ] {
        assert_eq!(keys_of(text), format!("{base}found-role"));
    }
}

/// Half of one and half of the other would be somebody whom nobody meant.
#[test]
fn sections_and_keys_that_stand_twice_are_refused() {
    let one = "[default]\ntype = access_key\naccess_key_id = one\naccess_key_secret = s1\n";
    for (text, problem) in [
        (
            format!("{one}[other]\nx = 1\n[default]\naccess_key_id = two\n"),
            "appears twice",
        ),
        (format!("{one}[ default ]\n"), "appears twice"),
        (
            format!("{one}access_key_secret: s2\n"),
            "has access_key_secret twice",
        ),
        (format!("{one}type = ecs_ram_role\n"), "has type twice"),
    ] {
        let folder = Folder::new();
        let provider = folder.ini(&text);
        let found = folder.invalid(&provider);
        assert!(
            found.starts_with(&format!(
                "profile: the section \"default\" {problem} (credentials.ini)"
            )),
            "{text}: {found}"
        );
    }
    // In a section that nobody asks for it is of no interest.
    let folder = Folder::new();
    let others = folder.ini(&format!(
        "{one}[o]\na = 1\na = 2\n[o]\n# [default]\nx = [default]\n"
    ));
    assert_eq!(keys(&others), pair("one", "s1"));
}
