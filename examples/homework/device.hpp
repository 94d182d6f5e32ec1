// SPDX-License-Identifier: Apache-2.0
/// Where the integers run: on the CPU's kernels, or on a CUDA device.
#ifndef QUANTAL_EXAMPLES_HOMEWORK_DEVICE_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_DEVICE_HPP

#include "options.hpp"

#include <memory>

namespace homework {

/// What `--device` says. Throws `data_error` for any other text, `device_error` for a device that
/// is not there.
[[nodiscard]] cuda_device device_by_name(const std::string& text);

/// `--device`, of the programs that run integers there.
void add_device_option(
    CLI::App& app, options& o,
    const char* text =
        "where the integers run: cpu, cuda or cuda:N (device number N); on a device their codes "
        "are compared with the CPU's. Built without nvcc, cuda is the host runner: few images");

/// "cpu avx2", "cuda NVIDIA A100", "cuda host runner"
[[nodiscard]] std::string name_of(const cuda_device& d);

/// Beside the processor in a report; nothing for the processor itself.
[[nodiscard]] std::string hardware_of(const cuda_device& d);

/// A network in integers on either.
class integer_engine {
public:
    integer_engine(const quantal::integer_network& n, const cuda_device& d);

    [[nodiscard]] quantal::tensor<float> run(const quantal::tensor<float>& images, int threads = 0,
                                             const quantal::code_visitor& visit = {}) const;

private:
    struct body;
    std::shared_ptr<const body> body_;
};

} // namespace homework

#endif
