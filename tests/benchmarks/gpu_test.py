# SPDX-License-Identifier: Apache-2.0
"""What scripts/gpu-report reads and computes, without nvcc."""
import sys
import tempfile
import unittest
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
sys.path[:0] = [str(BENCHMARKS), str(BENCHMARKS / "gpu")]
import comparison  # noqa: E402
import gpu_docs  # noqa: E402
import gpu_tables  # noqa: E402
import occupancy  # noqa: E402
import roofline  # noqa: E402
import sass  # noqa: E402
import toolchain  # noqa: E402

# As cuobjdump prints it: a loop in a loop, a forward branch, what a constant predicate switches off, the trap at the
# end; then a function without a loop.
SASS = """
	code for sm_80
		Function : _Z1fv
	.headerflags	@"EF_CUDA_SM80 EF_CUDA_VIRTUAL_SM(EF_CUDA_SM80)"
        /*0000*/                   S2R R6, SR_TID.X ;                               /* 0x0000000000067919 */
                                                                                    /* 0x000e620000002100 */
        /*0010*/                   LDG.E R0, [R2.64] ;                              /* 0x0000000000067919 */
        /*0020*/                   BAR.SYNC.DEFER_BLOCKING 0x0 ;                    /* 0x0000000000067919 */
        /*0030*/              @!PT LDS RZ, [RZ] ;                                   /* 0x0000000000067919 */
        /*0040*/                   LDGSTS.E.BYPASS.128 [R21+0x4000], [R18.64] ;     /* 0x0000000000067919 */
        /*0050*/                   LDSM.16.M88.4 R16, [R20+0x400] ;                 /* 0x0000000000067919 */
        /*0060*/               @P0 BRA 0x80 ;                                       /* 0x0000000000067919 */
        /*0070*/                   FMUL R1, R1, R2 ;                                /* 0x0000000000067919 */
        /*0080*/                   IMMA.16832.U8.S8 R76, R16.ROW, R80.COL, R76 ;    /* 0x0000000000067919 */
        /*0090*/                   IMMA.16832.U8.S8 R72, R16.ROW, R82.COL, R72 ;    /* 0x0000000000067919 */
        /*00a0*/                   IMAD.WIDE.U32 R8, R8, 0x4, R2 ;                  /* 0x0000000000067919 */
        /*00b0*/              @!P0 BRA 0x20 ;                                       /* 0x0000000000067919 */
        /*00c0*/                   IADD3 R99, P1, R99, 0x40, RZ ;                   /* 0x0000000000067919 */
        /*00d0*/               @P1 BRA 0x10 ;                                       /* 0x0000000000067919 */
        /*00e0*/                   STG.E.U8 [R2.64], R0 ;                           /* 0x0000000000067919 */
        /*00f0*/                   EXIT ;                                           /* 0x0000000000067919 */
        /*0100*/                   BRA 0x100;                                       /* 0x0000000000067919 */
		Function : _Z1gv
        /*0000*/                   EXIT ;                                           /* 0x0000000000067919 */
"""

PTXAS = """ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function '_Z1fv' for 'sm_80'
ptxas info    : Function properties for _Z1fv
    16 bytes stack frame, 4 bytes spill stores, 8 bytes spill loads
ptxas info    : Used 127 registers, used 1 barriers, 64 bytes smem, 456 bytes cmem[0]
ptxas info    : Compiling entry function '_Z1gv' for 'sm_80'
ptxas info    : Function properties for _Z1gv
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 8 registers, used 0 barriers, 352 bytes cmem[0]
"""


