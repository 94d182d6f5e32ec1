// SPDX-License-Identifier: Apache-2.0
/// One calibrated network measured: its answers as simulation and as integers, whether a second
/// computation of these agrees, and what its ranges do to every layer.
#ifndef QUANTAL_EXAMPLES_HOMEWORK_MEASURE_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_MEASURE_HPP

#include "device.hpp"
#include "subject.hpp"

#include <quantal/runtime/size.hpp>
#include <quantal/runtime/trace.hpp>

namespace homework {

/// The reals that the lowest and the highest code stand for.
[[nodiscard]] quantal::range range_of_codes(const quantal::qparams& p);

using by_layer = std::map<quantal::value, double>;

/// The integers computed a second time, to hold the engine's against: by the backend, and by the
/// CPU's kernels where the engine is a CUDA device.
class second_computation {
public:
    second_computation(const quantal::plan& p, const quantal::table& t,
                       const quantal::integer_network& n, const cuda_device& d);

    [[nodiscard]] std::map<quantal::value, quantal::code_comparison>
    compare(const integer_engine& engine, const quantal::tensor<float>& images) const;
    [[nodiscard]] quantal::tensor<float> run(const quantal::tensor<float>& images) const {
        return exact_.run(images);
    }
    /// With whom `compare` compares.
    [[nodiscard]] static std::string name(const cuda_device& d);

private:
    backend::second_integers exact_;
    std::optional<integer_engine> cpu_;
};

struct measurement {
    /// Answers to the first test images; `exact` are those of the backend's integers, if it
    /// answers.
    std::vector<int> simulated, exact, integer;
    std::size_t compared_images = 0, compared_codes = 0, differing_codes = 0;
    by_layer signal_to_noise;    ///< decibels, of the first batch
    by_layer clipped;            ///< per cent
    quantal::code_hashes hashes; ///< of the integers of the compared images
    quantal::weight_size bytes;
};

/// The simulation's answers to all test images.
[[nodiscard]] std::vector<int> simulate(subject& s, const quantal::table& t);

/// Measures a calibrated network on as many images as the options say.
[[nodiscard]] measurement measure(subject& s, const quantal::table& t, const options& o);

} // namespace homework

#endif
