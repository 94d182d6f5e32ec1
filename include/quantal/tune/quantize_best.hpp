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

/// A combination that was tried.
struct trial {
    std::string observer, weight_observer;
    std::string rounding; ///< `none`, or what `round_weights` did (`nearest`: biases only)
    /// At the output of the network, in decibels, on images that calibrated nothing.
    double signal_to_noise = 0.0;
    double seconds = 0.0; ///< that it took
};

/// The best combination, ready for `quantize`, and all that were tried.
struct best_quantization {
    quantal::plan plan;
    quantal::table table;
    std::vector<trial> trials{}; ///< in the order of trying
    std::size_t chosen = 0;      ///< among the trials
    std::size_t untried = 0;     ///< combinations for which there was no time

    /// Why this one: what each part of it brought, in a sentence.
    [[nodiscard]] std::string explanation() const;
};

namespace detail {

/// What a trial changed in the best one before it.
[[nodiscard]] inline std::string change(const trial& before, const trial& t) {
    if (t.observer != before.observer) return "the observer " + t.observer;
    if (t.weight_observer != before.weight_observer) return "weights by " + t.weight_observer;
    return "the rounding " + t.rounding;
}

/// Tries combinations and keeps the best.
class best_search {
public:
    best_search(const plan& p, std::span<const tensor<float>> batches, double seconds,
                const rounding_options& o)
        : plan_(p), seconds_(seconds), options_(o) {
        if (batches.size() < 2)
            quantal::detail::fail<data_error>("the best quantization is chosen among ",
                                              batches.size(),
                                              " batches of images; there are 2 or more, the last "
                                              "quarter of which calibrates nothing");
        const std::size_t held = std::max<std::size_t>(1, batches.size() / 4);
        seen_ = batches.first(batches.size() - held);
        held_ = batches.last(held);
        cpu::executor real(p.net, o.threads);
        plan_observer observers(p, observe::sketch{});
        for (const tensor<float>& images : seen_)
            observers.observe(real, images);
        for (const auto& [v, point] : observers.points())
            sketches_.emplace(v, point.observers().front());
        for (const tensor<float>& images : held_)
            exact_.push_back(real(images, {}));
    }

    /// Judges a combination.
    void attempt(trial what) {
        const double began = elapsed();
        table t = calibrated(what);
        plan p = plan_;
        if (what.rounding != no_rounding)
            p = with_rounding(what.rounding, [&](const auto& method) {
                return round_weights(plan_, t, seen_, method, options_, &t.notes);
            });
        what.signal_to_noise = judged(quantize(p, t)).decibels();
        what.seconds = elapsed() - began;
        longest_ = std::max(longest_, what.seconds);
        const bool is_best = !best_ || what.signal_to_noise > best().signal_to_noise;
        trials_.push_back(std::move(what));
        if (is_best) best_ = {std::move(p), std::move(t), {}, trials_.size() - 1, 0};
    }
    /// Judges the best combination with another observer or rounding, if there is time.
    void attempt_with(std::string trial::*part, const char* name) {
        if (elapsed() + longest_ >= seconds_) {
            ++untried_;
            return;
        }
        trial next = best();
        next.*part = name;
        attempt(std::move(next));
    }
    [[nodiscard]] best_quantization finish() && {
        best_->trials = std::move(trials_);
        best_->untried = untried_;
        return *std::move(best_);
    }

    static constexpr const char* no_rounding = "none";

private:
    using clock = std::chrono::steady_clock;

    [[nodiscard]] double elapsed() const {
        return std::chrono::duration<double>(clock::now() - start_).count();
    }
    [[nodiscard]] const trial& best() const { return trials_[best_->chosen]; }
    /// What `calibrate` makes of the images that are seen.
    [[nodiscard]] table calibrated(const trial& what) const {
        table t;
        for (const value v : plan_.points()) {
            const std::string& name = plan_.at(v).name;
            const qspec spec = *plan_.roles[v].output;
            const range r = observe::with_observer(what.observer, [&](const auto& fresh) {
                return observe::solve(fresh, sketches_.at(v), spec);
            });
            t.activations.emplace(name, make_qparams(spec, {&r, 1}, name, &t.notes));
        }
        observe::with_observer(what.weight_observer,
                               [&](const auto& fresh) { calibrate_weights(plan_, t, fresh); });
        return t;
    }
    /// On the images that are held back.
    [[nodiscard]] powers judged(const integer_network& n) const {
        powers all;
        for (std::size_t i = 0; i < held_.size(); ++i) {
            const powers p = output_powers(n, held_[i], exact_[i], options_.threads);
            all.signal += p.signal;
            all.noise += p.noise;
        }
        return all;
    }

    const plan& plan_;
    double seconds_;
    rounding_options options_;
    clock::time_point start_ = clock::now();
    std::span<const tensor<float>> seen_, held_;
    std::map<value, observe::sketch> sketches_; ///< of the images that are seen
    std::vector<tensor<float>> exact_;          ///< what the float network gives of the others
    std::vector<trial> trials_;
    std::optional<best_quantization> best_;
    double longest_ = 0.0;
    std::size_t untried_ = 0;
};

} // namespace detail

inline std::string best_quantization::explanation() const {
    using quantal::detail::sentence;
    const auto decibels = [](double d) { return std::round(100.0 * d) / 100.0; };
    const trial* best = &trials.front();
    std::string text =
        sentence("The observer ", best->observer, ", weights by ", best->weight_observer,
                 " and the rounding ", best->rounding, " leave a signal-to-noise ratio of ",
                 decibels(best->signal_to_noise), " dB at the output");
    for (const trial& t : trials) {
        if (!(t.signal_to_noise > best->signal_to_noise)) continue;
        text += sentence("; ", detail::change(*best, t), " brings ",
                         decibels(t.signal_to_noise - best->signal_to_noise), " dB more");
        best = &t;
    }
    return text + sentence("; combinations tried: ", trials.size(),
                           ", left out for want of time: ", untried, '.');
}

/// Tries observers of activations, then observers of weights, then ways of rounding, each with the
/// best of what came before, and returns the combination that leaves most signal at the output on
/// the last quarter of the batches [N, C, H, W]; the others calibrate. Of equals the first wins.
/// One trial is always made, another only if the longest so far would end within `seconds`. Where
/// that leaves out nothing, the result is the same for any number of threads.
[[nodiscard]] inline best_quantization quantize_best(const plan& p,
                                                     std::span<const tensor<float>> batches,
                                                     double seconds,
                                                     const rounding_options& o = {}) {
    detail::best_search search(p, batches, seconds, o);
    search.attempt({"minmax", "minmax", detail::best_search::no_rounding});
    for (const char* name :
         {"mse", "percentile:0.001", "percentile:0.0001", "kl", "aciq", "aciq:laplace"})
        search.attempt_with(&trial::observer, name);
    search.attempt_with(&trial::weight_observer, "mse");
    for (const char* name : {"nearest", "descent", "adaround"})
        search.attempt_with(&trial::rounding, name);
    return std::move(search).finish();
}

} // namespace tune
} // namespace v0
} // namespace quantal

#endif
