# SPDX-License-Identifier: Apache-2.0
"""The plots of the report page: what an exercise's JSON says, drawn by gnuplot as SVG."""
import re
import subprocess
from dataclasses import dataclass
from math import floor, log10, sqrt

WIDTH = 440  # with text of 14: readable where a phone shows the drawing 360 pixels wide
POINTS = (7, 5, 9, 13, 11)  # circle, square, triangle, diamond, triangle upside down
LAST_UPDATES = 40
AT_ONE = "set arrow from graph 0, first 1 to graph 1, first 1 nohead lc rgb 'black' dt 2\n"

HEAD = """
set terminal svg size {width},{height} font 'sans-serif,14' noenhanced
set border 3
set tics nomirror scale 0.5
set grid lt 1 lw 0.7 lc rgb 'gray'
set key above left Left reverse samplen 1.5 maxrows 3
set bars 0.6
"""


@dataclass(frozen=True)
class Figure:
    caption: str
    script: str
    height: int = 290


def text(value):
    """A string that gnuplot takes as it is: no quote, backslash or line break in it."""
    return "'" + re.sub(r"""["'\\\x00-\x1f]""", " ", str(value)) + "'"


def block(name, rows):
    """Rows of numbers and strings as a data block."""
    lines = [" ".join(text(v).replace("'", '"') if isinstance(v, str) else repr(v) for v in row) for row in rows]
    return "\n".join([f"${name} << END_OF_DATA", *lines, "END_OF_DATA\n"])


def linetype(i):
    """That of the i-th series; they repeat."""
    return i % len(POINTS) + 1


def linetypes():
    """Colours are places in the page's palette, which has one for light and one for dark: see `inlined`."""
    lines = [f"set linetype {i} lc rgb '#{i:06x}' pt {point} ps 0.8\n" for i, point in enumerate(POINTS, 1)]
    return "".join(lines)


def holding(rows, *keys):
    return [row for row in rows if all(row.get(key) is not None for key in keys)]


def unique(values):
    return list(dict.fromkeys(values))


def drawn(figure, prefix):
    """The figure as an SVG element to stand in a page, where ids begin with `prefix`."""
    script = HEAD.format(width=WIDTH, height=figure.height) + linetypes() + figure.script
    made = subprocess.run(["gnuplot"], input=script, capture_output=True, text=True)
    if made.returncode != 0:
        raise RuntimeError(f"gnuplot failed: {made.stderr.strip()}")
    return inlined(made.stdout, prefix)


def inlined(svg, prefix):
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<(title|desc|filter)\b.*?</\1>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<g [^>]*>\s*</g>\s*", "", svg)
    svg = re.sub(r'width="\d+" height="\d+"', 'role="img"', svg, count=1)
    svg = re.sub(r"\b(id=.|href=.#)", rf"\1{prefix}", svg)
    svg = re.sub(r' color="\w+"', "", svg)
    svg = re.sub(r"""(["'])black\1""", '"currentColor"', svg).replace("'white'", "'var(--page)'")
    return re.sub(r"rgb\( *0, *0, *(\d+)\)",
                  lambda m: f"var(--series-{m[1]})" if m[1] != "0" else "currentColor", svg)


def line_with_bars(i, title):
    """Columns of $series{i}: x, y, least, most."""
    return [f"$series{i} using 1:2 with lines lt {linetype(i)} lw 0.7 notitle",
            f"$series{i} using 1:2:3:4 with yerrorbars lt {linetype(i)} title {text(title)}"]


def across(groups, names):
    """Series side by side over named places: {title: [(place, y, least, most)]}. Bars and lines."""
    data, plots = "", []
    for i, (title, points) in enumerate(groups.items()):
        shift = 0.12 * (i - (len(groups) - 1) / 2)
        data += block(f"series{i}", [(place + shift, *rest) for place, *rest in points])
        plots += line_with_bars(i, title)
    places = ", ".join(f"{text(name)} {place}" for place, name in enumerate(names))
    return (data + f"set xrange [-0.5:{len(names) - 0.5}]\nset xtics ({places})\n"
            + "plot " + ", ".join(plots) + "\n")


def downwards(labels):
    """Named places from top to bottom, for what lies along an axis of values."""
    places = ", ".join(f"{text(label)} {-place}" for place, label in enumerate(labels))
    return f"set ytics ({places})\nset yrange [{0.6 - len(labels)}:0.6]\n"


def step(values):
    """Between marks of an axis over these values: at most six, at round numbers."""
    span = max(values) - min(values) or 1.0
    power = 10.0 ** floor(log10(span / 5))
    return next(power * n for n in (1, 2, 5, 10) if span <= 5 * power * n)


