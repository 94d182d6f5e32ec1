// SPDX-License-Identifier: Apache-2.0
#include <quantal/io/random_access.hpp>

#include "data/files.hpp"

namespace io = quantal::io;

BOOST_AUTO_TEST_SUITE(random_access)

BOOST_AUTO_TEST_CASE(parts_are_read_at_their_offsets) {
    const files::temporary_folder folder;
    const io::random_access_file file(folder.write("a", files::to_bytes("0123456789")));
    BOOST_TEST(file.size() == 10u);
    files::bytes part(3);
    file.read(6, part);
    BOOST_TEST((part == files::to_bytes("678")));
    file.read(0, part);
    BOOST_TEST((part == files::to_bytes("012")));
    file.read(10, {});
    for (const std::uint64_t offset : {std::uint64_t{8}, std::uint64_t{10}, ~std::uint64_t{0}})
        BOOST_CHECK_THROW(file.read(offset, part), quantal::data_error);
}

BOOST_AUTO_TEST_CASE(what_is_no_file_is_refused_by_path) {
    const files::temporary_folder folder;
    for (const auto& path : {folder.path(), folder.path() / "none"})
        BOOST_TEST(files::message_of([&] { const io::random_access_file file(path); }) ==
                   "the file \"" + path.string() + "\" cannot be opened");
}

BOOST_AUTO_TEST_SUITE_END()
