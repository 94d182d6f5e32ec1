# SPDX-License-Identifier: Apache-2.0
"""Rows and report of scripts/benchmark, on processes that answer without running anything."""
import json
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import races  # noqa: E402
import report  # noqa: E402
from contenders import Contender  # noqa: E402
from results import Results  # noqa: E402

ANSWERING = """
import json, sys
print(json.dumps({"version": "1", "operations": 1000, "kernels": KERNELS}), flush=True)
for line in sys.stdin:
    print(json.dumps({"answers": ANSWERS} if line.strip() == "answers" else
                     {"seconds": SECONDS, "least_seconds": SECONDS, "megabytes": 7}), flush=True)
"""


def contender(name, form, seconds=0.0, answers=(1.0, 2.0, -4.0), kernels=()):
    program = ANSWERING.replace("KERNELS", repr(list(kernels))).replace("ANSWERS", repr(list(answers)))
    return Contender(name, form, [sys.executable, "-c", program.replace("SECONDS", str(seconds))], {})


def measured(name, form, seconds, exact=True):
    c = contender(name, form)
    c.hello = {"version": "1", "operations": 1000}
    c.seconds, c.least_seconds = seconds, min(seconds) / 2
    c.megabytes, c.correlation, c.exact = 7, 1.0, exact
    return c


KEY = {"model": "m", "batch": 4, "threads": 1, "arch": "avx2", "unit": "images/s"}
PEAKS = {"byte_gop_per_second": 1e-5, "float_gop_per_second": 2e-5}


def rows():
    all_ = [
        measured("quantal", "w8a8", [1.0, 2.0, 4.0]),
        measured("quantal", "f32", [8.0, 8.0, 8.0]),
        measured("a", "int8", [2.0, 6.0, 4.0], exact=False),
        measured("b", "int8_exact", [9.0, 9.0, 9.0]),
        measured("b", "f32", [4.0, 4.0, 4.0]),
    ]
    return [races.row_of(KEY, c, all_, PEAKS) for c in all_[:2]]


class Rows(unittest.TestCase):
    def test_bytes_are_compared_with_the_fastest_bytes_round_by_round(self):
        row = rows()[0]
        self.assertEqual((row["peer"], row["peer_exact"]), ("a int8", False))
        self.assertEqual((row["ours_value"], row["peer_value"]), (2.0, 1.0))
        self.assertEqual(row["ratio"], 2.0)  # of 2, 3 and 1
        self.assertEqual(row["spread"], 1.0)
        self.assertEqual(row["ratio_to_w8a8"], 1.0)
        self.assertAlmostEqual(row["fraction_of_peak"], 0.2)  # 2000 of 10000 operations a second
        self.assertEqual(list(row["peers"]), ["a int8", "b int8, exact"])

    def test_float_is_compared_with_float(self):
        row = rows()[1]
        self.assertEqual((row["peer"], row["ratio"]), ("b f32", 0.5))
        self.assertEqual(row["ratio_to_w8a8"], 0.25)

    def test_the_fastest_run_meets_that_of_any_peer(self):
        ours = measured("quantal", "w8a8", [3.0, 1.0])
        peers = [measured("a", "int8", [4.0, 4.0]), measured("b", "int8", [9.0, 2.0])]
        row = races.row_of(KEY, ours, [ours, *peers], PEAKS)
        self.assertEqual(row["peer"], "a int8")
        self.assertEqual(row["ratio_of_fastest"], 2.0)

    def test_without_a_peer_there_is_no_ratio(self):
        row = races.row_of(KEY, measured("quantal", "w8a8", [1.0]), [measured("quantal", "w8a8", [1.0])], PEAKS)
        self.assertNotIn("ratio", row)
        self.assertEqual(row["peers"], {})


class Verification(unittest.TestCase):
    def verify(self, *others, arch="avx2"):
        all_ = [contender("quantal", "f32"), *others]
        try:
            for c in all_:
                c.start()
            races.verify(all_, arch)
        finally:
            for c in all_:
                c.stop()

    def test_equal_answers_pass(self):
        self.verify(contender("a", "f32"), contender("a", "int8", answers=(1.1, 2.0, -4.1)))

    def test_another_float_network_is_refused(self):
        with self.assertRaisesRegex(SystemExit, "a in float32 differs from quantal"):
            self.verify(contender("a", "f32", answers=(1.0, 2.0, -4.01)))

    def test_wrong_bytes_are_refused(self):
        with self.assertRaisesRegex(SystemExit, "a int8 has a correlation of -1.000"):
            self.verify(contender("a", "int8", answers=(-1.0, -2.0, 4.0)))

    def test_a_peer_that_is_not_held_is_refused(self):
        with self.assertRaisesRegex(SystemExit, "which are not AVX2"):
            self.verify(contender("a", "f32", kernels=["jit_avx512_f32"]))
        self.verify(contender("a", "f32", kernels=["jit_avx512_f32"]), arch="avx512_vnni")