def height_of(labels):
    return 120 + 36 * len(labels)


def losses(file):
    """Exercise 1: float and integers on the same images."""
    rows = holding(file["rows"], "float_top1_of_integer_images", "int_top1", "integer_images")
    if not rows:
        return []
    data, plots, ends = "", [], []
    config = " and ".join(unique(row.get("config", "quantized") for row in rows))
    for i, (title, key) in enumerate([("float", "float_top1_of_integer_images"), (config, "int_top1")]):
        points = [(row[key], 0.17 - 0.34 * i - place, standard_error(row[key], row["integer_images"]))
                  for place, row in enumerate(rows)]
        data += block(f"series{i}", points)
        ends += [end for top1, _, error in points for end in (top1 - error, top1 + error)]
        plots.append(f"$series{i} using 1:2:3 with xerrorbars lt {linetype(i)} title {text(title)}")
    labels = [row["model"] for row in rows]
    changes = [f"+{row.get('images_gained', 0)} -{row.get('images_lost', 0)}" for row in rows]
    images = " or ".join(f"{n:,}" for n in unique(row["integer_images"] for row in rows))
    return [Figure(f"Top-1 in float and in integers on the same {images} images; the axis does not begin at 0. "
                   "Bars: one standard error of a share of so many images, on either side. "
                   "On the right: images gained and lost.",
                   data + downwards(labels) + downwards(changes).replace("set y", "set y2")
                   + f"set xtics {step(ends)}\nset xrange [{min(ends) - step(ends) / 4}:{max(ends) + step(ends) / 4}]\n"
                   "set xlabel 'top-1, %'\nplot " + ", ".join(plots) + "\n",
                   height_of(labels))]


def standard_error(per_cent, count):
    return sqrt(per_cent * (100 - per_cent) / count)


def against_float(rows, place_of, names):
    """The simulation's change against float by places, and how far repetitions spread."""
    groups = {}
    for row in holding(rows, "sim_top1", "float_top1"):
        top1, real = row["sim_top1"], row["float_top1"]
        point = (names.index(place_of(row)), top1 - real, row.get("sim_top1_least", top1) - real,
                 row.get("sim_top1_most", top1) - real)
        groups.setdefault(row["model"], []).append(point)
    return ("set ylabel 'points of top-1 against float'\nset yrange [*<0:0<*]\n"
            "set offsets 0, 0, graph 0.05, graph 0.05\nset xzeroaxis lc rgb 'black' dt 2\n"
            + across(groups, names))


def on_images(rows):
    counts = unique(row["images"] for row in holding(rows, "images"))
    sentence = " or ".join(f"{n:,}" for n in counts) + " images"
    return sentence + (f"; one image is {100 / counts[0]:.2f} points" if len(counts) == 1 else "")


def noise(file):
    """Exercise 2: what noise costs, and how wide the ranges are that it leaves."""
    rows = holding(file["rows"], "calibration_set", "calibration", "sim_top1", "float_top1")
    if not rows:
        return []

    def place_of(row):
        return f"{row['calibration_set']} {row['calibration']}"

    names = unique(map(place_of, rows))
    figures = [Figure(f"Top-1 of the simulation against float (the line at 0) on {on_images(rows)}. "
                      "Bars: least and most over draws of the noise.", against_float(rows, place_of, names))]
    wide = [row for row in holding(rows, "width_median", "width_least", "width_most")
            if row["calibration_set"] != "images"]
    if wide:
        names, groups = unique(map(place_of, wide)), {}
        least = min(1, *(row["width_least"] for row in wide))
        most = max(1, *(row["width_most"] for row in wide))
        for row in wide:
            groups.setdefault(row["model"], []).append(
                (names.index(place_of(row)), row["width_median"], row["width_least"], row["width_most"]))
        figures.append(Figure("Why: the width of the layers' ranges as a multiple of the width that images give "
                              "(the line at 1). Points: the median layer; bars: the narrowest and the widest.",
                              f"set logscale y 2\nset yrange [{least / 1.2}:{1.2 * most}]\n"
                              "set ylabel 'width, times that of images'\n" + AT_ONE
                              + across(groups, names)))
    return figures


