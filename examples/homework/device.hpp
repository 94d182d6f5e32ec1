// SPDX-License-Identifier: Apache-2.0
/// Where the integers run: on the CPU's kernels, or on a CUDA device.
#ifndef QUANTAL_EXAMPLES_HOMEWORK_DEVICE_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_DEVICE_HPP

#include <quantal/runtime/cpu/program.hpp>
#include <quantal/runtime/cuda/linked.hpp>

#include <charconv>
#include <optional>
#include <string>
#include <variant>

namespace homework {

/// A CUDA device; none is the CPU.
using cuda_device = std::optional<quantal::cuda::linked::device>;

/// What `--device` says. Throws `data_error` for any other text, `device_error` for a device that
/// is not there.
[[nodiscard]] inline cuda_device device_by_name(const std::string& text) {
    if (text == "cpu") return {};
    if (text == "cuda") return quantal::cuda::linked::device(0);
    const std::string number = text.starts_with("cuda:") ? text.substr(5) : std::string();
    const char* const end = number.data() + number.size();
    int index = 0;
    const auto read = std::from_chars(number.data(), end, index);
    if (number.empty() || read.ec != std::errc() || read.ptr != end)
        quantal::detail::fail<quantal::data_error>("--device ", text,
                                                   " is not known; there are cpu, cuda and cuda:N, "
                                                   "device number N");
    return quantal::cuda::linked::device(index);
}

/// "cpu avx2", "cuda NVIDIA A100", "cuda host runner"
[[nodiscard]] inline std::string name_of(const cuda_device& d) {
    return d ? "cuda " + d->name() : std::string("cpu ") + quantal::cpu::default_kernels().name;
}

/// Beside the processor in a report; nothing for the processor itself.
[[nodiscard]] inline std::string hardware_of(const cuda_device& d) {
    if (!d) return {};
    if (d->is_host_runner()) return "CUDA host runner: kernels' sources executed on the CPU, slow";
    return "CUDA device " + std::to_string(d->index()) + ": " + d->name();
}

/// A network in integers on either.
class integer_engine {
public:
    integer_engine(const quantal::integer_network& n, const cuda_device& d)
        : program_(d ? any_program(quantal::lower(n, *d))
                     : any_program(quantal::lower(n, quantal::cpu::default_kernels()))) {}

    [[nodiscard]] quantal::tensor<float> run(const quantal::tensor<float>& images, int threads = 0,
                                             const quantal::code_visitor& visit = {}) const {
        return std::visit([&](const auto& p) { return p.run(images, threads, visit); }, program_);
    }

private:
    using any_program = std::variant<quantal::cpu::program, quantal::cuda::linked::program>;
    any_program program_;
};

} // namespace homework

#endif
