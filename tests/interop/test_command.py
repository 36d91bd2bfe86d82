"""The command `oss-credentials`, used by the vendor's clients as by real programs: an agent behind a credentials URI and
as instance metadata, a program that runs beside an agent, and a program that prints credentials."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest
import urllib.parse
from unittest import mock

import oss2
from alibabacloud_credentials.exceptions import CredentialException
from alibabacloud_credentials.provider.cli_profile import CLIProfileCredentialsProvider
from alibabacloud_credentials.provider.ecs_ram_role import EcsRamRoleCredentialsProvider
from alibabacloud_credentials.provider.external import ExternalCredentialsProvider
from alibabacloud_credentials.provider.uri import URLCredentialsProvider

from credentials_support import Cloud, identity, key_of, theirs
from support import BUCKET, CLOUD, LONG_TERM, OSS_ENDPOINT, REGION, ROLE_ARN

COMMAND = os.environ["OSS_CREDENTIALS"]
ROLE = ROLE_ARN.split("/")[-1]


def surroundings(cloud=CLOUD, **variables):
    """What a program needs to find the cloud, and no credentials."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    kept["ALIBABA_CLOUD_STS_ENDPOINT"] = cloud["ALIBABA_CLOUD_STS_ENDPOINT"]
    kept["ALIBABA_CLOUD_ECS_METADATA_DISABLED"] = "true"
    return {**kept, **variables}


class Agent:
    """`oss-credentials serve`, over a role that the profile `RamRoleArn` assumes, or over another profile."""

    def __init__(self, *arguments, cloud=CLOUD, profile="RamRoleArn"):
        self._folder = tempfile.TemporaryDirectory()
        self._file = os.path.join(self._folder.name, "url")
        self._command = [
            COMMAND, "serve", "--url-file", self._file, "--config-file", cloud["ALIBABA_CLOUD_CONFIG_FILE"],
            "--profile", profile, *arguments]
        self._cloud = cloud

    def __enter__(self):
        self._process = subprocess.Popen(
            self._command, env=surroundings(self._cloud), stderr=subprocess.PIPE, text=True)
        self._until("listening")
        with open(self._file, encoding="ascii") as file:
            self.url = file.read().strip()
        return self

    def _until(self, text):
        for line in self._process.stderr:
            if text in line:
                return
        raise AssertionError(f"the log of the agent ends without {text!r}")

    def rotate(self):
        """New credentials for whoever asks from now on."""
        self._process.send_signal(signal.SIGHUP)
        self._until(": reloaded")

    def __exit__(self, *raised):
        self._process.terminate()
        code = self._process.wait(timeout=10)
        self._process.stderr.close()
        self._folder.cleanup()
        if raised[0] is None and code != 0:
            raise AssertionError(f"the agent ended with {code}")


class Wrapped(oss2.credentials.CredentialsProvider):
    """How the vendor's documents hand a provider to oss2: it is asked for each request."""

    def __init__(self, provider):
        self._provider = provider

    def get_credentials(self):
        found = self._provider.get_credentials()
        return oss2.credentials.Credentials(
            found.get_access_key_id(), found.get_access_key_secret(), found.get_security_token())


def bucket_of(provider, endpoint=OSS_ENDPOINT):
    return oss2.Bucket(oss2.ProviderAuthV4(Wrapped(provider)), endpoint, BUCKET, region=REGION)


class Command(unittest.TestCase):
    def works(self, provider, key="by-command.txt", cloud=CLOUD):
        bucket = bucket_of(provider, cloud["OSS_ENDPOINT"])
        bucket.put_object(key, b"hello")
        self.assertEqual(bucket.get_object(key).read(), b"hello")
        return provider.get_credentials()


