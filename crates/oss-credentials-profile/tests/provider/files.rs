//! Which file and which profile in it, and what it means if they are not there.

use oss_credentials_core::test_util::{FakeEnv, PanickingEnv};
use oss_credentials_core::{CredentialsError, CredentialsProvider, blocking};
use oss_credentials_profile::{
    ENV_CLI_PROFILE_DISABLED, ENV_CONFIG_FILE, ENV_CREDENTIALS_FILE, ENV_PROFILE, MAX_CONFIG_FILE,
    MAX_INI_FILE, ProfileProvider,
};

use super::support::{Folder, keys, pair};

const JSON: &str = r#"{"current": "mine", "profiles": [
    {"name": "default", "mode": "AK", "access_key_id": "json-default", "access_key_secret": "s1"},
    {"name": "mine", "mode": "AK", "access_key_id": "json-mine", "access_key_secret": "s2"}]}"#;
const INI: &str = "[default]\ntype = access_key\naccess_key_id = ini-default\naccess_key_secret = s3\n\
    [only]\ntype = access_key\naccess_key_id = ini-only\naccess_key_secret = s4\n";
/// The reference's sample, with the two keys of the OSS documents.
const OWN: &str =
    "[configName]\nalibaba_cloud_access_key_id = own-id\nalibaba_cloud_access_key_secret = own:s=#;%x\n";

#[cfg(not(windows))]
const HOME_FILES: [&str; 3] = [
    ".aliyun/config.json",
    ".alibabacloud/credentials.ini",
    ".alibabacloud/credentials",
];

#[test]
fn explicit_files_read_no_environment() {
    let folder = Folder::new();
    let cli = folder
        .builder()
        .cli_file(folder.write("c.json", JSON))
        .build()
        .unwrap();
    assert_eq!(keys(&cli), pair("json-mine", "s2"));
    let ini = folder
        .builder()
        .ini_file(folder.write("c.ini", INI))
        .build()
        .unwrap();
    assert_eq!(keys(&ini), pair("ini-default", "s3"));
    let own = ProfileProvider::config_ini(folder.write("own.ini", OWN), "configName")
        .build()
        .unwrap();
    assert_eq!(keys(&own), pair("own-id", "own:s=#;%x"));
    assert_eq!(
        (own.name(), own.cached().unwrap().source()),
        ("profile", "profile")
    );
    assert!(own.cached().unwrap().expires_at().is_none());
    // The proof that the next line would notice.
    let read = std::panic::catch_unwind(|| ProfileProvider::from_env(&PanickingEnv));
    assert!(read.is_err());
}

#[test]
#[cfg(not(windows))]
fn files_are_asked_in_order() {
    let folder = Folder::new();
    let [json, ini, bare] = HOME_FILES;
    let provider = |env: &FakeEnv| {
        folder
            .set(ProfileProvider::from_env(env).unwrap())
            .build()
            .unwrap()
    };
    let env = folder.env();

    // Go's SDK has the name without extension, the others have the one with it.
    folder.write(bare, INI.replace("ini-default", "bare-default"));
    assert_eq!(keys(&provider(&env)).0, "bare-default");
    folder.write(ini, INI);
    assert_eq!(keys(&provider(&env)).0, "ini-default");
    folder.write(json, JSON);
    assert_eq!(keys(&provider(&env)).0, "json-mine");

    // A profile that only the second file has.
    env.set(ENV_PROFILE, "only");
    assert_eq!(keys(&provider(&env)).0, "ini-only");
    env.set(ENV_PROFILE, "default");
    assert_eq!(keys(&provider(&env)).0, "json-default");
    env.set(ENV_PROFILE, "");
    assert_eq!(keys(&provider(&env)).0, "json-mine");

    env.set(ENV_CLI_PROFILE_DISABLED, "TRUE");
    assert_eq!(keys(&provider(&env)).0, "ini-default");
    let explicit = ProfileProvider::builder()
        .use_cli(true)
        .env(&env)
        .build()
        .unwrap();
    assert_eq!(keys(&explicit).0, "json-mine");
    env.set(ENV_CLI_PROFILE_DISABLED, "1");
    assert_eq!(keys(&provider(&env)).0, "json-mine");
    let ini_only = ProfileProvider::builder()
        .use_cli(false)
        .env(&env)
        .build()
        .unwrap();
    assert_eq!(keys(&ini_only).0, "ini-default");
}

