# SPDX-License-Identifier: Apache-2.0
"""The tools that scripts/gpu-report and scripts/gpu-check call: nvcc, cuobjdump, and our own gpu_list."""
import json
import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import occupancy
import roofline
import sass

SKIPPED = 77  # exit code of what a machine cannot do, as for tests
CUOBJDUMP = ("nvidia-cuda-cuobjdump==13.5.37", "nvidia-cuda-nvdisasm==13.5.37")


class Toolchain:
    def __init__(self, root, name):
        self.root, self.name = root, name
        self.build = root / "build" / "gpu"
        self.log = root / "build" / f"{name}.log"
        self.log.parent.mkdir(exist_ok=True)
        self.log.write_text("")
        self.nvcc = self.cuobjdump = None

    def say(self, what):
        print(f"{self.name}: {what}", flush=True)

    def skip(self, why):
        self.say(f"skipped: {why}")
        sys.exit(SKIPPED)

    def run(self, *command):
        """What a command prints; its errors, and what it says where it fails, are in the log."""
        command = [str(c) for c in command]
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True)
        with self.log.open("a") as log:
            log.write(f"$ {' '.join(command)}\n{done.stderr}")
            if done.returncode != 0:
                log.write(done.stdout)
        if done.returncode != 0:
            print("\n".join((done.stdout + done.stderr).splitlines()[-40:]), file=sys.stderr)
            sys.exit(f"{self.name}: {command[0]} failed; the whole log is {self.log}")
        return done

    def require_nvcc(self):
        folders = [os.environ.get("PATH", ""), "/usr/local/cuda/bin"]
        self.nvcc = shutil.which("nvcc", path=os.pathsep.join(folders))
        if not self.nvcc:
            self.skip("there is no nvcc, neither on the path nor in /usr/local/cuda/bin; it comes with the CUDA Toolkit")

    def require_cuobjdump(self):
        """The toolkit's, or NVIDIA's package from PyPI in a virtual environment."""
        folder = self.root / "build" / "gpu-tools"
        packaged = lambda: next(iter(folder.glob("lib/python*/site-packages/nvidia/*/bin/cuobjdump")), None)
        beside = Path(self.nvcc).with_name("cuobjdump")
        self.cuobjdump = shutil.which("cuobjdump") or (beside if beside.exists() else packaged())
        if not self.cuobjdump:
            self.say(f"installing cuobjdump into {folder}")
            self.run(sys.executable, "-m", "venv", folder)
            self.run(folder / "bin" / "python", "-m", "pip", "install", "--quiet", *CUOBJDUMP)
            self.cuobjdump = packaged()

    def nvcc_version(self):
        return "nvcc " + re.search(r"V([\d.]+)", self.run(self.nvcc, "--version").stdout)[1]

    def make(self, program):
        """One of the programs of benchmarks/gpu, built."""
        path = self.build / "bin" / program
        if not path.exists():
            self.say(f"building {program} (log: {self.log})")
        self.run("cmake", "-S", ".", "-B", self.build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                 "-DCMAKE_CXX_FLAGS_RELEASE=-O2", "-DQUANTAL_CUDA=ON", "-DQUANTAL_TESTS=OFF", "-DQUANTAL_EXAMPLES=OFF",
                 "-DQUANTAL_DISPATCH=OFF", "-DQUANTAL_DATA=OFF", "-DQUANTAL_IO=OFF")
        self.run("cmake", "--build", self.build, "--target", program)
        return path

    def list(self, *arguments):
        """What gpu_list says."""
        return json.loads(self.run(self.make("gpu_list"), *arguments).stdout)

    def predict(self, devices, model, bits, batches, kernels):
        """Predictions of a network of (weight, code) bits; `kernels` are the rows of those that were compiled."""
        commas = lambda texts: ",".join(map(str, texts))
        kinds = sorted({f"{d.multiprocessors}:{d.arch}" for d in devices})
        networks = self.list("network", model, *bits, commas(kinds), commas(batches))
        found = []
        for device in devices:
            rows = {k["kernel"]: k for k in kernels if k["arch"] == device.arch}
            found += [roofline.predict_network(device, n, rows) for n in networks
                      if (n["multiprocessors"], n["arch"]) == (device.multiprocessors, device.arch)]
        return found

    def compile(self, arch, family, facts):
        """A family's row, and a row for each of its kernels."""
        binary = self.build / f"{family}.sm_{arch}.cubin"
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = self.run(self.nvcc, "-std=c++20", f"-I{self.root / 'include'}", "-O3", "-Werror", "all-warnings",
                        f"-DQUANTAL_CUDA_FAMILY={family}_family", "-cubin", f"-arch=sm_{arch}", "-Xptxas", "-v",
                        "-o", binary, self.root / "src" / "cuda" / "kernels.cu")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        used = occupancy.resources(done.stdout + done.stderr)
        code = sass.functions(self.run(self.cuobjdump, "-sass", binary).stdout)
        names = dict(zip(used, self.run("c++filt", *used).stdout.splitlines()))
        kernels = [kernel_row(arch, facts_of(facts, names[f]), used[f], code[f]) for f in used]
        return {"arch": arch, "family": family, "kernels": len(kernels), "seconds": seconds,
                "bytes": binary.stat().st_size, "registers": max(k["registers"] for k in kernels),
                "spilled_bytes": sum(k["spill_stores"] + k["spill_loads"] for k in kernels)}, kernels


def facts_of(facts, function):
    """What gpu_list says of the kernel whose entry is `function`, demangled; compilers differ in their spaces."""
    plain = lambda text: text.replace(" ", "")
    for f in facts:
        if plain(function).startswith(plain(f"void quantal::v0::cuda::run<{f['kernel']}>(")):
            return f
    raise SystemExit(f"gpu_list has no kernel for {function}")


def kernel_row(arch, facts, used, instructions):
    """All that is known of a kernel on an architecture."""
    shared = facts["shared_bytes"] + used["static_shared"]
    row = {**facts, **used, "arch": arch, "shared_bytes": shared,
           "occupancy": occupancy.occupancy(arch, facts["threads"], used["registers"], shared)}
    loop = sass.hottest_loop(instructions)
    row["loop"] = sass.figures(loop, facts["threads"]) if loop else None
    row["instructions"] = sass.count(instructions)
    if tile := facts.get("tile"):
        ideal = sass.against_ideal(row["loop"], tile)
        row["loop"] |= {"steps": ideal["steps"], "of_ideal": ideal["ratio"], "after": sass.after(instructions, loop)}
    return row
