# SPDX-License-Identifier: Apache-2.0
"""The races of scripts/benchmark: programs that race by themselves, and processes that take turns."""
import json
import os
import statistics
import subprocess
import time
from pathlib import Path

from contenders import PEERS, Contender, make_environment

OPENBLAS_HELD_BY = {"avx2": {"OPENBLAS_CORETYPE": "Haswell"}}
FORMS = ("w8a8", "w4a8", "w4a4", "w2a4", "f32")
FORMS_OF_8_BITS = ("w8a8", "int8", "int8_exact")
BATCHES = (1, 32)
# float32 in another order of sums: an element's error grows with the roots of the thousands of products
# of a sum and of the tens of layers behind each other, times 2^-24; relative to the largest answer.
FLOAT_TOLERANCE = 1e-4
# int8 keeps the answers' order, roughly: random networks amplify what rounding does.
LEAST_CORRELATION = 0.98


def largest_difference(answers, expected):
    scale = max(abs(e) for e in expected)
    return max(abs(a - e) for a, e in zip(answers, expected)) / scale


class Bench:
    def __init__(self, root, programs, quick, cores, results):
        self.root, self.programs, self.results = Path(root), Path(programs), results
        self.cores, self.quick = cores, quick
        self.rounds = 3 if quick else 7
        self.kernels = json.loads(self.call("", self.programs / "network_benchmark", "machine", 1))["kernels"]
        self.peaks = {}  # by (arch, threads)

    def call(self, arch, *command):
        environment = {**os.environ, "QUANTAL_ARCH": arch, **OPENBLAS_HELD_BY.get(arch, {})}
        done = subprocess.run([str(c) for c in command], env=environment, stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise SystemExit(f"benchmark: {' '.join(map(str, command))} failed")
        return done.stdout

    def archs(self):
        """The kernels of this machine, and AVX2 where they know more; or those QUANTAL_ARCH names."""
        if named := os.environ.get("QUANTAL_ARCH"):
            return [named]
        return self.kernels[:1] + [name for name in self.kernels[1:] if name == "avx2"]

    def measure_peaks(self, arch, threads):
        machine = self.call(arch, self.programs / "network_benchmark", "machine", threads)
        self.peaks[arch, threads] = peaks = json.loads(machine)["peaks"]
        self.results["peaks"].append({"arch": arch, "threads": threads, **peaks})

    def race_program(self, task, arch, threads):
        """A benchmark that races by itself; its rows."""
        file = self.root / "build" / f"{task}.json"
        print(f"benchmark: {task}, {arch}, {threads} threads", flush=True)
        size = [] if task == "elementwise" else [threads]
        self.call(arch, self.programs / f"{task}_benchmark", arch, *size, "--rounds", self.rounds, "--json", file)
        self.results["rows"] += json.loads(file.read_text())["rows"]

    def race_networks(self, models):
        pythons, missing = make_environment(self.root)
        self.results["skipped"] += missing
        exact = self.find_exact(pythons)
        for model in models:
            self.prepare(model, pythons)
            for arch, threads in self.peaks:
                for batch in BATCHES:
                    self.race_network(model, arch, threads, batch, pythons, exact)

    def folder(self, model):
        return self.root / "build" / "networks" / model

    def prepare(self, model, pythons):
        """Exports the network, and lets each peer make its own files of it."""
        print(f"benchmark: preparing {model}", flush=True)
        self.call("", self.programs / "network_benchmark", "export", model, self.folder(model))
        for script, python in list(pythons.items()):
            with (self.root / "build" / "peers.log").open("a") as log:
                made = subprocess.run([python, script, "prepare", self.folder(model)], stdout=log, stderr=log)
            if made.returncode != 0:
                self.results["skipped"].append(f"{script.stem}: no files of {model} (log in build/peers.log)")
                del pythons[script]

    def contenders(self, model, arch, batch, threads, pythons):
        """All that take part, quantal first; those that cannot be held to the instruction set are told once."""
        program = [self.programs / "network_benchmark"]
        environment = {"QUANTAL_ARCH": arch}
        arguments = lambda form: ["run", self.folder(model), form, batch, threads]
        all_ = [Contender("quantal", f, [*program, *arguments(f)], environment) for f in FORMS]
        for peer in PEERS:
            if (script := self.root / "benchmarks" / "network" / peer.script) not in pythons:
                continue
            held = {} if arch == self.kernels[0] else peer.held_by.get(arch)
            if held is None:
                note = f"{peer.name} on {arch}: it cannot be held to it"
                if note not in self.results["skipped"]:
                    self.results["skipped"].append(note)
                continue
            all_ += [Contender(peer.name, f, [pythons[script], script, *arguments(f)], held) for f in peer.forms]
        return all_

    def find_exact(self, pythons):
        """Whether each contender's sums are exact, by (arch, name, form): saturated ones are half as large."""
        self.prepare("largest", pythons)
        exact = {}
        for arch in {arch for arch, _ in self.peaks}:
            for c in self.contenders("largest", arch, 1, 1, pythons):
                with c:
                    answers = c.ask("answers")["answers"]
                exact[arch, c.name, c.form] = largest_difference(answers, [255 * 127 * 64]) < 0.02
        return exact

    def race_network(self, model, arch, threads, batch, pythons, exact):
        contenders = self.contenders(model, arch, batch, threads, pythons)
        print(f"benchmark: {model}, {arch}, batch {batch}, {threads} threads", flush=True)
        try:
            for c in contenders:
                c.start()
            verify(contenders, arch)
            for _ in range(self.rounds):
                for c in contenders:
                    if threads > 1:
                        time.sleep(0.25)  # threads that wait in busy loops give up
                    answer = c.ask("0.2")
                    c.seconds.append(answer["seconds"])
                    c.megabytes = answer["megabytes"]
        finally:
            for c in contenders:
                c.stop()
        key = {"model": model, "batch": batch, "threads": threads, "arch": arch, "unit": "images/s"}
        for c in contenders:
            c.exact = exact[arch, c.name, c.form] if c.form != "f32" else True
        peaks = self.peaks[arch, threads]
        self.results["rows"] += [row_of(key, c, contenders, peaks) for c in contenders if c.name == "quantal"]


def verify(contenders, arch):
    """Float answers agree with quantal's float, those of int8 correlate; kernels are of the instruction set."""
    expected = next(c for c in contenders if c.form == "f32").ask("answers")["answers"]
    for c in contenders:
        answers = c.ask("answers")["answers"]
        c.correlation = statistics.correlation(answers, expected)
        if c.form == "f32" and largest_difference(answers, expected) > FLOAT_TOLERANCE:
            raise SystemExit(f"benchmark: {c.name} in float32 differs from quantal")
        if c.form in FORMS_OF_8_BITS and c.correlation < LEAST_CORRELATION:
            raise SystemExit(f"benchmark: {c.name} {c.form} has a correlation of {c.correlation:.3f}")
        if arch == "avx2" and any("avx512" in kernel for kernel in c.kernels):
            raise SystemExit(f"benchmark: {c.name} runs {c.kernels}, which are not AVX2")


def row_of(key, ours, contenders, peaks):
    """One form of quantal against the fastest peer: of those with bytes, or of those in float32 for float32."""
    in_float = ours.form == "f32"
    batch = key["batch"]
    peers = [c for c in contenders if c.name != "quantal" and (c.form == "f32") == in_float]
    of_8_bits = next(c for c in contenders if c.form == "w8a8")
    peak = 1e9 * peaks["float_gop_per_second" if in_float else "byte_gop_per_second"]
    row = {
        "task": "network",
        "ours": ours.form,
        **key,
        "ours_value": ours.rate(batch),
        "ours_megabytes": ours.megabytes,
        "fraction_of_peak": ours.rate(batch) * ours.hello["operations"] / peak,
        "ratio_to_w8a8": statistics.median(ours.ratios(of_8_bits)),
    }
    if peers:
        fastest = max(peers, key=lambda c: c.rate(batch))
        ratios = ours.ratios(fastest)
        row |= {
            "peer": fastest.label,
            "peer_value": fastest.rate(batch),
            "ratio": statistics.median(ratios),
            "spread": (max(ratios) - min(ratios)) / statistics.median(ratios),
            "peer_exact": fastest.exact,
            "peer_megabytes": fastest.megabytes,
        }
    row["peers"] = {
        c.label: {
            "value": c.rate(batch),
            "exact": c.exact,
            "megabytes": c.megabytes,
            "correlation": c.correlation,
            "version": c.hello["version"],
        }
        for c in peers
    }
    return row