#[test]
#[cfg(not(windows))]
fn variables_name_other_files_and_settings_beat_variables() {
    let folder = Folder::new();
    for file in HOME_FILES {
        folder.write(file, "this is not read");
    }
    let json = folder.write("other.json", JSON);
    let ini = folder.write("other.ini", INI);
    let env = folder
        .env()
        .with(ENV_CONFIG_FILE, json.to_str().unwrap())
        .with(ENV_CREDENTIALS_FILE, ini.to_str().unwrap());
    let build = |env: &FakeEnv| ProfileProvider::from_env(env).unwrap();
    assert_eq!(keys(&build(&env).build().unwrap()).0, "json-mine");
    assert_eq!(
        keys(&build(&env).use_cli(false).build().unwrap()).0,
        "ini-default"
    );
    assert_eq!(keys(&build(&env).profile("only").build().unwrap()).0, "ini-only");
    env.set(ENV_PROFILE, "only");
    let provider = ProfileProvider::builder()
        .profile("default")
        .env(&env)
        .build()
        .unwrap();
    assert_eq!(keys(&provider).0, "json-default");
    // With a file of its own, none of these is looked for.
    let provider = build(&env).cli_file(&json).profile("only").build().unwrap();
    assert_eq!(
        folder.invalid(&provider),
        "profile: there is no profile \"only\" (other.json: no profile \"only\", but \"default\", \"mine\"); correct profile(..) or \
         ALIBABA_CLOUD_PROFILE, or add the profile"
    );
}

#[test]
fn not_configured() {
    let folder = Folder::new();
    let no_file = ProfileProvider::builder().build().unwrap_err();
    assert_eq!(
        no_file.to_string(),
        "profile: no file is set; set cli_file(..) or ini_file(..), or read the environment"
    );
    let no_home = ProfileProvider::from_env(&FakeEnv::new()).unwrap_err();
    assert_eq!(
        no_home.to_string(),
        "profile: no home directory is known; set HOME (on Windows USERPROFILE), or cli_file(..) or ini_file(..)"
    );
    assert!(no_home.is_not_configured());
    // Who names a profile does not mean what stands behind it in a chain.
    let named = FakeEnv::from([("ALIBABA_CLOUD_PROFILE", "work")]);
    let named = ProfileProvider::from_env(&named).unwrap_err();
    assert!(matches!(named, CredentialsError::InvalidConfig(_)), "{named}");
    assert_eq!(named.to_string(), no_home.to_string());
    let none = ProfileProvider::builder()
        .use_ini(false)
        .use_cli(false)
        .env(&folder.env())
        .build();
    let none = none.unwrap_err();
    assert!(
        none.to_string().contains("both kinds of files are disabled"),
        "{none}"
    );
    let nowhere = ProfileProvider::from_env(&folder.env()).unwrap().build().unwrap();
    let nowhere = blocking::wait(nowhere.credentials()).unwrap_err();
    #[cfg(not(windows))]
    assert_eq!(
        folder.shown(&nowhere),
        "profile: no file has a profile to use (.aliyun/config.json: there is no such file; \
         .alibabacloud/credentials.ini: there is no such file; .alibabacloud/credentials: there is no such file); \
         add the profile \"default\" to one of them, or name one with profile(..) or ALIBABA_CLOUD_PROFILE"
    );
    for error in [no_file, no_home, none, nowhere] {
        assert!(error.is_not_configured(), "{error:?}");
    }
}

