# SPDX-License-Identifier: Apache-2.0
"""The races of scripts/benchmark: programs that race by themselves, and processes that take turns."""
import itertools
import json
import os
import statistics
import subprocess
import time
from pathlib import Path

from contenders import PEERS, Contender, make_environment

# The second also because OpenBLAS takes its oldest kernels on processors that it does not know.
OPENBLAS_HELD_BY = {"avx2": {"OPENBLAS_CORETYPE": "Haswell"}, "avx512_vnni": {"OPENBLAS_CORETYPE": "SkylakeX"}}
FORMS = ("w8a8", "w4a8", "w4a4", "w2a4", "f32")
FORMS_OF_8_BITS = ("w8a8", "int8", "int8_exact")
LARGEST = "largest"  # one layer whose sums are the largest there are
BATCHES = (1, 32)
LEAST_ROUNDS, MOST_ROUNDS, LONGEST_RACE = 3, 15, 60  # seconds
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
        def add():
            machine = self.call(arch, self.programs / "network_benchmark", "machine", threads)
            self.results["peaks"].append({"arch": arch, "threads": threads, **json.loads(machine)["peaks"]})

        self.results.measure(f"peaks, {arch}, {threads} threads", add)
        self.peaks = {(p["arch"], p["threads"]): p for p in self.results["peaks"]}

    def race_program(self, task, arch, threads):
        """A benchmark that races by itself; its rows."""

        def add():
            file = self.root / "build" / f"{task}.json"
            size = [] if task == "elementwise" else [threads]
            self.call(arch, self.programs / f"{task}_benchmark", arch, *size, "--rounds", self.rounds, "--json", file)
            self.results["rows"].extend(json.loads(file.read_text())["rows"])

        self.results.measure(f"{task}, {arch}, {threads} threads", add)

    def race_networks(self, models):
        self.python, self.peers, missing = make_environment(self.root)
        for what in missing:
            self.results.skip(what)
        for model in (LARGEST, *models):
            self.results.measure(f"preparing {model}", lambda: self.prepare(model))
        for arch in dict.fromkeys(arch for arch, _ in self.peaks):
            self.results.measure(f"exactness, {arch}", lambda: self.find_exact(arch))
        for in_float in (False,) if self.quick else (False, True):
            for model, (arch, threads), batch in itertools.product(models, self.peaks, BATCHES):
                name = "float32" if in_float else "integers"
                self.results.measure(f"{model} in {name}, {arch}, batch {batch}, {threads} threads",
                                     lambda: self.race_network(model, arch, threads, batch, in_float))

    def folder(self, model):
        return self.root / "build" / "networks" / model

    def prepare(self, model):
        """Exports the network, and lets each peer make its own files of it."""
        self.call("", self.programs / "network_benchmark", "export", model, self.folder(model))
        for peer in self.ready_peers():
            command = [self.python, self.script(peer), "prepare", self.folder(model)]
            with (self.root / "build" / "peers.log").open("a") as log:
                made = subprocess.run(command, stdout=log, stderr=log)
            if made.returncode != 0:
                self.results.skip(f"{peer.name}: no files of {model} (log in build/peers.log)")

    def script(self, peer):
        return self.root / "benchmarks" / "network" / peer.script

    def ready_peers(self):
        """Those that made their files of every network so far."""
        failed = lambda peer: any(what.startswith(f"{peer.name}: no files") for what in self.results["skipped"])
        return [peer for peer in self.peers if not failed(peer)]

    def contenders(self, model, arch, batch, threads):
        """All that take part, quantal first; those that cannot be held to the instruction set are told once."""
        program = [self.programs / "network_benchmark"]
        environment = {"QUANTAL_ARCH": arch}
        arguments = lambda form: ["run", self.folder(model), form, batch, threads]
        all_ = [Contender("quantal", f, [*program, *arguments(f)], environment) for f in FORMS]
        for peer in self.ready_peers():
            held = {} if arch == self.kernels[0] else peer.held_by.get(arch)
            if held is None:
                self.results.skip(f"{peer.name} on {arch}: it cannot be held to it")
                continue
            script = [self.python, self.script(peer)]
            all_ += [Contender(peer.name, f, [*script, *arguments(f)], held) for f in peer.forms]
        return all_

    def find_exact(self, arch):
        """Whether each contender's sums are exact: saturated ones are half as large."""
        for c in self.contenders(LARGEST, arch, 1, 1):
            with c:
                answers = c.ask("answers")["answers"]
            self.results["exact"][f"{arch}, {c.label}"] = largest_difference(answers, [255 * 127 * 64]) < 0.02

    def race_network(self, model, arch, threads, batch, in_float):
        """One of two races: forms of bytes (and the answers in float32 to compare), or those in float32."""
        reference = lambda c: c.name == "quantal" and c.form == ("w8a8" if in_float else "f32")
        contenders = [c for c in self.contenders(model, arch, batch, threads)
                      if (c.form == "f32") == in_float or reference(c)]
        try:
            for c in contenders:
                c.start()
            verify(contenders, arch)
            if not in_float:
                in_float_too = next(filter(reference, contenders))
                contenders.remove(in_float_too)
                in_float_too.stop()
            self.take_turns(contenders, threads)
        finally:
            for c in contenders:
                c.stop()
        for c in contenders:
            c.exact = c.form == "f32" or self.results["exact"][f"{arch}, {c.label}"]
        key = {"model": model, "batch": batch, "threads": threads, "arch": arch, "unit": "images/s"}
        ours = [c for c in contenders if c.name == "quantal" and not reference(c)]
        self.results["rows"].extend(row_of(key, c, contenders, self.peaks[arch, threads]) for c in ours)

    def take_turns(self, contenders, threads):
        """Rounds of a fifth of a second each, as many as there is time for, at least three."""
        started = time.monotonic()
        for finished in range(self.rounds if self.quick else MOST_ROUNDS):
            if finished >= LEAST_ROUNDS and time.monotonic() - started > LONGEST_RACE * finished / (finished + 1):
                break
            for c in contenders:
                if threads > 1:
                    time.sleep(0.25)  # threads that wait in busy loops give up
                answer = c.ask("0.2")
                c.seconds.append(answer["seconds"])
                c.least_seconds = min(c.least_seconds, answer["least_seconds"])
                c.megabytes = answer["megabytes"]


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
            "ratio_of_fastest": min(c.least_seconds for c in peers) / ours.least_seconds,
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
