// SPDX-License-Identifier: Apache-2.0
#include <quantal/io/gzip.hpp>

#include "data/files.hpp"

namespace io = quantal::io;

BOOST_AUTO_TEST_SUITE(gzip)

BOOST_AUTO_TEST_CASE(files_come_back_plain_or_inflated) {
    const files::temporary_folder folder;
    files::bytes content(3000000);
    for (std::size_t i = 0; i < content.size(); ++i)
        content[i] = static_cast<std::byte>(i * i >> 7);
    for (const files::bytes& one : {content, files::to_bytes("a"), files::bytes{}}) {
        BOOST_TEST((io::read_gzip(folder.write("plain", one), one.size()) == one));
        BOOST_TEST((io::read_gzip(folder.write("gz", files::gzip(one)), one.size()) == one));
    }
}

BOOST_AUTO_TEST_CASE(damage_and_truncation_are_refused) {
    const files::temporary_folder folder;
    const auto parse = [&](std::span<const std::byte> file) {
        std::ignore = io::read_gzip(folder.write("gz", {file.begin(), file.end()}), 1000);
    };
    files::bytes file = files::gzip(files::to_bytes("some text that is long enough"));
    for (std::size_t size = 2; size < file.size(); ++size) // one byte and none are no gzip
        BOOST_CHECK_THROW(parse(std::span(file).first(size)), quantal::data_error);
    file[file.size() - 6] ^= std::byte{1}; // the checksum
    BOOST_CHECK_THROW(parse(file), quantal::data_error);
}

BOOST_AUTO_TEST_CASE(a_small_file_that_inflates_to_a_large_one_is_refused) {
    const files::temporary_folder folder;
    const auto path = folder.write("gz", files::gzip(files::bytes(1 << 24)));
    BOOST_TEST(files::message_of([&] {
                   std::ignore = io::read_gzip(path, 1 << 20);
               }).ends_with("holds more than 1048576 bytes, which is no file of its kind"));
    BOOST_TEST(files::message_of([&] {
                   std::ignore = io::read_gzip(folder.path() / "none", 1);
               }).ends_with("cannot be opened"));
    BOOST_CHECK_THROW(std::ignore = io::read_gzip(folder.path(), 1), quantal::data_error);
}

BOOST_AUTO_TEST_SUITE_END()
