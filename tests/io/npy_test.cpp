// SPDX-License-Identifier: Apache-2.0
#include <quantal/io/npy.hpp>

#include "data/files.hpp"
#include "support/random.hpp"

namespace io = quantal::io;
using quantal::tensor;

namespace {

/// A file of version 1 or 2 with this header and these data.
template <class T>
files::bytes npy_of(const std::string& header, const std::vector<T>& data, char version = 1) {
    std::string text = "\x93NUMPY";
    text += {version, '\0', static_cast<char>(header.size()), '\0'};
    if (version > 1) text += {'\0', '\0'};
    files::bytes result = files::to_bytes(text + header);
    const auto raw = std::as_bytes(std::span(data));
    result.insert(result.end(), raw.begin(), raw.end());
    return result;
}
tensor<float> parse_npy(const files::bytes& file) {
    return io::parse_npy(file, "a.npy");
}
template <class T>
std::string message_of_npy(const std::string& header, const std::vector<T>& data) {
    return files::message_of([&] { (void)parse_npy(npy_of(header, data)); });
}

} // namespace

BOOST_AUTO_TEST_SUITE(io_npy)

BOOST_AUTO_TEST_CASE(arrays_come_back_as_they_were) {
    auto g = support::generator();
    const files::temporary_folder folder;
    for (const quantal::extents& shape :
         {quantal::extents{}, {0}, {3}, {2, 3, 4}, {1, 1, 1, 1, 1, 1, 1, 2}}) {
        const auto values = support::normal(g, shape);
        io::write_npy(folder.path() / "a.npy", values);
        BOOST_TEST((io::read_npy(folder.path() / "a.npy") == values));
        BOOST_TEST((io::to_npy(values).size() - 4 * values.size()) % 64 == 0u);
    }
}

BOOST_AUTO_TEST_CASE(what_numpy_writes) {
    // numpy.save of numpy.array([[1, 2], [3, 4]], dtype), in numpy's own words
    const std::string rest = "', 'fortran_order': False, 'shape': (2, 2), }    \n";
    const tensor<float> expected({2, 2}, {1, 2, 3, 4});
    BOOST_TEST((parse_npy(npy_of<double>("{'descr': '<f8" + rest, {1, 2, 3, 4})) == expected));
    BOOST_TEST(
        (parse_npy(npy_of<std::int64_t>("{'descr': '<i8" + rest, {1, 2, 3, 4})) == expected));
    BOOST_TEST(
        (parse_npy(npy_of<std::uint8_t>("{'descr': '|u1" + rest, {1, 2, 3, 4}, 2)) == expected));
    BOOST_TEST((parse_npy(npy_of<float>("{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }",
                                        {1, 2, 3, 4}))
                    .shape() == quantal::extents{4}));
}

BOOST_AUTO_TEST_CASE(what_is_refused) {
    const std::vector<float> four(4);
    const auto with = [&](const std::string& header) { return message_of_npy(header, four); };
    const char* malformed = "not an array of numpy; its header has to be";
    for (const char* header : {"", "{", "{}", "{'descr': '<f4'}", "{'shape': (4,)",
                               "{'shape': (4,)} x", "{'shape': (a)}", "{'other': (4,)}",
                               "{'shape': (4 4)}", "{'fortran_order': 0, 'shape': (4,)}",
                               "{'shape': (1,1,1,1,1,1,1,1,1,4)}", "{'shape: (4,)}"})
        BOOST_TEST(with(header).find(malformed) != std::string::npos, header);
    BOOST_TEST(
        with("{'descr': '>f4', 'fortran_order': False, 'shape': (4,)}").find("array of >f4") !=
        std::string::npos);
    BOOST_TEST(with("{'descr': '<f4', 'fortran_order': True, 'shape': (4,)}").find("Fortran") !=
               std::string::npos);
    for (const char* shape : {"(3,)", "(5,)", "(1000000, 1000000, 1000000)"})
        BOOST_TEST(
            with("{'descr': '<f4', 'fortran_order': False, 'shape': " + std::string(shape) + "}")
                .find("16 bytes of data") != std::string::npos);
    auto cut = io::to_npy(tensor<float>({4}));
    cut.resize(20);
    BOOST_TEST(files::message_of([&] { (void)parse_npy(cut); }).find("is cut off") !=
               std::string::npos);
    cut.resize(8);
    BOOST_TEST(files::message_of([&] { (void)parse_npy(cut); }) == "a.npy: not an array of numpy");
}

BOOST_AUTO_TEST_SUITE_END()
