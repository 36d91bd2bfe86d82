"""Surroundings for default chains: files, variables and services; and what chains find there, in the same words."""

import hashlib
import http.server
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from typing import NamedTuple, Optional

from credentials_support import METADATA_HOST, STS_HOST, SUBJECT
from support import Key, rpc_call

STS_HOSTS = (STS_HOST, "https://sts.cn-hangzhou.aliyuncs.com", "https://sts-vpc.cn-hangzhou.aliyuncs.com")
LOGIN_HOSTS = ("https://signin-cn-shanghai.alibabacloudsso.com", "https://oauth.aliyun.com")


class Case(NamedTuple):
    """Surroundings, and what comes of them.

    In variables and files `$HOME` is the home directory, `$OTHER` the origin of `OtherServices`, `$AUTHORITY` its
    host and port, `$NOBODY` an origin where nobody listens. A file without text is a folder.
    """

    name: str
    # What the vendor's chain brings.
    vendor: str
    variables: dict = {}
    files: dict = {}
    # Where instance metadata is: the name of one of the `Places`.
    metadata: str = "nobody"
    # What our chain brings, if that is something else; and by which of the reasons in docs/default-chain.md.
    ours: Optional[str] = None
    why: Optional[str] = None
    # What our chain brings in the mode that follows the vendor's, if that is something else still.
    parity: Optional[str] = None

    def expected(self):
        """Of the vendor's chain, ours, and ours that follows the vendor's."""
        return self.vendor, self.ours or self.vendor, self.parity or self.vendor


def document(key_id, token="token", ends=3600, **changed):
    """What a credentials URI answers with."""
    end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + ends))
    keys = {"AccessKeyId": key_id, "AccessKeySecret": "secret", "SecurityToken": token, "Expiration": end}
    known = {"Code": "Success", **keys, **changed}
    return {name: value for name, value in known.items() if value is not None}


class OtherServices(http.server.BaseHTTPRequestHandler):
    """Services that the local cloud does not have, or not as bad as this."""

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        answers = {
            "/uri": document("STS.EXAMPLE-URI"),
            "/uri/without-code": document("STS.EXAMPLE-URI", Code=None),
            "/uri/failed": document("STS.EXAMPLE-URI", Code="Failed"),
            "/uri/without-end": document("STS.EXAMPLE-URI", Expiration=None),
            "/uri/fraction": document("STS.EXAMPLE-URI", Expiration="2099-01-01T00:00:00.5Z"),
            "/uri/offset": document("STS.EXAMPLE-URI", Expiration="2099-01-01T08:00:00+08:00"),
            "/uri/empty-token": document("STS.EXAMPLE-URI", token=""),
            "/uri/ended": document("STS.EXAMPLE-URI", ends=-60),
        }
        if url.path == "/uri/query" and url.query == "k=1&k=2&empty=":
            self.answer(200, document("STS.EXAMPLE-URI"))
        elif url.path == "/uri/password" and self.headers["Authorization"] == "Basic dXNlcjpwYXNz":
            self.answer(200, document("STS.EXAMPLE-URI"))
        elif url.path == "/uri/moved":
            self.answer(302, {}, Location="/uri")
        elif url.path in answers:
            self.answer(200, answers[url.path])
        else:
            self.answer(500, {"Code": "InternalError"})

    # Nor tokens of instance metadata.
    do_PUT = do_GET

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        bearer = (self.headers["Authorization"] or "").removeprefix("Bearer ")
        if self.path == "/cloud-credentials" and bearer == "login":
            asked = json.loads(body)
            key_id = f"STS.EXAMPLE-{asked['AccountId']}-{asked['AccessConfigurationId']}"
            self.answer(200, {"CloudCredential": document(key_id, Code=None), "RequestId": "R-1"})
        elif self.path == "/v1/exchange" and bearer in ("login", "renewed"):
            self.answer(200, document(f"STS.EXAMPLE-{bearer}", Code=None))
        elif self.path == "/v1/exchange" and bearer == "camel":
            known = document("STS.EXAMPLE-camel", Code=None)
            self.answer(200, {name[0].lower() + name[1:]: value for name, value in known.items()})
        elif self.path == "/v1/token" and "refresh_token=again" in body:
            self.answer(200, {"access_token": "renewed", "refresh_token": "next", "expires_in": 10800})
        else:
            self.answer(403, {"ErrorCode": "Forbidden", "error": "expired_token"})

    def answer(self, status, body, **headers):
        body = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": len(body), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *what):
        """Nothing is logged."""


class Places:
    """Where services are."""

    def __init__(self, clouds):
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), OtherServices)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.other = f"http://127.0.0.1:{self._server.server_port}"
        # Nobody else gets its port, and nobody listens there.
        self._nobody = socket.socket()
        self._nobody.bind(("127.0.0.1", 0))
        # Connections are made, and nothing ever comes.
        self._silent = socket.create_server(("127.0.0.1", 0))
        self._clouds = clouds
        self.metadata = {
            **{name: cloud["ALIBABA_CLOUD_ECS_METADATA_SERVICE_ENDPOINT"] for name, cloud in clouds.items()},
            "nobody": "http://127.0.0.1:%d" % self._nobody.getsockname()[1],
            "silent": "http://127.0.0.1:%d" % self._silent.getsockname()[1],
            "failing": self.other,
        }

    def sts(self, metadata):
        """Of the cloud whose metadata this is."""
        return self._clouds.get(metadata, self._clouds["instance"])["ALIBABA_CLOUD_STS_ENDPOINT"]

    def hosts(self, metadata):
        """Where to go for the hosts in programs."""
        return {
            METADATA_HOST: self.metadata[metadata],
            **{host: self.sts(metadata) for host in STS_HOSTS},
            **{host: self.other for host in LOGIN_HOSTS},
        }

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._nobody.close()
        self._silent.close()


