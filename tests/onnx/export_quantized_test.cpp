// SPDX-License-Identifier: Apache-2.0
#include <quantal/onnx/export_quantized.hpp>
#include <quantal/onnx/import_quantized.hpp>

#include "support/networks.hpp"
#include "support/tiny_network.hpp"

#include <quantal/runtime/program.hpp>

#include <boost/test/data/test_case.hpp>

#include <functional>

using namespace quantal;
using quantal::onnx::qdq_opset;

namespace {

integer_network again(const integer_network& n, qdq_opset opset) {
    return quantal::onnx::import_quantized(quantal::onnx::export_network(n, {.opset = opset}))
        .network;
}

/// Requires that both networks have the same codes at every point, and the same outputs.
void check_same(const integer_network& a, const integer_network& b, const tensor<float>& images) {
    const auto first = lower(a), second = lower(b);
    std::size_t codes = 0, differing = 0;
    for (const auto& [v, point] : compare_codes(first, second, images)) {
        BOOST_TEST(a.plan().at(v).name == b.plan().at(v).name);
        codes += point.codes;
        differing += point.differing;
    }
    BOOST_TEST(codes > 0u);
    BOOST_TEST(differing == 0u);
    BOOST_TEST((first.run(images) == second.run(images)));
    for (const auto& [v, layer] : a.layers()) {
        BOOST_TEST((b.layer(v).weights.codes() == layer.weights.codes()));
        BOOST_TEST(b.layer(v).bias == layer.bias, boost::test_tools::per_element());
    }
}

struct written {
    const char *weights, *activations;
};
std::ostream& operator<<(std::ostream& out, const written& w) {
    return out << w.weights << ", " << w.activations;
}
constexpr written widths[] = {
    {"w8", "a8"},
    {"w4", "a4"},
    {"w2", "a3"},
    {"w3 pow2", "5 symmetric narrow"},
    {"8 symmetric full tensor", "a8 signed"},
    {"8 affine unsigned channel(0)", "4 affine signed"},
    {"4 affine signed tensor", "8 symmetric full"},
    {"1 affine unsigned", "1 affine unsigned"},
};

} // namespace

BOOST_AUTO_TEST_SUITE(onnx_export_quantized)

BOOST_DATA_TEST_CASE(a_network_comes_back_with_the_same_codes,
                     boost::unit_test::data::make(networks::kinds) *
                         boost::unit_test::data::make(widths),
                     kind, spec) {
    const auto c = networks::make(
        kind, {.weights = parse_spec(spec.weights), .activations = parse_spec(spec.activations)});
    const integer_network n = quantize(c.network, c.table);
    for (const auto opset : {qdq_opset::v13, qdq_opset::v21})
        BOOST_TEST_CONTEXT("opset " << static_cast<int>(opset))
    check_same(n, again(n, opset), c.images);
}

BOOST_AUTO_TEST_CASE(layers_that_are_not_all_integers) {
    const auto c = networks::make(
        "operators", {.layers = {{"fc1", {}, {}, true}, {"depthwise", {}, {}, false, true}}});
    const integer_network n = quantize(c.network, c.table);
    check_same(n, again(n, qdq_opset::v13), c.images);
}

BOOST_AUTO_TEST_CASE(groups_and_16_bits_from_opset_21_on) {
    const auto c = networks::make("operators", {.weights = parse_spec("w4 group(3)"),
                                                .layers = {parse_rule("mean", "a16"),
                                                           parse_rule("grouped", "16 symmetric")}});
    const integer_network n = quantize(c.network, c.table);
    check_same(n, again(n, qdq_opset::v21), c.images);
    BOOST_CHECK_EXCEPTION((void)again(n, qdq_opset::v13), graph_error, [](const error& e) {
        return std::string(e.what()).find("from opset 21 on") != std::string::npos;
    });
}

BOOST_AUTO_TEST_CASE(dynamic_inputs_are_refused) {
    const auto p = support::tiny_plan_of_forms();
    const integer_network n = quantize(p, support::tiny_table(p));
    BOOST_CHECK_EXCEPTION((void)again(n, qdq_opset::v21), graph_error, [](const error& e) {
        return std::string(e.what()) == "layer \"fc2\" gets the codes of its input image by image; "
                                        "ONNX has one scale a batch";
    });
}

BOOST_AUTO_TEST_CASE(types_are_the_narrowest_that_the_opset_has) {
    const auto c = networks::make("operators", {.weights = w4, .activations = a4});
    const auto types = [&](qdq_opset opset) {
        std::set<std::string> result;
        const auto model =
            quantal::onnx::export_network(quantize(c.network, c.table), {.opset = opset});
        for (const auto& t : model.graph().initializer())
            result.insert(quantal::onnx::info_of(t.data_type()).name);
        return result;
    };
    const std::set<std::string> old{"float32", "int32", "int64", "int8", "uint8"};
    const std::set<std::string> current{"float32", "int32", "int4", "int64", "uint4"};
    BOOST_TEST(types(qdq_opset::v13) == old, boost::test_tools::per_element());
    BOOST_TEST(types(qdq_opset::v21) == current, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
