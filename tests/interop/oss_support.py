"""Our OSS client and the vendor's two, each behind the same few calls."""

import atexit
import base64
import json
import os
import subprocess
from datetime import timedelta
from typing import Dict, NamedTuple, Optional

import alibabacloud_oss_v2 as oss_v2
import oss2

from support import BUCKET, Key, OSS_ENDPOINT, REGION, oss2_auth, oss_v2_client

META = "x-oss-meta-"


class Stored(NamedTuple):
    """An object, as a client reads it."""

    body: Optional[bytes]
    content_type: str
    metadata: Dict[str, str]
    # As the service says it, in decimal.
    crc: str


class Presigned(NamedTuple):
    """A URL and the headers that have to be sent with it."""

    url: str
    headers: Dict[str, str]


class Refused(Exception):
    """What a client tells of an answer that is an error."""

    def __init__(self, status, code, ec, request_id, told):
        super().__init__(told)
        self.status, self.code, self.ec, self.request_id, self.told = status, code, ec, request_id, told


def stored(headers, body):
    headers = {name.lower(): value for name, value in headers.items()}
    metadata = {name[len(META):]: value for name, value in headers.items() if name.startswith(META)}
    return Stored(body, headers["content-type"], metadata, headers["x-oss-hash-crc64ecma"])


def bound(content_type, metadata):
    """The headers of an upload."""
    headers = {META + name: value for name, value in metadata.items()}
    return {**headers, "Content-Type": content_type} if content_type else headers


