// SPDX-License-Identifier: Apache-2.0
#include "measure.hpp"

#include <quantal/runtime/evaluate.hpp>

namespace homework {
namespace {

/// The share of each quantizer point's values, in per cent of those of the first `images` test
/// images, that its codes cut off: they lie beyond the outermost code by more than half a step.
by_layer clipped(subject& s, const quantal::table& t, std::size_t images) {
    std::map<quantal::value, std::size_t> outside, all;
    const quantal::value_visitor count = [&](quantal::value v,
                                             const quantal::view<const float>& x) {
        if (!s.plan.roles[v].output) return;
        const quantal::qparams& p = quantal::activation_params(s.plan, t, v);
        const auto [lo, hi] = range_of_codes(p);
        const float low = lo - p.scale() / 2, high = hi + p.scale() / 2;
        std::size_t beyond = 0;
        x.for_each([&](float value, std::size_t) { beyond += value < low || value > high; });
        outside[v] += beyond;
        all[v] += x.shape().count();
    };
    (void)s.answers([&](const auto& x) { return s.real(x, count); }, "images for clipping", images);
    by_layer shares;
    for (const auto& [v, values] : all)
        shares[v] = 100.0 * static_cast<double>(outside[v]) / static_cast<double>(values);
    return shares;
}

} // namespace

quantal::range range_of_codes(const quantal::qparams& p) {
    return {p.dequantize(p.spec.qmin()), p.dequantize(p.spec.qmax())};
}

second_computation::second_computation(const quantal::plan& p, const quantal::table& t,
                                       const quantal::integer_network& n, const cuda_device& d)
    : exact_(p, t, n) {
    if (d) cpu_.emplace(n, cuda_device{});
}

std::map<quantal::value, quantal::code_comparison>
second_computation::compare(const integer_engine& engine,
                            const quantal::tensor<float>& images) const {
    return cpu_ ? compare_codes(*cpu_, engine, images) : compare_codes(exact_, engine, images);
}

std::string second_computation::name(const cuda_device& d) {
    return d ? name_of({}) : backend::name;
}

std::vector<int> simulate(subject& s, const quantal::table& t) {
    return s.answers(backend::simulation(s.plan, t), "simulated images", s.count);
}

measurement measure(subject& s, const quantal::table& t, const options& o) {
    constexpr std::size_t images_for_clipping = 256;
    const quantal::integer_network codes = quantal::quantize(s.plan, t);
    const second_computation second(s.plan, t, codes, o.device);
    const integer_engine integer(codes, o.device);
    const std::size_t integers =
        o.integer_images == 0 ? s.count : std::min(o.integer_images, s.count);
    measurement m;
    m.bytes = weight_bytes(codes);
    m.simulated = simulate(s, t);
    if (backend::second_answers)
        m.exact = s.answers([&](const auto& x) { return second.run(x); }, "exact images", integers);
    const auto run = [&](const quantal::tensor<float>& images) {
        if (m.signal_to_noise.empty())
            m.signal_to_noise = signal_to_noise(s.plan, t, s.real, integer, images);
        if (m.compared_images >= o.compare) return integer.run(images, o.threads);
        for (const auto& [v, counts] : second.compare(integer, images)) {
            m.compared_codes += counts.codes;
            m.differing_codes += counts.differing;
        }
        m.compared_images += static_cast<std::size_t>(images.shape()[0]);
        return integer.run(images, o.threads, std::ref(m.hashes));
    };
    m.integer = s.answers(run, "integer images", integers);
    m.clipped = clipped(s, t, std::min(images_for_clipping, s.count));
    return m;
}

} // namespace homework
