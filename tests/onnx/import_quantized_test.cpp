// SPDX-License-Identifier: Apache-2.0
#include <quantal/onnx/import_quantized.hpp>

#include "data/files.hpp"
#include "onnx/model_builder.hpp"

#include <quantal/io/graph_json.hpp>
#include <quantal/runtime/program.hpp>

#include <boost/test/unit_test.hpp>

using namespace quantal;
using onnx_models::builder;
using onnx_models::ints;

namespace {

constexpr int u8 = ::onnx::TensorProto::UINT8, i8 = ::onnx::TensorProto::INT8,
              i32 = ::onnx::TensorProto::INT32;

/// A builder that knows codes.
struct quantized : builder {
    using builder::builder;

    void codes(const std::string& name, const ints& shape, int type, const std::vector<int>& q) {
        initializer(name, shape, type).mutable_int32_data()->Add(q.begin(), q.end());
    }
    /// Scale `name`s and zero point `name`z.
    void scale(const std::string& name, float scale, int zero, int type = u8) {
        floats(name + "s", {}, {scale});
        codes(name + "z", {}, type, {zero});
    }
    void through(const std::string& x, const std::string& y, const std::string& with) {
        add("QuantizeLinear", {x, with + "s", with + "z"}, y + "q");
        add("DequantizeLinear", {y + "q", with + "s", with + "z"}, y);
    }
    [[nodiscard]] integer_network read() const {
        return quantal::onnx::import_quantized(model).network;
    }
};

std::string message(const quantized& b) {
    return files::message_of([&] { (void)b.read(); });
}

/// Weights of two channels, dequantized as "w", and an int32 bias, as "b": x has the scale 0.5.
void add_weights(quantized& b) {
    b.codes("wq", {2, 1, 1, 1}, i8, {3, -5});
    b.floats("ws", {2}, {0.25f, 0.5f});
    b.codes("wz", {2}, i8, {0, 0});
    b.codes("bq", {2}, i32, {16, -1});
    b.floats("bs", {2}, {0.125f, 0.25f});
}

/// A convolution on codes of [1, 1, 1, 2] as QDQ or as an operator on codes.
quantized convolution(bool as_one) {
    quantized b({1, 1, 1, 2});
    b.scale("x", 0.5f, 10);
    b.scale("y", 0.25f, 100);
    add_weights(b);
    if (as_one) {
        b.add("QuantizeLinear", {"x", "xs", "xz"}, "q");
        b.add("QLinearConv", {"q", "xs", "xz", "wq", "ws", "wz", "ys", "yz", "bq"}, "c");
        b.add("DequantizeLinear", {"c", "ys", "yz"}, "y");
    } else {
        b.through("x", "xr", "x");
        b.add("DequantizeLinear", {"wq", "ws", "wz"}, "w").set("axis", std::int64_t{0});
        b.add("DequantizeLinear", {"bq", "bs"}, "b").set("axis", std::int64_t{0});
        b.add("Conv", {"xr", "w", "b"}, "c");
        b.through("c", "y", "y");
    }
    return b;
}

} // namespace

BOOST_AUTO_TEST_SUITE(onnx_import_quantized)

BOOST_AUTO_TEST_CASE(a_convolution_on_codes) {
    for (const bool as_one : {false, true}) {
        const integer_network n = convolution(as_one).read();
        const auto& layer = n.layer(1);
        BOOST_TEST(n.plan().at(1).name == "c");
        BOOST_TEST((layer.weights.spec() == parse_spec("4 symmetric narrow channel(0)")));
        BOOST_TEST((layer.bias == std::vector<std::int32_t>{16, -1}));
        BOOST_TEST((*n.plan().roles[1].output == a8));
        // x = 2 and -1 are the codes 14 and 8. Channel 0: (16 + 4 * 3) * 0.125 = 3.5 and
        // (16 - 2 * 3) * 0.125 = 1.25; channel 1: (-1 - 4 * 5) * 0.25 = -5.25 and 2.25.
        const auto y = lower(n).run(tensor<float>({1, 1, 1, 2}, {2.0f, -1.0f}));
        BOOST_TEST(std::as_const(y).values() == (std::vector<float>{3.5f, 1.25f, -5.25f, 2.25f}),
                   boost::test_tools::per_element());
    }
    BOOST_TEST(io::to_json(convolution(false).read().plan()) ==
               io::to_json(convolution(true).read().plan()));
}

