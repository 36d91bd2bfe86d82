"""What a user does with the page of examples/token_vending, and what a user cannot do.

Runs inside `oss-testkit --`, which sets the variables of the local cloud. See run."""

import base64
import os
import pathlib
import subprocess
import tempfile
import time
import unittest
import urllib.request

from webdriver import Browser

# Not text, longer than one packet, and with a name that has to be escaped.
FORM_FILE = ("photo of the sea.bin", os.urandom(3 * 1024 * 1024 + 17))
PUT_FILES = [("notes +ü&%.txt", "a line\r\nand another\n".encode() * 500), ("small.bin", b"\x00\xff\r\n--")]

# Sends a request as the page's scripts do, and returns the status; 0 is a refusal by the browser.
SEND = """
const [method, url, headers, body] = arguments;
return fetch(url, { method, headers, body }).then((response) => response.status, () => 0);
"""
# Sends the form of the user who is logged in, for any key.
SEND_FORM = """
const [key, changes] = arguments;
return (async () => {
  const grant = await (await fetch("api/form", { method: "POST" })).json();
  const fields = new FormData();
  for (const [name, value] of Object.entries({ ...grant.forms[0].fields, ...changes })) fields.append(name, value);
  fields.append("key", key);
  fields.append("file", new Blob(["intruder"]));
  return (await fetch(grant.forms[0].url, { method: "POST", body: fields })).status;
})();
"""
# Requests URLs from the service, and returns its status and document.
ASK_UPLOADS = """
const [files] = arguments;
return fetch("api/uploads", { method: "POST", body: JSON.stringify(files) })
  .then(async (response) => [response.status, await response.json()]);
"""


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        command = [os.environ["TOKEN_VENDING"], "--port", "0", "--allow-this-origin"]
        cls.service = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        cls.addClassCleanup(cls.end_service)
        cls.url = cls.service.stdout.readline().removeprefix("open ").strip()
        cls.browser = Browser(pathlib.Path(cls.folder.name, "profile"))
        cls.addClassCleanup(cls.browser.close)

    @classmethod
    def end_service(cls):
        cls.service.terminate()
        cls.service.wait(10)

    def setUp(self):
        self.browser.open(self.url)
        self.browser.console()

    def log_in(self, user, password):
        self.browser.wait("the login", "return !document.getElementById('login').hidden")
        self.browser.type("#login-user", user)
        self.browser.type("#login-password", password)
        self.browser.click("#login button")

    def log_in_as_alice(self):
        self.log_in("alice", "wonderland")
        self.browser.wait("the panels", "return !document.getElementById('panels').hidden")

    def tearDown(self):
        self.browser.run("return fetch('api/logout', { method: 'POST' }).then(() => 0)")

    def choose(self, selector, files):
        paths = []
        for name, content in files:
            path = pathlib.Path(self.folder.name, name)
            path.write_bytes(content)
            paths.append(str(path))
        self.browser.type(selector, "\n".join(paths))

    def uploaded(self, count, panel):
        """Waits until so many uploads of a panel have ended, well, and the button can be used again."""
        script = """
        const items = [...document.querySelectorAll(`#${arguments[0]}-progress li`)];
        const ended = items.length === arguments[1] && items.every((item) => item.dataset.state !== "running");
        const ready = !document.getElementById(`${arguments[0]}-send`).disabled;
        return ended && ready && items.map((item) => item.innerText.split("\\n").pop());
        """
        self.assertEqual(self.browser.wait(f"uploads of {panel}", script, panel, count), ["done"] * count)

    def files(self):
        """What the page lists: names and contents, read with the URLs that it shows."""
        script = """
        return [...document.querySelectorAll("#files tr")].map((row) => {
          const link = row.querySelector("a");
          return [link.textContent, link.href, row.lastChild.textContent];
        });
        """
        found = {}
        for name, url, size in self.browser.run(script):
            with urllib.request.urlopen(url, timeout=10) as response:
                found[name] = (response.read(), response.headers["content-type"])
            self.assertEqual(int(size.replace(",", "")), len(found[name][0]))
        return found

    def test_1_a_wrong_password_shows_nothing(self):
        self.log_in("alice", "builder")
        error = "return document.getElementById('login-error').textContent"
        self.assertEqual(self.browser.wait("the error", error), "user or password is wrong")
        self.assertEqual(self.browser.run(SEND, "GET", "api/files", {}, None), 401)
        self.assertEqual(self.browser.run(ASK_UPLOADS, [])[0], 401)

    def test_2_both_uploads_arrive(self):
        self.log_in_as_alice()
        self.assertEqual(self.files(), {})
        self.choose("#form-file", [FORM_FILE])
        self.browser.click("#form-send")
        self.uploaded(1, "form")
        self.choose("#put-files", PUT_FILES)
        self.browser.click("#put-send")
        self.uploaded(2, "put")
        expected = {
            FORM_FILE[0]: (FORM_FILE[1], "application/octet-stream"),
            PUT_FILES[0][0]: (PUT_FILES[0][1], "text/plain"),
            PUT_FILES[1][0]: (PUT_FILES[1][1], "application/octet-stream"),
        }
        self.assertEqual(self.files(), expected)
        limits = self.browser.run("return [...document.querySelectorAll('.grant')].map((line) => line.textContent)")
        for text in limits:
            self.assertRegex(text, r"^Works until \d+:\d\d:\d\d.*, limited by its own lifetime\.$")
        self.assertEqual([line for line in self.browser.console() if line["level"] == "SEVERE"], [])
        if path := os.environ.get("SCREENSHOT"):
            pathlib.Path(path).write_bytes(base64.b64decode(self.browser.screenshot()))

    def test_3_nobody_writes_to_the_prefix_of_another_user(self):
        self.log_in_as_alice()
        # The form: another key, another policy.
        self.assertEqual(self.browser.run(SEND_FORM, "users/alice/mine.txt", {}), 200)
        self.assertEqual(self.browser.run(SEND_FORM, "users/bob/theirs.txt", {}), 403)
        open_policy = base64.b64encode(b'{"expiration":"2099-01-01T00:00:00.000Z","conditions":[]}').decode()
        self.assertEqual(self.browser.run(SEND_FORM, "users/bob/theirs.txt", {"policy": open_policy}), 403)
        # Presigned URLs: another key, another size, another type.
        wanted = [{"name": "mine.txt", "type": "text/plain", "bytes": 8}]
        status, document = self.browser.run(ASK_UPLOADS, wanted)
        self.assertEqual(status, 200)
        url, headers = document["urls"][0]["url"], document["urls"][0]["headers"]
        self.assertEqual(self.browser.run(SEND, "PUT", url, headers, "12345678"), 200)
        theirs = url.replace("users/alice/", "users/bob/")
        self.assertNotEqual(theirs, url)
        for url, headers, body in [
            (theirs, headers, "12345678"),
            (url, headers, "123456789"),
            (url, {"content-type": "text/html"}, "12345678"),
        ]:
            self.assertEqual(self.browser.run(SEND, "PUT", url, headers, body), 403)
        # The service: names that would lead elsewhere.
        for name in ["../bob/theirs.txt", "..", "a/b", "a\\b", "", "a\nb"]:
            status, _ = self.browser.run(ASK_UPLOADS, [{"name": name, "type": "text/plain", "bytes": 1}])
            self.assertEqual(status, 400, name)
        self.browser.click("#logout")
        self.log_in("bob", "builder")
        self.browser.wait("bob", "return document.getElementById('user').textContent === 'bob'")
        self.assertEqual(self.files(), {})


if __name__ == "__main__":
    started = time.monotonic()
    result = unittest.main(exit=False, verbosity=2).result
    print(f"browser: {time.monotonic() - started:.1f} s")
    raise SystemExit(not result.wasSuccessful())
