# SPDX-License-Identifier: Apache-2.0
"""The page that examples/homework/report_page.py makes of made-up figures."""
import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from unittest import mock

HOMEWORK = Path(__file__).resolve().parents[2] / "examples" / "homework"
sys.path.insert(0, str(HOMEWORK))
import report_page  # noqa: E402

ODD = "a<b & `touch x` \"c\" 'd' \\ $e @f"
TOP1 = {"model": ODD, "config": "w8, a8", "images": 1000, "integer_images": 500, "float_top1": 91.25,
        "sim_top1": 91.5, "int_top1": 90.75, "float_top1_of_integer_images": 90.125, "images_gained": 1234}
SPEED = {"model": "m", "config": "W8A8", "float": "float32 f", "ratio_to_float": 3.5, "ratio_least": 3.25,
         "ratio_most": 4, "images_per_second": 1234.5}


def q2(calibration_set, calibration):
    return {**TOP1, "calibration_set": calibration_set, "calibration": calibration, "sim_top1_least": 91.0,
            "sim_top1_most": 92.0, "width_median": 0.5, "width_least": 0.25, "width_most": 2.0}


def q5(model, config, before, after):
    return {"model": model, "config": config, "method": "LSQ", "top1_before": before, "top1_after": after, "epochs": 3}


HISTORY = [{"layer": "l", "observer": o, "lo": [0, 0], "hi": [1, 2]} for o in ("new value", "minmax", "alpha 0.5")]
ROWS = {
    "q1_ptq": [TOP1, {**TOP1, "model": "second", "int_top1": 77.75}],
    "q2_noise": [q2("images", 256), q2("noise", 1), q2("noise", 10)],
    "q3_ema": [{**TOP1, "observer": "minmax"}, {**TOP1, "observer": "moving_average", "alpha": 0.125}],
    "q4_speed": [{**SPEED, "batch": batch, "model": model} for model in "mn" for batch in (1, 32)],
    "q5_qat": [q5("r", "float", 90.0, 91.0), q5("r", "4w4f", 70.5, 90.5), q5("r", "2w4f", 10.25, 89.25)],
}
EVIDENCE = {"q3_ema": {"history": {"m": HISTORY}, "answer": "First <answer>.\n\nSecond."}}
FIGURES = {"q1_ptq": 1, "q2_noise": 2, "q3_ema": 2, "q4_speed": 2, "q5_qat": 2}


def files(*names):
    return {name: {"exercise": name, "command": f"{name} --x <y>", "commit": "c0ffee", "hardware": "CPU & co",
                   "rows": ROWS[name], "evidence": EVIDENCE.get(name, {})} for name in names or ROWS}


def parsed(page):
    """Fails where the page is not well-formed; names without the namespace of SVG."""
    root = ElementTree.fromstring(page)
    for element in root.iter():
        element.tag = element.tag.split("}")[-1]
    return root


def cells(page, exercise):
    table = parsed(page).find(f".//section[@id='{exercise}']//tbody")
    return [["".join(cell.itertext()) for cell in row] for row in table]


class Tables(unittest.TestCase):
    def setUp(self):
        self.page = report_page.page(files(), draw=False)

    def test_every_row_is_there(self):
        self.assertEqual({name: len(cells(self.page, name)) for name in ROWS},
                         {name: len(rows) for name, rows in ROWS.items()})
        self.assertEqual(cells(self.page, "q1_ptq")[0][:4], [ODD, "w8, a8", "91.25", "90.75"])
        self.assertIn("1,234", cells(self.page, "q1_ptq")[0])
        self.assertEqual([row[3] for row in cells(self.page, "q3_ema")], ["", "0.125"])
        self.assertEqual(cells(self.page, "q4_speed")[3][:4], ["n", "32", "W8A8", "1234.50"])
        self.assertEqual(cells(self.page, "q5_qat")[2], ["r", "2w4f", "LSQ", "89.25", "10.25", "3"])

    def test_columns_without_values_are_left_out(self):
        self.assertNotIn("Exact Acc1", self.page)
        self.assertIn("Exact Acc1", report_page.table(report_page.INTEGERS, [{"exact_top1": 1.0}]))

    def test_words_are_escaped(self):
        self.assertNotIn("a<b", self.page)
        self.assertIn("<p>First &lt;answer&gt;.</p>\n<p>Second.</p>", self.page)

    def test_where_figures_come_from(self):
        for name in ROWS:
            origin = parsed(self.page).find(f".//section[@id='{name}']/dl")
            self.assertEqual([e.text for e in origin.iter("dd")], [f"{name} --x <y>", "c0ffee", "CPU & co"])

    def test_what_is_absent_is_named(self):
        page = report_page.page(files("q4_speed"), draw=False)
        self.assertEqual([e.get("id") for e in parsed(page).iter("section")], ["q4_speed"])
        self.assertIn("5. Training at 4 and 2 bits: absent, q5_qat has not been run", page)
        self.assertNotIn("absent", self.page)

    def test_it_says_that_gnuplot_is_absent(self):
        self.assertIn("gnuplot is not installed", self.page)
        self.assertEqual(list(parsed(self.page).iter("svg")), [])


