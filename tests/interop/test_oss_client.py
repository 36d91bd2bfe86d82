"""Our OSS client beside the vendor's two: what one writes or signs, the others and plain HTTP can use."""

import base64
import calendar
import functools
import hashlib
import itertools
import json
import time
import unittest
import urllib.parse
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import escape

import alibabacloud_oss_v2 as oss_v2
import oss2
import requests

import post_policy_vectors
from oss_support import VENDORS, Newer, Older, Ours, Refused
from support import (
    BUCKET, CloudOfEndedSessions, LONG_TERM, OSS_ENDPOINT, REGION, TRICKY_KEYS, UNKNOWN, acs3_assume_role,
    plain_http,
)

TYPE = "text/x-cross; charset=utf-8"
METADATA = {"colour": "blue and  green", "by": "interop/+%20;="}


def both_ways(ours, theirs):
    """Each of the vendor's clients as writer with ours as reader, and the reverse."""
    for vendor in theirs:
        yield from ((ours, vendor), (vendor, ours))


def called(client):
    return type(client).__name__


def crossed(test):
    """Runs a test for each who writes, who reads, and name of an object; there was none of the name before."""

    @functools.wraps(test)
    def tests(self):
        for (one, other), name in itertools.product(both_ways(self.ours, self.theirs), TRICKY_KEYS):
            with self.subTest(one=called(one), other=called(other), name=name):
                self.ours.delete(name)
                test(self, one, other, name)

    return tests