#[test]
#[cfg(not(windows))]
fn a_default_profile_that_is_empty_absent_or_disabled_is_not_configured() {
    for (file, text, reason) in [
        // What the CLI writes when it is first run.
        (
            HOME_FILES[0],
            r#"{"current": "default", "profiles": [{"name": "default", "mode": "AK", "access_key_id": "",
                "access_key_secret": "", "expired_seconds": 0}]}"#,
            "the profile \"default\" is empty",
        ),
        (
            HOME_FILES[0],
            r#"{"current": "", "profiles": []}"#,
            "it has no profiles",
        ),
        // What `aliyun configure delete` of the last profile leaves.
        (
            HOME_FILES[0],
            include_str!("../cases/cli-no-profiles/after-delete.json"),
            "it has no profiles",
        ),
        (
            HOME_FILES[0],
            r#"{"current": "gone", "profiles": [], "access_key_id": ""}"#,
            "it has no profiles",
        ),
        (HOME_FILES[0], r#"{"profiles": null}"#, "it has no profiles"),
        (
            HOME_FILES[1],
            "[other]\ntype = access_key\n",
            "no section \"default\"",
        ),
        (HOME_FILES[1], "", "no section \"default\""),
        (
            HOME_FILES[2],
            "[default]\nenable = false\ntype = access_key\n",
            "the section \"default\" is disabled by its key \"enable\"",
        ),
    ] {
        let folder = Folder::new();
        let path = folder.write(file, text);
        // By the folder's clock, the file is not new.
        let from = |env| {
            folder
                .set(ProfileProvider::from_env(&env).unwrap())
                .build()
                .unwrap()
        };
        let error = blocking::wait(from(folder.env()).credentials()).unwrap_err();
        assert!(error.is_not_configured(), "{error:?}");
        assert!(
            error.to_string().contains(&format!("{file}: {reason}")),
            "{error}"
        );

        // Whoever names the file, or the profile, wants it.
        let builder = if file == HOME_FILES[0] {
            folder.builder().cli_file(path)
        } else {
            folder.builder().ini_file(path)
        };
        folder.invalid(&builder.build().unwrap());
        folder.invalid(&from(folder.env().with(ENV_PROFILE, "default")));
    }
}

/// Somebody configured it, so a chain must not go on to the role of the node.
#[test]
#[cfg(not(windows))]
fn a_profile_without_the_list_around_it_is_an_error() {
    for (text, key) in [
        (
            r#"{"mode": "AK", "access_key_id": "canary", "access_key_secret": "canary", "region_id": "cn-hangzhou"}"#,
            "access_key_id",
        ),
        (
            r#"{"current": "default", "profiles": [], "ram_role_arn": "canary"}"#,
            "ram_role_arn",
        ),
        (
            r#"{"profiles": null, "process_command": "canary"}"#,
            "process_command",
        ),
    ] {
        let folder = Folder::new();
        folder.write(HOME_FILES[0], text);
        let provider = ProfileProvider::from_env(&folder.env()).unwrap().build().unwrap();
        assert_eq!(
            folder.invalid(&provider),
            format!(
                "profile: the CLI's configuration has {key} at its top level, and no profiles (.aliyun/config.json); \
                 write {{\"current\": \"default\", \"profiles\": [{{\"name\": \"default\", \"mode\": \"AK\", ..}}]}}, or create it again with `aliyun configure`"
            )
        );
    }
}

