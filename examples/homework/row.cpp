// SPDX-License-Identifier: Apache-2.0
#include "row.hpp"

#include <algorithm>

namespace homework {

std::vector<of_layer> sorted(const quantal::plan& p, const by_layer& numbers) {
    std::vector<of_layer> layers;
    for (const auto& [v, number] : numbers)
        layers.emplace_back(number, p.at(v).name);
    std::sort(layers.begin(), layers.end());
    return layers;
}

by_layer widths(const quantal::plan& p, const quantal::table& t, const quantal::table& reference) {
    const auto width = [&](const quantal::table& in, quantal::value v) {
        const auto [lo, hi] = range_of_codes(quantal::activation_params(p, in, v));
        return double{hi} - double{lo};
    };
    by_layer ratios;
    for (const quantal::value v : p.points())
        ratios[v] = width(t, v) / width(reference, v);
    return ratios;
}

json row_of(subject& s, const measurement& m, const options& o) {
    const std::size_t integers = m.integer.size();
    const std::span<const int> real = std::span(s.float_answers()).first(integers);
    std::size_t gained = 0, lost = 0;
    for (std::size_t i = 0; i < integers; ++i) {
        const int label = s.sets.test->label(i);
        gained += real[i] != label && m.integer[i] == label;
        lost += real[i] == label && m.integer[i] != label;
    }
    const auto noise = sorted(s.plan, m.signal_to_noise);
    const auto cut = sorted(s.plan, m.clipped);
    json row = {{"model", s.name},
                {"data", o.data.substr(0, o.data.find(':'))},
                {"images", s.count},
                {"integer_images", integers},
                {"calibration", o.calibration},
                {"observer", o.observer},
                {"weight_observer", o.weight_observer},
                {"rounding", o.rounding.empty() ? "nearest, biases as they are" : o.rounding},
                {"equalized", o.equalize},
                {"weight_bytes", o.weight_bytes},
                {"weight_spec", to_string(quantal::parse_spec(o.weight_spec))},
                {"activation_spec", to_string(quantal::parse_spec(o.activation_spec))},
                {"config", o.weight_spec + ", " + o.activation_spec},
                {"layers", o.layers},
                {"device", name_of(o.device)},
                {"threads", o.threads},
                {"float_top1", per_cent(s.right(s.float_answers()), s.count)},
                {"sim_top1", per_cent(s.right(m.simulated), s.count)},
                {"float_top1_of_integer_images", per_cent(s.right(real), integers)},
                {"int_top1", per_cent(s.right(m.integer), integers)},
                {"drop", per_cent(lost, integers) - per_cent(gained, integers)},
                {"images_gained", gained},
                {"images_lost", lost},
                {"compared_with", second_computation::name(o.device)},
                {"compared_images", m.compared_images},
                {"compared_codes", m.compared_codes},
                {"differing_codes", m.differing_codes},
                {"lowest_signal_to_noise_db", noise.front().first},
                {"noisiest_layer", noise.front().second},
                {"clipped_median", median(cut)},
                {"clipped_most", cut.back().first},
                {"most_clipped_layer", cut.back().second},
                {"float_bytes", m.bytes.float32},
                {"quant_bytes", m.bytes.packed}};
    if (backend::second_answers) row["exact_top1"] = per_cent(s.right(m.exact), integers);
    return row;
}

void add_widths(json& row, const std::vector<of_layer>& sorted_widths) {
    row["width_median"] = median(sorted_widths);
    row["width_least"] = sorted_widths.front().first;
    row["narrowest_layer"] = sorted_widths.front().second;
    row["width_most"] = sorted_widths.back().first;
    row["widest_layer"] = sorted_widths.back().second;
}

void add_spread(json& row, const std::vector<double>& sim_top1) {
    const auto [least, most] = std::minmax_element(sim_top1.begin(), sim_top1.end());
    row["repetitions"] = sim_top1.size();
    row["sim_top1_least"] = *least;
    row["sim_top1_most"] = *most;
}

void add_evidence(report& file, const std::string& label, const subject& s, const quantal::table& t,
                  const measurement& m) {
    json noise = json::array(), ranges = json::array(), hashes = json::array();
    for (const auto& [v, decibels] : m.signal_to_noise) {
        const std::string& layer = s.plan.at(v).name;
        const auto [lo, hi] = range_of_codes(quantal::activation_params(s.plan, t, v));
        noise.push_back({{"layer", layer}, {"decibels", decibels}});
        ranges.push_back(
            {{"layer", layer}, {"lo", lo}, {"hi", hi}, {"clipped_per_cent", m.clipped.at(v)}});
    }
    for (const auto& [v, hash] : m.hashes.values())
        hashes.push_back({{"layer", s.plan.at(v).name}, {"hash", fmt::format("{:016x}", hash)}});
    file.evidence["signal_to_noise_db"][label] = std::move(noise);
    file.evidence["ranges"][label] = std::move(ranges);
    file.evidence["fnv1a_of_compared_codes"][label] = std::move(hashes);
    file.evidence["notes"][label] = t.notes;
}

} // namespace homework