class Run:
    """One chain in the surroundings of a case, with a home directory of its own."""

    def __init__(self, case, folder, places):
        self._home, self._places = os.path.join(folder, "home"), places
        self._files = {name: text and self._filled(text) for name, text in case.files.items()}
        os.makedirs(self._home)
        for name, text in self._files.items():
            path = os.path.join(self._home, name)
            if text is None:
                os.makedirs(path)
                continue
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            # A file younger than a second may be half-written, which is another case.
            os.utime(path, (0, 0))
        variables = {name: self._filled(value) for name, value in case.variables.items()}
        self._metadata = case.metadata
        self.told = {
            "variables": {"HOME": self._home, **variables},
            "hosts": places.hosts(case.metadata),
            "sts": places.sts(case.metadata),
        }

    def _filled(self, text):
        known = {
            "$HOME": self._home,
            "$OTHER": self._places.other,
            "$AUTHORITY": self._places.other.removeprefix("http://"),
            "$NOBODY": self._places.metadata["nobody"],
        }
        for name, value in known.items():
            text = text.replace(name, value)
        return text

    def _written(self):
        """The files that are no more as they were."""
        changed = []
        for name, text in self._files.items():
            if text is not None:
                with open(os.path.join(self._home, name), encoding="utf-8", newline="") as file:
                    if file.read() != text:
                        changed.append(os.path.basename(name))
        return f"; writes {', '.join(changed)}" if changed else ""

    def theirs(self, found):
        """The vendor's outcome in our words, and the keys."""
        if "text" in found:
            return "nobody", None
        parts = found["name"].split("/")[1:]
        source = {"cli_profile": "cli", "profile": "ini"}.get(parts[0])
        if source:
            source += f" {THEIR_KINDS[parts[1]]}"
        else:
            source = THEIR_KINDS[parts[0]]
        key = Key(found["access_key_id"], found["secret"], found["token"])
        arn = self._arn(key)
        hashes = {"access_key_id": key.id, "secret_sha256": sha256(key.secret), "token_sha256": sha256(key.token)}
        return words(source, key.id, arn, key.token == "") + sts_host(found) + self._written(), hashes

    def _arn(self, key):
        if not key.id.startswith("STS.") or "EXAMPLE" in key.id:
            return ""
        address = urllib.parse.urlsplit(self._places.sts(self._metadata)).netloc
        return rpc_call(key, "GetCallerIdentity", address=address)["Arn"]

    def ours(self, found, parity):
        """Our outcome, and the keys."""
        if "text" in found:
            if found["kind"] == "no-provider" or parity:
                return "nobody", None
            return f"stops at {found['member']}: {found['kind']}", None
        source = {"oidc-rrsa": "oidc", "ecs-ram-role": "ecs"}.get(found["member"], found["member"])
        if source in ("profile", "ini"):
            is_cli = source == "profile" and "config.json" in (found["place"] or "config.json")
            source = ("cli " if is_cli else "ini ") + OUR_KINDS[found["source"]]
        hashes = {name: found[name] for name in ("access_key_id", "secret_sha256", "token_sha256")}
        return words(source, found["access_key_id"], found["arn"]) + sts_host(found) + self._written(), hashes


# What a profile has.
THEIR_KINDS = {
    "env": "env", "static_ak": "keys", "static_sts": "keys", "ram_role_arn": "role", "oidc_role_arn": "oidc",
    "ecs_ram_role": "ecs", "credential_uri": "uri", "external": "program", "cloud_sso": "keys", "oauth": "keys",
}
OUR_KINDS = {
    "profile": "keys", "sts-assume-role": "role", "oidc-rrsa": "oidc", "ecs-ram-role": "ecs", "uri": "uri",
    "process": "program",
}


def words(source, key_id, arn, is_token_empty=False):
    """Who answered, and whose keys: of a session its role and name, of an instance its role, else the key's id."""
    who = arn.split(":assumed-role/")[1] if ":assumed-role/" in arn else key_id
    who = re.sub("[0-9]{9,}$", "<time>", who.split("/i-osstestkit")[0])
    return f"{source}: {who}" + (", an empty token" if is_token_empty else "")


def sts_host(found):
    """The host of STS, if it is not the usual one."""
    hosts = [host for host in found["hosts"] if host in STS_HOSTS[1:]]
    return f" by {hosts[0].removeprefix('https://')}" if hosts else ""


def sha256(text):
    return text and hashlib.sha256(text.encode()).hexdigest()


def ask(program, runs):
    """What a program finds in all surroundings."""
    done = subprocess.run(
        program, input=json.dumps(runs), stdout=subprocess.PIPE, text=True, timeout=120, check=True)
    return json.loads(done.stdout)


def their_chains(runs):
    return ask([sys.executable, "-W", "ignore::DeprecationWarning", "chain_theirs.py"], runs)


def our_chains(runs):
    return ask([SUBJECT, "default-chain"], runs)
