# SPDX-License-Identifier: Apache-2.0
"""What all peers share: the exported network, and answering requests as network_benchmark does."""
import argparse
import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

TYPES = {"F32": np.float32, "I32": np.int32, "U8": np.uint8}


def open_safetensors(path):
    """The header and the bytes of a file; only what is looked at is read."""
    data = np.memmap(path, np.uint8, "r")
    length = int(data[:8].view(np.uint64)[0])
    return json.loads(bytes(data[8 : 8 + length])), data[8 + length :]


def tensor(header, data, name):
    first, last = header[name]["data_offsets"]
    values = np.frombuffer(bytes(data[first:last]), TYPES[header[name]["dtype"]])
    return values.reshape(header[name]["shape"])


def nodes_of(folder):
    """The nodes of the exported network in float32."""
    header, _ = open_safetensors(Path(folder) / "f32.quantal")
    return json.loads(header["__metadata__"]["graph"])["nodes"]


def parameters_of(folder):
    header, data = open_safetensors(Path(folder) / "f32.quantal")
    return {name: tensor(header, data, name) for name in header if name != "__metadata__"}


def images_of(folder, name="images"):
    return tensor(*open_safetensors(Path(folder) / "images.safetensors"), name)


def batch_of(folder, batch):
    """The images to compare, again and again until they are a batch."""
    images = images_of(folder)
    return np.ascontiguousarray(images[np.arange(batch) % len(images)])


def serve(name, version, run, kernels=()):
    """Answers each request, a line: "answers", or the least number of seconds to run for."""

    def reply(answer):
        print(json.dumps(answer), flush=True)

    reply({"name": name, "version": version, "kernels": sorted(kernels)})
    for request in sys.stdin:
        if request.strip() == "answers":
            reply({"answers": np.asarray(run()).ravel().tolist()})
            continue
        times = [time.perf_counter()]
        while times[-1] - times[0] < float(request):
            run()
            times.append(time.perf_counter())
        seconds = np.diff(times)
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        reply({"seconds": seconds.mean(), "least_seconds": seconds.min(), "megabytes": kilobytes / 1024})


def main(prepare, run):
    """`prepare FOLDER` makes the peer's files; `run FOLDER FORM BATCH THREADS` answers requests."""
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("prepare").add_argument("folder")
    served = commands.add_parser("run")
    served.add_argument("folder")
    served.add_argument("form")
    served.add_argument("batch", type=int)
    served.add_argument("threads", type=int)
    arguments = parser.parse_args()
    if arguments.command == "prepare":
        prepare(Path(arguments.folder))
    else:
        run(Path(arguments.folder), arguments.form, arguments.batch, arguments.threads)
