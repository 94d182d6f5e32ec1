# SPDX-License-Identifier: Apache-2.0
"""cut_fashion_mnist.py FROM TO TRAIN TEST: the first images of Fashion-MNIST's files, and no trained networks."""
import gzip
import pathlib
import shutil
import struct
import sys

source, target = map(pathlib.Path, sys.argv[1:3])
shutil.rmtree(target, ignore_errors=True)
target.mkdir(parents=True)
for part, count in (("train", int(sys.argv[3])), ("t10k", int(sys.argv[4]))):
    for kind, header, each in (("images-idx3", 16, 28 * 28), ("labels-idx1", 8, 1)):
        name = f"{part}-{kind}-ubyte.gz"
        with gzip.open(source / name) as whole:
            data = whole.read(header + count * each)
        with gzip.open(target / name, "wb") as cut:
            cut.write(data[:4] + struct.pack(">i", count) + data[8:])
