// SPDX-License-Identifier: Apache-2.0
// The formulas of training, one by one.
#include <quantal/torch/train_float.hpp>

#include <boost/test/unit_test.hpp>

using quantal::torch::train_options;
using quantal::torch::trainer;
using quantal::torch::training_state;

namespace {

using quantal::extents;
using quantal::graph;
using quantal::tensor;
using quantal::value;

/// Nothing but zeros: no gradient reaches the weight of a linear layer.
class zeros : public quantal::data::dataset {
public:
    [[nodiscard]] std::size_t size() const override { return 8; }
    [[nodiscard]] extents image_shape() const override { return {1, 2, 2}; }
    [[nodiscard]] int classes() const override { return 2; }
    [[nodiscard]] int label(std::size_t index) const override { return int(index % 2); }
    void read(std::size_t, std::span<float> chw) const override {
        std::fill(chw.begin(), chw.end(), 0.0f);
    }
};

/// Image i holds 4 i to 4 i + 3.
class ramp : public zeros {
public:
    void read(std::size_t index, std::span<float> chw) const override {
        std::iota(chw.begin(), chw.end(), static_cast<float>(4 * index));
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(torch_descent)

// Without a gradient a step multiplies the weight by 1 - rate * decay.
BOOST_AUTO_TEST_CASE(the_learning_rate_rises_and_follows_the_cosine) {
    graph net;
    net.linear("fc", net.flatten("flatten", net.input({1, 2, 2})),
               {.out_features = 2, .bias = false});
    const zeros set;
    for (const double warm_up : {0.0, 0.3, 1.0}) {
        const train_options o{.epochs = 10,
                              .batch_size = 4,
                              .learning_rate = 0.5,
                              .warm_up = warm_up,
                              .momentum = 0.0,
                              .weight_decay = 0.25,
                              .crop_padding = 0};
        trainer t(net, set, o);
        double expected = t.state().parameters.at("fc.weight")[0];
        for (int step = 0; step < 20; ++step) {
            const double share = step / 20.0;
            const double rise = warm_up > 0.0 ? std::min(share / warm_up, 1.0) : 1.0;
            expected *= 1.0 - 0.25 * 0.5 * rise * 0.5 * (1.0 + std::cos(std::numbers::pi * share));
            if (step % 2 == 0) continue;
            t.run_epoch({});
            const double found = t.state().parameters.at("fc.weight")[0];
            // Each of the 20 steps rounds to float32 twice.
            BOOST_TEST(std::abs(found / expected - 1.0) < 40 * 0x1p-24);
        }
    }
}

// v = momentum * v + g and p -= rate * (g + momentum * v), with g = decay * p.
BOOST_AUTO_TEST_CASE(momentum_is_nesterovs) {
    graph net;
    net.linear("fc", net.flatten("flatten", net.input({1, 2, 2})),
               {.out_features = 2, .bias = false});
    const zeros set;
    trainer t(net, set,
              {.epochs = 4,
               .batch_size = 8,
               .learning_rate = 0.5,
               .warm_up = 0.0,
               .momentum = 0.75,
               .weight_decay = 0.25});
    double p = t.state().parameters.at("fc.weight")[0], v = 0.0;
    for (int epoch = 0; epoch < 4; ++epoch) {
        const double rate = 0.25 * (1.0 + std::cos(std::numbers::pi * epoch / 4.0));
        const double g = 0.25 * p;
        v = 0.75 * v + g;
        p -= rate * (g + 0.75 * v);
        t.run_epoch({});
        // A step rounds to float32 six times.
        BOOST_TEST(std::abs(t.state().parameters.at("fc.weight")[0] / p - 1.0) < 24 * 0x1p-24);
        BOOST_TEST(std::abs(t.state().momenta.at("fc.weight")[0] / v - 1.0) < 24 * 0x1p-24);
    }
}

// Equal biases, images of zeros and a batch with as many of each class: their gradient is 0.
BOOST_AUTO_TEST_CASE(weight_decay_spares_biases) {
    graph net;
    net.linear("fc", net.flatten("flatten", net.input({1, 2, 2})), {.out_features = 2});
    const zeros set;
    training_state from;
    from.parameters = quantal::torch::initial_parameters(net, 1);
    from.parameters.at("fc.bias") = tensor<float>({2}, {0.5f, 0.5f});
    const float before = from.parameters.at("fc.weight")[0];
    trainer t(
        net, set,
        {.epochs = 1, .batch_size = 8, .learning_rate = 0.5, .warm_up = 0.0, .weight_decay = 0.25},
        from);
    t.run_epoch({});
    // Rounding of exp leaves a gradient of some 2^-24; decay would take a tenth.
    for (const float bias : t.state().parameters.at("fc.bias").values())
        BOOST_TEST(std::abs(bias - 0.5f) < 1e-6f);
    BOOST_TEST(std::abs(t.state().parameters.at("fc.weight")[0] / before) < 0.9f);
}

// running = 0.9 * running + 0.1 * batch, with the variance over n - 1.
BOOST_AUTO_TEST_CASE(batch_norms_follow_their_batches) {
    graph net;
    const value x = net.batch_norm("bn", net.input({1, 2, 2}));
    net.linear("fc", net.flatten("flatten", x), {.out_features = 2});
    const ramp set;
    trainer t(net, set, {.epochs = 1, .batch_size = 8, .crop_padding = 0});
    t.run_epoch({});
    // 0 to 31: the mean is 15.5, the sum of squared distances 32 (32^2 - 1) / 12. Two roundings.
    const auto& parameters = t.state().parameters;
    BOOST_TEST(std::abs(parameters.at("bn.running_mean")[0] - 1.55f) < 1e-5f);
    BOOST_TEST(std::abs(parameters.at("bn.running_var")[0] - (0.9f + 0.1f * 2728.0f / 31.0f)) <
               1e-4f);
}

// At a rate that changes no weight the losses depend on the order of the images alone.
BOOST_AUTO_TEST_CASE(each_epoch_has_an_order_of_its_own) {
    graph net;
    net.linear("fc", net.flatten("flatten", net.input({1, 2, 2})), {.out_features = 2});
    const ramp set;
    const auto losses = [&](std::uint64_t seed) {
        training_state from;
        from.parameters = quantal::torch::initial_parameters(net, 1);
        trainer t(net, set,
                  {.epochs = 2,
                   .batch_size = 1,
                   .learning_rate = 1e-30,
                   .crop_padding = 0,
                   .flip = false,
                   .seed = seed},
                  from);
        std::vector<double> all[2];
        while (!t.is_done())
            t.run_epoch([&](const quantal::torch::training_progress& p) {
                all[p.epoch - 1].push_back(p.loss);
            });
        BOOST_TEST(all[0].size() == 8u);
        BOOST_TEST((all[0] != all[1]));
        // The same images all the same: the sums of the losses are equal but for rounding.
        BOOST_TEST(std::abs(all[0].back() / all[1].back() - 1.0) < 1e-6);
        return all[0];
    };
    BOOST_TEST((losses(1) == losses(1)));
    BOOST_TEST((losses(1) != losses(5)));
}

BOOST_AUTO_TEST_CASE(the_seed_chooses_the_initial_weights) {
    graph net;
    net.linear("fc", net.flatten("flatten", net.input({1, 2, 2})), {.out_features = 2});
    const zeros set;
    const auto initial = [&](std::uint64_t seed) {
        return trainer(net, set, {.batch_size = 8, .seed = seed}).state().parameters;
    };
    BOOST_TEST((initial(2) == quantal::torch::initial_parameters(net, 2)));
    BOOST_TEST((initial(2) != initial(3)));
}

BOOST_AUTO_TEST_CASE(initial_weights_have_their_deviations) {
    graph net;
    value x = net.conv2d("conv", net.input({32, 8, 8}), {.out_channels = 64, .kernel = 3});
    x = net.flatten("flatten", net.batch_norm("bn", x));
    net.linear("fc", x, {.out_features = 10});
    const auto parameters = quantal::torch::initial_parameters(net, 7);
    BOOST_TEST(parameters.size() == parameter_shapes(net).size());
    const auto check = [&](const char* name, double deviation) {
        const auto& values = parameters.at(name);
        double sum = 0.0, squares = 0.0;
        for (const float w : values.values()) {
            sum += w;
            squares += double{w} * w;
        }
        const auto n = static_cast<double>(values.size());
        // Five standard errors: of the mean, and of the deviation.
        BOOST_TEST(std::abs(sum / n) < 5.0 * deviation / std::sqrt(n), name);
        BOOST_TEST(std::abs(std::sqrt(squares / n) / deviation - 1.0) < 5.0 / std::sqrt(2.0 * n),
                   name);
    };
    check("conv.weight", std::sqrt(2.0 / (64 * 9)));
    check("fc.weight", std::sqrt(1.0 / (64 * 36)));
    for (const auto& [name, expected] :
         {std::pair{"bn.weight", 1.0f}, std::pair{"bn.running_var", 1.0f},
          std::pair{"bn.bias", 0.0f}, std::pair{"bn.running_mean", 0.0f},
          std::pair{"conv.bias", 0.0f}, std::pair{"fc.bias", 0.0f}})
        for (const float v : parameters.at(name).values())
            BOOST_TEST(v == expected, name);
}

BOOST_AUTO_TEST_SUITE_END()
