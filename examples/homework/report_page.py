# SPDX-License-Identifier: Apache-2.0
"""report_page.py DIR: one page, DIR/report.html, of the JSON that the exercises wrote into DIR.

The page needs nothing else: tables, plots (by gnuplot, where it is installed) and style are in it."""
import argparse
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path

import report_plots as plots

INTEGERS = [  # (heading, key, decimals)
    ("Images", "images"),
    ("Simulated Acc1", "sim_top1"),
    ("Integer images", "integer_images"),
    ("Float Acc1 on those", "float_top1_of_integer_images"),
    ("Exact Acc1", "exact_top1"),
    ("Gained", "images_gained"),
    ("Lost", "images_lost"),
    ("Lowest SNR, dB", "lowest_signal_to_noise_db", 1),
    ("in layer", "noisiest_layer"),
    ("Differing codes", "differing_codes"),
    ("of", "compared_codes"),
]


@dataclass(frozen=True)
class Exercise:
    file: str
    title: str
    question: str
    figures: Callable
    columns: list


EXERCISES = [
    Exercise("q1_ptq", "Post-training quantization",
             "How much accuracy do weights and activations of 8 bits cost, without training?", plots.losses,
             [("Model", "model"), ("Data", "data"), ("Calibration size", "calibration"), ("Quant config", "config"),
              ("Float Acc1", "float_top1"), ("Quant Acc1", "int_top1"), *INTEGERS, ("Float bytes", "float_bytes"),
              ("Quant bytes", "quant_bytes")]),
    Exercise("q2_noise", "Calibration on Gaussian noise",
             "What accuracy is left if noise takes the place of calibration images? Why is it not zero, or very low?",
             plots.noise,
             [("Model", "model"), ("Calibration set", "calibration_set"), ("Calibration size", "calibration"),
              ("Quant config", "config"), ("Acc1", "int_top1"), ("Float Acc1", "float_top1"), *INTEGERS,
              ("Draws", "repetitions"), ("Simulated Acc1 from", "sim_top1_least"), ("to", "sim_top1_most")]),
    Exercise("q3_ema", "Moving-average observers",
             "What changes if ranges are moving averages, value = value (1 - alpha) + new alpha?", plots.averages,
             [("Model", "model"), ("Calibration set", "calibration"), ("Quant config", "config"),
              ("Observer", "observer"), ("Alpha", "alpha", None), ("Quant Acc1", "int_top1"),
              ("Float Acc1", "float_top1"), *INTEGERS, ("Images that count", "effective_images"),
              ("Orders", "repetitions"), ("Simulated Acc1 from", "sim_top1_least"), ("to", "sim_top1_most")]),
    Exercise("q4_speed", "Speed by batch size",
             "How many times as fast as float are integers, and why does that depend on the batch size?", plots.speeds,
             [("Model", "model"), ("Batch size", "batch"), ("Quant config", "config"), ("QPS", "images_per_second"),
              ("Float QPS", "float_images_per_second"), ("of", "float"), ("Hardware", "device"),
              ("Threads", "threads"), ("Ratio", "ratio_to_float"), ("least", "ratio_least"), ("most", "ratio_most"),
              ("Operations a byte", "operations_per_byte", 0),
              ("Products, % of the time at the peak", "products_per_cent", 0), ("Memory, %", "memory_per_cent", 0),
              ("Bound", "bound")]),
    Exercise("q5_qat", "Training at 4 and 2 bits",
             "How does accuracy change with training at 4w4f and 2w4f?", plots.training,
             [("Model", "model"), ("Data", "data"), ("Quant config", "config"), ("Method", "method"),
              ("Quant Acc1", "top1_after"), ("before training", "top1_before"), ("Epochs", "epochs")]),
]


def cell(value, decimals=2):
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return f"{value:.{decimals}f}" if isinstance(value, float) and decimals is not None else str(value)


def table(columns, rows):
    """A column that no row has is left out."""
    columns = [column for column in columns if any(column[1] in row for row in rows)]
    words = {key for _, key, *_ in columns if any(isinstance(row.get(key), str) for row in rows)}

    def line(tag, cells):
        made = [f"<{tag}>{escape(value)}</{tag}>" if key in words else f'<{tag} class="number">{escape(value)}</{tag}>'
                for (_, key, *_), value in zip(columns, cells)]
        return f"<tr>{''.join(made)}</tr>\n"

    head = line("th", [heading for heading, *_ in columns])
    body = "".join(line("td", [cell(row.get(key), *decimals) for _, key, *decimals in columns]) for row in rows)
    return f'<div class="table"><table>\n<thead>{head}</thead>\n<tbody>{body}</tbody></table></div>\n'


def figures(exercise, file):
    drawn = [f"<figure>{plots.drawn(figure, f'{exercise.file}-{i}-')}"
             f"<figcaption>{escape(figure.caption)}</figcaption></figure>\n"
             for i, figure in enumerate(exercise.figures(file))]
    return f'<div class="figures">{"".join(drawn)}</div>\n' if drawn else ""


def section(number, exercise, file, draw):
    answer = file.get("evidence", {}).get("answer", "")
    origin = "".join(f"<dt>{heading}</dt><dd>{escape(str(file.get(key, 'not given')))}</dd>" for heading, key in
                     [("Command", "command"), ("Commit", "commit"), ("Hardware", "hardware")])
    return (f'<section id="{exercise.file}">\n<h2>{number}. {exercise.title}</h2>\n'
            f'<p class="question">{exercise.question}</p>\n'
            + (figures(exercise, file) if draw else "")
            + "".join(f"<p>{escape(text)}</p>\n" for text in answer.split("\n\n") if text)
            + table(exercise.columns, file["rows"]) + f"<dl>{origin}</dl>\n</section>\n")


def page(files, draw):
    """`files`: the JSON of each exercise that there is, by the name of its program."""
    entries, sections = "", ""
    for number, exercise in enumerate(EXERCISES, 1):
        title = f"{number}. {exercise.title}"
        if exercise.file in files:
            entries += f'<li><a href="#{exercise.file}">{title}</a></li>\n'
            sections += section(number, exercise, files[exercise.file], draw)
        else:
            entries += f"<li>{title}: absent, {exercise.file} has not been run</li>\n"
    notice = "" if draw else '<p class="notice">gnuplot is not installed, so this page has tables and no plots.</p>\n'
    style = Path(__file__).with_suffix(".css").read_text()
    return (f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
            f"<title>quantal: the exercises</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
            f"<h1>quantal: the exercises</h1>\n<nav><ul>\n{entries}</ul></nav>\n{notice}{sections}</body>\n</html>\n")


def read(folder):
    files = {}
    for exercise in EXERCISES:
        path = folder / f"{exercise.file}.json"
        if not path.exists():
            continue
        try:
            files[exercise.file] = json.loads(path.read_text())
            files[exercise.file]["rows"]
        except (ValueError, LookupError, TypeError) as error:
            raise ValueError(f"{path} is not what {exercise.file} --json writes: {error!r}") from error
    if not files:
        raise ValueError(f"{folder} holds no JSON of an exercise, such as {EXERCISES[0].file}.json")
    return files


def main():
    parser = argparse.ArgumentParser(prog="report_page", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR", help="where the exercises wrote their JSON")
    folder = parser.parse_args().folder
    output = folder / "report.html"
    try:
        output.write_text(page(read(folder), draw=shutil.which("gnuplot") is not None))
    except (OSError, ValueError, RuntimeError) as error:
        parser.exit(2, f"report_page: {error}\n")
    print(output)


if __name__ == "__main__":
    main()
