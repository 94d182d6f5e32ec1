// SPDX-License-Identifier: Apache-2.0
#include "subject.hpp"

#include <quantal/observe/by_name.hpp>
#include <quantal/runtime/evaluate.hpp>
#include <quantal/tune/by_name.hpp>
#include <quantal/tune/mixed_precision.hpp>
#include <quantal/tune/round_weights.hpp>

namespace homework {

subject::subject(const std::string& model, const source& from, const options& o)
    : subject(load_network(model, from, o), from, o) {}

subject::subject(network n, const source& from, const options& o)
    : name(n.name), preprocess(n.preprocess), tell(n.name),
      plan(quantal::place(std::move(n.net), o.quantization())), float_net(plan.net),
      sets(open_images(from, n.preprocess, o)), real(backend::in_float(plan.net)),
      count(o.images == 0 ? sets.test->size() : o.images) {}

const std::vector<int>& subject::float_answers() {
    if (float_answers_.empty())
        float_answers_ =
            answers([this](const auto& x) { return real(x, {}); }, "float images", count);
    return float_answers_;
}

std::vector<int> subject::answers(const backend::answering& form, const char* what,
                                  std::size_t images) {
    // Batches of about 4 million input values' worth of activations stay within 1 GB.
    const std::size_t batch_size = sets.test->image_shape().count() > 10000 ? 8 : 64;
    const data::loader loader(*sets.test, {.batch_size = batch_size, .count = images});
    std::vector<int> result;
    for (const auto& batch : loader) {
        const std::vector<int> found = quantal::predictions(form(batch.images));
        result.insert(result.end(), found.begin(), found.end());
        tell(what, result.size(), images);
    }
    return result;
}

std::size_t subject::right(std::span<const int> answers) const {
    std::size_t count_right = 0;
    for (std::size_t i = 0; i < answers.size(); ++i)
        count_right += answers[i] == sets.test->label(i);
    return count_right;
}

double subject::top1(std::span<const int> answers) const {
    return 100.0 * static_cast<double>(right(answers)) / static_cast<double>(answers.size());
}

json choose_widths(subject& s, const data::dataset& set, const options& o) {
    if (o.weight_bytes == 0) return {};
    constexpr std::size_t images = 32;
    const auto batch = data::read_all(set, 0, std::min(images, set.size()));
    const std::vector<int> widths{8, 7, 6, 5, 4, 3, 2};
    const auto costs =
        quantal::observe::with_observer(o.weight_observer, [&](const auto& observer) {
            return quantal::tune::measure_widths(s.plan, widths, batch, observer, o.threads);
        });
    const auto front = quantal::tune::pareto_front(costs);
    const auto& chosen = quantal::tune::within(front, static_cast<double>(o.weight_bytes));
    s.plan =
        quantal::place(s.float_net, quantal::tune::with_widths(o.quantization(), s.plan, chosen));
    json evidence = {{"front", json::array()}, {"widths", json::object()}};
    for (const auto& m : front)
        evidence["front"].push_back({{"bytes", m.cost}, {"noise", m.noise}});
    for (std::size_t i = 0; i < costs.size(); ++i)
        evidence["widths"][costs[i].layer] = chosen.widths[i];
    return evidence;
}

std::vector<quantal::tensor<float>> read_batches(const data::dataset& set,
                                                 const data::load_options& choice) {
    std::vector<quantal::tensor<float>> batches;
    for (const auto& batch : data::loader(set, choice))
        batches.push_back(batch.images);
    return batches;
}

void round_weights(subject& s, quantal::table& t, const data::dataset& set,
                   const data::load_options& choice, const options& o) {
    if (o.rounding.empty()) return;
    const auto batches = read_batches(set, choice);
    const quantal::tune::rounding_options how{
        .threads = o.threads,
        .seed = o.seed,
        .progress = [&s](std::size_t done, std::size_t layers) {
            s.tell("rounding layers", done, layers);
        }};
    quantal::tune::with_rounding(o.rounding, [&](const auto& method) {
        s.plan = quantal::tune::round_weights(s.plan, t, batches, method, how, &t.notes);
    });
}

quantal::table calibrate_network(subject& s, const data::dataset& set,
                                 const data::load_options& choice, const options& o) {
    quantal::table t = quantal::observe::with_observer(o.observer, [&](const auto& observer) {
        return s.observed(set, choice, observer).activations();
    });
    add_weights(s.plan, t, o);
    return t;
}

} // namespace homework
