// SPDX-License-Identifier: Apache-2.0
#include <quantal/io/graph_json.hpp>

#include "data/files.hpp"
#include "support/random.hpp"
#include "support/tiny_network.hpp"

#include <quantal/graph/print.hpp>
#include <quantal/models/by_name.hpp>
#include <quantal/passes/optimize.hpp>

#include <set>
#include <sstream>

namespace io = quantal::io;
namespace op = quantal::op;
using quantal::plan;
using quantal::value;

namespace {

plan load_plan(const std::string& text) {
    return io::plan_from_json(text, "net.json");
}
const auto parse_plan = [](std::span<const std::byte> file) {
    (void)load_plan({reinterpret_cast<const char*>(file.data()), file.size()});
};
std::string message_of_plan(const std::string& text) {
    return files::message_of([&] { (void)load_plan(text); });
}

/// A graph of an image [1, 4, 4] of codes and these nodes.
std::string with_nodes(const std::string& nodes) {
    return R"({"quantal_graph": 1, "nodes": [{"name": "input", "op": "input",)"
           R"( "output": "8 affine unsigned tensor", "shape": [1, 4, 4]})" +
           nodes + "]}";
}
/// A max pool of it with other members in place of, or beside, its own.
std::string with_pool(const std::string& members) {
    nlohmann::json node = nlohmann::json::parse(
        R"({"name": "x", "op": "max_pool", "inputs": [0], "kernel": [2, 2], "stride": [2, 2],)"
        R"( "padding": [0, 0, 0, 0], "shape": [1, 2, 2]})");
    node.merge_patch(nlohmann::json::parse(members)); // null removes a member
    return with_nodes(", " + node.dump());
}
void check_pool(const std::string& members, const std::string& expected) {
    const std::string found = message_of_plan(with_pool(members));
    BOOST_TEST(found.starts_with("net.json: node 1: " + expected), found);
}

void check_same(const plan& a, const plan& b) {
    BOOST_REQUIRE(a.net.size() == b.net.size());
    for (value v = 0; v < a.net.size(); ++v)
        BOOST_TEST_CONTEXT(a.at(v).name) {
            BOOST_TEST(a.at(v).name == b.at(v).name);
            BOOST_TEST((a.at(v).op == b.at(v).op));
            BOOST_TEST((a.at(v).inputs == b.at(v).inputs));
            BOOST_TEST((a.at(v).shape == b.at(v).shape));
            BOOST_TEST((a.at(v).activation == b.at(v).activation));
            const auto& [in_float, weights, dynamic, output, source] = b.roles[v];
            BOOST_TEST(a.roles[v].in_float == in_float);
            BOOST_TEST((a.roles[v].weights == weights));
            BOOST_TEST((a.roles[v].dynamic == dynamic));
            BOOST_TEST((a.roles[v].output == output));
            BOOST_TEST((a.roles[v].source == source));
        }
}

} // namespace

BOOST_AUTO_TEST_SUITE(io_graph_json)

BOOST_AUTO_TEST_CASE(every_operator_comes_back_as_it_was) {
    const plan p = support::tiny_plan();
    quantal::graph net;
    const value x = net.input({2, 4, 4});
    const value mean = net.average_pool(
        "mean", x, {.kernel = 3, .stride = 1, .padding = 1, .counts_padding = false});
    net.concat("joined", {x, mean});
    const plan joined = place(net), functions = support::tiny_plan_of_functions();
    check_same(load_plan(io::to_json(joined)), joined);
    check_same(load_plan(io::to_json(functions)), functions);
    std::set<std::size_t> kinds;
    for (const auto* one : {&p, &joined, &functions})
        for (const auto& n : one->net.nodes())
            kinds.insert(n.op.index());
    BOOST_TEST(kinds.size() == std::variant_size_v<op::any>);
    check_same(load_plan(io::to_json(p)), p);
    BOOST_TEST(load_plan(io::to_json(p)).net.parameters.empty());
    const plan forms = support::tiny_plan_of_forms();
    check_same(load_plan(io::to_json(forms)), forms);
}

