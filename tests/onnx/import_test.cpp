// SPDX-License-Identifier: Apache-2.0
#include <quantal/onnx/import.hpp>

#include "data/files.hpp"
#include "onnx/model_builder.hpp"
#include "support/random.hpp"

#include <quantal/graph/print.hpp>
#include <quantal/runtime/program.hpp>

#include <sstream>

using namespace quantal;
using onnx_models::builder;
using onnx_models::ints;

namespace {

/// What a model computes of one image.
std::vector<float> run(builder& b, const tensor<float>& image) {
    const auto net = quantal::onnx::import_network(b.model).net;
    return reference_executor(net)(image, {}).values();
}
std::string text(const graph& net) {
    std::ostringstream out;
    out << net;
    return out.str();
}
std::string network_of(builder& b) {
    return text(quantal::onnx::import_network(b.model).net);
}
std::string message(builder& b) {
    return files::message_of([&] { (void)quantal::onnx::import_network(b.model); });
}

/// 1, 2, 3 and so on.
tensor<float> counted_tensor(const extents& shape) {
    tensor<float> t(shape);
    for (std::size_t i = 0; i < t.size(); ++i)
        t[i] = static_cast<float>(i + 1);
    return t;
}

/// A model of one node on [1, 1, 3, 3].
builder of_one(const char* type, const ints& shape = {1, 1, 3, 3}, std::int64_t opset = 13) {
    builder b(shape, opset);
    b.add(type, {"x"}, "y");
    return b;
}

} // namespace

BOOST_AUTO_TEST_SUITE(onnx_import)

BOOST_AUTO_TEST_CASE(a_network_as_exporters_write_it) {
    builder b({0, 2, 4, 4});
    b.floats("w1", {2, 1, 3, 3}, std::vector<float>(18, 0.5f));
    b.floats("w2", {2, 32}, std::vector<float>(64, 0.25f));
    b.floats("b2", {2}, {1.0f, -1.0f});
    for (const char* name : {"gamma", "beta", "mean", "var"})
        b.floats(name, {2}, {1.0f, 2.0f});
    b.add("Conv", {"x", "w1"}, "c").set("group", std::int64_t{2}).set("pads", ints{1, 1, 1, 1});
    b.add("BatchNormalization", {"c", "gamma", "beta", "mean", "var"}, "n").set("epsilon", 0.0f);
    b.add("Relu", {"n"}, "r");
    b.add("Dropout", {"r"}, "d");
    b.add("Add", {"d", "x"}, "a");
    b.add("Flatten", {"a"}, "f");
    b.add("Gemm", {"f", "w2", "b2"}, "g").set("transB", std::int64_t{1});
    b.add("Softmax", {"g"}, "y");
    const auto [net, notes] = quantal::onnx::import_network(b.model);
    BOOST_TEST(text(net) == "input = input() -> 2x4x4\n"
                            "c = conv2d(input) kernel 3x3 stride 1x1 padding 1,1,1,1 groups 2 -> "
                            "2x4x4\n"
                            "n = batch_norm(c) -> 2x4x4\n"
                            "r = clip(n) to [0, inf] -> 2x4x4\n"
                            "a = add(r, input) -> 2x4x4\n"
                            "f = flatten(a) -> 32\n"
                            "g = linear(f) -> 2\n");
    BOOST_TEST(notes.size() == 1u);
    BOOST_TEST(net.parameters.at("g.bias")[1] == -1.0f);
}

