// SPDX-License-Identifier: Apache-2.0
#include <quantal/torch/train_quantized.hpp>

#include <quantal/passes/optimize.hpp>
#include <quantal/passes/place.hpp>
#include <quantal/runtime/calibrate.hpp>
#include <quantal/runtime/evaluate.hpp>
#include <quantal/torch/float_network.hpp>
#include <quantal/torch/simulation.hpp>
#include <quantal/torch/train_float.hpp>

#include "patterns.hpp"
#include "training_states.hpp"

#include <boost/test/unit_test.hpp>

using namespace quantal;
using quantal::torch::learning;
using quantal::torch::quantized_train_options;
using quantal::torch::quantized_trainer;
using quantal::torch::quantized_training_network;
using quantal::torch::training_state;
using support::operator==;
using support::patterns;

namespace {

/// The network of patterns, trained in float for a little while.
const graph& trained_in_float() {
    static const graph net = [] {
        const patterns set(96);
        graph trained = support::network_of_patterns();
        quantal::torch::trainer t(
            trained, set, {.epochs = 4, .batch_size = 16, .learning_rate = 0.1, .crop_padding = 1});
        while (!t.is_done())
            t.run_epoch({});
        load_weights(trained, t.state().parameters);
        // A negative factor of a batch norm: its sign moves into the layer before.
        trained.parameters.at("bn1.weight")[2] *= -1.0f;
        trained.parameters.at("bn1.running_mean")[2] *= -1.0f;
        for (float& w : trained.parameters.at("conv1.weight").slice(2))
            w = -w;
        return trained;
    }();
    return net;
}

graph optimized() {
    return passes::optimize(trained_in_float());
}

/// A plan of the network and the table of its activations.
struct start {
    explicit start(const quantization& q) : plan(place(optimized(), q)) {
        const patterns set(64);
        const quantal::torch::float_network real(plan.net);
        plan_observer observers(plan, observe::mse{});
        observers.observe(real, set.images());
        table = observers.activations();
    }
    quantal::plan plan;
    quantal::table table;
};

const quantization four_bits{
    w4, a4, {{.pattern = "input", .activations = a8}, {.pattern = "fc", .weights = w8}}};

quantized_train_options short_quantized_training() {
    return {.steps = {.epochs = 3,
                      .batch_size = 16,
                      .learning_rate = 0.02,
                      .weight_decay = 1e-4,
                      .crop_padding = 1}};
}

/// A trainer with all that it refers to.
struct fixture {
    explicit fixture(const quantized_train_options& o = short_quantized_training(),
                     learning how = learning::lsq, const quantization& q = four_bits,
                     training_state state = {})
        : from(q), net(trained_in_float(), from.plan, from.table, how),
          trainer(net, optimized(), set, o, std::move(state)) {}

    void train() {
        while (!trainer.is_done())
            trainer.run_epoch({});
    }
    /// The integer engine's answers to unseen images.
    [[nodiscard]] std::size_t right(const patterns& images = unseen()) const {
        const auto now = trainer.deployed();
        const auto program = lower(quantize(now.plan, now.table), cpu::default_kernels());
        return images.right(predictions(program.run(images.images())));
    }
    static const patterns& unseen() {
        static const patterns set(150, 0.6f);
        return set;
    }

    patterns set{96};
    start from;
    quantized_training_network net;
    quantized_trainer trainer;
};

/// In decibels.
double signal_to_noise(const tensor<float>& real, const tensor<float>& found) {
    double signal = 0.0, noise = 0.0;
    for (std::size_t i = 0; i < real.size(); ++i) {
        signal += double{real[i]} * real[i];
        noise += (double{real[i]} - found[i]) * (double{real[i]} - found[i]);
    }
    return 10.0 * std::log10(signal / noise);
}

} // namespace

BOOST_AUTO_TEST_SUITE(torch_train_quantized)

// 8 bits, untrained: the batch norms fold, the negative one too. Three layers of 8 bits leave 36
// dB; a batch norm that were folded wrongly less than 10.
BOOST_AUTO_TEST_CASE(an_untrained_network_is_the_float_network_with_quantizers) {
    const fixture f(short_quantized_training(), learning::lsq, {});
    const auto now = f.trainer.deployed();
    const auto real = quantal::torch::float_network(optimized())(f.unseen().images(), {});
    const auto found = quantal::torch::simulation(now.plan, now.table).run(f.unseen().images());
    BOOST_TEST_MESSAGE(signal_to_noise(real, found) << " dB");
    BOOST_TEST(signal_to_noise(real, found) > 30.0);
}

BOOST_AUTO_TEST_CASE(few_bits_are_learned_by_every_method) {
    for (const auto how : {learning::lsq, learning::lsq_plus, learning::pact, learning::dorefa}) {
        fixture f(short_quantized_training(), how);
        f.train();
        BOOST_TEST_MESSAGE("method " << int(how) << ": " << f.right() << " of 150 right");
        BOOST_TEST(f.right() >= 140u);
    }
}

BOOST_AUTO_TEST_CASE(two_bits_get_better) {
    const quantization two_bits{
        w2,
        activation_spec(2),
        {{.pattern = "input", .activations = a8}, {.pattern = "fc", .weights = w8}}};
    fixture f(short_quantized_training(), learning::lsq, two_bits);
    double first = 0.0, last = 0.0;
    while (!f.trainer.is_done())
        f.trainer.run_epoch([&](const quantal::torch::training_progress& p) {
            if (p.epoch == 1 && p.step == 1) first = p.loss;
            last = p.loss;
        });
    BOOST_TEST_MESSAGE("loss from " << first << " to " << last);
    BOOST_TEST(last < 0.8 * first);
    BOOST_TEST(f.right() >= 140u);
}

