// SPDX-License-Identifier: Apache-2.0
/// Rows of a benchmark for scripts/benchmark: one a shape and form of quantal, the same members for
/// every task.
#ifndef QUANTAL_BENCHMARKS_SUPPORT_ROWS_HPP
#define QUANTAL_BENCHMARKS_SUPPORT_ROWS_HPP

#include "support/command_line.hpp"
#include "support/peaks.hpp"
#include "support/race.hpp"

#include <nlohmann/json.hpp>

#include <fstream>
#include <stdexcept>

namespace benchmarks {

using json = nlohmann::ordered_json;

/// How a benchmark is called: benchmark [ARCH [THREADS]] [--json FILE].
struct options {
    std::string arch, json_file;
    int threads = 1, rounds = 9;

    void add_to(CLI::App& app) {
        app.add_option("arch", arch, "kernels: generic, sse2, avx2, ... (default: the best)");
        app.add_option("threads", threads)->check(CLI::PositiveNumber)->capture_default_str();
        app.add_option("--rounds", rounds, "how often everything is timed, in turn")
            ->check(CLI::PositiveNumber)
            ->capture_default_str();
        app.add_option("--json", json_file, "write the rows to this file");
    }
};

/// A peer's result beside the ones of quantal; `exact`: its codes are those of the formula.
struct peer {
    result figures;
    bool exact;
};

/// One row: quantal's `ours` against the fastest of the peers. `amount` is the work of a run (in
/// units of 1e9), `peak` the rate that the machine has at most.
[[nodiscard]] inline json row_of(const result& ours, const std::vector<peer>& peers, double amount,
                                 double peak) {
    const auto fastest =
        std::min_element(peers.begin(), peers.end(), [](const peer& a, const peer& b) {
            return a.figures.seconds < b.figures.seconds;
        });
    const auto ratios = speed_ratios(ours.rounds, fastest->figures.rounds);
    const auto rate = [&](const result& r) { return 1e-9 * amount / r.seconds; };
    json all = json::object();
    for (const peer& p : peers)
        all[p.figures.name] = {{"value", rate(p.figures)}, {"exact", p.exact}};
    return {{"kernel", ours.name},
            {"ours_value", rate(ours)},
            {"peer", fastest->figures.name},
            {"peer_value", rate(fastest->figures)},
            {"ratio", median(ratios)},
            {"spread", (ratios.back() - ratios.front()) / median(ratios)},
            {"peer_exact", fastest->exact},
            {"fraction_of_peak", amount / ours.seconds / peak},
            {"peers", all}};
}

[[nodiscard]] inline json to_json(const peaks& p) {
    json reads = json::array();
    for (const auto& [bytes, rate] : p.reads)
        reads.push_back({{"bytes", bytes}, {"gigabytes_per_second", 1e-9 * rate}});
    return {{"byte_gop_per_second", 1e-9 * p.byte_operations},
            {"float_gop_per_second", 1e-9 * p.float_operations},
            {"reads", reads}};
}

/// The rows and peaks of one run of a benchmark; nothing is written without a file.
struct row_file {
    std::string task, unit, arch;
    int threads;
    peaks machine;
    json rows = json::array();

    /// Adds a row of `row_of` with what names it.
    void add(const std::string& ours, const std::string& shape, const json& figures) {
        json row = {{"task", task}, {"ours", ours},       {"shape", shape},
                    {"arch", arch}, {"threads", threads}, {"unit", unit}};
        row.update(figures);
        rows.push_back(row);
    }
    void write(const std::string& file) const {
        if (file.empty()) return;
        const json all = {{"peaks", to_json(machine)}, {"rows", rows}};
        std::ofstream out(file);
        out << all.dump(1) << '\n';
        if (!out.flush()) throw std::runtime_error(file + " cannot be written");
    }
};

} // namespace benchmarks

#endif
