// SPDX-License-Identifier: Apache-2.0
#include <quantal/onnx/tensorrt.hpp>

#include <quantal/onnx/export_quantized.hpp>

#include "support/networks.hpp"

#include <boost/test/unit_test.hpp>

using namespace quantal;

BOOST_AUTO_TEST_SUITE(onnx_tensorrt)

BOOST_AUTO_TEST_CASE(models_for_it_have_int8_codes_and_float_biases) {
    const auto c = networks::make("resnet20", {.activations = quantal::onnx::tensorrt_activations,
                                               .layers = {parse_rule("linear", "float")}});
    const auto notes = quantal::onnx::check_for_tensorrt(c.network);
    BOOST_TEST(notes.front() == "layer \"layer1.0.conv2\" has codes of its own, so that "
                                "\"layer1.0.add\" is not fused with it");
    BOOST_TEST(notes.back() == "layer \"linear\" runs in float");
    BOOST_TEST(notes.size() == 13u); // 9 sums; the last sum, pool and flatten are in float too
    const auto model = quantal::onnx::export_network(quantize(c.network, c.table),
                                                     {.biases = quantal::onnx::bias_form::reals});
    for (const auto& t : model.graph().initializer()) {
        const std::string type = quantal::onnx::info_of(t.data_type()).name;
        BOOST_TEST((type == "int8" || type == "float32" || type == "int64"), t.name());
        if (t.name().ends_with("zero_point"))
            BOOST_TEST(t.raw_data().find_first_not_of('\0') == std::string::npos, t.name());
    }
}

BOOST_AUTO_TEST_CASE(other_codes_are_refused) {
    const graph net = networks::make("resnet20").network.net;
    const auto message = [&](const quantization& q) {
        try {
            (void)quantal::onnx::check_for_tensorrt(place(net, q));
        } catch (const spec_error& e) {
            return std::string(e.what());
        }
        return std::string();
    };
    quantization q{.activations = quantal::onnx::tensorrt_activations};
    BOOST_TEST(message(q) == "");
    q.weights = parse_spec("w8 group(8)");
    BOOST_TEST(message(q).starts_with("layer \"conv1\" has weights of \"8 symmetric narrow "
                                      "group(8)\"; TensorRT takes"));
    BOOST_TEST(message({}).starts_with("layer \"input\" has an output of \"8 affine"));
}

BOOST_AUTO_TEST_SUITE_END()
