"""The vendor's STS clients against the local STS."""

import time
import unittest
from unittest import mock

from alibabacloud_tea_openapi.exceptions import ClientException as Acs3Error
from aliyunsdkcore.acs_exception.exceptions import ServerException as RpcError

from support import (
    CloudOfEndedSessions, LONG_TERM, ROLE_ARN, UNKNOWN, acs3_assume_role, acs3_client, rpc_assume_role,
    rpc_call,
)

ACCOUNT = ROLE_ARN.split(":")[3]


class Rpc(unittest.TestCase):
    """RPC signatures, by aliyun-python-sdk-core."""

    def refused(self, code, call, *arguments, **named):
        with self.assertRaises(RpcError) as raised:
            call(*arguments, **named)
        self.assertEqual(raised.exception.get_error_code(), code)
        return raised.exception

    def test_all_placements_of_parameters_are_accepted(self):
        for how in ({"method": "GET"}, {"method": "POST"}, {"method": "POST", "form": True}):
            with self.subTest(**how):
                key = rpc_assume_role(LONG_TERM, **how)
                self.assertTrue(key.id.startswith("STS."))
                self.assertTrue(key.secret and key.token)

    def test_values_that_need_escaping_are_signed_right(self):
        statement = '{"Effect": "Allow", "Action": "oss:*", "Resource": ["*", "*~/+ %25 报告"]}'
        policy = '{"Version": "1", "Statement": [' + statement + "]}"
        for how in ({"method": "GET"}, {"method": "POST", "form": True}):
            with self.subTest(**how):
                answer = rpc_call(
                    LONG_TERM, "AssumeRole", RoleArn=ROLE_ARN, RoleSessionName="a.b@c-d_e", Policy=policy, **how)
                self.assertEqual(answer["AssumedRoleUser"]["Arn"], ROLE_ARN + "/a.b@c-d_e")
                self.assertRegex(answer["Credentials"]["Expiration"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")

    def test_identities_of_both_kinds_of_keys(self):
        self.assertEqual(rpc_call(LONG_TERM, "GetCallerIdentity")["IdentityType"], "RAMUser")
        temporary = rpc_assume_role(LONG_TERM, session="who-am-i")
        identity = rpc_call(temporary, "GetCallerIdentity")
        self.assertEqual(identity["IdentityType"], "AssumedRoleUser")
        self.assertEqual(identity["AccountId"], ACCOUNT)
        self.assertTrue(identity["Arn"].endswith("/who-am-i"))

    def test_a_role_can_be_assumed_with_a_temporary_key(self):
        first = rpc_assume_role(LONG_TERM)
        second = rpc_assume_role(first)
        self.assertNotEqual(first.id, second.id)

    def test_an_unknown_key_is_refused(self):
        error = self.refused("InvalidAccessKeyId.NotFound", rpc_assume_role, UNKNOWN)
        self.assertEqual(error.get_http_status(), 404)

    def test_a_wrong_secret_is_refused(self):
        # The client says InvalidAccessKeySecret only if its string to sign is, byte for byte, the one that
        # the service sent along with SignatureDoesNotMatch.
        for method in ("GET", "POST"):
            with self.subTest(method=method):
                wrong = LONG_TERM.with_wrong_secret()
                error = self.refused("InvalidAccessKeySecret", rpc_assume_role, wrong, method=method)
                self.assertEqual(error.get_http_status(), 400)

    def test_a_wrong_or_missing_token_is_refused(self):
        temporary = rpc_assume_role(LONG_TERM)
        self.refused(
            "InvalidSecurityToken.MismatchWithAccessKey", rpc_call, temporary.with_wrong_token(),
            "GetCallerIdentity")
        self.refused("MissingSecurityToken", rpc_call, temporary._replace(token=None), "GetCallerIdentity")

    def test_an_ended_session_is_refused(self):
        with CloudOfEndedSessions() as cloud:
            self.refused(
                "InvalidSecurityToken.Expired", rpc_call, cloud.ended_key, "GetCallerIdentity",
                address=cloud.sts_address)

    def test_a_skewed_clock_is_refused(self):
        for seconds in (-16 * 60, 16 * 60):
            shifted = time.gmtime(time.time() + seconds)
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", shifted)
            with self.subTest(seconds=seconds), mock.patch(
                    "aliyunsdkcore.utils.parameter_helper.get_iso_8061_date", return_value=stamp):
                self.refused("InvalidTimeStamp.Expired", rpc_assume_role, LONG_TERM)

    def test_a_repeated_nonce_is_refused(self):
        with mock.patch("aliyunsdkcore.utils.parameter_helper.get_uuid", return_value="always-the-same"):
            rpc_assume_role(LONG_TERM)
            self.refused("SignatureNonceUsed", rpc_assume_role, LONG_TERM)

    def test_bad_arguments_are_refused(self):
        missing = ROLE_ARN.rsplit("/", 1)[0] + "/no-such-role"
        for code, changed in (
                ("InvalidParameter.DurationSeconds", {"duration": 899}),
                ("InvalidParameter.DurationSeconds", {"duration": 3601}),
                ("InvalidParameter.RoleArn", {"role_arn": "acs:ram::x:role/y"}),
                ("EntityNotExist.Role", {"role_arn": missing}),
                ("NoPermission", {"role_arn": "acs:ram::210987654321:role/elsewhere"}),
                ("InvalidParameter.RoleSessionName", {"session": "with space"}),
        ):
            with self.subTest(code=code, **changed):
                self.refused(code, rpc_assume_role, LONG_TERM, **changed)


class Acs3(unittest.TestCase):
    """ACS3 signatures, by alibabacloud-sts20150401."""

    def refused(self, code, call, *arguments, **named):
        with self.assertRaises(Acs3Error) as raised:
            call(*arguments, **named)
        self.assertEqual(raised.exception.code, code)
        return raised.exception

    def test_a_role_is_assumed(self):
        key = acs3_assume_role(LONG_TERM)
        self.assertTrue(key.id.startswith("STS."))
        self.assertTrue(key.secret and key.token)

    def test_identities_of_both_kinds_of_keys(self):
        self.assertEqual(acs3_client(LONG_TERM).get_caller_identity().body.identity_type, "RAMUser")
        temporary = acs3_assume_role(LONG_TERM, session="who-am-i")
        identity = acs3_client(temporary).get_caller_identity().body
        self.assertEqual(identity.identity_type, "AssumedRoleUser")
        self.assertEqual(identity.account_id, ACCOUNT)
        self.assertTrue(identity.arn.endswith("/who-am-i"))

    def test_an_unknown_key_is_refused(self):
        error = self.refused("InvalidAccessKeyId.NotFound", acs3_assume_role, UNKNOWN)
        self.assertEqual(error.status_code, 404)
        self.assertRegex(error.request_id, r"^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$")

    def test_a_wrong_secret_is_refused(self):
        error = self.refused("SignatureDoesNotMatch", acs3_assume_role, LONG_TERM.with_wrong_secret())
        self.assertEqual(error.status_code, 400)

    def test_a_wrong_token_is_refused(self):
        wrong = acs3_assume_role(LONG_TERM).with_wrong_token()
        self.refused("InvalidSecurityToken.MismatchWithAccessKey", acs3_assume_role, wrong)

    def test_an_ended_session_is_refused(self):
        with CloudOfEndedSessions() as cloud:
            client = acs3_client(cloud.ended_key, cloud.sts_address)
            self.refused("InvalidSecurityToken.Expired", client.get_caller_identity)

    def test_a_skewed_clock_is_refused(self):
        for seconds in (-16 * 60, 16 * 60):
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
            with self.subTest(seconds=seconds), mock.patch(
                    "alibabacloud_tea_openapi.utils.Utils.get_timestamp", return_value=stamp):
                self.refused("InvalidTimeStamp.Expired", acs3_assume_role, LONG_TERM)

    def test_a_repeated_nonce_is_refused(self):
        with mock.patch("alibabacloud_tea_openapi.utils.Utils.get_nonce", return_value="acs3-always-the-same"):
            acs3_assume_role(LONG_TERM)
            self.refused("SignatureNonceUsed", acs3_assume_role, LONG_TERM)

    def test_bad_arguments_are_refused(self):
        self.refused("InvalidParameter.DurationSeconds", acs3_assume_role, LONG_TERM, duration=899)
        missing = ROLE_ARN.rsplit("/", 1)[0] + "/no-such-role"
        self.refused("EntityNotExist.Role", acs3_assume_role, LONG_TERM, role_arn=missing)


if __name__ == "__main__":
    unittest.main()
