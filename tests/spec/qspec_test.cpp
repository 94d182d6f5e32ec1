// SPDX-License-Identifier: Apache-2.0
#include <quantal/spec/concepts.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <string>
#include <utility>

using namespace quantal;

namespace {

constexpr std::array schemes{scheme::symmetric, scheme::symmetric_full, scheme::affine,
                             scheme::affine_signed};

/// docs/arithmetic.md, 1, written out: the codes of each width.
struct row {
    int bits;
    std::int32_t narrow_min, signed_min, signed_max, unsigned_max;
};
constexpr std::array<row, 9> rows{{{1, 0, -1, 0, 1},
                                   {2, -1, -2, 1, 3},
                                   {3, -3, -4, 3, 7},
                                   {4, -7, -8, 7, 15},
                                   {5, -15, -16, 15, 31},
                                   {6, -31, -32, 31, 63},
                                   {7, -63, -64, 63, 127},
                                   {8, -127, -128, 127, 255},
                                   {16, -32767, -32768, 32767, 65535}}};

static_assert(w4 == qspec{4, scheme::symmetric, per_channel, 0});
static_assert(a4 == qspec{4, scheme::affine, per_tensor, 0});
static_assert(qspec{} == qspec{8, scheme::symmetric, per_tensor, 0});
static_assert(w2.bits == 2 && w3.bits == 3 && w8.bits == 8 && a8.bits == 8);
static_assert(w4 != w3 && a8 != w8);
static_assert(qspec{.grain = per_channel, .axis = 1} != qspec{.grain = per_channel, .axis = 0});

static_assert(bits_are_1_to_8_or_16<w8> && bits_are_1_to_8_or_16<a16> &&
              !bits_are_1_to_8_or_16<qspec{.bits = 0}> &&
              !bits_are_1_to_8_or_16<qspec{.bits = -1}> &&
              !bits_are_1_to_8_or_16<qspec{.bits = 9}> &&
              !bits_are_1_to_8_or_16<qspec{.bits = 15}> &&
              !bits_are_1_to_8_or_16<qspec{.bits = 17}>);
static_assert(one_bit_is_affine_unsigned<activation_spec(1)>);
static_assert(!one_bit_is_affine_unsigned<weight_spec(1)>);
static_assert(!one_bit_is_affine_unsigned<qspec{1, scheme::symmetric_full}>);
static_assert(!one_bit_is_affine_unsigned<qspec{1, scheme::affine_signed}>);
static_assert(axis_only_per_channel<qspec{.grain = per_channel, .axis = 7}>);
static_assert(!axis_only_per_channel<qspec{.grain = per_channel, .axis = 8}>);
static_assert(!axis_only_per_channel<qspec{.grain = per_channel, .axis = -1}>);
static_assert(!axis_only_per_channel<qspec{.grain = per_tensor, .axis = 1}>);
static_assert(group_size_only_per_group<qspec{.grain = per_group, .group_size = 1}>);
static_assert(!group_size_only_per_group<qspec{.grain = per_group}>);
static_assert(!group_size_only_per_group<qspec{.grain = per_group, .group_size = -1}>);
static_assert(!group_size_only_per_group<qspec{.grain = per_channel, .group_size = 32}>);

/// The rules once more, in other words than the header's.
constexpr bool allowed(qspec s) {
    const bool width = s.kind == scheme::affine ? s.bits > 0 : s.bits > 1;
    const int axes = s.grain == per_channel ? 8 : 1;
    const bool groups = s.grain == per_group ? s.group_size > 0 : s.group_size == 0;
    return width && (s.bits < 9 || s.bits == 16) && s.axis > -1 && s.axis < axes && groups;
}

bool passes_check(qspec s) {
    try {
        check(s);
        return true;
    } catch (const spec_error&) {
        return false;
    }
}

/// Combination `i` of 18 widths (0 to 17), 4 schemes, 3 grains, 10 axes (-1 to 8) and 3 group sizes
/// (-1 to 1).
constexpr qspec combination(std::size_t i) {
    constexpr std::array grains{per_tensor, per_channel, per_group};
    const auto part = static_cast<int>(i);
    return {.bits = part % 18,
            .kind = schemes[static_cast<std::size_t>(part / 18 % 4)],
            .grain = grains[static_cast<std::size_t>(part / 72 % 3)],
            .axis = part / 216 % 10 - 1,
            .group_size = part / 2160 - 1};
}
constexpr std::size_t combinations = 18 * 4 * 3 * 10 * 3;

template <std::size_t... I>
constexpr std::array<bool, sizeof...(I)> concept_accepts(std::index_sequence<I...>) {
    return {supported_spec<combination(I)>...};
}

std::string refusal(qspec s) {
    try {
        check(s);
    } catch (const spec_error& problem) {
        return problem.what();
    }
    return "no spec_error";
}

} // namespace

