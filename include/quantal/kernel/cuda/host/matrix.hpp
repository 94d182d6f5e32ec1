// SPDX-License-Identifier: Apache-2.0
/// Products of small matrices by a warp: in the host runner, by the fragments that the PTX ISA
/// documents.
#ifndef QUANTAL_CUDA_HOST_MATRIX_HPP
#define QUANTAL_CUDA_HOST_MATRIX_HPP

#include <quantal/kernel/cuda/host/half.hpp>
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

/// What a lane brings to `mma`. Register r of a has 4 bytes of row `lane / 4 + 8 * (r % 2)`, from
/// byte `4 * (lane % 4) + 16 * (r / 2)` on; register r of b has 4 bytes of column `lane / 4`, from
/// byte `4 * (lane % 4) + 16 * r` on. Elements lie in these bytes from the lowest bits on.
struct fragments {
    pack<std::uint32_t, 4> a;
    pack<std::uint32_t, 2> b;
};
using fragments_of_warp = std::array<fragments, warp_size>;

/// `Bits` bits, element `k` of a row of a or of a column of b.
template <int Bits>
[[nodiscard]] std::uint32_t a_element(const fragments_of_warp& all, int row, int k) {
    constexpr int each = 32 / Bits; // of a register
    const auto& mine = all[static_cast<std::size_t>(row % 8 * 4 + k / each % 4)];
    return mine.a[row / 8 + k / (4 * each) * 2] >> (k % each * Bits) & ((1u << Bits) - 1);
}
template <int Bits>
[[nodiscard]] std::uint32_t b_element(const fragments_of_warp& all, int k, int column) {
    constexpr int each = 32 / Bits;
    const int thread = column * 4 + k / each % 4;
    const auto& mine = all[static_cast<std::size_t>(thread)];
    return mine.b[k / (4 * each)] >> (k % each * Bits) & ((1u << Bits) - 1);
}
/// A sign of `Bits` bits, modulo 2^32.
template <int Bits>
[[nodiscard]] std::uint32_t extended(std::uint32_t code) {
    constexpr std::uint32_t sign = 1u << (Bits - 1);
    return (code ^ sign) - sign;
}

/// `c[i] = add(c[i], a, b)` for all elements of a's row and b's column; a and b have `Bits` bits.
template <int Bits, class Sum, class Add>
void multiply_fragments(pack<Sum, 4>& c, const fragments& mine, const char* name, int line,
                        Add add) {
    auto& m = machine::running();
    const auto all = m.exchange(mine, name, line);
    const int lane = m.self().index % warp_size;
    for (int i = 0; i < 4; ++i) { // element i is at row lane / 4 + 8 * (i / 2)
        const int row = lane / 4 + 8 * (i / 2);
        const int column = 2 * (lane % 4) + i % 2;
        for (int k = 0; k < 256 / Bits; ++k)
            c[i] = add(c[i], a_element<Bits>(all, row, k), b_element<Bits>(all, k, column));
    }
}
/// `c + a * b` modulo 2^32, b signed.
template <int Bits>
[[nodiscard]] std::int32_t add_product(std::int32_t c, std::uint32_t a, std::uint32_t b) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(c) + a * extended<Bits>(b));
}

} // namespace host

/// `c += a * b`: a is 16 x 32 of uint8, b is 32 x 8 of int8, c is 16 x 8, in the fragments of
/// mma.m16n8k32 (PTX ISA, "Matrix Fragments for mma.m16n8k32"). Sums wrap around.
inline void mma(pack<std::int32_t, 4>& c, const pack<std::uint32_t, 4>& a,
                const pack<std::uint32_t, 2>& b, int line = __builtin_LINE()) {
    host::multiply_fragments<8>(c, {a, b}, "mma", line, host::add_product<8>);
}

/// The same where a is 16 x 64 of uint4, b is 64 x 8 of int4, eight a register from its lowest bits
/// on (PTX ISA, "Matrix Fragments for mma.m16n8k64").
inline void mma_nibbles(pack<std::int32_t, 4>& c, const pack<std::uint32_t, 4>& a,
                        const pack<std::uint32_t, 2>& b, int line = __builtin_LINE()) {
    host::multiply_fragments<4>(c, {a, b}, "mma_nibbles", line, host::add_product<4>);
}

/// The same where a is 16 x 16, b is 16 x 8 of float16, two a register, and c of float32 (PTX ISA,
/// "Matrix Fragments for mma.m16n8k16 with floating point type"). In which order products are added
/// is not documented; here it is that of their depth.
inline void mma_halves(pack<float, 4>& c, const pack<std::uint32_t, 4>& a,
                       const pack<std::uint32_t, 2>& b, int line = __builtin_LINE()) {
    host::multiply_fragments<16>(c, {a, b}, "mma_halves", line,
                                 [](float sum, std::uint32_t x, std::uint32_t w) {
                                     return sum + half_to_float(static_cast<std::uint16_t>(x)) *
                                                      half_to_float(static_cast<std::uint16_t>(w));
                                 });
}

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
