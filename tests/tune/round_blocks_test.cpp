// SPDX-License-Identifier: Apache-2.0
#include <quantal/tune/round_blocks.hpp>

#include "support/networks.hpp"

#include <quantal/runtime/simulate.hpp>

#include <boost/test/unit_test.hpp>

using namespace quantal;
using boost::test_tools::per_element;
using tune::block;

namespace {

/// Two residual blocks, the second behind a shortcut, between a layer and a classifier.
graph residual_network() {
    graph net;
    value x = net.input({2, 8, 8});
    x = net.relu("relu", net.conv2d("first", x, {.out_channels = 4, .kernel = 3, .padding = 1}));
    value y =
        net.relu("relu a", net.conv2d("a", x, {.out_channels = 4, .kernel = 3, .padding = 1}));
    y = net.conv2d("b", y, {.out_channels = 4, .kernel = 3, .padding = 1});
    x = net.relu("relu1", net.add("add1", y, x));
    y = net.relu("relu c",
                 net.conv2d("c", x, {.out_channels = 6, .kernel = 3, .stride = 2, .padding = 1}));
    y = net.conv2d("d", y, {.out_channels = 6, .kernel = 3, .padding = 1, .bias = false});
    const value z =
        net.shortcut("shortcut", x, {.stride = 2, .channels_before = 1, .channels_after = 1});
    x = net.relu("relu2", net.add("add2", y, z));
    net.linear("fc", net.flatten("flatten", net.global_average_pool("pool", x)),
               {.out_features = 5});
    return net;
}

struct subject {
    plan network;
    quantal::table table;
    std::vector<tensor<float>> batches;

    [[nodiscard]] value named(const std::string& name) const {
        value v = 0;
        while (network.at(v).name != name)
            ++v;
        return v;
    }
    [[nodiscard]] tune::detail::block_samples samples(const plan& p, block b) const {
        tune::detail::block_samples result;
        cpu::executor floats(network.net), integers(quantize(p, table));
        for (const auto& images : batches)
            result.add(tune::detail::show(integers, images, b.input),
                       tune::detail::show(floats, images, b.output));
        return result;
    }
    /// The squared error of a block's output behind the integers before it.
    [[nodiscard]] double error_of(const plan& p, block b) const {
        cpu::executor floats(network.net), integers(quantize(p, table));
        double sum = 0.0;
        for (const auto& images : batches) {
            const auto x = tune::detail::show(floats, images, b.output),
                       y = tune::detail::show(integers, images, b.output);
            for (std::size_t i = 0; i < x.values.size(); ++i)
                sum += std::pow(double{x.values[i]} - y.values[i], 2);
        }
        return sum;
    }
};

subject make_subject(const quantization& q, graph net = residual_network()) {
    auto g = support::generator();
    support::randomize(net, g);
    const plan p = place(passes::optimize(std::move(net)), q);
    std::vector<tensor<float>> batches;
    for (int i = 0; i < 2; ++i)
        batches.push_back(support::normal(g, p.net.input_shape().with_front(12)));
    table t = calibrate(p, cpu::executor(p.net), batches);
    return {p, std::move(t), std::move(batches)};
}

tune::block_adaround in_short() {
    return {.iterations = 200, .images = 8};
}

} // namespace

BOOST_AUTO_TEST_SUITE(tune_round_blocks)

BOOST_AUTO_TEST_CASE(blocks_are_what_hangs_by_one_value) {
    const subject s = make_subject({});
    const auto names = [&](const std::vector<std::string>& outputs) {
        std::vector<std::string> result;
        for (const block& b : tune::blocks_of(s.network, outputs))
            result.push_back(s.network.at(b.input).name + " to " + s.network.at(b.output).name);
        return result;
    };
    BOOST_TEST(names({}) == (std::vector<std::string>{"input to first", "first to add1",
                                                      "add1 to add2", "flatten to fc"}),
               per_element());
    BOOST_TEST(names({"add2"}) == (std::vector<std::string>{"input to add2", "flatten to fc"}),
               per_element());
    for (const char* name : {"a", "nobody"})
        BOOST_CHECK_EXCEPTION(names({name}), graph_error, [&](const graph_error& e) {
            return std::string(e.what()) == "no block ends at \"" + std::string(name) +
                                                "\"; one ends where a single value goes on";
        });
}

BOOST_AUTO_TEST_CASE(forward_is_the_simulation) {
    const subject s = make_subject({.weights = w4, .activations = parse_spec("a4")});
    thread_pool pool(2);
    const integer_network simulation = simulated(s.network, s.table);
    cpu::executor run(simulation);
    for (const block& b : tune::blocks_of(s.network)) {
        // The weights of the plan as they stand: those of the simulation.
        plan p = s.network;
        p.net.parameters = simulation.plan().net.parameters;
        tune::detail::block_pass pass(p, s.table, b);
        for (const auto& images : s.batches) {
            tune::detail::block_samples both;
            both.add(tune::detail::show(run, images, b.input),
                     tune::detail::show(run, images, b.output));
            const std::vector<float>& found = pass.forward(both.inputs, pool);
            // A sum may be rounded otherwise, at worst to the next code of 4 bits; a rare case.
            std::size_t differing = 0;
            for (std::size_t i = 0; i < found.size(); ++i)
                differing += std::abs(found[i] - both.targets[i]) > 1e-5f;
            BOOST_TEST(found.size() == both.targets.size());
            BOOST_TEST(differing * 1000 <= found.size());
        }
    }
}