BOOST_AUTO_TEST_SUITE(spec_qspec)

BOOST_AUTO_TEST_CASE(the_codes_of_each_width_and_scheme_are_those_of_the_table) {
    for (const row& r : rows) {
        const auto spec = [&](scheme kind) { return qspec{.bits = r.bits, .kind = kind}; };
        BOOST_TEST_CONTEXT("bits " << r.bits) {
            BOOST_TEST(spec(scheme::symmetric).qmin() == r.narrow_min);
            BOOST_TEST(spec(scheme::symmetric).qmax() == r.signed_max);
            BOOST_TEST(spec(scheme::symmetric_full).qmin() == r.signed_min);
            BOOST_TEST(spec(scheme::symmetric_full).qmax() == r.signed_max);
            BOOST_TEST(spec(scheme::affine_signed).qmin() == r.signed_min);
            BOOST_TEST(spec(scheme::affine_signed).qmax() == r.signed_max);
            BOOST_TEST(spec(scheme::affine).qmin() == 0);
            BOOST_TEST(spec(scheme::affine).qmax() == r.unsigned_max);
        }
    }
}

BOOST_AUTO_TEST_CASE(signs_and_symmetry_follow_the_scheme) {
    constexpr std::array is_signed{true, true, false, true};
    constexpr std::array is_symmetric{true, true, false, false};
    for (std::size_t i = 0; i < schemes.size(); ++i) {
        const qspec s{.kind = schemes[i]};
        BOOST_TEST(s.is_signed() == is_signed[i]);
        BOOST_TEST(s.is_symmetric() == is_symmetric[i]);
    }
}

BOOST_AUTO_TEST_CASE(the_concept_and_the_check_at_run_time_agree_on_every_combination) {
    static constexpr auto accepted = concept_accepts(std::make_index_sequence<combinations>{});
    std::size_t count = 0;
    for (std::size_t i = 0; i < combinations; ++i) {
        const qspec s = combination(i);
        BOOST_TEST_CONTEXT("bits " << s.bits << " scheme " << static_cast<int>(s.kind) << " grain "
                                   << static_cast<int>(s.grain) << " axis " << s.axis
                                   << " group size " << s.group_size) {
            BOOST_TEST(accepted[i] == allowed(s));
            BOOST_TEST(passes_check(s) == allowed(s));
        }
        count += accepted[i] ? 1 : 0;
    }
    // 8 widths of 4 schemes and 1 bit affine, per tensor, along one of 8 axes or per group of 1.
    BOOST_TEST(count == (8u * 4u + 1u) * 10u);
}

BOOST_AUTO_TEST_CASE(a_refusal_names_the_value_and_what_is_allowed) {
    BOOST_TEST(refusal({.bits = 9}) == "a spec has 9 bits; 1 to 8 and 16 are possible");
    BOOST_TEST(refusal({.bits = -3}) == "a spec has -3 bits; 1 to 8 and 16 are possible");
    BOOST_TEST(refusal({.bits = 1}) ==
               "a spec of 1 bit is affine unsigned only; signed codes need 2 bits");
    const std::string axes = "; 0 to 7 are possible, and only per channel";
    BOOST_TEST(refusal({.axis = 1}) == "a spec has channel axis 1" + axes);
    BOOST_TEST(refusal({.grain = per_channel, .axis = 8}) == "a spec has channel axis 8" + axes);
    const std::string groups = "; per group it is at least 1, otherwise 0";
    BOOST_TEST(refusal({.grain = per_group}) == "a spec has the group size 0" + groups);
    BOOST_TEST(refusal({.group_size = 32}) == "a spec has the group size 32" + groups);
}

BOOST_AUTO_TEST_SUITE_END()
