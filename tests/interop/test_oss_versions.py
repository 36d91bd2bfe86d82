"""Versions, lists, tags, ACLs, links, archives, appending and copied parts: by both of the vendor's clients, with V1 and V4."""

import unittest

import alibabacloud_oss_v2 as oss
import oss2

from support import LONG_TERM, REGION, oss2_bucket, oss_v2_client, oss_v2_error

# The least size of a part that is not the last one.
PART = 100 * 1024


class Newer(unittest.TestCase):
    """The newer client; run by the classes below."""

    version = None

    def setUp(self):
        self.client = oss_v2_client(LONG_TERM, signature_version=self.version)
        self.bucket = f"interop-versions-{self.version}-new"
        self.client.put_bucket(oss.PutBucketRequest(bucket=self.bucket))
        self.addCleanup(self.remove_bucket)

    def remove_bucket(self):
        for upload in self.client.list_multipart_uploads(
                oss.ListMultipartUploadsRequest(bucket=self.bucket)).uploads or []:
            self.client.abort_multipart_upload(oss.AbortMultipartUploadRequest(
                bucket=self.bucket, key=upload.key, upload_id=upload.upload_id))
        listed = self.client.list_object_versions(oss.ListObjectVersionsRequest(bucket=self.bucket))
        for one in (listed.version or []) + (listed.delete_marker or []):
            self.client.delete_object(oss.DeleteObjectRequest(
                bucket=self.bucket, key=one.key, version_id=one.version_id))
        self.client.delete_bucket(oss.DeleteBucketRequest(bucket=self.bucket))

    def put(self, key, body, **more):
        return self.client.put_object(oss.PutObjectRequest(bucket=self.bucket, key=key, body=body, **more))

    def get(self, key, **more):
        return self.client.get_object(oss.GetObjectRequest(bucket=self.bucket, key=key, **more))

    def refused(self, status, code, call):
        error = oss_v2_error(self, call)
        self.assertEqual((error.status_code, error.code), (status, code))

    def test_versions(self):
        status = lambda: self.client.get_bucket_versioning(
            oss.GetBucketVersioningRequest(bucket=self.bucket)).version_status
        self.assertIsNone(status())
        self.client.put_bucket_versioning(oss.PutBucketVersioningRequest(
            bucket=self.bucket, versioning_configuration=oss.VersioningConfiguration(status="Enabled")))
        self.assertEqual(status(), "Enabled")
        first = self.put("a b/图", b"first").version_id
        second = self.put("a b/图", b"second").version_id
        self.assertNotEqual(first, second)
        self.assertEqual(self.get("a b/图").body.content, b"second")
        self.assertEqual(self.get("a b/图", version_id=first).body.content, b"first")
        copied = self.client.copy_object(oss.CopyObjectRequest(
            bucket=self.bucket, key="copy", source_key="a b/图", source_version_id=first))
        self.assertEqual(copied.source_version_id, first)
        self.assertEqual(self.get("copy").body.content, b"first")

        deleted = self.client.delete_object(oss.DeleteObjectRequest(bucket=self.bucket, key="a b/图"))
        self.assertTrue(deleted.delete_marker)
        self.refused(404, "NoSuchKey", lambda: self.get("a b/图"))
        self.refused(405, "MethodNotAllowed", lambda: self.get("a b/图", version_id=deleted.version_id))
        listed = self.client.list_object_versions(oss.ListObjectVersionsRequest(bucket=self.bucket, prefix="a b/"))
        self.assertEqual([(one.key, one.version_id, one.is_latest) for one in listed.delete_marker],
                         [("a b/图", deleted.version_id, True)])
        self.assertEqual([one.version_id for one in listed.version], [second, first])
        pages = self.client.list_object_versions_paginator(limit=1).iter_page(
            oss.ListObjectVersionsRequest(bucket=self.bucket, prefix="a b/"))
        seen = [one.version_id for page in pages for one in (page.version or []) + (page.delete_marker or [])]
        self.assertEqual(seen, [deleted.version_id, second, first])

        many = self.client.delete_multiple_objects(oss.DeleteMultipleObjectsRequest(
            bucket=self.bucket, objects=[oss.DeleteObject(key="a b/图", version_id=deleted.version_id)]))
        self.assertEqual([one.version_id for one in many.deleted_objects], [deleted.version_id])
        self.assertEqual(self.get("a b/图").body.content, b"second")

    def test_first_list(self):
        for name in ["a", "b/1", "b/2", "c d"]:
            self.put(name, b"12")
        pages = list(self.client.list_objects_paginator(limit=2).iter_page(
            oss.ListObjectsRequest(bucket=self.bucket, delimiter="/")))
        self.assertEqual([one.key for page in pages for one in page.contents or []], ["a", "c d"])
        self.assertEqual([one.prefix for page in pages for one in page.common_prefixes or []], ["b/"])
        self.assertEqual(len(pages), 2)

    def test_appending(self):
        append = lambda at, body: self.client.append_object(oss.AppendObjectRequest(
            bucket=self.bucket, key="log", position=at, body=body))
        self.assertEqual(append(0, b"12345").next_position, 5)
        # The client compares its CRC-64 with the service's.
        self.assertEqual(append(5, b"6789").next_position, 9)
        self.assertEqual(self.get("log").body.content, b"123456789")
        self.refused(409, "PositionNotEqualToLength", lambda: append(5, b"x"))

    def test_tags_and_acls(self):
        self.put("k", b"v", tagging="a=1&b%20c=%E5%9B%BE")
        tags = lambda: [(tag.key, tag.value) for tag in self.client.get_object_tagging(
            oss.GetObjectTaggingRequest(bucket=self.bucket, key="k")).tag_set.tags or []]
        self.assertEqual(tags(), [("a", "1"), ("b c", "图")])
        self.client.put_object_tagging(oss.PutObjectTaggingRequest(
            bucket=self.bucket, key="k", tagging=oss.Tagging(tag_set=oss.TagSet(tags=[oss.Tag(key="x", value="y")]))))
        self.assertEqual(tags(), [("x", "y")])
        self.assertEqual(self.get("k").tagging_count, 1)
        self.client.delete_object_tagging(oss.DeleteObjectTaggingRequest(bucket=self.bucket, key="k"))
        self.assertEqual(tags(), [])

        acl = lambda: self.client.get_object_acl(oss.GetObjectAclRequest(bucket=self.bucket, key="k"))
        self.assertEqual(acl().acl, "default")
        self.client.put_object_acl(oss.PutObjectAclRequest(bucket=self.bucket, key="k", acl="public-read"))
        self.assertEqual(acl().acl, "public-read")
        self.client.put_bucket_acl(oss.PutBucketAclRequest(bucket=self.bucket, acl="public-read"))
        self.assertEqual(self.client.get_bucket_acl(oss.GetBucketAclRequest(bucket=self.bucket)).acl, "public-read")

    def test_links(self):
        self.put("a b/图", b"target")
        self.client.put_symlink(oss.PutSymlinkRequest(bucket=self.bucket, key="link", symlink_target="a%20b/%E5%9B%BE"))
        shown = self.client.get_symlink(oss.GetSymlinkRequest(bucket=self.bucket, key="link"))
        self.assertEqual(oss2.compat.urlunquote(shown.target), "a b/图")
        self.assertEqual(self.get("link").body.content, b"target")

    def test_archives(self):
        self.put("k", b"v", storage_class="Archive")
        self.refused(403, "InvalidObjectState", lambda: self.get("k"))
        restored = self.client.restore_object(oss.RestoreObjectRequest(
            bucket=self.bucket, key="k", restore_request=oss.RestoreRequest(days=2)))
        self.assertEqual(restored.status_code, 202)
        head = self.client.head_object(oss.HeadObjectRequest(bucket=self.bucket, key="k"))
        self.assertEqual(head.restore, 'ongoing-request="true"')

    def test_copied_parts(self):
        self.put("source", b"x" * PART + b"tail")
        begun = self.client.initiate_multipart_upload(
            oss.InitiateMultipartUploadRequest(bucket=self.bucket, key="to"))
        uploads = self.client.list_multipart_uploads(oss.ListMultipartUploadsRequest(bucket=self.bucket)).uploads
        self.assertEqual([(one.key, one.upload_id) for one in uploads], [("to", begun.upload_id)])
        parts = []
        for number, wanted in [(1, f"bytes=0-{PART - 1}"), (2, f"bytes={PART}-{PART + 3}")]:
            copied = self.client.upload_part_copy(oss.UploadPartCopyRequest(
                bucket=self.bucket, key="to", part_number=number, upload_id=begun.upload_id,
                source_bucket=self.bucket, source_key="source", source_range=wanted))
            parts.append(oss.UploadPart(part_number=number, etag=copied.etag))
        self.client.complete_multipart_upload(oss.CompleteMultipartUploadRequest(
            bucket=self.bucket, key="to", upload_id=begun.upload_id,
            complete_multipart_upload=oss.CompleteMultipartUpload(parts=parts)))
        self.assertEqual(self.get("to").body.content, b"x" * PART + b"tail")

    def test_the_bucket_itself(self):
        self.put("k", b"12345")
        info = self.client.get_bucket_info(oss.GetBucketInfoRequest(bucket=self.bucket)).bucket_info
        self.assertEqual((info.name, info.location, info.extranet_endpoint),
                         (self.bucket, f"oss-{REGION}", f"oss-{REGION}.aliyuncs.com"))
        location = self.client.get_bucket_location(oss.GetBucketLocationRequest(bucket=self.bucket))
        self.assertEqual(location.location, f"oss-{REGION}")
        stat = self.client.get_bucket_stat(oss.GetBucketStatRequest(bucket=self.bucket))
        self.assertEqual((stat.storage, stat.object_count, stat.standard_object_count), (5, 1, 1))


