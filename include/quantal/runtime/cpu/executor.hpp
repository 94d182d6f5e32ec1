// SPDX-License-Identifier: Apache-2.0
/// A network in float32 on the kernels of the CPU: calibration without any other library.
#ifndef QUANTAL_RUNTIME_CPU_EXECUTOR_HPP
#define QUANTAL_RUNTIME_CPU_EXECUTOR_HPP

#include <quantal/runtime/cpu/context.hpp>
#include <quantal/runtime/cpu/lower_network.hpp>
#include <quantal/runtime/executor.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// A `float_executor`. Sums have one order: its values do not depend on the number of threads or
/// the batch. One call at a time.
class executor {
public:
    explicit executor(const graph& net, int threads = 0,
                      const kernel_set& kernels = default_kernels())
        : steps_(std::make_shared<network>(lower_network(all_in_float(net), kernels))),
          pool_(thread_count(threads, SIZE_MAX)) {
        for (const node& n : net.nodes())
            shapes_.push_back(n.shape);
    }

    tensor<float> operator()(const tensor<float>& images, const value_visitor& visit) {
        if (images.shape().rank() == 0 || images.shape().without_front() != shapes_.front())
            quantal::detail::fail<shape_error>("the network takes images of ", shapes_.front(),
                                               ", a batch of shape ", images.shape(), " was given");
        const std::int64_t count = images.shape()[0];
        tensor<float> result(shapes_.back().with_front(count));
        if (!context_ || context_->batch() < count) context_.emplace(steps_, count, pool_);
        context_->run(images.values(), result.values(), [&](const step& s, const frame& at) {
            if (visit && s.completes) show(s, at, visit);
        });
        return result;
    }

private:
    /// The output of a node, which lies height x width x channels.
    void show(const step& s, const frame& at, const value_visitor& visit) const {
        const extents& shape = shapes_[*s.completes];
        const std::int64_t all = steps_->slots[s.output].elements();
        view<const float>::strides strides{all, 1};
        if (shape.rank() == 3) strides = {all, 1, shape[2] * shape[0], shape[0]};
        visit(*s.completes, {at.at<const float>(s.output), shape.with_front(at.images), strides});
    }

    std::vector<extents> shapes_;
    std::shared_ptr<const network> steps_;
    thread_pool pool_;
    std::optional<context> context_;
};

static_assert(float_executor<executor>);

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
