"""Form uploads to the local OSS, signed as the vendor's page on V4 signatures of PostObject describes.

No official client builds such forms: policy and signature are made here with the standard library, and the form is
sent by the HTTP library that the vendor's own sample uses.
"""

import base64
import datetime
import hashlib
import hmac
import json
import unittest

import oss2
import requests

from support import BUCKET, LONG_TERM, OSS_ENDPOINT, REGION, UNKNOWN, acs3_assume_role, oss2_bucket

ALGORITHM = "OSS4-HMAC-SHA256"


def digest(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Form:
    """The fields of a form, and how they are signed."""

    def __init__(self, signer, **fields):
        self.key = signer
        self.now = datetime.datetime.now(datetime.timezone.utc)
        self.region = REGION
        self.lifetime = datetime.timedelta(minutes=10)
        self.fields = {"key": "post/${filename}", **fields}
        self.conditions = [{"bucket": BUCKET}]

    def signed(self):
        day, time = self.now.strftime("%Y%m%d"), self.now.strftime("%Y%m%dT%H%M%SZ")
        fields = dict(self.fields)
        fields["x-oss-signature-version"] = ALGORITHM
        fields["x-oss-credential"] = f"{self.key.id}/{day}/{self.region}/oss/aliyun_v4_request"
        fields["x-oss-date"] = time
        if self.key.token:
            fields["x-oss-security-token"] = self.key.token
        bound = [{name: value} for name, value in fields.items() if name.startswith("x-oss-")]
        policy = base64.b64encode(json.dumps({
            "expiration": (self.now + self.lifetime).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "conditions": self.conditions + bound,
        }).encode()).decode()
        signing_key = ("aliyun_v4" + self.key.secret).encode()
        for part in (day, self.region, "oss", "aliyun_v4_request"):
            signing_key = digest(signing_key, part)
        fields["policy"] = policy
        fields["x-oss-signature"] = digest(signing_key, policy).hex()
        return fields

    def send(self, body=b"content", file_name="a b.txt", content_type="text/x-file", fields=None):
        files = {"file": (file_name, body, content_type)}
        return requests.post(
            f"{OSS_ENDPOINT}/{BUCKET}", data=fields or self.signed(), files=files, allow_redirects=False, timeout=10)


class Forms(unittest.TestCase):
    def refused(self, status, code, answer, ec=None):
        self.assertEqual(answer.status_code, status, answer.text)
        self.assertIn(f"<Code>{code}</Code>", answer.text)
        if ec:
            self.assertIn(f"<EC>{ec}</EC>", answer.text)
        return answer.text

    def stored(self, name):
        return oss2_bucket(LONG_TERM).get_object(name)

    def test_a_file_is_stored_with_both_kinds_of_keys(self):
        for key in (LONG_TERM, acs3_assume_role(LONG_TERM)):
            with self.subTest(temporary=bool(key.token)):
                form = Form(key, **{"x-oss-meta-by": "form", "Cache-Control": "no-cache"})
                answer = form.send(body=key.id.encode(), file_name="图 +%.txt")
                self.assertEqual((answer.status_code, answer.content), (204, b""))
                got = self.stored("post/图 +%.txt")
                self.assertEqual(got.read(), key.id.encode())
                self.assertEqual(got.headers["Content-Type"], "text/x-file")
                self.assertEqual(got.headers["x-oss-meta-by"], "form")
                self.assertEqual(got.headers["Cache-Control"], "no-cache")
                self.assertEqual(answer.headers["ETag"], got.headers["ETag"])

    def test_the_answer_is_as_the_form_asks(self):
        for status in ("200", "201", "204"):
            answer = Form(LONG_TERM, key="post/answer", success_action_status=status).send()
            self.assertEqual(answer.status_code, int(status))
            self.assertEqual("<Key>post/answer</Key>" in answer.text, status == "201")
        self.assertEqual(Form(LONG_TERM, success_action_status="500").send().status_code, 204)
        answer = Form(LONG_TERM, key="post/a b", success_action_redirect="http://example.com/done?x=1").send()
        etag = self.stored("post/a b").headers["ETag"].replace('"', "%22")
        self.assertEqual(answer.status_code, 303)
        self.assertEqual(
            answer.headers["Location"],
            f"http://example.com/done?x=1&bucket={BUCKET}&etag={etag}&key=post%2Fa%20b")

    def test_conditions_are_enforced(self):
        good = [
            ["eq", "$success_action_status", "200"],
            ["starts-with", "$key", "post/"],
            ["in", "$content-type", ["text/x-file", "text/plain"]],
            ["not-in", "$cache-control", ["no-cache"]],
            ["content-length-range", 1, 7],
            {"key": "post/a b.txt"},
        ]
        form = Form(LONG_TERM, success_action_status="200")
        form.conditions += good
        self.assertEqual(form.send().status_code, 200)
        for bad in (
                {"bucket": "another-bucket"},
                {"key": "post/other"},
                ["eq", "$key", "post/other"],
                ["starts-with", "$key", "other/"],
                ["in", "$content-type", ["image/png"]],
                ["not-in", "$content-type", ["text/x-file"]],
                ["eq", "$x-oss-meta-absent", "1"],
        ):
            with self.subTest(condition=bad):
                form = Form(LONG_TERM)
                form.conditions.append(bad)
                text = self.refused(403, "AccessDenied", form.send(), "0006-00000227")
                self.assertIn("Invalid according to Policy: Policy Condition failed:", text)
        for range, code, ec in (
                ([8, 9], "EntityTooSmall", "0006-00000004"), ([1, 6], "EntityTooLarge", "0006-00000003")):
            form = Form(LONG_TERM)
            form.conditions.append(["content-length-range", *range])
            self.refused(400, code, form.send(), ec)

    def test_what_is_no_policy_is_refused(self):
        for bad in (["eq", "$key"], ["about", "$key", "x"], ["content-length-range", 2, 1], "text", {},
                    ["in", "$key", "no list"], ["content-length-range", 0, "1"]):
            with self.subTest(condition=bad):
                form = Form(LONG_TERM)
                form.conditions.append(bad)
                self.refused(400, "InvalidPolicyDocument", form.send())

    def test_an_expired_policy_is_refused(self):
        form = Form(LONG_TERM)
        form.lifetime = datetime.timedelta(seconds=-1)
        self.assertIn("Policy expired.", self.refused(403, "AccessDenied", form.send(), "0006-00000213"))

    def test_times_out_of_reach_are_refused(self):
        for away in (datetime.timedelta(minutes=16), datetime.timedelta(days=-7, minutes=-1)):
            form = Form(LONG_TERM)
            form.now += away
            form.lifetime = datetime.timedelta(days=8)
            self.refused(403, "RequestTimeTooSkewed", form.send())

    def test_changes_after_signing_are_refused(self):
        fields = Form(LONG_TERM).signed()
        changed = base64.b64decode(fields["policy"]).decode().replace(BUCKET, "other")
        fields["policy"] = base64.b64encode(changed.encode()).decode()
        self.refused(403, "SignatureDoesNotMatch", Form(LONG_TERM).send(fields=fields), "0002-00000705")

    def test_wrong_keys_are_refused(self):
        self.refused(403, "SignatureDoesNotMatch", Form(LONG_TERM.with_wrong_secret()).send())
        self.refused(403, "InvalidAccessKeyId", Form(UNKNOWN).send())
        temporary = acs3_assume_role(LONG_TERM)
        for wrong in (temporary.with_wrong_token(), temporary._replace(token=None)):
            self.refused(403, "InvalidSecurityToken", Form(wrong).send())
        form = Form(LONG_TERM)
        form.region = "cn-beijing"
        self.refused(400, "InvalidArgument", form.send())

    def test_a_form_without_a_signature_or_file_is_refused(self):
        form = Form(LONG_TERM)
        self.refused(403, "AccessDenied", form.send(fields=form.fields))
        answer = requests.post(f"{OSS_ENDPOINT}/{BUCKET}", files={
            name: (None, value) for name, value in form.signed().items()}, timeout=10)
        self.refused(400, "IncorrectNumberOfFilesInPOSTRequest", answer)

    def test_nothing_is_overwritten_if_the_form_forbids_it(self):
        oss2_bucket(LONG_TERM).put_object("post/kept", b"kept")
        form = Form(LONG_TERM, key="post/kept", **{"x-oss-forbid-overwrite": "true"})
        self.refused(409, "FileAlreadyExists", form.send())
        self.assertEqual(self.stored("post/kept").read(), b"kept")

    def test_a_refused_form_stores_nothing(self):
        form = Form(LONG_TERM, key="post/never")
        form.conditions.append({"key": "post/other"})
        form.send()
        self.assertRaises(oss2.exceptions.NoSuchKey, self.stored, "post/never")


if __name__ == "__main__":
    unittest.main()