BOOST_AUTO_TEST_CASE(gradients_are_those_of_finite_differences) {
    // Integer weights and reals in between: nothing is rounded, and the cost is smooth but where a
    // relu bends.
    subject s = make_subject({.layers = {{.pattern = "*", .weights = w8, .weights_only = true}}});
    thread_pool pool(2);
    const block b{0, s.named("add2")};
    const auto samples = s.samples(s.network, b);
    tune::detail::block_pass pass(s.network, s.table, b);
    const auto cost = [&] {
        double sum = 0.0;
        for (const float y : pass.forward(samples.inputs, pool))
            sum += double{y} * y;
        return sum;
    };
    std::vector<float> gradient = pass.forward(samples.inputs, pool);
    for (float& g : gradient)
        g *= 2.0f;
    std::map<std::string, std::vector<float>> found;
    pass.backward(gradient, pool, [&](value v, const tune::detail::parameter_gradients& g) {
        found[s.network.at(v).name + ".weight"] = g.weight;
        found[s.network.at(v).name + ".bias"] = g.bias;
    });
    BOOST_TEST(found.size() == 10u);
    for (const auto& [name, gradients] : found) {
        const auto parameter = s.network.net.parameters.find(name);
        if (parameter == s.network.net.parameters.end()) continue;
        double error = 0.0, size = 0.0;
        for (std::size_t i = 0; i < gradients.size(); i += 7) {
            constexpr float step = 0x1p-9f;
            const float kept = parameter->second[i];
            parameter->second[i] = kept + step;
            const double above = cost();
            parameter->second[i] = kept - step;
            const double below = cost();
            parameter->second[i] = kept;
            const double difference = (above - below) / (2.0 * double{step});
            error += std::pow(difference - double{gradients[i]}, 2);
            size += difference * difference;
        }
        // Relus that bend within a step, and float32 sums.
        BOOST_TEST_CONTEXT(name) {
            BOOST_TEST(error < 1e-3 * size);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_block_is_closer_to_float_than_its_layers_one_by_one) {
    for (const char* activations : {"a8", "a4"}) {
        const subject s = make_subject({.weights = w3, .activations = parse_spec(activations)});
        const plan layers = tune::round_weights(s.network, s.table, s.batches, tune::adaround{});
        const plan blocks = tune::round_weights(s.network, s.table, s.batches, in_short());
        const value output = s.network.net.output();
        BOOST_TEST_CONTEXT(activations) {
            BOOST_TEST(s.error_of(blocks, {0, output}) < s.error_of(layers, {0, output}));
            BOOST_TEST(s.error_of(blocks, {0, s.named("add1")}) <
                       s.error_of(layers, {0, s.named("add1")}));
        }
    }
}

BOOST_AUTO_TEST_CASE(weights_become_whole_steps_and_threads_make_no_difference) {
    const subject s = make_subject({.weights = w3});
    const tune::block_adaround how{.iterations = 20, .images = 8};
    const plan one = tune::round_weights(s.network, s.table, s.batches, how, {.threads = 1});
    const plan three = tune::round_weights(s.network, s.table, s.batches, how, {.threads = 3});
    for (const auto& [name, values] : one.net.parameters)
        BOOST_TEST(values.values() == three.net.parameters.at(name).values(), per_element());
    const integer_network n = quantize(one, s.table);
    for (const auto& [v, layer] : n.layers())
        BOOST_TEST(dequantize(layer.weights).values() ==
                       one.net.parameter(one.at(v), "weight").values(),
                   per_element());
}

BOOST_AUTO_TEST_CASE(what_cannot_learn_stays_and_is_noted) {
    graph net;
    value x = net.input({2, 8, 8});
    x = net.conv2d("conv", x, {.out_channels = 4, .kernel = 3});
    net.linear("fc", net.flatten("flatten", x), {.out_features = 3});
    const subject s = make_subject({.weights = w3}, std::move(net));
    notes list;
    const plan layers = tune::round_weights(s.network, s.table, s.batches, tune::adaround{});
    const plan same = tune::round_weights(s.network, s.table, s.batches,
                                          tune::block_adaround{.outputs = {"fc"}}, {}, &list);
    BOOST_TEST(list == notes{"fc: not all operators can learn; the layers of the block that ends "
                             "there are rounded one by one"},
               per_element());
    for (const auto& [name, values] : layers.net.parameters)
        BOOST_TEST(values.values() == same.net.parameters.at(name).values(), per_element());
}

BOOST_AUTO_TEST_CASE(draws_and_batches_are_not_empty) {
    const subject s = make_subject({.weights = w3});
    const auto says = [](const char* text) {
        return [text](const data_error& e) { return e.what() == std::string(text); };
    };
    BOOST_CHECK_EXCEPTION(
        (void)tune::round_weights(s.network, s.table, s.batches, tune::block_adaround{.images = 0}),
        data_error,
        says("a draw of images by which a block learns has 0 of them; it has at least 1"));
    const auto no_batches = says("weights are rounded by what layers read of images; there are 0 "
                                 "batches, and at least 1 is needed");
    BOOST_CHECK_EXCEPTION((void)tune::round_weights(s.network, s.table, {}, in_short()), data_error,
                          no_batches);
    BOOST_CHECK_EXCEPTION((void)tune::round_weights(s.network, s.table, {}, tune::nearest{}),
                          data_error, no_batches);
}

BOOST_AUTO_TEST_SUITE_END()