class Sass(unittest.TestCase):
    def setUp(self):
        self.functions = sass.functions(SASS)
        self.loop = sass.hottest_loop(self.functions["_Z1fv"])

    def test_functions_have_their_instructions(self):
        self.assertEqual({name: len(code) for name, code in self.functions.items()}, {"_Z1fv": 17, "_Z1gv": 1})
        barrier = self.functions["_Z1fv"][2]
        self.assertEqual((barrier.address, barrier.predicate, barrier.opcode), (0x20, "", "BAR.SYNC.DEFER_BLOCKING"))

    def test_loops_are_backward_branches_and_the_trap_is_none(self):
        self.assertEqual([(l[0].address, l[-1].address) for l in sass.loops(self.functions["_Z1fv"])],
                         [(0x20, 0xb0), (0x10, 0xd0)])

    def test_the_hottest_is_the_innermost_with_the_most_tensor_instructions(self):
        self.assertEqual((self.loop[0].address, self.loop[-1].address), (0x20, 0xb0))
        self.assertEqual(sass.hottest_loop(self.functions["_Z1gv"]), [])

    def test_the_mix(self):
        self.assertEqual(sass.mix(self.loop), {"control": 4, "global": 1, "shared": 1, "float": 1, "tensor": 2, "integer": 1})
        self.assertEqual(sass.tensor_share(self.loop), 0.5)

    def test_what_a_branch_leaves_out(self):
        self.assertEqual([i.opcode for i in sass.conditional(self.loop)], ["FMUL"])
        figures = sass.figures(self.loop, threads=64)
        self.assertEqual((figures["instructions"], figures["always"]), (10, 9))
        self.assertAlmostEqual(figures["tensor_share_always"], 2 / 3)

    def test_what_follows_a_loop(self):
        self.assertEqual(sass.after(self.functions["_Z1fv"], self.loop), 4)  # IADD3, BRA, STG, EXIT

    def test_bytes_and_products_are_those_of_a_block(self):
        figures = sass.figures(self.loop, threads=64)
        self.assertEqual(figures["products"], 2 * 16 * 8 * 32 * 2)  # two instructions of two warps
        self.assertEqual(figures["global_read"], 16 * 64)
        self.assertEqual(figures["shared_read"], 16 * 64)

    def test_global_bytes_against_the_tile(self):
        tile = {"m": 16, "n": 16, "k": 32, "k_w": 32, "element": "int8"}
        ideal = sass.against_ideal({"products": 2 * 16 * 16 * 32, "global_read": 3 * 32 * 32}, tile)
        self.assertEqual(ideal, {"steps": 2, "ideal_bytes": 2 * 32 * 32, "ratio": 1.5})
        packed = sass.against_ideal({"products": 2 * 16 * 16 * 32, "global_read": 3 * 32 * 16}, {**tile, "k_w": 16})
        self.assertEqual(packed, {"steps": 2, "ideal_bytes": 3 * 16 * 32, "ratio": 1})
        halves = sass.against_ideal({"products": 2 * 16 * 16 * 16, "global_read": 2 * 32 * 32}, {**tile, "element": "float16"})
        self.assertEqual(halves, {"steps": 2, "ideal_bytes": 2 * 32 * 32, "ratio": 1})

    def test_instructions_up_to_the_end(self):
        self.assertEqual(sass.count(self.functions["_Z1fv"]), 16)

    def test_an_unknown_opcode_is_counted_as_other(self):
        self.assertEqual(sass.Instruction(0, "", "NEWOP.X", "").kind, "other")


class Occupancy(unittest.TestCase):
    def test_what_ptxas_says(self):
        self.assertEqual(occupancy.resources(PTXAS), {
            "_Z1fv": {"static_shared": 64, "stack": 16, "spill_stores": 4, "spill_loads": 8, "registers": 127},
            "_Z1gv": {"static_shared": 0, "stack": 0, "spill_stores": 0, "spill_loads": 0, "registers": 8},
        })

    def test_the_examples_of_the_best_practices_guide(self):
        # "CUDA C++ Best Practices Guide", 11.1.1: 37 registers a thread, 64 warps and 65536 registers.
        self.assertEqual(occupancy.occupancy(80, 128, 37, 0), {"blocks": 12, "warps": 0.75, "limit": "registers"})
        self.assertEqual(occupancy.occupancy(80, 320, 37, 0), {"blocks": 4, "warps": 0.625, "limit": "registers"})

    def test_what_nvidias_calculator_gives(self):
        # cudaOccMaxActiveBlocksPerMultiprocessor of cuda_occupancy.h (CUDA 13.0) with the limits of each architecture.
        kernels = ((256, 127, 49152), (128, 46, 12288), (256, 32, 0), (96, 40, 1000), (288, 168, 20000), (256, 255, 81920))
        expected = {75: (1, 5, 4, 10, 1, 0), 80: (2, 10, 8, 16, 1, 1), 86: (2, 7, 6, 16, 1, 1), 89: (2, 7, 6, 16, 1, 1),
                    90: (2, 10, 8, 16, 1, 1), 100: (2, 10, 8, 16, 1, 1), 120: (2, 7, 6, 16, 1, 1)}
        for arch, blocks in expected.items():
            found = tuple(occupancy.occupancy(arch, *k)["blocks"] for k in kernels)
            self.assertEqual(found, blocks, f"sm_{arch}")


DEVICE = roofline.Device("d", 80, multiprocessors=10, clock=1e9, operations={"int8": 1e12, "int4": 2e12, "float16": 0.5e12},
                         bandwidth=1e9, source="")


def product(blocks, depth=128, read=0, element="int8"):
    return {"kernel": "k", "threads": 64, "blocks": blocks, "read_bytes": read, "written_bytes": 0,
            "product": {"rows": 1, "columns": 1, "depth": depth}, "tile": {"m": 10, "n": 10, "k": 100, "element": element}}