class Older(unittest.TestCase):
    """The older client; run by the classes below."""

    version = None

    def setUp(self):
        name = f"interop-versions-{self.version}-old"
        self.bucket = oss2_bucket(LONG_TERM, version=self.version, name=name)
        self.bucket.create_bucket()
        self.addCleanup(self.remove_bucket)

    def remove_bucket(self):
        for upload in self.bucket.list_multipart_uploads().upload_list:
            self.bucket.abort_multipart_upload(upload.key, upload.upload_id)
        listed = self.bucket.list_object_versions()
        for one in listed.versions + listed.delete_marker:
            self.bucket.delete_object(one.key, params={"versionId": one.versionid})
        self.bucket.delete_bucket()

    def refused(self, status, code, call):
        with self.assertRaises(oss2.exceptions.ServerError) as raised:
            call()
        self.assertEqual((raised.exception.status, raised.exception.code), (status, code))

    def test_versions(self):
        self.bucket.put_bucket_versioning(oss2.models.BucketVersioningConfig(oss2.BUCKET_VERSIONING_ENABLE))
        self.assertEqual(self.bucket.get_bucket_versioning().status, "Enabled")
        first = self.bucket.put_object("a b/图", b"first").versionid
        second = self.bucket.put_object("a b/图", b"second").versionid
        get = lambda **query: self.bucket.get_object("a b/图", params=query).read()
        self.assertEqual((get(), get(versionId=first)), (b"second", b"first"))
        deleted = self.bucket.delete_object("a b/图")
        self.assertTrue(deleted.delete_marker)
        self.refused(404, "NoSuchKey", get)
        listed = self.bucket.list_object_versions(prefix="a b/")
        self.assertEqual([(one.versionid, one.is_latest) for one in listed.delete_marker], [(deleted.versionid, True)])
        self.assertEqual([one.versionid for one in listed.versions], [second, first])
        self.bucket.delete_object("a b/图", params={"versionId": deleted.versionid})
        self.assertEqual(get(), b"second")

    def test_first_list(self):
        for name in ["a", "b/1", "b/2", "c d"]:
            self.bucket.put_object(name, b"12")
        found = oss2.ObjectIterator(self.bucket, delimiter="/", max_keys=1)
        self.assertEqual([one.key for one in found], ["a", "b/", "c d"])

    def test_appending(self):
        first = self.bucket.append_object("log", 0, b"12345", init_crc=0)
        second = self.bucket.append_object("log", first.next_position, b"6789", init_crc=first.crc)
        self.assertEqual(second.next_position, 9)
        self.refused(409, "PositionNotEqualToLength", lambda: self.bucket.append_object("log", 0, b"x"))

    def test_tags_and_acls(self):
        self.bucket.put_object("k", b"v", headers={"x-oss-tagging": "a=1"})
        tags = lambda: self.bucket.get_object_tagging("k").tag_set.tagging_rule
        self.assertEqual(tags(), {"a": "1"})
        rule = oss2.models.TaggingRule()
        rule.add("x", "图")
        self.bucket.put_object_tagging("k", oss2.models.Tagging(rule))
        self.assertEqual(tags(), {"x": "图"})
        self.bucket.delete_object_tagging("k")
        self.assertEqual(tags(), {})
        self.bucket.put_object_acl("k", oss2.OBJECT_ACL_PUBLIC_READ)
        self.assertEqual(self.bucket.get_object_acl("k").acl, "public-read")
        self.bucket.put_bucket_acl(oss2.BUCKET_ACL_PUBLIC_READ)
        self.assertEqual(self.bucket.get_bucket_acl().acl, "public-read")

    def test_links(self):
        self.bucket.put_object("a b/图", b"target")
        self.bucket.put_symlink("a b/图", "link")
        self.assertEqual(self.bucket.get_symlink("link").target_key, "a b/图")
        self.assertEqual(self.bucket.get_object("link").read(), b"target")

    def test_archives(self):
        self.bucket.put_object("k", b"v", headers={"x-oss-storage-class": "Archive"})
        self.refused(403, "InvalidObjectState", lambda: self.bucket.get_object("k"))
        self.assertEqual(self.bucket.restore_object("k").status, 202)
        self.refused(409, "RestoreAlreadyInProgress", lambda: self.bucket.restore_object("k"))

    def test_copied_parts(self):
        self.bucket.put_object("source", b"x" * PART + b"tail")
        upload = self.bucket.init_multipart_upload("to").upload_id
        self.assertEqual([one.upload_id for one in self.bucket.list_multipart_uploads().upload_list], [upload])
        parts = []
        for number, wanted in [(1, (0, PART - 1)), (2, (PART, PART + 3))]:
            copied = self.bucket.upload_part_copy(
                self.bucket.bucket_name, "source", wanted, "to", upload, number)
            parts.append(oss2.models.PartInfo(number, copied.etag))
        self.bucket.complete_multipart_upload("to", upload, parts)
        self.assertEqual(self.bucket.get_object("to").read(), b"x" * PART + b"tail")

    def test_the_bucket_itself(self):
        self.bucket.put_object("k", b"12345")
        info = self.bucket.get_bucket_info()
        self.assertEqual((info.name, info.location, info.acl.grant),
                         (self.bucket.bucket_name, f"oss-{REGION}", "private"))
        self.assertEqual(self.bucket.get_bucket_location().location, f"oss-{REGION}")
        stat = self.bucket.get_bucket_stat()
        self.assertEqual((stat.storage_size_in_bytes, stat.object_count), (5, 1))


class V4Newer(Newer):
    version = "v4"


class V1Newer(Newer):
    version = "v1"


class V4Older(Older):
    version = "v4"


class V1Older(Older):
    version = "v1"


del Newer, Older  # Not to be run by themselves.

if __name__ == "__main__":
    unittest.main()
