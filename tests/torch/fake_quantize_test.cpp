// SPDX-License-Identifier: Apache-2.0
#include <quantal/torch/fake_quantize.hpp>

#include <quantal/ops/quantize.hpp>
#include <quantal/spec/text.hpp>

#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

#include <torch/csrc/autograd/autograd.h>

using namespace quantal;
using quantal::torch::as_torch;
using quantal::torch::dorefa_weight;
using quantal::torch::from_torch;
using quantal::torch::lsq;
using quantal::torch::lsq_plus;
using quantal::torch::pact;
using quantal::torch::straight_through;

namespace {

using tensors = std::vector<at::Tensor>;

const qspec training_specs[] = {
    w2, w4, w8, a4, a8, parse_spec("4 symmetric tensor"), parse_spec("4 affine signed channel(0)")};

at::Tensor variable(const at::Tensor& t) {
    return t.clone().requires_grad_();
}
at::Tensor numbers(std::initializer_list<float> values) {
    return at::tensor(at::ArrayRef<float>(values), at::kFloat);
}
at::Tensor random(std::mt19937& g, const extents& shape) {
    return as_torch(support::normal(g, shape)).clone();
}

/// A tensor of three rows, the gradient that comes to it, and parameters for it. Scales have few
/// bits, hence offsets are whole numbers of steps.
struct sample {
    at::Tensor x, gy, scale, zero_point, offset, bound;

    sample(std::mt19937& g, qspec s, std::int64_t row_size = 140)
        : x(variable(random(g, {3, row_size / 20, 4, 5}))),
          gy(random(g, {3, row_size / 20, 4, 5})) {
        const std::int64_t rows = s.grain == per_channel ? 3 : 1;
        const float step = std::round(1500.0f / static_cast<float>(s.qmax())) / 1024.0f;
        scale = at::arange(4, 4 + rows, at::kFloat) * (step / 4.0f);
        zero_point = s.is_symmetric() ? at::zeros(rows) : at::arange(1, 1 + rows, at::kFloat);
        offset = -scale * zero_point;
        bound = at::arange(4, 4 + rows, at::kFloat) / 3.0f;
        for (at::Tensor* t : {&scale, &offset, &bound})
            t->requires_grad_();
    }
};

/// The gradients of `sum(y * gy)`.
tensors gradients(const at::Tensor& y, const at::Tensor& gy, const tensors& of) {
    return ::torch::autograd::grad({y}, of, {gy});
}

/// Results and gradients of all five.
tensors all_of(const sample& t, qspec s) {
    const at::Tensor &x = t.x, &gy = t.gy;
    tensors result;
    const auto add = [&](const at::Tensor& y, const tensors& of) {
        result.push_back(y);
        for (const at::Tensor& gradient : gradients(y, gy, of))
            result.push_back(gradient);
    };
    add(straight_through(x, t.scale, t.zero_point, s), {x});
    add(lsq_plus(x, t.scale, t.offset, s), {x, t.scale, t.offset});
    add(pact(x, t.bound, s), {x, t.bound});
    add(lsq(x, t.scale, s), {x, t.scale});
    if (s.is_symmetric()) add(dorefa_weight(x, s), {x});
    return result;
}

template <class Rule>
tensor<float> expected(const at::Tensor& x, qspec s, const at::Tensor& first,
                       const at::Tensor& second = {}) {
    const tensor<float> a = from_torch(first), b = second.defined() ? from_torch(second) : a;
    return fake_quantize(view<const float>(from_torch(x)),
                         train::learned_params<Rule>(s, a.values(), b.values()));
}

at::Tensor clamped(const at::Tensor& x, const at::Tensor& lo, const at::Tensor& hi) {
    return at::minimum(at::maximum(x, lo), hi);
}
/// `scale * q + offset` as a chain of operations that LibTorch differentiates.
at::Tensor chain(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& offset, qspec s) {
    const at::Tensor t = clamped((x - offset) / scale, at::full({}, s.qmin(), at::kDouble),
                                 at::full({}, s.qmax(), at::kDouble));
    return (t + (at::round(t) - t).detach()) * scale + offset;
}
/// In double, and as columns of a matrix that broadcast to `sample::x`.
at::Tensor wide(const at::Tensor& t) {
    return t.detach().to(at::kDouble).reshape({-1, 1, 1, 1}).requires_grad_();
}

void check_near(const at::Tensor& found, const at::Tensor& exact, double tolerance) {
    BOOST_TEST(found.numel() == exact.numel());
    const at::Tensor distance = found.to(at::kDouble).reshape_as(exact) - exact;
    BOOST_TEST(distance.abs().max().item<double>() <= tolerance);
}

template <class Error, class F>
void check_refused(F&& f, const std::string& message) {
    BOOST_CHECK_EXCEPTION((void)f(), Error, [&](const error& e) {
        BOOST_TEST_MESSAGE(e.what());
        return e.what() == message;
    });
}

} // namespace

