// SPDX-License-Identifier: Apache-2.0
/// CUDA for programs that nvcc does not compile: declarations of what the library `quantal::cuda`
/// holds. Compiled by nvcc (option QUANTAL_CUDA) it runs on devices, otherwise in the host runner,
/// which is slow. No kernel is named here, and the library shows nothing but these names to the
/// linker: functions that two compilers make differently never meet.
#ifndef QUANTAL_RUNTIME_CUDA_LINKED_HPP
#define QUANTAL_RUNTIME_CUDA_LINKED_HPP

#include <quantal/kernel/cuda/error.hpp>
#include <quantal/runtime/integer_network.hpp>
#include <quantal/runtime/program.hpp>

#include <memory>
#include <string>

namespace quantal {
inline namespace v0 {
namespace cuda {

class program;

namespace linked {

/// One of this machine's devices; the host runner is device 0.
class device {
public:
    /// Throws `device_error` if it is not there.
    explicit device(int index);

    [[nodiscard]] int index() const { return index_; }
    [[nodiscard]] const std::string& name() const { return name_; }
    /// Whether kernels' sources are executed on the CPU.
    [[nodiscard]] bool is_host_runner() const { return is_host_runner_; }

private:
    int index_;
    std::string name_;
    bool is_host_runner_;
};

/// `cuda::context`.
class context {
public:
    void run(std::span<const float> images, std::span<float> result);
    [[nodiscard]] std::size_t bytes() const;

private:
    friend class program;
    struct body;
    explicit context(std::shared_ptr<body> b) : body_(std::move(b)) {}

    std::shared_ptr<body> body_;
};

/// `cuda::program`.
class program {
public:
    program(const integer_network& n, const device& d);

    [[nodiscard]] linked::context context(std::int64_t batch) const;
    [[nodiscard]] tensor<float> run(const tensor<float>& images, int threads = 0,
                                    const code_visitor& visit = {}) const;

private:
    std::shared_ptr<const cuda::program> body_;
};

} // namespace linked
} // namespace cuda

/// Makes an integer network run on a device, by the library `quantal::cuda`.
[[nodiscard]] inline cuda::linked::program lower(const integer_network& n,
                                                 const cuda::linked::device& d) {
    return {n, d};
}

} // namespace v0
} // namespace quantal

#endif
