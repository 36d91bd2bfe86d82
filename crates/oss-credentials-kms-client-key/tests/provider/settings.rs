//! What is read, from where, and in which order.

use std::path::PathBuf;

use oss_credentials_core::test_util::{FakeEnv, PanickingEnv};
use oss_credentials_core::{CredentialsError, CredentialsSource, blocking};
use oss_credentials_kms_client_key::{
    ENV_CLIENT_KEY_FILE, ENV_CLIENT_KEY_PASSWORD, ENV_CREDENTIALS_TYPE, ENV_PASSWORD_VARIABLE, ENV_REGIONS,
    ENV_SECRET_NAMES, KmsClientKey, KmsClientKeyBuilder, KmsRegion,
};

use crate::service::{KEY_ID, SECRET, Service, ServiceExt as _, client_key, pair};

const HANGZHOU: &str = r#"[{"regionId":"cn-hangzhou"}]"#;
const BEIJING: &str = r#"[{"regionId":"cn-beijing"}]"#;

fn ready(builder: KmsClientKeyBuilder) -> Result<KmsClientKey, CredentialsError> {
    builder
        .secret_name(SECRET)
        .http_client(Service::new())
        .build_source()
}

fn file(content: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secretsmanager.properties");
    std::fs::write(&path, content).unwrap();
    (folder, path)
}

#[test]
fn explicit_configuration_never_reads_the_environment() {
    let service = Service::new().answers(200, pair("i"));
    let source = service.builder().env(&PanickingEnv).build_source().unwrap();
    blocking::wait(source.fetch()).unwrap();
}

#[test]
fn not_configured() {
    let other = FakeEnv::from([
        (ENV_REGIONS, HANGZHOU),
        (ENV_SECRET_NAMES, SECRET),
        (ENV_CREDENTIALS_TYPE, ""),
        (ENV_CLIENT_KEY_FILE, ""),
        ("client_key_password", "canary"),
    ]);
    // There is none in the folder of a test.
    let nowhere = KmsClientKey::builder().default_properties().unwrap();
    for error in [
        KmsClientKey::from_env(&FakeEnv::new()).unwrap_err(),
        KmsClientKey::from_env(&other).unwrap_err(),
        ready(nowhere).unwrap_err(),
        ready(KmsClientKey::builder().region(KmsRegion::new("cn-hangzhou"))).unwrap_err(),
    ] {
        assert!(error.is_not_configured(), "{error:?}");
        assert_eq!(
            error.to_string(),
            "kms-client-key: no client key is named; set credentials_type=client_key, \
             client_key_private_key_path, its password and cache_client_region_id in the environment or in a \
             properties file, or the builder's methods for them"
        );
    }
}

#[test]
fn half_configured() {
    let all = [
        (ENV_CREDENTIALS_TYPE, "client_key"),
        (ENV_CLIENT_KEY_FILE, "key.json"),
        (ENV_REGIONS, HANGZHOU),
        (ENV_CLIENT_KEY_PASSWORD, "canary"),
    ];
    assert!(ready(KmsClientKey::from_env(&FakeEnv::from(all)).unwrap()).is_ok());
    for (missing, text) in [
        (
            ENV_CREDENTIALS_TYPE,
            "a client key file is named, but no credentials type (credentials_type); set credentials_type=client_key",
        ),
        (
            ENV_CLIENT_KEY_FILE,
            "no client key file is named (client_key_private_key_path); set client_key_private_key_path to its \
             path, or client_key_file(..)",
        ),
        (
            ENV_REGIONS,
            "no region is named; set cache_client_region_id=[{\"regionId\":\"cn-hangzhou\"}], or region(..)",
        ),
        (
            ENV_CLIENT_KEY_PASSWORD,
            "the password of the client key was not provided (variable client_key_password is not set); set it to the \
             password that KMS showed beside the client key, or client_key_password_from_file_path to the path of a \
             file that holds it",
        ),
    ] {
        let env = FakeEnv::from(all);
        env.unset(missing);
        let error = ready(KmsClientKey::from_env(&env).unwrap()).unwrap_err();
        assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
        assert_eq!(error.to_string(), format!("kms-client-key: {text}"));
    }
    let unnamed = KmsClientKey::from_env(&FakeEnv::from(all))
        .unwrap()
        .http_client(Service::new());
    let error = unnamed.build_source().unwrap_err().to_string();
    assert_eq!(
        error,
        "kms-client-key: no secret is named; name the one with the access key pair with secret_name(..), or with \
         secret_names in the environment or the properties file"
    );
    // In code alone.
    let builder = || {
        KmsClientKey::builder()
            .client_key_file("k.json")
            .region(KmsRegion::new("cn-hangzhou"))
    };
    assert_eq!(
        ready(builder()).unwrap_err().to_string(),
        "kms-client-key: the password of the client key was not provided; call client_key_password(..) or \
         client_key_password_file(..), set client_key_password_from_file_path, or let env(..) read the variable \
         client_key_password"
    );
    assert_eq!(
        ready(builder().client_key_password("")).unwrap_err().to_string(),
        "kms-client-key: the password of the client key is empty; give client_key_password(..) the password that KMS \
         showed beside the client key"
    );
    assert!(ready(builder().client_key_password_file("pw.txt")).is_ok());
}

