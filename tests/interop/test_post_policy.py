"""The vectors of POST policies are what the vendor's signing code gives."""

import unittest

import post_policy_vectors


class PostPolicyVectors(unittest.TestCase):
    def test_the_file_is_what_the_clients_give(self):
        self.assertEqual(post_policy_vectors.FILE.read_text(encoding="utf-8"), post_policy_vectors.as_text())


if __name__ == "__main__":
    unittest.main()
