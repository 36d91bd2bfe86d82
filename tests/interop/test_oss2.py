"""The vendor's older OSS client, oss2, against the local OSS."""

import unittest

import oss2

from support import (
    BUCKET, CloudOfEndedSessions, LONG_TERM, OSS_ENDPOINT, TRICKY_KEYS, UNKNOWN, acs3_assume_role,
    clock_moved_by, oss2_bucket, plain_http,
)


class Refusals(unittest.TestCase):
    def refused(self, status, code, call, *arguments):
        with self.assertRaises(oss2.exceptions.ServerError) as raised:
            call(*arguments)
        self.assertEqual((raised.exception.status, raised.exception.code), (status, code))
        return raised.exception


class EachKey(Refusals):
    """What has to be the same with both kinds of keys; run by the classes below."""

    key = None

    def test_objects_come_back_as_they_were_put(self):
        bucket = oss2_bucket(self.key)
        for name in TRICKY_KEYS:
            with self.subTest(name=name):
                body = ("content of " + name).encode()
                headers = {"Content-Type": "text/x-test", "x-oss-meta-colour": "blue and  green"}
                # The client itself compares its CRC-64 with the service's.
                put = bucket.put_object(name, body, headers=headers)
                self.assertEqual(put.status, 200)
                got = bucket.get_object(name)
                self.assertEqual(got.read(), body)
                self.assertEqual(got.headers["x-oss-meta-colour"], "blue and  green")
                head = bucket.head_object(name)
                self.assertEqual((head.content_length, head.etag), (len(body), put.etag))
                self.assertEqual(head.content_type, "text/x-test")
                self.assertEqual(bucket.delete_object(name).status, 204)
                self.assertFalse(bucket.object_exists(name))

    def test_a_range_is_a_part(self):
        bucket = oss2_bucket(self.key)
        bucket.put_object("range.txt", b"0123456789")
        got = bucket.get_object("range.txt", byte_range=(2, 4))
        self.assertEqual((got.status, got.read()), (206, b"234"))

    def test_presigned_urls_work_in_plain_http(self):
        bucket = oss2_bucket(self.key)
        for name in TRICKY_KEYS:
            with self.subTest(name=name):
                url = bucket.sign_url("PUT", name, 60, slash_safe=True)
                self.assertEqual(plain_http("PUT", url, body=b"presigned").status, 200)
                url = bucket.sign_url("GET", name, 60, slash_safe=True)
                self.assertEqual(plain_http("GET", url)[::2], (200, b"presigned"))

    def test_presigned_headers_and_parameters_are_bound(self):
        bucket = oss2_bucket(self.key)
        headers = {"Content-Type": "text/x-bound", "x-oss-meta-by": "url"}
        url = bucket.sign_url("PUT", "bound", 60, headers=headers, slash_safe=True)
        self.assertEqual(plain_http("PUT", url, body=b"1", headers=headers).status, 200)
        self.assertEqual(plain_http("PUT", url, body=b"1").status, 403)
        parameters = {"response-content-type": "text/x-other; a=\"b+c\""}
        url = bucket.sign_url("GET", "bound", 60, params=parameters, slash_safe=True)
        answer = plain_http("GET", url)
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers["Content-Type"], "text/x-other; a=\"b+c\"")
        self.assertEqual(plain_http("GET", url.replace("x-other", "x-more")).status, 403)

    def test_additional_headers_are_signed(self):
        bucket = oss2_bucket(self.key)
        bucket.put_object("additional", b"0123456789")
        url = bucket.sign_url(
            "GET", "additional", 60, headers={"range": "bytes=0-3"}, slash_safe=True,
            additional_headers=["range"])
        self.assertEqual(plain_http("GET", url, headers={"Range": "bytes=0-3"}).body, b"0123")
        self.assertEqual(plain_http("GET", url, headers={"Range": "bytes=0-4"}).status, 403)

    def test_an_expired_url_is_refused(self):
        with clock_moved_by(-90, "oss2.auth"):
            url = oss2_bucket(self.key).sign_url("GET", "plain.txt", 60, slash_safe=True)
        answer = plain_http("GET", url)
        self.assertEqual(answer.status, 403)
        self.assertIn(b"<Code>AccessDenied</Code>", answer.body)
        self.assertIn(b"Request has expired.", answer.body)

    def test_a_skewed_clock_is_refused(self):
        for seconds in (-16 * 60, 16 * 60):
            with clock_moved_by(seconds, "oss2.auth"):
                self.refused(403, "RequestTimeTooSkewed", oss2_bucket(self.key).get_object, "plain.txt")

    def test_wrong_keys_are_refused(self):
        wrong = oss2_bucket(self.key.with_wrong_secret())
        for call in (wrong.get_object, wrong.delete_object):
            error = self.refused(403, "SignatureDoesNotMatch", call, "plain.txt")
            self.assertIn("OSS4-HMAC-SHA256\n", error.details["StringToSign"])
        self.refused(403, "SignatureDoesNotMatch", wrong.put_object, "plain.txt", b"x")
        # A URL can only be refused when it is used.
        answer = plain_http("GET", wrong.sign_url("GET", "plain.txt", 60, slash_safe=True))
        self.assertEqual(answer.status, 403)
        self.assertIn(b"<Code>SignatureDoesNotMatch</Code>", answer.body)

    def test_what_does_not_exist_is_not_found(self):
        self.refused(404, "NoSuchKey", oss2_bucket(self.key).get_object, "no such key")
        with self.assertRaises(oss2.exceptions.NotFound):
            oss2_bucket(self.key).head_object("no such key")
        bucket = oss2_bucket(self.key)
        bucket.bucket_name = "no-such-bucket"
        self.refused(404, "NoSuchBucket", bucket.get_object, "plain.txt")


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

    def test_an_ended_session_is_refused(self):
        with CloudOfEndedSessions() as cloud:
            bucket = oss2_bucket(cloud.ended_key, endpoint=cloud.oss_endpoint)
            self.refused(403, "SecurityTokenExpired", bucket.get_object, "plain.txt")
            answer = plain_http("GET", bucket.sign_url("GET", "plain.txt", 60, slash_safe=True))
            self.assertIn(b"<Code>SecurityTokenExpired</Code>", answer.body)

    def test_an_unknown_key_is_refused(self):
        self.refused(403, "InvalidAccessKeyId", oss2_bucket(UNKNOWN).get_object, "plain.txt")

    def test_wrong_tokens_are_refused(self):
        temporary = acs3_assume_role(LONG_TERM)
        for wrong in (temporary.with_wrong_token(), temporary._replace(token=None),
                      LONG_TERM._replace(token="CAISnone")):
            self.refused(403, "InvalidSecurityToken", oss2_bucket(wrong).get_object, "plain.txt")

    def test_an_unsigned_request_is_refused(self):
        anonymous = oss2.Bucket(oss2.AnonymousAuth(), OSS_ENDPOINT, BUCKET)
        self.refused(403, "AccessDenied", anonymous.get_object, "plain.txt")

    def test_another_region_is_refused(self):
        other = oss2_bucket(LONG_TERM, region="cn-beijing")
        error = self.refused(400, "InvalidArgument", other.get_object, "plain.txt")
        self.assertEqual(error.details["EC"], "0002-00000226")


del EachKey  # Not to be run by itself.

if __name__ == "__main__":
    unittest.main()
