// SPDX-License-Identifier: Apache-2.0
#include <text.hpp>

#include <boost/test/unit_test.hpp>

using namespace homework;

BOOST_AUTO_TEST_SUITE(examples_text)

BOOST_AUTO_TEST_CASE(a_table_takes_its_columns_from_the_rows) {
    const json rows = {{{"model", "a"}, {"top1", 91.0}, {"images", 10}, {"alpha", 0.125}},
                       {{"model", "b"}, {"top1", 2.0 / 3.0}}};
    BOOST_TEST(to_markdown(rows, {{"Model", "model"},
                                  {"Acc1", "top1"},
                                  {"Images", "images"},
                                  {"Alpha", "alpha", column::shortest},
                                  {"again", "alpha", 1}}) ==
               "| Model | Acc1 | Images | Alpha | again |\n"
               "|---|---|---|---|---|\n"
               "| a | 91.00 | 10 | 0.125 | 0.1 |\n"
               "| b | 0.67 |  |  |  |\n");
}

BOOST_AUTO_TEST_CASE(words_are_enumerated) {
    BOOST_TEST(enumerate({}) == "");
    BOOST_TEST(enumerate({"a"}) == "a");
    BOOST_TEST(enumerate({"a", "b"}) == "a and b");
    BOOST_TEST(enumerate({"a", "b", "c"}) == "a, b and c");
}

BOOST_AUTO_TEST_CASE(a_sentence_is_filled_from_a_row) {
    const json row = {{"model", "resnet18"}, {"drop", 0.125}, {"images", 10}};
    BOOST_TEST(filled("{model} loses {drop:+.3f} of {images}.", row) ==
               "resnet18 loses +0.125 of 10.");
    BOOST_CHECK_THROW((void)filled("{absent}", row), fmt::format_error);
}

BOOST_AUTO_TEST_SUITE_END()
