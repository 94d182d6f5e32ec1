// SPDX-License-Identifier: Apache-2.0
#include <quantal/graph/print.hpp>
#include <quantal/runtime/cuda/program.hpp>

#include "support/networks.hpp"
#include "support/random_network.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

using namespace quantal;

namespace {

/// Every code of every point is the reference's.
void check_codes(const networks::calibrated& c, const tensor<float>& images,
                 int compute_capability = 0) {
    const integer_network net = quantize(c.network, c.table);
    const auto counts =
        compare_codes(lower(net), lower(net, cuda::device{0, compute_capability}), images);
    BOOST_TEST(counts.size() == c.network.points().size());
    for (const auto& [v, count] : counts)
        BOOST_TEST_CONTEXT("node " << c.network.at(v).name)
    BOOST_TEST(count.differing == 0u);
}

/// The kernels of a network with codes and weights of so many bits, on an architecture.
std::set<std::string> kernels_of(int weight_bits, int code_bits, int compute_capability) {
    const auto c =
        networks::make("operators", {weight_spec(weight_bits), activation_spec(code_bits)});
    const auto program = lower(c.network, c.table, cuda::device{0, compute_capability});
    return {program.kernels().begin(), program.kernels().end()};
}

/// Whether the kernels refuse a network, with a message that holds `why`.
void check_refused(const quantization& q, const std::string& why) {
    const auto c = networks::make("operators", q);
    BOOST_CHECK_EXCEPTION((void)lower(c.network, c.table, cuda::device{}), graph_error,
                          [&](const graph_error& e) {
                              BOOST_TEST_MESSAGE(e.what());
                              return std::string(e.what()).find(why) != std::string::npos;
                          });
}

} // namespace

BOOST_AUTO_TEST_SUITE(cuda_program)

BOOST_AUTO_TEST_CASE(all_operators_at_several_widths) {
    for (const auto& [weight_bits, code_bits] : {std::pair{8, 8}, {5, 5}, {4, 4}, {2, 8}, {4, 8}})
        for (const int compute_capability : {80, 90}) {
            if (weight_bits > 4 && compute_capability == 90) continue; // the same kernels
            const auto c =
                networks::make("operators", {weight_spec(weight_bits), activation_spec(code_bits)});
            BOOST_TEST_CONTEXT(weight_bits << "w" << code_bits << "f, sm_" << compute_capability)
            check_codes(c, networks::first_images(c.images, 1), compute_capability);
        }
}

BOOST_AUTO_TEST_CASE(kernels_suit_widths_and_architecture) {
    const auto has = [](const std::set<std::string>& kernels, const char* name) {
        return kernels.count(std::string("product ") + name) > 0;
    };
    for (const int arch : {80, 86, 89}) {
        BOOST_TEST(has(kernels_of(4, 4, arch), "u4 x s4"));
        BOOST_TEST(!has(kernels_of(4, 4, arch), "u8 x s8"));
    }
    for (const int arch : {75, 90, 100, 120})
        BOOST_TEST(!has(kernels_of(4, 4, arch), "u4 x s4"));
    BOOST_TEST(!has(kernels_of(4, 5, 80), "u4 x s4"));
    BOOST_TEST(!has(kernels_of(5, 4, 80), "u4 x s4"));
    BOOST_TEST(has(kernels_of(4, 8, 90), "u8 x s4, unpacked")); // linear layers
    BOOST_TEST(has(kernels_of(4, 8, 90), "u8 x s8"));           // convolutions
    BOOST_TEST(has(kernels_of(2, 8, 90), "u8 x s2, unpacked"));
    BOOST_TEST(has(kernels_of(8, 8, 80), "u8 x s8"));
}

BOOST_AUTO_TEST_CASE(random_networks) {
    auto g = support::generator();
    int checked = 0;
    for (int i = 0; i < 16; ++i) {
        graph net = passes::optimize(support::network_maker(g)(2 + i % 9));
        support::randomize(net, g);
        const tensor<float> images = support::normal(g, net.input_shape().with_front(1 + i % 2));
        plan p = place(net, {weight_spec(2 + i % 7), activation_spec(1 + i % 8)});
        table t = calibrate(p, reference_executor(p.net), std::vector{images});
        const auto& roles = p.roles; // what follows the last convolution is in float
        if (std::any_of(roles.begin(), roles.end(), [](const role& r) { return r.in_float; }) ||
            (!roles.back().has_codes() && p.at(p.net.output()).activation))
            continue;
        std::ostringstream printed;
        printed << net;
        BOOST_TEST_CONTEXT(printed.str()) check_codes({p, t, images}, images);
        ++checked;
    }
    BOOST_TEST(checked >= 8);
}

BOOST_AUTO_TEST_CASE(mobilenet_v2_has_identical_codes) {
    const auto c = networks::make("mobilenet_v2");
    check_codes(c, networks::first_images(c.images, 1));
}

BOOST_AUTO_TEST_CASE(a_context_runs_batches_of_any_size) {
    const auto c = networks::make("operators");
    const integer_network net = quantize(c.network, c.table);
    const tensor<float> all = lower(net).run(c.images);
    cuda::context context = lower(net, cuda::device{}).context(2);
    for (const std::int64_t batch : {2, 1, 2, 0}) {
        const tensor<float> images = networks::first_images(c.images, batch);
        const tensor<float> expected = networks::first_images(all, batch);
        tensor<float> y(expected.shape());
        context.run(images.values(), y.values());
        BOOST_TEST((y == expected));
    }
    BOOST_TEST((lower(net, cuda::device{}).run(c.images) == all));
    tensor<float> y(all.shape().without_front().with_front(4));
    BOOST_CHECK_THROW(context.run(c.images.values(), y.values()), shape_error);
    const auto program = lower(net, cuda::device{});
    for (const std::int64_t batch : {std::int64_t{-1}, std::int64_t{1} << 31})
        BOOST_CHECK_THROW((void)program.context(batch), shape_error);
}

BOOST_AUTO_TEST_CASE(what_the_kernels_do_not_take_is_refused) {
    check_refused({.layers = {parse_rule("maxpool", "float")}}, "\"maxpool\" computes with reals");
    check_refused({.layers = {parse_rule("fc?", "dynamic a8")}}, "computes with reals");
    check_refused({.layers = {parse_rule("odd", "w4 group(5)")}}, "\"odd\" computes with reals");
    check_refused({.activations = parse_spec("16 affine unsigned tensor")}, "codes of 16 bits");
    check_refused({.weights = parse_spec("8 affine unsigned tensor")}, "-128 to 127");
}

BOOST_AUTO_TEST_CASE(a_device_that_is_not_there) {
    const auto c = networks::make("operators");
    BOOST_CHECK_THROW((void)lower(c.network, c.table, cuda::device{99}), cuda::device_error);
}

BOOST_AUTO_TEST_SUITE_END()
