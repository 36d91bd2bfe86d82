"""Makes tests/vectors/oss-sign/post-policy-v4.json with the signing code of the vendor's two Python clients.

Neither client has a call for POST policies. The signature is what their V4 signers compute of a string to sign,
with the base64 of the policy in the place of that string, as the vendor's page "POST V4 signature" says; the
policy's fields and the order of the steps are those of the sample on that page.

    python post_policy_vectors.py          compares with the file
    python post_policy_vectors.py --write  makes it anew
"""

import base64
import datetime
import json
import pathlib
import sys
import types

import alibabacloud_oss_v2
import oss2
from alibabacloud_oss_v2.signer.v4 import SignerV4

FILE = pathlib.Path(__file__).parent.parent / "vectors" / "oss-sign" / "post-policy-v4.json"

FIXED = {"access_key_id": "FakeAccessKeyId0001", "access_key_secret": "FakeAccessKeySecret0001",
         "security_token": None}
TEMPORARY = {"access_key_id": "STS.FakeTempKeyId0002", "access_key_secret": "FakeTempSecret0002",
             "security_token": "FakeSecurityToken0002"}
HARD = {"access_key_id": "STS.Fake/+=Id", "access_key_secret": "s3cr3t/+= &%~" * 8,
        "security_token": "CAIS/+==\"\\token" * 30}

# What differs from the first one. Conditions are in the policy's own form.
CASES = [
    ("bucket-only", "no conditions but those that are always there", {}),
    ("sample", "the conditions of the vendor's page", {"conditions": [
        ["content-length-range", 1, 1024],
        ["eq", "$success_action_status", "201"],
        ["starts-with", "$key", "user/eric/"],
        ["in", "$content-type", ["image/jpg", "image/png"]],
        ["not-in", "$cache-control", ["no-cache"]],
    ]}),
    ("sts", "with a token", {"credentials": TEMPORARY, "conditions": [["eq", "$key", "a.txt"]]}),
    ("sts-limited", "the credentials end before what was asked", {
        "credentials": TEMPORARY, "credentials_end_unix": 1767256800, "limited_by": "credentials"}),
    ("sts-fraction", "an end of the credentials within a second counts as the second's begin", {
        "credentials": TEMPORARY, "credentials_end_unix": 1767256800.75, "limited_by": "credentials"}),
    ("sts-longer", "the credentials outlive what was asked", {
        "credentials": TEMPORARY, "credentials_end_unix": 1767259801}),
    ("hard-credentials", "characters that mean something elsewhere, and a secret longer than a block", {
        "credentials": HARD}),
    ("unicode", "values beyond ASCII, and such that JSON escapes", {"conditions": [
        ["starts-with", "$key", "报告/ü \"quoted\" \\ back\n"],
        ["eq", "$x-oss-meta-owner", "é/<>&'"],
        ["in", "$content-type", ["text/plain; charset=utf-8", ""]],
    ]}),
    ("any-key", "an empty prefix", {"conditions": [["starts-with", "$key", ""]]}),
    ("largest", "sizes at the ends of their range", {"conditions": [["content-length-range", 0, 5368709120]]}),
    ("seven-days", "as long as can be", {"expires_seconds": 604800, "limited_by": "seven-days"}),
    ("second", "as short as can be", {"expires_seconds": 1}),
    ("over-midnight", "the key is of the day it was signed", {"signing_time_unix": 1767311999}),
    ("other-region", "", {"region": "ap-southeast-1"}),
    ("cloud-box", "product and region of a cloud box", {"region": "cb-f8z7yvzgwfkl9q0h", "product": "oss-cloudbox"}),
]


def vector(name, note, changes):
    given = {
        "bucket": "examplebucket", "conditions": [], "region": "cn-hangzhou", "product": "oss",
        "signing_time_unix": 1767256200, "expires_seconds": 3600, "credentials_end_unix": None,
        "credentials": FIXED, "limited_by": "asked",
    } | changes
    credentials, limited_by = given.pop("credentials"), given.pop("limited_by")
    time = datetime.datetime.fromtimestamp(given["signing_time_unix"], datetime.timezone.utc)
    date = time.strftime("%Y%m%dT%H%M%SZ")
    scope = SignerV4()._build_scope(date[:8], given["region"], given["product"])
    end = given["signing_time_unix"] + given["expires_seconds"]
    if given["credentials_end_unix"] is not None:
        end = min(end, int(given["credentials_end_unix"]))
    expiration = datetime.datetime.fromtimestamp(end, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    fields = {
        "x-oss-signature-version": "OSS4-HMAC-SHA256",
        "x-oss-credential": credentials["access_key_id"] + "/" + scope,
        "x-oss-date": date,
    }
    if credentials["security_token"]:
        fields["x-oss-security-token"] = credentials["security_token"]
    document = {
        "expiration": expiration,
        "conditions": [{"bucket": given["bucket"]}, *({name: value} for name, value in fields.items()),
                       *given["conditions"]],
    }
    # How the document is spelled is up to who signs; this is the shortest form.
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    policy = base64.b64encode(text.encode()).decode()
    signature = by_the_newer_client(given, credentials, date, policy)
    assert signature == by_the_older_client(given, credentials, date, policy)
    return {
        "id": name,
        "note": note,
        "input": given | credentials,
        "expected": {
            "document": document,
            "valid_until_unix": end,
            "limited_by": limited_by,
            "fields": [["policy", policy], *map(list, fields.items()), ["x-oss-signature", signature]],
        },
    }


def by_the_newer_client(given, credentials, date, text):
    return SignerV4()._calc_signature(
        credentials["access_key_secret"], date[:8], given["region"], given["product"], text)


def by_the_older_client(given, credentials, date, text):
    auth = oss2.ProviderAuthV4(None)
    # All that is replaced is the text to sign; its canonical request is not looked at.
    auth._ProviderAuthV4__get_canonical_request_bytes = lambda *_: b""
    auth._ProviderAuthV4__get_string_to_sign_bytes = lambda *_: text.encode()
    request = types.SimpleNamespace(region=given["region"], product=given["product"], cloudbox_id=None)
    keys = oss2.credentials.Credentials(credentials["access_key_id"], credentials["access_key_secret"])
    return auth._ProviderAuthV4__make_signature(request, None, None, None, keys, date)


def whole():
    return {
        "kind": "oss-v4-post-policy",
        "schema_version": 1,
        "algorithm": "OSS4-HMAC-SHA256 over the base64 of a POST policy",
        "oracle": {"package": "alibabacloud-oss-v2", "version": alibabacloud_oss_v2.__version__, "language": "Python"},
        "cross_checked_with": [f"oss2 {oss2.__version__} (Python)"],
        "conventions": [
            "All keys, secrets and tokens are fake.",
            "The document is signed in its shortest JSON form, UTF-8, with its two members in the order of their names.",
        ],
        "vectors": [vector(*case) for case in CASES],
    }


def as_text():
    return json.dumps(whole(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        FILE.write_text(as_text(), encoding="utf-8")
    elif FILE.read_text(encoding="utf-8") != as_text():
        sys.exit(f"{FILE} is not what the clients' code gives")
