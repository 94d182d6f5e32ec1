// SPDX-License-Identifier: Apache-2.0
/// A network in integers on the fast kernels of the CPU.
#ifndef QUANTAL_RUNTIME_CPU_PROGRAM_HPP
#define QUANTAL_RUNTIME_CPU_PROGRAM_HPP

#include <quantal/runtime/cpu/context.hpp>
#include <quantal/runtime/cpu/describe.hpp>
#include <quantal/runtime/cpu/lower_network.hpp>
#include <quantal/runtime/program.hpp>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// The same codes as the reference's `program`, bit for bit, whatever the kernels, the batch and
/// the number of threads. Immutable; a value whose copies share the weights.
class program {
public:
    /// For about `batch` images at a time, which decides how layers are computed and so the speed;
    /// any number may run.
    explicit program(const integer_network& n, const kernel_set& kernels = default_kernels(),
                     std::int64_t batch = 1)
        : program(n, kernels, batch, prepared_layers()) {}

    /// Memory and threads for batches of up to `batch` images: with it, `run` allocates nothing.
    [[nodiscard]] cpu::context context(std::int64_t batch, int threads = 0) const {
        return {fused_, batch, threads};
    }
    [[nodiscard]] cpu::context context(std::int64_t batch, parallel_ref parallel) const {
        return {fused_, batch, parallel};
    }

    /// Runs images [N, C, H, W] and returns the output [N, ...] as reals, in batches of 32.
    /// `threads` 0 means all cores. With a visitor, image by image, every quantizer point on its
    /// own.
    [[nodiscard]] tensor<float> run(const tensor<float>& images, int threads = 0,
                                    const code_visitor& visit = {}) const {
        using quantal::detail::part;
        quantal::detail::check_images(images.shape(), input_);
        constexpr std::int64_t batch_size = 32;
        const std::int64_t count = images.shape()[0];
        const std::int64_t batch = visit ? 1 : std::clamp<std::int64_t>(count, 1, batch_size);
        tensor<float> result(output_.with_front(count));
        cpu::context c(visit ? traced_ : fused_, batch, threads);
        for (std::int64_t first = 0; first < count; first += batch) {
            const std::int64_t last = std::min(first + batch, count);
            c.run(part(std::as_const(images).values(), input_, first, last),
                  part(result.values(), output_, first, last), [&](const step& s, const frame& at) {
                      if (visit && s.completes && points_.contains(*s.completes))
                          show(s, at, static_cast<std::size_t>(first), visit);
                  });
        }
        return result;
    }

    /// Every step: its kernel, shape, bytes and operations.
    [[nodiscard]] std::vector<step_description> describe() const { return cpu::describe(*fused_); }
    /// And what it took in the runs of a context of this program.
    [[nodiscard]] std::vector<step_description> describe(const cpu::context& c) const {
        return cpu::describe(*fused_, c.seconds(), c.images());
    }

private:
    program(const integer_network& n, const kernel_set& kernels, std::int64_t batch,
            prepared_layers prepared)
        : fused_(std::make_shared<network>(
              by_image(lower_network(n, kernels, fusible_with_add(n), prepared, batch)))),
          traced_(std::make_shared<network>(lower_network(n, kernels, {}, prepared, batch))),
          input_(n.plan().net.input_shape()), output_(n.plan().at(n.plan().net.output()).shape) {
        for (const value v : n.plan().points())
            points_.emplace(v, activation_params(n.plan(), n.table(), v).spec.qmin());
    }
    [[nodiscard]] static network by_image(network net) {
        net.by_image = steps_by_image(net);
        return net;
    }
    /// The codes that a step made of one image, in logical order.
    void show(const step& s, const frame& at, std::size_t image, const code_visitor& visit) const {
        const value v = *s.completes;
        const slot& from = traced_->slots[s.output];
        std::vector<std::int32_t> codes(static_cast<std::size_t>(from.elements()));
        const auto copy = [&](const auto* q) {
            for (std::int64_t c = 0, i = 0; c < from.shape.channels; ++c)
                for (std::int64_t p = 0; p < from.shape.pixels(); ++p, ++i)
                    codes[static_cast<std::size_t>(i)] =
                        q[p * from.shape.channels + c] + points_.at(v);
        };
        if (from.element_bytes == 1)
            copy(at.at<const std::uint8_t>(s.output));
        else
            copy(at.at<const std::int32_t>(s.output));
        visit(v, image, codes);
    }

    std::shared_ptr<const network> fused_;
    std::shared_ptr<const network> traced_; ///< nothing fused: every point is stored
    extents input_, output_;
    std::map<value, std::int32_t> points_; ///< with their lowest code
};

} // namespace cpu

/// Makes an integer network run on these kernels of the CPU, fast with about `batch` images at a
/// time.
[[nodiscard]] inline cpu::program lower(const integer_network& n, const cpu::kernel_set& kernels,
                                        std::int64_t batch = 1) {
    return cpu::program(n, kernels, batch);
}
[[nodiscard]] inline cpu::program lower(const plan& p, const table& t,
                                        const cpu::kernel_set& kernels, std::int64_t batch = 1) {
    return lower(quantize(p, t), kernels, batch);
}

} // namespace v0
} // namespace quantal

#endif
