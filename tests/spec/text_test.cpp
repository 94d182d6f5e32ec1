// SPDX-License-Identifier: Apache-2.0
#include <quantal/spec/text.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <set>
#include <sstream>
#include <vector>

using namespace quantal;

namespace {

constexpr std::array widths{1, 2, 3, 4, 5, 6, 7, 8, 16};

std::vector<qspec> every_spec() {
    std::vector<qspec> specs;
    for (const int bits : widths)
        for (const scheme kind :
             {scheme::symmetric, scheme::symmetric_full, scheme::affine, scheme::affine_signed}) {
            if (bits == 1 && kind != scheme::affine) continue;
            specs.push_back({.bits = bits, .kind = kind});
            for (int axis = 0; axis <= max_axis; ++axis)
                specs.push_back({.bits = bits, .kind = kind, .grain = per_channel, .axis = axis});
            for (const int size : {1, 32, 2147483647})
                specs.push_back(
                    {.bits = bits, .kind = kind, .grain = per_group, .group_size = size});
        }
    for (std::size_t i = specs.size(); i-- > 0;) {
        specs.push_back(specs[i]);
        specs.back().power_of_two = true;
    }
    return specs;
}

std::string refusal(std::string_view text) {
    try {
        return "understood as " + to_string(parse_spec(text));
    } catch (const spec_error& problem) {
        return problem.what();
    }
}

/// Says whether `text` is refused with a message that quotes it, gives the reason and an example.
bool refused(std::string_view text, std::string_view reason) {
    const std::string message = refusal(text);
    BOOST_TEST_MESSAGE(message);
    return message.starts_with("the spec \"" + std::string(text) + "\" is not understood: ") &&
           message.find(reason) != message.npos &&
           message.find("; write for example w4, a8, ") != message.npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(spec_text)

BOOST_AUTO_TEST_CASE(every_spec_is_read_back_from_what_is_printed) {
    const auto specs = every_spec();
    BOOST_TEST(specs.size() == 2 * 396u);
    std::set<std::string> texts;
    for (const qspec& s : specs) {
        std::ostringstream stream;
        stream << s;
        BOOST_TEST(stream.str() == to_string(s));
        BOOST_TEST(parse_spec(stream.str()) == s);
        texts.insert(stream.str());
    }
    BOOST_TEST(texts.size() == specs.size()); // no two specs are written alike
}

BOOST_AUTO_TEST_CASE(the_canonical_form_by_hand) {
    BOOST_TEST(to_string(w4) == "4 symmetric narrow channel(0)");
    BOOST_TEST(to_string(a8) == "8 affine unsigned tensor");
    BOOST_TEST(to_string({3, scheme::symmetric_full, per_tensor, 0}) == "3 symmetric full tensor");
    BOOST_TEST(to_string({2, scheme::affine_signed, per_channel, 7}) ==
               "2 affine signed channel(7)");
    BOOST_TEST(to_string({.bits = 3, .grain = per_group, .group_size = 32}) ==
               "3 symmetric narrow group(32)");
    BOOST_TEST(to_string({.kind = scheme::affine, .power_of_two = true}) ==
               "8 affine unsigned tensor pow2");
}

BOOST_AUTO_TEST_CASE(short_forms_of_every_width) {
    for (const int bits : widths) {
        const std::string width = std::to_string(bits);
        BOOST_TEST(parse_spec("a" + width) == activation_spec(bits));
        if (bits > 1) BOOST_TEST(parse_spec("w" + width) == weight_spec(bits));
    }
}

BOOST_AUTO_TEST_CASE(words_change_what_a_short_form_or_a_bare_width_leaves_open) {
    BOOST_TEST(parse_spec("4") == (qspec{4, scheme::symmetric, per_tensor, 0}));
    BOOST_TEST(parse_spec("4 affine") == (qspec{4, scheme::affine, per_tensor, 0}));
    BOOST_TEST(parse_spec("w4 tensor") == (qspec{4, scheme::symmetric, per_tensor, 0}));
    BOOST_TEST(parse_spec("w4 channel(1)") == (qspec{4, scheme::symmetric, per_channel, 1}));
    BOOST_TEST(parse_spec("w4 full") == (qspec{4, scheme::symmetric_full, per_channel, 0}));
    BOOST_TEST(parse_spec("w4 affine") == (qspec{4, scheme::affine, per_channel, 0}));
    BOOST_TEST(parse_spec("a8 signed") == (qspec{8, scheme::affine_signed, per_tensor, 0}));
    BOOST_TEST(parse_spec("a8 symmetric") == (qspec{8, scheme::symmetric, per_tensor, 0}));
    BOOST_TEST(parse_spec("w4 group(32)") ==
               (qspec{.bits = 4, .grain = per_group, .group_size = 32}));
    BOOST_TEST(parse_spec("3 symmetric group(32)") ==
               (qspec{.bits = 3, .grain = per_group, .group_size = 32}));
    BOOST_TEST(parse_spec("8 pow2") == qspec{.power_of_two = true});
    BOOST_TEST(parse_spec("w4 pow2 group(64)") ==
               (qspec{.bits = 4, .grain = per_group, .group_size = 64, .power_of_two = true}));
    BOOST_TEST(parse_spec("a8 channel(3)") == (qspec{8, scheme::affine, per_channel, 3}));
}

BOOST_AUTO_TEST_CASE(words_stand_in_any_order_and_with_any_space_between) {
    std::array<std::string, 3> words{"affine", "channel(2)", "signed"}; // sorted
    int orders = 0;
    do {
        const std::string text = "5 " + words[0] + "\t" + words[1] + "   " + words[2];
        BOOST_TEST(parse_spec(text) == (qspec{5, scheme::affine_signed, per_channel, 2}));
        ++orders;
    } while (std::next_permutation(words.begin(), words.end()));
    BOOST_TEST(orders == 6);
    BOOST_TEST(parse_spec(" \t w4 \t") == w4);
}

BOOST_AUTO_TEST_CASE(text_without_a_width_is_refused) {
    BOOST_TEST(refused("", "it is empty"));
    BOOST_TEST(refused(" \t ", "it is empty"));
    BOOST_TEST(refused("w", "it starts with no width"));
    BOOST_TEST(refused("a symmetric", "it starts with no width"));
    BOOST_TEST(refused("symmetric 4", "\"symmetric\" is not a number"));
    BOOST_TEST(refused("W4", "\"W4\" is not a number"));
}

BOOST_AUTO_TEST_CASE(a_width_that_is_no_number_is_refused) {
    BOOST_TEST(refused("-4", "\"-4\" is not a number"));
    BOOST_TEST(refused("w-4", "\"-4\" is not a number"));
    BOOST_TEST(refused("+4", "\"+4\" is not a number"));
    BOOST_TEST(refused("4.5", "\"4.5\" is not a number"));
    BOOST_TEST(refused("4bit", "\"4bit\" is not a number"));
    BOOST_TEST(refused("99999999999", "\"99999999999\" is not a number"));
    BOOST_TEST(refused("4294967300", "\"4294967300\" is not a number")); // 4 modulo 2^32
}

BOOST_AUTO_TEST_CASE(unknown_words_are_refused_with_the_known_ones) {
    const std::string known = "is unknown (known: symmetric, affine, narrow, full, signed, "
                              "unsigned, tensor, channel(AXIS), group(SIZE), pow2)";
    for (const std::string word : {"per_channel", "channel", "channel()", "channel(0", "channel0)",
                                   "Tensor", "symmetric,", "4", "group", "group()", "groups(4)"})
        BOOST_TEST(refused("w4 " + word, "the word \"" + word + "\" " + known));
    BOOST_TEST(refused("4 tensor linear", "the word \"linear\" " + known));
    BOOST_TEST(refused("w4 channel(-1)", "\"-1\" is not a number"));
    BOOST_TEST(refused("w4 channel(0)(1)", "\"0)(1\" is not a number"));
    BOOST_TEST(refused("w4 group(-1)", "\"-1\" is not a number"));
    BOOST_TEST(refused("w4 group(9999999999)", "\"9999999999\" is not a number"));
    BOOST_TEST(refused("w4 channel(9999999999)", "\"9999999999\" is not a number"));
}

BOOST_AUTO_TEST_CASE(contradictions_are_refused) {
    BOOST_TEST(refused("4 symmetric affine", "\"affine\" stands beside \"symmetric\""));
    BOOST_TEST(refused("4 affine affine", "\"affine\" stands beside \"affine\""));
    BOOST_TEST(refused("4 narrow full", "\"full\" stands beside \"narrow\""));
    BOOST_TEST(refused("4 signed affine unsigned", "\"unsigned\" stands beside \"signed\""));
    BOOST_TEST(refused("4 tensor channel(0)", "\"channel(0)\" stands beside \"tensor\""));
    BOOST_TEST(refused("4 channel(0) channel(1)", "\"channel(1)\" stands beside \"channel(0)\""));
    BOOST_TEST(refused("8 pow2 pow2", "\"pow2\" stands beside \"pow2\""));
    BOOST_TEST(refused("w4 group(8) tensor", "\"tensor\" stands beside \"group(8)\""));
    BOOST_TEST(refused("w4 channel(0) group(8)", "\"group(8)\" stands beside \"channel(0)\""));
    const char* families = "symmetric codes are narrow or full, affine ones signed or unsigned";
    for (const char* text : {"4 symmetric signed", "4 symmetric unsigned", "4 affine narrow",
                             "4 full affine", "w4 signed", "4 unsigned", "a8 narrow"})
        BOOST_TEST(refused(text, families));
}

BOOST_AUTO_TEST_CASE(specs_that_cannot_be_are_refused_with_their_text) {
    BOOST_TEST(refused("0", "a spec has 0 bits; 1 to 8 and 16 are possible"));
    BOOST_TEST(refused("w9", "a spec has 9 bits; 1 to 8 and 16 are possible"));
    for (const char* text : {"1", "w1", "1 symmetric full", "1 affine signed", "a1 signed"})
        BOOST_TEST(refused(text, "a spec of 1 bit is affine unsigned only"));
    BOOST_TEST(refused("w4 group(0)", "a spec has the group size 0; per group it is at least 1"));
    BOOST_TEST(refused("w4 channel(8)", "a spec has channel axis 8; 0 to 7 are possible"));
}

BOOST_AUTO_TEST_SUITE_END()