// With running statistics, training computes the simulation of what it deploys, but for the order
// of roundings; where one falls on the other side, a code of 4 bits is another one.
BOOST_AUTO_TEST_CASE(the_deployed_network_is_the_trained_one) {
    fixture f;
    f.trainer.run_epoch({});
    const auto now = f.trainer.deployed();
    quantal::torch::parameter_map parameters;
    for (const auto& [name, values] : f.trainer.state().parameters)
        parameters.emplace(name, quantal::torch::as_torch(values));
    const tensor<float> trained = quantal::torch::from_torch(
        f.net.run(quantal::torch::as_torch(f.unseen().images()), parameters,
                  quantal::torch::statistics::running,
                  [](value, const at::Tensor&, const at::Tensor& q) { return q; }));
    const auto simulated = quantal::torch::simulation(now.plan, now.table).run(f.unseen().images());
    BOOST_TEST_MESSAGE(signal_to_noise(trained, simulated) << " dB");
    BOOST_TEST(signal_to_noise(trained, simulated) > 40.0);
    for (const auto& [name, w] : now.table.weights)
        BOOST_TEST((dequantize(quantize(now.plan.net.parameters.at(name + ".weight"), w)) ==
                    now.plan.net.parameters.at(name + ".weight")));
}

BOOST_AUTO_TEST_CASE(an_interrupted_training_gives_the_same_bits) {
    fixture whole;
    whole.train();
    training_state saved;
    {
        fixture first;
        first.trainer.run_epoch({});
        saved = first.trainer.state();
        first.trainer.run_epoch({}); // what is done after saving must not matter
    }
    BOOST_TEST(saved.epochs_done == 1);
    fixture second(short_quantized_training(), learning::lsq, four_bits, saved);
    second.train();
    BOOST_TEST((second.trainer.state() == whole.trainer.state()));
    saved.momenta.clear(); // they are needed
    fixture third(short_quantized_training(), learning::lsq, four_bits, saved);
    third.train();
    BOOST_TEST(!(third.trainer.state() == whole.trainer.state()));
}

BOOST_AUTO_TEST_CASE(frozen_batch_norms_keep_their_statistics) {
    for (const double frozen : {0.0, 1.0}) {
        quantized_train_options o = short_quantized_training();
        o.frozen = frozen;
        fixture f(o);
        const auto& before = trained_in_float().parameters.at("bn2.running_var");
        f.trainer.run_epoch({});
        BOOST_TEST((f.trainer.state().parameters.at("bn2.running_var") == before) ==
                   (frozen == 1.0));
    }
}

BOOST_AUTO_TEST_CASE(statistics_are_estimated_again) {
    fixture f;
    f.trainer.run_epoch({});
    const training_state before = f.trainer.state();
    f.trainer.estimate_statistics();
    for (const auto& [name, values] : f.trainer.state().parameters)
        BOOST_TEST((values == before.parameters.at(name)) == (name.find(".running_") == name.npos));
    BOOST_TEST(f.right() >= 140u);
}

BOOST_AUTO_TEST_CASE(the_engines_values_are_those_that_training_goes_on_with) {
    quantized_train_options o = short_quantized_training();
    o.frozen = 1.0;
    o.integers = true;
    fixture f(o);
    f.train();
    BOOST_TEST(f.right() >= 140u);

    const auto now = f.trainer.deployed();
    const auto program = lower(quantize(now.plan, now.table), cpu::default_kernels());
    const tensor<float> images({2, 1, 8, 8}, [&] {
        const auto all = f.unseen().images().values();
        return std::vector<float>(all.begin(), all.begin() + 128);
    }());
    const quantal::torch::engine_values values(now, quantal::torch::as_torch(images));
    const at::Tensor y = at::full({2, 3}, 0.1f).requires_grad_(true);
    const at::Tensor changed = values(now.plan.net.output(), y, y);
    BOOST_TEST((quantal::torch::from_torch(changed.detach()) == program.run(images)));
    changed.sum().backward();
    BOOST_TEST((quantal::torch::from_torch(y.grad()) ==
                tensor<float>({2, 3}, std::vector<float>(6, 1.0f))));
}

BOOST_AUTO_TEST_CASE(a_training_that_diverges_names_the_layer) {
    quantized_train_options o = short_quantized_training();
    o.steps.learning_rate = 1e30;
    o.largest_norm = 1e30;
    o.steps.warm_up = 0.0;
    fixture f(o);
    BOOST_CHECK_EXCEPTION(f.train(), data_error, [](const data_error& e) {
        BOOST_TEST_MESSAGE(e.what());
        const std::string text = e.what();
        return text.find("not finite; a lower learning rate may help") != text.npos &&
               (text.find("\"conv") != text.npos || text.find("\"bn") != text.npos ||
                text.find("\"fc") != text.npos);
    });
}

BOOST_AUTO_TEST_CASE(what_cannot_be_trained_is_refused) {
    const auto refused = [](const quantization& q, const std::string& part) {
        const start from(q);
        BOOST_CHECK_EXCEPTION(
            quantized_training_network(trained_in_float(), from.plan, from.table, learning::lsq),
            graph_error,
            [&](const error& e) { return std::string(e.what()).find(part) != std::string::npos; });
    };
    refused({w4, a4, {{.pattern = "conv2", .in_float = true}}}, "layer \"conv2\" is in float");
    refused({qspec{.bits = 4, .grain = per_tensor}, a4, {}}, "layer \"conv1\"");
}

BOOST_AUTO_TEST_SUITE_END()
