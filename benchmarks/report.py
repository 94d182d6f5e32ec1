# SPDX-License-Identifier: Apache-2.0
"""report.py FILE: the rows that scripts/benchmark wrote, as Markdown."""
import json
import sys
from math import exp, log

TITLES = {
    "network": "Whole networks",
    "gemm": "Matrix products (rows x columns x depth)",
    "convolution": "Convolutions (size^2 in -> out, kernel, stride, groups), one image",
    "elementwise": "Arrays of 128 MB, one thread",
}


def table(headings, rows):
    lines = ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows])


def number(value):
    """Three digits that count."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def geometric_mean(values):
    return exp(sum(map(log, values)) / len(values))


def unique(rows, *keys):
    return list(dict.fromkeys(tuple(row[key] for key in keys) for row in rows))


def ratio_cell(row):
    return f"{row['ratio']:.2f} ± {row['spread'] / 2:.2f}" if "ratio" in row else ""


def networks(rows):
    """A line a model, batch and form, against the fastest peer."""
    answer = {True: "yes", False: "no"}
    lines = [
        [
            row["model"],
            str(row["batch"]),
            row["ours"],
            number(row["ours_value"]),
            ratio_cell(row),
            f"{row['ratio_of_fastest']:.2f}" if "ratio" in row else "",
            row.get("peer", ""),
            answer.get(row.get("peer_exact"), ""),
            f"{row['ratio_to_w8a8']:.2f}",
            f"{100 * row['fraction_of_peak']:.0f} %",
            f"{row['ours_megabytes']:.0f}",
        ]
        for key in unique(rows, "model", "batch")
        for row in rows
        if (row["model"], row["batch"]) == key
    ]
    headings = ["Model", "Batch", "Form", "Images/s", "Ratio", "Fastest", "to", "exact", "to w8a8",
                "Part of the peak", "MB"]
    return table(headings, lines) + "\n\n" + peers(rows)


def peers(rows):
    """A line a model and batch, a column a peer: images a second, and megabytes."""
    labels = list(dict.fromkeys(label for row in rows for label in row["peers"]))
    lines = []
    for model, batch in unique(rows, "model", "batch"):
        found = {}
        for row in rows:
            if (row["model"], row["batch"]) == (model, batch):
                found |= row["peers"]
        cells = [found.get(label) for label in labels]
        line = [f"{number(c['value'])} ({c['megabytes']:.0f} MB)" if c else "" for c in cells]
        lines.append([model, str(batch), *line])
    return table(["Model", "Batch", *labels], lines)


def kernels(rows):
    """A line a shape, a column a form."""
    forms = [form for (form,) in unique(rows, "ours")]
    lines = []
    for (shape,) in unique(rows, "shape"):
        found = {row["ours"]: row for row in rows if row["shape"] == shape}
        first = next(iter(found.values()))
        exact = "exact" if first["peer_exact"] else "saturates"
        line = [shape.strip(), f"{first['peer']} ({exact})", number(first["peer_value"])]
        for form in forms:
            row = found.get(form)
            line.append(f"{ratio_cell(row)}, {number(row['ours_value'])}" if row else "")
        lines.append(line)
    means = ["geometric mean", "", ""]
    means += [f"{geometric_mean([r['ratio'] for r in rows if r['ours'] == f]):.2f}" for f in forms]
    headings = ["Shape", "Fastest peer", rows[0]["unit"]]
    return table(headings + [f"{form}: ratio, {rows[0]['unit']}" for form in forms], lines + [means])


def peaks(entries):
    lines = [
        [e["arch"], str(e["threads"]), number(e["byte_gop_per_second"]), number(e["float_gop_per_second"]),
         number(e["reads"][-1]["gigabytes_per_second"])]
        for e in entries
    ]
    return table(["Instructions", "Threads", "Bytes, Gop/s", "float32, Gop/s", "Memory, GB/s"], lines)


def to_markdown(results):
    parts = [
        "# Benchmarks",
        f"`{results['command']}`, commit {results['commit']}, {results['hardware']}, "
        f"{results['seconds']} s.",
        "A ratio is the speed of quantal as a multiple of the fastest peer's in 8 bits (for f32: in float32), the "
        "median of the rounds and half of their range; above 1 quantal is faster. The results of both were compared "
        "before. *Fastest*: the fastest run of quantal to the fastest of any peer, which is what counts where other "
        "programs disturb. *exact*: whether that peer's sums are those of the formula, for every input; those that are "
        "not saturate. The part of the peak counts the products of the plain algorithm: transforms and few bits may "
        "pass it. MB is the most memory that the process had. Networks are 224x224 with random weights.",
        "## What the machine does at most",
        peaks(results["peaks"]),
    ]
    for task, title in TITLES.items():
        of_task = [row for row in results["rows"] if row["task"] == task]
        show = networks if task == "network" else kernels
        for arch, threads in unique(of_task, "arch", "threads"):
            rows = [r for r in of_task if (r["arch"], r["threads"]) == (arch, threads)]
            parts += [f"## {title}: {arch}, {threads} thread{'s' if threads > 1 else ''}"]
            if task == "gemm":  # float32 has a peer of its own
                floats = [r for r in rows if r["ours"] == "f32"]
                parts += [kernels(part) for part in ([r for r in rows if r not in floats], floats) if part]
            else:
                parts.append(show(rows))
    skipped = [f"- {what}" for what in results["skipped"]]
    parts += [f"## Skipped: {len(skipped)}", "\n".join(skipped) or "Nothing."]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        print(to_markdown(json.load(file)), end="")
