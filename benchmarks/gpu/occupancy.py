# SPDX-License-Identifier: Apache-2.0
"""What ptxas says of kernels, and how many blocks of one a multiprocessor holds."""
import re
from dataclasses import dataclass

SOURCE = ("CUDA C++ Programming Guide 13.0, \"Technical Specifications per Compute Capability\"; granularities and "
          "formula: cuda_occupancy.h of the CUDA Toolkit 13.0")


@dataclass(frozen=True)
class Multiprocessor:
    """Limits of one; shared memory in bytes."""
    warps: int
    blocks: int
    shared: int
    shared_reserved: int = 1024  # by the system, for each block
    shared_unit: int = 128
    registers: int = 65536
    register_unit: int = 256  # of a warp
    partitions: int = 4


MULTIPROCESSORS = {
    75: Multiprocessor(32, 16, 64 * 1024, shared_reserved=0, shared_unit=256),
    80: Multiprocessor(64, 32, 164 * 1024),
    86: Multiprocessor(48, 16, 100 * 1024),
    89: Multiprocessor(48, 24, 100 * 1024),
    90: Multiprocessor(64, 32, 228 * 1024),
    100: Multiprocessor(64, 32, 228 * 1024),
    120: Multiprocessor(48, 24, 100 * 1024),
}

ENTRY = re.compile(r"Compiling entry function '(\S+)' for")
SPILLS = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
USED = re.compile(r"Used (\d+) registers")
SHARED = re.compile(r"(\d+) bytes smem")


def resources(text):
    """Registers, static shared memory, stack and spills of each function, from `ptxas -v`."""
    found, current = {}, None
    for line in text.splitlines():
        if match := ENTRY.search(line):
            current = found.setdefault(match[1], {"static_shared": 0})
        elif current is None:
            continue
        elif match := SPILLS.search(line):
            current |= dict(zip(("stack", "spill_stores", "spill_loads"), map(int, match.groups())))
        elif match := USED.search(line):
            current["registers"] = int(match[1])
            if match := SHARED.search(line):
                current["static_shared"] = int(match[1])
    return found


def round_up(value, unit):
    return -(-value // unit) * unit


def resident_blocks(sm, threads, registers, shared):
    """Blocks that are on a multiprocessor at a time, and what holds it there."""
    warps = -(-threads // 32)
    of_warp = max(round_up(registers * 32, sm.register_unit), sm.register_unit)
    # Warps lie in partitions; a block is refused as if it had a multiple of them.
    fits = of_warp * round_up(warps, sm.partitions) <= sm.registers
    taken = round_up(shared + sm.shared_reserved, sm.shared_unit)
    limits = {
        "blocks": sm.blocks,
        "warps": sm.warps // warps,
        "registers": sm.registers // sm.partitions // of_warp * sm.partitions // warps if fits else 0,
        "shared memory": sm.shared // taken if taken else sm.blocks,
    }
    least = min(limits.values())
    return least, next(name for name, limit in limits.items() if limit == least)


def occupancy(arch, threads, registers, shared):
    """Resident blocks, the part of the warps that they are, and their limit."""
    sm = MULTIPROCESSORS[arch]
    blocks, limit = resident_blocks(sm, threads, registers, shared)
    return {"blocks": blocks, "warps": blocks * -(-threads // 32) / sm.warps, "limit": limit}
