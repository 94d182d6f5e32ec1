// SPDX-License-Identifier: Apache-2.0
/// From measurements to the rows and the evidence of a report.
#ifndef QUANTAL_EXAMPLES_HOMEWORK_ROW_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_ROW_HPP

#include "measure.hpp"

namespace homework {

[[nodiscard]] inline double per_cent(std::size_t part, std::size_t whole) {
    return 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

/// A number and the layer that it belongs to.
using of_layer = std::pair<double, std::string>;

/// Sorted from the lowest number to the highest.
[[nodiscard]] std::vector<of_layer> sorted(const quantal::plan& p, const by_layer& numbers);

/// The width of each quantizer point's range under `t` as a multiple of that under `reference`.
[[nodiscard]] by_layer widths(const quantal::plan& p, const quantal::table& t,
                              const quantal::table& reference);

/// The number in the middle (the upper one of two).
[[nodiscard]] inline double median(const std::vector<of_layer>& sorted_layers) {
    return sorted_layers[sorted_layers.size() / 2].first;
}

/// What was measured, by the names of design and tables. Float and integers are compared on the
/// integers' images: `drop` in points, images gained and lost.
[[nodiscard]] json row_of(subject& s, const measurement& m, const options& o);

/// Adds to a row what sets its ranges apart from those of the row it is measured against.
void add_widths(json& row, const std::vector<of_layer>& sorted_widths);

/// Adds to a row how far the simulation's accuracy spreads over repetitions of its calibration.
void add_spread(json& row, const std::vector<double>& sim_top1);

/// Files the arrays of one row, a layer an entry, under its label.
void add_evidence(report& file, const std::string& label, const subject& s, const quantal::table& t,
                  const measurement& m);

} // namespace homework

#endif
