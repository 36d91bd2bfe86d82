"""The vendor's default chain in many surroundings: it reads a JSON array of them, and prints what is found in each.

Each chain gets a process of its own: the vendor's package reads variables once, and some of its threads never end.
"""

import importlib
import json
import logging
import multiprocessing
import os
import sys
import urllib.parse
from unittest import mock

from alibabacloud_credentials.client import Client
from alibabacloud_credentials.exceptions import CredentialException
from alibabacloud_credentials.utils import auth_constant, auth_util
from Tea.core import TeaCore

# As many of them wait for an answer that never comes.
AT_ONCE = 4


def led(hosts, asked):
    """Sends to the local cloud what goes to the hosts in the vendor's code; all else is as it made it."""
    compose = TeaCore.compose_url

    def composed(request):
        url = urllib.parse.urlsplit(compose(request))
        origin = f"{url.scheme}://{url.netloc}"
        if origin not in hosts and url.hostname != "127.0.0.1":
            raise ConnectionError("there is no such host")
        asked.append(origin)
        return hosts.get(origin, origin) + url._replace(scheme="", netloc="").geturl()

    return mock.patch.object(TeaCore, "compose_url", staticmethod(composed))


def outcome(run):
    kept = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
    os.environ.clear()
    os.environ.update({**kept, **run["variables"]})
    # Where the package keeps the variables that it read when it was imported.
    importlib.reload(auth_util)
    importlib.reload(auth_constant)
    asked = []
    with led(run["hosts"], asked):
        try:
            found = Client().get_credential()
        except CredentialException as error:
            return {"text": error.message}
    return {
        "name": found.provider_name,
        "access_key_id": found.access_key_id,
        "secret": found.access_key_secret,
        "token": found.security_token,
        "hosts": asked,
    }


def main():
    logging.getLogger("credentials").disabled = True
    runs = json.load(sys.stdin)
    with multiprocessing.get_context("fork").Pool(AT_ONCE, maxtasksperchild=1) as pool:
        json.dump(pool.map(outcome, runs, chunksize=1), sys.stdout)


if __name__ == "__main__":
    main()
