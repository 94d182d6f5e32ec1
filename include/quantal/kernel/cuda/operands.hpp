// SPDX-License-Identifier: Apache-2.0
/// What a matrix product multiplies: how bytes of x and of weights become the operands of tensor
/// instructions, and the tiles that suit them.
#ifndef QUANTAL_CUDA_OPERANDS_HPP
#define QUANTAL_CUDA_OPERANDS_HPP

#include <quantal/kernel/cuda/thread.hpp>
#include <quantal/kernel/cuda/tile.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// One operand a of `mma`, 16 rows of 32 bytes, and one operand b, 8 columns of 32 bytes.
using x_fragment = pack<std::uint32_t, 4>;
using w_fragment = pack<std::uint32_t, 2>;

/// x as it lies in shared memory.
struct x_as_it_lies {
    /// What meets one `w_fragment`: of each row the bytes at `places`.
    struct x_operand {
        x_fragment of;
    };
    [[nodiscard]] static QUANTAL_DEVICE x_operand load(const std::uint8_t* rows,
                                                       const int* places) {
        return {load_matrices(rows + places[0])};
    }
};

/// uint8 by int8.
struct bytes_by_bytes : x_as_it_lies {
    static constexpr const char* name = "u8 x s8";
    static constexpr bool only_matrices = false; ///< no windows of images
    using sum = std::int32_t;
    /// A warp's part of 64 x 32: a byte that it reads from shared memory meets 21 others on the
    /// average, and 64 registers of sums leave two blocks on a multiprocessor.
    static constexpr product_tiles tiles{
        {128, 128, 64, 2, 4, 3}, {128, 64, 64, 2, 2, 3}, {32, 32, 64, 2, 2, 3}};
    /// Sums are this power of two times too large.
    static constexpr int shift = 0;
    static QUANTAL_DEVICE void multiply(pack<sum, 4>& c, const x_operand& x, const w_fragment& w) {
        mma(c, x.of, w);
    }
};

/// uint8 below 16 by int4, two of them a byte: weight i of 64 in the low half of byte i, weight 32
/// + i in its high half. x stays bytes up to the registers, where two instructions make one operand
/// of two: that leaves every other kernel and the copies as they are. A warp's part is 32 x 64:
/// then reading shared memory takes as long as the tensor instructions (128 clocks a step; 160 for
/// 64 x 32), and packing a quarter of that.
struct nibbles_by_nibbles {
    static constexpr const char* name = "u4 x s4";
    static constexpr bool only_matrices = false;
    using sum = std::int32_t;
    static constexpr product_tiles tiles{
        {128, 128, 64, 4, 2, 3, 2}, {128, 64, 64, 4, 1, 3, 2}, {32, 32, 128, 2, 2, 3, 2}};
    static constexpr int shift = 0;

    struct x_operand {
        x_fragment of;
    };
    [[nodiscard]] static QUANTAL_DEVICE x_operand load(const std::uint8_t* rows,
                                                       const int* places) {
        const x_fragment low = load_matrices(rows + places[0]);
        const x_fragment high = load_matrices(rows + places[1]);
        x_operand x;
        QUANTAL_UNROLL
        for (int i = 0; i < 4; ++i) // bytes beyond a pixel's channels may have any value
            x.of[i] = select_bits(0x0f0f0f0fu, low[i], high[i] << 4);
        return x;
    }
    static QUANTAL_DEVICE void multiply(pack<sum, 4>& c, const x_operand& x, const w_fragment& w) {
        mma_nibbles(c, x.of, w);
    }
};

/// uint8 by weights of `Bits` bits (4 or 2), 8 / Bits of them a byte: weight i of `32 * packed` in
/// bits Bits * (i / 32) of byte i % 32. In registers each becomes the highest bits of an int8, for
/// three instructions to two registers (seven to four): the sums are 2^(8 - Bits) times too large.
template <int Bits>
requires(Bits == 4 || Bits == 2) struct bytes_by_packed {
    static constexpr const char* name = Bits == 4 ? "u8 x s4, unpacked" : "u8 x s2, unpacked";
    static constexpr bool only_matrices = true;
    using sum = std::int32_t;
    static constexpr int packed = 8 / Bits, shift = 8 - Bits;
    static constexpr product_tiles tiles = Bits == 4 ? product_tiles{{128, 128, 64, 2, 4, 3, 2},
                                                                     {128, 64, 64, 2, 2, 3, 2},
                                                                     {32, 32, 128, 2, 2, 3, 2}}
                                                     : product_tiles{{128, 128, 128, 2, 4, 2, 4},
                                                                     {128, 64, 128, 2, 2, 2, 4},
                                                                     {32, 64, 128, 2, 2, 3, 4}};

    struct x_operand {
        x_fragment of[packed];
    };
    [[nodiscard]] static QUANTAL_DEVICE x_operand load(const std::uint8_t* rows,
                                                       const int* places) {
        x_operand x;
        QUANTAL_UNROLL
        for (int i = 0; i < packed; ++i)
            x.of[i] = load_matrices(rows + places[i]);
        return x;
    }
    static QUANTAL_DEVICE void multiply(pack<sum, 4>& c, const x_operand& x, const w_fragment& w) {
        constexpr std::uint32_t highest = (0x100u - (1u << shift)) * 0x01010101u;
        QUANTAL_UNROLL
        for (int i = 0; i < packed; ++i)
            mma(c, x.of[i],
                {{(w[0] << (shift - Bits * i)) & highest, (w[1] << (shift - Bits * i)) & highest}});
    }
};

/// float16 by float16 with sums in float32, to compare with.
struct halves_by_halves : x_as_it_lies {
    static constexpr const char* name = "f16 x f16";
    static constexpr bool only_matrices = false;
    using sum = float;
    static constexpr product_tiles tiles = bytes_by_bytes::tiles;
    static constexpr int shift = 0;
    static QUANTAL_DEVICE void multiply(pack<sum, 4>& c, const x_operand& x, const w_fragment& w) {
        mma_halves(c, x.of, w);
    }
};

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
