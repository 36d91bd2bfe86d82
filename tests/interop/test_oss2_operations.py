"""Every operation of the local OSS, by the vendor's older client, with V1 and V4 signatures."""

import hashlib
import time
import unittest
from unittest import mock

import oss2

from support import (
    BUCKET, CloudOfEndedSessions, LONG_TERM, OSS_ENDPOINT, REGION, TRICKY_KEYS, UNKNOWN, acs3_assume_role,
    oss2_auth, oss2_bucket, plain_http,
)

# The least size of a part that is not the last one.
PART = 100 * 1024


def http_date(seconds):
    """A time so far from now, as headers have it."""
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + seconds))


class Refusals(unittest.TestCase):
    def refused(self, status, code, call, *arguments, **named):
        with self.assertRaises(oss2.exceptions.ServerError) as raised:
            call(*arguments, **named)
        self.assertEqual((raised.exception.status, raised.exception.code), (status, code))
        return raised.exception


class Operations(Refusals):
    """What has to be the same with all kinds of keys and signatures; run by the classes below."""

    key = None
    version = None

    def setUp(self):
        self.bucket = self.bucket_of(self.key)

    def bucket_of(self, key, **more):
        return oss2_bucket(key, version=self.version, **more)

    def test_objects_of_all_names(self):
        for name in TRICKY_KEYS:
            with self.subTest(name=name):
                body = ("content of " + name).encode()
                # The client itself compares its CRC-64 with the service's.
                put = self.bucket.put_object(name, body, headers={"x-oss-meta-colour": "blue and  green"})
                self.assertEqual(put.etag, hashlib.md5(body).hexdigest().upper())
                got = self.bucket.get_object(name)
                self.assertEqual((got.read(), got.headers["x-oss-meta-colour"]), (body, "blue and  green"))
                self.assertEqual(got.client_crc, got.server_crc)
                self.assertEqual(self.bucket.head_object(name).content_length, len(body))
                self.assertEqual(self.bucket.get_object_meta(name).content_length, len(body))
                self.assertTrue(self.bucket.object_exists(name))
                self.bucket.delete_object(name)
                self.assertFalse(self.bucket.object_exists(name))

    def test_conditions_ranges_and_overrides(self):
        etag = self.bucket.put_object("conditions", b"0123456789").etag
        get = lambda **headers: self.bucket.get_object(
            "conditions", headers={name.replace("_", "-"): value for name, value in headers.items()})
        self.assertEqual(get(if_match=etag, if_modified_since=http_date(-3600)).read(), b"0123456789")
        self.refused(412, "PreconditionFailed", get, if_match="other")
        self.refused(412, "PreconditionFailed", get, if_unmodified_since=http_date(-3600))
        for unchanged in ({"if_none_match": etag}, {"if_modified_since": http_date(3600)}):
            with self.assertRaises(oss2.exceptions.NotModified):
                get(**unchanged)
        self.assertEqual(self.bucket.get_object("conditions", byte_range=(2, 4)).read(), b"234")
        self.assertEqual(self.bucket.get_object("conditions", byte_range=(None, 3)).read(), b"789")
        got = self.bucket.get_object("conditions", params={
            "response-content-type": "text/x-other; a=\"b+c\"", "response-content-language": "zh-CN"})
        self.assertEqual(got.headers["Content-Type"], "text/x-other; a=\"b+c\"")
        self.assertEqual(got.headers["Content-Language"], "zh-CN")
        processed = self.bucket.get_object("conditions", process="image/resize,w_100")
        self.assertEqual(processed.headers["x-oss-testkit-process"], "image/resize,w_100")

    def test_copies(self):
        for source, target in zip(TRICKY_KEYS, TRICKY_KEYS[1:] + TRICKY_KEYS[:1]):
            with self.subTest(source=source, target=target):
                put = self.bucket.put_object(source, source, headers={"x-oss-meta-by": "source"})
                self.assertEqual(self.bucket.copy_object(BUCKET, source, target).etag, put.etag)
                got = self.bucket.get_object(target)
                self.assertEqual((got.read().decode(), got.headers["x-oss-meta-by"]), (source, "source"))
                self.bucket.update_object_meta(target, {"x-oss-meta-by": "target"})
                self.assertEqual(self.bucket.head_object(target).headers["x-oss-meta-by"], "target")
        self.refused(404, "NoSuchKey", self.bucket.copy_object, BUCKET, "no such key", "copy")
        self.refused(404, "NoSuchBucket", self.bucket.copy_object, "no-such-bucket", "k", "copy")
        self.refused(412, "PreconditionFailed", self.bucket.copy_object, BUCKET, TRICKY_KEYS[0], "copy", headers={
            "x-oss-copy-source-if-match": "other"})

    def test_lists(self):
        prefix = "list of %s/" % type(self).__name__
        names = sorted(prefix + name for name in TRICKY_KEYS)
        for name in names:
            self.bucket.put_object(name, b"12")
        found = [entry.key for entry in oss2.ObjectIteratorV2(self.bucket, prefix=prefix, max_keys=2)]
        self.assertEqual(found, names)
        page = self.bucket.list_objects_v2(prefix=prefix, delimiter="/", start_after=prefix + "a", fetch_owner=True)
        self.assertEqual(page.prefix_list, sorted({
            prefix + name.split("/")[0] + "/" for name in TRICKY_KEYS if "/" in name and name > "a"}))
        self.assertEqual(page.object_list[0].owner.id, page.object_list[0].owner.display_name)
        raw = self.bucket.list_objects_v2(prefix=prefix, encoding_type="", max_keys=1000)
        self.assertEqual([entry.key for entry in raw.object_list], names)
        self.bucket.batch_delete_objects(names)
        self.assertEqual(self.bucket.list_objects_v2(prefix=prefix).object_list, [])

    def test_buckets(self):
        name = "interop2-" + type(self).__name__.lower()
        bucket = self.bucket_of(self.key, name=name)
        bucket.create_bucket(oss2.BUCKET_ACL_PUBLIC_READ, oss2.models.BucketCreateConfig("Standard"))
        # Again is no error for the owner.
        bucket.create_bucket()
        bucket.put_object("k", b"v")
        anonymous = oss2.Bucket(oss2.AnonymousAuth(), OSS_ENDPOINT, name)
        self.assertEqual(anonymous.get_object("k").read(), b"v")
        self.refused(409, "BucketNotEmpty", bucket.delete_bucket)
        service = oss2.Service(oss2_auth(self.key, self.version), OSS_ENDPOINT, region=REGION)
        self.assertIn(name, [found.name for found in oss2.BucketIterator(service, prefix="interop2-", max_keys=1)])
        self.assertNotIn(name, [found.name for found in service.list_buckets(marker=name + "-").buckets])
        bucket.delete_object("k")
        bucket.delete_bucket()
        self.refused(404, "NoSuchBucket", bucket.delete_bucket)
        self.refused(400, "InvalidBucketName", self.invalid_bucket().create_bucket)

    def invalid_bucket(self):
        """A bucket whose name the client itself would refuse."""
        bucket = self.bucket_of(self.key)
        bucket.bucket_name = "Not_Valid"
        return bucket

    def test_uploads_in_parts(self):
        for name in TRICKY_KEYS:
            with self.subTest(name=name):
                upload_id = self.bucket.init_multipart_upload(name, headers={"x-oss-meta-by": "parts"}).upload_id
                parts = []
                for number, body in ((1, b"a" * PART), (2, b"b" * PART), (5, b"c")):
                    result = self.bucket.upload_part(name, upload_id, number, body)
                    parts.append(oss2.models.PartInfo(
                        number, result.etag, size=len(body), part_crc=result.crc))
                listed = list(oss2.PartIterator(self.bucket, name, upload_id, max_parts=2))
                self.assertEqual([(part.part_number, part.size) for part in listed], [(1, PART), (2, PART), (5, 1)])
                # With the checksums of the parts the client compares the one of the whole.
                done = self.bucket.complete_multipart_upload(name, upload_id, parts)
                got = self.bucket.get_object(name)
                self.assertEqual(got.read(), b"a" * PART + b"b" * PART + b"c")
                self.assertEqual((got.etag, got.headers["x-oss-meta-by"]), (done.etag, "parts"))
                self.refused(404, "NoSuchUpload", self.bucket.list_parts, name, upload_id)

    def test_parts_are_checked(self):
        upload_id = self.bucket.init_multipart_upload("checked").upload_id
        part = lambda number, body: oss2.models.PartInfo(
            number, self.bucket.upload_part("checked", upload_id, number, body).etag)
        small, last = part(1, b"small"), part(2, b"last")
        complete = lambda parts, **headers: self.bucket.complete_multipart_upload(
            "checked", upload_id, parts, headers={name.replace("_", "-"): value for name, value in headers.items()})
        self.refused(400, "EntityTooSmall", complete, [small, last])
        self.refused(400, "InvalidPart", complete, [oss2.models.PartInfo(1, last.etag)])
        self.bucket.put_object("checked", b"before")
        self.refused(409, "FileAlreadyExists", complete, [last], x_oss_forbid_overwrite="true")
        self.bucket.abort_multipart_upload("checked", upload_id)
        self.refused(404, "NoSuchUpload", self.bucket.abort_multipart_upload, "checked", upload_id)
        self.assertEqual(self.bucket.get_object("checked").read(), b"before")

    def test_many_are_deleted_at_once(self):
        for name in TRICKY_KEYS:
            self.bucket.put_object(name, b"")
        self.assertEqual(self.bucket.batch_delete_objects(TRICKY_KEYS).deleted_keys, TRICKY_KEYS)
        self.assertFalse(any(self.bucket.object_exists(name) for name in TRICKY_KEYS))

    def test_presigned_urls(self):
        for name in TRICKY_KEYS:
            with self.subTest(name=name):
                headers = {"Content-Type": "text/x-bound", "x-oss-meta-by": "url"}
                url = self.bucket.sign_url("PUT", name, 60, headers=headers, slash_safe=True)
                self.assertEqual(plain_http("PUT", url, body=b"presigned", headers=headers).status, 200)
                self.assertEqual(plain_http("PUT", url, body=b"presigned").status, 403)
                parameters = {"response-content-type": "text/x-other; a=\"b+c\"", "x-oss-traffic-limit": "819200"}
                url = self.bucket.sign_url("GET", name, 60, params=parameters, slash_safe=True)
                answer = plain_http("GET", url)
                self.assertEqual((answer.status, answer.body), (200, b"presigned"))
                self.assertEqual(answer.headers["Content-Type"], "text/x-other; a=\"b+c\"")
                for change in (("x-other", "x-more"), ("819200", "919200")):
                    self.assertEqual(plain_http("GET", url.replace(*change)).status, 403)
                self.assertEqual(plain_http("DELETE", url).status, 403)

    def test_a_wrong_secret_is_refused_everywhere(self):
        wrong = self.bucket_of(self.key.with_wrong_secret())
        service = oss2.Service(
            oss2_auth(self.key.with_wrong_secret(), self.version), OSS_ENDPOINT, region=REGION)
        part = oss2.models.PartInfo(1, "x")
        for call, *arguments in (
                (wrong.put_object, "a b", b"x"), (wrong.get_object, "a b"), (wrong.delete_object, "a b"),
                (wrong.copy_object, BUCKET, "a b", "c"), (wrong.list_objects_v2,), (service.list_buckets,),
                (wrong.create_bucket,), (wrong.delete_bucket,), (wrong.init_multipart_upload, "a b"),
                (wrong.upload_part, "a b", "x", 1, b"x"), (wrong.list_parts, "a b", "x"),
                (wrong.complete_multipart_upload, "a b", "x", [part]), (wrong.abort_multipart_upload, "a b", "x"),
                (wrong.batch_delete_objects, ["a b"])):
            with self.subTest(call=call.__name__):
                self.refused(403, "SignatureDoesNotMatch", call, *arguments)
        answer = plain_http("GET", wrong.sign_url("GET", "a b", 60, slash_safe=True))
        self.assertIn(b"<Code>SignatureDoesNotMatch</Code>", answer.body)

    def test_other_keys_are_refused(self):
        self.refused(403, "InvalidAccessKeyId", self.bucket_of(UNKNOWN).get_object, "k")
        wrong = self.bucket_of(self.key._replace(token="CAISwrong"))
        self.refused(403, "InvalidSecurityToken", wrong.get_object, "k")
        answer = plain_http("GET", wrong.sign_url("GET", "k", 60, slash_safe=True))
        self.assertIn(b"<Code>InvalidSecurityToken</Code>", answer.body)
        if self.key.token:
            without = self.bucket_of(self.key._replace(token=None))
            self.refused(403, "InvalidSecurityToken", without.get_object, "k")