class Roofline(unittest.TestCase):
    def seconds(self, *arguments):
        found = roofline.predict_launch(DEVICE, *arguments)
        return found["seconds"] - roofline.LAUNCH_SECONDS, found["bound"]

    def check(self, found, seconds, bound):
        self.assertAlmostEqual(found[0], seconds, delta=1e-9 * seconds)
        self.assertEqual(found[1], bound)

    def test_bytes_by_the_bandwidth(self):
        copy = {"kernel": "k", "threads": 64, "blocks": 1, "read_bytes": 3000, "written_bytes": 1000}
        self.check(self.seconds(copy, {}), 4e-6, "memory")

    def test_the_slowest_multiprocessor_and_whole_tiles(self):
        # 1001 blocks on 10 multiprocessors: 101 of 2 * 10 * 10 * 200 operations at 1e11 a second.
        self.check(self.seconds(product(1001), {}), 101 * 40000 / 1e11, "tensor cores")
        self.check(self.seconds(product(1001, element="int4"), {}), 101 * 40000 / 2e11, "tensor cores")
        # Half as many in the same bytes, at half the rate.
        self.check(self.seconds(product(1001, element="float16"), {}), 101 * 40000 / 1e11, "tensor cores")

    def test_instructions_by_the_schedulers(self):
        # 101 blocks of 2 warps, 2 steps in iterations of half a step, 4 instructions a clock.
        loop = {"steps": 0.5, "always": 2000, "after": 500}
        self.check(self.seconds(product(1001), {"k": {"loop": loop}}), 101 * 2 * (4 * 2000 + 500) / 4 / 1e9, "issue")

    def test_straight_kernels_issue_all_of_their_instructions(self):
        straight = {"kernel": "k", "threads": 64, "blocks": 1001, "read_bytes": 1, "written_bytes": 0}
        self.check(self.seconds(straight, {"k": {"is_straight": True, "instructions": 800}}), 101 * 2 * 800 / 4 / 1e9, "issue")
        self.assertEqual(self.seconds(straight, {"k": {"is_straight": False, "instructions": 800}})[1], "launch")

    def test_a_small_launch_is_its_overhead(self):
        self.assertEqual(self.seconds(product(1, read=10), {})[1], "launch")

    def test_a_network_is_the_sum_of_its_layers(self):
        network = {"model": "m", "weight_bits": 8, "code_bits": 4, "batch": 2, "layers": [
            {"layer": "a", "kernel": "p", "operations": 5e6, "launches": [product(1001), product(1001)],
             "halves": [product(1001, element="float16")]},
            {"layer": "b", "kernel": "input", "operations": 0, "launches": [], "halves": []},
        ]}
        found = roofline.predict_network(DEVICE, network, {})
        seconds = 2 * (101 * 40000 / 1e11 + roofline.LAUNCH_SECONDS)
        self.assertAlmostEqual(found["seconds"], seconds)
        self.assertAlmostEqual(found["images_per_second"], 2 / seconds)
        self.assertAlmostEqual(found["fraction_of_peak"], 5e6 / seconds / 1e12)
        self.assertEqual([l["layer"] for l in found["layers"]], ["a"])
        self.assertEqual(found["bits"], "8w4f")
        self.assertAlmostEqual(found["products"], seconds)
        self.assertAlmostEqual(found["products_of_halves"], seconds / 2)


