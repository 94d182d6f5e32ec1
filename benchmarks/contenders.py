# SPDX-License-Identifier: Apache-2.0
"""Processes that run one network in one form and answer requests, and the environment of the peers."""
import json
import os
import statistics
import subprocess
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Peer:
    name: str
    script: str
    packages: tuple  # versions that the report was made with
    forms: tuple
    # Environment that keeps it to an instruction set; none is known for those that are not named.
    held_by: dict = field(default_factory=dict)


PEERS = (
    Peer("ONNX Runtime", "peer_onnxruntime.py", ("onnxruntime==1.32.0", "onnx==1.23.2"), ("int8", "int8_exact", "f32")),
    Peer("OpenVINO", "peer_openvino.py", ("openvino==2026.4.1",), ("int8", "f32"),
         {"avx2": {"ONEDNN_MAX_CPU_ISA": "AVX2"}}),
    Peer("ncnn", "peer_ncnn.py", ("ncnn==1.0.20261020",), ("int8", "f32")),
)


def make_environment(root):
    """Installs the peers into build/peers. Its interpreter, the peers that are there, and what to say of the others."""
    folder = root / "build" / "peers"
    python = folder / "bin" / "python"
    log = (root / "build" / "peers.log").open("w")
    call = lambda *command: subprocess.run(command, stdout=log, stderr=log).returncode == 0
    if not python.exists() and not call("python3", "-m", "venv", folder):
        return python, [], [f"{peer.name}: no virtual environment (log in build/peers.log)" for peer in PEERS]
    install = lambda packages: call(python, "-m", "pip", "install", "--quiet", *packages)
    install(("numpy==2.4.6",))
    present = [peer for peer in PEERS if install(peer.packages)]
    missing = [peer for peer in PEERS if peer not in present]
    return python, present, [f"{peer.name}: it cannot be installed (log in build/peers.log)" for peer in missing]


class Contender:
    """A process, its hello and its figures."""

    def __init__(self, name, form, command, environment):
        self.name, self.form = name, form
        self.command, self.environment = [str(c) for c in command], environment
        self.seconds, self.least_seconds = [], float("inf")
        self.megabytes, self.correlation, self.exact = 0, 0, False
        self.process = None

    @property
    def label(self):
        return f"{self.name} {self.form.replace('_', ', ')}"

    def start(self):
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, **self.environment})
        self.hello = self.read()
        self.kernels = self.hello.get("kernels", [])

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            self.stop()
            raise SystemExit(f"benchmark: {' '.join(self.command)} ended")
        return json.loads(line)

    def ask(self, request):
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()
        return self.read()

    def stop(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait()
            self.process.stdout.close()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def rate(self, batch):
        return batch / statistics.median(self.seconds)

    def ratios(self, other):
        """Its speed as a multiple of another's, round by round."""
        return [theirs / own for own, theirs in zip(self.seconds, other.seconds)]
