// SPDX-License-Identifier: Apache-2.0
#include "device.hpp"

#include <quantal/runtime/cpu/program.hpp>

#include <charconv>
#include <variant>

namespace homework {

cuda_device device_by_name(const std::string& text) {
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

std::string name_of(const cuda_device& d) {
    return d ? "cuda " + d->name() : std::string("cpu ") + quantal::cpu::default_kernels().name;
}

std::string hardware_of(const cuda_device& d) {
    if (!d) return {};
    if (d->is_host_runner()) return "CUDA host runner: kernels' sources executed on the CPU, slow";
    return "CUDA device " + std::to_string(d->index()) + ": " + d->name();
}

void add_device_option(CLI::App& app, options& o, const char* text) {
    app.add_option_function<std::string>(
           "--device", [&o](const std::string& name) { o.device = device_by_name(name); }, text)
        ->default_str("cpu");
}

struct integer_engine::body {
    std::variant<quantal::cpu::program, quantal::cuda::linked::program> program;
};
integer_engine::integer_engine(const quantal::integer_network& n, const cuda_device& d)
    : body_(std::make_shared<const body>(
          d ? body{quantal::lower(n, *d)}
            : body{quantal::lower(n, quantal::cpu::default_kernels())})) {}
quantal::tensor<float> integer_engine::run(const quantal::tensor<float>& images, int threads,
                                           const quantal::code_visitor& visit) const {
    return std::visit([&](const auto& p) { return p.run(images, threads, visit); }, body_->program);
}

} // namespace homework
