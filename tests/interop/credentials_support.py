"""What the tests of credentials share: clouds with settings, the vendor's client led to them, and our providers."""

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import subprocess
import urllib.parse
from unittest import mock

from alibabacloud_credentials.http import HttpOptions
from Tea.core import TeaCore

from support import CLOUD, Key, rpc_call

SUBJECT = os.environ["INTEROP_SUBJECT"]
# Hosts that stand in the vendor's code.
METADATA_HOST = "http://100.100.100.200"
STS_HOST = "https://sts.aliyuncs.com"
SESSION = "interop-session"
# It writes down every refusal, three times and with its stack; the tests look at the exception.
logging.getLogger("credentials").disabled = True


class Cloud:
    """A local cloud with settings of its own, given as the program's arguments."""

    def __init__(self, *arguments):
        self._arguments = arguments

    def __enter__(self):
        command = [os.environ["OSS_TESTKIT"], "--json", *self._arguments]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        return json.loads(self._process.stdout.readline())

    def __exit__(self, *raised):
        self._process.terminate()
        self._process.wait(timeout=10)
        self._process.stdout.close()


@contextlib.contextmanager
def led_to(cloud):
    """Lets the vendor's client send what it sends to its hosts to the local cloud; all else is as it made it."""
    hosts = {
        METADATA_HOST: cloud["ALIBABA_CLOUD_ECS_METADATA_SERVICE_ENDPOINT"],
        STS_HOST: cloud["ALIBABA_CLOUD_STS_ENDPOINT"],
    }
    compose = TeaCore.compose_url

    def composed(request):
        url = urllib.parse.urlsplit(compose(request))
        origin = f"{url.scheme}://{url.netloc}"
        return hosts.get(origin, origin) + url._replace(scheme="", netloc="").geturl()

    with mock.patch.object(TeaCore, "compose_url", staticmethod(composed)):
        yield


def quick():
    """Time limits of the vendor's client, for a host that is known not to answer."""
    return HttpOptions(connect_timeout=1000, read_timeout=200)


def theirs(provider, cloud=CLOUD, asynchronous=False):
    """What the vendor's provider gets from the cloud."""
    with led_to(cloud):
        if asynchronous:
            return asyncio.run(provider.get_credentials_async())
        return provider.get_credentials()


def key_of(credentials):
    return Key(
        credentials.get_access_key_id(), credentials.get_access_key_secret(), credentials.get_security_token())


def identity(credentials, cloud=CLOUD):
    """What the subject prints of its credentials, of the vendor's."""
    key = key_of(credentials)
    address = urllib.parse.urlsplit(cloud["ALIBABA_CLOUD_STS_ENDPOINT"]).netloc
    caller = rpc_call(key, "GetCallerIdentity", address=address)
    return {
        "access_key_id": key.id,
        "secret_sha256": hashlib.sha256(key.secret.encode()).hexdigest(),
        "token_sha256": hashlib.sha256(key.token.encode()).hexdigest(),
        "expires_at": credentials.get_expiration(),
        "arn": caller["Arn"],
        "account": caller["AccountId"],
    }


class Refused(Exception):
    """Our provider failed; `told` is what it said."""

    def __init__(self, told):
        super().__init__(told["text"])
        self.told = told


def ours(provider, cloud=CLOUD, **variables):
    """What our provider gets from the cloud, set up by variables alone."""
    environment = {name: value for name, value in {**cloud, **variables}.items() if value is not None}
    done = subprocess.run(
        [SUBJECT, provider], env=environment, stdout=subprocess.PIPE, text=True, timeout=60, check=False)
    answer = json.loads(done.stdout)
    if done.returncode:
        raise Refused(answer)
    return answer
