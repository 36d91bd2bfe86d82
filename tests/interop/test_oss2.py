"""The vendor's older OSS client, oss2, against the local OSS."""

import unittest
from unittest import mock

import oss2

from support import (
    BUCKET, LONG_TERM, OSS_ENDPOINT, OssTest, TRICKY_KEYS, UNKNOWN, oss2_bucket, plain_http,
)


class Oss2(OssTest):
    def refused(self, status, code, call, *arguments):
        with self.assertRaises(oss2.exceptions.ServerError) as raised:
            call(*arguments)
        self.assertEqual((raised.exception.status, raised.exception.code), (status, code))
        return raised.exception

    def test_objects_come_back_as_they_were_put(self):
        for key in self.each_key():
            bucket = oss2_bucket(key)
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
        for key in self.each_key():
            bucket = oss2_bucket(key)
            bucket.put_object("range.txt", b"0123456789")
            got = bucket.get_object("range.txt", byte_range=(2, 4))
            self.assertEqual((got.status, got.read()), (206, b"234"))

    def test_presigned_urls_work_in_plain_http(self):
        for key in self.each_key():
            bucket = oss2_bucket(key)
            for name in TRICKY_KEYS:
                with self.subTest(name=name):
                    url = bucket.sign_url("PUT", name, 60, slash_safe=True)
                    self.assertEqual(plain_http("PUT", url, body=b"presigned").status, 200)
                    url = bucket.sign_url("GET", name, 60, slash_safe=True)
                    self.assertEqual(plain_http("GET", url)[::2], (200, b"presigned"))

    def test_presigned_headers_and_parameters_are_bound(self):
        for key in self.each_key():
            bucket = oss2_bucket(key)
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
        for key in self.each_key():
            bucket = oss2_bucket(key)
            bucket.put_object("additional", b"0123456789")
            url = bucket.sign_url(
                "GET", "additional", 60, headers={"range": "bytes=0-3"}, slash_safe=True,
                additional_headers=["range"])
            self.assertEqual(plain_http("GET", url, headers={"Range": "bytes=0-3"}).body, b"0123")
            self.assertEqual(plain_http("GET", url, headers={"Range": "bytes=0-4"}).status, 403)

    def test_an_expired_url_is_refused(self):
        for key in self.each_key():
            with mock.patch("oss2.auth.datetime") as fake:
                from datetime import datetime, timedelta
                fake.utcnow.return_value = datetime.utcnow() - timedelta(seconds=90)
                fake.datetime.utcnow.return_value = fake.utcnow.return_value
                url = oss2_bucket(key).sign_url("GET", "plain.txt", 60, slash_safe=True)
            answer = plain_http("GET", url)
            self.assertEqual(answer.status, 403)
            self.assertIn(b"<Code>AccessDenied</Code>", answer.body)
            self.assertIn(b"Request has expired.", answer.body)

    def test_wrong_keys_are_refused(self):
        for key in self.each_key():
            wrong = oss2_bucket(key.with_wrong_secret())
            for call in (wrong.get_object, wrong.delete_object):
                error = self.refused(403, "SignatureDoesNotMatch", call, "plain.txt")
                self.assertIn("OSS4-HMAC-SHA256\n", error.details["StringToSign"])
            self.refused(403, "SignatureDoesNotMatch", wrong.put_object, "plain.txt", b"x")
            # A URL can only be refused when it is used.
            url = wrong.sign_url("GET", "plain.txt", 60, slash_safe=True)
            self.assertEqual(plain_http("GET", url).status, 403)
        self.refused(403, "InvalidAccessKeyId", oss2_bucket(UNKNOWN).get_object, "plain.txt")

    def test_wrong_tokens_are_refused(self):
        for wrong in (self.temporary.with_wrong_token(), self.temporary._replace(token=None),
                      LONG_TERM._replace(token="CAISnone")):
            self.refused(403, "InvalidSecurityToken", oss2_bucket(wrong).get_object, "plain.txt")

    def test_an_unsigned_request_is_refused(self):
        anonymous = oss2.Bucket(oss2.AnonymousAuth(), OSS_ENDPOINT, BUCKET)
        self.refused(403, "AccessDenied", anonymous.get_object, "plain.txt")

    def test_another_region_is_refused(self):
        other = oss2_bucket(LONG_TERM, region="cn-beijing")
        error = self.refused(400, "InvalidArgument", other.get_object, "plain.txt")
        self.assertEqual(error.details["EC"], "0002-00000226")

    def test_what_does_not_exist_is_not_found(self):
        for key in self.each_key():
            self.refused(404, "NoSuchKey", oss2_bucket(key).get_object, "no such key")
            with self.assertRaises(oss2.exceptions.NotFound):
                oss2_bucket(key).head_object("no such key")
        bucket = oss2_bucket(LONG_TERM)
        bucket.bucket_name = "no-such-bucket"
        self.refused(404, "NoSuchBucket", bucket.get_object, "plain.txt")


if __name__ == "__main__":
    unittest.main()
