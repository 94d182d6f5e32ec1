// SPDX-License-Identifier: Apache-2.0
#include "bit_config.hpp"

#include <quantal/models/by_name.hpp>

#include <boost/test/unit_test.hpp>

using namespace homework;
using quantal::layer_rule;

BOOST_AUTO_TEST_SUITE(examples_bit_config)

BOOST_AUTO_TEST_CASE(configurations_are_read) {
    for (int w = 2; w <= 8; ++w)
        for (int f = 2; f <= 8; ++f) {
            const std::string text = std::to_string(w) + "w" + std::to_string(f) + "f";
            BOOST_TEST((parse_config(text).weights == quantal::weight_spec(w)));
            BOOST_TEST((parse_config(text).activations == quantal::activation_spec(f)));
        }
    const quantal::qspec full = parse_config("2w4f-full").weights;
    BOOST_TEST(full.qmin() == -2);
    BOOST_TEST(full.qmax() == 1);
    for (const char* bad : {"", "4", "4w", "4w4", "w4f", "4w4f ", "4w4f-", "4x4f", "4w4f-fuller"})
        BOOST_CHECK_THROW((void)parse_config(bad), quantal::data_error);
    BOOST_CHECK_THROW((void)parse_config("9w4f"), quantal::spec_error);
    BOOST_CHECK_THROW((void)parse_config("-1w4f"), quantal::spec_error);
}

BOOST_AUTO_TEST_CASE(the_ends_of_a_network_and_what_is_only_added_have_8_bits) {
    quantal::graph net;
    const quantal::value x = net.input({3, 8, 8});
    const quantal::value first =
        net.conv2d("first", x, {.out_channels = 4, .kernel = 3, .padding = 1});
    const quantal::value branch =
        net.conv2d("branch", first, {.out_channels = 4, .kernel = 3, .padding = 1});
    const quantal::value sum = net.add("sum", branch, first);
    const quantal::value pooled = net.global_average_pool("pool", sum);
    net.linear("last", net.flatten("flatten", pooled), {.out_features = 2});
    const auto plan = quantal::place(net, for_network(parse_config("4w4f"), net));
    const auto bits = [&](quantal::value v) { return plan.roles[v].output->bits; };
    BOOST_TEST(bits(x) == 8);
    BOOST_TEST(bits(first) == 4); // "branch" takes it
    BOOST_TEST(bits(branch) == 8);
    BOOST_TEST(bits(sum) == 4);
    BOOST_TEST(bits(pooled) == 8);
    BOOST_TEST(plan.roles[first].weights->bits == 8);
    BOOST_TEST(plan.roles[branch].weights->bits == 4);
    BOOST_TEST(plan.roles[plan.net.output()].weights->bits == 8);
}

BOOST_AUTO_TEST_SUITE_END()
