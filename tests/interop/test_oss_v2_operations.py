"""Every operation of the local OSS, by the vendor's newer client, with V1 and V4 signatures."""

import base64
import datetime
import hashlib
import io
import os
import tempfile
import unittest

import alibabacloud_oss_v2 as oss

from support import (
    BUCKET, LONG_TERM, REGION, TRICKY_KEYS, UNKNOWN, acs3_assume_role, oss_v2_client, oss_v2_error, plain_http,
)

# The least size of a part that is not the last one.
PART = 100 * 1024
HOUR = datetime.timedelta(hours=1)


def http_date(at):
    return at.strftime("%a, %d %b %Y %H:%M:%S GMT")


class Operations(unittest.TestCase):
    """What has to be the same with all kinds of keys and signatures; run by the classes below."""

    key = None
    version = None

    def setUp(self):
        self.client = self.client_of(self.key)

    def client_of(self, key):
        return oss_v2_client(key, signature_version=self.version)

    def refused(self, status, code, call, *arguments):
        error = oss_v2_error(self, call, *arguments)
        self.assertEqual((error.status_code, error.code), (status, code))
        return error

    def put(self, key, body=b"", client=None, **more):
        return (client or self.client).put_object(
            oss.PutObjectRequest(bucket=BUCKET, key=key, body=body, **more))

    def get(self, key, **more):
        return self.client.get_object(oss.GetObjectRequest(bucket=BUCKET, key=key, **more))

    def empty_below(self, prefix):
        """Deletes what other tests left."""
        for page in self.client.list_objects_v2_paginator().iter_page(
                oss.ListObjectsV2Request(bucket=BUCKET, prefix=prefix)):
            for found in page.contents or []:
                self.client.delete_object(oss.DeleteObjectRequest(bucket=BUCKET, key=found.key))

    def test_objects_of_all_names(self):
        for name in TRICKY_KEYS:
            with self.subTest(name=name):
                body = ("content of " + name).encode()
                stored = self.put(name, body, metadata={"colour": "blue and  green"}, content_type="text/x-test")
                self.assertEqual(stored.etag, '"%s"' % hashlib.md5(body).hexdigest().upper())
                self.assertEqual(stored.content_md5, base64.b64encode(hashlib.md5(body).digest()).decode())
                got = self.get(name)
                self.assertEqual((got.body.content, got.metadata["colour"]), (body, "blue and  green"))
                head = self.client.head_object(oss.HeadObjectRequest(bucket=BUCKET, key=name))
                self.assertEqual((head.content_length, head.etag), (len(body), stored.etag))
                meta = self.client.get_object_meta(oss.GetObjectMetaRequest(bucket=BUCKET, key=name))
                self.assertEqual((meta.content_length, meta.hash_crc64), (len(body), stored.hash_crc64))
                self.assertNotIn("x-oss-meta-colour", meta.headers)
                self.client.delete_object(oss.DeleteObjectRequest(bucket=BUCKET, key=name))
                self.refused(404, "NoSuchKey", self.get, name)

    def test_standard_headers_and_their_overrides(self):
        headers = {
            "cache_control": "no-cache",
            "content_disposition": 'attachment; filename="a b+c.txt"',
            "content_encoding": "x-test",
            "expires": "Fri, 01 Jan 2027 00:00:00 GMT",
            "content_type": "text/x-test",
        }
        self.put("headers", b"1", acl="private", storage_class="IA", **headers)
        got = self.get("headers")
        for name, value in headers.items():
            self.assertEqual(getattr(got, name), value)
        self.assertEqual(got.storage_class, "IA")
        changed = self.get(
            "headers", response_content_type="text/x-other; a=\"b+c\"", response_cache_control="max-age=1",
            response_content_disposition="inline", response_content_encoding="x-more",
            response_content_language="zh-CN", response_expires="Thu, 01 Jan 2026 00:00:00 GMT")
        self.assertEqual(
            (changed.content_type, changed.cache_control, changed.content_disposition, changed.content_encoding,
             changed.headers["content-language"], changed.expires),
            ("text/x-other; a=\"b+c\"", "max-age=1", "inline", "x-more", "zh-CN", "Thu, 01 Jan 2026 00:00:00 GMT"))

    def test_uploads_are_checked(self):
        digest = base64.b64encode(hashlib.md5(b"right").digest()).decode()
        self.put("digest", b"right", content_md5=digest)
        self.refused(400, "InvalidDigest", lambda: self.put("digest", b"wrong", content_md5=digest))
        self.refused(409, "FileAlreadyExists", lambda: self.put("digest", b"x", forbid_overwrite=True))
        self.refused(400, "InvalidArgument", lambda: self.put("digest", b"x", acl="everybody"))
        self.refused(400, "InvalidObjectName", lambda: self.put("ü" * 512, b"x"))
        self.assertEqual(self.get("digest").body.content, b"right")

    def test_conditions(self):
        etag = self.put("conditions", b"0123456789").etag
        now = datetime.datetime.now(datetime.timezone.utc)
        before, after = http_date(now - HOUR), http_date(now + HOUR)
        for fine in ({"if_match": etag}, {"if_none_match": '"other"'}, {"if_modified_since": before},
                     {"if_unmodified_since": after}):
            self.assertEqual(self.get("conditions", **fine).status_code, 200)
        for unmet in ({"if_match": '"other"'}, {"if_unmodified_since": before}):
            error = self.refused(412, "PreconditionFailed", lambda: self.get("conditions", **unmet))
            self.assertEqual(error.ec, "0017-00001001")
        for unchanged in ({"if_none_match": etag}, {"if_modified_since": after}):
            self.assertEqual(oss_v2_error(self, lambda: self.get("conditions", **unchanged)).status_code, 304)

    def test_ranges(self):
        self.put("range", b"0123456789")
        part = self.get("range", range_header="bytes=2-4")
        self.assertEqual((part.status_code, part.body.content, part.content_range), (206, b"234", "bytes 2-4/10"))
        self.assertEqual(self.get("range", range_header="bytes=20-").status_code, 200)
        self.refused(416, "InvalidRange", lambda: self.get(
            "range", range_header="bytes=20-", range_behavior="standard"))

    def test_copies(self):
        for source, target in zip(TRICKY_KEYS, TRICKY_KEYS[1:] + TRICKY_KEYS[:1]):
            with self.subTest(source=source, target=target):
                stored = self.put(source, source.encode(), metadata={"by": "source"}, content_type="text/x-source")
                copied = self.copy(target, source)
                self.assertEqual((copied.etag, copied.hash_crc64), (stored.etag, stored.hash_crc64))
                self.assertIsInstance(copied.last_modified, datetime.datetime)
                got = self.get(target)
                self.assertEqual((got.body.content, got.metadata["by"]), (source.encode(), "source"))
                self.copy(target, source, metadata_directive="REPLACE", metadata={"by": "target"})
                got = self.get(target)
                self.assertEqual((got.body.content, got.metadata["by"]), (source.encode(), "target"))
                self.assertNotEqual(got.content_type, "text/x-source")

    def copy(self, target, source, **more):
        return self.client.copy_object(
            oss.CopyObjectRequest(bucket=BUCKET, key=target, source_key=source, **more))

    def test_copies_under_conditions(self):
        etag = self.put("copied", b"1").etag
        now = datetime.datetime.now(datetime.timezone.utc)
        before, after = http_date(now - HOUR), http_date(now + HOUR)
        self.copy("copy", "copied", if_match=etag, if_modified_since=before, source_version_id="null")
        self.copy("copy", "copied", if_none_match='"other"', if_unmodified_since=after)
        for unmet in ({"if_match": '"other"'}, {"if_unmodified_since": before}):
            self.refused(412, "PreconditionFailed", lambda: self.copy("copy", "copied", **unmet))
        for unchanged in ({"if_none_match": etag}, {"if_modified_since": after}):
            self.assertEqual(
                oss_v2_error(self, lambda: self.copy("copy", "copied", **unchanged)).status_code, 304)
        self.refused(404, "NoSuchKey", lambda: self.copy("copy", "no such key"))
        self.refused(404, "NoSuchBucket", lambda: self.copy("copy", "copied", source_bucket="no-such-bucket"))
        self.refused(409, "FileAlreadyExists", lambda: self.copy("copy", "copied", forbid_overwrite=True))

    def test_lists(self):
        self.empty_below("list/")
        names = sorted("list/" + name for name in TRICKY_KEYS)
        for name in names:
            self.put(name, b"12")
        for size in (1, 2, 100):
            with self.subTest(size=size):
                pages = list(self.client.list_objects_v2_paginator(limit=size).iter_page(
                    oss.ListObjectsV2Request(bucket=BUCKET, prefix="list/", fetch_owner=True)))
                found = [entry for page in pages for entry in page.contents]
                self.assertEqual([entry.key for entry in found], names)
                self.assertEqual(len(pages), -(-len(names) // size))
                self.assertEqual({page.key_count for page in pages[:-1]} - {size}, set())
        self.assertEqual(
            (found[0].size, found[0].etag, found[0].object_type, found[0].storage_class),
            (2, '"C20AD4D76FE97759AA27A0C99BFF6710"', "Normal", "Standard"))
        self.assertEqual(found[0].owner.id, found[0].owner.display_name)

    def test_lists_by_folders(self):
        self.empty_below("folders")
        for name in ("1", "a b/1", "a b/2", "报告/1", "z+"):
            self.put("folders/" + name)
        page = self.client.list_objects_v2(oss.ListObjectsV2Request(
            bucket=BUCKET, prefix="folders/", delimiter="/", start_after="folders/1"))
        self.assertEqual([entry.key for entry in page.contents], ["folders/z+"])
        self.assertEqual([entry.prefix for entry in page.common_prefixes], ["folders/a b/", "folders/报告/"])
        self.assertEqual(
            (page.name, page.prefix, page.delimiter, page.start_after, page.max_keys, page.key_count,
             page.is_truncated),
            (BUCKET, "folders/", "/", "folders/1", 100, 3, False))
        self.assertEqual(self.folders(), ["folders/1", "folders/a b/", "folders/z+", "folders/报告/"])
        self.refused(400, "InvalidArgument", lambda: self.client.list_objects_v2(
            oss.ListObjectsV2Request(bucket=BUCKET, max_keys=1001)))
        self.refused(400, "InvalidArgument", lambda: self.client.list_objects_v2(
            oss.ListObjectsV2Request(bucket=BUCKET, continuation_token="wrong")))

    def folders(self):
        """Keys and common prefixes, page by page of one entry, in the order they come."""
        found = []
        for page in self.client.list_objects_v2_paginator(limit=1).iter_page(
                oss.ListObjectsV2Request(bucket=BUCKET, prefix="folders/", delimiter="/")):
            found += [entry.key for entry in page.contents or []]
            found += [entry.prefix for entry in page.common_prefixes or []]
        return found

    def test_buckets(self):
        name = "interop-" + type(self).__name__.lower()
        self.client.put_bucket(oss.PutBucketRequest(
            bucket=name, acl="public-read", create_bucket_configuration=oss.CreateBucketConfiguration(
                storage_class="Standard")))
        self.client.put_object(oss.PutObjectRequest(bucket=name, key="k", body=b"v"))
        self.refused(409, "BucketNotEmpty", self.client.delete_bucket, oss.DeleteBucketRequest(bucket=name))
        listed = self.client.list_buckets(oss.ListBucketsRequest(prefix="interop-"))
        found = {bucket.name: bucket for bucket in listed.buckets}[name]
        self.assertEqual((found.region, found.location), (REGION, "oss-" + REGION))
        self.assertIsInstance(found.creation_date, datetime.datetime)
        every = [bucket.name for page in self.client.list_buckets_paginator(limit=1).iter_page(
            oss.ListBucketsRequest()) for bucket in page.buckets]
        self.assertIn(BUCKET, every)
        self.assertEqual(every, sorted(every))
        self.client.delete_object(oss.DeleteObjectRequest(bucket=name, key="k"))
        self.client.delete_bucket(oss.DeleteBucketRequest(bucket=name))
        self.refused(404, "NoSuchBucket", self.client.delete_bucket, oss.DeleteBucketRequest(bucket=name))

    def initiate(self, key, **more):
        answer = self.client.initiate_multipart_upload(
            oss.InitiateMultipartUploadRequest(bucket=BUCKET, key=key, **more))
        self.assertEqual((answer.bucket, answer.key), (BUCKET, key))
        return answer.upload_id

    def upload(self, key, upload_id, number, body):
        answer = self.client.upload_part(oss.UploadPartRequest(
            bucket=BUCKET, key=key, upload_id=upload_id, part_number=number, body=body))
        return oss.UploadPart(part_number=number, etag=answer.etag)

    def complete(self, key, upload_id, parts, **more):
        listed = None if parts is None else oss.CompleteMultipartUpload(parts=parts)
        return self.client.complete_multipart_upload(oss.CompleteMultipartUploadRequest(
            bucket=BUCKET, key=key, upload_id=upload_id, complete_multipart_upload=listed, **more))

    def test_uploads_in_parts(self):
        for name in TRICKY_KEYS:
            with self.subTest(name=name):
                upload_id = self.initiate(name, metadata={"by": "parts"}, content_type="text/x-parts")
                parts = [self.upload(name, upload_id, number, body) for number, body in (
                    (7, b"c"), (1, b"a" * PART), (3, b"b" * PART))]
                parts.sort(key=lambda part: part.part_number)
                listed = [part.part_number for page in self.client.list_parts_paginator(limit=2).iter_page(
                    oss.ListPartsRequest(bucket=BUCKET, key=name, upload_id=upload_id)) for part in page.parts]
                self.assertEqual(listed, [1, 3, 7])
                done = self.complete(name, upload_id, parts)
                self.assertEqual((done.bucket, done.key), (BUCKET, name))
                self.assertRegex(done.etag, r'^"[0-9A-F]{32}-3"$')
                got = self.get(name)
                self.assertEqual(got.body.content, b"a" * PART + b"b" * PART + b"c")
                self.assertEqual((got.etag, got.hash_crc64), (done.etag, done.hash_crc64))
                self.assertEqual((got.metadata["by"], got.object_type), ("parts", "Multipart"))
                self.refused(404, "NoSuchUpload", lambda: self.upload(name, upload_id, 1, b"x"))

    def test_the_clients_own_uploader_and_downloader(self):
        body = bytes(range(256)) * 1700
        result = oss.Uploader(self.client).upload_from(
            oss.PutObjectRequest(bucket=BUCKET, key="managed"), io.BytesIO(body), part_size=PART)
        self.assertIsNotNone(result.upload_id)
        self.assertEqual(self.get("managed").body.content, body)
        # The client compares the checksum of all ranges together with the service's.
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "managed")
            oss.Downloader(self.client).download_file(
                oss.GetObjectRequest(bucket=BUCKET, key="managed"), path, part_size=PART)
            with open(path, "rb") as file:
                self.assertEqual(file.read(), body)

    def test_all_parts_at_once(self):
        upload_id = self.initiate("all")
        self.upload("all", upload_id, 2, b"b")
        self.upload("all", upload_id, 1, b"a" * PART)
        self.complete("all", upload_id, None, complete_all="yes")
        self.assertEqual(self.get("all").body.content, b"a" * PART + b"b")

    def test_parts_are_checked(self):
        upload_id = self.initiate("checked")
        first = self.upload("checked", upload_id, 1, b"a" * PART)
        small = self.upload("checked", upload_id, 2, b"b" * (PART - 1))
        last = self.upload("checked", upload_id, 3, b"c")
        wrong = oss.UploadPart(part_number=1, etag=last.etag)
        missing = oss.UploadPart(part_number=9, etag=last.etag)
        complete = lambda *parts: self.complete("checked", upload_id, list(parts))
        self.refused(400, "InvalidPartOrder", complete, small, first)
        self.refused(400, "InvalidPartOrder", complete, first, first)
        self.refused(400, "InvalidPart", complete, wrong)
        self.refused(400, "InvalidPart", complete, first, missing)
        error = self.refused(400, "EntityTooSmall", complete, first, small, last)
        self.assertEqual(error.error_fileds["MinSizeAllowed"], "102400")
        self.refused(400, "MalformedXML", complete)
        self.refused(400, "InvalidArgument", lambda: self.upload("checked", upload_id, 10001, b"x"))
        self.refused(404, "NoSuchUpload", lambda: self.upload("another", upload_id, 1, b"x"))
        self.refused(404, "NoSuchUpload", lambda: self.upload("checked", "none", 1, b"x"))
        # A small part may be the last one.
        complete(first, small)

    def test_an_aborted_upload_is_gone(self):
        upload_id = self.initiate("aborted")
        part = self.upload("aborted", upload_id, 1, b"a")
        abort = oss.AbortMultipartUploadRequest(bucket=BUCKET, key="aborted", upload_id=upload_id)
        self.assertEqual(self.client.abort_multipart_upload(abort).status_code, 204)
        self.refused(404, "NoSuchUpload", self.client.abort_multipart_upload, abort)
        error = self.refused(404, "NoSuchUpload", lambda: self.complete("aborted", upload_id, [part]))
        self.assertEqual(error.ec, "0042-00000002")

    def test_many_are_deleted_at_once(self):
        for quiet in (False, True):
            for name in TRICKY_KEYS:
                self.put("many/" + name)
            names = ["many/" + name for name in TRICKY_KEYS]
            answer = self.client.delete_multiple_objects(oss.DeleteMultipleObjectsRequest(
                bucket=BUCKET, quiet=quiet, objects=[oss.DeleteObject(key=name) for name in names]))
            deleted = [found.key for found in answer.deleted_objects or []]
            self.assertEqual(deleted, [] if quiet else names)
            left = self.client.list_objects_v2(oss.ListObjectsV2Request(bucket=BUCKET, prefix="many/"))
            self.assertEqual(left.key_count, 0)

    def test_presigned_urls(self):
        for name in TRICKY_KEYS:
            with self.subTest(name=name):
                upload = self.client.presign(oss.PutObjectRequest(
                    bucket=BUCKET, key=name, content_type="text/x-bound", metadata={"by": "url"}))
                headers = {name: value for name, value in upload.signed_headers.items() if name != "Date"}
                answer = plain_http("PUT", upload.url, body=b"presigned", headers=headers)
                self.assertEqual(answer.status, 200, answer.body)
                self.assertEqual(plain_http("PUT", upload.url, body=b"presigned").status, 403)
                url = self.client.presign(oss.GetObjectRequest(
                    bucket=BUCKET, key=name, response_content_type="text/x-other; a=\"b+c\"")).url
                answer = plain_http("GET", url)
                self.assertEqual((answer.status, answer.body), (200, b"presigned"))
                self.assertEqual(answer.headers["Content-Type"], "text/x-other; a=\"b+c\"")
                self.assertEqual(plain_http("GET", url.replace("x-other", "x-more")).status, 403)
                self.assertEqual(plain_http("DELETE", url).status, 403)

    def test_presigned_parts(self):
        initiated = self.client.presign(oss.InitiateMultipartUploadRequest(
            bucket=BUCKET, key="presigned parts", disable_auto_detect_mime_type=True))
        answer = plain_http("POST", initiated.url)
        self.assertEqual(answer.status, 200, answer.body)
        upload_id = answer.body.split(b"<UploadId>")[1].split(b"</UploadId>")[0].decode()
        part = self.client.presign(oss.UploadPartRequest(
            bucket=BUCKET, key="presigned parts", upload_id=upload_id, part_number=1))
        self.assertEqual(plain_http("PUT", part.url, body=b"part").status, 200)
        self.complete("presigned parts", upload_id, None, complete_all="yes")
        self.assertEqual(self.get("presigned parts").body.content, b"part")

    def test_a_wrong_secret_is_refused_everywhere(self):
        wrong = self.client_of(self.key.with_wrong_secret())
        for call, request in (
                (wrong.put_object, oss.PutObjectRequest(bucket=BUCKET, key="a b", body=b"x")),
                (wrong.copy_object, oss.CopyObjectRequest(bucket=BUCKET, key="a b", source_key="c")),
                (wrong.get_object, oss.GetObjectRequest(bucket=BUCKET, key="a b")),
                (wrong.head_object, oss.HeadObjectRequest(bucket=BUCKET, key="a b")),
                (wrong.get_object_meta, oss.GetObjectMetaRequest(bucket=BUCKET, key="a b")),
                (wrong.delete_object, oss.DeleteObjectRequest(bucket=BUCKET, key="a b")),
                (wrong.list_objects_v2, oss.ListObjectsV2Request(bucket=BUCKET)),
                (wrong.list_buckets, oss.ListBucketsRequest()),
                (wrong.put_bucket, oss.PutBucketRequest(bucket="wrong-secret")),
                (wrong.delete_bucket, oss.DeleteBucketRequest(bucket=BUCKET)),
                (wrong.initiate_multipart_upload, oss.InitiateMultipartUploadRequest(bucket=BUCKET, key="a b")),
                (wrong.upload_part, oss.UploadPartRequest(
                    bucket=BUCKET, key="a b", upload_id="x", part_number=1, body=b"x")),
                (wrong.list_parts, oss.ListPartsRequest(bucket=BUCKET, key="a b", upload_id="x")),
                (wrong.complete_multipart_upload, oss.CompleteMultipartUploadRequest(
                    bucket=BUCKET, key="a b", upload_id="x", complete_all="yes")),
                (wrong.abort_multipart_upload, oss.AbortMultipartUploadRequest(
                    bucket=BUCKET, key="a b", upload_id="x")),
                (wrong.delete_multiple_objects, oss.DeleteMultipleObjectsRequest(
                    bucket=BUCKET, objects=[oss.DeleteObject(key="a b")])),
        ):
            with self.subTest(call=call.__name__):
                error = self.refused(403, "SignatureDoesNotMatch", call, request)
                self.assertEqual(error.error_fileds["OSSAccessKeyId"], self.key.id)
                self.assertIn("StringToSign", error.error_fileds)
        url = wrong.presign(oss.GetObjectRequest(bucket=BUCKET, key="a b")).url
        self.assertIn(b"<Code>SignatureDoesNotMatch</Code>", plain_http("GET", url).body)

    def test_other_keys_are_refused(self):
        self.refused(403, "InvalidAccessKeyId", lambda: self.put("k", client=self.client_of(UNKNOWN)))
        wrong = self.key._replace(token="CAISwrong")
        self.refused(403, "InvalidSecurityToken", lambda: self.put("k", client=self.client_of(wrong)))
        url = self.client_of(wrong).presign(oss.GetObjectRequest(bucket=BUCKET, key="k")).url
        self.assertIn(b"<Code>InvalidSecurityToken</Code>", plain_http("GET", url).body)
        if self.key.token:
            without = self.client_of(self.key._replace(token=None))
            self.refused(403, "InvalidSecurityToken", lambda: self.put("k", client=without))


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
    """V1, the key of a session; the client sends its token unsigned."""

    version, setUpClass = "v1", classmethod(temporary)


del Operations  # Not to be run by itself.

if __name__ == "__main__":
    unittest.main()
