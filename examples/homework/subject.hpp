// SPDX-License-Identifier: Apache-2.0
/// What all rows of one network share: its plan, its images, its answers in float.
#ifndef QUANTAL_EXAMPLES_HOMEWORK_SUBJECT_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_SUBJECT_HPP

#include "backend.hpp"
#include "report.hpp"
#include "source.hpp"

#include <quantal/passes/place.hpp>
#include <quantal/runtime/calibrate.hpp>

namespace homework {

/// A network with quantizers placed, before calibration.
struct subject {
    subject(const std::string& model, const source& from, const options& o);

    std::string name;
    data::preprocess preprocess;
    progress_line tell;
    stopwatch watch{};
    quantal::plan plan;
    quantal::graph float_net; ///< as the checkpoint has it, whatever becomes of the plan
    images sets;
    backend::float_network real;
    std::size_t count; ///< of test images

    /// The answers in float to all test images; computed when they are first asked for.
    [[nodiscard]] const std::vector<int>& float_answers();

    /// What `form` answers to the first test images.
    [[nodiscard]] std::vector<int> answers(const backend::answering& form, const char* what,
                                           std::size_t images);

    /// How many of these answers to the first test images are right.
    [[nodiscard]] std::size_t right(std::span<const int> answers) const;
    /// The share of them, in per cent.
    [[nodiscard]] double top1(std::span<const int> answers) const;

    /// Observes every quantizer point on the chosen images, one update an image.
    template <quantal::observer O>
    [[nodiscard]] quantal::plan_observer<O>
    observed(const data::dataset& set, const data::load_options& choice, const O& prototype) {
        quantal::plan_observer observers(plan, prototype);
        std::size_t done = 0;
        const data::loader loader(set, choice);
        for (const auto& batch : loader) {
            observers.observe(real, batch.images);
            done += batch.labels.size();
            tell("calibrating", done, choice.count);
        }
        return observers;
    }

private:
    subject(network n, const source& from, const options& o);

    std::vector<int> float_answers_;
};

/// Gives every layer of the subject's plan a width, if the options limit the size of weights;
/// returns the front that they were chosen from.
json choose_widths(subject& s, const data::dataset& set, const options& o);

[[nodiscard]] std::vector<quantal::tensor<float>> read_batches(const data::dataset& set,
                                                               const data::load_options& choice);

/// Rounds the weights of the subject's plan by these images, if the options name a way.
void round_weights(subject& s, quantal::table& t, const data::dataset& set,
                   const data::load_options& choice, const options& o);

/// The table that the observers named by the options make of these images and of the weights.
[[nodiscard]] quantal::table calibrate_network(subject& s, const data::dataset& set,
                                               const data::load_options& choice, const options& o);

} // namespace homework

#endif