def temporary(cls):
    """Sets the key of a session for a whole class."""
    cls.key = acs3_assume_role(LONG_TERM)


class V4LongTerm(Operations):
    """V4, the AccessKey of a RAM user."""

    key, version = LONG_TERM, "v4"


class V1LongTerm(Operations):
    """V1, the AccessKey of a RAM user."""

    key, version = LONG_TERM, "v1"


class V4Temporary(Operations):
    """V4, the key of a session."""

    version, setUpClass = "v4", classmethod(temporary)


class V1Temporary(Operations):
    """V1, the key of a session; the client signs its token."""

    version, setUpClass = "v1", classmethod(temporary)


class TimeInV1(Refusals):
    """What V1 has of its own: an absolute end, and a date in the format of HTTP."""

    def test_a_skewed_clock_is_refused(self):
        for seconds in (-16 * 60, 16 * 60):
            with mock.patch("oss2.utils.http_date", lambda *_: http_date(seconds)):
                error = self.refused(
                    403, "RequestTimeTooSkewed", oss2_bucket(LONG_TERM, version="v1").get_object, "k")
                self.assertEqual(error.details["MaxAllowedSkewMilliseconds"], "900000")

    def test_an_expired_url_is_refused(self):
        url = oss2_bucket(LONG_TERM, version="v1").sign_url("GET", "k", -30, slash_safe=True)
        answer = plain_http("GET", url)
        self.assertEqual(answer.status, 403)
        self.assertIn(b"<Code>AccessDenied</Code><Message>Request has expired.</Message>", b"".join(
            answer.body.split(b"\n  ")))

    def test_a_url_may_last_longer_than_seven_days(self):
        bucket = oss2_bucket(LONG_TERM, version="v1")
        bucket.put_object("long", b"long")
        url = bucket.sign_url("GET", "long", 30 * 24 * 3600, slash_safe=True)
        self.assertEqual(plain_http("GET", url).body, b"long")

    def test_a_url_without_its_parameters_is_refused(self):
        url = oss2_bucket(LONG_TERM, version="v1").sign_url("GET", "k", 60, slash_safe=True)
        answer = plain_http("GET", url.split("&Signature=")[0])
        self.assertEqual(answer.status, 403)
        self.assertIn(b"Query-string authentication requires", answer.body)

    def test_an_ended_session_is_refused(self):
        with CloudOfEndedSessions() as cloud:
            bucket = oss2_bucket(cloud.ended_key, endpoint=cloud.oss_endpoint, version="v1")
            self.refused(403, "SecurityTokenExpired", bucket.get_object, "k")
            answer = plain_http("GET", bucket.sign_url("GET", "k", 60, slash_safe=True))
            self.assertIn(b"<Code>SecurityTokenExpired</Code>", answer.body)


del Operations  # Not to be run by itself.

if __name__ == "__main__":
    unittest.main()