class Crossed(unittest.TestCase):
    """What has to be the same with all kinds of keys and signatures; run by the classes below."""

    key = None
    version = None

    def setUp(self):
        self.ours = Ours(self.key, self.version)
        self.theirs = [vendor(self.key, self.version) for vendor in VENDORS]

    @crossed
    def test_objects_are_read_as_the_other_wrote_them(self, writer, reader, name):
        body = bytes(range(256)) + (called(writer) + name).encode()
        crc = writer.put(name, body, TYPE, METADATA)
        self.assertEqual(reader.get(name), (body, TYPE, METADATA, crc))
        self.assertEqual(reader.head(name), (None, TYPE, METADATA, crc))
        # Deleted by the one is gone for the other.
        reader.delete(name)
        with self.assertRaises(Refused) as raised:
            writer.head(name)
        self.assertEqual((raised.exception.status, raised.exception.code), (404, "NoSuchKey"))

    def test_checksums_are_those_that_the_vendor_computes(self):
        for body in (b"", b"123456789", bytes(range(256)) * 300):
            reference = oss2.utils.Crc64(0)
            reference(body)
            for client in (self.ours, *self.theirs):
                self.assertEqual(client.put("crc", body), str(reference.crc))
                self.assertEqual(self.ours.get("crc").crc, str(reference.crc))

    @crossed
    def test_copies_are_the_others_originals(self, writer, reader, name):
        target = TRICKY_KEYS[TRICKY_KEYS.index(name) - 1]
        writer.put(name, name.encode(), TYPE, METADATA)
        reader.copy(name, target)
        self.assertEqual(writer.get(target)[:3], (name.encode(), TYPE, METADATA))

    def test_metadata_beyond_ascii(self):
        metadata = {"owner": "报告 ü"}
        raw = "报告 ü".encode().decode("latin-1")
        self.ours.put("metadata", b"1", metadata=metadata)
        self.assertEqual(self.ours.head("metadata").metadata, metadata)
        for client in self.theirs:
            # Their HTTP library shows the bytes of UTF-8 one by one; they cannot send such.
            self.assertEqual(client.head("metadata").metadata, {"owner": raw})

    @crossed
    def test_a_url_reads_what_the_other_wrote(self, writer, signer, name):
        overrides = {
            "response_content_disposition": "attachment; filename=\"a b+c%20报告.txt\"",
            "response_content_type": "text/x-other; a=\"b+c\"",
        }
        writer.put(name, name.encode(), TYPE)
        answer = plain_http("GET", signer.presign_get(name).url)
        self.assertEqual((answer.status, answer.body), (200, name.encode()))
        self.assertEqual(answer.headers["Content-Type"], TYPE)
        url = signer.presign_get(name, **overrides).url
        answer = plain_http("GET", url)
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(answer.headers["Content-Type"], overrides["response_content_type"])
        # HTTP's library reads headers as Latin-1.
        disposition = answer.headers["Content-Disposition"].encode("latin-1").decode()
        self.assertEqual(disposition, overrides["response_content_disposition"])
        self.assertEqual(plain_http("GET", url.replace("x-other", "x-more")).status, 403)
        self.assertEqual(plain_http("PUT", url, body=b"1").status, 403)

    @crossed
    def test_a_url_stores_what_the_other_reads(self, signer, reader, name):
        upload = signer.presign_put(name, TYPE, METADATA)
        answer = plain_http("PUT", upload.url, body=name.encode(), headers=upload.headers)
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(reader.get(name)[:3], (name.encode(), TYPE, METADATA))
        for changed in (
                {**upload.headers, "content-type": "text/x-else"}, {**upload.headers, "x-oss-meta-by": "x"},
                {n: value for n, value in upload.headers.items() if n.lower() != "x-oss-meta-colour"}, {}):
            changed = {n.lower(): value for n, value in changed.items()}
            answer = plain_http("PUT", upload.url, body=b"changed", headers=changed)
            self.assertIn(b"<Code>SignatureDoesNotMatch</Code>", answer.body)
        self.assertEqual(reader.get(name).body, name.encode())

    def test_the_older_client_uses_our_urls(self):
        bucket = oss2.Bucket(oss2.AnonymousAuth(), OSS_ENDPOINT, BUCKET)
        for name in TRICKY_KEYS:
            with self.subTest(name=name):
                upload = self.ours.presign_put(name, TYPE, METADATA)
                # It compares the checksums of what was sent and stored, and of what was stored and read.
                bucket.put_object_with_url(upload.url, name.encode(), headers=upload.headers)
                got = bucket.get_object_with_url(self.ours.presign_get(name).url)
                self.assertEqual((got.read(), got.headers["x-oss-meta-by"]), (name.encode(), METADATA["by"]))
                self.assertEqual(got.client_crc, got.server_crc)

    def test_urls_are_signed_alike(self):
        for vendor, name in itertools.product(self.theirs, TRICKY_KEYS):
            overrides = {"response_content_type": "a b/+%=", "response_expires": "报告"}
            # The newer client leaves this one out of what it signs by V1; the older does not.
            if isinstance(vendor, Older) or self.version == "v4":
                overrides["x_oss_process"] = "image/resize,w_1|2"
            with self.subTest(vendor=called(vendor), name=name):
                self.same_url(vendor, {}, lambda client, *expires: client.presign_get(
                    name, *expires, **overrides))
                self.same_url(vendor, {}, lambda client, expires=60: client.presign_put(
                    name, TYPE, METADATA, expires))

    def test_urls_lead_to_the_same_places(self):
        """Nothing is sent: the hosts are the service's own."""
        host = f"oss-{REGION}.aliyuncs.com"
        for vendor, settings, endpoint, on in (
                (Older, {}, "https://" + host, ()),
                (Older, {"is_path_style": True}, "https://" + host, ("path_style",)),
                (Older, {"is_cname": True}, "http://img.example.com", ("cname",)),
                (Older, {}, "http://192.0.2.1:8080", ()),
                (Newer, {}, None, ()),
                (Newer, {"use_internal_endpoint": True}, None, ("internal",)),
                (Newer, {"use_accelerate_endpoint": True}, None, ("accelerate",)),
                (Newer, {"use_dualstack_endpoint": True}, None, ("dual_stack",)),
                (Newer, {"use_path_style": True}, None, ("path_style",)),
                (Newer, {"use_cname": True}, "img.example.com", ("cname",)),
                (Newer, {}, "http://192.0.2.1:8080", ()),
        ):
            for name in TRICKY_KEYS:
                with self.subTest(vendor=vendor.__name__, settings=settings, name=name):
                    theirs = vendor(self.key, self.version, endpoint, **settings)
                    self.same_url(theirs, {"endpoint": endpoint, "on": on}, lambda client, *expires:
                                  client.presign_get(name, *expires))

    def same_url(self, vendor, settings, presign):
        """To the last character but for the order of the parameters, the signature included.

        Our client signs at the time at which the vendor's did.
        """
        theirs = urllib.parse.urlsplit(presign(vendor).url)
        query = dict(urllib.parse.parse_qsl(theirs.query))
        if self.version == "v1":
            began, expires = int(query["Expires"]) - 60, 60
        else:
            began = calendar.timegm(time.strptime(query["x-oss-date"], "%Y%m%dT%H%M%SZ"))
            expires = int(query["x-oss-expires"])
        ours = urllib.parse.urlsplit(presign(Ours(self.key, self.version, at=began, **settings), expires).url)
        self.assertEqual(ours[:3], theirs[:3])
        self.assertEqual(sorted(ours.query.split("&")), sorted(theirs.query.split("&")))

    def test_lists_are_the_same(self):
        """Operations by query and document, as any other than those of single objects."""
        prefix = "cross %s+/" % type(self).__name__
        names = sorted(prefix + name for name in TRICKY_KEYS)
        for name, client in zip(names, itertools.cycle((self.ours, *self.theirs))):
            client.put(name, b"12")
        query = {"list-type": "2", "prefix": prefix, "encoding-type": "url", "max-keys": "3"}
        found = []
        while True:
            answer = self.ours.call("ListObjectsV2", method="GET", query=query)
            page = ElementTree.fromstring(base64.b64decode(answer["body"]))
            found += [urllib.parse.unquote(key.text) for key in page.iterfind("Contents/Key")]
            token = page.findtext("NextContinuationToken")
            if not token:
                break
            query["continuation-token"] = urllib.parse.unquote(token)
        self.assertEqual(found, names)
        older, newer = self.theirs
        self.assertEqual([entry.key for entry in oss2.ObjectIteratorV2(older.bucket, prefix=prefix)], names)
        request = oss_v2.ListObjectsV2Request(bucket=BUCKET, prefix=prefix, encoding_type="url")
        self.assertEqual([entry.key for entry in newer.client.list_objects_v2(request).contents], names)
        self.delete_at_once(names)
        self.assertEqual(list(oss2.ObjectIteratorV2(older.bucket, prefix=prefix)), [])

    def delete_at_once(self, names):
        document = ("<Delete><Quiet>true</Quiet>%s</Delete>" % "".join(
            f"<Object><Key>{escape(name)}</Key></Object>" for name in names)).encode()
        self.ours.call(
            "DeleteMultipleObjects", method="POST", query={"delete": ""}, body=base64.b64encode(document).decode(),
            headers={"content-md5": base64.b64encode(hashlib.md5(document).digest()).decode()})

    def test_an_upload_in_parts_is_shared(self):
        """The one begins it, both send a part, the one lists the parts and ends it."""
        bucket = self.theirs[0].bucket
        for name in TRICKY_KEYS:
            with self.subTest(name=name):
                answer = self.ours.call(
                    "InitiateMultipartUpload", method="POST", key=name, query={"uploads": ""},
                    headers={"content-type": TYPE})
                upload_id = ElementTree.fromstring(base64.b64decode(answer["body"])).findtext("UploadId")
                first, second = b"a" * 100 * 1024, b"b"
                theirs = bucket.upload_part(name, upload_id, 1, first)
                ours = self.ours.call(
                    "UploadPart", method="PUT", key=name, query={"partNumber": "2", "uploadId": upload_id},
                    body=base64.b64encode(second).decode())
                answer = self.ours.call("ListParts", method="GET", key=name, query={"uploadId": upload_id})
                parts = ElementTree.fromstring(base64.b64decode(answer["body"]))
                etags = [part.findtext("ETag").strip('"') for part in parts.iterfind("Part")]
                self.assertEqual(etags, [theirs.etag, ours["headers"]["etag"].strip('"')])
                document = "<CompleteMultipartUpload>%s</CompleteMultipartUpload>" % "".join(
                    f'<Part><PartNumber>{number}</PartNumber><ETag>"{etag}"</ETag></Part>'
                    for number, etag in enumerate(etags, 1))
                self.ours.call(
                    "CompleteMultipartUpload", method="POST", key=name, query={"uploadId": upload_id},
                    body=base64.b64encode(document.encode()).decode())
                for client in self.theirs:
                    self.assertEqual(client.get(name)[:2], (first + second, TYPE))

    def test_a_url_that_is_over_is_refused(self):
        ours = Ours(self.key, self.version, at=int(time.time()) - 90)
        for method, presign in (("GET", ours.presign_get), ("PUT", ours.presign_put)):
            answer = plain_http(method, presign("k", expires=60).url)
            self.assertEqual(answer.status, 403)
            self.assertIn(b"<Code>AccessDenied</Code>", answer.body)
            self.assertIn(b"Request has expired.", answer.body)

    def test_a_skewed_clock_is_set_right(self):
        for skew in (-3600, 3600):
            ours = Ours(self.key, self.version, at=int(time.time()) + skew)
            self.theirs[0].put("skewed", b"skewed")
            self.assertEqual(ours.get("skewed").body, b"skewed")
            # Its URLs too.
            self.assertEqual(plain_http("GET", ours.presign_get("skewed", expires=60).url).body, b"skewed")


