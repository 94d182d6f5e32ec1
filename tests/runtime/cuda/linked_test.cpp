// SPDX-License-Identifier: Apache-2.0
// The library `quantal::cuda` in a program that has the host runner in its own files: if nvcc made
// the library, two compilers made the same classes differently.
#include <quantal/runtime/cuda/linked.hpp>
#include <quantal/runtime/cuda/program.hpp>
#include <quantal/runtime/trace.hpp>

#include "support/library_device.hpp"
#include "support/networks.hpp"

#include <boost/test/unit_test.hpp>

using namespace quantal;

BOOST_AUTO_TEST_SUITE(cuda_linked)

BOOST_AUTO_TEST_CASE(a_device_that_is_not_there) {
    for (const int index : {-1, 99})
        BOOST_CHECK_EXCEPTION(cuda::linked::device{index}, cuda::device_error,
                              [&](const cuda::device_error& e) {
                                  BOOST_TEST_MESSAGE(e.what());
                                  return std::string(e.what()).starts_with(
                                      "cuda: there is no device " + std::to_string(index));
                              });
}

BOOST_AUTO_TEST_CASE(the_codes_of_the_library_and_of_the_header,
                     *boost::unit_test::label("linked")) {
    const auto library = support::library_device();
    const auto c = networks::make("operators");
    const tensor<float> images = networks::first_images(c.images, 2);
    const integer_network net = quantize(c.network, c.table);
    const auto here = lower(net, cuda::device{});
    const auto counts = compare_codes(here, lower(net, library), images);
    BOOST_TEST(counts.size() == c.network.points().size());
    for (const auto& [v, count] : counts)
        BOOST_TEST_CONTEXT("node " << c.network.at(v).name)
    BOOST_TEST(count.differing == 0u);
    BOOST_TEST((lower(net, library).run(images) == here.run(images)));
}

BOOST_AUTO_TEST_CASE(a_context_of_the_library, *boost::unit_test::label("linked")) {
    const auto library = support::library_device();
    const auto c = networks::make("operators");
    const tensor<float> images = networks::first_images(c.images, 2);
    const integer_network net = quantize(c.network, c.table);
    const tensor<float> expected = lower(net).run(images);
    cuda::linked::context running = lower(net, library).context(2);
    BOOST_TEST(running.bytes() == lower(net, cuda::device{}).context(2).bytes());
    tensor<float> y(expected.shape());
    running.run(images.values(), y.values());
    BOOST_TEST((y == expected));
    BOOST_CHECK_THROW(running.run(images.values(), y.values().first(1)), shape_error);
}

BOOST_AUTO_TEST_CASE(what_kernels_do_not_take_is_refused, *boost::unit_test::label("linked")) {
    const auto library = support::library_device();
    const auto c =
        networks::make("operators", {.activations = parse_spec("16 affine unsigned tensor")});
    BOOST_CHECK_EXCEPTION(
        (void)lower(quantize(c.network, c.table), library), graph_error, [](const graph_error& e) {
            return std::string(e.what()).find("CUDA's kernels take 1 to 8") != std::string::npos;
        });
}

BOOST_AUTO_TEST_SUITE_END()
