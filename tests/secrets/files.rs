//! The profile provider and the default chain, with secrets in every field of a file and in every variable: in their
//! places, and one after another where they do not belong.

use std::fmt::Debug;
use std::path::Path;
use std::time::Duration;

use oss_credentials::{DefaultProvider, Explanation};
use oss_credentials_core::test_util::{FakeEnv, ManualClock};
use oss_credentials_core::{CredentialsProvider, blocking};
use oss_credentials_profile::ProfileProvider;
use tempfile::TempDir;

use crate::scripted::{ECHO, SECRET, Services, TOKEN, URI_HOST};
use crate::transcript::Transcript;

const NOW: u64 = 1_800_000_000;

/// Each mode with all its fields; values are as they should be, and secrets are canaries.
const MODES: &[&[(&str, &str)]] = &[
    &[
        ("mode", "AK"),
        ("access_key_id", "LTAI5tExampleKeyId01"),
        ("access_key_secret", "canary-file-secret"),
    ],
    &[
        ("mode", "StsToken"),
        ("access_key_id", "STS.NUExampleTempKeyId"),
        ("access_key_secret", "canary-file-secret"),
        ("sts_token", "canary-file-token"),
    ],
    &[
        ("mode", "RamRoleArn"),
        ("access_key_id", "LTAI5tExampleKeyId01"),
        ("access_key_secret", "canary-file-secret"),
        ("sts_token", "canary-file-token"),
        ("ram_role_arn", "acs:ram::123456789012:role/example"),
        ("ram_session_name", "example"),
        ("policy", "canary-policy"),
        ("external_id", "canary-external-id"),
        ("sts_region", "cn-hangzhou"),
        ("sts_endpoint", "sts.cn-hangzhou.aliyuncs.com"),
    ],
    &[("mode", "EcsRamRole"), ("ram_role_name", "example-role")],
    &[
        ("mode", "OIDC"),
        ("ram_role_arn", "acs:ram::123456789012:role/example"),
        ("oidc_provider_arn", "acs:ram::123456789012:oidc-provider/example"),
        ("oidc_token_file", "FOLDER/token"),
        ("role_session_name", "example"),
        ("sts_region", "cn-hangzhou"),
    ],
    &[
        ("mode", "CredentialsURI"),
        (
            "credentials_uri",
            "http://user:canary-password@127.0.0.1:6666/keys?key=canary-query",
        ),
    ],
    &[
        ("mode", "External"),
        ("process_command", "/bin/echo canary-argument"),
    ],
    &[
        ("mode", "CloudSSO"),
        ("cloud_sso_sign_in_url", "https://signin.example.com/start"),
        ("cloud_sso_account_id", "1"),
        ("cloud_sso_access_config", "ac"),
        ("access_token", "canary-login-token"),
    ],
    &[
        ("mode", "OAuth"),
        ("oauth_site_type", "CN"),
        ("oauth_access_token", "canary-access-token"),
        ("oauth_refresh_token", "canary-refresh-token"),
    ],
    &[
        ("mode", "ChainableRamRoleArn"),
        ("source_profile", "base"),
        ("ram_role_arn", "acs:ram::123456789012:role/example"),
        ("sts_region", "cn-hangzhou"),
    ],
];

/// Sections of `credentials.ini`.
const TYPES: &[&[(&str, &str)]] = &[
    &[
        ("type", "access_key"),
        ("access_key_id", "LTAI5tExampleKeyId01"),
        ("access_key_secret", "canary-file-secret"),
    ],
    &[
        ("type", "sts"),
        ("access_key_id", "STS.NUExampleTempKeyId"),
        ("access_key_secret", "canary-file-secret"),
        ("security_token", "canary-file-token"),
    ],
    &[
        ("type", "ram_role_arn"),
        ("access_key_id", "LTAI5tExampleKeyId01"),
        ("access_key_secret", "canary-file-secret"),
        ("role_arn", "acs:ram::123456789012:role/example"),
        ("role_session_name", "example"),
        ("policy", "canary-policy"),
    ],
    &[("type", "ecs_ram_role"), ("role_name", "example-role")],
    &[
        ("type", "oidc_role_arn"),
        ("role_arn", "acs:ram::123456789012:role/example"),
        ("oidc_provider_arn", "acs:ram::123456789012:oidc-provider/example"),
        ("oidc_token_file_path", "FOLDER/token"),
    ],
];