BOOST_AUTO_TEST_SUITE(torch_fake_quantize)

BOOST_AUTO_TEST_CASE(forward_has_the_bits_of_the_engine) {
    auto g = support::generator();
    for (const qspec s : training_specs) {
        const sample t(g, s);
        const at::Tensor given = straight_through(t.x, t.scale, t.zero_point.to(at::kInt), s);
        BOOST_TEST((from_torch(given) ==
                    expected<train::straight_through>(t.x, s, t.scale, t.zero_point)));
        BOOST_TEST((from_torch(lsq(t.x, t.scale, s)) == expected<train::lsq>(t.x, s, t.scale)));
        BOOST_TEST((from_torch(lsq_plus(t.x, t.scale, t.offset, s)) == from_torch(given)));
        BOOST_TEST((from_torch(pact(t.x, t.bound, s)) == expected<train::pact>(t.x, s, t.bound)));
        if (!s.is_symmetric()) continue;
        const at::Tensor w = at::tanh(t.x);
        BOOST_TEST((from_torch(dorefa_weight(t.x, s)) ==
                    fake_quantize(view<const float>(from_torch(w / w.abs().max())),
                                  train::dorefa_params(s, s.grain == per_channel ? 3 : 1))));
    }
}

// t is -3, 0.6, 3.2, 18 and r is 0 (or -2 with zero point 2), 1, 3 and 15 (13).
BOOST_AUTO_TEST_CASE(gradients_of_four_numbers) {
    const at::Tensor x = variable(numbers({-1.5f, 0.3f, 1.6f, 9.0f})), gy = numbers({1, 2, 3, 4});
    const at::Tensor scale = variable(numbers({0.5f})), offset = variable(numbers({-1.0f}));
    const at::Tensor inside = numbers({0, 2, 3, 0});
    const double factor = 1.0 / std::sqrt(4 * 15);
    constexpr double tolerance = 1e-6; // terms and sums are float32

    const at::Tensor y = straight_through(x, scale, numbers({2}), a4);
    BOOST_TEST(at::equal(gradients(y, gy, {x})[0], inside));

    const auto plain = gradients(lsq(x, scale, a4), gy, {x, scale});
    BOOST_TEST(at::equal(plain[0], inside));
    check_near(plain[1] / factor, at::full({1}, 2 * 0.4 - 3 * 0.2 + 4 * 15, at::kDouble),
               60 * tolerance);

    const auto both = gradients(lsq_plus(x, scale, offset, a4), gy, {x, scale, offset});
    BOOST_TEST(at::equal(both[0], inside));
    check_near(both[1] / factor, at::full({1}, 2 * 0.4 - 3 * 0.2 + 4 * 15, at::kDouble),
               60 * tolerance);
    check_near(both[2] / factor, at::full({1}, 1 + 4, at::kDouble), 5 * tolerance);

    const at::Tensor alpha = variable(numbers({1.5f}));
    const auto affine = gradients(pact(x, alpha, a4), gy, {x, alpha});
    BOOST_TEST(at::equal(affine[0], numbers({0, 2, 0, 0})));
    BOOST_TEST(affine[1].item<float>() == 3.0f + 4.0f);
    const auto symmetric =
        gradients(pact(x, alpha, parse_spec("4 symmetric tensor")), gy, {x, alpha});
    BOOST_TEST(at::equal(symmetric[0], numbers({0, 2, 0, 0})));
    BOOST_TEST(symmetric[1].item<float>() == 3.0f + 4.0f - 1.0f);
}

