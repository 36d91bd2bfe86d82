"""The vendor's KMS clients against the local KMS: the cached client of secrets, and the client of an instance.

Our provider beside them gets the same, and is refused the same.
"""

import hashlib
import json
import logging
import os
import time
import unittest
from unittest import mock

import oss2
from alibaba_cloud_secretsmanager_client.model.client_key_credentials import ClientKeyCredential
from alibaba_cloud_secretsmanager_client.model.region_info import RegionInfo
from alibaba_cloud_secretsmanager_client.secret_manager_cache_client_builder import SecretManagerCacheClientBuilder
from alibaba_cloud_secretsmanager_client.service.default_secret_manager_client_builder import (
    DefaultSecretManagerClientBuilder,
)
from alibaba_cloud_secretsmanager_client.utils import client_key_utils, common_logger
from aliyunsdkcore.acs_exception.exceptions import ServerException as RpcError
from aliyunsdkkms.request.v20160120.GetSecretValueRequest import GetSecretValueRequest
from openapi.models import Config as InstanceConfig
from sdk.client import Client as InstanceClient
from sdk.models import GetSecretValueRequest as InstanceRequest
from Tea.exceptions import TeaException

from credentials_support import Refused, ours
from support import (
    CLIENT_KEY, CLIENT_KEY_PASSWORD, CLOUD, KMS_ADDRESS, KMS_INSTANCE_ADDRESS, Key, LONG_TERM, REGION,
    SECRET_NAME, another_client_key, control, oss2_bucket, rpc_call,
)


# Its own logger would print every fetch.
common_logger.set_logger(logging.getLogger("CacheClient"))


def over_http():
    """Lets the shared gateway's client speak plain HTTP, which it offers no setting for."""
    return mock.patch.object(GetSecretValueRequest, "get_protocol_type", return_value="http")


def rotate(*how):
    """Rotates the secret, and tells the new key."""
    key = json.loads(control("/kms/rotate", *how, secret=SECRET_NAME))
    return Key(key["AccessKeyId"], key["AccessKeySecret"])


def put(name, value):
    control("/kms/put", secret=name, body=value)


def key_in(secret_data):
    pair = json.loads(secret_data)
    return Key(pair["AccessKeyId"], pair["AccessKeySecret"])


class Beside(unittest.TestCase):
    """What is said of our provider, whichever gateway it asks."""

    def same(self, key, **variables):
        """Ours gets this key, and it works."""
        found = ours("kms-client-key", **variables)
        self.assertEqual(found["access_key_id"], key.id)
        self.assertEqual(found["secret_sha256"], hashlib.sha256(key.secret.encode()).hexdigest())
        self.assertEqual((found["token_sha256"], found["expires_at"]), (None, None))
        self.assertEqual(found["arn"], rpc_call(key, "GetCallerIdentity")["Arn"])

    def refused_ours(self, code, status, **variables):
        with self.assertRaises(Refused) as raised:
            ours("kms-client-key", **variables)
        told = raised.exception.told
        self.assertEqual((told["kind"], told["code"], told["status"]), ("denied", code, status), told["text"])
        return told["text"]


