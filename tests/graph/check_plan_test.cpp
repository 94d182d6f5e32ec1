// SPDX-License-Identifier: Apache-2.0
#include <quantal/graph/check_plan.hpp>

#include "support/tiny_network.hpp"

#include <boost/test/unit_test.hpp>

using namespace quantal;

namespace {

value find(const plan& p, const std::string& name) {
    for (value v = 0; v < p.net.size(); ++v)
        if (p.at(v).name == name) return v;
    BOOST_FAIL("no node " << name);
    return 0;
}

/// Whether the tiny plan is refused after `damage(role of the node)`, with `part` in the text.
void check_role(const std::string& name, const std::string& part, auto&& damage) {
    plan p = support::tiny_plan();
    damage(p.roles[find(p, name)]);
    BOOST_CHECK_EXCEPTION(check(p), error, [&](const error& e) {
        BOOST_TEST_INFO(e.what());
        return std::string(e.what()).find(part) != std::string::npos;
    });
}

/// A plan of a graph without weights, all in integers.
void check_graph(graph net, const std::string& part) {
    const plan p = place(std::move(net));
    BOOST_CHECK_EXCEPTION(check(p), error, [&](const error& e) {
        BOOST_TEST_INFO(e.what());
        return std::string(e.what()).find(part) != std::string::npos;
    });
}

} // namespace

BOOST_AUTO_TEST_SUITE(check_plan_suite)

BOOST_AUTO_TEST_CASE(what_placement_makes_passes) {
    BOOST_CHECK_NO_THROW(check(support::tiny_plan()));
    BOOST_CHECK_NO_THROW(check(support::tiny_plan_of_forms()));
    BOOST_CHECK_NO_THROW(
        check(place(support::tiny_graph(), {.layers = {parse_rule("*", "float")}})));
}

BOOST_AUTO_TEST_CASE(roles_are_as_many_as_layers) {
    plan p = support::tiny_plan();
    p.roles.pop_back();
    BOOST_CHECK_THROW(check(p), graph_error);
    BOOST_CHECK_THROW(check(plan{}), graph_error);
}

BOOST_AUTO_TEST_CASE(roles_that_do_not_fit_are_refused_by_name) {
    check_role("conv1", "layer \"conv1\" has a role", [](role& r) { r.weights.reset(); });
    check_role("conv1", "layer \"conv1\" has a role", [](role& r) { r.dynamic = a8; });
    check_role("fc2", "layer \"fc2\" has a role", [](role& r) { r.dynamic = a8; });
    check_role("add", "layer \"add\" has a role", [](role& r) { r.weights = w4; });
    check_role("input", "layer \"input\" has a role", [](role& r) { r.in_float = true; });
    check_role("input", "\"conv1\" computes in integers, but its input \"input\" has no codes",
               [](role& r) { r = {}; });
    check_role("norm", "\"norm\" is a batch norm", [](role& r) { r.in_float = false; });
    check_role("max", "\"max\" moves codes and has a quantizer", [](role& r) { r.output = a8; });
    check_role("add", "\"add\" computes in integers and has no quantizer",
               [](role& r) { r.output.reset(); });
    check_role("clip", "\"clip\" does not say which quantizer", [](role& r) { r.source = 0; });
    check_role("clip", "\"clip\" does not say which quantizer", [](role& r) { r.source.reset(); });
    check_role("fc3", "\"fc3\" does not say which quantizer", [](role& r) { r.source = 1; });
    check_role("conv1", "\"conv1\" does not say which quantizer", [](role& r) { r.source = 99; });
}

BOOST_AUTO_TEST_CASE(specs_that_a_network_cannot_have_are_refused) {
    check_role("conv1", "9 bits", [](role& r) { r.weights = qspec{.bits = 9}; });
    check_role("conv1", "channels are axis 0",
               [](role& r) { r.weights = qspec{.bits = 4, .grain = per_channel, .axis = 1}; });
    check_role("conv1", "one scale a tensor", [](role& r) { r.output = w4; });
    check_role("fc2", "one scale a tensor", [](role& r) {
        r.weights = w4;
        r.dynamic = w4;
    });
    check_role("input", "one scale a tensor", [](role& r) { r.output = w4; });
}

BOOST_AUTO_TEST_CASE(values_have_a_size_within_bounds) {
    graph empty;
    empty.relu("relu", empty.input({0, 4, 4}));
    check_graph(empty, "layer \"input\" has the shape 0x4x4; it is features or");
    graph flat;
    flat.flatten("flatten", flat.input({4, 4}));
    check_graph(flat, "layer \"input\" has the shape 4x4; it is features or");
    graph large;
    large.relu("relu", large.input({1, 1 << 15, 1 << 15}));
    check_graph(large,
                "layer \"relu\" has the shape 1x32768x32768; the values of all layers are at "
                "most 1073741824 an image");
}

BOOST_AUTO_TEST_CASE(activations_belong_to_operators_that_compute_and_hold_zero) {
    const auto with = [](const op::any& o, op::clip activation) {
        graph net;
        const value x = net.input({1, 4, 4});
        net.append({.name = "last", .op = o, .inputs = {x}, .activation = activation});
        return net;
    };
    check_graph(with(op::max_pool{}, {}), "layer \"last\" moves values and has an activation");
    check_graph(with(op::average_pool{}, {.lo = 1.0f}), "has the activation [1, inf]");
    check_graph(with(op::average_pool{}, {.hi = -1.0f}), "has the activation [0, -1]");
    check_graph(with(op::average_pool{}, {.lo = std::nanf("")}), "has the activation [nan, inf]");
    BOOST_CHECK_NO_THROW(check(place(with(op::average_pool{}, {.hi = 6.0f}))));
}

BOOST_AUTO_TEST_CASE(sums_of_average_pools_stay_in_int32) {
    const auto with = [](std::int64_t width) {
        graph net;
        net.global_average_pool("mean", net.input({1, 2, width}));
        return net;
    };
    // 255 * 2 * 4210752 = 2^31 - 128: the largest that fits
    BOOST_CHECK_NO_THROW(check(place(with(4210752))));
    check_graph(with(4210753), "layer \"mean\" averages 2 x 4210753 codes");
}

BOOST_AUTO_TEST_SUITE_END()
