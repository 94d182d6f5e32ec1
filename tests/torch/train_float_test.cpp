// SPDX-License-Identifier: Apache-2.0
#include <quantal/torch/train_float.hpp>

#include <quantal/runtime/evaluate.hpp>
#include <quantal/torch/float_network.hpp>

#include "patterns.hpp"
#include "training_states.hpp"

#include <boost/test/unit_test.hpp>

using namespace quantal;
using quantal::torch::train_options;
using quantal::torch::trainer;
using quantal::torch::training_progress;
using quantal::torch::training_state;
using support::network_of_patterns;
using support::operator==;
using support::patterns;

namespace {

train_options short_float_training() {
    return {.epochs = 6, .batch_size = 16, .learning_rate = 0.1, .crop_padding = 1};
}

/// The state after all epochs.
training_state train_all_epochs(const train_options& o, training_state from = {}) {
    const patterns set(100);
    trainer t(network_of_patterns(), set, o, std::move(from));
    while (!t.is_done())
        t.run_epoch({});
    return t.state();
}

template <class Error>
void check_refused(const graph& net, const train_options& o, const std::string& part) {
    const patterns set(32);
    BOOST_CHECK_EXCEPTION(trainer(net, set, o), Error, [&](const error& e) {
        BOOST_TEST_MESSAGE(e.what());
        return std::string(e.what()).find(part) != std::string::npos;
    });
}

} // namespace

BOOST_AUTO_TEST_SUITE(torch_train_float)

BOOST_AUTO_TEST_CASE(a_small_network_learns) {
    const patterns set(96), unseen(150, 0.6f);
    graph net = network_of_patterns();
    trainer t(net, set, short_float_training());
    double first = 0.0, last = 0.0, accuracy = 0.0;
    while (!t.is_done())
        t.run_epoch([&](const training_progress& p) {
            if (p.epoch == 1 && p.step == 1) first = p.loss;
            last = p.loss;
            accuracy = p.accuracy;
        });
    BOOST_TEST_MESSAGE("loss from " << first << " to " << last << ", " << accuracy << " %");
    BOOST_TEST(first > 0.8); // near ln 3: nothing is known yet
    BOOST_TEST(last < 0.3);  // the mean of the last epoch; 0.18 found
    BOOST_TEST(accuracy == 100.0);
    load_weights(net, t.state().parameters);
    const auto found = predictions(quantal::torch::float_network(net)(unseen.images(), {}));
    BOOST_TEST(unseen.right(found) >= 140u); // the running statistics of the batch norms serve, too
}

BOOST_AUTO_TEST_CASE(the_same_seed_gives_the_same_bits_and_another_one_does_not) {
    const training_state once = train_all_epochs(short_float_training());
    BOOST_TEST((train_all_epochs(short_float_training()) == once));
    train_options other = short_float_training();
    other.seed = 2;
    BOOST_TEST(
        (train_all_epochs(other).parameters.at("fc.weight") != once.parameters.at("fc.weight")));
}

BOOST_AUTO_TEST_CASE(a_training_that_was_interrupted_gives_the_same_bits) {
    const training_state whole = train_all_epochs(short_float_training());
    BOOST_TEST(whole.epochs_done == 6);
    for (const int interruption : {1, 4}) {
        const patterns set(100);
        training_state saved;
        {
            trainer t(network_of_patterns(), set, short_float_training());
            for (int e = 0; e < interruption; ++e)
                t.run_epoch({});
            saved = t.state();
            t.run_epoch({}); // what is done after saving must not matter
        }
        BOOST_TEST(saved.epochs_done == interruption);
        BOOST_TEST((train_all_epochs(short_float_training(), saved) == whole));
        saved.momenta.clear(); // they are needed
        BOOST_TEST(!(train_all_epochs(short_float_training(), saved) == whole));
    }
}

