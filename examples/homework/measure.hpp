// SPDX-License-Identifier: Apache-2.0
/// One network measured four ways: float, simulation, integer-exact LibTorch, quantal's integers.
#ifndef QUANTAL_EXAMPLES_HOMEWORK_MEASURE_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_MEASURE_HPP

#include <quantal/data/loader.hpp>
#include <quantal/runtime/calibrate.hpp>
#include <quantal/runtime/evaluate.hpp>
#include <quantal/torch/exact_network.hpp>
#include <quantal/torch/float_network.hpp>
#include <quantal/torch/simulation.hpp>

#include <functional>

namespace homework {

/// Called now and then with what is being done and how much of it.
using progress = std::function<void(const char* what, std::size_t done, std::size_t all)>;

struct measurement {
    std::size_t images = 0;
    std::size_t float_right = 0, sim_right = 0, exact_right = 0, int_right = 0;
    std::size_t gained = 0; ///< images that float had wrong and integers right
    std::size_t lost = 0;   ///< the other way round
    std::size_t compared_images = 0, compared_codes = 0, differing_codes = 0;
    std::map<quantal::value, double> signal_to_noise; ///< decibels
    quantal::code_hashes hashes;                      ///< of the integers of the compared images
};

/// A calibrated network in all its forms.
struct candidates {
    const quantal::plan& plan;
    const quantal::table& table;
    quantal::torch::float_network real{plan.net};
    quantal::torch::simulation simulated{plan, table};
    quantal::torch::exact_network exact{plan, table};
    quantal::program integer = quantal::lower(plan, table);
};

/// Counts right answers over `count` test images; compares all codes of the first `compare` of
/// them.
[[nodiscard]] inline measurement measure(const candidates& c, const quantal::data::dataset& set,
                                         std::size_t count, std::size_t compare, int threads,
                                         const progress& tell) {
    // Batches of about 4 million input values' worth of activations stay within 1 GB.
    const std::size_t batch_size = set.image_shape().count() > 10000 ? 8 : 64;
    measurement m;
    const quantal::data::loader loader(set, {.batch_size = batch_size, .count = count});
    for (const auto& batch : loader) {
        const auto real = predictions(c.real(batch.images, {}));
        const auto simulated = predictions(c.simulated.run(batch.images));
        const auto exact = predictions(c.exact.run(batch.images));
        const auto integer = predictions(c.integer.run(batch.images, threads));
        for (std::size_t i = 0; i < batch.labels.size(); ++i) {
            const int label = batch.labels[i];
            m.float_right += real[i] == label;
            m.sim_right += simulated[i] == label;
            m.exact_right += exact[i] == label;
            m.int_right += integer[i] == label;
            m.gained += real[i] != label && integer[i] == label;
            m.lost += real[i] == label && integer[i] != label;
        }
        if (m.images == 0)
            m.signal_to_noise = signal_to_noise(c.plan, c.table, c.real, c.integer, batch.images);
        m.images += batch.labels.size();
        if (m.compared_images < compare) {
            for (const auto& [v, counts] : compare_codes(c.exact, c.integer, batch.images)) {
                m.compared_codes += counts.codes;
                m.differing_codes += counts.differing;
            }
            (void)c.integer.run(batch.images, threads, std::ref(m.hashes));
            m.compared_images += batch.labels.size();
        }
        tell("testing", m.images, count);
    }
    return m;
}

} // namespace homework

#endif
