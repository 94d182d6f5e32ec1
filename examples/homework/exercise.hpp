// SPDX-License-Identifier: Apache-2.0
/// How every exercise goes: measure what its networks become, print tables, details and answer,
/// write the file.
#ifndef QUANTAL_EXAMPLES_HOMEWORK_EXERCISE_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_EXERCISE_HPP

#include "row.hpp"

namespace homework {

/// The quantized accuracy that a sentence quotes: that of the integers where they saw all images,
/// else that of the simulation, which did.
[[nodiscard]] inline bool quotes_integers(const json& row) {
    return row["integer_images"] == row["images"];
}
[[nodiscard]] inline double quoted_top1(const json& row) {
    return row[quotes_integers(row) ? "int_top1" : "sim_top1"].get<double>();
}
/// "top-1 of the simulation on 1000 images"
[[nodiscard]] inline std::string quoted_measure(const json& row) {
    return filled(quotes_integers(row) ? "top-1 of the integers on {images} images"
                                       : "top-1 of the simulation on {images} images",
                  row);
}

/// Columns of an exercise with those that every exercise has behind them.
[[nodiscard]] inline std::vector<column> operator+(std::vector<column> first,
                                                   const std::vector<column>& rest) {
    first.insert(first.end(), rest.begin(), rest.end());
    return first;
}

[[nodiscard]] inline std::vector<column> accuracy_columns() {
    std::vector<column> columns{{"Simulated Acc1", "sim_top1"}, {"Images", "images"}};
    if (backend::second_answers) columns.push_back({"Exact Acc1", "exact_top1"});
    return columns + std::vector<column>{{"Drop", "drop"},
                                         {"Integer images", "integer_images"},
                                         {"Float bytes", "float_bytes"},
                                         {"Quant bytes", "quant_bytes"}};
}

[[nodiscard]] inline std::vector<column> evidence_columns() {
    return {{"Lowest SNR, dB", "lowest_signal_to_noise_db", 1},
            {"in layer", "noisiest_layer"},
            {"Clipped, %: median", "clipped_median", 3},
            {"most", "clipped_most", 3},
            {"in layer", "most_clipped_layer"},
            {"Differing codes", "differing_codes"},
            {"of", "compared_codes"},
            {"Seconds", "seconds", 0}};
}

/// A calibrated network: what its row is called, and whose ranges its own are compared with.
struct candidate {
    std::string label;
    const quantal::table& table;
    const quantal::table& reference;
};

/// Measures a candidate and files its row and its evidence; the row is returned to be completed.
inline json& add_row(report& file, subject& s, const options& o, const candidate& c) {
    s.tell = progress_line(c.label);
    const measurement m = measure(s, c.table, o);
    add_evidence(file, c.label, s, c.table, m);
    json& row = file.rows.emplace_back(row_of(s, m, o));
    row["label"] = c.label;
    add_widths(row, sorted(s.plan, widths(s.plan, c.table, c.reference)));
    return row;
}

/// One exercise: the first columns of its table and of the evidence, the rows of a network, and its
/// answer in two sentences.
struct exercise {
    std::vector<column> columns, evidence;
    std::function<void(subject&, report&)> add_rows;
    std::function<std::string(const json& rows)> answer;
};

/// Says on which device the integers ran, if it is not the CPU.
inline void add_device(report& file, const options& o) {
    file.device = hardware_of(o.device);
    if (!o.device) return;
    file.details.push_back("The integers ran on the " + file.device +
                           "; their codes were compared with those of the CPU's kernels (" +
                           quantal::cpu::default_kernels().name + ").");
}

/// Runs all networks that the options name, prints table, details and answer, writes the file.
inline void run_exercise(options& o, report& file, const exercise& e) {
    const source from = parse_source(o.data);
    if (o.models.empty()) o.models = default_models(from);
    backend::use_threads(o.threads);
    for (const std::string& model : o.models) {
        subject s(model, from, o);
        e.add_rows(s, file);
    }
    file.evidence["answer"] = e.answer(file.rows);
    add_device(file, o);
    if (!backend::second_answers)
        file.details.push_back(
            fmt::format("Built without LibTorch: quantal's float32 kernels ran the float network "
                        "and the simulation{}; there is no \"Exact Acc1\".",
                        o.device ? ""
                                 : ", and the integers were compared with those of quantal's "
                                   "reference"));
    fmt::print("{}\n{}", to_markdown(file.rows, e.columns + accuracy_columns()),
               to_markdown(file.rows, std::vector<column>{{"Row", "label"}} + e.evidence +
                                          evidence_columns()));
    for (const std::string& line : file.details)
        fmt::print("\n{}\n", line);
    fmt::print("\n{}\n", file.evidence["answer"].get<std::string>());
    if (!o.json.empty()) file.write(o.json);
}

} // namespace homework

#endif
