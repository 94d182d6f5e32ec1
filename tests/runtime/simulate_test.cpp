// SPDX-License-Identifier: Apache-2.0
#include <quantal/runtime/simulate.hpp>

#include <quantal/runtime/cpu/program.hpp>

#include "support/networks.hpp"

#include <boost/test/unit_test.hpp>

using namespace quantal;

BOOST_AUTO_TEST_SUITE(simulate)

// With scales of powers of two and biases that are multiples of a layer's step every float32
// operation is exact, so that the simulation rounds the same numbers as the integers do.
BOOST_AUTO_TEST_CASE(where_float_is_exact_the_codes_are_those_of_the_integers) {
    for (const auto& [weights, activations] :
         {std::pair{"w8", "a8"}, std::pair{"w4", "a4"},
          std::pair{"3 affine signed channel(0)", "5 symmetric narrow tensor"}})
        for (const char* kind : {"resnet20", "mobilenet_v2 same", "resnet18"}) {
            auto c = networks::make(kind, {parse_spec(weights), parse_spec(activations)});
            networks::make_exact_in_float(c);
            const integer_network in_float = simulated(c.network, c.table);
            const cpu::program fast = lower(in_float, cpu::default_kernels());
            BOOST_TEST_CONTEXT(kind << ", weights " << weights << ", activations " << activations) {
                for (const auto& [v, count] :
                     compare_codes(lower(c.network, c.table), fast, c.images))
                    BOOST_TEST_CONTEXT(c.network.at(v).name) BOOST_TEST(count.differing == 0u);
                BOOST_TEST((lower(in_float).run(c.images) == fast.run(c.images)));
            }
        }
}

BOOST_AUTO_TEST_CASE(every_point_has_its_quantizer_and_no_layer_has_integers) {
    const auto c = networks::make("operators", {w2, a4, {parse_rule("grouped", "float")}});
    const integer_network n = simulated(c.network, c.table);
    BOOST_TEST(n.plan().points() == c.network.points(), boost::test_tools::per_element());
    BOOST_TEST(n.layers().empty());
    BOOST_TEST((n.table().activations == c.table.activations));
    const auto weight = [](const plan& p, const char* name) {
        return p.net.parameters.at(name + std::string(".weight"));
    };
    BOOST_TEST((weight(n.plan(), "grouped") == weight(c.network, "grouped")));
    BOOST_TEST((weight(n.plan(), "fc1") ==
                dequantize(quantize(weight(c.network, "fc1"), c.table.weights.at("fc1")))));
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused_by_name) {
    auto c = networks::make("resnet20", {.layers = {parse_rule("linear", "dynamic a8")}});
    const auto says = [](const char* begin) {
        return [=](const error& e) { return std::string(e.what()).starts_with(begin); };
    };
    BOOST_CHECK_EXCEPTION((void)simulated(c.network, c.table), graph_error,
                          says("layer \"linear\" has a dynamic input"));
    c.table.weights.erase("conv1");
    BOOST_CHECK_EXCEPTION((void)simulated(c.network, c.table), graph_error,
                          says("the calibration table has no weights of layer \"conv1\""));
    c = networks::make("resnet20");
    c.network.net.parameters.erase("conv1.weight");
    BOOST_CHECK_THROW((void)simulated(c.network, c.table), graph_error);
}

BOOST_AUTO_TEST_SUITE_END()