class Shared(Beside):
    """aliyun-secret-manager-client, which asks the shared gateway."""

    def setUp(self):
        patch = over_http()
        patch.start()
        self.addCleanup(patch.stop)

    def client(self, key_file=CLIENT_KEY, region=REGION):
        credential, signer = client_key_utils.load_rsa_key_pair_credential_and_client_key_signer(
            key_file, CLIENT_KEY_PASSWORD)
        builder = DefaultSecretManagerClientBuilder.standard()
        builder.with_credentials(ClientKeyCredential(signer, credential))
        builder.add_region_info(RegionInfo(region, False, KMS_ADDRESS))
        client = SecretManagerCacheClientBuilder.new_cache_client_builder(builder.build()).build()
        self.addCleanup(client.close)
        return client

    def refused(self, code, call, *arguments):
        with self.assertRaises(RpcError) as raised, self.assertLogs(level="ERROR"):
            call(*arguments)
        self.assertEqual(raised.exception.get_error_code(), code)
        return raised.exception

    def test_a_ram_secret_rotates(self):
        first = rotate()
        client = self.client()
        info = client.get_secret_info(SECRET_NAME)
        self.assertEqual(key_in(info.secret_value), first)
        self.assertEqual(info.secret_type, "RAMCredentials")
        self.assertEqual(json.loads(info.extended_config)["SecretSubType"], "RamUserAccessKey")
        self.assertEqual((info.automatic_rotation, info.rotation_interval), ("Enabled", "604800s"))
        self.assertRegex(info.next_rotation_date, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")

        second = rotate()
        self.assertNotEqual(second, first)
        self.assertEqual(key_in(client.get_secret_value(SECRET_NAME)), first, "the client keeps what it has")
        self.assertTrue(client.refresh_now(SECRET_NAME))
        self.assertEqual(key_in(client.get_secret_value(SECRET_NAME)), second)

    def test_ours_gets_the_same_pair_before_and_after_a_rotation(self):
        client = self.client()
        self.same(key_in(client.get_secret_value(SECRET_NAME)))
        for how in ((), ("immediately",)):
            rotate(*how)
            self.assertTrue(client.refresh_now(SECRET_NAME))
            self.same(key_in(client.get_secret_value(SECRET_NAME)))

    def test_ours_gets_a_pair_from_a_generic_secret(self):
        own = {"AccessKeyId": LONG_TERM.id, "AccessKeySecret": LONG_TERM.secret}
        put("own/pair", json.dumps(own))
        self.assertEqual(key_in(self.client().get_secret_value("own/pair")), LONG_TERM)
        self.same(LONG_TERM, secret_names="own/pair")

    def test_the_variables_of_the_local_cloud_are_those_that_the_client_reads(self):
        names = (
            "credentials_type", "client_key_private_key_path", "client_key_password_from_file_path",
            "cache_client_region_id")
        variables = {name: CLOUD[name] for name in names}
        # The client wants a bare host.
        variables["cache_client_region_id"] = variables["cache_client_region_id"].replace("http://", "")
        with mock.patch.dict(os.environ, variables):
            client = SecretManagerCacheClientBuilder.new_client()
        self.addCleanup(client.close)
        new = rotate()
        self.assertEqual(key_in(client.get_secret_value(SECRET_NAME)), new)

    def test_the_pair_works_until_it_is_deleted(self):
        client = self.client()
        old = key_in(client.get_secret_value(SECRET_NAME))
        oss2_bucket(old).put_object("kms.txt", b"with a rotated key")
        identity = rpc_call(old, "GetCallerIdentity")
        self.assertTrue(identity["Arn"].endswith(":user/" + SECRET_NAME.rsplit("/", 1)[1]))
        new = rotate("immediately")
        with self.assertRaises(oss2.exceptions.ServerError) as raised:
            oss2_bucket(old).get_object("kms.txt")
        self.assertEqual(raised.exception.code, "InvalidAccessKeyId")
        self.assertEqual(oss2_bucket(new).get_object("kms.txt").read(), b"with a rotated key")

    def test_generic_secrets_come_as_they_are(self):
        for name, value in (("plain", "just text, 报告"), ("a/b+c=d.e-f@g_h", '{"AccessKeyId": "x"}')):
            with self.subTest(name=name):
                put(name, value)
                self.assertEqual(self.client().get_secret_value(name), value)

    def test_another_key_under_the_same_id_is_refused(self):
        with another_client_key() as key_file:
            # As with STS: only if the strings to sign agree byte for byte.
            error = self.refused("InvalidAccessKeySecret", self.client(key_file).get_secret_info, SECRET_NAME)
            # The client's own word for it. Ours keeps the service's.
            text = self.refused_ours("SignatureDoesNotMatch", 400, client_key_private_key_path=key_file)
        self.assertEqual(error.get_http_status(), 400)
        self.assertIn("KMS signed the same text", text)

    def test_an_unknown_client_key_is_refused(self):
        with another_client_key(key_id="KAAP.nobody") as key_file:
            error = self.refused("InvalidAccessKeyId.NotFound", self.client(key_file).get_secret_info, SECRET_NAME)
            self.refused_ours("InvalidAccessKeyId.NotFound", 404, client_key_private_key_path=key_file)
        self.assertEqual(error.get_http_status(), 404)

    def test_an_unknown_secret_or_region_is_refused(self):
        error = self.refused("Forbidden.ResourceNotFound", self.client().get_secret_info, "no-such-secret")
        self.assertEqual(error.get_http_status(), 404)
        self.refused_ours("Forbidden.ResourceNotFound", 404, secret_names="no-such-secret")
        self.refused("InvalidParameter", self.client(region="cn-nowhere").get_secret_info, SECRET_NAME)
        regions = CLOUD["cache_client_region_id"].replace(REGION, "cn-nowhere")
        self.refused_ours("InvalidParameter", 400, cache_client_region_id=regions)

    def test_a_skewed_clock_is_refused(self):
        for seconds in (-16 * 60, 16 * 60):
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
            with self.subTest(seconds=seconds), mock.patch(
                    "aliyunsdkcore.utils.parameter_helper.get_iso_8061_date", return_value=stamp):
                self.refused("InvalidTimeStamp.Expired", self.client().get_secret_info, SECRET_NAME)

    def test_a_repeated_nonce_is_refused(self):
        with mock.patch("aliyunsdkcore.utils.parameter_helper.get_uuid", return_value="kms-always-the-same"):
            self.client().get_secret_info(SECRET_NAME)
            self.refused("SignatureNonceUsed", self.client().get_secret_info, SECRET_NAME)


def at_instance(key_file=CLIENT_KEY):
    """The variables that lead ours to the instance alone, under the names of the vendor's clients."""
    instance = {
        "regionId": REGION,
        "endpoint": CLOUD["ALIBABA_CLOUD_KMS_INSTANCE_ENDPOINT"],
        "clientKeyFile": key_file,
        "passwordFromFilePath": CLOUD["client_key_password_from_file_path"],
    }
    shared = (
        "credentials_type", "client_key_private_key_path", "client_key_password_from_file_path",
        "cache_client_region_id")
    return {**dict.fromkeys(shared), "cache_client_dkms_config_info": json.dumps([instance])}


class Instance(Beside):
    """alibabacloud-dkms-gcs, which asks the gateway of an instance."""

    def ask(self, name, key_file=CLIENT_KEY, extended=True):
        client = InstanceClient(InstanceConfig(
            protocol="http", endpoint=KMS_INSTANCE_ADDRESS, client_key_file=key_file, password=CLIENT_KEY_PASSWORD))
        return client.get_secret_value(InstanceRequest(
            secret_name=name, version_stage="ACSCurrent", fetch_extended_config=extended))

    def refused(self, code, *arguments):
        with self.assertRaises(TeaException) as raised:
            self.ask(*arguments)
        self.assertEqual(raised.exception.code, code)
        return raised.exception

    def test_a_ram_secret_rotates(self):
        for new in (rotate(), rotate()):
            pass
        answer = self.ask(SECRET_NAME)
        self.assertEqual(key_in(answer.secret_data), new)
        self.assertEqual(answer.secret_name, SECRET_NAME)
        self.assertEqual(answer.secret_type, "RAMCredentials")
        self.assertEqual(answer.secret_data_type, "text")
        self.assertEqual(list(answer.version_stages), ["ACSCurrent"])
        self.assertEqual(json.loads(answer.extended_config)["SecretSubType"], "RamUserAccessKey")
        self.assertEqual((answer.automatic_rotation, answer.rotation_interval), ("Enabled", "604800s"))
        for date in (answer.create_time, answer.last_rotation_date, answer.next_rotation_date):
            self.assertRegex(date, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(self.ask(SECRET_NAME, extended=False).extended_config, "")

    def test_ours_gets_the_same_pair_before_and_after_a_rotation(self):
        self.same(key_in(self.ask(SECRET_NAME).secret_data), **at_instance())
        for how in ((), ("immediately",)):
            rotate(*how)
            self.same(key_in(self.ask(SECRET_NAME).secret_data), **at_instance())

    def test_generic_secrets_come_as_they_are(self):
        put("plain-instance", "just text, 报告")
        answer = self.ask("plain-instance")
        self.assertEqual((answer.secret_data, answer.secret_type), ("just text, 报告", "Generic"))

    def test_another_key_under_the_same_id_is_refused(self):
        with another_client_key() as key_file:
            error = self.refused("SignatureNotMatch", SECRET_NAME, key_file)
            self.refused_ours("SignatureNotMatch", 401, **at_instance(key_file))
        self.assertEqual(error.data["httpCode"], 401)

    def test_an_unknown_client_key_is_refused(self):
        with another_client_key(key_id="KAAP.nobody") as key_file:
            error = self.refused("Unauthorized", SECRET_NAME, key_file)
            text = self.refused_ours("Unauthorized", 404, **at_instance(key_file))
        self.assertIn("issue a new client key", text)
        self.assertIn('"KAAP.nobody"', error.message)

    def test_an_unknown_secret_is_refused(self):
        error = self.refused("Forbidden.ResourceNotFound", "no-such-secret")
        self.refused_ours("Forbidden.ResourceNotFound", 404, secret_names="no-such-secret", **at_instance())
        self.assertRegex(error.data["requestId"], r"^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$")

    def test_a_skewed_clock_is_refused(self):
        for seconds in (-16 * 60, 16 * 60):
            date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + seconds))
            with self.subTest(seconds=seconds), mock.patch(
                    "alibabacloud_tea_util.client.Client.get_date_utcstring", return_value=date):
                self.refused("RequestTimeTooSkewed", SECRET_NAME)


if __name__ == "__main__":
    unittest.main()