BOOST_AUTO_TEST_CASE(known_networks_come_back) {
    auto generator = support::generator();
    for (const char* name : {"resnet20", "resnet18", "vgg16_bn", "mobilenet_v2"}) {
        auto options = quantal::models::fashion_mnist;
        options.width = 0.25;
        quantal::graph net = quantal::models::by_name(name, options);
        support::randomize(net, generator);
        const plan p = place(
            quantal::passes::optimize(net),
            {.layers = {quantal::parse_rule("*1*", "w4"), quantal::parse_rule("*.0*", "float")}});
        check_same(load_plan(io::to_json(p)), p);
    }
}

BOOST_AUTO_TEST_CASE(the_text_has_a_line_a_node) {
    quantal::graph net;
    net.append({.name = "a \"b\"\n",
                .op = op::linear{.out_features = 2},
                .inputs = {net.input({3})},
                .activation = op::clip{.lo = -0.1f}});
    const std::string expected =
        "{\n"
        "  \"quantal_graph\": 2,\n"
        "  \"nodes\": [\n"
        "    {\"name\":\"input\",\"op\":\"input\",\"output\":\"8 affine unsigned tensor\","
        "\"shape\":[3]},\n"
        "    {\"name\":\"a \\\"b\\\"\\n\",\"op\":\"linear\",\"inputs\":[0],\"out_features\":2,"
        "\"bias\":true,\"activation\":{\"lo\":-0.10000000149011612,\"hi\":null},"
        "\"weights\":\"8 symmetric narrow channel(0)\",\"shape\":[2]}\n"
        "  ]\n"
        "}\n";
    const plan p = place(net);
    BOOST_TEST(io::to_json(p) == expected);
    check_same(load_plan(expected), p);
}

BOOST_AUTO_TEST_CASE(names_that_are_no_text_are_refused_by_the_writer) {
    quantal::graph net;
    net.relu("\xff", net.input({1}));
    const plan p = place(net);
    BOOST_TEST(files::message_of([&] {
                   (void)io::to_json(p);
               }).starts_with("a graph cannot be written as JSON: "));
}

BOOST_AUTO_TEST_CASE(other_versions_and_other_texts_are_refused) {
    BOOST_TEST(message_of_plan("{\"quantal_graph\": 3}") ==
               "net.json: a graph of version 3; this library reads versions 1 to 2");
    BOOST_TEST(message_of_plan("{\"quantal_graph\": 0}") ==
               "net.json: a graph of version 0; this library reads versions 1 to 2");
    BOOST_TEST(message_of_plan("{\"quantal_graph\": 1.0}") ==
               "net.json: \"quantal_graph\" holds 1.0, which is no integer of 32 bits");
    for (const char* text :
         {"", "5", "{}", "[]", "no JSON", R"({"quantal_graph": 1})",
          R"({"quantal_graph": 1, "nodes": {}})", R"({"quantal_graph": 1, "nodes": []})",
          R"({"quantal_graph": 1, "nodes": [1]})"})
        BOOST_TEST(message_of_plan(text).starts_with("net.json: "), text);
    BOOST_TEST(message_of_plan(std::string(100000, '[')) ==
               "net.json: a graph: the JSON is nested more than 8 deep");
}

