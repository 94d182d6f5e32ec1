// SPDX-License-Identifier: Apache-2.0
// Models that others wrote.
#include <quantal/onnx/import.hpp>

#include "sources.hpp"

#include <quantal/runtime/program.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>

using namespace quantal;

namespace {

const std::filesystem::path folder = source_file("tests/onnx/files");

std::size_t count(const graph& net, const char* name) {
    return static_cast<std::size_t>(
        std::count_if(net.nodes().begin(), net.nodes().end(),
                      [&](const node& n) { return std::string(op::name(n.op)) == name; }));
}

} // namespace

BOOST_AUTO_TEST_SUITE(onnx_real_files)

BOOST_AUTO_TEST_CASE(squeezenet_of_caffe2) {
    const auto [net, notes] = quantal::onnx::read_network(folder / "light_squeezenet.onnx");
    BOOST_TEST(net.input_shape() == extents({3, 224, 224}));
    BOOST_TEST(net.at(net.output()).shape == extents({1000, 1, 1}));
    BOOST_TEST(count(net, "conv2d") == 26u);
    BOOST_TEST(count(net, "concat") == 8u);
    BOOST_TEST(count(net, "max_pool") == 3u);
    BOOST_TEST(net.size() == 65u);
    BOOST_TEST(notes.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_small_network_of_the_onnx_package) {
    const auto net = quantal::onnx::read_network(folder / "small_cnn.onnx").net;
    BOOST_TEST(net.size() == 13u);
    const tensor<float> image({1, 1, 28, 28}, std::vector<float>(784, 0.5f));
    const auto y = reference_executor(net)(image, {});
    // By ONNX Runtime 1.32, its Softmax removed; a few rounding errors of float32 apart.
    const std::vector<float> expected{-0.12412308f, -1.2431706f, 1.1935863f,  -2.3058748f,
                                      7.4666624f,   0.57763487f, -3.5423863f, 0.14868766f,
                                      -3.3439996f,  0.5847472f};
    BOOST_TEST(y.values() == expected, boost::test_tools::tolerance(1e-5f)
                                           << boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
