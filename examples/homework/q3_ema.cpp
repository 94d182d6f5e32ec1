// SPDX-License-Identifier: Apache-2.0
/// Exercise 3: moving-average observers against min-max, and how much they depend on the order of
/// the images.
#include "exercise.hpp"
#include "replay.hpp"

using namespace homework;
using quantal::observe::minmax;
using quantal::observe::moving_average;

namespace {

/// `value = value * (1 - alpha) + new * alpha`
moving_average average_of(double alpha) {
    return {.weight_of_new = static_cast<float>(alpha)};
}

struct average_options {
    std::vector<double> alphas{0.5, 0.9, 0.99};
    std::uint64_t orders = 5;
    std::string update = "image";

    [[nodiscard]] std::size_t per_update() const { return update == "image" ? 1 : 16; }
    /// About how many images an average of this weight counts.
    [[nodiscard]] double effective_images(double alpha) const {
        return (2.0 - alpha) / alpha * static_cast<double>(per_update());
    }
};

/// One network: what its calibration images showed, and its table of min-max.
struct recorded {
    recording seen;
    std::size_t count;
    quantal::table by_minmax;
};

/// The observer's value after each update, for three layers of the network.
json histories(const subject& s, const recorded& r, const average_options& a) {
    const std::vector<quantal::value> points = s.plan.points();
    const std::vector<std::size_t> order = order_of(r.count, 0);
    json all = json::array();
    for (const quantal::value v : {points.front(), points[points.size() / 2], points.back()}) {
        const auto updates = updates_of(r.seen.at(v), order, a.per_update());
        const auto file = [&](const json& observer, const std::vector<quantal::range>& ranges) {
            json entry = {{"layer", s.plan.at(v).name}, {"observer", observer}};
            for (const auto& [lo, hi] : ranges) {
                entry["lo"].push_back(lo);
                entry["hi"].push_back(hi);
            }
            all.push_back(std::move(entry));
        };
        file("new value", updates);
        file("minmax", history(updates, minmax{}));
        for (const double alpha : a.alphas)
            file(fmt::format("alpha {}", alpha), history(updates, average_of(alpha)));
    }
    return all;
}

/// Accuracy and ranges of one alpha for other orders of the same images; fills the row and returns
/// the evidence.
json add_orders(subject& s, json& row, const recorded& r, const average_options& a, double alpha) {
    std::vector<double> top1{row["sim_top1"].get<double>()};
    by_layer least, most;
    for (std::uint64_t seed = 0; seed < a.orders; ++seed) {
        const quantal::table t =
            replay(s.plan, r.seen, order_of(r.count, seed), a.per_update(), average_of(alpha));
        for (const auto& [v, width] : widths(s.plan, t, r.by_minmax)) {
            least[v] = seed == 0 ? width : std::min(least[v], width);
            most[v] = seed == 0 ? width : std::max(most[v], width);
        }
        if (seed > 0) top1.push_back(per_cent(s.right(simulate(s, t)), s.count));
    }
    add_spread(row, top1);
    json evidence = {{"sim_top1", top1}, {"widths_relative_to_minmax", json::array()}};
    by_layer factors;
    for (const auto& [v, width] : least) {
        factors[v] = most[v] / width;
        evidence["widths_relative_to_minmax"].push_back(
            {{"layer", s.plan.at(v).name}, {"least", width}, {"most", most[v]}});
    }
    const auto spread = sorted(s.plan, factors);
    row["order_factor_median"] = median(spread);
    row["order_factor_most"] = spread.back().first;
    row["order_factor_layer"] = spread.back().second;
    return evidence;
}

void add_rows(subject& s, report& file, const options& o, const average_options& a) {
    const data::load_options choice = calibration_order(*s.sets.other, o);
    recorded r{
        recording_of(s.observed(*s.sets.other, choice, moving_average{})), o.calibration, {}};
    const std::vector<std::size_t> in_order = order_of(r.count, 0);
    r.by_minmax = replay(s.plan, r.seen, in_order, a.per_update(), minmax{});
    json& baseline = add_row(file, s, o, {s.name + ", minmax", r.by_minmax, r.by_minmax});
    baseline["observer"] = "minmax";
    baseline["seconds"] = s.watch.lap();
    for (const double alpha : a.alphas) {
        const quantal::table t =
            replay(s.plan, r.seen, in_order, a.per_update(), average_of(alpha));
        const std::string label = fmt::format("{}, alpha {}", s.name, alpha);
        json& row = add_row(file, s, o, {label, t, r.by_minmax});
        row["observer"] = "moving_average";
        row["alpha"] = alpha;
        row["update"] = a.update;
        row["effective_images"] = a.effective_images(alpha);
        file.evidence["orders"][label] = add_orders(s, row, r, a, alpha);
        row["seconds"] = s.watch.lap();
    }
    file.evidence["history"][s.name] = histories(s, r, a);
}

/// "resnet18 has 1.00, 2.00 and 3.00 % (min-max ...), ...": the rows from `first` on.
std::string accuracies(const json& rows, std::size_t first, std::size_t alphas) {
    const double by_minmax = quoted_top1(rows[first]);
    double change = 0.0, spread = 0.0;
    std::vector<std::string> averages;
    for (std::size_t i = first + 1; i <= first + alphas; ++i) {
        const double top1 = quoted_top1(rows[i]);
        averages.push_back(fmt::format("{:.2f}", top1));
        if (std::abs(top1 - by_minmax) > std::abs(change)) change = top1 - by_minmax;
        spread = std::max(spread, rows[i]["sim_top1_most"].get<double>() -
                                      rows[i]["sim_top1_least"].get<double>());
    }
    return filled("{model} has ", rows[first]) + enumerate(averages) +
           fmt::format(" % (min-max {:.2f} %", by_minmax) +
           filled(", float {float_top1:.2f} %), ", rows[first]) +
           fmt::format("at most {:+.2f} points, {} than the {:.2f} that the order of images makes",
                       change, std::abs(change) > spread ? "more" : "not more", spread);
}

std::string answer(const json& rows, const average_options& a) {
    std::vector<std::string> networks, alphas;
    for (std::size_t i = 0; i < rows.size(); i += a.alphas.size() + 1)
        networks.push_back(accuracies(rows, i, a.alphas.size()));
    for (const double alpha : a.alphas)
        alphas.push_back(fmt::format("{}", alpha));
    const json& row = rows[a.alphas.size()];
    return fmt::format("With alpha {} ({}), {}. ", enumerate(alphas), quoted_measure(row),
                       fmt::join(networks, "; ")) +
           filled("At alpha {alpha} about (2 - alpha) / alpha = {effective_images:.2f} of "
                  "{calibration} images count: the median layer of {model} has {width_median:.2f} "
                  "times the width of min-max and cuts off {clipped_median:.3f} % of the "
                  "activations ({most_clipped_layer} {clipped_most:.2f} %), and over {repetitions} "
                  "orders of the same images its width varies by a factor of "
                  "{order_factor_median:.2f} ({order_factor_layer} by {order_factor_most:.2f}) and "
                  "the simulated accuracy from {sim_top1_least:.2f} to {sim_top1_most:.2f} %.",
                  row);
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app("Exercise 3: moving-average observers", "q3_ema");
    options o;
    average_options a;
    add_options(app, o);
    add_device_option(app, o);
    for (const char* option : {"--observer", "--weight-observer"}) // the exercise says which
        app.remove_option(app.get_option(option));
    app.add_option("--alpha", a.alphas, "weights of the new value, above 0 and at most 1")
        ->delimiter(',')
        ->check(CLI::Range(1e-3, 1.0))
        ->capture_default_str();
    app.add_option("--orders", a.orders,
                   "how many orders of the calibration images: as they are, measured in full, and "
                   "shuffled, measured by simulation")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--update", a.update, "what one update of the average is made of")
        ->check(CLI::IsMember({"image", "batch"}))
        ->capture_default_str();
    return run(app, argc, argv, [&] {
        report file{.exercise = "q3_ema", .command = command_line(argc, argv)};
        run_exercise(o, file,
                     {.columns = {{"Model", "model"},
                                  {"Calibration set", "calibration"},
                                  {"Quant config", "config"},
                                  {"Observer", "observer"},
                                  {"Alpha", "alpha", column::shortest},
                                  {"Quant Acc1", "int_top1"},
                                  {"Float Acc1", "float_top1"}},
                      .evidence = {{"Images that count", "effective_images"},
                                   {"Orders", "repetitions"},
                                   {"Simulated Acc1 from", "sim_top1_least"},
                                   {"to", "sim_top1_most"},
                                   {"Width against min-max: least", "width_least"},
                                   {"median", "width_median"},
                                   {"most", "width_most"},
                                   {"Width by order: median factor", "order_factor_median"},
                                   {"most", "order_factor_most"}},
                      .add_rows = [&](subject& s, report& r) { add_rows(s, r, o, a); },
                      .answer = [&](const json& rows) { return answer(rows, a); }});
    });
}
