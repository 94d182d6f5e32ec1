// SPDX-License-Identifier: Apache-2.0
#include <quantal/arith/subbyte.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <random>
#include <vector>

namespace arith = quantal::arith;

namespace {

using bytes = std::vector<std::uint8_t>;

/// A place is the first of 8 codes of a stream or a later one: 8 codes begin at every bit of a
/// byte.
constexpr std::size_t places = 17;

struct code_range {
    std::int32_t first, last;
};

constexpr code_range codes_of(int bits, bool is_signed) {
    if (!is_signed) return {0, (1 << bits) - 1};
    return {-(1 << (bits - 1)), (1 << (bits - 1)) - 1};
}

bytes pack(const std::vector<std::int32_t>& codes, int bits) {
    bytes stream(arith::packed_size(codes.size(), bits));
    for (std::size_t i = 0; i < codes.size(); ++i)
        arith::pack_code(stream.data(), i, bits, codes[i]);
    return stream;
}

/// The layout by its definition: bit k of code i is bit `i * bits + k` of the stream.
bytes pack_bit_by_bit(const std::vector<std::int32_t>& codes, int bits) {
    const auto width = static_cast<std::size_t>(bits);
    bytes stream((codes.size() * width + 7) / 8);
    for (std::size_t bit = 0; bit < codes.size() * width; ++bit) {
        const auto code = static_cast<std::uint32_t>(codes[bit / width]);
        const std::uint32_t set = code >> (bit % width) & 1u;
        stream[bit / 8] = static_cast<std::uint8_t>(stream[bit / 8] | set << (bit % 8));
    }
    return stream;
}

constexpr int count_wrong_constants() {
    int wrong = 0;
    for (int bits = 1; bits <= 8; ++bits) {
        std::array<std::uint8_t, 8> stream{};
        const code_range codes = codes_of(bits, true);
        for (std::size_t i = 0; i < 8; ++i)
            arith::pack_code(stream.data(), i, bits, i % 2 == 0 ? codes.first : codes.last);
        for (std::size_t i = 0; i < 8; ++i)
            if (arith::unpack_code(stream.data(), i, bits, true) !=
                (i % 2 == 0 ? codes.first : codes.last))
                ++wrong;
    }
    return wrong;
}
static_assert(count_wrong_constants() == 0);
static_assert(arith::packed_size(3, 3) == 2);

} // namespace

BOOST_AUTO_TEST_SUITE(arith_subbyte)

BOOST_AUTO_TEST_CASE(the_size_is_the_bits_rounded_up_to_bytes) {
    for (std::size_t count = 0; count <= 100; ++count)
        for (const int bits : {1, 2, 3, 4, 5, 6, 7, 8, 16})
            BOOST_TEST(arith::packed_size(count, bits) ==
                       (count * static_cast<std::size_t>(bits) + 7) / 8);
    BOOST_TEST(arith::packed_size(0, 8) == 0u);
    BOOST_TEST(arith::packed_size(1, 1) == 1u);
    BOOST_TEST(arith::packed_size(9, 1) == 2u);
    // count * bits would not fit: 2^62 codes of 8 bits.
    BOOST_TEST(arith::packed_size(std::size_t{1} << 62, 8) == std::size_t{1} << 62);
    BOOST_TEST(arith::packed_size((std::size_t{1} << 62) + 1, 7) == 7 * (std::size_t{1} << 59) + 1);
}

BOOST_AUTO_TEST_CASE(every_code_survives_at_every_place_and_changes_no_neighbour) {
    for (int bits = 1; bits <= 8; ++bits)
        for (const bool is_signed : {false, true}) {
            const code_range codes = codes_of(bits, is_signed);
            for (std::size_t place = 0; place < places; ++place)
                for (const std::int32_t other : {codes.first, codes.last, std::int32_t{0}})
                    for (std::int32_t code = codes.first; code <= codes.last; ++code) {
                        std::vector<std::int32_t> stream(places, other);
                        stream[place] = code;
                        const bytes packed = pack(stream, bits);
                        for (std::size_t i = 0; i < places; ++i)
                            if (arith::unpack_code(packed.data(), i, bits, is_signed) != stream[i])
                                BOOST_ERROR("bits " << bits << " signed " << is_signed << " place "
                                                    << place << " code " << code << " reads " << i);
                    }
        }
}

BOOST_AUTO_TEST_CASE(packing_writes_only_the_bytes_that_hold_the_code) {
    for (int bits = 1; bits <= 8; ++bits)
        for (std::size_t place = 0; place < places; ++place) {
            bytes stream(arith::packed_size(places, bits) + 1);
            arith::pack_code(stream.data(), place, bits, -1); // all ones
            std::size_t ones = 0;
            for (std::size_t bit = 0; bit < 8 * stream.size(); ++bit)
                if (stream[bit / 8] >> (bit % 8) & 1) {
                    BOOST_TEST(bit / static_cast<std::size_t>(bits) == place);
                    ++ones;
                }
            BOOST_TEST(ones == static_cast<std::size_t>(bits));
        }
}

BOOST_AUTO_TEST_CASE(the_last_code_is_read_without_the_byte_behind_it) {
    // A stream of exactly the packed size; the address sanitizer sees a read or a write behind it.
    for (int bits = 1; bits <= 8; ++bits)
        for (std::size_t count = 1; count <= 16; ++count) {
            bytes stream(arith::packed_size(count, bits));
            stream.shrink_to_fit();
            arith::pack_code(stream.data(), count - 1, bits, 1);
            BOOST_TEST(arith::unpack_code(stream.data(), count - 1, bits, false) == 1);
        }
}

