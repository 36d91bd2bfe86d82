"""The vendor's credentials client against the local cloud, and our providers beside it: they get the same."""

import os
import tempfile
import time
import unittest
import urllib.parse
from unittest import mock

import oss2
from alibabacloud_credentials.exceptions import CredentialException
from alibabacloud_credentials.provider import (
    EcsRamRoleCredentialsProvider, OIDCRoleArnCredentialsProvider, RamRoleArnCredentialsProvider,
    StaticSTSCredentialsProvider, URLCredentialsProvider,
)

from credentials_support import SESSION, Cloud, Refused, identity, key_of, ours, quick, theirs
from support import (
    CLOUD, LONG_TERM, ROLE_ARN, UNKNOWN, oss2_bucket, rpc_assume_role,
)

ACCOUNT = ROLE_ARN.split(":")[3]
ROLE = ROLE_ARN.rsplit("/", 1)[1]
ARN_OF_SESSION = f"acs:ram::{ACCOUNT}:assumed-role/{ROLE}/{SESSION}"


class Credentials(unittest.TestCase):
    """What is said of every provider."""

    def works(self, credentials, cloud=CLOUD):
        """The key opens OSS; STS knows whose it is."""
        found = identity(credentials, cloud)
        self.assertEqual(found["account"], ACCOUNT)
        bucket = oss2_bucket(key_of(credentials), cloud["OSS_ENDPOINT"])
        bucket.put_object("by-credentials.txt", found["arn"])
        self.assertEqual(bucket.get_object("by-credentials.txt").read().decode(), found["arn"])
        wrong = oss2_bucket(key_of(credentials).with_wrong_token(), cloud["OSS_ENDPOINT"])
        with self.assertRaises(oss2.exceptions.ServerError) as raised:
            wrong.get_object("by-credentials.txt")
        self.assertEqual(raised.exception.code, "InvalidSecurityToken")
        return found

    def same_session(self, found, own):
        """Two sessions of the same role and name, begun one after the other for the same time."""
        self.assertEqual((own["arn"], own["account"]), (found["arn"], found["account"]))
        self.assertNotEqual(own["access_key_id"], found["access_key_id"])
        self.assertAlmostEqual(own["expires_at"], found["expires_at"], delta=30)

    def refused_theirs(self, said, provider, cloud=CLOUD):
        with self.assertRaises(CredentialException) as raised:
            theirs(provider, cloud)
        self.assertIn(said, raised.exception.message)

    def refused_ours(self, provider, cloud=CLOUD, code=None, status=None, kind="denied", **variables):
        with self.assertRaises(Refused) as raised:
            ours(provider, cloud, **variables)
        told = raised.exception.told
        self.assertEqual((told["kind"], told["code"], told["status"]), (kind, code, status), told["text"])
        return told["text"]


def ecs(**settings):
    return EcsRamRoleCredentialsProvider(async_update_enabled=False, **settings)


