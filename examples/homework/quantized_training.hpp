// SPDX-License-Identifier: Apache-2.0
/// Training a subject's network further, in float and with quantizers, as exercise 5 asks for it.
#ifndef QUANTAL_EXAMPLES_HOMEWORK_QUANTIZED_TRAINING_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_QUANTIZED_TRAINING_HPP

#include "trained.hpp"
#include "training_state.hpp"

#include <quantal/passes/optimize.hpp>
#include <quantal/torch/train_float.hpp>
#include <quantal/torch/train_quantized.hpp>

namespace homework {

/// One training: which bits, how they learn, for how long.
struct training_request {
    std::string config, method;
    quantal::torch::quantized_train_options options;
    std::filesystem::path states; ///< a folder; empty: no states are kept

    /// What belongs to a state of this training.
    [[nodiscard]] identity identity_for(const subject& s, const std::string& data) const {
        const auto& t = options.steps;
        return {{"model", s.name},
                {"data", data},
                {"options",
                 fmt::format("{} {} epochs {} batch {} learning rate {} weight decay {} crop "
                             "padding {} seed {} scale rate {} largest norm {} distillation {} "
                             "temperature {} frozen {} integers {}",
                             config, method, t.epochs, t.batch_size, t.learning_rate,
                             t.weight_decay, t.crop_padding, t.seed, options.scale_rate,
                             options.largest_norm, options.distillation, options.temperature,
                             options.frozen, options.integers)}};
    }
    [[nodiscard]] std::filesystem::path state_file(const subject& s,
                                                   const std::string& data) const {
        if (states.empty()) return {};
        return states / fmt::format("{}_{}_{}_{}.state", s.name, data, config, method);
    }
};

[[nodiscard]] inline quantal::torch::learning learning_by_name(const std::string& name) {
    using quantal::torch::learning;
    const std::map<std::string, learning> known{{"lsq", learning::lsq},
                                                {"lsq+", learning::lsq_plus},
                                                {"pact", learning::pact},
                                                {"dorefa", learning::dorefa}};
    const auto found = known.find(name);
    if (found == known.end())
        quantal::detail::fail<quantal::data_error>(
            "--method ", name, " is not known; there are lsq, lsq+, pact and dorefa");
    return found->second;
}

/// Trains to the end, epoch by epoch; `top1(trainer)` after each is printed and returned.
template <class Trainer, class Top1>
std::vector<double> train(Trainer& trainer, const std::filesystem::path& file, const identity& id,
                          const std::string& label, Top1&& top1) {
    const auto progress = printed_progress();
    std::vector<double> found;
    while (!trainer.is_done()) {
        trainer.run_epoch(progress);
        if (!file.empty()) save_state(file, id, trainer.state());
        found.push_back(top1());
        fmt::print("{} epoch {}: top-1 {:.2f} %\n", label, trainer.state().epochs_done,
                   found.back());
        std::fflush(stdout);
    }
    return found;
}

/// Trains the float network further with the same epochs; returns its top-1 after each.
[[nodiscard]] inline std::vector<double> train_in_float(subject& s, const options& o,
                                                        const training_request& r) {
    const source from = parse_source(o.data);
    const network start = read_network(s.name, from, o);
    const images sets = open_training(from, start.preprocess);
    const identity id = r.identity_for(s, from.name());
    const auto file = r.state_file(s, from.name());
    auto state = load_state(file, id);
    if (state.parameters.empty()) state.parameters = start.net.parameters;
    quantal::torch::trainer trainer(start.net, *sets.other, r.options.steps, std::move(state));
    quantal::graph net = start.net;
    return train(trainer, file, id, s.name + " float", [&] {
        load_weights(net, trainer.state().parameters);
        const auto real = backend::in_float(quantal::passes::optimize(net));
        return s.top1(
            s.answers([&](const auto& x) { return real(x, {}); }, "float images", s.count));
    });
}

/// A trained plan, and the integers' top-1 after each epoch.
struct training_result {
    quantal::torch::calibrated_plan found;
    std::vector<double> top1;
};

/// Trains the subject's plan from the float network and a table of the activations.
[[nodiscard]] inline training_result train_quantized(subject& s, const quantal::table& start,
                                                     const options& o, const training_request& r) {
    const source from = parse_source(o.data);
    const network trained = read_network(s.name, from, o);
    const images sets = open_training(from, trained.preprocess);
    const quantal::torch::quantized_training_network net(trained.net, s.plan, start,
                                                         learning_by_name(r.method));
    const identity id = r.identity_for(s, from.name());
    const auto file = r.state_file(s, from.name());
    quantal::torch::quantized_trainer trainer(net, s.float_net, *sets.other, r.options,
                                              load_state(file, id));
    std::vector<double> top1 =
        train(trainer, file, id, s.name + ' ' + r.config + ' ' + r.method, [&] {
            const auto now = trainer.deployed();
            return s.top1(integer_answers(s, quantal::quantize(now.plan, now.table), o));
        });
    return {trainer.deployed(), std::move(top1)};
}

} // namespace homework

#endif
