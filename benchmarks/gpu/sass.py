# SPDX-License-Identifier: Apache-2.0
"""Machine code as `cuobjdump -sass` prints it: functions, their loops, and what a loop executes."""
import re
from collections import Counter
from dataclasses import dataclass

FUNCTION = re.compile(r"^\s*Function : (\S+)")
INSTRUCTION = re.compile(r"^\s*/\*([0-9a-f]{4,})\*/\s+(?:@(!?\w+)\s+)?([\w.]+)([^;]*);")
TARGET = re.compile(r"0x([0-9a-f]+)\s*$")

# First part of an opcode -> class; what is not named is "other". NVIDIA, "CUDA Binary Utilities",
# instruction set references of Turing to Blackwell.
CLASSES = {
    "tensor": "IMMA HMMA QMMA DMMA OMMA",
    "integer": "IADD IADD3 IADD32I IMAD IMUL LEA LOP LOP3 LOP32I SHF SHL SHR ISETP ICMP IMNMX VIMNMX VIMNMX3 VIADD "
               "VIADDMNMX IABS PRMT SEL BMSK BREV FLO POPC SGXT XMAD IDP IDP4A ISCADD BFE BFI PLOP3 R2P P2R "
               "UIADD3 UIMAD ULEA ULOP3 USHF UISETP USEL UPRMT UVIADD UVIMNMX UFLO UPOPC UBMSK USGXT UPLOP3 UP2UR "
               "UR2UP UBREV",
    "float": "FADD FMUL FFMA FSETP FSET FMNMX FMNMX3 FSEL FCHK MUFU DADD DMUL DFMA DSETP HADD2 HMUL2 HFMA2 HSETP2 "
             "F2I F2F F2FP I2F I2FP FRND I2I I2IP FSWZADD UFADD UFMUL UFFMA UFSETP UF2I UI2F",
    "move": "MOV MOV32I UMOV CS2R S2R S2UR R2UR CS2UR SHFL LDC ULDC LDCU VOTE VOTEU REDUX",
    "shared": "LDS LDSM STS STSM ATOMS",
    "global": "LDG STG LD ST ATOM ATOMG RED LDGSTS CCTL",
    "local": "LDL STL",
    "control": "BRA BRX JMP JMX CALL RET EXIT BSSY BSYNC BREAK WARPSYNC NOP BAR DEPBAR LDGDEPBAR MEMBAR ERRBAR "
               "ARRIVES SYNCS YIELD NANOSLEEP BPT ACQBULK PREEXIT CGAERRBAR UCGABAR_ARV UCGABAR_WAIT ELECT ENDCOLLECTIVE",
}
CLASS_OF = {opcode: name for name, opcodes in CLASSES.items() for opcode in opcodes.split()}

# Multiply-adds of a warp's tensor instruction, by its second part: m n k.
TENSOR_SHAPES = {"16832": 16 * 8 * 32, "16816": 16 * 8 * 16, "8816": 8 * 8 * 16, "1688": 16 * 8 * 8, "8832": 8 * 8 * 32,
                 "16864": 16 * 8 * 64}


@dataclass(frozen=True)
class Instruction:
    address: int
    predicate: str
    opcode: str
    operands: str

    @property
    def kind(self):
        """Its class. What a constant predicate switches off only takes its slot."""
        if self.predicate in ("!PT", "!UPT"):
            return "control"
        return CLASS_OF.get(self.opcode.split(".")[0], "other")

    @property
    def bytes(self):
        """That one thread moves."""
        parts = self.opcode.split(".")
        sizes = {"128": 16, "64": 8, "U16": 2, "S16": 2, "U8": 1, "S8": 1}
        return next((sizes[p] for p in parts[1:] if p in sizes), 4)

    @property
    def products(self):
        """Multiply-adds of a warp on tensor cores."""
        return TENSOR_SHAPES[self.opcode.split(".")[1]] if self.kind == "tensor" else 0


def functions(text):
    """Instructions by the mangled name of their function."""
    found, current = {}, None
    for line in text.splitlines():
        if match := FUNCTION.match(line):
            current = found.setdefault(match[1], [])
        elif (match := INSTRUCTION.match(line)) and current is not None:
            current.append(Instruction(int(match[1], 16), match[2] or "", match[3], match[4].strip()))
    return found