# network_benchmark, gemm_benchmark and the like: they tell their kernels and peaks, or write one row.
PROGRAM = """#!/usr/bin/env python3
import json, sys
if "machine" in sys.argv:
    print(json.dumps({"kernels": ["avx512_vnni", "avx2"], "peaks": PEAKS}))
else:
    json.dump({"rows": [{"task": "gemm", "arguments": sys.argv[1:3]}]}, open(sys.argv[-1], "w"))
""".replace("PEAKS", repr(PEAKS))


class Races(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / "build").mkdir()
        for name in ("network_benchmark", "gemm_benchmark"):
            (self.root / name).write_text(PROGRAM)
            (self.root / name).chmod(0o755)
        self.results = Results(self.root / "rows.json", False, {})
        self.bench = races.Bench(self.root, self.root, True, 2, self.results)

    def test_a_program_that_races_by_itself_brings_its_rows(self):
        for threads in (1, 2):
            self.bench.measure_peaks("avx2", threads)
            self.bench.race_program("gemm", "avx2", threads)
        self.assertEqual([row["arguments"] for row in self.results["rows"]], [["avx2", "1"], ["avx2", "2"]])
        self.assertEqual(json.loads((self.root / "rows.json").read_text()), self.results.data)

    def test_a_network_brings_a_row_a_form(self):
        self.bench.measure_peaks("avx2", 1)
        self.results["exact"]["avx2, a int8"] = self.results["exact"]["avx2, quantal w8a8"] = True
        self.bench.contenders = lambda *_: [contender("quantal", "w8a8", 0.5), contender("quantal", "f32", 0.5),
                                            contender("a", "int8", 1.0), contender("a", "f32", 2.0)]
        self.bench.race_network("m", "avx2", 1, 4, in_float=False)
        self.bench.race_network("m", "avx2", 1, 4, in_float=True)
        self.assertEqual([(row["ours"], row["peer"], row["ratio"]) for row in self.results["rows"]],
                         [("w8a8", "a int8", 2.0), ("f32", "a f32", 4.0)])


class Protocol(unittest.TestCase):
    def test_a_process_answers_line_by_line(self):
        with contender("a", "f32", seconds=0.5) as c:
            self.assertEqual(c.ask("0.1"), {"seconds": 0.5, "least_seconds": 0.5, "megabytes": 7})
            self.assertEqual(c.ask("answers"), {"answers": [1.0, 2.0, -4.0]})

    def test_a_process_that_ends_is_an_error(self):
        with self.assertRaisesRegex(SystemExit, "ended"):
            Contender("a", "f32", [sys.executable, "-c", ""], {}).start()


class Report(unittest.TestCase):
    def test_rows_become_tables(self):
        gemm = {"task": "gemm", "ours": "w8a8", "shape": "1 x 2 x 3", "threads": 1, "arch": "avx2", "unit": "Gop/s",
                "ours_value": 30.0, "peer": "p", "peer_value": 20.0, "ratio": 1.5, "spread": 0.5,
                "peer_exact": False, "fraction_of_peak": 0.5}
        peaks = [{"arch": "avx2", "threads": 1, **PEAKS, "reads": [{"bytes": 1, "gigabytes_per_second": 12.5}]}]
        text = report.to_markdown({"hardware": "CPU", "commit": "c", "command": "scripts/benchmark", "seconds": 9,
                                   "peaks": peaks, "skipped": ["q: absent"],
                                   "rows": [gemm, *({"task": "network", **row} for row in rows())]})
        self.assertIn("| 1 x 2 x 3 | p (saturates) | 20.0 | 1.50 ± 0.25, 30.0 |", text)
        self.assertIn("| geometric mean |  |  | 1.50 |", text)
        self.assertIn("| m | 4 | w8a8 | 2.00 | 2.00 ± 0.50 | 2.00 | a int8 | no | 1.00 | 20 % | 7 |", text)
        self.assertIn("| Model | Batch | a int8 | b int8, exact | b f32 |", text)
        self.assertIn("## Skipped: 1\n\n- q: absent", text)


if __name__ == "__main__":
    unittest.main()