def averages(file):
    """Exercise 3: what each alpha changes, and what an observer's value does while images come."""
    rows = holding(file["rows"], "observer", "sim_top1", "float_top1")
    if not rows:
        return []

    def place_of(row):
        return f"alpha {row['alpha']}" if row.get("alpha") is not None else row["observer"]

    names = unique(map(place_of, rows))
    figures = [Figure(f"Top-1 of the simulation against float (the line at 0) on {on_images(rows)}. "
                      "Bars: least and most over orders of the same calibration images.",
                      against_float(rows, place_of, names))]
    for model, entries in list(file.get("evidence", {}).get("history", {}).items())[:1]:
        layer = entries[len(entries) // 2]["layer"]
        figures.append(history(model, layer, [e for e in entries if e["layer"] == layer]))
    return figures


def history(model, layer, entries):
    """The upper ends of one layer's range after each of the last updates."""
    data, plots = "", []
    count = len(entries[0]["hi"])
    for i, entry in enumerate(entries):
        data += block(f"series{i}", list(enumerate(entry["hi"], 1))[-LAST_UPDATES:])
        style = "points" if entry["observer"] == "new value" else "lines"
        plots.append(f"$series{i} using 1:2 with {style} lt {linetype(i)} lw 1.5 title {text(entry['observer'])}")
    return Figure(f"The upper end of the range of {layer} in {model} while the last of {count} updates come: "
                  "a large alpha follows the last images.",
                  data + "set xlabel 'updates'\nset ylabel 'upper end'\nset xrange [*:" + str(count) + "]\n"
                  "plot " + ", ".join(plots) + "\n")


def speeds(file):
    """Exercise 4: how many times the images a second of float, by batch size; a figure a network."""
    rows = [row for row in holding(file["rows"], "ratio_to_float", "ratio_least", "ratio_most", "batch")
            if row.get("weight_spec") != "float32"]
    configs = unique(row["config"] for row in rows)
    highest = max((row["ratio_most"] for row in rows), default=1)
    return [speed(model, [row for row in rows if row["model"] == model], configs, highest)
            for model in unique(row["model"] for row in rows)]


def speed(model, rows, configs, highest):
    data, plots = "", []
    for i, config in enumerate(configs):
        aside = 1.06 ** (i - (len(configs) - 1) / 2)
        points = [(aside * row["batch"], row["ratio_to_float"], row["ratio_least"], row["ratio_most"])
                  for row in rows if row["config"] == config]
        if not points:
            continue
        data += block(f"series{i}", points)
        plots += line_with_bars(i, config)
    batches = unique(row["batch"] for row in rows)
    settings = (f"set logscale x 2\nset xtics ({', '.join(map(str, batches))})\n"
                f"set xrange [{min(batches) / 1.3}:{max(batches) * 1.3}]\nset yrange [0:{1.08 * highest}]\n"
                "set xlabel 'batch size'\nset ylabel 'images a second, times float'\n" + AT_ONE)
    real = " or ".join(unique(row["float"] for row in rows))
    return Figure(f"{model}: images a second as a multiple of {real} (the line at 1). "
                  "Bars: least and most over rounds.", data + settings + "plot " + ", ".join(plots) + "\n")


def training(file):
    """Exercise 5: before and after training, and what is left to float."""
    rows = holding(file["rows"], "config", "top1_before", "top1_after")
    if not rows:
        return []
    labels = [" ".join(str(row[key]) for key in ("model", "config", "method") if row.get(key)) for row in rows]
    points = [(row["top1_before"], -place, row["top1_after"] - row["top1_before"], 0, row["top1_after"])
              for place, row in enumerate(rows)]
    figures = [Figure("Top-1 before and after training at these bits.",
                      block("rows", points) + downwards(labels) + "set xrange [0:100]\nset xlabel 'top-1, %'\n"
                      "plot $rows using 1:2:3:4 with vectors nohead lt 1 notitle, "
                      "$rows using 1:2 with points lt 1 pt 6 title 'before', "
                      "$rows using 5:2 with points lt 1 title 'after'\n", height_of(labels))]
    real = {row["model"]: row["top1_after"] for row in rows if row["config"] == "float"}
    left = [(label, row["top1_after"] - real[row["model"]]) for label, row in zip(labels, rows)
            if row["config"] != "float" and row["model"] in real]
    if left:
        names = [label for label, _ in left]
        figures.append(Figure("After training: points of top-1 against the float network (the line at 0).",
                              block("rows", [(change, -place) for place, (_, change) in enumerate(left)])
                              + downwards(names) + "set xlabel 'points of top-1 against float'\n"
                              f"set xtics {step([0, *(change for _, change in left)])}\n"
                              "set yzeroaxis lc rgb 'black' dt 2\nset xrange [*<-0.1:0.1<*]\n"
                              "plot $rows using 1:2 with points lt 2 notitle\n", height_of(names)))
    return figures
