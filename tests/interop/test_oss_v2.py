"""The vendor's newer OSS client, alibabacloud-oss-v2, against the local OSS."""

import datetime
import socket
import unittest
from unittest import mock

import alibabacloud_oss_v2 as oss

from support import (
    BUCKET, CloudOfEndedSessions, LONG_TERM, OSS_ENDPOINT, TRICKY_KEYS, UNKNOWN, acs3_assume_role,
    clock_moved_by, oss_v2_client, oss_v2_error, plain_http,
)


def get(key):
    return oss.GetObjectRequest(bucket=BUCKET, key=key)


def put(key, body=b"", **more):
    return oss.PutObjectRequest(bucket=BUCKET, key=key, body=body, **more)


class Refusals(unittest.TestCase):
    def refused(self, status, code, call, *arguments):
        error = oss_v2_error(self, call, *arguments)
        self.assertEqual((error.status_code, error.code), (status, code))
        return error


class EachKey(Refusals):
    """What has to be the same with both kinds of keys; run by the classes below."""

    key = None

    def test_objects_come_back_as_they_were_put(self):
        client = oss_v2_client(self.key)
        for name in TRICKY_KEYS:
            with self.subTest(name=name):
                body = ("content of " + name).encode()
                # The client itself compares its CRC-64 with the service's.
                stored = client.put_object(put(
                    name, body, content_type="text/x-test", metadata={"colour": "blue and  green"}))
                self.assertEqual(stored.status_code, 200)
                got = client.get_object(get(name))
                self.assertEqual(got.body.content, body)
                self.assertEqual(got.metadata["colour"], "blue and  green")
                head = client.head_object(oss.HeadObjectRequest(bucket=BUCKET, key=name))
                self.assertEqual((head.content_length, head.etag), (len(body), stored.etag))
                self.assertEqual(head.content_type, "text/x-test")
                gone = client.delete_object(oss.DeleteObjectRequest(bucket=BUCKET, key=name))
                self.assertEqual(gone.status_code, 204)
                self.refused(404, "NoSuchKey", client.get_object, get(name))

    def test_path_style_by_setting_and_virtual_hosts(self):
        # The operating system need not know bucket.localhost: all names lead to the loopback address here.
        endpoint = OSS_ENDPOINT.replace("127.0.0.1", "localhost")
        for settings in ({"use_path_style": True}, {"use_path_style": False}):
            with self.subTest(**settings), everything_is_local():
                client = oss_v2_client(self.key, endpoint=endpoint, **settings)
                client.put_object(put("style a/b", b"styled"))
                self.assertEqual(client.get_object(get("style a/b")).body.content, b"styled")

    def test_a_range_is_a_part(self):
        client = oss_v2_client(self.key)
        client.put_object(put("range.txt", b"0123456789"))
        part = client.get_object(oss.GetObjectRequest(bucket=BUCKET, key="range.txt", range_header="bytes=2-4"))
        self.assertEqual((part.status_code, part.body.content), (206, b"234"))
        self.refused(416, "InvalidRange", client.get_object, oss.GetObjectRequest(
            bucket=BUCKET, key="range.txt", range_header="bytes=10-", range_behavior="standard"))

    def test_presigned_urls_work_in_plain_http(self):
        client = oss_v2_client(self.key)
        for name in TRICKY_KEYS:
            with self.subTest(name=name):
                upload = client.presign(put(name, None))
                answer = plain_http("PUT", upload.url, body=b"presigned", headers=upload.signed_headers)
                self.assertEqual(answer.status, 200)
                self.assertEqual(plain_http("GET", client.presign(get(name)).url)[::2], (200, b"presigned"))

    def test_presigned_headers_are_bound(self):
        request = put("bound", None, content_type="text/x-bound", metadata={"by": "url"})
        upload = oss_v2_client(self.key).presign(request)
        self.assertEqual(plain_http("PUT", upload.url, body=b"1", headers=upload.signed_headers).status, 200)
        self.assertEqual(plain_http("PUT", upload.url, body=b"1").status, 403)

    def test_wrong_keys_are_refused(self):
        wrong = oss_v2_client(self.key.with_wrong_secret())
        for call, request in (
                (wrong.get_object, get("plain.txt")),
                (wrong.put_object, put("plain.txt", b"x")),
                (wrong.head_object, oss.HeadObjectRequest(bucket=BUCKET, key="plain.txt")),
                (wrong.delete_object, oss.DeleteObjectRequest(bucket=BUCKET, key="plain.txt")),
        ):
            self.refused(403, "SignatureDoesNotMatch", call, request)
        answer = plain_http("GET", wrong.presign(get("plain.txt")).url)
        self.assertEqual(answer.status, 403)
        self.assertIn(b"<Code>SignatureDoesNotMatch</Code>", answer.body)

    def test_a_url_for_seven_days_works(self):
        client = oss_v2_client(self.key)
        client.put_object(put("long", b"long"))
        week = client.presign(get("long"), expires=datetime.timedelta(days=7))
        self.assertEqual(plain_http("GET", week.url).status, 200)

    def test_an_expired_url_is_refused(self):
        with clock_moved_by(-90, "alibabacloud_oss_v2.signer.v4"):
            # Signed 90 seconds ago for one minute.
            end = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=30)
            presigned = oss_v2_client(self.key).presign(get("plain.txt"), expiration=end)
        answer = plain_http("GET", presigned.url)
        self.assertEqual(answer.status, 403)
        self.assertIn(b"<Code>AccessDenied</Code>", answer.body)
        self.assertIn(b"Request has expired.", answer.body)

    def test_a_skewed_clock_is_refused(self):
        for seconds in (-16 * 60, 16 * 60):
            with clock_moved_by(seconds, "alibabacloud_oss_v2.signer.v4"):
                error = self.refused(
                    403, "RequestTimeTooSkewed", oss_v2_client(self.key).get_object, get("plain.txt"))
                self.assertEqual(error.error_fileds["MaxAllowedSkewMilliseconds"], "900000")