// In double. A term of a scale's sum is `g * (r - t)`: t is rounded to float32, at most 2^-24 of
// qmax off, and so is what is added; |g| < 4.
BOOST_AUTO_TEST_CASE(gradients_are_those_of_a_chain_of_operations) {
    auto g = support::generator();
    for (const qspec s : training_specs) {
        const sample t(g, s);
        const at::Tensor x = t.x.detach().to(at::kDouble).requires_grad_(), gy = t.gy;
        const at::Tensor wide_gy = gy.to(at::kDouble), scale = wide(t.scale);
        const at::Tensor offset = wide(t.offset), bound = wide(t.bound);
        const auto count = static_cast<double>(x.numel() / scale.numel());
        const double factor = train::gradient_scale(s, static_cast<std::size_t>(count));
        const double tolerance = 4 * count * s.qmax() * 0x1p-23;

        const auto both = gradients(chain(x, scale, offset, s), wide_gy, {x, scale, offset});
        auto found = gradients(straight_through(t.x, t.scale, t.zero_point, s), gy, {t.x});
        check_near(found[0], both[0], 0x1p-50); // 1 / scale * scale
        found = gradients(lsq_plus(t.x, t.scale, t.offset, s), gy, {t.x, t.scale, t.offset});
        check_near(found[0], both[0], 0x1p-50);
        check_near(found[1] / factor, both[1], tolerance);
        check_near(found[2] / factor, both[2], tolerance);

        const at::Tensor none = at::zeros({}, at::kDouble);
        const auto plain = gradients(chain(x, scale, none, s), wide_gy, {x, scale});
        found = gradients(lsq(t.x, t.scale, s), gy, {t.x, t.scale});
        check_near(found[0], plain[0], 0x1p-50);
        check_near(found[1] / factor, plain[1], tolerance);

        const int zero = train::pact::params(s, 1.0f, 0.0f).zero_point;
        const double least = double(s.qmin() - zero) / (s.qmax() - zero);
        const auto clipped = gradients(clamped(x, bound * least, bound), wide_gy, {x, bound});
        found = gradients(pact(t.x, t.bound, s), gy, {t.x, t.bound});
        check_near(found[0], clipped[0], 0.0);
        check_near(found[1], clipped[1], tolerance);
    }
}

// tanh is float32's: 1 - t^2 and t / M have relative errors of a few 2^-24, |gy| is below 4, and
// the largest element adds the sum over all.
BOOST_AUTO_TEST_CASE(gradients_of_squashed_weights) {
    auto g = support::generator();
    const sample t(g, w4);
    const at::Tensor w = t.x.detach().to(at::kDouble).requires_grad_(), squashed = at::tanh(w);
    const at::Tensor exact =
        gradients(squashed / squashed.abs().max(), t.gy.to(at::kDouble), {w})[0];
    check_near(gradients(dorefa_weight(t.x, w4), t.gy, {t.x})[0], exact, 4 * 0x1p-20);
}

// What there is for each element; the sums behind the gradients of parameters are made in the order
// of memory: 16 lanes of 27 float32 terms lose up to 2^-19 of the sum of their magnitudes.
BOOST_AUTO_TEST_CASE(strides_do_not_change_bits) {
    auto g = support::generator();
    for (const qspec s : training_specs) {
        const sample dense(g, s);
        sample strided = dense;
        for (at::Tensor* t : {&strided.x, &strided.gy})
            *t = t->detach().permute({3, 0, 2, 1}).contiguous().permute({1, 3, 2, 0});
        strided.x.requires_grad_();
        BOOST_TEST(!strided.x.is_contiguous());
        BOOST_TEST(!strided.gy.is_contiguous());
        const tensors found = all_of(strided, s), expected = all_of(dense, s);
        for (std::size_t i = 0; i < expected.size(); ++i)
            if (found[i].sizes() == dense.x.sizes())
                BOOST_TEST(at::equal(found[i], expected[i]));
            else
                BOOST_TEST(at::allclose(found[i], expected[i], 0x1p-16, 0x1p-16));
    }
}