#[test]
fn other_types_of_credentials_are_sent_to_their_crate() {
    for (kind, name) in [
        ("ak", "oss-credentials-static"),
        ("token", "oss-credentials-static"),
        ("sts", "oss-credentials-sts-assume-role"),
        ("ram_role", "oss-credentials-sts-assume-role"),
        ("ecs_ram_role", "oss-credentials-ecs-ram-role"),
        ("oidc_role_arn", "oss-credentials-oidc-rrsa"),
    ] {
        let error = KmsClientKey::from_env(&FakeEnv::new().with(ENV_CREDENTIALS_TYPE, kind)).unwrap_err();
        assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
        assert_eq!(
            error.to_string(),
            format!(
                "kms-client-key: the credentials type {kind} is not a client key (credentials_type); set it to \
                 client_key, or get credentials of that kind from the crate {name}"
            )
        );
    }
    // Exact, as in the vendor's clients; and what is not a type is not repeated.
    for kind in ["CLIENT_KEY", "client-key", "canary"] {
        let error = KmsClientKey::from_env(&FakeEnv::new().with(ENV_CREDENTIALS_TYPE, kind)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "kms-client-key: the credentials type is unknown (credentials_type); set it to client_key, with an \
             underscore"
        );
    }
    // A key in code needs none of that.
    let (_folder, path) = file("credentials_type=ak\n");
    let explicit = KmsClientKey::builder()
        .client_key(client_key())
        .region(KmsRegion::new("cn-hangzhou"));
    assert!(ready(explicit.properties(path).unwrap()).is_ok());
}

#[test]
fn code_goes_before_environment_and_environment_before_file_for_each_setting() {
    let (_folder, path) = file(&format!(
        "credentials_type=client_key\nclient_key_private_key_path=file.json\n\
         client_key_password_from_file_path=pw.txt\n\
         cache_client_region_id={HANGZHOU}\nsecret_names=from-file\n"
    ));
    let base = || {
        KmsClientKey::from_properties(&path)
            .unwrap()
            .http_client(Service::new())
    };
    let endpoints = |builder: KmsClientKeyBuilder| builder.build_source().unwrap().endpoints();
    let hangzhou = ["https://kms.cn-hangzhou.aliyuncs.com"];
    let beijing = ["https://kms.cn-beijing.aliyuncs.com"];
    assert_eq!(endpoints(base()), hangzhou);
    assert_eq!(base().build_source().unwrap().secret_name(), "from-file");

    // Replaced, not joined; what the environment does not say still comes from the file.
    let env = FakeEnv::from([(ENV_REGIONS, BEIJING), (ENV_SECRET_NAMES, "")]);
    assert_eq!(endpoints(base().env(&env)), beijing);
    assert_eq!(
        base().env(&env).build_source().unwrap().secret_name(),
        "from-file"
    );
    // In whichever order they are given.
    let turned = KmsClientKey::builder()
        .env(&env)
        .properties(&path)
        .unwrap()
        .http_client(Service::new());
    assert_eq!(endpoints(turned), beijing);

    let code = base()
        .env(&env)
        .region(KmsRegion::new("cn-shanghai"))
        .secret_name("from-code");
    let source = code.build_source().unwrap();
    assert_eq!(source.endpoints(), ["https://kms.cn-shanghai.aliyuncs.com"]);
    assert_eq!(source.secret_name(), "from-code");
}

#[test]
fn a_type_in_the_environment_overrules_the_file() {
    let (_folder, path) = file(&format!(
        "credentials_type=ak\nclient_key_private_key_path=k.json\nclient_key_password_from_file_path=p.txt\n\
         cache_client_region_id={HANGZHOU}\n"
    ));
    let base = || KmsClientKey::from_properties(&path).unwrap();
    assert!(
        ready(base())
            .unwrap_err()
            .to_string()
            .contains("oss-credentials-static")
    );
    let env = FakeEnv::new().with(ENV_CREDENTIALS_TYPE, "client_key");
    assert!(ready(base().env(&env)).is_ok());
}