@unittest.skipUnless(shutil.which("gnuplot"), "gnuplot is not installed")
class Plots(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.page = report_page.page(files(), draw=True)
        cls.root = parsed(cls.page)

    def test_every_exercise_has_its_plots(self):
        drawn = {e.get("id"): len(list(e.iter("svg"))) for e in self.root.iter("section")}
        self.assertEqual(drawn, FIGURES)
        for figure in self.root.iter("figure"):
            self.assertTrue(figure.find("figcaption").text)

    def test_labels_come_from_the_rows(self):
        def labels(exercise):
            return [e.text.strip() for e in self.root.find(f".//section[@id='{exercise}']").iter("text")]

        self.assertIn("second", labels("q1_ptq"))
        self.assertIn("+1234 -0", labels("q1_ptq"))
        self.assertTrue(any(label.startswith("a<b & `touch x`") for label in labels("q1_ptq")))
        self.assertLessEqual({"images 256", "noise 1", "noise 10"}, set(labels("q2_noise")))
        self.assertLessEqual({"minmax", "alpha 0.125", "new value", "alpha 0.5"}, set(labels("q3_ema")))
        self.assertLessEqual({"1", "32", "W8A8"}, set(labels("q4_speed")))
        self.assertLessEqual({"r float LSQ", "r 2w4f LSQ", "before", "after"}, set(labels("q5_qat")))

    def test_the_page_is_offline(self):
        addresses = set(re.findall(r"https?://[^\"']*", self.page))
        self.assertLessEqual(addresses, {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"})
        for element in self.root.iter():
            self.assertNotIn(element.tag, ("link", "script", "img", "iframe"))
            for name, value in element.items():
                self.assertFalse(name.endswith(("href", "src")) and not value.startswith("#"), value)
        self.assertNotRegex(self.page, r"url\(|@import")

    def test_ids_are_unique_and_referred_to(self):
        ids = [e.get("id") for e in self.root.iter() if e.get("id")]
        self.assertEqual(len(ids), len(set(ids)))
        for e in self.root.iter():
            for name, value in e.items():
                if name.endswith("href"):
                    self.assertIn(value[1:], ids)

    def test_colours_are_the_page_s(self):
        """Nothing but grid lines, which the style paints, has a colour that is right in light or dark only."""
        many = files()
        many["q2_noise"]["rows"] = [{**row, "model": f"m{i}"} for i in range(7) for row in ROWS["q2_noise"]]
        page = report_page.page(many, draw=True)
        for svg in parsed(page).iter("svg"):
            for e in svg.iter():
                for name in ("stroke", "fill", "color"):
                    if e.get("class") != "gridline":
                        self.assertRegex(e.get(name, "none"), r"^(none|currentColor|var\(--[a-z0-9-]+\))$")
        light, dark = re.findall(r":root \{(.*?)\}", page, re.DOTALL)
        for name in set(re.findall(r"var\((--[a-z0-9-]+)\)", page)):
            self.assertIn(f"{name}:", light)
            self.assertIn(f"{name}:", dark)

    def test_the_line_of_float_is_there(self):
        """Also where everything is better, or every range wider."""
        better = files("q2_noise")
        better["q2_noise"]["rows"] = [
            {**row, "sim_top1": 99.0, "sim_top1_least": 98.0, "sim_top1_most": 99.5, "width_median": 3.5,
             "width_least": 3.0, "width_most": 3.75} for row in ROWS["q2_noise"]]
        accuracy, width = parsed(report_page.page(better, draw=True)).iter("svg")
        self.assertIn("0", [e.text.strip() for e in accuracy.iter("text")])
        self.assertIn("1", [e.text.strip() for e in width.iter("text")])

    def test_rows_without_what_a_plot_needs(self):
        bare = {name: {"rows": [{"model": "m"}]} for name in ROWS}
        self.assertEqual(list(parsed(report_page.page(bare, draw=True)).iter("svg")), [])


class Program(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def run_on(self, folder):
        return subprocess.run([sys.executable, str(HOMEWORK / "report_page.py"), str(folder)], cwd=self.folder,
                              capture_output=True, text=True)

    def test_it_writes_the_page_and_says_where(self):
        for name, file in files("q1_ptq", "q2_noise").items():
            (self.folder / f"{name}.json").write_text(json.dumps(file))
        done = self.run_on(self.folder)
        self.assertEqual((done.returncode, done.stdout), (0, f"{self.folder}/report.html\n"), done.stderr)
        parsed((self.folder / "report.html").read_text())
        self.assertFalse((self.folder / "x").exists())  # what the odd name would make

    def test_without_results(self):
        done = self.run_on(self.folder)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertRegex(done.stderr, "^report_page: .* holds no JSON of an exercise, such as q1_ptq.json\n$")

    def test_a_file_in_another_form(self):
        for content in ("{", "[]", "{}"):
            (self.folder / "q1_ptq.json").write_text(content)
            done = self.run_on(self.folder)
            self.assertEqual(done.returncode, 2)
            self.assertIn("q1_ptq.json is not what q1_ptq --json writes", done.stderr)
            self.assertFalse((self.folder / "report.html").exists())

    def test_without_gnuplot(self):
        (self.folder / "q1_ptq.json").write_text(json.dumps(files("q1_ptq")["q1_ptq"]))
        with mock.patch.object(sys, "argv", ["report_page", str(self.folder)]), mock.patch("builtins.print"), \
                mock.patch("shutil.which", return_value=None):
            report_page.main()
        self.assertIn("gnuplot is not installed", (self.folder / "report.html").read_text())


if __name__ == "__main__":
    unittest.main()