class ServedUri(Command):
    """`serve`, asked by the vendor's provider for a credentials URI."""

    def test_a_program_works_and_keeps_working_after_a_rotation(self):
        # Sessions of 15 minutes count as stale from the beginning, so the vendor's provider asks each time.
        with Cloud("--session-seconds", "900") as cloud, Agent(cloud=cloud) as agent:
            provider = URLCredentialsProvider(uri=agent.url)
            first = self.works(provider, cloud=cloud)
            self.assertIn(f"assumed-role/{ROLE}/profile", identity(first, cloud)["arn"])
            again = self.works(provider, cloud=cloud)
            self.assertEqual(key_of(first), key_of(again))
            agent.rotate()
            second = self.works(provider, cloud=cloud)
            self.assertNotEqual(key_of(first), key_of(second))
            self.assertEqual(identity(first, cloud)["arn"], identity(second, cloud)["arn"])

    def test_an_hour_is_kept_by_the_client(self):
        with Agent() as agent:
            found = self.works(URLCredentialsProvider(uri=agent.url))
            self.assertAlmostEqual(found.get_expiration() - time.time(), 3600, delta=60)

    def test_keys_that_never_expire_have_an_expiration_and_no_token(self):
        with Agent(profile="AK") as agent:
            found = self.works(URLCredentialsProvider(uri=agent.url))
            self.assertEqual(found.get_access_key_id(), LONG_TERM.id)
            self.assertEqual(found.get_security_token(), "")
            self.assertAlmostEqual(found.get_expiration() - time.time(), 3600, delta=60)

    def test_a_wrong_secret_is_refused(self):
        with Agent() as agent:
            with self.assertRaises(CredentialException) as raised:
                URLCredentialsProvider(uri=agent.url[:-1] + "x").get_credentials()
            self.assertIn("http_code=403", raised.exception.message)


class ServedMetadata(Command):
    """`serve --imds`, asked by the vendor's provider for an instance's role."""

    def test_the_role_is_found_and_its_credentials_work_before_and_after_a_rotation(self):
        with Agent("--imds") as agent:
            url = urllib.parse.urlsplit(agent.url)
            place = {**CLOUD, "ALIBABA_CLOUD_ECS_METADATA_SERVICE_ENDPOINT": f"http://{url.netloc}"}
            for disable_imds_v1 in (True, False):
                def ask():
                    return theirs(EcsRamRoleCredentialsProvider(
                        async_update_enabled=False, disable_imds_v1=disable_imds_v1), place)
                first = ask()
                self.assertIn(f"assumed-role/{ROLE}/profile", identity(first)["arn"])
                agent.rotate()
                second = ask()
                self.assertNotEqual(key_of(first), key_of(second))
                self.assertEqual(identity(first)["arn"], identity(second)["arn"])

    def test_without_a_token_nothing_is_answered(self):
        with Agent("--imds") as agent:
            url = urllib.parse.urlsplit(agent.url)
            place = {**CLOUD, "ALIBABA_CLOUD_ECS_METADATA_SERVICE_ENDPOINT": f"http://{url.netloc}"}
            with mock.patch.object(EcsRamRoleCredentialsProvider, "_get_metadata_token", return_value=None):
                with self.assertRaises(CredentialException) as raised:
                    theirs(EcsRamRoleCredentialsProvider(async_update_enabled=False), place)
            self.assertIn("HttpCode=401", raised.exception.message)


# A program that takes what the vendor's default chain finds, twice, with a line on standard input between.
PROGRAM = """
import json, sys
from alibabacloud_credentials.client import Client
for _ in range(2):
    found = Client().get_credential()
    print(json.dumps([found.access_key_id, found.access_key_secret, found.security_token,
                      found.provider_name]), flush=True)
    sys.stdin.readline()
"""