class V4LongTerm(Crossed):
    """V4, the AccessKey of a RAM user."""

    key, version = LONG_TERM, "v4"


class V1LongTerm(Crossed):
    """V1, the AccessKey of a RAM user."""

    key, version = LONG_TERM, "v1"


def temporary(cls):
    """Sets the key of a session for a whole class."""
    cls.key = acs3_assume_role(LONG_TERM)


class V4Temporary(Crossed):
    """V4, the key of a session."""

    version, setUpClass = "v4", classmethod(temporary)


class V1Temporary(Crossed):
    """V1, the key of a session."""

    version, setUpClass = "v1", classmethod(temporary)


class Refusals(unittest.TestCase):
    """What the service refuses is told alike by all clients."""

    def alike(self, status, code, act, key=LONG_TERM, endpoint=OSS_ENDPOINT):
        """Lets each client act, with both signatures; the last error of each."""
        for version in ("v4", "v1"):
            with self.subTest(code=code, version=version):
                told = [self.refused(act, client(key, version, endpoint)) for client in (Ours, *VENDORS)]
                self.assertEqual([(error.status, error.code) for error in told], [(status, code)] * 3)
                ours, *theirs = told
                self.assertTrue(ours.ec)
                self.assertEqual([error.ec for error in theirs], [ours.ec] * 2)
                # Each is an answer of its own.
                self.assertEqual(len({error.request_id for error in told}), 3)
                for part in (f"HTTP {status}", code, f"request ID {ours.request_id}", f"EC {ours.ec}"):
                    self.assertIn(part, ours.told)
                for secret in filter(None, (key or ())[1:]):
                    self.assertNotIn(secret, ours.told)

    def refused(self, act, client):
        with self.assertRaises(Refused, msg=called(client)) as raised:
            act(client)
        return raised.exception

    def test_what_does_not_exist(self):
        self.alike(404, "NoSuchKey", lambda client: client.get("no such key"))
        self.alike(404, "NoSuchKey", lambda client: client.head("no such key"))
        self.alike(404, "NoSuchKey", lambda client: client.copy("no such key", "copy"))
        self.alike(404, "NoSuchBucket", lambda client: client.get("k", bucket="no-such-bucket"))

    def test_no_key_at_all(self):
        self.alike(403, "AccessDenied", lambda client: client.get("k"), key=None)
        self.alike(403, "AccessDenied", lambda client: client.put("k", b"1"), key=None)

    def test_keys_that_are_wrong(self):
        for act in (
                lambda client: client.get("a b"), lambda client: client.head("a b"),
                lambda client: client.put("a b", b"1"), lambda client: client.delete("a b"),
                lambda client: client.copy("a b", "c")):
            self.alike(403, "SignatureDoesNotMatch", act, key=LONG_TERM.with_wrong_secret())
            self.alike(403, "InvalidAccessKeyId", act, key=UNKNOWN)

    def test_sessions_that_are_wrong(self):
        session = acs3_assume_role(LONG_TERM)
        get = lambda client: client.get("k")
        self.alike(403, "SignatureDoesNotMatch", get, key=session.with_wrong_secret())
        for wrong in (session.with_wrong_token(), session._replace(token=None)):
            self.alike(403, "InvalidSecurityToken", get, key=wrong)

    def test_a_session_that_has_ended(self):
        with CloudOfEndedSessions() as cloud:
            for act in (lambda client: client.get("k"), lambda client: client.put("k", b"1")):
                self.alike(403, "SecurityTokenExpired", act, key=cloud.ended_key, endpoint=cloud.oss_endpoint)

    def test_objects_that_are_there(self):
        Ours(LONG_TERM).put("there", b"there")
        put = lambda client: client.put("there", b"1", x_oss_forbid_overwrite="true")
        self.alike(409, "FileAlreadyExists", put)

    def test_urls_by_wrong_keys(self):
        session = acs3_assume_role(LONG_TERM)
        for key, code in (
                (LONG_TERM.with_wrong_secret(), "SignatureDoesNotMatch"), (UNKNOWN, "InvalidAccessKeyId"),
                (session.with_wrong_token(), "InvalidSecurityToken")):
            for client, version in itertools.product((Ours, *VENDORS), ("v4", "v1")):
                with self.subTest(code=code, client=client.__name__, version=version):
                    answer = plain_http("GET", client(key, version).presign_get("k").url)
                    self.assertEqual(answer.status, 403)
                    self.assertIn(f"<Code>{code}</Code>".encode(), answer.body)


