// SPDX-License-Identifier: Apache-2.0
#include <quantal/onnx/export.hpp>
#include <quantal/onnx/import.hpp>

#include "support/networks.hpp"

#include <quantal/graph/print.hpp>

#include <boost/test/data/test_case.hpp>

#include <sstream>

using namespace quantal;

BOOST_AUTO_TEST_SUITE(onnx_export)

BOOST_DATA_TEST_CASE(a_network_comes_back_as_it_was, boost::unit_test::data::make(networks::kinds),
                     kind) {
    auto g = support::generator();
    for (const bool optimized : {false, true}) {
        graph net = networks::by_kind(kind);
        support::randomize(net, g);
        if (optimized) net = passes::optimize(std::move(net));
        graph back = quantal::onnx::import_network(quantal::onnx::export_network(net)).net;
        if (optimized) back = passes::fuse_activation(std::move(back));
        std::ostringstream before, after;
        before << net;
        after << back;
        BOOST_TEST(after.str() == before.str());
        BOOST_TEST((back.parameters == net.parameters));
    }
}

BOOST_AUTO_TEST_CASE(names_that_would_collide_are_refused) {
    graph net;
    const value x = net.append({.name = "a",
                                .op = op::batch_norm{},
                                .inputs = {net.input({2})},
                                .activation = op::clip{}});
    net.relu("a/before", x);
    auto g = support::generator();
    support::randomize(net, g);
    BOOST_CHECK_THROW((void)quantal::onnx::export_network(net), graph_error);
}

BOOST_AUTO_TEST_SUITE_END()
