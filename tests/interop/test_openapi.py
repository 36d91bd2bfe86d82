"""The vendor's OpenAPI client beside acs-client: the same request has the same signature, and both are understood."""

import http.server
import json
import os
import subprocess
import threading
import unittest
import urllib.parse

from alibabacloud_tea_openapi.client import Client
from alibabacloud_tea_openapi.exceptions import ClientException
from alibabacloud_tea_openapi.utils import Utils
from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
from darabonba.request import DaraRequest
from darabonba.runtime import RuntimeOptions

from support import CLOUD, LONG_TERM, Key, REGION, rpc_assume_role

TEMPORARY = Key("STS.NTInteropExample", "interop-secret-of-a-session", "interop-token+/==")
TRICKY = {"Name": "a b/c+d~*%25", "Title": "报告 ünï", "Empty": ""}
ALGORITHM = "ACS3-HMAC-SHA256"


class Recorder:
    """A server that accepts everything and keeps what it was sent."""

    def __enter__(self):
        requests = self.requests = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                length = int(self.headers.get("content-length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                requests.append((self.command, self.path, headers, self.rfile.read(length)))
                body = b'{"RequestId": "R-1"}'
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *arguments):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.address = "127.0.0.1:%d" % self._server.server_address[1]
        return self

    def __exit__(self, *raised):
        self._server.shutdown()
        self._server.server_close()


def ours(address, key, action, **call):
    """A call by acs-client: whether it succeeded, and its response or error."""
    told = {
        "endpoint": "http://" + address, "product": "ecs", "version": "2014-05-26", "key": list(key),
        "signature": "acs3", "action": action, "style": "RPC", "method": "POST", "path": "/", "query": [],
        "form": [], "headers": [], "json": None, **call,
    }
    done = subprocess.run(
        [os.environ["OPENAPI_SUBJECT"]], input=json.dumps(told), stdout=subprocess.PIPE, text=True, timeout=60)
    return done.returncode == 0, json.loads(done.stdout)


def theirs(address, key, action, version="2014-05-26", style="RPC", method="POST", path="/", query=None,
           form=None, body=None, body_type="json"):
    """A call by the vendor's client: the body of the response."""
    client = Client(Config(
        access_key_id=key.id, access_key_secret=key.secret, security_token=key.token, endpoint=address,
        protocol="http", region_id=REGION))
    params = Params(
        action=action, version=version, protocol="HTTP", method=method, auth_type="AK", style=style,
        pathname=path, req_body_type="json" if body is not None else "formData", body_type=body_type)
    request = OpenApiRequest(query=query or {}, body=body if body is not None else form)
    return client.call_api(params, request, RuntimeOptions(autoretry=False))["body"]


class SameSignature(unittest.TestCase):
    """Our request is recorded, and signed again by the vendor's client, with the time and nonce that it has."""

    def compare(self, key, action, **call):
        with Recorder() as recorder:
            pairs = {
                name: [list(pair) for pair in call.get(name, {}).items()] for name in ("query", "form")
            }
            told = {name: call[name] for name in ("style", "method", "path") if name in call}
            accepted, outcome = ours(recorder.address, key, action, json=call.get("body"), **pairs, **told)
            self.assertTrue(accepted, outcome)
            theirs(recorder.address, key, action, **call)
            mine, reference = recorder.requests
        self.assertEqual(self.content(mine), self.content(reference))
        self.assertEqual(mine[2]["authorization"], self.signed_by_them(key, mine))

    def content(self, request):
        """What is asked for: their client adds headers of its own, and writes a space in another way."""
        method, target, headers, body = request
        parsed = urllib.parse.urlsplit(target)
        every = {"keep_blank_values": True}
        kind = headers.get("content-type")
        if kind == "application/x-www-form-urlencoded":
            body = urllib.parse.parse_qsl(body.decode(), **every)
        names = ("x-acs-action", "x-acs-version", "x-acs-security-token", "accept")
        query = sorted(urllib.parse.parse_qsl(parsed.query, **every))
        return method, parsed.path, query, [headers.get(name) for name in names], kind, body

    def signed_by_them(self, key, request):
        method, target, headers, body = request
        parsed = urllib.parse.urlsplit(target)
        # Their client signs each header that it is given; which have to be, the service decides.
        must = [name for name in headers if name.startswith("x-acs-") or name in ("host", "content-type")]
        again = DaraRequest()
        again.method, again.pathname = method, parsed.path
        again.query = dict(urllib.parse.parse_qsl(parsed.query, keep_blank_values=True))
        again.headers = {name: headers[name] for name in must}
        payload = Utils.hash(body, ALGORITHM).hex()
        self.assertEqual(headers["x-acs-content-sha256"], payload)
        return Utils.get_authorization(again, ALGORITHM, payload, key.id, key.secret)

    def test_rpc(self):
        for key in (LONG_TERM, TEMPORARY):
            with self.subTest(key=key.id):
                self.compare(key, "DescribeRegions", query={"AcceptLanguage": "en-US"})
                self.compare(key, "DescribeInstances", query=TRICKY)

    def test_rpc_with_a_form(self):
        self.compare(LONG_TERM, "TagResources", query={"RegionId": REGION}, form={"Key": "a b/报告~*"})

    def test_roa(self):
        for key in (LONG_TERM, TEMPORARY):
            with self.subTest(key=key.id):
                self.compare(key, "DescribeClusters", style="ROA", method="GET", path="/clusters")
                self.compare(
                    key, "DescribeClusterDetail", style="ROA", method="GET", path="/clusters/c%201", query=TRICKY)
                self.compare(key, "DeleteCluster", style="ROA", method="DELETE", path="/clusters/c1")

    def test_roa_with_json(self):
        self.compare(
            LONG_TERM, "ModifyCluster", style="ROA", method="PUT", path="/api/v2/clusters/c1",
            body={"api_server_eip": True})


class LocalCloud(unittest.TestCase):
    """Both against the local cloud, which checks the signatures."""

    def test_regions_of_ecs(self):
        address = urllib.parse.urlsplit(CLOUD["ALIBABA_CLOUD_ECS_ENDPOINT"]).netloc
        expected = theirs(address, LONG_TERM, "DescribeRegions")["Regions"]["Region"]
        self.assertTrue(expected)
        for key in (LONG_TERM, rpc_assume_role(LONG_TERM)):
            for signature in ("acs3", "rpc"):
                with self.subTest(key=key.id, signature=signature):
                    accepted, body = ours(address, key, "DescribeRegions", signature=signature)
                    self.assertTrue(accepted, body)
                    self.assertEqual(body["Regions"]["Region"], expected)

    def test_a_policy_of_ram(self):
        address = urllib.parse.urlsplit(CLOUD["ALIBABA_CLOUD_RAM_ENDPOINT"]).netloc
        query = {"PolicyName": "AliyunOSSReadOnlyAccess", "PolicyType": "System"}
        expected = theirs(address, LONG_TERM, "GetPolicy", version="2015-05-01", query=query)
        self.assertEqual(expected["Policy"]["PolicyName"], query["PolicyName"])
        accepted, body = ours(
            address, LONG_TERM, "GetPolicy", version="2015-05-01", query=[list(pair) for pair in query.items()])
        self.assertTrue(accepted, body)
        self.assertEqual(body["DefaultPolicyVersion"], expected["DefaultPolicyVersion"])

    def test_container_clusters(self):
        address = urllib.parse.urlsplit(CLOUD["ALIBABA_CLOUD_CS_ENDPOINT"]).netloc
        roa = {"version": "2015-12-15", "style": "ROA", "method": "GET", "path": "/clusters"}
        for key in (LONG_TERM, rpc_assume_role(LONG_TERM)):
            with self.subTest(key=key.id):
                expected = theirs(address, key, "DescribeClusters", body_type="array", **roa)
                accepted, body = ours(address, key, "DescribeClusters", **roa)
                self.assertTrue(accepted, body)
                self.assertEqual(body, expected)

    def test_a_wrong_secret_is_refused_alike(self):
        address = urllib.parse.urlsplit(CLOUD["ALIBABA_CLOUD_ECS_ENDPOINT"]).netloc
        wrong = LONG_TERM.with_wrong_secret()
        with self.assertRaises(ClientException) as raised:
            theirs(address, wrong, "DescribeRegions")
        accepted, error = ours(address, wrong, "DescribeRegions")
        self.assertFalse(accepted)
        self.assertEqual(error["code"], raised.exception.code)
        self.assertEqual(error["code"], "SignatureDoesNotMatch")
        masked = wrong.id[:4] + "****" + wrong.id[-4:]
        self.assertIn(f"(key {masked} from env)", error["text"])
