// SPDX-License-Identifier: Apache-2.0
#include <quantal/io/deployable.hpp>

#include "data/files.hpp"
#include "sources.hpp"
#include "support/random.hpp"
#include "support/tiny_network.hpp"

#include <quantal/models/by_name.hpp>
#include <quantal/passes/optimize.hpp>
#include <quantal/runtime/calibrate.hpp>
#include <quantal/runtime/size.hpp>
#include <quantal/runtime/trace.hpp>

namespace io = quantal::io;

namespace {

using quantal::extents;
using quantal::graph;
using quantal::integer_network;
using quantal::plan;
using quantal::tensor;

const std::map<std::string, std::string> description = {{"model", "tiny"},
                                                        {"labels", "this\nthat"}};

std::map<std::string, std::uint64_t> hashes_of(const integer_network& n,
                                               const tensor<float>& images) {
    quantal::code_hashes hashes;
    (void)lower(n).run(images, 0, std::ref(hashes));
    std::map<std::string, std::uint64_t> result;
    for (const auto& [v, hash] : hashes.values())
        result.emplace(n.plan().at(v).name, hash);
    return result;
}

io::deployable load_network(std::span<const std::byte> file) {
    return io::parse_deployable(file, "net.quantal");
}

/// The message of loading the tiny network after `damage` to what its file holds.
std::string message_after(auto&& damage) {
    const auto bytes = io::to_deployable(support::tiny_network());
    io::raw_checkpoint file = io::parse_raw_safetensors(bytes, "");
    damage(file);
    return files::message_of([&] { (void)load_network(io::to_safetensors(file)); });
}
/// The same, after a change of members of one node of its graph.
std::string graph_message(std::size_t node, const char* members) {
    return message_after([&](io::raw_checkpoint& file) {
        auto graph = nlohmann::json::parse(file.metadata.at("graph"));
        graph.at("nodes").at(node).merge_patch(nlohmann::json::parse(members));
        file.metadata["graph"] = graph.dump();
    });
}

template <class T>
io::raw_tensor raw(io::scalar_type type, const std::vector<T>& values) {
    return {type, {std::ssize(values)}, std::as_bytes(std::span(values))};
}

} // namespace

BOOST_AUTO_TEST_SUITE(io_deployable)

BOOST_AUTO_TEST_CASE(a_network_comes_back_as_it_was) {
    const integer_network n = support::tiny_network();
    const files::temporary_folder folder;
    io::save(folder.path() / "net.quantal", n, description);
    const auto [network, metadata] = io::load(folder.path() / "net.quantal");
    BOOST_TEST((metadata == description));
    BOOST_TEST((network.table() == n.table()));
    BOOST_TEST(io::to_json(network.plan()) == io::to_json(n.plan()));
    BOOST_TEST((network.plan().net.parameters == n.plan().net.parameters));
    BOOST_REQUIRE(network.layers().size() == n.layers().size());
    for (const auto& [v, layer] : n.layers()) {
        BOOST_TEST((network.layer(v).weights == layer.weights));
        BOOST_TEST(network.layer(v).bias == layer.bias, boost::test_tools::per_element());
    }
    const auto images = support::tiny_images();
    BOOST_TEST((lower(network).run(images) == lower(n).run(images)));
    BOOST_TEST((hashes_of(network, images) == hashes_of(n, images)));
    BOOST_TEST((io::to_deployable(network, metadata) == io::to_deployable(n, description)));
}