class LongTermKey(EachKey):
    """With the AccessKey of a RAM user."""

    key = LONG_TERM


class TemporaryKey(EachKey):
    """With the key of a session, signed with its token."""

    @classmethod
    def setUpClass(cls):
        cls.key = acs3_assume_role(LONG_TERM)


class OtherKeys(Refusals):
    """Keys and buckets that are not there, or not as they should be."""

    def test_the_service_says_what_it_signed(self):
        client = oss_v2_client(LONG_TERM.with_wrong_secret())
        error = self.refused(403, "SignatureDoesNotMatch", client.get_object, get("a b"))
        self.assertEqual(error.ec, "0002-00000040")
        self.assertTrue(error.error_fileds["CanonicalRequest"].startswith("GET\n/" + BUCKET + "/a%20b\n"))
        self.assertTrue(error.error_fileds["StringToSign"].startswith("OSS4-HMAC-SHA256\n"))
        self.assertEqual(error.request_id, error.headers["x-oss-request-id"])

    def test_an_unknown_key_is_refused(self):
        self.refused(403, "InvalidAccessKeyId", oss_v2_client(UNKNOWN).get_object, get("plain.txt"))

    def test_wrong_tokens_are_refused(self):
        temporary = acs3_assume_role(LONG_TERM)
        for wrong in (temporary.with_wrong_token(), temporary._replace(token=None)):
            self.refused(403, "InvalidSecurityToken", oss_v2_client(wrong).get_object, get("plain.txt"))

    def test_an_unsigned_request_is_refused(self):
        client = oss_v2_client(
            LONG_TERM, credentials_provider=oss.credentials.AnonymousCredentialsProvider())
        self.refused(403, "AccessDenied", client.get_object, get("plain.txt"))

    def test_another_region_is_refused(self):
        client = oss_v2_client(LONG_TERM, region="cn-beijing")
        error = self.refused(400, "InvalidArgument", client.get_object, get("plain.txt"))
        self.assertEqual(error.ec, "0002-00000226")

    def test_an_ended_session_is_refused(self):
        with CloudOfEndedSessions() as cloud:
            client = oss_v2_client(cloud.ended_key, endpoint=cloud.oss_endpoint)
            self.refused(403, "SecurityTokenExpired", client.get_object, get("plain.txt"))
            answer = plain_http("GET", client.presign(get("plain.txt")).url)
            self.assertIn(b"<Code>SecurityTokenExpired</Code>", answer.body)

    def test_what_does_not_exist_is_not_found(self):
        client = oss_v2_client(LONG_TERM)
        error = self.refused(
            404, "NoSuchKey", client.head_object, oss.HeadObjectRequest(bucket=BUCKET, key="no such key"))
        self.assertEqual(error.ec, "0026-00000001")
        other = oss.GetObjectRequest(bucket="no-such-bucket", key="plain.txt")
        self.refused(404, "NoSuchBucket", client.get_object, other)


def everything_is_local():
    """Lets every host name resolve to the loopback address."""
    real = socket.getaddrinfo
    return mock.patch("socket.getaddrinfo", lambda host, *rest, **named: real("127.0.0.1", *rest, **named))


del EachKey  # Not to be run by itself.

if __name__ == "__main__":
    unittest.main()
