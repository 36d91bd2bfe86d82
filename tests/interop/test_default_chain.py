"""The vendor's default chain and ours in the same surroundings: who is chosen, and what comes out."""

import os
import re
import tempfile
import unittest
from contextlib import ExitStack

from chain_cases import all_cases
from chain_support import Places, Run, our_chains, their_chains
from credentials_support import Cloud
from support import CLOUD, LONG_TERM, rpc_assume_role

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/default-chain.md")
# Each who asks has a session of its own.
SESSIONS = re.compile("(cli |ini )?(role|oidc): ")


class DefaultChain(unittest.TestCase):
    """All cases at once, in one process for each side."""

    @classmethod
    def setUpClass(cls):
        cls.cases = all_cases(CLOUD, rpc_assume_role(LONG_TERM, session="first"))
        with ExitStack() as stack:
            clouds = {
                "instance": CLOUD,
                "hardened": stack.enter_context(Cloud("--metadata-mode", "hardened")),
                "without tokens": stack.enter_context(Cloud("--metadata-mode", "v1-only")),
                "no role": stack.enter_context(Cloud("--no-metadata-role")),
                "two roles": stack.enter_context(Cloud("--metadata-role", "first", "--metadata-role", "second")),
            }
            places = Places(clouds)
            stack.callback(places.close)
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            # Each with files of its own, as some are written to.
            theirs, ours, parity = (
                [Run(case, f"{folder}/{side}/{index}", places) for index, case in enumerate(cls.cases)]
                for side in ("theirs", "ours", "parity")
            )
            by_them = their_chains([run.told for run in theirs])
            by_us = our_chains(
                [{**run.told, "as_the_vendor": False} for run in ours]
                + [{**run.told, "as_the_vendor": True} for run in parity])
            as_they, by_us = by_us[len(ours):], by_us[:len(ours)]
            cls.warnings = [(one["warnings"], other["warnings"]) for one, other in zip(by_us, as_they)]
            # Of each side, in this order: what was found in words, and the keys.
            cls.outcomes = list(zip(
                [run.theirs(found) for run, found in zip(theirs, by_them)],
                [run.ours(found, parity=False) for run, found in zip(ours, by_us)],
                [run.ours(found, parity=True) for run, found in zip(parity, as_they)],
            ))

    def test_the_same_ones_are_chosen_but_for_what_is_written_down(self):
        self.assertGreater(len(self.cases), 150)
        for case, outcomes in zip(self.cases, self.outcomes):
            with self.subTest(case=case.name):
                self.assertEqual(tuple(words for words, _ in outcomes), case.expected())

    def test_the_keys_are_the_same(self):
        compared = 0
        for case, (theirs, *ours) in zip(self.cases, self.outcomes):
            for words, keys in ours:
                if words == theirs[0] and keys and not SESSIONS.match(words):
                    with self.subTest(case=case.name):
                        self.assertEqual(keys, theirs[1])
                    compared += 1
        self.assertGreater(compared, 100)

    def test_a_difference_is_one_and_has_a_reason(self):
        self.assertEqual(len({case.name for case in self.cases}), len(self.cases))
        for case in self.cases:
            with self.subTest(case=case.name):
                self.assertEqual(case.why is not None, len(set(case.expected())) > 1)
                # Nothing is written down twice.
                self.assertNotIn(case.vendor, (case.ours, case.parity))

    def test_the_page_lists_the_same_differences(self):
        with open(PAGE, encoding="utf-8") as page:
            rows = re.findall(r"^\| `([a-z-]+)` \|(?:[^|\n]+\|){4} (theirs|ours) \|$", page.read(), re.MULTILINE)
        stays = {}
        for case in self.cases:
            if case.why:
                stays[case.why] = stays.get(case.why, False) or case.parity is not None
        self.assertEqual(len(rows), len(dict(rows)))
        self.assertEqual(dict(rows), {why: "ours" if stay else "theirs" for why, stay in stays.items()})

    @staticmethod
    def may_fail_quietly(case):
        """A member fails on the way to an answer that is the same for all."""
        return case.metadata == "failing" or "ALIBABA_CLOUD_PROFILE" in case.variables

    def test_going_on_after_a_failure_is_told_each_time(self):
        told = 0
        for case, (ours, parity) in zip(self.cases, self.warnings):
            with self.subTest(case=case.name):
                # This one never goes on.
                self.assertEqual(ours, 0)
                if case.why in ("failure", "half-a-pair", "half-of-oidc", "white-space"):
                    self.assertGreaterEqual(parity, 1)
                    told += 1
                elif case.why is None and not self.may_fail_quietly(case):
                    self.assertEqual(parity, 0)
        self.assertGreater(told, 50)
        everything = [case.name for case in self.cases].index("everything fails")
        self.assertEqual(self.warnings[everything], (0, 6))


if __name__ == "__main__":
    unittest.main()
