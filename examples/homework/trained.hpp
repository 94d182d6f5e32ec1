// SPDX-License-Identifier: Apache-2.0
/// Networks that were trained with quantizers, as they are kept: deployable files that also say how
/// they were trained.
#ifndef QUANTAL_EXAMPLES_HOMEWORK_TRAINED_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_TRAINED_HPP

#include "subject.hpp"

#include <quantal/runtime/integer_network.hpp>

namespace homework {

struct trained_network {
    quantal::integer_network network;
    json training; ///< "config", "method", "epochs", "command" and what else is worth keeping
};

/// DIR/MODEL_DATA_CONFIG_METHOD.quantal
[[nodiscard]] std::filesystem::path trained_file(const std::filesystem::path& folder,
                                                 const std::string& model, const std::string& data,
                                                 const std::string& config,
                                                 const std::string& method);

void write_trained(const std::filesystem::path& file, const trained_network& t, const subject& s);

/// Throws `data_error` if the file holds another network.
[[nodiscard]] trained_network read_trained(const std::filesystem::path& file, const subject& s);

/// The plan with the reals that the codes of weights and biases stand for.
[[nodiscard]] quantal::plan with_real_weights(const quantal::integer_network& n);

/// The integer engine's answers to all test images.
[[nodiscard]] std::vector<int> integer_answers(subject& s, const quantal::integer_network& network,
                                               const options& o);

} // namespace homework

#endif
