// SPDX-License-Identifier: Apache-2.0
/// A network on the kernels of the CPU that shows every value as reals: in float32, for calibration
/// without any other library, or in integers, to look at what they compute.
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
        : executor(all_in_float(net), threads, kernels) {}

    /// The values of a network in integers: what codes stand for, where there are codes.
    explicit executor(const integer_network& n, int threads = 0,
                      const kernel_set& kernels = default_kernels())
        : steps_(std::make_shared<network>(lower_network(n, kernels))),
          pool_(thread_count(threads, SIZE_MAX)) {
        for (value v = 0; v < n.plan().net.size(); ++v) {
            shapes_.push_back(n.plan().at(v).shape);
            if (n.plan().roles[v].has_codes())
                codes_.emplace(v, activation_params(n.plan(), n.table(), v));
        }
    }

    tensor<float> operator()(const tensor<float>& images, const value_visitor& visit) {
        quantal::detail::check_images(images.shape(), shapes_.front());
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
        const slot& from = steps_->slots[s.output];
        view<const float>::strides strides{from.elements(), 1};
        if (shape.rank() == 3) strides = {from.elements(), 1, shape[2] * shape[0], shape[0]};
        const auto found = codes_.find(*s.completes);
        if (found == codes_.end())
            return visit(*s.completes,
                         {at.at<const float>(s.output), shape.with_front(at.images), strides});
        const std::vector<float> reals =
            from.element_bytes == 1
                ? reals_of(at.at<const std::uint8_t>(s.output), at, from, found->second)
                : reals_of(at.at<const std::int32_t>(s.output), at, from, found->second);
        visit(*s.completes, {reals.data(), shape.with_front(at.images), strides});
    }
    /// What the bytes or integers `q - qmin` of a slot stand for.
    template <class Code>
    static std::vector<float> reals_of(const Code* codes, const frame& at, const slot& from,
                                       const qparams& p) {
        std::vector<float> reals(static_cast<std::size_t>(at.images * from.elements()));
        for (std::size_t i = 0; i < reals.size(); ++i)
            reals[i] = p.dequantize(codes[i] + p.spec.qmin());
        return reals;
    }

    std::vector<extents> shapes_;
    std::map<value, qparams> codes_; ///< of the values that are codes
    std::shared_ptr<const network> steps_;
    thread_pool pool_;
    std::optional<context> context_;
};

static_assert(float_executor<executor>);

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
