// SPDX-License-Identifier: Apache-2.0
#include <quantal/io/file.hpp>
#include <quantal/io/temporary_file.hpp>

#include "data/files.hpp"

namespace io = quantal::io;

BOOST_AUTO_TEST_SUITE(temporary_file)

BOOST_AUTO_TEST_CASE(it_holds_the_bytes_as_long_as_it_lives) {
    std::filesystem::path path;
    for (const files::bytes& content : {files::to_bytes("bytes"), files::bytes{}}) {
        {
            const io::temporary_file file(content);
            path = file.path();
            BOOST_TEST((io::read_file(path) == content));
        }
        BOOST_TEST(!std::filesystem::exists(path));
    }
}

BOOST_AUTO_TEST_SUITE_END()
