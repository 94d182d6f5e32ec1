// SPDX-License-Identifier: Apache-2.0
#include <quantal/runtime/integer_network.hpp>

#include "support/tiny_network.hpp"

#include <quantal/runtime/trace.hpp>

#include <boost/test/unit_test.hpp>

using namespace quantal;

namespace {

/// The codes of a network's layers, as its maker got them.
std::map<value, layer_codes> codes_of(const integer_network& n) {
    std::map<value, layer_codes> codes;
    for (const auto& [v, layer] : n.layers())
        codes.emplace(v, layer);
    return codes;
}

/// Whether the tiny network is refused after `damage(plan, table, codes)`.
void check_refuses(const std::string& part, auto&& damage) {
    const integer_network n = support::tiny_network();
    plan p = n.plan();
    table t = n.table();
    auto codes = codes_of(n);
    damage(p, t, codes);
    BOOST_CHECK_EXCEPTION((void)integer_network(p, t, codes), error, [&](const error& e) {
        BOOST_TEST_INFO(e.what());
        return std::string(e.what()).find(part) != std::string::npos;
    });
}

constexpr value conv1 = 1;

} // namespace

BOOST_AUTO_TEST_SUITE(integer_network_suite)

BOOST_AUTO_TEST_CASE(quantizing_keeps_float_parameters_of_float_layers_only) {
    const plan p = support::tiny_plan();
    const table t = support::tiny_table(p);
    const integer_network n = quantize(p, t);
    BOOST_TEST((n.table() == t));
    std::vector<std::string> names;
    for (const auto& [name, values] : n.plan().net.parameters) {
        names.push_back(name);
        BOOST_TEST((values == p.net.parameters.at(name)));
    }
    BOOST_TEST(
        names == (std::vector<std::string>{"fc2.bias", "fc2.weight", "norm.bias",
                                           "norm.running_mean", "norm.running_var", "norm.weight"}),
        boost::test_tools::per_element());
    for (value v = 0; v < p.net.size(); ++v) {
        BOOST_TEST(n.layers().contains(v) == p.roles[v].weights.has_value());
        if (!p.roles[v].weights) continue;
        BOOST_TEST((n.layer(v).weights ==
                    quantize(p.net.parameter(p.at(v), "weight"), t.weights.at(p.at(v).name))));
    }
}

BOOST_AUTO_TEST_CASE(the_same_parts_make_the_same_network) {
    const integer_network n = support::tiny_network();
    const integer_network again(n.plan(), n.table(), codes_of(n));
    const auto images = support::tiny_images();
    code_hashes expected, found;
    BOOST_TEST((lower(n).run(images, 0, std::ref(expected)) ==
                lower(again).run(images, 0, std::ref(found))));
    BOOST_TEST((expected.values() == found.values()));
    BOOST_TEST((lower(support::tiny_plan(), n.table()).run(images) == lower(n).run(images)));
}

BOOST_AUTO_TEST_CASE(missing_parts_are_refused_by_name) {
    check_refuses("layer \"conv1\" has no codes", [](plan&, table&, auto& c) { c.erase(conv1); });
    check_refuses("no \"norm.running_var\"",
                  [](plan& p, table&, auto&) { p.net.parameters.erase("norm.running_var"); });
    check_refuses("\"fc2.weight\" has shape 3, the network needs 3x3", [](plan& p, table&, auto&) {
        p.net.parameters["fc2.weight"] = tensor<float>({3});
    });
    check_refuses("no activations of layer \"add\"",
                  [](plan&, table& t, auto&) { t.activations.erase("add"); });
    check_refuses("no weights of layer \"fc1\"",
                  [](plan&, table& t, auto&) { t.weights.erase("fc1"); });
    check_refuses("has a role", [](plan& p, table&, auto&) { p.roles[conv1].weights.reset(); });
}

BOOST_AUTO_TEST_CASE(codes_that_do_not_fit_are_refused_by_name) {
    const std::string part = "layer \"conv1\" has codes of shape ";
    check_refuses(part, [](plan&, table&, auto& c) { c.at(conv1).bias.pop_back(); });
    check_refuses(part, [](plan&, table&, auto& c) { c.at(conv1).weights = {}; });
    check_refuses(part, [](plan&, table& t, auto&) { t.weights["conv1"].scales[0] *= 2.0f; });
}

BOOST_AUTO_TEST_CASE(sums_that_could_leave_int32_are_refused) {
    check_refuses("layer \"conv1\" can reach a sum of 21474", [](plan&, table&, auto& c) {
        c.at(conv1).bias[2] = std::numeric_limits<std::int32_t>::max();
    });
    check_refuses("in channel 1", [](plan&, table&, auto& c) {
        c.at(conv1).bias[1] = std::numeric_limits<std::int32_t>::min();
    });
}

BOOST_AUTO_TEST_CASE(multipliers_that_overflow_are_refused) {
    const auto huge = [](const char* x, const char* y) {
        return [=](plan&, table& t, auto&) {
            t.activations[x].scales[0] = 0x1p100f;
            t.activations[y].scales[0] = 0x1p-60f;
        };
    };
    check_refuses("layer \"conv1\" has scales whose multiplier overflows", huge("input", "conv1"));
    check_refuses("layer \"mean\" has scales whose multiplier overflows", huge("norm", "mean"));
}

BOOST_AUTO_TEST_SUITE_END()
