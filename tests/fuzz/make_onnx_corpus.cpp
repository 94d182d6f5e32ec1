// SPDX-License-Identifier: Apache-2.0
// Writes tests/fuzz/corpus/onnx: QUANTAL_CORPUS=FOLDER make_onnx_corpus
#include "onnx/model_builder.hpp"
#include "support/tiny_network.hpp"

#include <quantal/onnx/export.hpp>
#include <quantal/onnx/export_quantized.hpp>
#include <quantal/onnx/model.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdlib>

namespace adapter = quantal::onnx;
using quantal::parse_rule;

namespace {

void write(const std::string& name, const ::onnx::ModelProto& model) {
    const char* folder = std::getenv("QUANTAL_CORPUS");
    BOOST_REQUIRE_MESSAGE(folder, "set QUANTAL_CORPUS to the folder to write");
    const auto file = std::filesystem::path(folder) / "onnx" / name;
    std::filesystem::create_directories(file.parent_path());
    adapter::write_model(file, model);
}

} // namespace

BOOST_AUTO_TEST_CASE(networks_of_every_operator) {
    write("float", adapter::export_network(support::tiny_graph()));
    write("qdq", adapter::export_network(support::tiny_network()));
    write("narrow",
          adapter::export_network(support::tiny_network(), {.opset = adapter::qdq_opset::v21}));
    const auto plan =
        place(support::tiny_graph(),
              {.layers = {parse_rule("norm", "float"), parse_rule("conv1", "w4 group(1)"),
                          parse_rule("conv2", "weights only"), parse_rule("fc3", "a16")}});
    write("groups", adapter::export_network(quantize(plan, support::tiny_table(plan)),
                                            {.opset = adapter::qdq_opset::v21}));
    write("functions", adapter::export_network(support::tiny_plan_of_functions().net));
    write("functions_qdq", adapter::export_network(support::tiny_network_of_functions()));
    quantal::graph joined;
    const auto x = joined.input({2, 3, 3});
    const auto mean = joined.average_pool(
        "mean", x, {.kernel = 2, .stride = 1, .padding = 1, .counts_padding = false});
    joined.concat("joined", {mean, joined.clip("clip", mean, {.lo = -1.0f, .hi = 2.0f})});
    write("joined", adapter::export_network(joined));
}

BOOST_AUTO_TEST_CASE(a_layer_with_a_dynamic_input) {
    onnx_models::builder b({0, 2, 3, 3});
    b.floats("ws", {}, {0.5f});
    auto& w = b.initializer("w", {1, 2, 1, 1}, ::onnx::TensorProto::INT8);
    w.add_int32_data(3);
    w.add_int32_data(-5);
    auto dynamic = b.add("DynamicQuantizeLinear", {"x"}, "q");
    dynamic.proto().add_output("s");
    dynamic.proto().add_output("z");
    b.add("ConvInteger", {"q", "w", "z"}, "i");
    b.add("Cast", {"i"}, "f").set("to", std::int64_t{1});
    b.add("Mul", {"s", "ws"}, "m");
    b.add("Mul", {"f", "m"}, "y");
    write("dynamic", b.model);
}