/// The vendor's OSS documents' own keys.
const OWN_KEYS: &[&[(&str, &str)]] = &[&[
    ("alibaba_cloud_access_key_id", "LTAI5tExampleKeyId01"),
    ("alibaba_cloud_access_key_secret", "canary-file-secret"),
]];

/// Names, hosts and paths, which a person needs to see: whoever puts a secret there shows it. A region is a part of a
/// host's name.
const SHOWN: &[&str] = &[
    "config.json: sts_endpoint of RamRoleArn",
    "config.json: ram_role_name of EcsRamRole",
    "config.json: oidc_token_file of OIDC",
    "config.json: sts_region of OIDC",
    // Its first word.
    "config.json: process_command of External",
    "config.json: source_profile of ChainableRamRoleArn",
    "config.json: sts_region of ChainableRamRoleArn",
    "credentials.ini: role_name of ecs_ram_role",
    "credentials.ini: oidc_token_file_path of oidc_role_arn",
];
const SHOWN_VARIABLES: &[&str] = &[
    "ALIBABA_CLOUD_OIDC_TOKEN_FILE",
    "ALIBABA_CLOUD_ROLE_SESSION_NAME",
    "ALIBABA_CLOUD_STS_REGION",
    "ALIBABA_CLOUD_CONFIG_FILE",
    "ALIBABA_CLOUD_ECS_METADATA",
];

fn config_json(folder: &Path, fields: &[(&str, &str)]) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, value)| {
            format!(
                "\"{name}\": {:?}",
                value.replace("FOLDER", folder.to_str().unwrap())
            )
        })
        .collect();
    format!(
        r#"{{"current": "x", "profiles": [{{"name": "x", {}}}, {{"name": "base", "mode": "AK",
        "access_key_id": "LTAI5tExampleKeyId02", "access_key_secret": "canary-base-file-secret"}}]}}"#,
        fields.join(", ")
    )
}

fn credentials_ini(folder: &Path, fields: &[(&str, &str)]) -> String {
    let lines = fields.iter().map(|(name, value)| format!("{name} = {value}\n"));
    let text = format!("[default]\n{}", lines.collect::<String>());
    text.replace("FOLDER", folder.to_str().unwrap())
}