BOOST_AUTO_TEST_CASE(progress_counts_steps_and_epochs) {
    const patterns set(100); // 6 batches of 16, 4 images are left
    const auto check = [&](trainer& t, int first) {
        int calls = 0;
        double seconds = 0.0;
        while (!t.is_done())
            t.run_epoch([&](const training_progress& p) {
                BOOST_TEST(p.epoch == first + calls / 6);
                BOOST_TEST(p.epochs == 6);
                BOOST_TEST(p.step == calls % 6 + 1);
                BOOST_TEST(p.steps == 6);
                BOOST_TEST((p.loss > 0.0 && p.loss < 10.0));
                BOOST_TEST((p.accuracy >= 0.0 && p.accuracy <= 100.0));
                BOOST_TEST(p.seconds >= seconds);
                seconds = p.seconds;
                ++calls;
                const bool end = p.epoch == 6 && p.step == 6;
                if (end) BOOST_TEST(p.seconds_left == 0.0);
                if (!end) BOOST_TEST(p.seconds_left > 0.0);
            });
        BOOST_TEST(calls == (7 - first) * 6);
    };
    trainer whole(network_of_patterns(), set, short_float_training());
    check(whole, 1);
    trainer started(network_of_patterns(), set, short_float_training());
    started.run_epoch({});
    started.run_epoch({});
    trainer resumed(network_of_patterns(), set, short_float_training(), started.state());
    check(resumed, 3);
}

BOOST_AUTO_TEST_CASE(options_out_of_range_are_refused) {
    const auto refuse = [](auto&& change, const char* part) {
        train_options o = short_float_training();
        change(o);
        check_refused<data_error>(network_of_patterns(), o, part);
    };
    const double nan = std::nan(""), infinity = std::numeric_limits<double>::infinity();
    refuse([](train_options& o) { o.epochs = 0; }, "a training of 0 epochs");
    refuse([](train_options& o) { o.batch_size = 0; }, "batches of 0 images");
    refuse([](train_options& o) { o.batch_size = -1; }, "batches of -1 images");
    refuse([](train_options& o) { o.batch_size = 33; },
           "batches of 33 images, the data set has 32");
    refuse([](train_options& o) { o.crop_padding = -1; }, "padded by -1");
    for (const double rate : {0.0, -0.1, nan, infinity})
        refuse([&](train_options& o) { o.learning_rate = rate; }, "the learning rate");
    for (const double decay : {-1e-4, nan, infinity})
        refuse([&](train_options& o) { o.weight_decay = decay; }, "the weight decay");
    for (const double warm_up : {-0.1, 1.1, nan})
        refuse([&](train_options& o) { o.warm_up = warm_up; }, "the warm-up");
    for (const double momentum : {-0.1, 1.0, nan})
        refuse([&](train_options& o) { o.momentum = momentum; }, "the momentum");
}

BOOST_AUTO_TEST_CASE(data_and_states_that_do_not_fit_are_refused) {
    graph larger;
    larger.linear("fc", larger.flatten("flatten", larger.input({1, 8, 9})), {.out_features = 3});
    check_refused<shape_error>(larger, short_float_training(),
                               "the network takes images of 1x8x9, the data set has 1x8x8");
    graph fewer;
    fewer.linear("fc", fewer.flatten("flatten", fewer.input({1, 8, 8})), {.out_features = 2});
    check_refused<shape_error>(fewer, short_float_training(),
                               "puts out 2 values an image, the data set has 3 classes");
    const patterns set(32);
    training_state damaged = train_all_epochs(short_float_training());
    damaged.momenta.at("fc.weight") = tensor<float>({3, 7});
    BOOST_CHECK_THROW(trainer(network_of_patterns(), set, short_float_training(), damaged),
                      graph_error);
    damaged = train_all_epochs(short_float_training());
    damaged.parameters.erase("bn1.running_var");
    BOOST_CHECK_THROW(trainer(network_of_patterns(), set, short_float_training(), damaged),
                      graph_error);
}

BOOST_AUTO_TEST_SUITE_END()