#[test]
fn a_wrong_name_lists_those_that_are_there() {
    let profiles = |count: usize| {
        let names = (1..=count).map(|number| format!(r#"{{"name": "p{number}"}}"#));
        names.collect::<Vec<_>>().join(", ")
    };
    let ten = r#""p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10""#;
    for (profiles, listed) in [
        (profiles(10), format!("{ten});")),
        (profiles(12), format!("{ten} and 2 more);")),
        // Nobody calls a profile like that.
        (
            format!(r#"{{"name": "{}"}}, {{"mode": "AK"}}"#, "图".repeat(25)),
            format!("\"{}\"…);", "图".repeat(24)),
        ),
    ] {
        let folder = Folder::new();
        let text = folder.invalid(&folder.cli("wrong", &profiles));
        let expected = format!(
            "profile: there is no profile \"wrong\" (config.json: no profile \"wrong\", but {listed}"
        );
        assert!(text.starts_with(&expected), "{text}");
    }
}

#[test]
fn what_somebody_named_has_to_be_there() {
    let folder = Folder::new();
    let missing = folder.path("missing");
    let cli = "cli_file(..) or ALIBABA_CLOUD_CONFIG_FILE";
    for (provider, by) in [
        (folder.builder().cli_file(&missing).build().unwrap(), cli),
        (
            folder.builder().ini_file(&missing).build().unwrap(),
            "ini_file(..) or ALIBABA_CLOUD_CREDENTIALS_FILE",
        ),
        (
            ProfileProvider::config_ini(&missing, "x").build().unwrap(),
            "the path given to config_ini(..)",
        ),
        (
            ProfileProvider::from_env(&folder.env().with(ENV_CONFIG_FILE, missing.to_str().unwrap()))
                .unwrap()
                .build()
                .unwrap(),
            cli,
        ),
    ] {
        assert_eq!(
            folder.invalid(&provider),
            format!("profile: there is no such file (missing); correct {by}, or write the file")
        );
    }
    let empty = folder
        .builder()
        .cli_file(folder.write("none.json", r#"{"profiles": []}"#));
    assert_eq!(
        folder.invalid(&empty.build().unwrap()),
        "profile: no file has a profile to use (none.json: it has no profiles); add the profile \"default\" to \
         it, or name one with profile(..) or ALIBABA_CLOUD_PROFILE"
    );
    let named = ProfileProvider::from_env(&folder.env().with(ENV_PROFILE, "staging"));
    let text = folder.invalid(&named.unwrap().build().unwrap());
    assert!(
        text.starts_with("profile: there is no profile \"staging\" ("),
        "{text}"
    );
    let own = ProfileProvider::config_ini(folder.write("own.ini", OWN), "other");
    assert_eq!(
        folder.invalid(&folder.set(own).build().unwrap()),
        "profile: there is no profile \"other\" (own.ini: no section \"other\", but \"configName\"); correct the name given to \
         config_ini(..), or add the section"
    );
    let half = folder.write("own.ini", "[x]\nalibaba_cloud_access_key_id = id\n");
    assert_eq!(
        folder.invalid(&ProfileProvider::config_ini(half, "x").build().unwrap()),
        "profile: the section \"x\" has no alibaba_cloud_access_key_secret (own.ini); set \
         alibaba_cloud_access_key_secret"
    );
}

#[test]
fn files_that_cannot_be_read() {
    let folder = Folder::new();
    let large_json = format!("{}{}", JSON, " ".repeat(MAX_CONFIG_FILE));
    let large_ini = format!("{}{}", INI, "#".repeat(MAX_INI_FILE));
    folder.write("folder/x", "");
    for (provider, text) in [
        (
            folder
                .builder()
                .cli_file(folder.write("a.json", b"{\"current\": \"\xff\"}")),
            "profile: the file is not UTF-8 (a.json); save it as UTF-8",
        ),
        (
            folder
                .builder()
                .ini_file(folder.write("a.ini", b"[default]\nx = \xe9\n")),
            "profile: the file is not UTF-8 (a.ini); save it as UTF-8",
        ),
        (
            folder.builder().cli_file(folder.write("b.json", large_json)),
            "profile: the file is larger than 1024 KiB (b.json); set the path of a file with profiles",
        ),
        (
            folder.builder().ini_file(folder.write("b.ini", large_ini)),
            "profile: the file is larger than 64 KiB (b.ini); set the path of a file with profiles",
        ),
        (
            folder.builder().cli_file(folder.path("folder")),
            "profile: this is not a regular file (folder); set the path of the file itself",
        ),
        (
            folder.builder().cli_file(folder.write("c.json", "")),
            "profile: the CLI's configuration is empty (c.json); correct it, or create it again with `aliyun configure`",
        ),
        (
            folder.builder().cli_file(folder.write("d.json", "[]")),
            "profile: the CLI's configuration is not a JSON object (d.json); correct it, or create it again with `aliyun configure`",
        ),
        (
            folder
                .builder()
                .cli_file(folder.write("e.json", "{\"profiles\":\n canary}")),
            "profile: the CLI's configuration is not the JSON that was expected (line 2, column 2) (e.json); \
             correct it, or create it again with `aliyun configure`",
        ),
        (
            folder
                .builder()
                .cli_file(folder.write("f.json", r#"{"current": "gone", "profiles": [{"name": "x"}]}"#)),
            "profile: \"current\" names the profile \"gone\", and there is none (f.json); choose one with \
             `aliyun configure switch`, or name one with profile(..) or ALIBABA_CLOUD_PROFILE",
        ),
    ] {
        assert_eq!(folder.invalid(&provider.build().unwrap()), text);
    }
    // A file of exactly the largest size.
    let fits = format!("{}{}", INI, "#".repeat(MAX_INI_FILE - INI.len()));
    let provider = folder
        .builder()
        .ini_file(folder.write("fits.ini", fits))
        .build()
        .unwrap();
    assert_eq!(keys(&provider).0, "ini-default");
}

/// Root may read everything.
#[test]
#[cfg(unix)]
fn a_file_without_permission_is_named() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let path = folder.write("c.json", JSON);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    let provider = folder.builder().cli_file(&path).build().unwrap();
    match blocking::wait(provider.credentials()) {
        Ok(_) => assert!(std::fs::read(&path).is_ok(), "read, though nobody may"),
        Err(error) => {
            assert!(matches!(error, CredentialsError::InvalidConfig(_)));
            assert_eq!(
                folder.shown(&error),
                "profile: the file may not be read (c.json); let the user of this process read it"
            );
        }
    }
}

/// A service may run with another user's home directory, and has no profile for that reason alone.
#[test]
#[cfg(unix)]
fn a_home_directory_of_somebody_else_is_not_configured() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let path = folder.write(".aliyun/config.json", JSON);
    let closed = path.parent().unwrap();
    std::fs::set_permissions(closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    let provider = ProfileProvider::from_env(&folder.env()).unwrap().build().unwrap();
    let found = blocking::wait(provider.credentials());
    let named = blocking::wait(folder.builder().cli_file(&path).build().unwrap().credentials());
    let may_read = std::fs::read(&path).is_ok();
    std::fs::set_permissions(closed, std::fs::Permissions::from_mode(0o700)).unwrap();
    if may_read {
        assert!(found.is_ok() && named.is_ok(), "root may read everything");
        return;
    }
    let error = found.unwrap_err();
    assert!(error.is_not_configured(), "{error:?}");
    assert!(
        error
            .to_string()
            .contains("config.json: its folder may not be looked into;"),
        "{error}"
    );
    assert_eq!(
        folder.shown(&named.unwrap_err()),
        "profile: the file's folder may not be looked into (.aliyun/config.json); let the user of this process do so"
    );
}

/// Only what nobody has set up may be passed over.
#[test]
#[cfg(not(windows))]
fn a_profile_that_is_begun_is_not_empty() {
    for (name, fields, text) in [
        ("staging", r#""mode": "AK""#, "has no access_key_id"),
        (
            "default",
            r#""mode": "AK", "sts_token": "t""#,
            "has no access_key_id",
        ),
        ("default", r#""ram_role_name": "example-role""#, "has no mode"),
        (
            "default",
            r#""mode": "", "process_command": "helper""#,
            "has no mode",
        ),
        (
            "default",
            r#""credentials_uri": "http://127.0.0.1:6666/""#,
            "has no mode",
        ),
        (
            "default",
            r#""mode": "AK", "ram_role_arn": "acs:ram::1:role/x""#,
            "has no access_key_id",
        ),
    ] {
        let folder = Folder::new();
        let profile = format!(r#"{{"name": "{name}", "access_key_id": "", {fields}}}"#);
        folder.write(
            HOME_FILES[0],
            format!(r#"{{"current": "{name}", "profiles": [{profile}]}}"#),
        );
        folder.write(HOME_FILES[1], INI);
        let provider = ProfileProvider::from_env(&folder.env()).unwrap().build().unwrap();
        let found = folder.invalid(&provider);
        assert!(
            found.starts_with(&format!("profile: the profile {name:?} {text} (")),
            "{fields}: {found}"
        );
    }
}

/// A volume that is not mounted, say: somebody has put it there.
#[test]
#[cfg(unix)]
fn a_link_that_leads_nowhere_is_not_the_same_as_no_file() {
    for link in [".aliyun/config.json", ".aliyun", ".alibabacloud/credentials.ini"] {
        let folder = Folder::new();
        folder.write(".alibabacloud/credentials", INI);
        folder.write(".other/x", "");
        let link = folder.path(link);
        std::fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink("/nowhere/at/all", &link).unwrap();
        let provider = ProfileProvider::from_env(&folder.env()).unwrap().build().unwrap();
        let found = folder.invalid(&provider);
        assert!(
            found.starts_with("profile: there is no such file (.al"),
            "{}: {found}",
            link.display()
        );
    }
}