BOOST_AUTO_TEST_CASE(every_form_of_a_layer_comes_back) {
    const plan p = support::tiny_plan_of_forms();
    const integer_network n = quantize(p, support::tiny_table(p));
    const auto file = io::to_deployable(n);
    const integer_network found = load_network(file).network;
    BOOST_TEST((found.table() == n.table()));
    BOOST_TEST((found.plan().net.parameters == n.plan().net.parameters));
    for (const char* name : {"conv1.bias", "fc1.bias", "fc2.bias"}) // reals
        BOOST_TEST(found.plan().net.parameters.contains(name), name);
    BOOST_TEST(found.plan().net.parameters.size() == 3u + 4u); // and those of the batch norm
    const auto images = support::tiny_images();
    BOOST_TEST((lower(found).run(images) == lower(n).run(images)));
    BOOST_TEST((hashes_of(found, images) == hashes_of(n, images)));
    BOOST_TEST((io::to_deployable(found) == file));
}

BOOST_AUTO_TEST_CASE(a_real_architecture_gives_the_same_codes) {
    auto generator = support::generator();
    graph net = quantal::models::by_name("resnet20", quantal::models::fashion_mnist);
    support::randomize(net, generator);
    const plan p =
        place(quantal::passes::optimize(net), {.weights = quantal::w4, .activations = quantal::a4});
    const auto images = support::normal(generator, {2, 1, 32, 32});
    const auto n =
        quantize(p, calibrate(p, quantal::reference_executor(p.net), std::vector{images}));
    const auto file = io::to_deployable(n);
    BOOST_TEST((hashes_of(load_network(file).network, images) == hashes_of(n, images)));
    // Beside the parameters there are the headers: names, shapes, the scales of activations.
    BOOST_TEST(file.size() > weight_bytes(n).packed);
    BOOST_TEST(file.size() < weight_bytes(n).packed + 25000);
}

// The file was made by io::to_deployable(tiny_network(), description) of version 1; its hashes are
// those of the network that it was made of. Neither may ever change.
BOOST_AUTO_TEST_CASE(a_file_of_version_1_still_loads_and_gives_the_same_codes) {
    const auto [network, metadata] = io::load(source_file("tests/io/frozen/v1.quantal"));
    const std::map<std::string, std::uint64_t> frozen = {
        {"input", 0x40e47c07e4296335u}, {"conv1", 0xb6195e3d79897829u},
        {"conv2", 0x2a6f42aaf2f95118u}, {"add", 0x33b0e607c04f65aeu},
        {"norm", 0x7d1777451ef764a9u},  {"mean", 0x194b4b4ed7ff98d7u},
        {"fc2", 0x1cef58951656e002u}};
    BOOST_TEST((metadata == description));
    BOOST_TEST((hashes_of(network, support::tiny_images()) == frozen));
    const std::vector<float> logits{0.317382812f,  -0.0991210938f, 0.322265625f,
                                    -0.095703125f, 0.322265625f,   -0.095703125f};
    BOOST_TEST(lower(network).run(support::tiny_images()).values() == logits,
               boost::test_tools::per_element());
}

// The same of version 2, which has products and functions.
BOOST_AUTO_TEST_CASE(a_file_of_version_2_still_loads_and_gives_the_same_codes) {
    const auto network = io::load(source_file("tests/io/frozen/v2.quantal")).network;
    const std::map<std::string, std::uint64_t> frozen = {
        {"input", 0x0f657467575233a5u},   {"leaky", 0x681cc0a5a6dda72bu},
        {"slopes", 0xe60f0239fcf36885u},  {"sigmoid", 0x8101859ea314f775u},
        {"product", 0xd5a4c9d158f9f5efu}, {"mean", 0xd2ada15d0b4c5700u},
        {"gates", 0x5fc2212ca0f96db4u},   {"excited", 0xf952309849d982bdu},
        {"swish", 0x8a9f61991eb1a4eau}};
    BOOST_TEST((hashes_of(network, support::tiny_images(3)) == frozen));
}

BOOST_AUTO_TEST_CASE(this_version_writes_the_frozen_file) {
    BOOST_TEST((io::to_deployable(support::tiny_network_of_functions(), description) ==
                io::read_file(source_file("tests/io/frozen/v2.quantal"))));
}