class ExecServe(Command):
    """`exec --serve` with the vendor's default chain in the program."""

    def run_beside_agent(self, home=None, **variables):
        environment = surroundings(**variables)
        if home:
            environment["HOME"] = home
        command = [
            COMMAND, "exec", "--serve", "--config-file", CLOUD["ALIBABA_CLOUD_CONFIG_FILE"], "--profile", "RamRoleArn",
            "--", sys.executable, "-W", "ignore", "-c", PROGRAM]
        done = subprocess.run(
            command, env=environment, input="\n\n", stdout=subprocess.PIPE, text=True, timeout=60, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def assert_agents(self, found):
        for access_key_id, secret, token, source in found:
            self.assertTrue(access_key_id.startswith("STS."), found)
            self.assertIn("credential_uri", source)
            arn = identity(Static(access_key_id, secret, token))["arn"]
            self.assertIn(f"assumed-role/{ROLE}/profile", arn)

    def test_the_default_chain_finds_the_agent(self):
        self.assert_agents(self.run_beside_agent())

    def test_each_source_that_the_default_chain_asks_before_is_switched_off(self):
        planted = {
            "ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAIPLANTED", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "planted",
        }
        oidc = {
            "ALIBABA_CLOUD_ROLE_ARN": ROLE_ARN,
            "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": CLOUD["ALIBABA_CLOUD_OIDC_PROVIDER_ARN"],
            "ALIBABA_CLOUD_OIDC_TOKEN_FILE": CLOUD["ALIBABA_CLOUD_OIDC_TOKEN_FILE"],
        }
        metadata = {"ALIBABA_CLOUD_ECS_METADATA": "planted", "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "false"}
        uri = {"ALIBABA_CLOUD_CREDENTIALS_URI": "http://127.0.0.1:9/planted"}
        named = {"ALIBABA_CLOUD_CREDENTIALS_FILE": CLOUD["ALIBABA_CLOUD_CREDENTIALS_FILE"]}
        for variables in (planted, oidc, metadata, uri, named, {**planted, **oidc, **metadata, **uri, **named}):
            with self.subTest(variables=sorted(variables)):
                self.assert_agents(self.run_beside_agent(**variables))

    def test_files_in_the_home_directory_are_not_read(self):
        with tempfile.TemporaryDirectory() as home:
            os.mkdir(os.path.join(home, ".aliyun"))
            os.mkdir(os.path.join(home, ".alibabacloud"))
            with open(os.path.join(home, ".aliyun", "config.json"), "w", encoding="ascii") as file:
                json.dump({"current": "planted", "profiles": [{
                    "name": "planted", "mode": "AK", "access_key_id": "LTAIPLANTED",
                    "access_key_secret": "planted"}]}, file)
            with open(os.path.join(home, ".alibabacloud", "credentials.ini"), "w", encoding="ascii") as file:
                file.write("[default]\nenable = true\ntype = access_key\naccess_key_id = LTAIPLANTED\n"
                           "access_key_secret = planted\n")
            self.assert_agents(self.run_beside_agent(home=home))


class Static:
    """Credentials as the vendor's providers return them."""

    def __init__(self, access_key_id, secret, token):
        self._key = (access_key_id, secret, token)

    def get_access_key_id(self):
        return self._key[0]

    def get_access_key_secret(self):
        return self._key[1]

    def get_security_token(self):
        return self._key[2]

    def get_expiration(self):
        return None


class ExportProcess(Command):
    """`export --format process` as the program of the mode External."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.runs = os.path.join(self.folder, "runs")
        patched = mock.patch.dict(os.environ, surroundings())
        patched.start()
        self.addCleanup(patched.stop)

    def counted(self, profile, config=CLOUD["ALIBABA_CLOUD_CONFIG_FILE"]):
        """A command that notes that it was run."""
        script = os.path.join(self.folder, "helper")
        with open(script, "w", encoding="ascii") as file:
            file.write(f"#!/bin/sh\necho run >>{self.runs}\n"
                       f"exec {COMMAND} export --format process --config-file {config} --profile {profile}\n")
        os.chmod(script, 0o700)
        return script

    def count(self):
        with open(self.runs, encoding="ascii") as file:
            return len(file.readlines())

    def test_temporary_credentials_work_and_are_asked_for_once(self):
        provider = ExternalCredentialsProvider(process_command=self.counted("RamRoleArn"))
        first = self.works(provider)
        self.works(provider)
        self.assertEqual(self.count(), 1)
        self.assertIn(f"assumed-role/{ROLE}/profile", identity(first)["arn"])

    def test_a_key_that_never_expires_is_not_asked_for_on_every_call(self):
        provider = ExternalCredentialsProvider(process_command=self.counted("AK"))
        self.assertEqual(self.works(provider).get_access_key_id(), LONG_TERM.id)
        self.works(provider)
        self.assertEqual(self.count(), 1)

    def test_a_profile_of_the_cli_runs_the_command_and_sees_a_rotation(self):
        config = os.path.join(self.folder, "config.json")
        command = self.counted("RamRoleArn")
        with open(config, "w", encoding="ascii") as file:
            json.dump({"current": "agent", "profiles": [
                {"name": "agent", "mode": "External", "process_command": command}]}, file)

        def provider():
            return CLIProfileCredentialsProvider(profile_name="agent", profile_file=config)
        first = self.works(provider())
        second = self.works(provider())
        self.assertNotEqual(key_of(first), key_of(second), "another process, another session")
        self.assertEqual(identity(first)["arn"], identity(second)["arn"])

    def test_a_command_that_leads_back_to_its_own_profile_is_refused(self):
        config = os.path.join(self.folder, "config.json")
        command = self.counted("agent", config)
        with open(config, "w", encoding="ascii") as file:
            json.dump({"current": "agent", "profiles": [
                {"name": "agent", "mode": "External", "process_command": command}]}, file)
        with self.assertRaises(CredentialException) as raised:
            CLIProfileCredentialsProvider(profile_name="agent", profile_file=config).get_credentials()
        self.assertIn("exit status 4", raised.exception.message)
        self.assertEqual(self.count(), 2, "the SDK's and one more")


class Terminal:
    """A program in a pseudo-terminal of its own, whose session it leads."""

    def __init__(self, command, environment, columns=80):
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

        def lead():
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        self.process = subprocess.Popen(
            command, env={"TERM": "xterm-256color", **environment}, stdin=slave, stdout=slave, stderr=slave,
            preexec_fn=lead)
        os.close(slave)
        self.text = ""

    def read_until(self, wanted=None, seconds=30):
        """Everything that is shown, until `wanted` is, or the program ends."""
        end = time.monotonic() + seconds
        while wanted is None or wanted not in self.text:
            if not select.select([self._master], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError(f"not shown in time: {wanted!r}; but {self.text!r}")
            try:
                read = os.read(self._master, 65536)
            except OSError:
                break
            if not read:
                break
            self.text += read.decode()
        return self.text

    def press(self, keys):
        os.write(self._master, keys)

    def close(self):
        code = self.process.wait(timeout=10)
        os.close(self._master)
        return code


class InTerminal(unittest.TestCase):
    """What a person sees: colors, lines that fit, no secrets, and an end by Ctrl-C."""

    KEYS = {"OSS_ACCESS_KEY_ID": LONG_TERM.id, "OSS_ACCESS_KEY_SECRET": LONG_TERM.secret}

    def shown(self, *arguments, columns=80, **variables):
        terminal = Terminal([COMMAND, *arguments], surroundings(**{**self.KEYS, **variables}), columns)
        text = terminal.read_until().replace("\r\n", "\n")
        return terminal.close(), text

    def test_the_standing_has_a_color_unless_that_is_declined(self):
        code, text = self.shown("doctor", "--online")
        self.assertEqual(code, 0, text)
        self.assertRegex(text, "\x1b\\[[0-9;]*mdefault chain\x1b\\[0m")
        self.assertRegex(text, "\x1b\\[[0-9;]*m(\x1b\\[[0-9;]*m)?in use\x1b\\[0m")
        self.assertRegex(text, "accepts\x1b\\[0m the key")
        _, plain = self.shown("doctor", "--online", NO_COLOR="1")
        self.assertNotIn("\x1b", plain)

    def test_lines_fit_the_window(self):
        for columns in (60, 80, 120):
            _, text = self.shown("doctor", columns=columns)
            lines = re.sub("\x1b\\[[0-9;]*m", "", text).splitlines()
            # Words are never broken, and long ones are names of variables and paths.
            long = [line for line in lines if len(line) > columns and len(line.split()) > 1]
            self.assertEqual(long, [], columns)
            _, text = self.shown("doctor", "--help", columns=columns)
            self.assertLessEqual(
                max(len(line) for line in text.splitlines() if not line.startswith("  oss-")), columns + 40)

    def test_secrets_are_not_shown_unasked(self):
        for arguments in (["export"], ["assume-role", ROLE_ARN], ["serve"]):
            code, text = self.shown(*arguments)
            self.assertEqual(code, 1, text)
            self.assertIn("standard output is a terminal", text)
            self.assertNotIn(LONG_TERM.secret, text)
        code, text = self.shown("export", "--show")
        self.assertEqual(code, 0)
        self.assertIn(LONG_TERM.secret, text)

    def test_ctrl_c_ends_an_agent_in_order(self):
        terminal = Terminal([COMMAND, "serve", "--show"], surroundings(**self.KEYS))
        terminal.read_until("listening")
        terminal.press(b"\x03")
        terminal.read_until("ending")
        self.assertEqual(terminal.close(), 0)

    def test_ctrl_c_reaches_a_program_beside_an_agent_once(self):
        script = "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 1; done"
        terminal = Terminal([COMMAND, "exec", "--serve", "--", "sh", "-c", script], surroundings(**self.KEYS))
        terminal.read_until("ready")
        terminal.press(b"\x03")
        text = terminal.read_until()
        self.assertEqual(terminal.close(), 9)
        self.assertEqual(text.count("caught"), 1)