class Rows(unittest.TestCase):
    FACTS = {"kernel": "quantal::v0::cuda::k<quantal::v0::cuda::a>", "family": "product", "threads": 64,
             "shared_bytes": 1024, "tile": {"m": 16, "n": 16, "k": 32, "k_w": 32, "element": "int8"}, "is_gemm": True, "is_straight": False}

    def row(self):
        used = occupancy.resources(PTXAS)["_Z1fv"]
        return toolchain.kernel_row(80, self.FACTS, used, sass.functions(SASS)["_Z1fv"])

    def test_a_function_is_found_by_its_type(self):
        function = "void quantal::v0::cuda::run<quantal::v0::cuda::k<quantal::v0::cuda::a> >(quantal::v0::cuda::k<...>)"
        self.assertIs(toolchain.facts_of([{"kernel": "quantal::v0::cuda::k<int>"}, self.FACTS], function), self.FACTS)
        with self.assertRaisesRegex(SystemExit, "gpu_list has no kernel for void f"):
            toolchain.facts_of([self.FACTS], "void f()")

    def test_a_kernel(self):
        row = self.row()
        self.assertEqual((row["shared_bytes"], row["registers"], row["occupancy"]["blocks"]), (1088, 127, 8))
        self.assertEqual((row["loop"]["steps"], row["loop"]["of_ideal"]), (2, 0.5))

    def test_the_report(self):
        row = self.row()
        self.assertIn("tensor instructions are 0.50 of all arithmetic (goal 0.8: missed), global bytes 0.50 of the tile's "
                      "ideal (goal 1.2: met)", gpu_tables.goal_sentence([row]))
        self.assertIn("was not compiled", gpu_tables.goal_sentence([{**row, "arch": 90}]))
        text = gpu_tables.to_markdown(self.report(row))
        self.assertIn("| sm_80 | product | 1 | 1.2 | 2 | 127 | 12 |", text)
        self.assertIn("| k<a> | 64 | 127 | 1088 | 12 | 8 | 25 % | registers |", text)
        self.assertIn("| a | p | 40.9 tensor cores |", text)
        self.assertIn("| m | 8w8f | 2 | 0.041 | 0.041 | 1.00 |", text)

    def report(self, row):
        network = {"model": "m", "weight_bits": 8, "code_bits": 8, "batch": 2, "layers": [
            {"layer": "a", "kernel": "p", "operations": 5e6, "launches": [product(1001)],
             "halves": [product(1001, element="float16")]}]}
        family = {"arch": 80, "family": "product", "kernels": 1, "seconds": 1.25, "bytes": 2048, "registers": 127,
                  "spilled_bytes": 12}
        return {
            "command": "scripts/gpu-report", "commit": "c", "nvcc": "nvcc 1", "occupancy_source": "s", "assumptions": ["x"],
            "devices": [{"name": "d", "operations": {"int8": 1e12}, "bandwidth": 1e9, "multiprocessors": 10, "clock": 1e9,
                         "source": "paper"}],
            "families": [family], "kernels": [row],
            "predictions": [roofline.predict_network(DEVICE, network, {})]}

    def test_the_documents_tables(self):
        row = self.row() | {"kernel": "product_kernel<bytes_by_packed<(int)4>, image_rows>"}
        row["tile"] = {**row["tile"], "m": 128}
        names = ("origin", "families", "products", "straight", "assumptions", "peaks", "predictions", "halves")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "text.md"
            path.write_text("".join(f"before\n<!-- {n} -->\nold\n<!-- end of {n} -->\nrest of the text\n" for n in names))
            gpu_docs.write(self.report(row), path)
            text = path.read_text()
        self.assertEqual((text.count("before"), text.count("rest of the text"), text.count("old")), (len(names), len(names), 0))
        self.assertIn("| sm_80 | u8 x s4, unpacked | 128 x 16 x 32 | windows | 127 | 8 | 2 | 2 |", text)
        self.assertIn("| product | 1 | 1.2 s, 2 KiB, 127 |", text)
        self.assertIn("- d: 1 Top/s of int8, 1 GB/s (paper).", text)


class Comparison(unittest.TestCase):
    FOUND = {"name": "n", "arch": 90, "multiprocessors": 66, "clock_khz": 1_830_000, "memory_khz": 1_000_000, "bus_bits": 4096}

    def test_peaks_are_scaled_from_the_published_device(self):
        published = next(d for d in roofline.DEVICES if d.arch == 90)
        half = comparison.peaks_of(self.FOUND)
        for element, rate in published.operations.items():
            self.assertAlmostEqual(half.operations[element], rate / 2 * 1.83e9 / published.clock, delta=1)
        self.assertEqual((half.multiprocessors, half.bandwidth), (66, 1.024e12))
        self.assertEqual(comparison.peaks_of({**self.FOUND, "memory_khz": 0}).bandwidth, published.bandwidth)
        self.assertIsNone(comparison.peaks_of({**self.FOUND, "arch": 75}))

    def test_times_beside_predictions(self):
        times = comparison.read_times("input\t1e-06\na\t3e-05\t6e-05\n\t4e-05\n")
        prediction = {"seconds": 2e-5, "layers": [{"layer": "a", "seconds": 1e-5, "bound": "memory"}]}
        networks = [comparison.compare(times, "m", (4, 8), 8, prediction), comparison.compare(times, "m", (4, 8), 9)]
        text = comparison.to_markdown({"command": "scripts/gpu-check", "commit": "c", "nvcc": "nvcc 1", "tests": "all",
                                       "device": self.FOUND, "predicted": True, "networks": networks})
        self.assertIn("| m | 4w8f | 8 | 40.0 | 20.0 | 2.00 |  | 200000 |", text)
        self.assertIn("| m | 4w8f | 9 | 40.0 |  |  |  | 225000 |", text)
        self.assertIn("| a | 30.0 | 10.0 | 3.00 | memory | 60.0 | 2.00 |", text)
        self.assertIn("| input | 1.0 |  |  |  |  |  |", text)


if __name__ == "__main__":
    unittest.main()
