// SPDX-License-Identifier: Apache-2.0
/// How every exercise goes: measure what its networks become, print tables, details and answer,
/// write the file.
#ifndef QUANTAL_EXAMPLES_HOMEWORK_EXERCISE_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_EXERCISE_HPP

#include "row.hpp"

#include <functional>

namespace homework {

/// The quantized accuracy that a sentence quotes: that of the integers where they saw all images,
/// else that of the simulation, which did.
[[nodiscard]] double quoted_top1(const json& row);
/// "top-1 of the simulation on 1000 images"
[[nodiscard]] std::string quoted_measure(const json& row);

/// A calibrated network: what its row is called, and whose ranges its own are compared with.
struct candidate {
    std::string label;
    const quantal::table& table;
    const quantal::table& reference;
};

/// Measures a candidate and files its row and its evidence; the row is returned to be completed.
json& add_row(report& file, subject& s, const options& o, const candidate& c);

/// One exercise: the first columns of its table and of the evidence, the rows of a network, and its
/// answer in two sentences.
struct exercise {
    std::vector<column> columns, evidence;
    std::function<void(subject&, report&)> add_rows;
    std::function<std::string(const json& rows)> answer;
};

/// Says on which device the integers ran, if it is not the CPU.
void add_device(report& file, const options& o);

/// Runs all networks that the options name, prints table, details and answer, writes the file.
void run_exercise(options& o, report& file, const exercise& e);

} // namespace homework

#endif
