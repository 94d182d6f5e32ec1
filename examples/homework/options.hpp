// SPDX-License-Identifier: Apache-2.0
/// The options that the exercises share.
#ifndef QUANTAL_EXAMPLES_HOMEWORK_OPTIONS_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_OPTIONS_HPP

#include "written_quantization.hpp"

#include <quantal/runtime/cuda/linked.hpp>

#include <support/command_line.hpp>

#include <optional>
#include <string>
#include <vector>

namespace homework {

/// A CUDA device; none is the CPU.
using cuda_device = std::optional<quantal::cuda::linked::device>;

/// What the user asked for; the defaults are the exercise on the default data.
struct options {
    std::vector<std::string> models{};
    std::string data = "fashion_mnist";
    std::string weights{};
    std::size_t calibration = 256;
    std::size_t images = 0;         ///< 0: all
    std::size_t integer_images = 0; ///< 0: as many as the others
    std::size_t compare = 64;
    std::string weight_spec = "w8";
    std::string activation_spec = "a8";
    std::string observer = "minmax", weight_observer = "minmax";
    bool equalize = false;
    std::size_t weight_bytes = 0; ///< 0: the widths that the specs say
    std::string rounding{};       ///< none: the nearest, biases as they are
    double best_seconds = 0.0;    ///< 0: as observers and rounding say
    std::vector<std::string> layers{};
    std::string resize = "256";
    bool tensorflow = false;
    std::vector<float> mean{}, std{};
    std::string json{};
    int threads = 0;
    cuda_device device{}; ///< of the integers
    std::uint64_t seed = 0;

    /// The quantization that the specs and layer rules describe.
    [[nodiscard]] quantal::quantization quantization() const {
        return written_quantization(weight_spec, activation_spec, layers);
    }
};

/// Completes a table that has its activations, by the weight observer that the options name.
void add_weights(const quantal::plan& plan, quantal::table& t, const options& o);

void add_options(CLI::App& app, options& o);

/// Adds `--json` to the programs whose other options are their own.
void add_json_option(CLI::App& app, options& o);

/// For names of networks: refuses one that there is not before another has run.
[[nodiscard]] CLI::Validator a_network();

/// For a file that is written when all is done: refuses now a folder that is not there.
[[nodiscard]] CLI::Validator in_a_folder();

using benchmarks::run;

} // namespace homework

#endif
