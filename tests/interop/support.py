"""What the interop tests share: the running cloud, clients of each kind, and plain HTTP."""

import base64
import contextlib
import datetime
import http.client
import json
import os
import subprocess
import tempfile
import types
import urllib.parse
from typing import NamedTuple, Optional
from unittest import mock

import alibabacloud_oss_v2 as oss_v2
import oss2
from alibabacloud_sts20150401 import models as sts_models
from alibabacloud_sts20150401.client import Client as StsClient
from alibabacloud_tea_openapi.utils_models import Config as StsConfig
from aliyunsdkcore.auth.credentials import StsTokenCredential
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import RpcRequest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12


class Key(NamedTuple):
    """An AccessKey, with a token if it is temporary."""

    id: str
    secret: str
    token: Optional[str] = None

    def with_wrong_secret(self):
        return self._replace(secret="X" + self.secret[1:])

    def with_wrong_token(self):
        return self._replace(token="X" + self.token[1:])


# The variables that `oss-testkit --json` printed; the run script puts them here.
CLOUD = json.loads(os.environ["OSS_TESTKIT_JSON"])
LONG_TERM = Key(CLOUD["OSS_ACCESS_KEY_ID"], CLOUD["OSS_ACCESS_KEY_SECRET"])
UNKNOWN = Key("LTAI5tNobodyKnows", "nobody-knows-this-secret")
BUCKET = CLOUD["OSS_BUCKET"]
REGION = CLOUD["OSS_REGION"]
OSS_ENDPOINT = CLOUD["OSS_ENDPOINT"]
STS_ADDRESS = urllib.parse.urlsplit(CLOUD["ALIBABA_CLOUD_STS_ENDPOINT"]).netloc
ROLE_ARN = CLOUD["ALIBABA_CLOUD_ROLE_ARN"]
KMS_ADDRESS = urllib.parse.urlsplit(CLOUD["ALIBABA_CLOUD_KMS_ENDPOINT"]).netloc
KMS_INSTANCE_ADDRESS = urllib.parse.urlsplit(CLOUD["ALIBABA_CLOUD_KMS_INSTANCE_ENDPOINT"]).netloc
SECRET_NAME = CLOUD["secret_names"]
CLIENT_KEY = CLOUD["client_key_private_key_path"]
with open(CLOUD["client_key_password_from_file_path"], encoding="ascii") as password:
    CLIENT_KEY_PASSWORD = password.read()

TRICKY_KEYS = [
    "plain.txt",
    "a b/c+d.txt",
    "100%/50%25.txt",
    "报告 – ünï/文件.txt",
    "quote'\"&<>;=?#*~!@$().txt",
    "a//b/",
    " leading and trailing ",
]


