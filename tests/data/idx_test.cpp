// SPDX-License-Identifier: Apache-2.0
#include <quantal/data/idx.hpp>

#include "files.hpp"

namespace data = quantal::data;

namespace {

const auto parse_idx = [](std::span<const std::byte> file) {
    return data::parse_idx(file, "test.idx");
};

} // namespace

BOOST_AUTO_TEST_SUITE(idx)

BOOST_AUTO_TEST_CASE(plain_and_compressed_files_give_the_same_tensor) {
    const files::bytes file = files::make_idx({3, 4, 5});
    const auto tensor = parse_idx(file);
    BOOST_TEST(tensor.shape() == (quantal::extents{3, 4, 5}));
    for (std::size_t i = 0; i < 60; ++i)
        BOOST_TEST(int{tensor[i]} == static_cast<int>(i * 7 % 256));
    BOOST_TEST((parse_idx(files::gzip(file)) == tensor));
    const files::temporary_folder folder;
    BOOST_TEST((data::read_idx(folder.write("a.gz", files::gzip(file))) == tensor));
}

BOOST_AUTO_TEST_CASE(a_file_larger_than_one_call_of_zlib_is_read) {
    const files::bytes file = files::make_idx({300, 1000}, 251);
    BOOST_TEST((parse_idx(files::gzip(file)) == parse_idx(file)));
}

BOOST_AUTO_TEST_CASE(truncated_files_are_refused) {
    files::check_truncation(files::make_idx({3, 4}), parse_idx);
    files::check_truncation(files::gzip(files::make_idx({30, 40})), parse_idx);
}

BOOST_AUTO_TEST_CASE(damaged_files_give_errors_only) {
    const files::bytes plain = files::make_idx({3, 4});
    BOOST_TEST(files::check_damage(plain, parse_idx) == 12u); // the header, and no element
    const files::bytes zipped = files::gzip(files::make_idx({30, 40}));
    // Of a gzip file, the time, the extra flags and the system may be anything.
    BOOST_TEST(files::check_damage(zipped, parse_idx) >= zipped.size() - 6);
}

BOOST_AUTO_TEST_CASE(bytes_after_the_elements_are_refused) {
    files::bytes file = files::make_idx({3, 4});
    file.push_back(std::byte{0});
    BOOST_CHECK_THROW(parse_idx(file), quantal::data_error);
    BOOST_CHECK_THROW(parse_idx(files::gzip(file)), quantal::data_error);
    files::bytes zipped = files::gzip(files::make_idx({3, 4}));
    zipped.push_back(std::byte{0});
    BOOST_CHECK_THROW(parse_idx(zipped), quantal::data_error);
}

BOOST_AUTO_TEST_CASE(claims_are_checked_before_memory_is_taken) {
    files::bytes file = files::make_idx({3, 4});
    for (const std::size_t at : {4u, 5u, 6u, 7u, 8u, 9u, 10u, 11u})
        file[at] = std::byte{0xff};
    const auto message = [&](const files::bytes& f) {
        return files::message_of([&] { parse_idx(f); });
    };
    BOOST_TEST(message(file).find("claims an extent of 4294967295 in dimension 0") !=
               std::string::npos);
    BOOST_TEST(message(files::gzip(file)).find("claims an extent of 4294967295") !=
               std::string::npos);
    BOOST_CHECK_THROW(parse_idx(files::make_idx({0})), quantal::data_error);
}

BOOST_AUTO_TEST_CASE(other_element_types_and_ranks_are_refused) {
    files::bytes floats = files::make_idx({3, 4});
    floats[2] = std::byte{0x0d};
    BOOST_CHECK_THROW(parse_idx(floats), quantal::data_error);
    BOOST_CHECK_THROW(parse_idx(files::make_idx({})), quantal::data_error);
    BOOST_CHECK_THROW(parse_idx(files::make_idx({1, 1, 1, 1, 1, 1, 1, 1, 1})), quantal::data_error);
}

BOOST_AUTO_TEST_CASE(a_missing_file_is_named) {
    const files::temporary_folder folder;
    const auto message =
        files::message_of([&] { std::ignore = data::read_idx(folder.path() / "none"); });
    BOOST_TEST(message.find("none") != std::string::npos);
    BOOST_CHECK_THROW(std::ignore = data::read_idx(folder.path()), quantal::data_error);
}

BOOST_AUTO_TEST_SUITE_END()
