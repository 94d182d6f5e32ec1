// SPDX-License-Identifier: Apache-2.0
/// One quantizer of a network in training: its parameters, its fake quantizer, and the scales and
/// zero points that it stands for once it is trained.
#ifndef QUANTAL_TORCH_LEARNED_QUANTIZER_HPP
#define QUANTAL_TORCH_LEARNED_QUANTIZER_HPP

#include <quantal/torch/fake_quantize.hpp>

namespace quantal {
inline namespace v0 {
namespace torch {

/// How a quantizer learns (fake_quantize.hpp).
enum class learning {
    given,    ///< nothing: scale and zero point stay
    lsq,      ///< its scale
    lsq_plus, ///< its scale and its zero point
    pact,     ///< the largest value
    dorefa,   ///< weights are brought into [-1, 1]
};

class learned_quantizer {
public:
    /// `start` is what calibration found; `name` prefixes the names of the parameters. LSQ, PACT
    /// and DoReFa have codes whose 0 is the lowest or the middle one: of affine codes, those that
    /// calibration gave another zero point become centred ones, with a scale that reaches as far.
    learned_quantizer(learning how, const qparams& start, std::string name)
        : how_(how), spec_(start.spec), inner_(start.spec), start_(start), name_(std::move(name)) {
        if (spec_.is_symmetric() && how == learning::lsq_plus) how_ = learning::lsq;
        if (spec_.is_symmetric() || how_ == learning::given || how_ == learning::lsq_plus) return;
        const std::int32_t below = start.zero_point() - spec_.qmin();
        inner_.kind = below == 0 ? scheme::affine : scheme::symmetric_full;
        if (below == 0) return;
        const auto reach = [](std::int32_t steps, std::int32_t codes) {
            return static_cast<float>(steps) / static_cast<float>(codes);
        };
        start_.scales[0] *= std::max(reach(below, -inner_.qmin()),
                                     reach(spec_.qmax() - start.zero_point(), inner_.qmax()));
    }

    /// What it learns, as it is before training; each has one element, or one a channel.
    [[nodiscard]] std::map<std::string, tensor<float>> parameters() const {
        const extents shape{static_cast<std::int64_t>(start_.scales.size())};
        tensor<float> scale(shape, start_.scales), second(shape);
        switch (how_) {
        case learning::lsq:
            return {{name_ + ".scale", scale}};
        case learning::lsq_plus:
            for (std::size_t i = 0; i < scale.size(); ++i)
                second[i] = -static_cast<float>(start_.zero_points[i]) * scale[i];
            return {{name_ + ".scale", scale}, {name_ + ".offset", second}};
        case learning::pact:
            for (std::size_t i = 0; i < scale.size(); ++i)
                second[i] = static_cast<float>(inner_.qmax()) * scale[i];
            return {{name_ + ".alpha", second}};
        default:
            return {};
        }
    }

    /// Whether values below 0 become 0.
    [[nodiscard]] bool cuts_below_zero() const {
        return inner_.kind == scheme::affine && how_ != learning::lsq_plus &&
               (how_ != learning::given || start_.zero_point() == inner_.qmin());
    }

    /// `x` as its codes stand for it.
    [[nodiscard]] at::Tensor operator()(const at::Tensor& x, const parameter_map& all) const {
        switch (how_) {
        case learning::lsq:
            return torch::lsq(x, all.at(name_ + ".scale"), inner_);
        case learning::lsq_plus:
            return torch::lsq_plus(x, all.at(name_ + ".scale"), all.at(name_ + ".offset"), inner_);
        case learning::pact:
            return torch::pact(x, all.at(name_ + ".alpha"), inner_);
        case learning::dorefa:
            return torch::dorefa_weight(x, inner_);
        default:
            return straight_through(x, at::tensor(start_.scales, at::kFloat),
                                    at::tensor(start_.zero_points, at::kInt), inner_);
        }
    }

    /// The scales and zero points that it stands for.
    [[nodiscard]] qparams params(const parameter_map& all) const {
        const auto values = [&](const char* suffix) {
            return detail::dense_values(all.at(name_ + suffix));
        };
        qparams p = start_;
        if (how_ == learning::lsq) p = train::learned_params<train::lsq>(inner_, values(".scale"));
        if (how_ == learning::lsq_plus)
            p = train::learned_params<train::lsq_plus>(inner_, values(".scale"), values(".offset"));
        if (how_ == learning::pact)
            p = train::learned_params<train::pact>(inner_, values(".alpha"));
        if (how_ == learning::dorefa) p = train::dorefa_params(inner_, start_.scales.size());
        p.spec = spec_;
        for (std::int32_t& zero : p.zero_points)
            zero += spec_.qmin() - inner_.qmin();
        return p;
    }

private:
    learning how_;
    qspec spec_;    ///< of the codes that are deployed
    qspec inner_;   ///< of those of training: the same reals, a shifted zero point
    qparams start_; ///< one scale a row; with the zero points of `spec_`
    std::string name_;
};

} // namespace torch
} // namespace v0
} // namespace quantal

#endif