class Subject:
    """The program that does with our client what it is told; it is started once."""

    _process = None

    @classmethod
    def call(cls, call):
        if cls._process is None:
            cls._process = subprocess.Popen(
                [os.environ["OSS_SUBJECT"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")
            atexit.register(cls._end)
        cls._process.stdin.write(json.dumps(call) + "\n")
        cls._process.stdin.flush()
        line = cls._process.stdout.readline()
        if not line:
            raise RuntimeError(f"oss-subject ended at {call}")
        return json.loads(line)

    @classmethod
    def _end(cls):
        cls._process.stdin.close()
        cls._process.wait(timeout=10)
        cls._process.stdout.close()


class Ours:
    """oss-client. `at` is what its clock shows, in seconds since 1970; `on` names settings that are on."""

    def __init__(self, key, version="v4", endpoint=OSS_ENDPOINT, at=None, on=()):
        self._client = {
            "endpoint": endpoint, "region": REGION, "version": version, "key": key, "at": at, "on": on}

    def call(self, what, bucket=BUCKET, **more):
        """Any call that the program takes."""
        answer = Subject.call({"client": self._client, "do": what, "bucket": bucket, **more})
        if isinstance(answer, dict) and "error" in answer:
            error = answer["error"]
            raise Refused(error["status"], error["code"], error["ec"], error["request_id"], error["text"])
        return answer

    def typed(self, operation, bucket=BUCKET, key=None, **arguments):
        """A method of our client for one operation, and what it returns."""
        return self.call("typed", bucket=bucket, key=key, typed={"operation": operation, **arguments})

    def put(self, name, body, content_type=None, metadata=(), **headers):
        answer = self.call(
            "PutObject", key=name, body=base64.b64encode(body).decode(),
            headers={**bound(content_type, dict(metadata)), **dashed(headers)})
        return answer["headers"]["x-oss-hash-crc64ecma"]

    def get(self, name, bucket=BUCKET):
        answer = self.call("GetObject", bucket=bucket, key=name)
        return stored(answer["headers"], base64.b64decode(answer["body"]))

    def head(self, name):
        return stored(self.call("HeadObject", key=name)["headers"], None)

    def delete(self, name):
        self.call("DeleteObject", key=name)

    def copy(self, source, target):
        # The value is encoded by who names the header.
        header = f"/{BUCKET}/" + oss2.compat.urlquote(source, "")
        self.call("CopyObject", method="PUT", key=target, headers={"x-oss-copy-source": header})

    def presign_get(self, name, expires=60, **overrides):
        return self._presign("GET", name, expires, query=dashed(overrides))

    def presign_put(self, name, content_type=None, metadata=(), expires=60):
        return self._presign("PUT", name, expires, headers=bound(content_type, dict(metadata)))

    def _presign(self, method, name, expires, **more):
        answer = self.call("presign", method=method, key=name, expires=expires, **more)
        return Presigned(answer["url"], answer["headers"])


class Older:
    """oss2."""

    def __init__(self, key, version="v4", endpoint=OSS_ENDPOINT, **settings):
        auth = oss2_auth(key, version) if key else oss2.AnonymousAuth()
        self.bucket = oss2.Bucket(auth, endpoint, BUCKET, region=REGION, **settings)

    def put(self, name, body, content_type=None, metadata=(), **headers):
        headers = {**bound(content_type, dict(metadata)), **dashed(headers)}
        return str(self._told(self.bucket.put_object, name, body, headers=headers).crc)

    def get(self, name, bucket=BUCKET):
        at = oss2.Bucket(self.bucket.auth, self.bucket.endpoint, bucket, region=REGION)
        got = self._told(at.get_object, name)
        return stored(got.headers, got.read())

    def head(self, name):
        return stored(self._told(self.bucket.head_object, name).headers, None)

    def delete(self, name):
        self._told(self.bucket.delete_object, name)

    def copy(self, source, target):
        self._told(self.bucket.copy_object, BUCKET, source, target)

    def presign_get(self, name, expires=60, **overrides):
        return Presigned(
            self.bucket.sign_url("GET", name, expires, params=dashed(overrides), slash_safe=True), {})

    def presign_put(self, name, content_type=None, metadata=(), expires=60):
        headers = bound(content_type, dict(metadata))
        return Presigned(
            self.bucket.sign_url("PUT", name, expires, headers=dict(headers), slash_safe=True), headers)

    @staticmethod
    def _told(call, *arguments, **named):
        try:
            return call(*arguments, **named)
        except oss2.exceptions.ServerError as error:
            raise Refused(error.status, error.code, error.ec, error.request_id, str(error)) from error


class Newer:
    """alibabacloud-oss-v2."""

    def __init__(self, key, version="v4", endpoint=OSS_ENDPOINT, **settings):
        if key is None:
            key, settings["credentials_provider"] = Key("", ""), oss_v2.credentials.AnonymousCredentialsProvider()
        self.client = oss_v2_client(key, endpoint, signature_version=version, **settings)

    def put(self, name, body, content_type=None, metadata=(), **headers):
        request = oss_v2.PutObjectRequest(
            bucket=BUCKET, key=name, body=body, content_type=content_type, metadata=dict(metadata),
            headers=dashed(headers))
        return self._told(self.client.put_object, request).hash_crc64

    def get(self, name, bucket=BUCKET):
        got = self._told(self.client.get_object, oss_v2.GetObjectRequest(bucket=bucket, key=name))
        return stored(got.headers, got.body.content)

    def head(self, name):
        return stored(
            self._told(self.client.head_object, oss_v2.HeadObjectRequest(bucket=BUCKET, key=name)).headers, None)

    def delete(self, name):
        self._told(self.client.delete_object, oss_v2.DeleteObjectRequest(bucket=BUCKET, key=name))

    def copy(self, source, target):
        self._told(
            self.client.copy_object, oss_v2.CopyObjectRequest(bucket=BUCKET, key=target, source_key=source))

    def presign_get(self, name, expires=60, **overrides):
        if "x_oss_process" in overrides:
            overrides["process"] = overrides.pop("x_oss_process")
        return self._presign(oss_v2.GetObjectRequest(bucket=BUCKET, key=name, **overrides), expires)

    def presign_put(self, name, content_type=None, metadata=(), expires=60):
        return self._presign(oss_v2.PutObjectRequest(
            bucket=BUCKET, key=name, content_type=content_type, metadata=dict(metadata)), expires)

    def _presign(self, request, expires):
        presigned = self.client.presign(request, expires=timedelta(seconds=expires))
        return Presigned(presigned.url, dict(presigned.signed_headers or {}))

    @staticmethod
    def _told(call, request):
        try:
            return call(request)
        except oss_v2.exceptions.OperationError as raised:
            error = raised.unwrap()
            if not isinstance(error, oss_v2.exceptions.ServiceError):
                raise
            raise Refused(error.status_code, error.code, error.ec, error.request_id, str(error)) from raised


VENDORS = (Older, Newer)


def dashed(names):
    """Names of headers or parameters, from Python's spelling."""
    return {name.replace("_", "-"): value for name, value in names.items()}
