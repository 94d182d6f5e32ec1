// SPDX-License-Identifier: Apache-2.0
/// The state of a training in a file, to go on from after an interruption.
#ifndef QUANTAL_EXAMPLES_HOMEWORK_TRAINING_STATE_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_TRAINING_STATE_HPP

#include <quantal/io/checkpoint.hpp>
#include <quantal/torch/train_options.hpp>

#include <fmt/format.h>

#include <filesystem>

namespace homework {

/// What a state belongs to: it must not go on with other options.
using identity = std::map<std::string, std::string>;

inline void save_state(const std::filesystem::path& file, const identity& of,
                       const quantal::torch::training_state& s) {
    quantal::io::checkpoint c{{}, of};
    c.metadata["epochs_done"] = std::to_string(s.epochs_done);
    for (const auto& [name, values] : s.parameters)
        c.tensors.emplace("parameter " + name, values);
    for (const auto& [name, values] : s.momenta)
        c.tensors.emplace("momentum " + name, values);
    quantal::io::write_safetensors(file, c);
}

/// The state in the file, or a new one if there is none, for which the folder is made now rather
/// than missed after the first epoch. Throws `data_error` if it belongs to another training.
[[nodiscard]] inline quantal::torch::training_state load_state(const std::filesystem::path& file,
                                                               const identity& of) {
    if (file.empty()) return {};
    if (!exists(file)) {
        if (file.has_parent_path()) create_directories(file.parent_path());
        return {};
    }
    quantal::io::checkpoint c = quantal::io::read_checkpoint(file);
    for (const auto& [key, text] : of)
        if (c.metadata[key] != text)
            quantal::detail::fail<quantal::data_error>(file.string(),
                                                       " belongs to a training with ", key, " \"",
                                                       c.metadata[key], "\", not \"", text, '"');
    quantal::torch::training_state s;
    s.epochs_done = std::stoi(c.metadata["epochs_done"]);
    for (auto& [name, values] : c.tensors) {
        const bool momentum = name.starts_with("momentum ");
        (momentum ? s.momenta : s.parameters).emplace(name.substr(name.find(' ') + 1), values);
    }
    fmt::print("going on after epoch {}\n", s.epochs_done);
    return s;
}

/// A callback that prints where a training stands every ten seconds and after each epoch.
[[nodiscard]] inline quantal::torch::progress_callback printed_progress() {
    return [last = 0.0](const quantal::torch::training_progress& p) mutable {
        if (p.seconds - last < 10.0 && p.step != p.steps) return;
        last = p.seconds;
        fmt::print(
            "epoch {}/{} step {}/{} loss {:.4f} accuracy {:.2f} %, {:.0f} s, {:.0f} s left\n",
            p.epoch, p.epochs, p.step, p.steps, p.loss, p.accuracy, p.seconds, p.seconds_left);
        std::fflush(stdout);
    };
}

} // namespace homework

#endif
