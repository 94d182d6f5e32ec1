// SPDX-License-Identifier: Apache-2.0
/// Products of small matrices by a warp: in the host runner, by the fragments that the PTX ISA
/// documents.
#ifndef QUANTAL_CUDA_HOST_MATRIX_HPP
#define QUANTAL_CUDA_HOST_MATRIX_HPP

#include <quantal/kernel/cuda/host/machine.hpp>
#include <quantal/kernel/cuda/pack.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// Four matrices of 8 rows of 16 bytes in shared memory: lane i names row i % 8 of matrix i / 8,
/// and gets of each matrix bytes 4 * (lane % 4) to + 3 of row lane / 4 (ldmatrix.x4).
[[nodiscard]] inline pack<std::uint32_t, 4> load_matrices(const std::uint8_t* row,
                                                          int line = __builtin_LINE()) {
    auto& m = host::machine::running();
    if (!m.shared().holds(row))
        m.fail(line, "loads ", static_cast<const void*>(row), ", which is not in shared memory");
    m.check({row, 16, false}, 16, line);
    const auto rows = m.exchange(row, "load_matrices", line);
    const auto lane = static_cast<std::size_t>(m.self().index % warp_size);
    pack<std::uint32_t, 4> r;
    for (std::size_t matrix = 0; matrix < 4; ++matrix)
        std::memcpy(&r.values[matrix], rows[8 * matrix + lane / 4] + 4 * (lane % 4), 4);
    return r;
}

namespace host {

/// What a lane brings to `mma`: the element at (row, column) of a, or of b, is in byte
/// column % 4 (row % 4) of a register of the lane that is named here.
struct fragments {
    pack<std::uint32_t, 4> a;
    pack<std::uint32_t, 2> b;
};
[[nodiscard]] inline std::uint32_t byte_of(std::uint32_t word, int place) {
    return (word >> (8 * place)) & 0xffu;
}
/// a: lane 4 * (row % 8) + column % 16 / 4, register row / 8 + 2 * (column / 16).
[[nodiscard]] inline std::uint32_t a_element(const std::array<fragments, warp_size>& all, int row,
                                             int k) {
    const int lane = 4 * (row % 8) + k % 16 / 4;
    return byte_of(all[static_cast<std::size_t>(lane)].a[row / 8 + 2 * (k / 16)], k % 4);
}
/// b: lane 4 * column + row % 16 / 4, register row / 16; sign-extended, modulo 2^32.
[[nodiscard]] inline std::uint32_t b_element(const std::array<fragments, warp_size>& all, int k,
                                             int column) {
    const int lane = 4 * column + k % 16 / 4;
    const auto byte = byte_of(all[static_cast<std::size_t>(lane)].b[k / 16], k % 4);
    return (byte ^ 0x80u) - 0x80u;
}

} // namespace host

/// `c += a * b`: a is 16 x 32 of uint8, b is 32 x 8 of int8, c is 16 x 8, in the fragments of
/// mma.m16n8k32 (PTX ISA, "Matrix Fragments for mma.m16n8k32"). Sums wrap around.
inline void mma(pack<std::int32_t, 4>& c, const pack<std::uint32_t, 4>& a,
                const pack<std::uint32_t, 2>& b, int line = __builtin_LINE()) {
    auto& m = host::machine::running();
    const auto all = m.exchange(host::fragments{a, b}, "mma", line);
    const int lane = m.self().index % warp_size;
    for (int i = 0; i < 4; ++i) { // element i is at row lane / 4 + 8 * (i / 2)
        const int row = lane / 4 + 8 * (i / 2);
        const int column = 2 * (lane % 4) + i % 2;
        auto sum = static_cast<std::uint32_t>(c[i]);
        for (int k = 0; k < 32; ++k)
            sum += host::a_element(all, row, k) * host::b_element(all, k, column);
        c[i] = static_cast<std::int32_t>(sum);
    }
}

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
