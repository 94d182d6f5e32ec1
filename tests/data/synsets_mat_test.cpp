// SPDX-License-Identifier: Apache-2.0
#include <quantal/data/synsets_mat.hpp>

#include "data/devkit_files.hpp"

namespace data = quantal::data;

namespace {

const std::vector<data::synset> three{
    {1, "n02119789", true}, {2, "n02100735", true}, {1001, "n00001740", false}};

const auto parse_meta = [](std::span<const std::byte> file) {
    return data::parse_synsets(file, "meta.mat");
};

std::string message_of_meta(const files::bytes& file) {
    return files::message_of([&] { parse_meta(file); });
}

/// Where `pattern` begins in `file`.
std::size_t find(const files::bytes& file, const files::bytes& pattern) {
    const auto found = std::search(file.begin(), file.end(), pattern.begin(), pattern.end());
    BOOST_REQUIRE(found != file.end());
    return static_cast<std::size_t>(found - file.begin());
}

} // namespace

BOOST_AUTO_TEST_SUITE(synsets_mat)

BOOST_AUTO_TEST_CASE(every_way_to_store_them_gives_the_same_synsets) {
    BOOST_TEST((parse_meta(files::make_meta(three)) == three));
    BOOST_TEST((parse_meta(files::make_meta(three, {.compressed = true})) == three));
    const std::vector<data::synset> small{{1, "n1", true}, {200, "n2", false}}; // they fit bytes
    BOOST_TEST((parse_meta(files::make_meta(small, {.compact = true})) == small));
    BOOST_TEST(
        (parse_meta(files::make_meta(small, {.compressed = true, .compact = true})) == small));
    BOOST_TEST(parse_meta(files::make_meta({})).empty());
}

BOOST_AUTO_TEST_CASE(other_variables_may_stand_before) {
    files::bytes both = files::make_meta(three, {.variable = "other"});
    const files::bytes wanted = files::make_meta(three);
    both.insert(both.end(), wanted.begin() + 128, wanted.end());
    BOOST_TEST((parse_meta(both) == three));
}

BOOST_AUTO_TEST_CASE(what_is_absent_or_of_another_kind_is_named) {
    const auto without = [](const char* field) {
        return message_of_meta(files::make_meta(three, {.without = field}));
    };
    BOOST_TEST(without("ILSVRC2012_ID") ==
               "\"synsets\" in meta.mat: field ILSVRC2012_ID of element "
               "1 is absent or not one whole number");
    BOOST_TEST(without("WNID").ends_with("field WNID of element 1 is absent or not text"));
    BOOST_TEST(without("num_children").find("field num_children of element 1") !=
               std::string::npos);
    BOOST_TEST(without("gloss") == "no data_error");
    BOOST_TEST(message_of_meta(files::make_meta({{-1, "n1", true}})).find("not one whole number") !=
               std::string::npos);
    BOOST_TEST(message_of_meta(files::make_meta({{1, "", true}})).find("not text") !=
               std::string::npos);
    BOOST_TEST(message_of_meta(files::make_meta(three, {.variable = "others"})) ==
               "the MAT file meta.mat cannot be read: it has no variable \"synsets\"");
}

BOOST_AUTO_TEST_CASE(files_of_another_kind_are_refused) {
    const std::string expected = "the MAT file meta.mat cannot be read: it is no little-endian one "
                                 "of level 5 with at most 16777216 bytes";
    BOOST_TEST(message_of_meta({}) == expected);
    BOOST_TEST(message_of_meta(files::to_bytes(std::string(1000, 'x'))) == expected);
    files::bytes hdf5 = files::make_meta(three);
    hdf5[125] = std::byte{2}; // version 7.3
    BOOST_TEST(message_of_meta(hdf5) == expected);
    files::bytes large = files::make_meta(three);
    large.resize((1u << 24) + 1);
    BOOST_TEST(message_of_meta(large) == expected);
}

BOOST_AUTO_TEST_CASE(truncated_files_are_refused) {
    files::check_truncation(files::make_meta(three), parse_meta);
    files::check_truncation(files::make_meta(three, {.compressed = true}), parse_meta);
}

BOOST_AUTO_TEST_CASE(damaged_files_give_errors_only) {
    BOOST_TEST(files::check_damage(files::make_meta(three), parse_meta) > 100u);
    BOOST_TEST(files::check_damage(files::make_meta(three, {.compressed = true}), parse_meta) >
               100u);
}

BOOST_AUTO_TEST_CASE(extents_that_no_bytes_back_are_refused) {
    files::bytes file = files::make_meta(three);
    const files::bytes rows{std::byte{5}, std::byte{0}, std::byte{0}, std::byte{0},
                            std::byte{8}, std::byte{0}, std::byte{0}, std::byte{0},
                            std::byte{3}, std::byte{0}, std::byte{0}, std::byte{0}};
    const std::size_t at = find(file, rows) + 8;
    file[at + 3] = std::byte{0x40};
    BOOST_TEST(message_of_meta(file).find("claims 1073741827 elements of 6 fields") !=
               std::string::npos);
    file = files::make_meta(three);
    file[find(file, files::to_bytes("n02119789")) - 20] = std::byte{200}; // letters in a row
    BOOST_TEST(message_of_meta(file).find("claims 200 numbers in") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_small_file_that_inflates_to_a_large_one_is_refused) {
    std::vector<data::synset> many(20000, {1, std::string(1000, 'n'), true});
    const files::bytes file = files::make_meta(many, {.compressed = true});
    BOOST_TEST(file.size() < 1u << 20);
    BOOST_TEST(message_of_meta(file).find("holds more than 16777216 bytes") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