BOOST_AUTO_TEST_CASE(four_bits_by_hand) {
    BOOST_TEST(pack({0x1, 0x2, 0xf, 0x0, 0xa}, 4) == (bytes{0x21, 0x0f, 0x0a}),
               boost::test_tools::per_element());
    BOOST_TEST(pack({-1, 7, -8, 3}, 4) == (bytes{0x7f, 0x38}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(two_bits_by_hand) {
    BOOST_TEST(pack({1, 2, 3, 0, 1}, 2) == (bytes{0b00'11'10'01, 0b01}),
               boost::test_tools::per_element());
    BOOST_TEST(pack({-1, 1, 0, -2}, 2) == (bytes{0b10'00'01'11}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(three_bits_by_hand) {
    // Code 2 has its two low bits in byte 0 and its high bit in byte 1.
    BOOST_TEST(pack({0b001, 0b010, 0b110, 0b111, 0b101}, 3) == (bytes{0b10'010'001, 0b0'101'111'1}),
               boost::test_tools::per_element());
    BOOST_TEST(pack({-1, -4, 3}, 3) == (bytes{0b11'100'111, 0b0}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(one_and_eight_bits_by_hand) {
    BOOST_TEST(pack({1, 0, 0, 1, 1, 0, 0, 0, 1}, 1) == (bytes{0b00011001, 0b1}),
               boost::test_tools::per_element());
    BOOST_TEST(pack({-128, 127, -1, 0}, 8) == (bytes{0x80, 0x7f, 0xff, 0x00}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(sixteen_bits_are_little_endian) {
    BOOST_TEST(pack({0x1234, -2, -32768}, 16) == (bytes{0x34, 0x12, 0xfe, 0xff, 0x00, 0x80}),
               boost::test_tools::per_element());
    const bytes stream{0x34, 0x12, 0xfe, 0xff};
    BOOST_TEST(arith::unpack_code(stream.data(), 0, 16, true) == 0x1234);
    BOOST_TEST(arith::unpack_code(stream.data(), 1, 16, true) == -2);
    BOOST_TEST(arith::unpack_code(stream.data(), 1, 16, false) == 65534);
}

BOOST_AUTO_TEST_CASE(every_code_of_16_bits_survives) {
    for (const bool is_signed : {false, true}) {
        const code_range codes = codes_of(16, is_signed);
        int wrong = 0;
        for (std::int32_t code = codes.first; code <= codes.last; ++code) {
            const bytes stream = pack({codes.last, code, codes.first}, 16);
            wrong += arith::unpack_code(stream.data(), 1, 16, is_signed) != code;
        }
        BOOST_TEST(wrong == 0);
    }
}

BOOST_AUTO_TEST_CASE(random_streams_have_the_bits_of_the_definition) {
    constexpr unsigned seed = 20261123;
    BOOST_TEST_MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    for (const int bits : {1, 2, 3, 4, 5, 6, 7, 8, 16})
        for (std::size_t count = 1; count <= 40; ++count) {
            std::vector<std::int32_t> codes(count);
            for (std::int32_t& code : codes)
                code = static_cast<std::int32_t>(random() % 65536u) - 32768; // the low bits count
            BOOST_TEST(pack(codes, bits) == pack_bit_by_bit(codes, bits),
                       boost::test_tools::per_element());
        }
}

BOOST_AUTO_TEST_CASE(bytes_are_packed_and_unpacked_as_codes_one_by_one) {
    constexpr unsigned seed = 20261124;
    BOOST_TEST_MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    for (int bits = 1; bits <= 8; ++bits)
        for (const bool is_signed : {false, true})
            for (std::size_t count = 0; count <= 40; ++count) {
                const std::int32_t lowest = arith::lowest_code(bits, is_signed);
                bytes in(count), stream(arith::packed_size(count, bits)), out(count);
                std::vector<std::int32_t> codes;
                for (std::uint8_t& byte : in) {
                    byte = static_cast<std::uint8_t>(random() % (1u << bits));
                    codes.push_back(byte + lowest);
                }
                arith::pack_bytes(stream.data(), bits, is_signed, in.data(), count);
                BOOST_TEST((stream == pack(codes, bits)));
                for (std::size_t first = 0; first <= count; first += 8) {
                    arith::unpack_bytes(stream.data(), first, bits, is_signed, out.data(),
                                        count - first);
                    BOOST_TEST(std::equal(out.begin(), out.end() - static_cast<long>(first),
                                          in.begin() + static_cast<long>(first)));
                }
            }
}

BOOST_AUTO_TEST_CASE(one_stream_reads_as_signed_or_unsigned) {
    const bytes stream{0b11'100'111, 0b1}; // 7, 4, 7
    const std::array<std::int32_t, 3> as_unsigned{7, 4, 7};
    const std::array<std::int32_t, 3> as_signed{-1, -4, -1};
    for (std::size_t i = 0; i < 3; ++i) {
        BOOST_TEST(arith::unpack_code(stream.data(), i, 3, false) == as_unsigned[i]);
        BOOST_TEST(arith::unpack_code(stream.data(), i, 3, true) == as_signed[i]);
    }
}

BOOST_AUTO_TEST_SUITE_END()