class EcsRamRole(Credentials):
    """Instance metadata."""

    def test_the_role_is_found_and_its_document_is_the_same_for_all(self):
        for asynchronous in (False, True):
            found = self.works(theirs(ecs(), asynchronous=asynchronous))
            self.assertEqual(found, ours("ecs-ram-role"))
        self.assertTrue(found["arn"].startswith(f"acs:ram::{ACCOUNT}:assumed-role/{ROLE}/"), found)
        # Six hours, of which less than a sixth may be gone.
        self.assertGreater(found["expires_at"] - time.time(), 5 * 3600 - 60)
        self.assertLessEqual(found["expires_at"] - time.time(), 6 * 3600)

    def test_the_role_may_be_named(self):
        found = identity(theirs(ecs(role_name=ROLE)))
        self.assertEqual(found, ours("ecs-ram-role", ALIBABA_CLOUD_ECS_METADATA=ROLE))

    def test_a_hardened_instance_is_asked_with_tokens(self):
        with Cloud("--metadata-mode", "hardened") as cloud:
            found = self.works(theirs(ecs(disable_imds_v1=True), cloud), cloud)
            self.assertEqual(found, ours("ecs-ram-role", cloud, ALIBABA_CLOUD_IMDSV1_DISABLED="true"))
            with mock.patch.object(EcsRamRoleCredentialsProvider, "_get_metadata_token", return_value=None):
                self.refused_theirs("HttpCode=403", ecs(), cloud)
            # The vendor's client asks once more without a token, in vain.
            with mock.patch.object(EcsRamRoleCredentialsProvider, "_get_metadata_token", return_value="made-up"):
                self.refused_theirs("HttpCode=403", ecs(), cloud)

    def test_a_wrong_token_is_worse_than_none(self):
        with mock.patch.object(EcsRamRoleCredentialsProvider, "_get_metadata_token", return_value="made-up"):
            self.refused_theirs("HttpCode=403", ecs(disable_imds_v1=True))
            self.works(theirs(ecs()))

    def test_without_tokens_the_first_version_is_used_unless_that_is_off(self):
        with Cloud("--metadata-mode", "v1-only") as cloud:
            found = self.works(theirs(ecs(), cloud), cloud)
            self.assertEqual(found, ours("ecs-ram-role", cloud))
            self.refused_theirs("HttpCode=404", ecs(disable_imds_v1=True), cloud)
            self.refused_ours("ecs-ram-role", cloud, status=404, ALIBABA_CLOUD_IMDSV1_DISABLED="true")

    def test_a_token_that_never_arrives_is_done_without(self):
        with Cloud("--metadata-mode", "hop-limit") as cloud:
            found = self.works(theirs(ecs(http_options=quick()), cloud), cloud)
            self.assertEqual(found, ours("ecs-ram-role", cloud))
            self.refused_ours(
                "ecs-ram-role", cloud, kind="unavailable", ALIBABA_CLOUD_IMDSV1_DISABLED="true")

    def test_no_role_and_a_wrong_role_are_not_found(self):
        with Cloud("--no-metadata-role") as cloud:
            self.refused_theirs("HttpCode=404", ecs(), cloud)
            self.assertIn("no RAM role is attached", self.refused_ours("ecs-ram-role", cloud, status=404))
        self.refused_theirs("HttpCode=404", ecs(role_name="other"))
        self.refused_ours("ecs-ram-role", status=404, ALIBABA_CLOUD_ECS_METADATA="other")

    def test_of_several_roles_ours_takes_the_first(self):
        with Cloud("--metadata-role", "first", "--metadata-role", "second") as cloud:
            # The vendor's client takes the whole list for a name.
            self.refused_theirs("HttpCode=404", ecs(), cloud)
            self.assertEqual(identity(theirs(ecs(role_name="first"), cloud), cloud), ours("ecs-ram-role", cloud))

    def test_an_expired_document_is_refused_by_ours(self):
        with Cloud("--metadata", "--session-seconds", "0") as cloud:
            with self.assertRaises(Refused) as raised:
                ours("ecs-ram-role", cloud)
            self.assertEqual(raised.exception.told["kind"], "expired")


def oidc(cloud=CLOUD, **settings):
    known = {
        "role_arn": cloud["ALIBABA_CLOUD_ROLE_ARN"],
        "oidc_provider_arn": cloud["ALIBABA_CLOUD_OIDC_PROVIDER_ARN"],
        "oidc_token_file_path": cloud["ALIBABA_CLOUD_OIDC_TOKEN_FILE"],
        "role_session_name": SESSION,
    }
    return OIDCRoleArnCredentialsProvider(**{**known, **settings})


def token_of(cloud):
    with open(cloud["ALIBABA_CLOUD_OIDC_TOKEN_FILE"], encoding="ascii") as file:
        return file.read()