#[test]
fn a_password_variable_that_the_file_names_needs_the_environment() {
    let (_folder, path) = file(&format!(
        "credentials_type=client_key\nclient_key_private_key_path=k.json\n\
         {ENV_PASSWORD_VARIABLE}=PW\ncache_client_region_id={HANGZHOU}\n"
    ));
    let error = ready(KmsClientKey::from_properties(&path).unwrap()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "kms-client-key: the password is in a variable, but the environment was not read \
         (client_key_password_from_env_variable); call env(..) after properties(..)"
    );
    let env = FakeEnv::new().with("PW", "canary");
    let turned = KmsClientKey::builder().env(&env).properties(&path).unwrap();
    assert_eq!(ready(turned).unwrap_err().to_string(), error.to_string());
    let builder = KmsClientKey::from_properties(&path).unwrap().env(&env);
    assert!(!format!("{builder:?}").contains("canary"));
    assert!(ready(builder).is_ok());
}

#[test]
fn one_secret_may_be_named_in_the_settings() {
    let named = |names: &str| {
        KmsClientKey::builder()
            .client_key(client_key())
            .region(KmsRegion::new("cn-hangzhou"))
            .env(&FakeEnv::new().with(ENV_SECRET_NAMES, names))
            .http_client(Service::new())
            .build_source()
    };
    assert_eq!(named(" a , ").unwrap().secret_name(), "a");
    let error = named("a,b").unwrap_err().to_string();
    assert!(
        error.contains("there is more than one secret to choose from (secret_names)"),
        "{error}"
    );
}

#[test]
fn files_that_cannot_be_settings_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = KmsClientKey::from_properties(folder.path())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("the properties file is not a regular file"),
        "{error}"
    );
    for (content, problem) in [
        (vec![b'a'; 65 * 1024], "is larger than 64 KiB"),
        (b"a=\xff".to_vec(), "is not UTF-8 text"),
        (
            b"[canary]\na=1".to_vec(),
            "has a line that begins with `[` or `=`",
        ),
    ] {
        let path = folder.path().join("p");
        std::fs::write(&path, content).unwrap();
        let error = KmsClientKey::from_properties(&path).unwrap_err();
        assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
        assert!(
            error
                .to_string()
                .contains(&format!("the properties file {problem}")),
            "{error}"
        );
        assert!(!error.to_string().contains("canary"), "{error}");
    }
}

#[test]
fn a_file_that_is_named_has_to_be_there_and_to_say_something() {
    let error = KmsClientKey::from_properties("/nowhere/secretsmanager.properties").unwrap_err();
    assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        "kms-client-key: there is no properties file (/nowhere/secretsmanager.properties); create it or correct the \
         path given to properties(..)"
    );
    let text = format!(
        "credentials_type=client_key\r\nclient_key_private_key_path=k.json\r\ncache_client_region_id={HANGZHOU}\r\n"
    );
    let utf_16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for content in [
        text.replace('=', ": ").into_bytes(),
        text.to_uppercase().into_bytes(),
        utf_16,
    ] {
        let (_folder, path) = file("");
        std::fs::write(&path, content).unwrap();
        let error = KmsClientKey::from_properties(&path).unwrap_err();
        assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
        assert_eq!(
            error.to_string(),
            format!(
                "kms-client-key: the properties file contains no setting of this provider ({}); write one name=value per \
                 line, in UTF-8, such as credentials_type=client_key",
                path.display()
            )
        );
    }
    // What says nothing is not wrong: the environment may hold everything.
    for content in ["", "\n# a comment\n! another\n", "secret_names=\n"] {
        let (_folder, path) = file(content);
        let builder = KmsClientKey::from_properties(&path).unwrap();
        assert!(ready(builder).unwrap_err().is_not_configured(), "{content}");
    }
}

#[test]
fn a_malformed_secret_name_is_refused() {
    for name in ["", "  ", "a b", "a\n"] {
        let error = Service::new()
            .builder()
            .secret_name(name)
            .build_source()
            .unwrap_err();
        assert!(
            matches!(error, CredentialsError::InvalidConfig(_)),
            "{name:?}: {error:?}"
        );
    }
}

#[cfg(not(feature = "reqwest"))]
#[test]
fn without_an_http_client_the_error_says_what_to_do() {
    let error = KmsClientKey::builder()
        .secret_name(SECRET)
        .client_key(client_key())
        .region(KmsRegion::new("cn-hangzhou"))
        .build()
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "kms-client-key: there is no HTTP client; pass one with http_client(..), or enable the feature `reqwest`"
    );
}

#[test]
fn a_source_shows_where_it_fetches_what_and_no_key() {
    let source = Service::new().builder().build_source().unwrap();
    let shown = format!("{source:?}");
    for part in [
        "KmsClientKey",
        SECRET,
        "cn-hangzhou",
        "kms.cn-hangzhou.aliyuncs.com",
        "refresh_interval",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert!(!shown.contains(KEY_ID), "{shown}");
}
