// SPDX-License-Identifier: Apache-2.0
/// The library `quantal::cuda`, for nvcc and, as the host runner, for any other compiler.
#include <quantal/runtime/cuda/linked.hpp>
#include <quantal/runtime/cuda/program.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda::linked {

device::device(int index)
    : index_(index), name_(name_of_device(index)), is_host_runner_(cuda::is_host_runner) {}

struct context::body {
    cuda::context running;
};

void context::run(std::span<const float> images, std::span<float> result) {
    body_->running.run(images, result);
}
std::size_t context::bytes() const {
    return body_->running.bytes();
}

program::program(const integer_network& n, const device& d)
    : body_(std::make_shared<cuda::program>(n, cuda::device{d.index()})) {}

context program::context(std::int64_t batch) const {
    using body = linked::context::body;
    return linked::context(std::shared_ptr<body>(new body{body_->context(batch)}));
}
tensor<float> program::run(const tensor<float>& images, int threads,
                           const code_visitor& visit) const {
    return body_->run(images, threads, visit);
}

} // namespace cuda::linked
} // namespace v0
} // namespace quantal