class Forms(unittest.TestCase):
    """Forms whose policies our signer signed."""

    def form(self, key, *conditions, at=None, expires=600):
        """Our fields, for a file below `form/`."""
        conditions = [["starts-with", "$key", "form/"], *conditions]
        return Ours(key, at=at).call("post", expires=expires, conditions=conditions)["fields"]

    def send(self, fields, key, body=b"content", **more):
        files = {"file": ("a b.txt", body, "text/x-file")}
        return requests.post(
            f"{OSS_ENDPOINT}/{BUCKET}", data={**fields, "key": key, **more}, files=files, timeout=10)

    def refused(self, status, code, answer):
        self.assertEqual(answer.status_code, status, answer.text)
        self.assertIn(f"<Code>{code}</Code>", answer.text)

    def test_a_file_is_stored_with_both_kinds_of_keys(self):
        for key in (LONG_TERM, acs3_assume_role(LONG_TERM)):
            fields = self.form(key, ["eq", "$x-oss-meta-by", "报告 +%"], ["content-length-range", 1, 100])
            for name in TRICKY_KEYS:
                with self.subTest(temporary=bool(key.token), name=name):
                    name = "form/" + name
                    answer = self.send(fields, name, key.id.encode(), **{"x-oss-meta-by": "报告 +%"})
                    self.assertEqual((answer.status_code, answer.content), (204, b""))
                    for client in (Ours(key), *(vendor(key) for vendor in VENDORS)):
                        got = client.get(name)
                        self.assertEqual(got[:2], (key.id.encode(), "text/x-file"))

    def test_the_fields_are_those_that_the_vendors_code_signs(self):
        conditions = [
            ["starts-with", "$key", "form/"], ["in", "$content-type", ["text/x-file", "a b+c"]],
            ["not-in", "$cache-control", ["no-cache"]], ["eq", "$success_action_status", "201"],
            ["content-length-range", 0, 5],
        ]
        now = int(time.time())
        for key in (LONG_TERM, acs3_assume_role(LONG_TERM)):
            expected = post_policy_vectors.vector("cross", "", {
                "bucket": BUCKET, "region": REGION, "conditions": conditions, "signing_time_unix": now,
                "expires_seconds": 600, "credentials": {
                    "access_key_id": key.id, "access_key_secret": key.secret, "security_token": key.token},
            })["expected"]
            fields = self.form(key, *conditions[1:], at=now)
            self.assertEqual(json.loads(base64.b64decode(fields["policy"])), expected["document"])
            self.assertEqual(fields, dict(expected["fields"]))
            answer = self.send(fields, "form/201", b"12345", success_action_status="201")
            self.assertEqual(answer.status_code, 201, answer.text)

    def test_the_policy_is_enforced(self):
        fields = self.form(
            LONG_TERM, ["content-length-range", 2, 4], ["in", "$content-type", ["text/x-file"]],
            ["not-in", "$cache-control", ["no-cache"]])
        self.assertEqual(self.send(fields, "form/k", b"123").status_code, 204)
        self.refused(400, "EntityTooSmall", self.send(fields, "form/k", b"1"))
        self.refused(400, "EntityTooLarge", self.send(fields, "form/k", b"12345"))
        self.refused(403, "AccessDenied", self.send(fields, "other/k", b"123"))
        self.refused(403, "AccessDenied", self.send(fields, "form/k", b"123", **{"cache-control": "no-cache"}))
        other = self.form(LONG_TERM, ["in", "$content-type", ["image/png"]])
        self.refused(403, "AccessDenied", self.send(other, "form/k", b"123"))

    def test_forms_that_are_over_or_by_wrong_keys_are_refused(self):
        over = self.form(LONG_TERM, at=int(time.time()) - 90, expires=60)
        self.refused(403, "AccessDenied", self.send(over, "form/k"))
        session = acs3_assume_role(LONG_TERM)
        for key, code in (
                (LONG_TERM.with_wrong_secret(), "SignatureDoesNotMatch"), (UNKNOWN, "InvalidAccessKeyId"),
                (session.with_wrong_token(), "InvalidSecurityToken"),
                (session._replace(token=None), "InvalidSecurityToken")):
            self.refused(403, code, self.send(self.form(key), "form/k"))


del Crossed  # Not to be run by itself.

if __name__ == "__main__":
    unittest.main()
