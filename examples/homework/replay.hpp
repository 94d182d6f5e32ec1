// SPDX-License-Identifier: Apache-2.0
/// Calibration in another order of the images, or with another weight, without running the network
/// again: what min-max and a moving average see of an image are its extrema.
#ifndef QUANTAL_EXAMPLES_HOMEWORK_REPLAY_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_REPLAY_HPP

#include <quantal/observe/moving_average.hpp>
#include <quantal/runtime/calibrate.hpp>

#include <algorithm>
#include <numeric>
#include <random>

namespace homework {

/// The extrema of each image at each quantizer point.
using recording = std::map<quantal::value, std::vector<quantal::range>>;

[[nodiscard]] inline recording
recording_of(const quantal::plan_observer<quantal::observe::moving_average>& seen) {
    recording result;
    for (const auto& [v, point] : seen.points())
        result[v] = point.observers().front().updates;
    return result;
}

/// The images 0 to `count - 1`: as they are for `seed` 0, shuffled otherwise.
[[nodiscard]] inline std::vector<std::size_t> order_of(std::size_t count, std::uint64_t seed) {
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (seed != 0) std::shuffle(order.begin(), order.end(), std::mt19937_64(seed));
    return order;
}

/// The extrema that each update brings when images come in this order, `per_update` at a time.
[[nodiscard]] inline std::vector<quantal::range> updates_of(const std::vector<quantal::range>& seen,
                                                            const std::vector<std::size_t>& order,
                                                            std::size_t per_update) {
    std::vector<quantal::range> updates;
    for (std::size_t i = 0; i < order.size(); ++i) {
        const quantal::range& image = seen[order[i]];
        if (i % per_update == 0)
            updates.push_back(image);
        else
            updates.back() = {std::min(updates.back().lo, image.lo),
                              std::max(updates.back().hi, image.hi)};
    }
    return updates;
}

/// The range that `fresh` gives after each of these updates.
template <quantal::observer O>
[[nodiscard]] std::vector<quantal::range> history(const std::vector<quantal::range>& updates,
                                                  const O& fresh) {
    std::vector<quantal::range> ranges;
    O observer = fresh;
    for (const auto& [lo, hi] : updates) {
        observer.observe(std::array{lo, hi});
        ranges.push_back(observer.range());
    }
    return ranges;
}

/// The table that calibration with `fresh` makes of the recorded images in this order.
template <quantal::observer O>
[[nodiscard]] quantal::table replay(const quantal::plan& p, const recording& seen,
                                    const std::vector<std::size_t>& order, std::size_t per_update,
                                    const O& fresh) {
    quantal::table t;
    for (const auto& [v, images] : seen) {
        const std::string& name = p.at(v).name;
        quantal::tensor_observer<O> observer(*p.roles[v].output, fresh, name);
        for (const auto& [lo, hi] : updates_of(images, order, per_update))
            observer.observe(quantal::tensor<float>({2}, {lo, hi}));
        t.activations.emplace(name, observer.params(&t.notes));
    }
    quantal::calibrate_weights(p, t, quantal::observe::minmax{});
    return t;
}

} // namespace homework

#endif