def clock_moved_by(seconds, module):
    """Lets an OSS client's signer read another time; the client's own code is run otherwise."""

    class Moved(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return super().now(tz) + datetime.timedelta(seconds=seconds)

        @classmethod
        def utcnow(cls):
            return cls.now(datetime.timezone.utc).replace(tzinfo=None)

    # One client imports the class, the other the module.
    module_like = types.SimpleNamespace(
        datetime=Moved, timedelta=datetime.timedelta, timezone=datetime.timezone)
    return mock.patch(module + ".datetime", Moved if module == "oss2.auth" else module_like)


class CloudOfEndedSessions:
    """A second local cloud, whose temporary keys have ended when they are issued."""

    def __enter__(self):
        self._process = subprocess.Popen(
            [os.environ["OSS_TESTKIT"], "--json", "--session-seconds", "0"], stdout=subprocess.PIPE, text=True)
        cloud = json.loads(self._process.stdout.readline())
        self.oss_endpoint = cloud["OSS_ENDPOINT"]
        self.sts_address = urllib.parse.urlsplit(cloud["ALIBABA_CLOUD_STS_ENDPOINT"]).netloc
        long_term = Key(cloud["OSS_ACCESS_KEY_ID"], cloud["OSS_ACCESS_KEY_SECRET"])
        self.ended_key = rpc_assume_role(long_term, address=self.sts_address)
        return self

    def __exit__(self, *raised):
        self._process.terminate()
        self._process.wait(timeout=10)
        self._process.stdout.close()


def oss2_auth(key, version="v4"):
    """A signer of the older client."""
    provider = oss2.credentials.StaticCredentialsProvider(key.id, key.secret, key.token or "")
    return oss2.ProviderAuth(provider) if version == "v1" else oss2.ProviderAuthV4(provider)


def oss2_bucket(key, endpoint=OSS_ENDPOINT, region=REGION, version="v4", name=BUCKET):
    """A bucket of the older client."""
    return oss2.Bucket(oss2_auth(key, version), endpoint, name, region=region)


def oss_v2_client(key, endpoint=OSS_ENDPOINT, region=REGION, **settings):
    """The newer client; it makes one attempt, so that a refusal is seen as it came."""
    config = oss_v2.config.load_default()
    config.credentials_provider = oss_v2.credentials.StaticCredentialsProvider(key.id, key.secret, key.token)
    config.region = region
    config.endpoint = endpoint
    config.retry_max_attempts = 1
    for name, value in settings.items():
        setattr(config, name, value)
    return oss_v2.Client(config)


def oss_v2_error(test, call, *arguments):
    """The service's error that a call of the newer client ends with."""
    with test.assertRaises(oss_v2.exceptions.OperationError) as raised:
        call(*arguments)
    error = raised.exception.unwrap()
    test.assertIsInstance(error, oss_v2.exceptions.ServiceError)
    return error


def acs3_client(key, address=STS_ADDRESS):
    """The generated STS client, which signs with ACS3-HMAC-SHA256."""
    return StsClient(StsConfig(
        access_key_id=key.id,
        access_key_secret=key.secret,
        security_token=key.token,
        endpoint=address,
        protocol="http",
        region_id=REGION,
    ))


def acs3_assume_role(key, duration=900, role_arn=ROLE_ARN, session="interop-session"):
    """AssumeRole by the generated client."""
    request = sts_models.AssumeRoleRequest(
        role_arn=role_arn, role_session_name=session, duration_seconds=duration)
    credentials = acs3_client(key).assume_role(request).body.credentials
    return Key(credentials.access_key_id, credentials.access_key_secret, credentials.security_token)


def rpc_call(key, action, method="POST", form=False, address=STS_ADDRESS, **parameters):
    """A call by the core client, which signs in the RPC form."""
    if key.token:
        client = AcsClient(region_id=REGION, credential=StsTokenCredential(key.id, key.secret, key.token))
    else:
        client = AcsClient(key.id, key.secret, REGION)
    request = RpcRequest("Sts", "2015-04-01", action)
    request.set_endpoint(address)
    request.set_method(method)
    request.set_protocol_type("http")
    add = request.add_body_params if form else request.add_query_param
    for name, value in parameters.items():
        add(name, value)
    return json.loads(client.do_action_with_exception(request))


def rpc_assume_role(key, duration=900, role_arn=ROLE_ARN, session="interop-session", **how):
    """AssumeRole by the core client."""
    answer = rpc_call(
        key, "AssumeRole", RoleArn=role_arn, RoleSessionName=session, DurationSeconds=duration, **how)
    credentials = answer["Credentials"]
    return Key(credentials["AccessKeyId"], credentials["AccessKeySecret"], credentials["SecurityToken"])


class Answer(NamedTuple):
    """What plain HTTP got back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


def plain_http(method, url, body=None, headers=None):
    """Sends the URL as it is, with no headers but those a client must send."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    try:
        connection.request(method, parts.path + "?" + parts.query, body=body, headers=headers or {})
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def control(path, *flags, body="", **query):
    """A request to the control port of the local cloud."""
    target = CLOUD["OSS_TESTKIT_CONTROL"] + path + "?" + urllib.parse.urlencode(query)
    for flag in flags:
        target += "&" + flag
    answer = plain_http("POST", target, body.encode(), {"oss-testkit-control": "1"})
    if answer.status != 200:
        raise RuntimeError(f"{target}: {answer.status} {answer.body}")
    return answer.body


@contextlib.contextmanager
def another_client_key(key_id=None):
    """The file of a client key that the local cloud does not know, under the id of the one that it does."""
    with open(CLIENT_KEY, encoding="utf-8") as own:
        key_id = key_id or json.load(own)["KeyId"]
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    data = pkcs12.serialize_key_and_certificates(
        None, key, None, None, BestAvailableEncryption(CLIENT_KEY_PASSWORD.encode()))
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"KeyId": key_id, "PrivateKeyData": base64.b64encode(data).decode()}, file)
        file.flush()
        yield file.name
