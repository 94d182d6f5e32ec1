// SPDX-License-Identifier: Apache-2.0
/// What a program does, step by step, and where its time goes.
#ifndef QUANTAL_RUNTIME_CPU_DESCRIBE_HPP
#define QUANTAL_RUNTIME_CPU_DESCRIBE_HPP

#include <quantal/runtime/cpu/step.hpp>

#include <algorithm>
#include <iomanip>
#include <numeric>
#include <sstream>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// One step, for one image; `seconds` and `share` (of the sum of all steps) are 0 unless profiled.
struct step_description {
    std::string layer, kernel;
    extents shape;            ///< of its output: channels, height, width
    std::size_t bytes;        ///< read and written, weights included
    std::size_t weight_bytes; ///< of these, as the kernel reads them, once for all images of a run
    std::int64_t operations;  ///< a multiply-add counts as two
    double seconds = 0, share = 0;
};

/// `seconds` of each step in all runs of `images` images together.
[[nodiscard]] inline std::vector<step_description>
describe(const network& net, std::span<const double> seconds = {}, std::int64_t images = 1) {
    const double all = std::accumulate(seconds.begin(), seconds.end(), 0.0);
    std::vector<step_description> result;
    for (const step& s : net.steps) {
        const slot& y = net.slots[s.output];
        step_description d{s.layer,
                           s.kernel,
                           {y.shape.channels, y.shape.height, y.shape.width},
                           y.bytes() + s.packed_bytes,
                           s.packed_bytes,
                           s.operations};
        for (const slot_index x : s.inputs)
            d.bytes += net.slots[x].bytes();
        const double spent = seconds.empty() ? 0.0 : seconds[result.size()];
        if (images > 0) d.seconds = spent / static_cast<double>(images);
        if (all > 0) d.share = spent / all;
        result.push_back(std::move(d));
    }
    return result;
}

/// All steps of one kernel together, for one image.
struct kernel_total {
    std::string kernel;
    std::size_t steps = 0, bytes = 0;
    std::int64_t operations = 0;
    double seconds = 0, share = 0;
};

/// The kernels that these steps run, the one that takes longest first.
[[nodiscard]] inline std::vector<kernel_total>
totals_by_kernel(std::span<const step_description> steps) {
    std::vector<kernel_total> totals;
    for (const step_description& s : steps) {
        auto found = std::find_if(totals.begin(), totals.end(),
                                  [&](const kernel_total& t) { return t.kernel == s.kernel; });
        if (found == totals.end()) found = totals.insert(found, {.kernel = s.kernel});
        ++found->steps;
        found->bytes += s.bytes;
        found->operations += s.operations;
        found->seconds += s.seconds;
        found->share += s.share;
    }
    std::stable_sort(totals.begin(), totals.end(),
                     [](const auto& a, const auto& b) { return a.seconds > b.seconds; });
    return totals;
}

namespace detail {

/// Widths of columns: "features.18.conv.0.0", "avx512_vnni winograd 4x4 words on the fly + add".
inline constexpr int layer_width = 26, kernel_width = 49;

/// Bytes, operations, milliseconds, billions of operations a second and share.
template <class T>
void print_costs(std::ostream& out, const T& of) {
    const double rate = of.seconds > 0 ? 1e-9 * static_cast<double>(of.operations) / of.seconds : 0;
    out << std::right << std::setw(12) << of.bytes << std::setw(14) << of.operations << std::fixed
        << std::setprecision(3) << std::setw(12) << 1e3 * of.seconds << std::setprecision(1)
        << std::setw(8) << rate << std::setw(7) << 100 * of.share << "%\n";
}
inline void print_cost_headings(std::ostream& out) {
    out << std::right << std::setw(12) << "bytes" << std::setw(14) << "operations" << std::setw(12)
        << "ms" << std::setw(8) << "Gop/s" << std::setw(8) << "share" << '\n';
}

} // namespace detail

/// A table, a step a line.
[[nodiscard]] inline std::string print(std::span<const step_description> steps) {
    std::ostringstream out;
    out << std::left << std::setw(detail::layer_width) << "layer" << std::setw(detail::kernel_width)
        << "kernel" << std::setw(14) << "shape";
    detail::print_cost_headings(out);
    for (const step_description& s : steps) {
        std::ostringstream shape;
        shape << s.shape;
        out << std::left << std::setw(detail::layer_width) << s.layer
            << std::setw(detail::kernel_width) << s.kernel << std::setw(14) << shape.str();
        detail::print_costs(out, s);
    }
    return out.str();
}

/// A table, a kernel a line.
[[nodiscard]] inline std::string print(std::span<const kernel_total> totals) {
    std::ostringstream out;
    out << std::left << std::setw(detail::kernel_width) << "kernel" << std::right << std::setw(8)
        << "steps";
    detail::print_cost_headings(out);
    for (const kernel_total& t : totals) {
        out << std::left << std::setw(detail::kernel_width) << t.kernel << std::right
            << std::setw(8) << t.steps;
        detail::print_costs(out, t);
    }
    return out.str();
}

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
