"""What the vendor's default chain and ours make of the same surroundings.

What the vendor's brings was seen with the client that constraints.txt pins; what ours has to bring is what the pages
in docs/ say of it. Where both differ, `why` is the reason's name in docs/default-chain.md.
"""

import json

from chain_support import Case

ID, SECRET, TOKEN = (
    "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN")
KEYS = {ID: "LTAI5tEXAMPLE-ENV", SECRET: "env-secret"}
OSS_KEYS = {"OSS_ACCESS_KEY_ID": "LTAI5tEXAMPLE-OSS", "OSS_ACCESS_KEY_SECRET": "oss-secret"}
URI = {"ALIBABA_CLOUD_CREDENTIALS_URI": "$OTHER/uri"}
CLI_FILE, INI_FILE = ".aliyun/config.json", ".alibabacloud/credentials.ini"
SESSION = {"ALIBABA_CLOUD_ROLE_SESSION_NAME": "interop"}


def cli(*profiles, current="work"):
    """The CLI's file with the profile `work` and others."""
    named = [{"name": "work", **profiles[0]}, *profiles[1:]] if profiles else []
    return {CLI_FILE: json.dumps({**({"current": current} if current else {}), "profiles": named}, indent=2)}


def ini(section="default", file=INI_FILE, text="", **keys):
    """A file of the SDKs with one section."""
    lines = "".join(f"{key} = {value}\n" for key, value in keys.items())
    return {file: f"[{section}]\n{lines}{text}"}


def keys_of(name):
    return {"access_key_id": f"LTAI5tEXAMPLE-{name}", "access_key_secret": f"{name}-secret"}


CLI_KEYS = {"mode": "AK", **keys_of("CLI")}
INI = ini(type="access_key", **keys_of("INI"))
FROM_INI = "ini keys: LTAI5tEXAMPLE-INI"
FROM_CLI = "cli keys: LTAI5tEXAMPLE-CLI"
FROM_URI = "uri: STS.EXAMPLE-URI"


def all_cases(cloud, temporary):
    """All of them. The cloud knows the keys of roles; `temporary` is a key with a token."""
    return [
        *variables(),
        *oidc(cloud),
        *cli_files(),
        *cli_modes(cloud, temporary),
        *cli_logins(),
        *ini_files(),
        *ini_types(cloud),
        *uris(),
        *metadata(),
        *several(cloud),
    ]


def variables():
    def half(name, given, **rest):
        return Case(
            name, **{"vendor": FROM_INI, "files": INI, **rest}, variables=given,
            ours="stops at env: invalid-config", why="half-a-pair")

    def padded(name, given):
        return Case(
            name, "env: " + given[ID], given, files=INI, ours="stops at env: invalid-config", parity=FROM_INI,
            why="white-space")

    from_env = "env: LTAI5tEXAMPLE-ENV"
    return [
        Case("nothing at all", "nobody"),
        Case("a pair", from_env, KEYS),
        Case("a pair and a token", from_env, {**KEYS, TOKEN: "token"}),
        Case("a pair and an empty token", from_env + ", an empty token", {**KEYS, TOKEN: ""}, ours=from_env,
             parity=from_env, why="empty-token"),
        half("an id alone", {ID: "LTAI5tEXAMPLE-ENV"}),
        half("a secret alone", {SECRET: "secret"}),
        half("an id and an empty secret", {**KEYS, SECRET: ""}),
        half("an empty id and a secret", {**KEYS, ID: ""}),
        half("an id alone and nothing else", {ID: "LTAI5tEXAMPLE-ENV"}, vendor="nobody", files={}),
        Case("an empty pair", FROM_INI, {ID: "", SECRET: ""}, INI),
        Case("a token alone", FROM_INI, {TOKEN: "token"}, INI),
        padded("a blank behind the id", {**KEYS, ID: "LTAI5tEXAMPLE-ENV "}),
        padded("a line end behind the secret", {**KEYS, SECRET: "env-secret\n"}),
        padded("blanks for an id", {**KEYS, ID: "   "}),
        padded("a line end behind the security token", {**KEYS, TOKEN: "token\n"}),
        Case("the pair of the OSS SDKs", FROM_INI, OSS_KEYS, INI, ours="env: LTAI5tEXAMPLE-OSS",
             why="oss-variables"),
        Case("both pairs", from_env, {**KEYS, **OSS_KEYS}, ours="env: LTAI5tEXAMPLE-OSS", why="oss-variables"),
        Case("half a pair of the OSS SDKs and a whole one", from_env, {**KEYS, "OSS_ACCESS_KEY_ID": "id"},
             ours="stops at env: invalid-config", why="oss-variables"),
        Case("the pair of the OSS SDKs and a token of the others", "nobody", {**OSS_KEYS, TOKEN: "token"},
             ours="env: LTAI5tEXAMPLE-OSS", why="oss-variables"),
        Case("the CLI's second spelling", FROM_INI,
             {"ALIBABACLOUD_ACCESS_KEY_ID": "id", "ALIBABACLOUD_ACCESS_KEY_SECRET": "secret"}, INI),
        Case("the CLI's third spelling", FROM_INI,
             {"ALICLOUD_ACCESS_KEY_ID": "id", "ALICLOUD_ACCESS_KEY_SECRET": "secret"}, INI),
        Case("the CLI's shortest spelling", FROM_INI, {"ACCESS_KEY_ID": "id", "ACCESS_KEY_SECRET": "secret"}, INI),
        Case("Terraform's spelling", FROM_INI, {"ALICLOUD_ACCESS_KEY": "id", "ALICLOUD_SECRET_KEY": "secret"}, INI),
        Case("the older Go SDK's spelling", "nobody", {"ALIBABA_CLOUD_ACCESS_KEY_Id": "id", SECRET: "secret"},
             ours="stops at env: invalid-config", why="half-a-pair"),
        Case("a role's ARN beside a pair", from_env,
             {**KEYS, "ALIBABA_CLOUD_ROLE_ARN": "acs:ram::123456789012:role/example-role"}),
        Case("a pin", from_env, {**KEYS, **URI, "ALIBABA_CLOUD_CREDENTIALS_PROVIDER": "uri"}, ours=FROM_URI,
             parity=FROM_URI, why="pin"),
    ]