BOOST_AUTO_TEST_CASE(operators_on_codes_of_onnx_runtime) {
    quantized b({1, 2, 2, 2});
    for (const char* name : {"x", "p", "a", "j", "m"})
        b.scale(name, 0.5f, 20);
    b.scale("g", 0.25f, 100);
    b.codes("wq", {3, 4}, i8, std::vector<int>(12, 2)); // [out, in]
    b.scale("w", 0.5f, 0, i8);
    b.codes("bq", {3}, i32, {1, 2, 3});
    const auto runtime = [&](const char* type, const onnx_models::names& inputs,
                             const char* output) {
        auto n = b.add(type, inputs, output);
        n.proto().set_domain("com.microsoft");
        return n;
    };
    b.add("QuantizeLinear", {"x", "xs", "xz"}, "q");
    b.add("MaxPool", {"q"}, "pool").set("kernel_shape", ints{1, 1});
    runtime("QLinearAdd", {"q", "xs", "xz", "pool", "xs", "xz", "as", "az"}, "sum");
    runtime("QLinearConcat", {"js", "jz", "sum", "as", "az", "q", "xs", "xz"}, "join")
        .set("axis", std::int64_t{1});
    runtime("QLinearGlobalAveragePool", {"join", "js", "jz", "ms", "mz"}, "mean")
        .set("channels_last", std::int64_t{0});
    b.add("Flatten", {"mean"}, "flat");
    runtime("QGemm", {"flat", "ms", "mz", "wq", "ws", "wz", "bq", "gs", "gz"}, "gemm")
        .set("transB", std::int64_t{1});
    b.add("DequantizeLinear", {"gemm", "gs", "gz"}, "y");
    const integer_network n = b.read();
    for (value v = 1; v < n.plan().net.size(); ++v)
        BOOST_TEST(!n.plan().roles[v].in_float, n.plan().at(v).name);
    // x = 1 everywhere: the sum is 2, the mean of four channels 2, 2, 1, 1; weights are 1 each and
    // biases 0.25, 0.5, 0.75.
    const auto y = lower(n).run(tensor<float>({1, 2, 2, 2}, std::vector<float>(8, 1.0f)));
    BOOST_TEST(std::as_const(y).values() == (std::vector<float>{6.25f, 6.5f, 6.75f}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(functions_and_products_of_onnx_runtime) {
    quantized b({1, 2});
    b.scale("x", 0.5f, 20);
    b.scale("s", 0.00390625f, 0);
    b.scale("y", 0.25f, 100);
    const auto runtime = [&](const char* type, const onnx_models::names& inputs,
                             const char* output) {
        auto n = b.add(type, inputs, output);
        n.proto().set_domain("com.microsoft");
        return n;
    };
    b.add("QuantizeLinear", {"x", "xs", "xz"}, "q");
    runtime("QLinearLeakyRelu", {"q", "xs", "xz", "xs", "xz"}, "leaky").set("alpha", 0.5f);
    runtime("QLinearSigmoid", {"leaky", "xs", "xz", "ss", "sz"}, "sigmoid");
    runtime("QLinearMul", {"leaky", "xs", "xz", "sigmoid", "ss", "sz", "ys", "yz"}, "m");
    b.add("DequantizeLinear", {"m", "ys", "yz"}, "y");
    const integer_network n = b.read();
    for (value v = 1; v < n.plan().net.size(); ++v)
        BOOST_TEST(!n.plan().roles[v].in_float, n.plan().at(v).name);
    // -4 becomes -2 and 3 stays: sigmoids are round(256 * 0.1192) = 31 and round(256 * 0.9526) =
    // 244, products -0.242 and 2.859.
    BOOST_TEST((lower(n).run(tensor<float>({1, 2}, {-4.0f, 3.0f})) ==
                tensor<float>({1, 2}, {-0.25f, 2.75f})));
}

/// A product of [1, 3] whose input gets its codes while it runs, or a convolution of [1, 3, 1, 1].
quantized dynamic(bool is_convolution) {
    quantized b(is_convolution ? ints{1, 3, 1, 1} : ints{1, 3});
    b.floats("ws", {}, {0.5f});
    b.codes("wz", {}, i8, {1});
    b.codes("w", is_convolution ? ints{2, 3, 1, 1} : ints{3, 2}, i8,
            is_convolution ? std::vector<int>{1, 3, 5, 2, -4, 6}
                           : std::vector<int>{1, 2, 3, -4, 5, 6});
    auto d = b.add("DynamicQuantizeLinear", {"x"}, "q");
    d.proto().add_output("s");
    d.proto().add_output("z");
    b.add(is_convolution ? "ConvInteger" : "MatMulInteger", {"q", "w", "z", "wz"}, "i");
    b.add("Cast", {"i"}, "f").set("to", std::int64_t{1});
    b.add("Mul", {"ws", "s"}, "m");
    b.add("Mul", {"f", "m"}, "y");
    return b;
}

BOOST_AUTO_TEST_CASE(layers_with_dynamic_inputs) {
    for (const bool is_convolution : {false, true}) {
        const integer_network n = dynamic(is_convolution).read();
        BOOST_TEST((n.plan().roles[1].dynamic == a8));
        BOOST_TEST(n.plan().at(1).name == "i");
        // The range [-1, 254] has the scale 1 and the zero point 1: codes are x + 1.
        const extents shape = is_convolution ? extents{1, 3, 1, 1} : extents{1, 3};
        const auto y = lower(n).run(tensor<float>(shape, {-1.0f, 254.0f, 2.25f}));
        BOOST_TEST(std::as_const(y).values() == (std::vector<float>{258.0f, -630.5f}),
                   boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(dynamic_codes_that_no_layer_reads_are_refused) {
    const std::string refused = "reads what DynamicQuantizeLinear makes; that can be ConvInteger";
    for (const char* type : {"Relu", "Flatten", "Cast", "GlobalAveragePool", "Clip"}) {
        auto b = dynamic(true);
        auto n = b.add(type, {"q"}, "other");
        if (n.proto().op_type() == "Cast") n.set("to", std::int64_t{1});
        b.graph().mutable_output(0)->set_name("other");
        BOOST_TEST(message(b).find(refused) != std::string::npos, message(b));
    }
    auto b = dynamic(false);
    b.floats("m2", {}, {1.0f});
    b.graph().mutable_node(4)->set_input(1, "m2"); // the sums alone
    BOOST_TEST(message(b).find("node \"i/0\" (DequantizeLinear): it " + refused) !=
                   std::string::npos,
               message(b));
}

BOOST_AUTO_TEST_CASE(sums_of_codes) {
    quantized b({1, 3});
    b.scale("x", 1.0f, 10);
    b.codes("w", {3, 2}, u8, {1, 2, 3, 4, 5, 6});
    b.codes("wz", {}, u8, {2});
    b.add("QuantizeLinear", {"x", "xs", "xz"}, "q");
    b.add("MatMulInteger", {"q", "w", "xz", "wz"}, "i");
    b.add("Cast", {"i"}, "y").set("to", std::int64_t{1});
    BOOST_TEST((lower(b.read()).run(tensor<float>({1, 3}, {1, 2, -3})) ==
                tensor<float>({1, 2}, {-1.0f + 2.0f - 9.0f, 4.0f - 12.0f})));
    b.graph().mutable_node(1)->mutable_input()->RemoveLast(); // no zero points of weights
    BOOST_TEST((lower(b.read()).run(tensor<float>({1, 3}, {1, 2, -3})) ==
                tensor<float>({1, 2}, {1.0f + 6.0f - 15.0f, 2.0f + 8.0f - 18.0f})));
}

BOOST_AUTO_TEST_CASE(a_product_with_weights_by_input) {
    quantized b({1, 3});
    b.scale("x", 1.0f, 0);
    b.codes("wq", {3, 2}, i8, {1, 2, 3, -4, 5, 6});
    b.floats("ws", {2}, {0.5f, 0.25f});
    b.through("x", "xr", "x");
    b.add("DequantizeLinear", {"wq", "ws"}, "w").set("axis", std::int64_t{1});
    b.add("MatMul", {"xr", "w"}, "y");
    const integer_network n = b.read();
    BOOST_TEST(n.layer(1).weights.codes().values() ==
                   (std::vector<std::int32_t>{1, 3, 5, 2, -4, 6}),
               boost::test_tools::per_element());
    BOOST_TEST((n.layer(1).weights.params().scales == std::vector<float>{0.5f, 0.25f}));
    BOOST_TEST((lower(n).run(tensor<float>({1, 3}, {1, 2, 3})) == tensor<float>({1, 2}, {11, 3})));
}

BOOST_AUTO_TEST_CASE(a_value_that_is_read_before_its_quantizer_too) {
    quantized b({1, 2});
    b.scale("x", 1.0f, 0);
    b.add("Relu", {"x"}, "r");
    b.through("r", "q", "x");
    b.add("Add", {"q", "r"}, "y");
    const integer_network n = b.read();
    // 2.4 is code 2; the sum takes 2 and 2.4.
    BOOST_TEST((lower(n).run(tensor<float>({1, 2}, {2.4f, -1.0f})) ==
                tensor<float>({1, 2}, {2.0f + 2.4f, 0.0f})));
}

BOOST_AUTO_TEST_CASE(what_is_not_codes_of_a_network_is_refused) {
    auto b = convolution(false);
    b.graph().mutable_node(1)->set_input(1, "ys");
    BOOST_TEST(message(b).find("dequantizes with the scale 0.25 and the zero point 10 what was "
                               "quantized with 0.5 and 10") != std::string::npos);
    b = convolution(false);
    b.graph().mutable_node(0)->set_input(1, "ws");
    BOOST_TEST(message(b).find("has scales of shape 2; values have one") != std::string::npos);
    b = convolution(false);
    b.graph().mutable_node(4)->set_input(0, "xrq");
    BOOST_TEST(message(b).find("computes with the codes of \"input\"") != std::string::npos);
    b = convolution(false);
    b.floats("zero", {}, {0.0f});
    b.graph().mutable_node(0)->set_input(1, "zero");
    BOOST_TEST(message(b).find("has the scale 0; a scale is finite") != std::string::npos);
    b = convolution(false);
    b.graph().mutable_node(2)->mutable_attribute(0)->set_i(3);
    BOOST_TEST(message(b).find("has scales of shape 2 for codes of shape 2x1x1x1") !=
               std::string::npos);
    quantized clipped({1, 2});
    clipped.scale("x", 1.0f, 0);
    clipped.codes("lo", {}, u8, {0});
    clipped.codes("hi", {}, u8, {14});
    clipped.add("QuantizeLinear", {"x", "xs", "xz"}, "q");
    clipped.add("Clip", {"q", "lo", "hi"}, "c");
    clipped.add("DequantizeLinear", {"c", "xs", "xz"}, "y");
    BOOST_TEST(message(clipped).find("clips codes to [0, 14], which are those of no width") !=
               std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
