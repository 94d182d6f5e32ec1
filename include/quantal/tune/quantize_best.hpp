// SPDX-License-Identifier: Apache-2.0
/// Quantizing a network as well as a given time allows, without labels.
#ifndef QUANTAL_TUNE_QUANTIZE_BEST_HPP
#define QUANTAL_TUNE_QUANTIZE_BEST_HPP

#include <quantal/observe/by_name.hpp>
#include <quantal/runtime/calibrate.hpp>
#include <quantal/tune/alone.hpp>
#include <quantal/tune/by_name.hpp>
#include <quantal/tune/round_weights.hpp>

#include <chrono>

namespace quantal {
inline namespace v0 {
namespace tune {

/// One combination that was tried, and the signal-to-noise ratio, in decibels, that it leaves at
/// the output of the network on images that calibrated nothing.
struct trial {
    std::string observer, weight_observer, rounding;
    double signal_to_noise;
};

/// The best combination, ready for `quantize`, and all that were tried.
struct best_quantization {
    quantal::plan plan;
    quantal::table table;
    std::vector<trial> trials{}; ///< in the order of trying
    std::size_t chosen = 0;      ///< among the trials

    /// Why this one, in a sentence.
    [[nodiscard]] std::string explanation() const {
        const trial &best = trials[chosen], &first = trials.front();
        return quantal::detail::sentence(
            "Of ", trials.size(), " combinations, the observer ", best.observer,
            " with weights by ", best.weight_observer, " and the rounding ", best.rounding,
            " leaves most signal at the output, ", best.signal_to_noise, " dB against ",
            first.signal_to_noise, " dB of ", first.observer, ", ", first.weight_observer, " and ",
            first.rounding, ".");
    }
};

namespace detail {

/// Tries combinations and keeps the best.
class best_search {
public:
    best_search(const plan& p, std::span<const tensor<float>> batches, const rounding_options& o)
        : plan_(p), options_(o) {
        if (batches.size() < 2)
            quantal::detail::fail<data_error>("the best quantization is chosen among ",
                                              batches.size(),
                                              " batches of images; there are 2 or more, the last "
                                              "quarter of which calibrates nothing");
        const std::size_t held = std::max<std::size_t>(1, batches.size() / 4);
        seen_ = batches.first(batches.size() - held);
        held_ = batches.last(held);
        cpu::executor real(p.net, o.threads);
        plan_observer observers(plan_, observe::sketch{});
        for (const tensor<float>& images : seen_)
            observers.observe(real, images);
        for (const auto& [v, point] : observers.points())
            sketches_.emplace(v, point.observers().front());
        for (const tensor<float>& images : held_)
            exact_.push_back(real(images, {}));
    }

    /// Judges a combination.
    void attempt(trial what) {
        table t = calibrated(what);
        plan p = plan_;
        if (what.rounding != no_rounding)
            p = with_rounding(what.rounding, [&](const auto& method) {
                return round_weights(plan_, t, seen_, method, options_, &t.notes);
            });
        const integer_network n = quantize(p, t);
        powers all;
        for (std::size_t i = 0; i < held_.size(); ++i) {
            const powers of_batch = output_powers(n, held_[i], exact_[i], options_.threads);
            all.signal += of_batch.signal;
            all.noise += of_batch.noise;
        }
        what.signal_to_noise = all.decibels();
        trials_.push_back(what);
        if (best_ && what.signal_to_noise <= best().signal_to_noise) return;
        best_ = {std::move(p), std::move(t), {}, trials_.size() - 1};
    }
    [[nodiscard]] const trial& best() const { return trials_[best_->chosen]; }
    [[nodiscard]] best_quantization finish() && {
        best_->trials = std::move(trials_);
        return *std::move(best_);
    }

    static constexpr const char* no_rounding = "none";

private:
    [[nodiscard]] table calibrated(const trial& what) const {
        table t;
        for (const value v : plan_.points()) {
            const qspec spec = *plan_.roles[v].output;
            const range r = observe::with_observer(what.observer, [&](const auto& fresh) {
                return solve(fresh, sketches_.at(v), spec);
            });
            t.activations.emplace(plan_.at(v).name,
                                  make_qparams(spec, {&r, 1}, plan_.at(v).name, &t.notes));
        }
        observe::with_observer(what.weight_observer,
                               [&](const auto& fresh) { calibrate_weights(plan_, t, fresh); });
        return t;
    }

    const plan& plan_;
    rounding_options options_;
    std::span<const tensor<float>> seen_, held_;
    std::map<value, observe::sketch> sketches_;
    std::vector<tensor<float>> exact_; ///< what the float network gives of the held images
    std::vector<trial> trials_;
    std::optional<best_quantization> best_;
};

} // namespace detail

/// Tries observers of activations, then observers of weights, then ways of rounding, each with the
/// best of what came before, and returns the combination that leaves most signal at the output on
/// the last quarter of the batches; the others calibrate. No trial begins after `seconds`, but one
/// is always made. It needs no label, and is the same for any number of threads if time suffices.
[[nodiscard]] inline best_quantization quantize_best(const plan& p,
                                                     std::span<const tensor<float>> batches,
                                                     double seconds,
                                                     const rounding_options& o = {}) {
    using clock = std::chrono::steady_clock;
    const auto start = clock::now();
    detail::best_search search(p, batches, o);
    search.attempt({"minmax", "minmax", detail::best_search::no_rounding, 0.0});
    const auto attempt = [&](std::string trial::*part, const char* name) {
        if (std::chrono::duration<double>(clock::now() - start).count() >= seconds) return;
        trial next = search.best();
        next.*part = name;
        search.attempt(std::move(next));
    };
    for (const char* name : {"mse", "percentile:0.001", "percentile:0.0001", "kl"})
        attempt(&trial::observer, name);
    attempt(&trial::weight_observer, "mse");
    for (const char* name : {"nearest", "descent", "adaround"})
        attempt(&trial::rounding, name);
    return std::move(search).finish();
}

} // namespace tune
} // namespace v0
} // namespace quantal

#endif