BOOST_AUTO_TEST_CASE(the_tensors_are_as_documented) {
    const integer_network n = support::tiny_network();
    const auto bytes = io::to_deployable(n);
    const auto file = io::parse_raw_safetensors(bytes, "net.quantal");
    std::size_t size = 0;
    for (const auto& [name, t] : file.tensors)
        size += t.bytes.size();
    BOOST_TEST(size == weight_bytes(n).packed);
    const auto check_tensor = [&](const char* name, const char* type, const extents& shape) {
        BOOST_TEST(io::info_of(file.tensors.at(name).type).safetensors == type);
        BOOST_TEST((file.tensors.at(name).shape == shape));
    };
    check_tensor("conv1.weight", "U8", {36}); // 4 x 2 x 3 x 3 codes of 4 bits
    check_tensor("conv1.scale", "F32", {4});
    check_tensor("conv1.bias", "I32", {4});
    check_tensor("conv2.bias", "I32", {4}); // zeros: the layer has none
    BOOST_TEST(!file.tensors.contains("conv1.zero_point"));
    check_tensor("fc1.zero_point", "I32", {3});
    check_tensor("fc2.weight", "F32", {3, 3});
    check_tensor("norm.running_var", "F32", {4});
}

BOOST_AUTO_TEST_CASE(names_that_the_format_uses_are_refused_as_metadata) {
    for (const char* key : {"quantal", "graph", "table"})
        BOOST_TEST(files::message_of([&] {
                       (void)io::to_deployable(support::tiny_network(), {{key, ""}});
                   }) == "the metadata of a deployable file cannot have the name \"" +
                             std::string(key) + '"');
}

BOOST_AUTO_TEST_CASE(files_of_other_kinds_and_versions_are_refused) {
    for (const char* key : {"quantal", "graph", "table"})
        BOOST_TEST(message_after([&](auto& file) { file.metadata.erase(key); }) ==
                   "net.quantal: not a deployable file; its metadata have no \"" +
                       std::string(key) + '"');
    for (const char* version : {"", "0", "3", "1 ", "01", "one"})
        BOOST_TEST(message_after([&](auto& file) { file.metadata["quantal"] = version; }) ==
                   "net.quantal: a deployable file of version " + std::string(version) +
                       "; this library reads versions 1 to 2");
    BOOST_TEST(message_after([](auto& file) {
                   file.metadata["table"] = "{}";
               }).starts_with("net.quantal: the table: not a calibration table: "));
    BOOST_TEST(message_after([](auto& file) {
                   std::string& table = file.metadata["table"];
                   table.replace(table.find("8 affine"), 1, "9");
               }).starts_with("net.quantal: the spec \"9 affine signed tensor\""));
    BOOST_TEST(message_after([](auto& file) {
                   file.metadata["graph"] = "{}";
               }).starts_with("net.quantal: "));
    BOOST_CHECK_THROW((void)io::load("absent.quantal"), quantal::data_error);
}

BOOST_AUTO_TEST_CASE(tensors_that_do_not_fit_the_graph_are_refused_by_name) {
    for (const char* name : {"conv1.weight", "conv1.scale", "conv1.bias", "fc1.zero_point",
                             "fc2.weight", "norm.running_var"})
        BOOST_TEST(message_after([&](auto& file) { file.tensors.erase(name); }) ==
                   "net.quantal: there is no tensor \"" + std::string(name) + '"');
    const std::vector<float> floats(4);
    const std::vector<std::uint8_t> bytes(4);
    BOOST_TEST(message_after([&](auto& file) {
                   file.tensors["conv1.zero_point"] = raw(io::scalar_type::f32, floats);
               }) ==
               "net.quantal: the tensor \"conv1.zero_point\" belongs to no layer of the graph");
    BOOST_TEST(message_after([&](auto& file) {
                   file.tensors["conv1.weight"] = raw(io::scalar_type::u8, bytes);
               }) == "net.quantal: the tensor \"conv1.weight\" is U8 of shape 4; the graph needs "
                     "U8 of shape 36");
    BOOST_TEST(message_after([&](auto& file) {
                   file.tensors["conv1.bias"] = raw(io::scalar_type::f32, floats);
               }) == "net.quantal: the tensor \"conv1.bias\" is F32 of shape 4; the graph needs "
                     "I32 of shape 4");
    BOOST_TEST(message_after([](auto& file) {
                   file.tensors["fc2.bias"].shape = {3, 1};
               }) ==
               "net.quantal: the tensor \"fc2.bias\" is F32 of shape 3x1; the graph needs F32 of "
               "shape 3");
}

