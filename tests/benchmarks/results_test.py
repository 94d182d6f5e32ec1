# SPDX-License-Identifier: Apache-2.0
"""A run of scripts/benchmark that is stopped and resumed."""
import json
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
from results import Results  # noqa: E402

HEAD = {"hardware": "CPU", "commit": "c", "command": "scripts/benchmark"}


class Resuming(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.file = Path(self.folder.name) / "new" / "rows.json"
        self.measured = []

    def results(self, resume=True, **head):
        return Results(self.file, resume, {**HEAD, **head})

    def measure(self, results, piece):
        def add():
            self.measured.append(piece)
            results["rows"].append({"task": piece})

        results.measure(piece, add)

    def test_pieces_are_measured_once(self):
        self.measure(self.results(), "a")
        again = self.results()
        for piece in ("a", "b", "b"):
            self.measure(again, piece)
        self.assertEqual(self.measured, ["a", "b"])
        self.assertEqual(json.loads(self.file.read_text())["rows"], [{"task": "a"}, {"task": "b"}])

    def test_a_piece_that_fails_leaves_the_file_as_it_was(self):
        results = self.results()
        self.measure(results, "a")
        before = self.file.read_text()
        with self.assertRaises(ZeroDivisionError):
            results.measure("b", lambda: results["rows"].append(1 / 0))
        self.assertEqual(self.file.read_text(), before)
        self.assertEqual(self.results()["pieces"], ["a"])

    def test_without_resume_everything_starts_anew(self):
        self.measure(self.results(), "a")
        self.assertEqual(self.results(resume=False)["rows"], [])

    def test_another_commit_is_not_gone_on_with(self):
        self.measure(self.results(), "a")
        with self.assertRaisesRegex(SystemExit, "another commit .c., which d cannot resume"):
            self.results(commit="d")

    def test_what_is_skipped_is_told_once(self):
        results = self.results()
        for _ in range(2):
            results.skip("a peer")
        self.assertEqual(results["skipped"], ["a peer"])


if __name__ == "__main__":
    unittest.main()