BOOST_AUTO_TEST_CASE(what_does_not_make_a_node_is_refused_with_its_place) {
    BOOST_TEST(message_of_plan(with_pool("{}")) == "no data_error");
    check_pool(R"({"op": "softmax"})", "it is a \"softmax\"; this library knows no such operator");
    check_pool(R"({"op": null})", "");
    check_pool(R"({"name": 5})", "");
    check_pool(R"({"kernel": null})", "");
    check_pool(R"({"kernel": 2})", "");
    check_pool(R"({"kernel": [2]})", "it has 1 numbers as \"kernel\"; it needs 2");
    check_pool(R"({"padding": [0, 0]})", "it has 2 numbers as \"padding\"; it needs 4");
    check_pool(R"({"kernel": [2.0, 2]})", "it holds 2.0, which is no integer of 32 bits");
    check_pool(R"({"kernel": [4294967298, 2]})", "it holds 4294967298, which is no integer");
    check_pool(R"({"kernel": [0, 2]})", "layer \"x\": a max pool padded by as much as its kernel");
    check_pool(R"({"stride": [-2147483648, 2]})", "layer \"x\": kernel 2, stride -2147483648");
    check_pool(R"({"padding": [0, 0, -1, 0]})", "layer \"x\": kernel 2, stride 2, dilation 1");
    check_pool(R"({"kernel": [2147483647, 2], "padding": [2147483646, 0, 2147483646, 0]})",
               "it has the shape 1x2x2; its operator gives 1x1073741825x2");
    check_pool(R"({"shape": [1, 2, 3]})", "it has the shape 1x2x3; its operator gives 1x2x2");
    check_pool(R"({"shape": [-1]})", "a shape has a negative extent, -1");
    check_pool(R"({"shape": [1,1,1,1,1,1,1,1,1]})", "a shape has more than 8 dimensions");
    check_pool(R"({"dilation": [1, 1]})", "it has \"dilation\", which nothing reads");
    check_pool(R"({"float": 1})", "");
    check_pool(R"({"weights": "w4 w4"})", "the spec \"w4 w4\" is not understood");
    check_pool(R"({"output": 8})", "");
    check_pool(R"({"activation": {"lo": 0.0}})", "");
    check_pool(R"({"activation": {"lo": 0.0, "hi": true}})", "");
    check_pool(R"({"activation": {"lo": 0.0, "hi": 1.0, "to": 2.0}})", "it has \"to\", which");
    check_pool(R"({"name": "input"})", "two layers are named \"input\"");
    BOOST_TEST(message_of_plan(with_nodes("")) == "no data_error");
}

BOOST_AUTO_TEST_CASE(inputs_are_values_of_earlier_nodes) {
    check_pool(R"({"inputs": [1]})", "it reads the value 1; the values before it are 1");
    check_pool(R"({"inputs": [2]})", "it reads the value 2; the values before it are 1");
    check_pool(R"({"inputs": [-1]})", "it reads the value -1; ");
    check_pool(R"({"inputs": [0.5]})", "it holds 0.5, which is no integer");
    check_pool(R"({"inputs": [0, 0]})", "layer \"x\": it has 2 inputs and needs 1");
    check_pool(R"({"inputs": null})", "layer \"x\": it has 0 inputs and needs 1");
    for (const char* input :
         {R"({"name": "y", "op": "input", "shape": [1]})",
          R"({"name": "input", "op": "input", "inputs": [0], "shape": [1]})",
          R"({"name": "input", "op": "input", "activation": {"lo": 0, "hi": 1}, "shape": [1]})",
          R"({"name": "input", "op": "input", "shape": [1]})"})
        BOOST_TEST(message_of_plan(with_nodes(std::string(", ") + input))
                       .starts_with("net.json: node 1: "));
    BOOST_TEST(message_of_plan(R"({"quantal_graph": 1, "nodes": [{"name": "x", "op": "add",)"
                               R"( "inputs": [], "shape": [1]}]})")
                   .starts_with("net.json: node 0: layer \"x\": it has 0 inputs and needs 2"));
}

BOOST_AUTO_TEST_CASE(roles_are_checked) {
    check_pool(R"({"op": "softmax", "float": true})", "it is a \"softmax\"");
    const std::string quantizer =
        message_of_plan(with_pool(R"({"output": "8 affine unsigned tensor"})"));
    BOOST_TEST(quantizer == "net.json: layer \"x\" moves codes and has a quantizer of its own");
    BOOST_TEST(message_of_plan(with_pool(R"({"weights": "w4"})"))
                   .starts_with("net.json: layer \"x\" has"));
    BOOST_TEST(message_of_plan(with_pool(R"({"activation": {"lo": 0.0, "hi": 1.0}})")) ==
               "net.json: layer \"x\" moves values and has an activation");
}

BOOST_AUTO_TEST_CASE(truncated_and_damaged_texts_give_errors_only) {
    files::bytes file = files::to_bytes(io::to_json(support::tiny_plan()));
    file.pop_back(); // the last end of line may be missing
    files::check_truncation(file, parse_plan);
    // Names and some digits may be others.
    BOOST_TEST(files::check_damage(file, parse_plan) >= file.size() / 2);
}

BOOST_AUTO_TEST_SUITE_END()