BOOST_AUTO_TEST_CASE(numbers_outside_of_their_range_are_refused) {
    std::vector<std::uint8_t> codes(36, 0x88); // -8, which narrow codes of 4 bits do not have
    BOOST_TEST(message_after([&](auto& file) {
                   file.tensors["conv1.weight"] = raw(io::scalar_type::u8, codes);
               }) == "net.quantal: layer \"conv1\": the code -8 at element 0 is outside [-7, 7], "
                     "the codes of \"4 symmetric narrow channel(0)\"");
    for (const float scale : {0.0f, -1.0f, std::numeric_limits<float>::infinity(), std::nanf("")}) {
        const std::vector<float> scales{1.0f, scale, 1.0f, 1.0f};
        BOOST_TEST(
            message_after([&](auto& file) {
                file.tensors["conv1.scale"] = raw(io::scalar_type::f32, scales);
            }).starts_with("net.quantal: layer \"conv1\": a quantized tensor has the scale"));
    }
    const std::vector<std::int32_t> zeros{0, 32, 0};
    BOOST_TEST(message_after([&](auto& file) {
                   file.tensors["fc1.zero_point"] = raw(io::scalar_type::i32, zeros);
               }).starts_with("net.quantal: layer \"fc1\": a quantized tensor has the zero point"));
    const std::vector<std::int32_t> biases{0, 0, std::numeric_limits<std::int32_t>::min(), 0};
    BOOST_TEST(message_after([&](auto& file) {
                   file.tensors["conv1.bias"] = raw(io::scalar_type::i32, biases);
               }).starts_with("net.quantal: layer \"conv1\" can reach a sum of 2147"));
}

BOOST_AUTO_TEST_CASE(graphs_that_claim_more_than_the_file_holds_are_refused) {
    BOOST_TEST(graph_message(13, "{}") == "no data_error");
    BOOST_TEST(graph_message(13, R"({"out_features": 2147483647, "shape": [2147483647]})")
                   .starts_with("net.quantal: layer \"fc3\" has the shape 2147483647; "));
    BOOST_TEST(graph_message(13, R"({"out_features": 1000000000, "shape": [1000000000]})") ==
               "net.quantal: the tensor \"fc3.scale\" is F32 of shape 2; the graph needs F32 of "
               "shape 1000000000");
    BOOST_TEST(graph_message(2, R"({"inputs": [2]})") ==
               "net.quantal: node 2: it reads the value 2; the values before it are 2");
    BOOST_TEST(graph_message(2, R"({"weights": "7 symmetric full tensor"})")
                   .starts_with("net.quantal: the tensor \"conv2.weight\" is U8"));
    BOOST_TEST(graph_message(2, R"({"output": "5 affine unsigned tensor"})") ==
               "net.quantal: the calibration table has activations \"4 affine unsigned tensor\" "
               "of layer \"conv2\", the plan needs \"5 affine unsigned tensor\"");
}

BOOST_AUTO_TEST_CASE(truncated_and_damaged_files_give_errors_only) {
    const files::bytes file = io::to_deployable(support::tiny_network());
    files::check_truncation(file, load_network);
    // Codes, scales, biases and float parameters may be others, and some digits and names.
    BOOST_TEST(files::check_damage(file, load_network) >= file.size() / 2);
}

BOOST_AUTO_TEST_SUITE_END()