def oidc_variables(cloud, **changed):
    names = ("ROLE_ARN", "OIDC_PROVIDER_ARN", "OIDC_TOKEN_FILE")
    known = {name: cloud[f"ALIBABA_CLOUD_{name}"] for name in names}
    return {**SESSION, **{f"ALIBABA_CLOUD_{name}": value for name, value in {**known, **changed}.items()}}


def oidc(cloud):
    def half(name, given):
        return Case(
            name, FROM_INI, given, INI, ours="stops at oidc-rrsa: invalid-config", why="half-of-oidc")

    def without(*names):
        return {name: value for name, value in oidc_variables(cloud).items() if name not in names}

    found = "oidc: example-role/interop"
    role, provider, token = (
        "ALIBABA_CLOUD_ROLE_ARN", "ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "ALIBABA_CLOUD_OIDC_TOKEN_FILE")
    region = {"ALIBABA_CLOUD_STS_REGION": "cn-hangzhou"}
    vpc = {"ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED": "true"}
    with open(cloud[token], encoding="ascii") as file:
        line = {"token": file.read() + "\n"}
    return [
        Case("OIDC", found, oidc_variables(cloud)),
        Case("OIDC without a session name", "oidc: example-role/credentials-python-<time>",
             without("ALIBABA_CLOUD_ROLE_SESSION_NAME"), ours="oidc: example-role/oss-credentials-<time>",
             parity="oidc: example-role/oss-credentials-<time>", why="session-name"),
        Case("OIDC with an empty session name", "oidc: example-role/credentials-python-<time>",
             {**oidc_variables(cloud), "ALIBABA_CLOUD_ROLE_SESSION_NAME": ""},
             ours="oidc: example-role/oss-credentials-<time>", parity="oidc: example-role/oss-credentials-<time>",
             why="session-name"),
        Case("a session name that STS does not take", FROM_INI,
             {**oidc_variables(cloud), "ALIBABA_CLOUD_ROLE_SESSION_NAME": "a name"}, INI,
             ours="stops at oidc-rrsa: invalid-config", why="failure"),
        Case("a role's ARN alone", FROM_INI, without(provider, token), INI),
        half("OIDC without a role", without(role)),
        half("OIDC without a provider", without(provider)),
        half("OIDC without a token file", without(token)),
        half("OIDC with an empty role", oidc_variables(cloud, ROLE_ARN="")),
        Case("OIDC with three empty variables", FROM_INI,
             oidc_variables(cloud, ROLE_ARN="", OIDC_PROVIDER_ARN="", OIDC_TOKEN_FILE=""), INI),
        Case("a token file that is not there", FROM_INI, oidc_variables(cloud, OIDC_TOKEN_FILE="$HOME/none"), INI,
             ours="stops at oidc-rrsa: invalid-config", why="failure"),
        Case("a token that STS refuses", FROM_INI, oidc_variables(cloud, OIDC_TOKEN_FILE="$HOME/token"),
             {**INI, "token": "not.a.token"}, ours="stops at oidc-rrsa: denied", why="failure"),
        Case("a role that is not there", FROM_INI, oidc_variables(cloud, ROLE_ARN=cloud[role] + "-not"), INI,
             ours="stops at oidc-rrsa: denied", why="failure"),
        Case("a line end behind the token", FROM_INI, oidc_variables(cloud, OIDC_TOKEN_FILE="$HOME/token"),
             {**INI, **line}, ours=found, parity=found, why="token-line-end"),
        Case("STS of a region", found + " by sts.cn-hangzhou.aliyuncs.com", {**oidc_variables(cloud), **region}),
        Case("STS in a VPC", found + " by sts-vpc.cn-hangzhou.aliyuncs.com",
             {**oidc_variables(cloud), **region, **vpc}),
        Case("STS in a VPC of no region", found, {**oidc_variables(cloud), **vpc}),
        Case("an endpoint of STS in a variable", found,
             {**oidc_variables(cloud), "ALIBABA_CLOUD_STS_ENDPOINT": "sts.cn-hangzhou.aliyuncs.com"},
             ours=found + " by sts.cn-hangzhou.aliyuncs.com", parity=found + " by sts.cn-hangzhou.aliyuncs.com",
             why="endpoints-in-variables"),
        Case("an endpoint of STS elsewhere in a variable", found,
             {**oidc_variables(cloud), "ALIBABA_CLOUD_STS_ENDPOINT": "sts.example.com"},
             ours="stops at oidc-rrsa: invalid-config", parity="nobody", why="endpoints-in-variables"),
    ]


def cli_files():
    def stops(name, files, **more):
        return Case(
            name, FROM_INI, files={**INI, **files}, ours="stops at profile: invalid-config", why="failure", **more)

    other = {"name": "other", "mode": "AK", **keys_of("OTHER")}
    profile = "ALIBABA_CLOUD_PROFILE"
    off = "ALIBABA_CLOUD_CLI_PROFILE_DISABLED"
    return [
        Case("current", FROM_CLI, files={**cli(CLI_KEYS, other), **INI}),
        Case("no current, and no profile default", FROM_INI, files={**cli(CLI_KEYS, current=None), **INI}),
        Case("no current, and a profile default", FROM_INI,
             files={**cli({**CLI_KEYS, "name": "default"}, current=None), **INI}, ours=FROM_CLI, parity=FROM_CLI,
             why="no-current"),
        Case("an empty current", FROM_INI, files={**cli({**CLI_KEYS, "name": "default"}, current=""), **INI},
             ours=FROM_CLI, parity=FROM_CLI, why="no-current"),
        stops("a current that is not there", cli(CLI_KEYS, current="gone")),
        Case("another profile by its name", "cli keys: LTAI5tEXAMPLE-OTHER", {profile: "other"},
             {**cli(CLI_KEYS, other), **INI}),
        Case("a profile that only the other file has", FROM_INI, {profile: "side"},
             {**cli(CLI_KEYS), **ini("side", type="access_key", **keys_of("INI"))}),
        Case("a profile that no file has", FROM_URI, {**URI, profile: "gone"}, {**cli(CLI_KEYS), **INI},
             ours="stops at profile: invalid-config", why="failure"),
        Case("an empty profile name", FROM_CLI, {profile: ""}, cli(CLI_KEYS)),
        Case("an empty profile name for the other file", "nobody", {profile: ""}, INI, ours=FROM_INI,
             parity=FROM_INI, why="empty-profile-name"),
        Case("the CLI's name for the profile", FROM_CLI, {"ALIBABACLOUD_PROFILE": "other"}, cli(CLI_KEYS, other)),
        Case("no profiles", FROM_INI, files={CLI_FILE: '{"current": "default", "profiles": []}', **INI}),
        Case("a profile without the list around it", FROM_INI,
             files={CLI_FILE: '{"mode": "AK", "access_key_id": "id", "access_key_secret": "secret"}', **INI},
             ours="stops at profile: invalid-config", why="failure"),
        Case("a profile as the CLI first writes it", FROM_INI,
             files={**cli({"name": "default", "mode": "AK", "access_key_id": "", "access_key_secret": "",
                           "region_id": ""}, current="default"), **INI}),
        stops("a profile of another name without keys", cli({"mode": "AK", "access_key_id": ""})),
        stops("a profile without a mode", cli({"name": "default", "ram_role_name": "example-role"}, current="default")),
        stops("broken JSON", {CLI_FILE: '{"current": "work", '}),
        stops("JSON that is no object", {CLI_FILE: "[]"}),
        stops("an empty file", {CLI_FILE: ""}),
        stops("a folder in the file's place", {CLI_FILE: None}),
        Case("a byte order mark", FROM_INI, files={CLI_FILE: "\ufeff" + cli(CLI_KEYS)[CLI_FILE], **INI},
             ours=FROM_CLI, parity=FROM_CLI, why="byte-order-mark"),
        Case("the file is off", FROM_INI, {off: "true"}, {**cli(CLI_KEYS), **INI}),
        Case("the file is OFF", FROM_INI, {off: "TRUE"}, {**cli(CLI_KEYS), **INI}),
        Case("the file is off, in other words", FROM_CLI, {off: "1"}, {**cli(CLI_KEYS), **INI}),
        Case("the CLI's switch", FROM_CLI, {"ALIBABA_CLOUD_IGNORE_PROFILE": "TRUE"}, {**cli(CLI_KEYS), **INI}),
        Case("a broken file that is off", FROM_INI, {off: "true"}, {CLI_FILE: "{", **INI}),
        Case("another path", FROM_INI, {"ALIBABA_CLOUD_CONFIG_FILE": "$HOME/config.json"},
             {"config.json": cli(CLI_KEYS)[CLI_FILE], **INI}, ours=FROM_CLI, parity=FROM_CLI,
             why="config-file-variable"),
    ]


def cli_modes(cloud, temporary):
    own = {"access_key_id": cloud["OSS_ACCESS_KEY_ID"], "access_key_secret": cloud["OSS_ACCESS_KEY_SECRET"]}
    role = {"ram_role_arn": cloud["ALIBABA_CLOUD_ROLE_ARN"], "ram_session_name": "interop"}
    pod = {"mode": "OIDC", **role, "oidc_provider_arn": cloud["ALIBABA_CLOUD_OIDC_PROVIDER_ARN"],
           "oidc_token_file": cloud["ALIBABA_CLOUD_OIDC_TOKEN_FILE"]}
    by_role = {"mode": "RamRoleArn", **own, **role}
    assumed = "cli role: example-role/interop"
    answer = {"mode": "StsToken", "access_key_id": "STS.EXAMPLE-PROGRAM", "access_key_secret": "secret",
              "sts_token": "token", "expiration": "2099-01-01T00:00:00Z"}

    def stops(name, profile, *others, kind="invalid-config", **more):
        return Case(
            name, FROM_INI, files={**cli(profile, *others), **INI}, ours=f"stops at profile: {kind}", why="failure",
            **more)

    def new(name, profile, ours, why, *others, **more):
        return Case(
            name, FROM_INI, files={**cli(profile, *others), **INI}, ours=ours, parity=ours, why=why, **more)

    return [
        Case("StsToken", "cli keys: STS.EXAMPLE-CLI",
             files=cli({"mode": "StsToken", "access_key_id": "STS.EXAMPLE-CLI", "access_key_secret": "secret",
                        "sts_token": "token"})),
        stops("StsToken without a token", {**CLI_KEYS, "mode": "StsToken"}),
        stops("AK without a secret", {"mode": "AK", "access_key_id": "LTAI5tEXAMPLE-CLI"}),
        stops("AK with null for an id", {**CLI_KEYS, "access_key_id": None}),
        Case("RamRoleArn", assumed, files=cli(by_role)),
        Case("RamRoleArn in a region", assumed + " by sts-vpc.cn-hangzhou.aliyuncs.com",
             files=cli({**by_role, "sts_region": "cn-hangzhou", "enable_vpc": True})),
        Case("RamRoleArn with all settings", assumed,
             files=cli({**by_role, "expired_seconds": 900, "policy": '{"Version":"1","Statement":[]}',
                        "external_id": "external"})),
        new("RamRoleArn with a temporary key",
            {**by_role, "access_key_id": temporary.id, "access_key_secret": temporary.secret,
             "sts_token": temporary.token}, assumed, "temporary-key-of-a-role"),
        new("RamRoleArn for 0 seconds", {**by_role, "expired_seconds": 0}, assumed, "zero-seconds"),
        stops("RamRoleArn for 899 seconds", {**by_role, "expired_seconds": 899}),
        stops("RamRoleArn with a wrong secret", {**by_role, "access_key_secret": "wrong"}, kind="denied"),
        stops("RamRoleArn without a role", {"mode": "RamRoleArn", **own}),
        Case("EcsRamRole", "cli ecs: example-role", files={**cli({"mode": "EcsRamRole"}), **INI},
             metadata="instance"),
        Case("EcsRamRole by its name", "cli ecs: example-role",
             files=cli({"mode": "EcsRamRole", "ram_role_name": "example-role"}), metadata="instance"),
        stops("EcsRamRole with a wrong name", {"mode": "EcsRamRole", "ram_role_name": "other"}, kind="denied",
              metadata="instance"),
        stops("EcsRamRole without a role", {"mode": "EcsRamRole"}, kind="denied", metadata="no role"),
        stops("EcsRamRole, and metadata is off", {"mode": "EcsRamRole"}, metadata="instance",
              variables={"ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"}),
        stops("EcsRamRole, and nobody answers", {"mode": "EcsRamRole"}, kind="unavailable"),
        Case("OIDC in a profile", "cli oidc: example-role/credentials-python-<time>", files=cli(pod),
             ours="cli oidc: example-role/interop", parity="cli oidc: example-role/interop",
             why="session-name-of-an-oidc-profile"),
        Case("OIDC in a profile, as the SDK reads it", "cli oidc: example-role/side",
             files=cli({**pod, "ram_session_name": None, "role_session_name": "side"})),
        Case("OIDC in a profile, and the environment's session name", "cli oidc: example-role/interop", SESSION,
             cli({**pod, "ram_session_name": None}), ours="cli oidc: example-role/oss-credentials-<time>",
             parity="cli oidc: example-role/oss-credentials-<time>", why="environment-in-profiles"),
        Case("RamRoleArn, and the environment's session name", assumed, SESSION,
             cli({**by_role, "ram_session_name": None}), ours="cli role: example-role/oss-credentials-<time>",
             parity="cli role: example-role/oss-credentials-<time>", why="environment-in-profiles"),
        Case("RamRoleArn, and the environment's region", assumed + " by sts.cn-hangzhou.aliyuncs.com",
             {"ALIBABA_CLOUD_STS_REGION": "cn-hangzhou"}, cli(by_role), ours=assumed, parity=assumed,
             why="environment-in-profiles"),
        Case("AK without an id, and one in the environment", "cli keys: LTAI5tEXAMPLE-ENV",
             {ID: "LTAI5tEXAMPLE-ENV"}, {**cli({"mode": "AK", "access_key_secret": "secret"}), **INI},
             ours="stops at env: invalid-config", parity=FROM_INI, why="environment-in-profiles"),
        Case("ChainableRamRoleArn", assumed,
             files=cli({"mode": "ChainableRamRoleArn", "source_profile": "base", **role},
                       {"name": "base", "mode": "AK", **own})),
        Case("ChainableRamRoleArn on an instance", assumed,
             files=cli({"mode": "ChainableRamRoleArn", "source_profile": "base", **role},
                       {"name": "base", "mode": "EcsRamRole"}), metadata="instance"),
        stops("ChainableRamRoleArn in a circle",
              {"mode": "ChainableRamRoleArn", "source_profile": "base", **role},
              {"name": "base", "mode": "ChainableRamRoleArn", "source_profile": "work", **role}),
        stops("ChainableRamRoleArn of nobody", {"mode": "ChainableRamRoleArn", "source_profile": "gone", **role}),
        Case("External", "cli program: STS.EXAMPLE-PROGRAM; writes config.json",
             files={**cli({"mode": "External", "process_command": "cat $HOME/answer"}),
                    "answer": json.dumps(answer)},
             ours="cli program: STS.EXAMPLE-PROGRAM", parity="cli program: STS.EXAMPLE-PROGRAM", why="write-back"),
        stops("External that fails", {"mode": "External", "process_command": "cat $HOME/gone"}, kind="unavailable"),
        new("CredentialsURI", {"mode": "CredentialsURI", "credentials_uri": "$OTHER/uri"},
            "cli uri: STS.EXAMPLE-URI", "modes-of-the-cli"),
        new("RamRoleArnWithRoleName", {"mode": "RamRoleArnWithRoleName", "ram_role_name": "example-role", **role},
            assumed, "modes-of-the-cli", metadata="instance"),
        stops("RsaKeyPair", {"mode": "RsaKeyPair", "private_key": "key", "key_pair_name": "pair"}),
        stops("BearerToken", {"mode": "BearerToken", "bearer_token": "token"}),
        new("a mode in other letters", {**CLI_KEYS, "mode": "ak"}, FROM_CLI, "letters-of-modes"),
        stops("an unknown mode", {**CLI_KEYS, "mode": "Magic"}),
        stops("no mode", keys_of("CLI")),
    ]


def cli_logins():
    far, past = 4102444800, 1577836800
    sso = {"mode": "CloudSSO",
           "cloud_sso_sign_in_url": "https://signin-cn-shanghai.alibabacloudsso.com/device/login",
           "cloud_sso_account_id": "151266", "cloud_sso_access_config": "ac-1", "access_token": "login",
           "cloud_sso_access_token_expire": far}
    oauth = {"mode": "OAuth", "oauth_site_type": "CN", "oauth_access_token": "login",
             "oauth_access_token_expire": far, "oauth_refresh_token": "again", "oauth_refresh_token_expire": far}
    stored = {"access_key_id": "STS.EXAMPLE-STORED", "access_key_secret": "secret", "sts_token": "token",
              "sts_expiration": far}
    login, renewed = "cli keys: STS.EXAMPLE-login", "cli keys: STS.EXAMPLE-renewed; writes config.json"

    without_site = {key: value for key, value in oauth.items() if key != "oauth_site_type"}

    def files(profile):
        return {**cli(profile), **INI}

    return [
        Case("CloudSSO", "cli keys: STS.EXAMPLE-151266-ac-1", files=files(sso)),
        Case("CloudSSO that has ended", FROM_INI, files=files({**sso, "cloud_sso_access_token_expire": past}),
             ours="stops at profile: expired", why="failure"),
        Case("CloudSSO that is refused", FROM_INI, files=files({**sso, "access_token": "wrong"}),
             ours="stops at profile: denied", why="failure"),
        Case("OAuth", login + "; writes config.json", files=files(oauth), ours=login, parity=login,
             why="write-back"),
        Case("OAuth that has ended", renewed, files=files({**oauth, "oauth_access_token_expire": past}),
             ours="stops at profile: expired", parity=FROM_INI, why="write-back"),
        Case("OAuth with keys in the file", "cli keys: STS.EXAMPLE-STORED", files=files({**oauth, **stored}),
             ours=login, parity=login, why="stored-keys-of-a-login"),
        Case("OAuth that answers in other letters", FROM_INI, files=files({**oauth, "oauth_access_token": "camel"}),
             ours="cli keys: STS.EXAMPLE-camel", parity="cli keys: STS.EXAMPLE-camel", why="letters-of-oauth"),
        Case("OAuth without a site", login + "; writes config.json", files=files(without_site),
             ours="stops at profile: invalid-config", parity=FROM_INI, why="site-of-oauth"),
        Case("OAuth that is refused", FROM_INI, files=files({**oauth, "oauth_access_token": "wrong"}),
             ours="stops at profile: denied", why="failure"),
    ]


def ini_files():
    side = ini("side", type="access_key", **keys_of("SIDE"))
    plain = INI[INI_FILE]
    without_ending = {".alibabacloud/credentials": plain}
    named = "ALIBABA_CLOUD_CREDENTIALS_FILE"

    def stops(name, text, **more):
        return Case(
            name, FROM_URI, URI, {INI_FILE: text}, ours="stops at profile: invalid-config", why="failure", **more)

    def differs(name, vendor, text, ours, why):
        return Case(name, vendor, URI, {INI_FILE: text}, ours=ours, parity=ours, why=why)

    pair = "access_key_id = LTAI5tEXAMPLE-INI\naccess_key_secret = secret\n"
    return [
        Case("the SDKs' file", FROM_INI, files=INI),
        Case("the file without an ending", "nobody", files=without_ending, ours=FROM_INI, parity=FROM_INI,
             why="file-without-an-ending"),
        Case("both files", FROM_INI,
             files={**INI, ".alibabacloud/credentials": ini(type="access_key", **keys_of("GO"))[INI_FILE]}),
        Case("a path", "ini keys: LTAI5tEXAMPLE-SIDE", {named: "$HOME/keys"},
             {**INI, "keys": ini(type="access_key", **keys_of("SIDE"))[INI_FILE]}),
        Case("a path that is not there", FROM_URI, {**URI, named: "$HOME/gone"}, INI,
             ours="stops at profile: invalid-config", why="failure"),
        Case("an empty path", FROM_INI, {named: ""}, INI),
        Case("a folder in the SDKs' file's place", FROM_URI, URI, {INI_FILE: None},
             ours="stops at profile: invalid-config", why="failure"),
        Case("no section default", FROM_URI, URI, side),
        Case("another section by its name", "ini keys: LTAI5tEXAMPLE-SIDE", {"ALIBABA_CLOUD_PROFILE": "side"},
             {INI_FILE: plain + side[INI_FILE]}),
        Case("a comment after a value", FROM_INI,
             files={INI_FILE: plain.replace("-INI\n", "-INI   # the key\n")}),
        differs("a comment after a value, with a semicolon", "ini keys: LTAI5tEXAMPLE-INI   ; the key",
                plain.replace("-INI\n", "-INI   ; the key\n"), FROM_INI, "signs-in-values"),
        Case("another word for enable", FROM_INI, URI, {INI_FILE: plain + "enable = maybe\n"},
             ours="stops at profile: invalid-config", parity=FROM_URI, why="enable"),
        Case("enable = true", FROM_INI, files={INI_FILE: plain + "enable = true\n"}),
        Case("enable = false", FROM_INI, URI, {INI_FILE: plain + "enable = false\n"}, ours=FROM_URI,
             parity=FROM_URI, why="enable"),
        Case("colons", FROM_INI, files={INI_FILE: plain.replace(" =", ":")}),
        Case("Windows line ends", FROM_INI, files={INI_FILE: plain.replace("\n", "\r\n")}),
        Case("lines of comments", FROM_INI, files={INI_FILE: "# one\n; two\n\n" + plain}),
        Case("a semicolon in a value", "ini keys: LTAI5tEXAMPLE;INI",
             files={INI_FILE: plain.replace("-INI", ";INI")}),
        differs("a number sign in a value", "ini keys: LTAI5tEXAMPLE", plain.replace("-INI", "#INI"),
                "ini keys: LTAI5tEXAMPLE#INI", "signs-in-values"),
        differs("a percent sign in another section", FROM_URI, plain + "[other]\nx = 100%\n", FROM_INI,
                "signs-in-values"),
        differs("quotes", 'ini keys: "LTAI5tEXAMPLE-INI"',
                plain.replace("LTAI5tEXAMPLE-INI", '"LTAI5tEXAMPLE-INI"'), FROM_INI, "signs-in-values"),
        differs("a byte order mark in the SDKs' file", FROM_URI, "\ufeff" + plain, FROM_INI, "byte-order-mark"),
        Case("names of keys in other letters", FROM_INI, URI,
             {INI_FILE: plain.replace("access_key_id", "Access_Key_Id")},
             ours="stops at profile: invalid-config", parity=FROM_URI, why="names-in-ini-files"),
        Case("keys for all sections", FROM_INI, URI, {INI_FILE: f"[DEFAULT]\n{pair}[default]\ntype = access_key\n"},
             ours="stops at profile: invalid-config", parity=FROM_URI, why="names-in-ini-files"),
        Case("a value that goes on in the next line", FROM_INI, URI, {INI_FILE: plain + "policy = a\n  b\n"},
             ours="stops at profile: invalid-config", parity=FROM_URI, why="names-in-ini-files"),
        Case("no section at all", FROM_URI, URI, {INI_FILE: pair}),
        stops("a section that is not closed", "[default\n" + pair),
        stops("no type", "[default]\n" + pair),
        stops("a section that appears twice", plain + "[default]\n" + pair),
        stops("a key that appears twice", plain + pair),
        stops("an unknown type", plain.replace("access_key\n", "magic\n", 1)),
        stops("a section without a secret", plain.replace("access_key_secret", "secret")),
    ]


def ini_types(cloud):
    own = {"access_key_id": cloud["OSS_ACCESS_KEY_ID"], "access_key_secret": cloud["OSS_ACCESS_KEY_SECRET"]}
    role = {"role_arn": cloud["ALIBABA_CLOUD_ROLE_ARN"], "role_session_name": "interop"}
    pod = {"oidc_provider_arn": cloud["ALIBABA_CLOUD_OIDC_PROVIDER_ARN"],
           "oidc_token_file_path": cloud["ALIBABA_CLOUD_OIDC_TOKEN_FILE"]}
    return [
        Case("sts", FROM_URI, URI,
             ini(type="sts", access_key_id="STS.EXAMPLE-INI", access_key_secret="secret", security_token="token"),
             ours="ini keys: STS.EXAMPLE-INI", parity="ini keys: STS.EXAMPLE-INI", why="types-of-ini-files"),
        Case("ram_role_arn", "ini role: example-role/interop", files=ini(type="ram_role_arn", **own, **role)),
        Case("ram_role_arn without a session name", "ini role: example-role/credentials-python-<time>",
             files=ini(type="ram_role_arn", **own, role_arn=role["role_arn"]),
             ours="ini role: example-role/oss-credentials-<time>",
             parity="ini role: example-role/oss-credentials-<time>", why="session-name"),
        Case("ram_role_arn with a role that is not there", FROM_URI, URI,
             ini(type="ram_role_arn", **own, **{**role, "role_arn": role["role_arn"] + "-not"}),
             ours="stops at profile: denied", why="failure"),
        Case("ecs_ram_role", "ini ecs: example-role", files=ini(type="ecs_ram_role", role_name="example-role"),
             metadata="instance"),
        Case("ecs_ram_role without a name", "ini ecs: example-role", files=ini(type="ecs_ram_role"),
             metadata="instance"),
        Case("oidc_role_arn", "ini oidc: example-role/interop", files=ini(type="oidc_role_arn", **role, **pod)),
        Case("rsa_key_pair", FROM_URI, URI,
             {**ini(type="rsa_key_pair", public_key_id="id", private_key_file="$HOME/key"), "key": "key"},
             ours="stops at profile: invalid-config", why="failure"),
        Case("bearer", FROM_URI, URI, ini(type="bearer", bearer_token="token"),
             ours="stops at profile: invalid-config", why="failure"),
    ]


def uris():
    def uri(path):
        return {"ALIBABA_CLOUD_CREDENTIALS_URI": "$OTHER" + path}

    def stops(name, path, kind):
        return Case(name, "nobody", uri(path), ours=f"stops at uri: {kind}", why="failure")

    def both(name, path):
        return Case(name, FROM_URI, uri(path))

    def more(name, path):
        return Case(name, "nobody", uri(path), ours=FROM_URI, parity=FROM_URI, why="answers-of-a-uri")

    return [
        both("a URI", "/uri"),
        both("a URI that leads on", "/uri/moved"),
        Case("an empty URI", "nobody", {"ALIBABA_CLOUD_CREDENTIALS_URI": ""}),
        stops("a URI that fails", "/gone", "unavailable"),
        stops("a URI that says Failed", "/uri/failed", "denied"),
        stops("a URI without an end", "/uri/without-end", "invalid-response"),
        stops("a URI with keys that have ended", "/uri/ended", "expired"),
        Case("a URI where nobody is", "nobody", {"ALIBABA_CLOUD_CREDENTIALS_URI": "$NOBODY/"},
             ours="stops at uri: unavailable", why="failure"),
        Case("a URI that is none", "nobody", {"ALIBABA_CLOUD_CREDENTIALS_URI": "nonsense"},
             ours="stops at uri: invalid-config", why="failure"),
        more("a URI without Code", "/uri/without-code"),
        more("a URI with parts of seconds", "/uri/fraction"),
        more("a URI with a time zone", "/uri/offset"),
        Case("a URI with an empty token", FROM_URI + ", an empty token", uri("/uri/empty-token"),
             ours="stops at uri: invalid-response", parity="nobody", why="empty-token"),
        Case("a URI with a query", "nobody", uri("/uri/query?k=1&k=2&empty="), ours=FROM_URI, parity=FROM_URI,
             why="uri-unchanged"),
        Case("a URI with a password", "nobody",
             {"ALIBABA_CLOUD_CREDENTIALS_URI": "http://user:pass@$AUTHORITY/uri/password"}, ours=FROM_URI,
             parity=FROM_URI, why="uri-unchanged"),
    ]


def metadata():
    named = {"ALIBABA_CLOUD_ECS_METADATA": "example-role"}
    v1_off = {"ALIBABA_CLOUD_IMDSV1_DISABLED": "true"}
    off = "ALIBABA_CLOUD_ECS_METADATA_DISABLED"
    ecs = "ecs: example-role"

    def stops(name, place, kind, given=None):
        return Case(
            name, "nobody", given or {}, metadata=place, ours=f"stops at ecs-ram-role: {kind}", why="failure")

    return [
        Case("an instance", ecs, metadata="instance"),
        Case("an instance with a role's name", ecs, named, metadata="instance"),
        Case("an instance with an empty role's name", ecs, {"ALIBABA_CLOUD_ECS_METADATA": ""}, metadata="instance"),
        Case("an instance with tokens alone", ecs, metadata="hardened"),
        Case("an instance with tokens alone, and no others wanted", ecs, v1_off, metadata="hardened"),
        Case("an instance without tokens", ecs, metadata="without tokens"),
        stops("an instance without tokens, and with them wanted", "without tokens", "denied", v1_off),
        Case("an instance, and it is off", "nobody", {off: "true"}, metadata="instance"),
        Case("an instance, and it is OFF", "nobody", {off: "TRUE"}, metadata="instance"),
        Case("an instance, and it is off in other words", ecs, {off: "yes"}, metadata="instance"),
        Case("an instance without a role", "nobody", metadata="no role"),
        stops("an instance without a role that is named", "no role", "denied", named),
        stops("an instance with another role", "instance", "denied", {"ALIBABA_CLOUD_ECS_METADATA": "other"}),
        Case("an instance with two roles", "nobody", metadata="two roles", ours="ecs: first", parity="ecs: first",
             why="two-roles"),
        stops("an instance that fails", "failing", "unavailable"),
        stops("no instance, and a role's name", "nobody", "unavailable", named),
        Case("an instance that is silent", "nobody", metadata="silent"),
        Case("an older switch", ecs, {"ALIBABA_CLOUD_ECS_IMDSV2_ENABLE": "false"}, metadata="hardened"),
    ]


def several(cloud):
    everything = {**KEYS, **oidc_variables(cloud), **URI}
    pod, files = oidc_variables(cloud), {**cli(CLI_KEYS), **INI}
    refused = oidc_variables(cloud, ROLE_ARN=cloud["ALIBABA_CLOUD_ROLE_ARN"] + "-not")
    failing = {"ALIBABA_CLOUD_CREDENTIALS_URI": "$OTHER/gone"}
    ecs = "ecs: example-role"
    return [
        Case("all of them", "env: LTAI5tEXAMPLE-ENV", everything, files, metadata="instance"),
        Case("all but variables", "oidc: example-role/interop", {**pod, **URI}, files, metadata="instance"),
        Case("files, URI and instance", FROM_CLI, URI, files, metadata="instance"),
        Case("the SDKs' file, URI and instance", FROM_INI, URI, INI, metadata="instance"),
        Case("URI and instance", ecs, URI, metadata="instance", ours=FROM_URI, why="order"),
        Case("URI, and an instance without a role", FROM_URI, URI, metadata="no role"),
        Case("URI, and an instance that fails", FROM_URI, URI, metadata="failing"),
        Case("a URI that fails, and an instance", ecs, failing, metadata="instance",
             ours="stops at uri: unavailable", why="order"),
        Case("OIDC that is refused, and files", FROM_CLI, refused, files, ours="stops at oidc-rrsa: denied",
             why="failure"),
        Case("OIDC that is refused, and a URI", FROM_URI, {**refused, **URI}, ours="stops at oidc-rrsa: denied",
             why="failure"),
        Case("OIDC that is refused, and an instance", ecs, refused, metadata="instance",
             ours="stops at oidc-rrsa: denied", why="failure"),
        Case("half a pair, and OIDC", "oidc: example-role/interop", {**pod, ID: "id"},
             ours="stops at env: invalid-config", why="half-a-pair"),
        Case("half of OIDC, and an instance", ecs, {"ALIBABA_CLOUD_OIDC_TOKEN_FILE": "$HOME/token"},
             metadata="instance", ours="stops at oidc-rrsa: invalid-config", why="half-of-oidc"),
        Case("everything fails", "nobody", {**refused, **failing, ID: "id"}, {CLI_FILE: "{", INI_FILE: "["},
             metadata="failing", ours="stops at env: invalid-config", why="half-a-pair"),
    ]
