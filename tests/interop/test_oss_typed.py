"""Each operation that our OSS client has a method for, beside the vendor's newer client: what one does, both see."""

import unittest
import urllib.parse

import alibabacloud_oss_v2 as oss

from oss_support import Newer, Ours, Refused
from support import LONG_TERM, REGION, TRICKY_KEYS

# The least size of a part that is not the last one.
PART = 100 * 1024


def seconds(time):
    return int(time.timestamp())


class Operations(unittest.TestCase):
    """What has to be the same with both signatures; run by the classes below."""

    version = None

    def setUp(self):
        self.ours = Ours(LONG_TERM, self.version)
        self.theirs = Newer(LONG_TERM, self.version).client
        self.bucket = f"interop-typed-{self.version}"
        self.theirs.put_bucket(oss.PutBucketRequest(bucket=self.bucket))
        self.addCleanup(self.remove_bucket)

    def remove_bucket(self):
        for upload in self.theirs.list_multipart_uploads(
                oss.ListMultipartUploadsRequest(bucket=self.bucket)).uploads or []:
            self.theirs.abort_multipart_upload(oss.AbortMultipartUploadRequest(
                bucket=self.bucket, key=upload.key, upload_id=upload.upload_id))
        listed = self.theirs.list_object_versions(oss.ListObjectVersionsRequest(bucket=self.bucket))
        for one in (listed.version or []) + (listed.delete_marker or []):
            self.theirs.delete_object(oss.DeleteObjectRequest(
                bucket=self.bucket, key=one.key, version_id=one.version_id))
        self.theirs.delete_bucket(oss.DeleteBucketRequest(bucket=self.bucket))

    def do(self, operation, key=None, **arguments):
        return self.ours.typed(operation, bucket=self.bucket, key=key, **arguments)

    def refused(self, status, code, operation, key=None, **arguments):
        with self.assertRaises(Refused) as raised:
            self.do(operation, key, **arguments)
        self.assertEqual((raised.exception.status, raised.exception.code), (status, code))

    def put(self, key, body=b"v", **more):
        return self.theirs.put_object(oss.PutObjectRequest(bucket=self.bucket, key=key, body=body, **more))

    def get(self, key):
        return self.theirs.get_object(oss.GetObjectRequest(bucket=self.bucket, key=key)).body.content

    def test_appending(self):
        theirs = lambda name, at, body: self.theirs.append_object(oss.AppendObjectRequest(
            bucket=self.bucket, key=name, position=at, body=body)).next_position
        for name in TRICKY_KEYS:
            with self.subTest(name=name):
                at = self.do("AppendObject", name, position=0, text="one ")["next_position"]
                self.assertEqual(at, 4)
                at = theirs(name, at, b"two ")
                at = self.do("AppendObject", name, position=at, text="three")["next_position"]
                self.assertEqual((at, self.get(name)), (13, b"one two three"))
                self.refused(409, "PositionNotEqualToLength", "AppendObject", name, position=4, text="x")
        self.put("normal")
        self.refused(409, "ObjectNotAppendable", "AppendObject", "normal", position=1, text="x")

    def test_tags(self):
        def theirs(name):
            found = self.theirs.get_object_tagging(oss.GetObjectTaggingRequest(bucket=self.bucket, key=name))
            # An element without text is None to them.
            return [[tag.key, tag.value or ""] for tag in found.tag_set.tags or []]

        for name in TRICKY_KEYS:
            with self.subTest(name=name):
                self.put(name)
                tags = [["a b", "c + d=e"], ["empty", ""], ["x/y", "1@2:3.4_5-6"]]
                self.do("PutObjectTagging", name, tags=tags)
                self.assertEqual(theirs(name), tags)
                self.assertEqual(self.do("GetObjectTagging", name), tags)
                tag = oss.Tag(key="by", value="theirs")
                self.theirs.put_object_tagging(oss.PutObjectTaggingRequest(
                    bucket=self.bucket, key=name, tagging=oss.Tagging(tag_set=oss.TagSet(tags=[tag]))))
                self.assertEqual(self.do("GetObjectTagging", name), [["by", "theirs"]])
                self.do("DeleteObjectTagging", name)
                self.assertEqual((theirs(name), self.do("GetObjectTagging", name)), ([], []))

    def test_acls(self):
        theirs = lambda: self.theirs.get_object_acl(oss.GetObjectAclRequest(bucket=self.bucket, key="k"))
        self.put("k")
        for acl in ("public-read", "private", "public-read-write", "default"):
            self.do("PutObjectAcl", "k", acl=acl)
            seen = theirs()
            self.assertEqual(seen.acl, acl)
            self.assertEqual(self.do("GetObjectAcl", "k"), {"acl": acl, "owner": seen.owner.id})
        self.theirs.put_object_acl(oss.PutObjectAclRequest(bucket=self.bucket, key="k", acl="public-read"))
        self.assertEqual(self.do("GetObjectAcl", "k")["acl"], "public-read")

    def test_archives(self):
        restored = lambda key: self.theirs.head_object(
            oss.HeadObjectRequest(bucket=self.bucket, key=key)).restore
        for key in ("ours", "theirs"):
            self.put(key, storage_class="Archive")
            self.assertIsNone(restored(key))
        self.assertEqual(self.do("RestoreObject", "ours", days=2), {"status": 202})
        self.theirs.restore_object(oss.RestoreObjectRequest(
            bucket=self.bucket, key="theirs", restore_request=oss.RestoreRequest(days=2)))
        self.assertEqual(restored("ours"), restored("theirs"))
        for key in ("ours", "theirs"):
            self.refused(409, "RestoreAlreadyInProgress", "RestoreObject", key, days=2)

    def test_links(self):
        def theirs():
            shown = self.theirs.get_symlink(oss.GetSymlinkRequest(bucket=self.bucket, key="link"))
            return urllib.parse.unquote(shown.target)

        for name in TRICKY_KEYS:
            with self.subTest(name=name):
                self.put(name, name.encode())
                self.do("PutSymlink", "link", target=name)
                self.assertEqual((theirs(), self.do("GetSymlink", "link")), (name, name))
                self.assertEqual(self.get("link"), name.encode())
                # The caller encodes the target of their client.
                self.theirs.put_symlink(oss.PutSymlinkRequest(
                    bucket=self.bucket, key="link", symlink_target=urllib.parse.quote(name, safe="")))
                self.assertEqual(self.do("GetSymlink", "link"), name)

    def test_versions(self):
        self.theirs.put_bucket_versioning(oss.PutBucketVersioningRequest(
            bucket=self.bucket, versioning_configuration=oss.VersioningConfiguration(status="Enabled")))
        for name in TRICKY_KEYS:
            self.put(name, b"1")
            self.put(name, b"22")
            self.theirs.delete_object(oss.DeleteObjectRequest(bucket=self.bucket, key=name))
        self.put("last", b"333", storage_class="IA")
        theirs = []
        for page in self.theirs.list_object_versions_paginator().iter_page(
                oss.ListObjectVersionsRequest(bucket=self.bucket)):
            for one in page.version or []:
                theirs.append([one.key, one.version_id, one.is_latest, False, one.size, one.etag,
                               seconds(one.last_modified), one.storage_class])
            for one in page.delete_marker or []:
                theirs.append([one.key, one.version_id, one.is_latest, True, 0, None,
                               seconds(one.last_modified), None])
        self.assertEqual(len(theirs), 3 * len(TRICKY_KEYS) + 1)
        for page in (1, 4, 1000):
            ours = self.do("ListObjectVersions", page=page)
            # Theirs come apart, versions and markers.
            self.assertEqual(sorted(ours, key=str), sorted(theirs, key=str))
            keys = [one[0] for one in ours]
            self.assertEqual(keys, sorted(keys))
        for name, version, _, is_marker, size, *_ in theirs:
            if not is_marker:
                self.assertEqual(len(self.do("GetVersion", name, version=version)), size)
            else:
                self.refused(405, "MethodNotAllowed", "GetVersion", name, version=version)

    def begin(self, name):
        return self.theirs.initiate_multipart_upload(
            oss.InitiateMultipartUploadRequest(bucket=self.bucket, key=name)).upload_id

    def complete(self, name, upload_id, etags):
        parts = [oss.UploadPart(part_number=number, etag=etag) for number, etag in enumerate(etags, 1)]
        self.theirs.complete_multipart_upload(oss.CompleteMultipartUploadRequest(
            bucket=self.bucket, key=name, upload_id=upload_id,
            complete_multipart_upload=oss.CompleteMultipartUpload(parts=parts)))

    def test_uploads_and_their_parts(self):
        uploads = {name: self.begin(name) for name in TRICKY_KEYS}
        theirs = [[one.key, one.upload_id, seconds(one.initiated)]
                  for one in self.theirs.list_multipart_uploads(
                      oss.ListMultipartUploadsRequest(bucket=self.bucket)).uploads]
        self.assertEqual(sorted(one[0] for one in theirs), sorted(uploads))
        for page in (1, 3, 1000):
            self.assertEqual(self.do("ListMultipartUploads", page=page), theirs)
        for name, upload_id in uploads.items():
            with self.subTest(name=name):
                for number, body in ((1, b"a" * PART), (2, b"b" * PART), (7, b"c")):
                    self.theirs.upload_part(oss.UploadPartRequest(
                        bucket=self.bucket, key=name, upload_id=upload_id, part_number=number, body=body))
                listed = self.theirs.list_parts(oss.ListPartsRequest(
                    bucket=self.bucket, key=name, upload_id=upload_id)).parts
                theirs = [[one.part_number, one.size, one.etag, one.hash_crc64 and str(one.hash_crc64),
                           seconds(one.last_modified)] for one in listed]
                self.assertEqual([one[0] for one in theirs], [1, 2, 7])
                for page in (1, 2, 1000):
                    self.assertEqual(self.do("ListParts", name, upload=upload_id, page=page), theirs)
        self.refused(404, "NoSuchUpload", "ListParts", "a b", upload="0" * 32, page=10)

    def test_copied_parts(self):
        body = b"x" * PART + b"tail"
        for name in TRICKY_KEYS:
            with self.subTest(name=name):
                self.put(name, body)
                upload_id = self.begin("to")
                ours = self.do(
                    "UploadPartCopy", "to", upload=upload_id, number=1, source=name, first=0, last=PART - 1)
                theirs = self.theirs.upload_part_copy(oss.UploadPartCopyRequest(
                    bucket=self.bucket, key="to", part_number=2, upload_id=upload_id, source_bucket=self.bucket,
                    source_key=name, source_range=f"bytes={PART}-{PART + 3}"))
                seen = self.theirs.list_parts(oss.ListPartsRequest(
                    bucket=self.bucket, key="to", upload_id=upload_id)).parts
                self.assertEqual([one.etag for one in seen], [ours["etag"], theirs.etag])
                self.complete("to", upload_id, [ours["etag"], theirs.etag])
                self.assertEqual(self.get("to"), body)

    def test_copies_of_any_size(self):
        body = b"x" * PART + b"y" * PART + b"tail"
        for name in TRICKY_KEYS:
            with self.subTest(name=name):
                self.put(name, body, content_type="text/x-copied", metadata={"by": "theirs"}, tagging="a=1")
                source = self.theirs.head_object(oss.HeadObjectRequest(bucket=self.bucket, key=name))
                for threshold, parts in ((0, 3), (10 * PART, 0)):
                    done = self.do("Copy", "copy", source=name, threshold=threshold, part_size=PART)
                    got = self.theirs.get_object(oss.GetObjectRequest(bucket=self.bucket, key="copy"))
                    self.assertEqual(done, {"size": len(body), "parts": parts, "etag": got.etag})
                    self.assertEqual(
                        (got.body.content, got.content_type, got.metadata["by"], got.tagging_count, got.hash_crc64),
                        (body, "text/x-copied", "theirs", 1, source.hash_crc64))
                    # An object in parts has no MD5, and a copy in one request has that of its source.
                    self.assertEqual(got.etag == source.etag, parts == 0)
        self.refused(404, "NoSuchKey", "Copy", "copy", source="missing", threshold=0, part_size=PART)

    def test_the_bucket_itself(self):
        self.put("k", b"12345")
        self.begin("begun")
        info = self.theirs.get_bucket_info(oss.GetBucketInfoRequest(bucket=self.bucket)).bucket_info
        self.assertEqual(self.do("GetBucketInfo"), {
            "name": info.name, "location": info.location, "created": seconds(info.creation_date),
            "extranet_endpoint": info.extranet_endpoint, "intranet_endpoint": info.intranet_endpoint,
            "storage_class": info.storage_class, "redundancy": info.data_redundancy_type,
            "versioning": info.versioning, "acl": info.acl, "owner": info.owner.id,
        })
        location = self.theirs.get_bucket_location(oss.GetBucketLocationRequest(bucket=self.bucket)).location
        self.assertEqual(self.do("GetBucketLocation"), {"location": location, "region": REGION})
        self.assertEqual(self.do("DetectRegion"), REGION)
        stat = self.theirs.get_bucket_stat(oss.GetBucketStatRequest(bucket=self.bucket))
        self.assertEqual(self.do("GetBucketStat"), {
            "storage": stat.storage, "objects": stat.object_count, "uploads": stat.multi_part_upload_count,
            "delete_markers": stat.delete_marker_count,
        })
        self.assertEqual((stat.storage, stat.object_count, stat.multi_part_upload_count), (5, 1, 1))
        for operation in ("GetBucketInfo", "GetBucketLocation", "GetBucketStat"):
            with self.assertRaises(Refused) as raised:
                self.ours.typed(operation, bucket="no-such-bucket")
            self.assertEqual((raised.exception.status, raised.exception.code), (404, "NoSuchBucket"))


class V4(Operations):
    """V4."""

    version = "v4"


class V1(Operations):
    """V1."""

    version = "v1"


del Operations  # Not to be run by itself.

if __name__ == "__main__":
    unittest.main()