class Oidc(Credentials):
    """AssumeRoleWithOIDC."""

    def both_refuse(self, code, status, cloud=CLOUD, changed=(), variables=()):
        self.refused_theirs(code, oidc(cloud, **dict(changed)), cloud)
        text = self.refused_ours("oidc-rrsa", cloud, code=code, status=status, **dict(variables))
        self.assertIn("request ID", text)

    def both_refuse_token(self, token, code, status=400):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "token")
            with open(path, "w", encoding="ascii") as file:
                file.write(token)
            self.both_refuse(
                code, status, changed={"oidc_token_file_path": path},
                variables={"ALIBABA_CLOUD_OIDC_TOKEN_FILE": path})

    def test_the_token_is_worth_a_session(self):
        for asynchronous in (False, True):
            found = self.works(theirs(oidc(), asynchronous=asynchronous))
            self.assertEqual(found["arn"], ARN_OF_SESSION)
            self.assertAlmostEqual(found["expires_at"], time.time() + 3600, delta=30)
        self.same_session(found, ours("oidc-rrsa", ALIBABA_CLOUD_ROLE_SESSION_NAME=SESSION))

    def test_a_policy_and_a_duration_are_taken(self):
        statement = '{"Effect": "Allow", "Action": "oss:*", "Resource": ["*", "*~/+ %25 报告"]}'
        policy = '{"Version": "1", "Statement": [' + statement + "]}"
        found = self.works(theirs(oidc(duration_seconds=900, policy=policy)))
        self.assertAlmostEqual(found["expires_at"], time.time() + 900, delta=30)
        self.refused_theirs("InvalidParameter.DurationSeconds", oidc(duration_seconds=3601))
        self.refused_theirs("InvalidParameter.PolicyGrammar", oidc(policy="{"))

    def test_an_expired_token_is_refused(self):
        with Cloud("--oidc-token-seconds", "0") as cloud:
            self.both_refuse("AuthenticationFail.OIDCToken.Expired", 400, cloud)

    def test_a_token_that_somebody_else_signed_is_refused(self):
        with Cloud() as other:
            self.both_refuse_token(token_of(other), "AuthenticationFail.OIDCToken.Invalid")

    def test_a_changed_token_is_refused(self):
        header, claims, signature = token_of(CLOUD).split(".")
        for token in (
                ".".join((header, claims, "A" + signature[1:] if signature[0] != "A" else "B" + signature[1:])),
                ".".join((header, claims[:-2], signature)),
                "not.a.token",
        ):
            with self.subTest(token=token[:10]):
                self.both_refuse_token(token, "AuthenticationFail.OIDCToken.Invalid")

    def test_an_unknown_role_or_provider_is_refused(self):
        arn = ROLE_ARN.rsplit("/", 1)[0] + "/no-such-role"
        self.both_refuse(
            "EntityNotExist.Role", 404, changed={"role_arn": arn}, variables={"ALIBABA_CLOUD_ROLE_ARN": arn})
        arn = f"acs:ram::{ACCOUNT}:oidc-provider/no-such-provider"
        self.both_refuse(
            "EntityNotExist.OIDCProvider", 404, changed={"oidc_provider_arn": arn},
            variables={"ALIBABA_CLOUD_OIDC_PROVIDER_ARN": arn})
        arn = "acs:ram::210987654321:role/elsewhere"
        self.both_refuse(
            "AuthenticationFail.NoPermission", 403, changed={"role_arn": arn},
            variables={"ALIBABA_CLOUD_ROLE_ARN": arn})

    def test_ours_takes_a_token_with_a_line_end_which_theirs_sends_along(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "token")
            with open(path, "w", encoding="ascii") as file:
                file.write(token_of(CLOUD) + "\n")
            self.refused_theirs("AuthenticationFail.OIDCToken.Invalid", oidc(oidc_token_file_path=path))
            found = ours(
                "oidc-rrsa", ALIBABA_CLOUD_OIDC_TOKEN_FILE=path, ALIBABA_CLOUD_ROLE_SESSION_NAME=SESSION)
            self.assertEqual(found["arn"], ARN_OF_SESSION)


