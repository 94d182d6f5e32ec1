// SPDX-License-Identifier: Apache-2.0
#include "exercise.hpp"

#include <quantal/kernel/cpu/dispatch.hpp>

namespace homework {
namespace {

bool quotes_integers(const json& row) {
    return row["integer_images"] == row["images"];
}

/// Columns of an exercise with those that every exercise has behind them.
std::vector<column> operator+(std::vector<column> first, const std::vector<column>& rest) {
    first.insert(first.end(), rest.begin(), rest.end());
    return first;
}

std::vector<column> accuracy_columns() {
    std::vector<column> columns{{"Simulated Acc1", "sim_top1"}, {"Images", "images"}};
    if (backend::second_answers) columns.push_back({"Exact Acc1", "exact_top1"});
    return columns + std::vector<column>{{"Drop", "drop"},
                                         {"Integer images", "integer_images"},
                                         {"Float bytes", "float_bytes"},
                                         {"Quant bytes", "quant_bytes"}};
}

std::vector<column> evidence_columns() {
    return {{"Lowest SNR, dB", "lowest_signal_to_noise_db", 1},
            {"in layer", "noisiest_layer"},
            {"Clipped, %: median", "clipped_median", 3},
            {"most", "clipped_most", 3},
            {"in layer", "most_clipped_layer"},
            {"Differing codes", "differing_codes"},
            {"of", "compared_codes"},
            {"Seconds", "seconds", 0}};
}

} // namespace

double quoted_top1(const json& row) {
    return row[quotes_integers(row) ? "int_top1" : "sim_top1"].get<double>();
}

std::string quoted_measure(const json& row) {
    return filled(quotes_integers(row) ? "top-1 of the integers on {images} images"
                                       : "top-1 of the simulation on {images} images",
                  row);
}

json& add_row(report& file, subject& s, const options& o, const candidate& c) {
    s.tell = progress_line(c.label);
    const measurement m = measure(s, c.table, o);
    add_evidence(file, c.label, s, c.table, m);
    json& row = file.rows.emplace_back(row_of(s, m, o));
    row["label"] = c.label;
    add_widths(row, sorted(s.plan, widths(s.plan, c.table, c.reference)));
    return row;
}

void add_device(report& file, const options& o) {
    file.device = hardware_of(o.device);
    if (!o.device) return;
    file.details.push_back("The integers ran on the " + file.device +
                           "; their codes were compared with those of the CPU's kernels (" +
                           quantal::cpu::default_kernels().name + ").");
}

void run_exercise(options& o, report& file, const exercise& e) {
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