BOOST_AUTO_TEST_CASE(a_softmax_at_the_end_whatever_it_is_called) {
    builder b({1, 3});
    b.add("Relu", {"x"}, "r");
    b.add("Softmax", {"r"}, "s");
    b.add("Identity", {"s"}, "t");
    b.add("Identity", {"t"}, "y");
    const auto [net, notes] = quantal::onnx::import_network(b.model);
    BOOST_TEST(text(net) == "input = input() -> 3\nr = clip(input) to [0, inf] -> 3\n");
    BOOST_TEST(notes.size() == 1u);
    b.graph().mutable_node(3)->clear_input();
    BOOST_TEST(message(b).find("(Identity)") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(batches_of_any_size_through_shape_arithmetic) {
    for (const std::int64_t batch : {0, 1, 3}) {
        builder b({batch, 2, 3, 1});
        b.integers("zero", {0});
        b.integers("rest", {-1});
        b.add("Shape", {"x"}, "s");
        b.add("Gather", {"s", "zero"}, "n").set("axis", std::int64_t{0});
        b.add("Concat", {"n", "rest"}, "to").set("axis", std::int64_t{0});
        b.add("Reshape", {"x", "to"}, "y");
        BOOST_TEST(network_of(b) == "input = input() -> 2x3x1\nlast = flatten(input) -> 6\n");
    }
}

BOOST_AUTO_TEST_CASE(windows) {
    const auto x = counted_tensor({1, 1, 3, 3});
    const auto expect = [&](builder b, const std::vector<float>& y) {
        BOOST_TEST(run(b, x) == y, boost::test_tools::per_element());
    };
    const auto pool = [](const char* type, const ints& pads, std::int64_t ceil) {
        builder b = of_one(type);
        onnx_models::node(*b.graph().mutable_node(0))
            .set("kernel_shape", ints{2, 2})
            .set("strides", ints{2, 2})
            .set("pads", pads)
            .set("ceil_mode", ceil);
        return b;
    };
    expect(pool("MaxPool", {0, 0, 0, 0}, 0), {5});
    expect(pool("MaxPool", {0, 0, 0, 0}, 1), {5, 6, 8, 9});
    expect(pool("MaxPool", {1, 1, 0, 0}, 0), {1, 3, 7, 9});
    expect(pool("AveragePool", {0, 0, 0, 0}, 1), {3, 4.5, 7.5, 9});
    expect(pool("AveragePool", {1, 1, 0, 0}, 0), {1, 2.5, 5.5, 7});
    auto counted_padding = pool("AveragePool", {1, 1, 0, 0}, 0);
    onnx_models::node(*counted_padding.graph().mutable_node(0))
        .set("count_include_pad", std::int64_t{1});
    expect(counted_padding, {0.25, 1.25, 2.75, 7});
    // A last window that would begin in the padding behind is none.
    builder narrow = of_one("MaxPool");
    onnx_models::node(*narrow.graph().mutable_node(0))
        .set("kernel_shape", ints{1, 1})
        .set("strides", ints{3, 3})
        .set("ceil_mode", std::int64_t{1});
    expect(narrow, {1});
    for (const auto& [mode, y] : {std::pair{"SAME_UPPER", std::vector<float>{12, 9, 15, 9}},
                                  {"SAME_LOWER", {1, 5, 11, 28}},
                                  {"VALID", {12}}}) {
        builder b({1, 1, 3, 3});
        b.floats("w", {1, 1, 2, 2}, {1, 1, 1, 1});
        b.add("Conv", {"x", "w"}, "y").set("auto_pad", mode).set("strides", ints{2, 2});
        expect(b, y);
    }
    expect(of_one("GlobalAveragePool"), {5});
}

BOOST_AUTO_TEST_CASE(constants_are_factors_and_offsets_of_channels) {
    const auto x = counted_tensor({1, 2, 1, 2});
    const auto with = [&](const char* type, bool constant_first) {
        builder b({1, 2, 1, 2});
        b.floats("c", {2, 1, 1}, {2.0f, 4.0f});
        if (constant_first)
            b.add(type, {"c", "x"}, "y");
        else
            b.add(type, {"x", "c"}, "y");
        return run(b, x);
    };
    const auto expect = [](const std::vector<float>& y, const std::vector<float>& expected) {
        BOOST_TEST(y == expected, boost::test_tools::per_element());
    };
    expect(with("Add", false), {3, 4, 7, 8});
    expect(with("Add", true), {3, 4, 7, 8});
    expect(with("Sub", false), {-1, 0, -1, 0});
    expect(with("Sub", true), {1, 0, 1, 0});
    expect(with("Mul", false), {2, 4, 12, 16});
    expect(with("Div", false), {0.5, 1, 0.75, 1});
    builder b({1, 2, 1, 2});
    b.floats("c", {1, 2, 1, 2}, {1, 2, 3, 4});
    b.add("Add", {"x", "c"}, "y");
    BOOST_TEST(message(b).find("does not broadcast to 1x2x1x1") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_model_with_channels_last) {
    builder b({1, 2, 3, 2}); // height 2, width 3, channels 2
    b.floats("w", {2, 2, 1, 1}, {0, 1, 1, 0});
    const auto matrix = counted_tensor({12, 1});
    b.floats("m", matrix);
    b.add("Transpose", {"x"}, "first").set("perm", ints{0, 3, 1, 2});
    b.add("Conv", {"first", "w"}, "c");
    b.add("Transpose", {"c"}, "again").set("perm", ints{0, 2, 3, 1});
    b.add("Relu", {"again"}, "r");
    b.integers("to", {-1, 12});
    b.add("Reshape", {"r", "to"}, "f");
    b.add("MatMul", {"f", "m"}, "y");
    const auto x = counted_tensor({1, 2, 2, 3}); // channels first
    float expected = 0;
    for (int p = 0; p < 6; ++p) // pixel p has the channels p + 7 and p + 1, swapped by the conv
        expected += static_cast<float>((p + 7) * (2 * p + 1) + (p + 1) * (2 * p + 2));
    BOOST_TEST(run(b, x)[0] == expected);
}

BOOST_AUTO_TEST_CASE(padding_of_channels_last_waits_for_a_convolution) {
    builder b({1, 1, 2, 3});
    b.integers("pads", {0, 1, 0, 0, 0, 0, 2, 0}); // a row above, two columns to the right
    b.floats("w", counted_tensor({1, 1, 3, 5}));
    b.add("Transpose", {"x"}, "last").set("perm", ints{0, 2, 3, 1});
    b.add("Pad", {"last", "pads"}, "p");
    b.add("Transpose", {"p"}, "first").set("perm", ints{0, 3, 1, 2});
    b.add("Conv", {"first", "w"}, "y");
    const int expected = 1 * 6 + 2 * 7 + 3 * 8 + 4 * 11 + 5 * 12 + 6 * 13;
    BOOST_TEST(run(b, counted_tensor({1, 1, 2, 3})) == std::vector{static_cast<float>(expected)});
}

BOOST_AUTO_TEST_CASE(channels_last_that_are_scaled_before_they_are_moved) {
    builder b({1, 2, 3, 2}); // height 2, width 3, channels 2
    b.floats("factors", {2}, {2, 10});
    b.floats("half", {1}, {0.5f});
    b.add("Mul", {"x", "factors"}, "scaled");
    b.add("Add", {"scaled", "half"}, "moved");
    b.add("Transpose", {"moved"}, "y").set("perm", ints{0, 3, 1, 2});
    BOOST_TEST(run(b, counted_tensor({1, 2, 2, 3})) ==
                   std::vector<float>({2.5f, 4.5f, 6.5f, 8.5f, 10.5f, 12.5f, 70.5f, 80.5f, 90.5f,
                                       100.5f, 110.5f, 120.5f}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_option_a_shortcut) {
    builder b({1, 2, 5, 5});
    b.integers("starts", {0, 0});
    b.integers("ends", {9223372036854775807, 5});
    b.integers("axes", {2, 3});
    b.integers("steps", {2, 2});
    b.add("Slice", {"x", "starts", "ends", "axes", "steps"}, "s");
    b.integers("pads", {0, 1, 0, 0, 0, 2, 0, 0});
    b.add("Pad", {"s", "pads"}, "p");
    b.add("Relu", {"p"}, "y");
    BOOST_TEST(network_of(b) == "input = input() -> 2x5x5\np = shortcut(input) -> 5x3x3\n"
                                "last = clip(p) to [0, inf] -> 5x3x3\n");
}

BOOST_AUTO_TEST_CASE(padding_that_a_convolution_takes) {
    builder b({1, 1, 3, 3});
    b.floats("w", {1, 1, 3, 3}, std::vector<float>(9, 1.0f));
    b.integers("pads", {0, 0, 1, 0, 0, 0, 1, 2});
    b.add("Pad", {"x", "pads"}, "p");
    b.add("Conv", {"p", "w"}, "y").set("pads", ints{0, 1, 0, 0});
    BOOST_TEST(network_of(b).find("padding 1,1,1,2") != std::string::npos);
    b.graph().mutable_node(1)->set_op_type("Relu");
    b.graph().mutable_node(1)->clear_attribute();
    b.graph().mutable_node(1)->mutable_input()->RemoveLast();
    BOOST_TEST(message(b) == "node \"last\" (Relu): it reads the padded tensor of \"p\"; "
                             "convolutions and average pools can take padding");
}

BOOST_AUTO_TEST_CASE(clips_of_every_opset) {
    builder old({1, 3}, 7);
    old.add("Clip", {"x"}, "y").set("min", 0.0f).set("max", 6.0f);
    builder current({1, 3});
    current.floats("lo", {}, {0.0f});
    current.floats("hi", {}, {6.0f});
    current.add("Clip", {"x", "lo", "hi"}, "y");
    builder open({1, 3});
    open.floats("hi", {}, {6.0f});
    open.add("Clip", {"x", "", "hi"}, "y");
    BOOST_TEST(network_of(old) == "input = input() -> 3\nlast = clip(input) to [0, 6] -> 3\n");
    BOOST_TEST(network_of(current) == network_of(old));
    BOOST_TEST(network_of(open) == "input = input() -> 3\nlast = clip(input) to [-inf, 6] -> 3\n");
}

BOOST_AUTO_TEST_CASE(means_are_pools) {
    builder old({1, 3, 2, 2});
    old.add("ReduceMean", {"x"}, "y").set("axes", ints{-1, 2}).set("keepdims", std::int64_t{0});
    builder current({1, 3, 2, 2}, 18);
    current.integers("axes", {2, 3});
    current.add("ReduceMean", {"x", "axes"}, "y");
    BOOST_TEST(network_of(old) == "input = input() -> 3x2x2\n"
                                  "last = average_pool(input) kernel 2x2 stride 2x2 -> 3x1x1\n"
                                  "last.2 = flatten(last) -> 3\n");
    BOOST_TEST(network_of(current) == "input = input() -> 3x2x2\n"
                                      "last = average_pool(input) kernel 2x2 stride 2x2 -> "
                                      "3x1x1\n");
}

BOOST_AUTO_TEST_CASE(only_what_the_output_needs_is_read) {
    builder b({1, 3});
    b.add("NonMaxSuppression", {"x"}, "unused");
    b.add("Relu", {"x"}, "y");
    BOOST_TEST(network_of(b) == "input = input() -> 3\nlast = clip(input) to [0, inf] -> 3\n");
}

BOOST_AUTO_TEST_CASE(an_open_size_is_given) {
    builder b({1, 3, 0, 0});
    b.add("Relu", {"x"}, "y");
    BOOST_TEST(message(b).find("the input \"x\": it has the shape 1x3x0x0") != std::string::npos);
    const auto net = quantal::onnx::import_network(b.model, {}, {.image = extents{3, 8, 9}}).net;
    BOOST_TEST(net.input_shape() == extents({3, 8, 9}));
}

BOOST_AUTO_TEST_CASE(external_data_lie_beside_the_model) {
    const files::temporary_folder folder;
    const std::vector<float> values{1, 2, 3, 4, 5, 6};
    io::write_file(folder.path() / "weights", std::as_bytes(std::span(values)));
    builder b({1, 2});
    auto& t = b.initializer("w", {2, 2}, ::onnx::TensorProto::FLOAT);
    t.set_data_location(::onnx::TensorProto::EXTERNAL);
    const auto entry = [&](const char* key, const std::string& text) {
        auto& e = *t.add_external_data();
        e.set_key(key);
        e.set_value(text);
    };
    entry("location", "weights");
    entry("offset", "8");
    b.add("MatMul", {"x", "w"}, "y");
    const auto file = folder.path() / "model.onnx";
    const auto read = [&] {
        quantal::onnx::write_model(file, b.model);
        return quantal::onnx::read_network(file).net;
    };
    BOOST_TEST((read().parameters.at("last.weight") == tensor<float>({2, 2}, {3, 5, 4, 6})));
    const auto refused = [&](int i, const char* text) {
        const std::string was = t.external_data(i).value();
        t.mutable_external_data(i)->set_value(text);
        const std::string result = files::message_of(read);
        t.mutable_external_data(i)->set_value(was);
        return result;
    };
    for (const char* outside : {"../weights", "/etc/passwd", "a/../../weights"})
        BOOST_TEST(refused(0, outside).find("external data lie in the folder of the model") !=
                   std::string::npos);
    BOOST_TEST(refused(0, "absent").find("cannot be opened") != std::string::npos);
    BOOST_TEST(refused(1, "12").find("are 16 bytes from byte 12") != std::string::npos);
    BOOST_TEST(refused(1, "18446744073709551615").find("from byte 1844") != std::string::npos);
    BOOST_TEST(refused(1, "-1").find("has \"-1\" as an offset") == std::string::npos);
    BOOST_TEST(message(b).find("the model does not come from a folder") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_not_supported_is_named) {
    builder b = of_one("Einsum");
    BOOST_TEST(message(b).starts_with("node \"last\" (Einsum): the operator Einsum is not "
                                      "supported; there are Add, AveragePool, "));
    b = of_one("Relu");
    b.graph().mutable_node(0)->set_domain("com.example");
    BOOST_TEST(message(b).find("the operator com.example.Relu") != std::string::npos);
    b = of_one("Relu");
    onnx_models::node(*b.graph().mutable_node(0)).set("slope", 0.5f);
    BOOST_TEST(message(b) == "node \"last\" (Relu): it has the attribute \"slope\", which this "
                             "library does not read");
    b = of_one("Relu", {1, 1, 3, 3}, 6);
    BOOST_TEST(message(b) == "the model has opset 6; this library reads 7 to 22");
    b = of_one("Relu");
    b.graph().add_output()->set_name("x");
    BOOST_TEST(message(b).find("has 2 outputs") != std::string::npos);
    b = of_one("Relu");
    b.graph().add_input()->set_name("z");
    BOOST_TEST(message(b).find("the inputs \"x\" and \"z\"") != std::string::npos);
    b = of_one("Softmax");
    b.add("Relu", {"y"}, "z");
    b.graph().mutable_output(0)->set_name("z");
    BOOST_TEST(message(b).find("(Softmax): it is not the end of the network") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(functions_of_a_number) {
    const tensor<float> image({1, 2, 1, 2}, {-2.0f, 1.0f, -4.0f, 8.0f});
    const auto check = [&](builder b, const std::vector<float>& expected) {
        BOOST_TEST(run(b, image) == expected, boost::test_tools::per_element());
    };
    const ints shape{1, 2, 1, 2};
    builder b = of_one("LeakyRelu", shape);
    onnx_models::node(*b.graph().mutable_node(0)).set("alpha", 0.25f);
    check(b, {-0.5f, 1.0f, -1.0f, 8.0f});
    check(of_one("HardSwish", shape, 14), {-1.0f / 3.0f, 2.0f / 3.0f, 0.0f, 8.0f});
    b = of_one("HardSigmoid", shape);
    onnx_models::node(*b.graph().mutable_node(0)).set("alpha", 0.25f);
    check(b, {0.0f, 0.75f, 0.0f, 1.0f});
    builder slopes(shape);
    slopes.floats("w", {2, 1, 1}, {0.5f, -0.25f});
    slopes.add("PRelu", {"x", "w"}, "y");
    check(slopes, {-1.0f, 1.0f, 1.0f, 8.0f});
    builder one(shape);
    one.floats("w", {1}, {0.5f});
    one.add("PRelu", {"x", "w"}, "y");
    check(one, {-1.0f, 1.0f, -2.0f, 8.0f});
    builder swish(shape);
    swish.add("Sigmoid", {"x"}, "s");
    swish.add("Mul", {"s", "x"}, "y");
    const auto y = run(swish, image);
    for (std::size_t i = 0; i < 4; ++i)
        BOOST_TEST(y[i] == image[i] * static_cast<float>(1 / (1 + std::exp(-double{image[i]}))));
    builder odd(shape);
    odd.floats("w", {2}, {0.5f, -0.25f}); // a slope a column
    odd.add("PRelu", {"x", "w"}, "y");
    BOOST_TEST(message(odd).find("does not broadcast to 1x2x1x1") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(products_of_values) {
    const tensor<float> image({1, 2, 1, 2}, {-2.0f, 1.0f, -4.0f, 8.0f});
    for (const bool first : {false, true}) {
        builder b({1, 2, 1, 2});
        b.add("GlobalAveragePool", {"x"}, "m");
        b.add("Mul", first ? onnx_models::names{"m", "x"} : onnx_models::names{"x", "m"}, "y");
        BOOST_TEST(run(b, image) == (std::vector<float>{1.0f, -0.5f, -8.0f, 16.0f}),
                   boost::test_tools::per_element());
    }
    builder sum({1, 2, 1, 2});
    sum.add("MaxPool", {"x"}, "m").set("kernel_shape", ints{1, 2});
    sum.add("Add", {"x", "m"}, "y");
    BOOST_TEST(message(sum).find("adds values of the shapes") != std::string::npos);
    builder flat({1, 2, 1, 2});
    flat.add("Flatten", {"x"}, "f");
    flat.add("Mul", {"x", "f"}, "y");
    BOOST_TEST(message(flat).find("multiplies values of the shapes 1x2x1x2 and 1x4") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(broken_models_are_refused) {
    builder cycle({1, 3});
    cycle.add("Add", {"x", "b"}, "a");
    cycle.add("Relu", {"a"}, "b");
    cycle.add("Relu", {"b"}, "y");
    BOOST_TEST(message(cycle) == "node \"a\" (Add): it reads the tensor \"b\", which no node "
                                 "before it makes");
    builder twice({1, 3});
    twice.add("Relu", {"x"}, "y");
    twice.add("Relu", {"x"}, "y");
    BOOST_TEST(message(twice) == "two nodes make the tensor \"y\"");
    builder missing({1, 3});
    missing.add("Relu", {"z"}, "y");
    BOOST_TEST(message(missing).find("\"z\"") != std::string::npos);
    builder none({1, 3});
    BOOST_TEST(message(none) == "the output \"y\" is nothing that the network computes");
    builder text({1, 3});
    text.initializer("w", {3}, ::onnx::TensorProto::STRING);
    text.add("Add", {"x", "w"}, "y");
    BOOST_TEST(message(text).starts_with("the initializer \"w\": a tensor has the element type 8"));
    builder integers({1, 3});
    integers.integers("w", {1, 2, 3});
    integers.add("Add", {"x", "w"}, "y");
    BOOST_TEST(message(integers) == "node \"last\" (Add): a constant of int64 stands where floats "
                                    "are needed");
}

BOOST_AUTO_TEST_CASE(memory_is_bounded_whatever_a_model_claims) {
    builder claim({1, 3});
    claim.initializer("w", {1 << 14, 1 << 14}, ::onnx::TensorProto::FLOAT);
    claim.add("MatMul", {"x", "w"}, "y");
    BOOST_TEST(message(claim) == "the initializer \"w\": the tensor of float32 and shape "
                                 "16384x16384 has 0 bytes of data; it needs 1073741824");
    builder large({1, 3});
    large.integers("shape", {1 << 20, 1 << 20});
    large.add("ConstantOfShape", {"shape"}, "w");
    large.add("MatMul", {"x", "w"}, "y");
    BOOST_TEST(message(large).find("a constant of shape 1048576x1048576 would be made") !=
               std::string::npos);
    builder wide({1, 1 << 24});
    wide.floats("two", {}, {2.0f});
    wide.add("Mul", {"x", "two"}, "y");
    BOOST_TEST(files::message_of([&] {
                   (void)quantal::onnx::import_network(wide.model, {}, {.most_elements = 1000});
               }).find("have at most 1000 elements") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_file_that_is_none) {
    const std::vector<std::byte> bytes(100, std::byte{0xff});
    BOOST_TEST(files::message_of([&] { (void)quantal::onnx::parse_model(bytes, "m.onnx"); }) ==
               "m.onnx: not an ONNX model");
}

BOOST_AUTO_TEST_SUITE_END()
