// SPDX-License-Identifier: Apache-2.0
/// What a program does, step by step, and where its time goes.
#ifndef QUANTAL_RUNTIME_CPU_DESCRIBE_HPP
#define QUANTAL_RUNTIME_CPU_DESCRIBE_HPP

#include <quantal/runtime/cpu/step.hpp>

#include <iomanip>
#include <numeric>
#include <sstream>

namespace quantal {
inline namespace v0 {
namespace cpu {

/// One step, for one image; `seconds` and `share` (of the sum of all steps) are 0 unless profiled.
struct step_description {
    std::string layer, kernel;
    extents shape;           ///< of its output: channels, height, width
    std::size_t bytes;       ///< read and written, weights included
    std::int64_t operations; ///< a multiply-add counts as two
    double seconds = 0, share = 0;
};

[[nodiscard]] inline std::vector<step_description> describe(const network& net,
                                                            std::span<const double> seconds = {}) {
    const double all = std::accumulate(seconds.begin(), seconds.end(), 0.0);
    std::vector<step_description> result;
    for (const step& s : net.steps) {
        const slot& y = net.slots[s.output];
        step_description d{s.layer,
                           s.kernel,
                           {y.shape.channels, y.shape.height, y.shape.width},
                           y.bytes() + s.weight_bytes,
                           s.operations};
        for (const slot_index x : s.inputs)
            d.bytes += net.slots[x].bytes();
        if (!seconds.empty()) d.seconds = seconds[result.size()];
        if (all > 0) d.share = d.seconds / all;
        result.push_back(std::move(d));
    }
    return result;
}

/// A table, a step a line.
[[nodiscard]] inline std::string print(std::span<const step_description> steps) {
    std::ostringstream out;
    out << std::left << std::setw(28) << "layer" << std::setw(28) << "kernel" << std::setw(14)
        << "shape" << std::right << std::setw(12) << "bytes" << std::setw(14) << "operations"
        << std::setw(12) << "ms" << std::setw(8) << "share" << '\n';
    for (const step_description& s : steps) {
        std::ostringstream shape;
        shape << s.shape;
        out << std::left << std::setw(28) << s.layer << std::setw(28) << s.kernel << std::setw(14)
            << shape.str() << std::right << std::setw(12) << s.bytes << std::setw(14)
            << s.operations << std::fixed << std::setprecision(3) << std::setw(12)
            << 1e3 * s.seconds << std::setprecision(1) << std::setw(7) << 100 * s.share << "%\n";
    }
    return out.str();
}

} // namespace cpu
} // namespace v0
} // namespace quantal

#endif