BOOST_AUTO_TEST_CASE(threads_do_not_change_bits) {
    auto g = support::generator();
    const int threads = at::get_num_threads();
    for (const qspec s : {w4, parse_spec("8 symmetric tensor"), a4}) {
        const sample t(g, s, 50000);
        at::set_num_threads(1);
        const tensors expected = all_of(t, s);
        for (const int count : {2, 3, 4}) {
            at::set_num_threads(count);
            const tensors found = all_of(t, s);
            for (std::size_t i = 0; i < expected.size(); ++i)
                BOOST_TEST(at::equal(found[i], expected[i]));
        }
    }
    at::set_num_threads(threads);
}

// Without OpenMP in this file, LibTorch would call one thread only.
BOOST_AUTO_TEST_CASE(all_threads_of_libtorch_take_part) {
    const int threads = at::get_num_threads();
    at::set_num_threads(2);
    quantal::torch::libtorch_threads both;
    std::vector<std::size_t> worker_of(2);
    auto task = [&](std::size_t i, std::size_t worker) { worker_of[i] = worker; };
    both.run(2, task);
    BOOST_TEST(both.workers() == 2u);
    BOOST_TEST(worker_of[0] == 0u);
    BOOST_TEST(worker_of[1] == 1u);
    at::set_num_threads(threads);
}

BOOST_AUTO_TEST_CASE(what_it_refuses) {
    const at::Tensor x = at::ones({2, 3}), one = at::ones(1), three = at::ones(3);
    const std::string type = "a LibTorch tensor of type ";
    const std::string allowed = "; strided float32 tensors on the CPU can be viewed";
    check_refused<data_error>([&] { return lsq(x.to(at::kDouble), one, a4); },
                              type + "CPUDoubleType" + allowed);
    check_refused<data_error>([&] { return lsq(x, one.to(at::kHalf), a4); },
                              type + "CPUHalfType" + allowed);
    check_refused<data_error>([&] { return dorefa_weight(x.to(at::kInt), w4); },
                              type + "CPUIntType" + allowed);
    const std::string empty = "a fake quantizer got a tensor without elements";
    check_refused<shape_error>([&] { return lsq(at::ones({0, 3}), one, a4); }, empty);
    check_refused<shape_error>([&] { return pact(x, at::ones(0), a4); }, empty);
    check_refused<shape_error>([&] { return dorefa_weight(at::ones({0, 3}), w4); }, empty);

    check_refused<data_error>([&] { return lsq(x, three, w4); },
                              "a fake quantizer has 3 scales and 3 zero points; 2 of each belong "
                              "to the spec \"4 symmetric narrow channel(0)\" and the shape 2x3");
    check_refused<shape_error>([&] { return lsq_plus(x, one, three, a4); },
                               "a quantizer in training has 1 first parameters and 3 second ones; "
                               "each row has one of each");
    check_refused<data_error>([&] { return pact(x, numbers({std::nanf("")}), a4); },
                              "a quantizer in training has the parameter nan; scales, offsets and "
                              "bounds are finite");
    check_refused<data_error>([&] { return straight_through(x, numbers({-1}), one, a4); },
                              "a fake quantizer has the scale -1; a scale is finite and at least "
                              "2^-63");

    const std::string rows = "; it has one scale, or one a channel of dimension 0";
    for (const char* text : {"4 symmetric narrow group(32)", "4 symmetric narrow channel(1)"}) {
        const std::string found =
            "a fake quantizer of training has the spec \"" + std::string(text) + "\"" + rows;
        check_refused<spec_error>([&] { return lsq(x, three, parse_spec(text)); }, found);
        check_refused<spec_error>([&] { return dorefa_weight(x, parse_spec(text)); }, found);
    }
    check_refused<spec_error>([&] { return lsq(x, one, {.bits = 40}); },
                              "a spec has 40 bits; 1 to 8 and 16 are possible");
    check_refused<spec_error>([&] { return dorefa_weight(x, a4); },
                              "DoReFa's weights have the spec \"4 affine unsigned tensor\"; "
                              "symmetric ones reach from -1 to 1");
}

BOOST_AUTO_TEST_SUITE_END()