class Uri(Credentials):
    """The credentials URI."""

    def test_the_document_is_the_same_for_all(self):
        for asynchronous in (False, True):
            provider = URLCredentialsProvider(uri=CLOUD["ALIBABA_CLOUD_CREDENTIALS_URI"])
            found = self.works(theirs(provider, asynchronous=asynchronous))
            self.assertEqual(found, ours("uri"))
        self.assertLessEqual(found["expires_at"] - time.time(), 3600)

    def test_a_token_in_the_path_is_sent_along(self):
        with Cloud("--uri-token", "a token+/%") as cloud:
            uri = cloud["ALIBABA_CLOUD_CREDENTIALS_URI"]
            found = self.works(theirs(URLCredentialsProvider(uri=uri), cloud), cloud)
            self.assertEqual(found, ours("uri", cloud))
            for wrong in (uri + "x", uri.rsplit("/", 1)[0]):
                self.refused_theirs("http_code=403", URLCredentialsProvider(uri=wrong), cloud)
                self.refused_ours(
                    "uri", cloud, code="Forbidden", status=403, ALIBABA_CLOUD_CREDENTIALS_URI=wrong)

    def test_user_and_password_are_sent_by_ours_and_dropped_by_theirs(self):
        with Cloud("--uri-user", "user:pass/word é") as cloud:
            uri = cloud["ALIBABA_CLOUD_CREDENTIALS_URI"]
            self.refused_theirs("http_code=401", URLCredentialsProvider(uri=uri), cloud)
            found = ours("uri", cloud)
            self.assertEqual(found["arn"], f"acs:ram::{ACCOUNT}:assumed-role/{ROLE}/credentials-uri")
            parts = urllib.parse.urlsplit(uri)
            address = parts.netloc.rpartition("@")[2]
            for netloc in ("user:wrong@" + address, address):
                wrong = parts._replace(netloc=netloc).geturl()
                self.refused_ours(
                    "uri", cloud, code="Unauthorized", status=401, ALIBABA_CLOUD_CREDENTIALS_URI=wrong)

    def test_another_path_has_no_credentials(self):
        wrong = CLOUD["ALIBABA_CLOUD_CREDENTIALS_URI"].replace("/credentials", "/other")
        self.refused_theirs("http_code=404", URLCredentialsProvider(uri=wrong))
        self.refused_ours("uri", code="NotFound", status=404, ALIBABA_CLOUD_CREDENTIALS_URI=wrong)

    def test_expired_credentials_are_refused_by_both(self):
        with Cloud("--session-seconds", "0") as cloud:
            uri = cloud["ALIBABA_CLOUD_CREDENTIALS_URI"]
            with self.assertRaises(CredentialException):
                theirs(URLCredentialsProvider(uri=uri), cloud)
            self.refused_ours("uri", cloud, kind="expired")


def ram_role_arn(key=LONG_TERM, **settings):
    known = {
        "access_key_id": key.id,
        "access_key_secret": key.secret,
        "security_token": key.token,
        "role_arn": ROLE_ARN,
        "role_session_name": SESSION,
    }
    return RamRoleArnCredentialsProvider(**{**known, **settings})


def keys(key):
    """The variables that our providers read a key from."""
    names = ("OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET", "OSS_SESSION_TOKEN")
    return {**dict(zip(names, key)), "ALIBABA_CLOUD_ROLE_SESSION_NAME": SESSION}


class RamRoleArn(Credentials):
    """AssumeRole."""

    def both_refuse(self, code, status, key, **settings):
        self.refused_theirs(code, ram_role_arn(key, **settings))
        variables = keys(key)
        if "role_arn" in settings:
            variables["ALIBABA_CLOUD_ROLE_ARN"] = settings["role_arn"]
        self.refused_ours("sts-assume-role", code=code, status=status, **variables)

    def test_a_role_is_assumed(self):
        for asynchronous in (False, True):
            found = self.works(theirs(ram_role_arn(), asynchronous=asynchronous))
            self.assertEqual(found["arn"], ARN_OF_SESSION)
        self.same_session(found, ours("sts-assume-role", **keys(LONG_TERM)))

    def test_a_role_is_assumed_with_a_temporary_key(self):
        temporary = rpc_assume_role(LONG_TERM, session="first")
        base = StaticSTSCredentialsProvider(
            access_key_id=temporary.id, access_key_secret=temporary.secret, security_token=temporary.token)
        found = self.works(theirs(ram_role_arn(credentials_provider=base)))
        self.same_session(found, ours("sts-assume-role", **keys(temporary)))
        self.both_refuse("InvalidSecurityToken.MismatchWithAccessKey", 400, temporary.with_wrong_token())

    def test_wrong_keys_are_refused(self):
        self.both_refuse("SignatureDoesNotMatch", 400, LONG_TERM.with_wrong_secret())
        self.both_refuse("InvalidAccessKeyId.NotFound", 404, UNKNOWN)

    def test_roles_that_may_not_be_assumed_are_refused(self):
        missing = ROLE_ARN.rsplit("/", 1)[0] + "/no-such-role"
        self.both_refuse("EntityNotExist.Role", 404, LONG_TERM, role_arn=missing)
        self.both_refuse("NoPermission", 403, LONG_TERM, role_arn="acs:ram::210987654321:role/elsewhere")

    def test_settings_of_the_session_arrive(self):
        policy = '{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:*","Resource":"*"}]}'
        found = self.works(theirs(ram_role_arn(duration_seconds=900, policy=policy, external_id="ext-1")))
        self.assertAlmostEqual(found["expires_at"], time.time() + 900, delta=30)


if __name__ == "__main__":
    unittest.main()