/// What services answer: all is well, they repeat what they were shown, or they are broken.
fn answers() -> [Option<(u16, String)>; 5] {
    // What the service was shown.
    let said = ECHO;
    let echo = format!(r#"{{"Code": "NoPermission", "Message": "{said}", "RequestId": "R-1"}}"#);
    [
        None,
        Some((400, echo.clone())),
        Some((200, echo.replace("Code", "error"))),
        Some((200, format!("{{\"AccessKeyId\": \"{SECRET}"))),
        Some((503, format!("<html>{TOKEN}</html>"))),
    ]
}

/// How often a provider brought credentials, and how often an error.
#[derive(Default)]
struct Outcomes {
    good: usize,
    bad: usize,
}

impl Outcomes {
    fn note(&mut self, transcript: &Transcript, provider: &(impl CredentialsProvider + Debug)) {
        let outcome = blocking::wait(provider.credentials());
        transcript.note_debug(&(&outcome, provider, provider.refresh_status()));
        match outcome {
            Ok(_) => self.good += 1,
            Err(error) => {
                self.bad += 1;
                transcript.note(&error);
            }
        }
    }
}

/// A folder with a token, and a clock.
struct Place {
    folder: TempDir,
    clock: ManualClock,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), "canary.oidc.token").unwrap();
        Self {
            folder,
            clock: ManualClock::at_unix(NOW),
        }
    }

    fn services(&self, answer: Option<(u16, String)>) -> Services {
        let services = Services::new(&self.clock);
        if let Some((status, body)) = answer {
            services.answer_instead(status, body);
        }
        services
    }

    /// The provider of a file with this text, which is broken after the first answer.
    fn profile(&self, transcript: &Transcript, name: &str, text: &str) -> Outcomes {
        let file = self.folder.path().join(name);
        let mut outcomes = Outcomes::default();
        for answer in answers() {
            std::fs::write(&file, text).unwrap();
            let services = self.services(answer);
            let builder = ProfileProvider::builder();
            let builder = match name {
                "config.json" => builder.cli_file(&file).write_back(true),
                "config.ini" => ProfileProvider::config_ini(&file, "oss"),
                _ => builder.ini_file(&file),
            };
            let builder = builder.clock(self.clock.clone()).http_client(services.http());
            transcript.note_debug(&builder);
            let provider = builder.build().unwrap();
            outcomes.note(transcript, &provider);
            transcript.note_debug(&provider.in_use());
            // Broken, in a line that is a piece of a secret; and later than the keys at hand live.
            std::fs::write(&file, format!("{text}\n= canary-rest\n")).unwrap();
            self.clock.advance(Duration::from_secs(6));
            outcomes.note(transcript, &provider);
            self.clock.advance(Duration::from_secs(3600));
            outcomes.note(transcript, &provider);
        }
        outcomes
    }

    /// The default chain with these variables, and what it tells of itself.
    fn chain(&self, transcript: &Transcript, variables: &[(&'static str, String)]) -> Outcomes {
        let mut outcomes = Outcomes::default();
        for answer in answers() {
            let services = self.services(answer);
            let env: FakeEnv = variables.iter().cloned().collect();
            let builder = DefaultProvider::builder()
                .env(env)
                .clock(self.clock.clone())
                .http_client(services.http());
            transcript.note_debug(&builder);
            let provider = match builder.build() {
                Ok(provider) => provider,
                Err(error) => {
                    outcomes.bad += 1;
                    transcript.note(&error);
                    continue;
                }
            };
            for _ in 0..2 {
                outcomes.note(transcript, &provider);
                for explanation in [provider.explain_now(false), provider.explain_now(true)] {
                    transcript.note_debug(&explanation);
                    transcript.note_text(explanation.to_string());
                    transcript.note_text(explanation.to_json());
                }
                self.clock.advance(Duration::from_secs(3600));
            }
        }
        outcomes
    }
}

trait ExplainNow {
    fn explain_now(&self, all: bool) -> Explanation;
}

impl ExplainNow for DefaultProvider {
    fn explain_now(&self, all: bool) -> Explanation {
        if all {
            blocking::wait(self.explain_all())
        } else {
            blocking::wait(self.explain())
        }
    }
}

#[test]
fn no_secret_of_a_file_is_shown() {
    let transcript = Transcript::start(&["canary"]);
    let mut outcomes = Outcomes::default();
    for (name, kinds) in [
        ("config.json", MODES),
        ("credentials.ini", TYPES),
        ("config.ini", OWN_KEYS),
    ] {
        for fields in kinds {
            let place = Place::new();
            let text = file_text(name, place.folder.path(), fields);
            let found = place.profile(&transcript, name, &text);
            assert!(found.good + found.bad == 15, "{fields:?}");
            outcomes.good += found.good;
            outcomes.bad += found.bad;
            // The chain with the same file, and with the sources behind it.
            std::fs::write(place.folder.path().join(name), text).unwrap();
            place.chain(
                &transcript,
                &variables(place.folder.path(), &["OSS_", "OIDC", "ACCESS_KEY"]),
            );
        }
    }
    assert!(
        outcomes.good > 50 && outcomes.bad > 50,
        "{} {}",
        outcomes.good,
        outcomes.bad
    );
    transcript.check();
}

#[test]
fn no_secret_of_a_variable_is_shown() {
    let transcript = Transcript::start(&["canary"]);
    let place = Place::new();
    let fields = file_text("config.json", place.folder.path(), MODES[1]);
    std::fs::write(place.folder.path().join("config.json"), fields).unwrap();
    let mut bad = 0;
    // From all variables to those of the last member.
    for (without, good) in [
        (&[][..], true),
        (&["OSS_"][..], true),
        (&["OSS_", "ACCESS_KEY"], true),
        (&["OSS_", "ACCESS_KEY", "OIDC"], true),
        (&["OSS_", "ACCESS_KEY", "OIDC", "_FILE", "PROFILE"], true),
        (&["OSS_", "ACCESS_KEY", "OIDC", "_FILE", "PROFILE", "URI"], true),
        (&["ACCESS_KEY_SECRET"], false),
        (&["ACCESS_KEY_ID"], false),
        (&["OSS_", "ACCESS_KEY", "ROLE_ARN"], false),
    ] {
        let outcomes = place.chain(&transcript, &variables(place.folder.path(), without));
        assert_eq!(outcomes.good > 0, good, "{without:?}");
        bad += outcomes.bad;
    }
    assert!(bad > 20, "{bad}");
    transcript.check();
}

/// A key that was pasted into another field: only the fields in [`SHOWN`] show it.
#[test]
fn a_secret_in_the_wrong_field_is_not_shown() {
    let transcript = Transcript::start(&["canary"]);
    let mut shown = Vec::new();
    let mut number = 0;
    for (file, kinds) in [
        ("config.json", MODES),
        ("credentials.ini", TYPES),
        ("config.ini", OWN_KEYS),
    ] {
        for fields in kinds {
            for (index, (name, _)) in fields.iter().enumerate() {
                let place = Place::new();
                number += 1;
                let misplaced = misplaced(number);
                let mut fields = fields.to_vec();
                fields[index].1 = &misplaced;
                place.profile(&transcript, file, &file_text(file, place.folder.path(), &fields));
                if transcript.shows(&misplaced) {
                    shown.push(format!("{file}: {} of {}", name, fields[0].1));
                }
            }
        }
    }
    assert!(number > 50, "{number}");
    assert_eq!(shown, SHOWN);
    transcript.check();
}

/// The same for variables.
#[test]
fn a_secret_in_the_wrong_variable_is_not_shown() {
    let transcript = Transcript::start(&["canary"]);
    let mut shown = Vec::new();
    for without in [
        &[][..],
        &["OSS_"],
        &["OSS_", "ACCESS_KEY"],
        &["OSS_", "ACCESS_KEY", "OIDC"],
    ] {
        let place = Place::new();
        let count = variables(place.folder.path(), without).len();
        for index in 0..count {
            let mut variables = variables(place.folder.path(), without);
            let misplaced = misplaced(1000 * (without.len() + 1) + index);
            variables[index].1.clone_from(&misplaced);
            place.chain(&transcript, &variables);
            if transcript.shows(&misplaced) && !shown.contains(&variables[index].0) {
                shown.push(variables[index].0);
            }
        }
    }
    assert_eq!(shown, SHOWN_VARIABLES);
    transcript.check();
}

/// As long as an AccessKey secret, in letters and digits as those have them.
fn misplaced(number: usize) -> String {
    format!("Zq{number:05}Hb7misplaced7kLwR9xT")
}

/// All variables that the chain reads, with good values and canaries for secrets, but for those with one of these words
/// in their names.
fn variables(folder: &Path, without: &[&str]) -> Vec<(&'static str, String)> {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let all = [
        ("OSS_ACCESS_KEY_ID", "LTAI5tExampleKeyId03".to_owned()),
        ("OSS_ACCESS_KEY_SECRET", "canary-oss-secret".to_owned()),
        ("OSS_SESSION_TOKEN", "canary-oss-token".to_owned()),
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAI5tExampleKeyId04".to_owned()),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "canary-env-secret".to_owned()),
        ("ALIBABA_CLOUD_SECURITY_TOKEN", "canary-env-token".to_owned()),
        (
            "ALIBABA_CLOUD_ROLE_ARN",
            "acs:ram::123456789012:role/example".to_owned(),
        ),
        (
            "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
            "acs:ram::123456789012:oidc-provider/example".to_owned(),
        ),
        ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", path("token")),
        ("ALIBABA_CLOUD_ROLE_SESSION_NAME", "example".to_owned()),
        ("ALIBABA_CLOUD_STS_REGION", "cn-hangzhou".to_owned()),
        ("ALIBABA_CLOUD_CONFIG_FILE", path("config.json")),
        ("ALIBABA_CLOUD_CREDENTIALS_FILE", path("credentials.ini")),
        ("ALIBABA_CLOUD_PROFILE", "x".to_owned()),
        (
            "ALIBABA_CLOUD_CREDENTIALS_URI",
            format!("http://user:canary-password@{URI_HOST}/keys?key=canary-query"),
        ),
        ("ALIBABA_CLOUD_ECS_METADATA", "example-role".to_owned()),
        // Unset, in most cases.
        ("ALIBABA_CLOUD_CREDENTIALS_PROVIDER", String::new()),
        ("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", String::new()),
        ("ALIBABA_CLOUD_ECS_METADATA_DISABLED", String::new()),
        ("ALIBABA_CLOUD_IMDSV1_DISABLED", String::new()),
        ("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED", String::new()),
    ];
    let is_wanted = |name: &str| !without.iter().any(|word| name.contains(word));
    all.into_iter().filter(|(name, _)| is_wanted(name)).collect()
}

fn file_text(name: &str, folder: &Path, fields: &[(&str, &str)]) -> String {
    match name {
        "config.json" => config_json(folder, fields),
        "config.ini" => credentials_ini(folder, fields).replace("[default]", "[oss]"),
        _ => credentials_ini(folder, fields),
    }
}
