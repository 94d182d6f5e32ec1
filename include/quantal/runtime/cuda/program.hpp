// SPDX-License-Identifier: Apache-2.0
/// A network in integers on a CUDA device. Compiled by nvcc it runs on devices; by any other
/// compiler it runs in the host runner, which checks every access and is slow. Needs Boost.Context
/// there.
#ifndef QUANTAL_RUNTIME_CUDA_PROGRAM_HPP
#define QUANTAL_RUNTIME_CUDA_PROGRAM_HPP

#include <quantal/kernel/cuda/capability.hpp>
#include <quantal/runtime/cuda/context.hpp>
#include <quantal/runtime/cuda/lowering.hpp>
#include <quantal/runtime/program.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// Which of the devices of this machine. Kernels are those that suit it, or another compute
/// capability, as in 75 for no products of 4 bits.
struct device {
    int index = 0, compute_capability = 0;
};

/// The same codes as the reference's `program`, bit for bit. Immutable; a value whose copies share
/// the weights on the device.
class program {
public:
    /// Throws `graph_error` for a layer that computes with reals, codes of more than 8 bits or a
    /// weight outside of int8, `device_error` if a call of CUDA fails.
    explicit program(const integer_network& n, device d = {})
        : net_(std::make_shared<network>(lower_network(
              n, d.index,
              d.compute_capability > 0 ? d.compute_capability : compute_capability_of(d.index)))),
          input_(n.plan().net.input_shape()), output_(n.plan().at(n.plan().net.output()).shape),
          points_(n.plan().points()) {}

    /// What each node launches on this device, as in "product u4 x s4".
    [[nodiscard]] const std::vector<std::string>& kernels() const { return net_->kernels; }

    /// Memory for batches of up to `batch` images.
    [[nodiscard]] cuda::context context(std::int64_t batch) const { return {net_, batch}; }

    /// Runs images [N, C, H, W] and returns the output [N, ...] as reals, in batches of 128. The
    /// device has threads of its own. With a visitor, image by image.
    [[nodiscard]] tensor<float> run(const tensor<float>& images, int /*threads*/ = 0,
                                    const code_visitor& visit = {}) const {
        using quantal::detail::part;
        quantal::detail::check_images(images.shape(), input_);
        constexpr std::int64_t batch_size = 128;
        const std::int64_t count = images.shape()[0];
        const std::int64_t batch = visit ? 1 : std::clamp<std::int64_t>(count, 1, batch_size);
        tensor<float> result(output_.with_front(count));
        cuda::context c(net_, batch);
        for (std::int64_t first = 0; first < count; first += batch) {
            const std::int64_t last = std::min(first + batch, count);
            const auto x = part(std::as_const(images).values(), input_, first, last);
            const auto y = part(result.values(), output_, first, last);
            if (!visit)
                c.run(x, y);
            else
                c.run(x, y, [&](value v, const std::vector<std::uint8_t>& bytes) {
                    show(v, bytes, static_cast<std::size_t>(first), visit);
                });
        }
        return result;
    }

private:
    void show(value v, const std::vector<std::uint8_t>& bytes, std::size_t image,
              const code_visitor& visit) const {
        if (!std::binary_search(points_.begin(), points_.end(), v)) return;
        const slot& s = net_->slots[v];
        std::vector<std::int32_t> codes(
            static_cast<std::size_t>(s.shape.pixels() * s.shape.channels));
        const std::int32_t qmin = s.codes->spec.qmin();
        to_planes(
            s, bytes, [=](std::uint8_t q) { return q + qmin; }, std::span(codes));
        visit(v, image, codes);
    }

    std::shared_ptr<const network> net_;
    extents input_, output_;
    std::vector<value> points_; ///< ascending
};

} // namespace cuda

/// Makes an integer network run on a CUDA device.
[[nodiscard]] inline cuda::program lower(const integer_network& n, cuda::device d) {
    return cuda::program(n, d);
}
[[nodiscard]] inline cuda::program lower(const plan& p, const table& t, cuda::device d) {
    return lower(quantize(p, t), d);
}

} // namespace v0
} // namespace quantal

#endif