def loops(instructions):
    """The instructions between each backward branch and its target; the trap after the end is none."""
    result = []
    for i in instructions:
        target = TARGET.search(i.operands) if i.opcode.split(".")[0] == "BRA" else None
        if target and int(target[1], 16) < i.address:
            begin = int(target[1], 16)
            result.append([j for j in instructions if begin <= j.address <= i.address])
    return result


def hottest_loop(instructions):
    """The innermost loop with the most tensor instructions, or, where there are none, the longest innermost
    loop; empty if there is no loop."""
    def tensors(loop):
        return sum(i.kind == "tensor" for i in loop)

    all_ = loops(instructions)
    if any(tensors(loop) for loop in all_):
        all_ = [loop for loop in all_ if tensors(loop)]
    addresses = [{i.address for i in loop} for loop in all_]
    inner = [loop for loop, mine in zip(all_, addresses) if not any(other < mine for other in addresses)]
    return max(inner, key=lambda loop: (tensors(loop), len(loop)), default=[])


def conditional(loop):
    """The instructions that a forward branch in the loop may leave out."""
    skipped = set()
    for i in loop:
        target = TARGET.search(i.operands) if i.opcode.split(".")[0] == "BRA" else None
        if target and i.address < int(target[1], 16) <= loop[-1].address and i.predicate:
            skipped |= {j for j in loop if i.address < j.address < int(target[1], 16)}
    return skipped


def after(instructions, loop):
    """How many instructions follow a loop, up to the function's end."""
    ends = [i.address for i in instructions if i.opcode == "EXIT"]
    return sum(loop[-1].address < i.address <= max(ends, default=0) for i in instructions)


def count(instructions):
    """How many instructions a function has, up to its end."""
    ends = [i.address for i in instructions if i.opcode == "EXIT"]
    return sum(i.address <= max(ends, default=0) for i in instructions)


def mix(loop):
    """How many instructions of each class."""
    return dict(Counter(i.kind for i in loop))


def tensor_share(loop):
    """Tensor instructions among these and all integer and float arithmetic."""
    count = mix(loop)
    tensor = count.get("tensor", 0)
    return tensor / (tensor + count.get("integer", 0) + count.get("float", 0)) if tensor else 0.0


def figures(loop, threads):
    """A block's multiply-adds and bytes in one iteration of a loop, each instruction executed once; `always` are
    those that no branch leaves out."""
    skipped = conditional(loop)
    always = [i for i in loop if i not in skipped]
    is_global = [i for i in loop if i.kind == "global"]
    return {
        "instructions": len(loop),
        "mix": mix(loop),
        "tensor_share": tensor_share(loop),
        "always": len(always),
        "tensor_share_always": tensor_share(always),
        "products": sum(i.products for i in loop) * threads // 32,
        "global_read": sum(i.bytes for i in is_global if i.opcode.startswith("LD")) * threads,
        "global_written": sum(i.bytes for i in is_global if i.opcode.startswith("ST")) * threads,
        "shared_read": sum(matrix_bytes(i) for i in loop if i.opcode.startswith("LDS")) * threads,
    }


def matrix_bytes(instruction):
    """That a load from shared memory gives one thread: LDSM's last part counts matrices of 4 bytes a thread."""
    if instruction.opcode.startswith("LDSM"):
        last = instruction.opcode.split(".")[-1]
        return 4 * (int(last) if last.isdigit() else 1)
    return instruction.bytes if instruction.kind == "shared" else 0


def against_ideal(loop_figures, tile):
    """Global bytes of a loop as a multiple of those of its tile: each step of depth reads m * k + n * k_w bytes for
    m * n * k multiply-adds, half as many in float16."""
    depth = tile["k"] / (2 if tile["element"] == "float16" else 1)
    steps = loop_figures["products"] / (tile["m"] * tile["n"] * depth)
    ideal = steps * (tile["m"] * tile["k"] + tile["n"] * tile["k_w"])
    return {"steps": steps, "ideal_bytes": ideal, "ratio": loop_figures["global_read"] / ideal if ideal else 0.0}
