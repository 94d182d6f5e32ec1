// SPDX-License-Identifier: Apache-2.0
#include <quantal/kernel/reference/function.hpp>

#include "support/random.hpp"

#include <quantal/passes/place.hpp>
#include <quantal/runtime/calibrate.hpp>
#include <quantal/runtime/program.hpp>

#include <boost/test/unit_test.hpp>

using namespace quantal;
using reference::apply;

namespace {

/// Codes of every node of a network, image after image.
template <requantizer R = requantizers::in_float>
std::map<value, std::vector<std::int32_t>> codes_of(const plan& p, const table& t,
                                                    const tensor<float>& images) {
    std::map<value, std::vector<std::int32_t>> codes;
    (void)lower(p, t, R{}).run(images, 1, [&](value v, std::size_t, auto q) {
        codes[v].insert(codes[v].end(), q.begin(), q.end());
    });
    return codes;
}

/// An image, its means by channel, and the product of the two.
struct scaled_image {
    plan p;
    table t;
    tensor<float> images;

    scaled_image(std::mt19937& g, const quantization& q)
        : images(support::normal(g, {4, 3, 5, 6})) {
        graph net;
        const value x = net.input({3, 5, 6});
        net.multiply("product", x, net.global_average_pool("means", x));
        p = place(std::move(net), q);
        t = calibrate(p, reference_executor(p.net), std::vector{images});
    }
    /// `to_code(product of codes less their zero points, s_a * s_b / s_y)` is what a program gave.
    template <requantizer R, class ToCode>
    void check(ToCode&& to_code) const {
        const auto codes = codes_of<R>(p, t, images);
        const auto params = [&](value v) { return activation_params(p, t, v); };
        const float m = params(0).scale() * params(1).scale() / params(2).scale();
        for (std::size_t i = 0; i < images.size(); ++i) {
            const std::int64_t product = std::int64_t{codes.at(0)[i] - params(0).zero_point()} *
                                         (codes.at(1)[i / 30] - params(1).zero_point());
            BOOST_TEST(codes.at(2)[i] == to_code(product, m, params(2)));
        }
    }
};

std::int32_t in_float(std::int64_t product, float m, const qparams& y) {
    return arith::requantize(product, m, y.zero_point(), y.spec.qmin(), y.spec.qmax());
}

} // namespace

BOOST_AUTO_TEST_SUITE(reference_function)

BOOST_AUTO_TEST_CASE(curves_at_known_places) {
    const op::function leaky{op::curve::leaky_relu}, sigmoid{op::curve::sigmoid},
        hard{op::curve::hard_sigmoid, 0.5f, 0.25f}, swish{op::curve::hard_swish};
    BOOST_TEST(apply(leaky, 0.5f, -3.0f) == -1.5f);
    BOOST_TEST(apply(leaky, 0.5f, 3.0f) == 3.0f);
    BOOST_TEST(apply(sigmoid, 0.0f, 0.0f) == 0.5f);
    BOOST_TEST(apply(sigmoid, 0.0f, 1.0f) == 0.73105857863f); // 1 / (1 + 1 / e)
    BOOST_TEST(apply(sigmoid, 0.0f, 1000.0f) == 1.0f);
    BOOST_TEST(apply(sigmoid, 0.0f, -1000.0f) == 0.0f);
    for (const float x : {-0.5f, 0.0f, 1.0f, 1.5f, 9.0f})
        BOOST_TEST(apply(hard, 0.5f, x) == std::clamp(0.5f * x + 0.25f, 0.0f, 1.0f));
    BOOST_TEST(apply(swish, 0.0f, 1.5f) == 1.125f);
    BOOST_TEST(apply(swish, 0.0f, -4.0f) == 0.0f);
    BOOST_TEST(apply(swish, 0.0f, 100.0f) == 100.0f);
}

BOOST_AUTO_TEST_CASE(codes_are_those_of_dequantized_codes) {
    auto g = support::generator();
    for (const char* spec : {"a8", "a8 signed", "a3", "a16"})
        for (const auto curve : {op::curve::prelu, op::curve::sigmoid, op::curve::hard_swish}) {
            graph net;
            const op::function f{curve, 0.25f, 0.0f};
            net.function("f", net.input({2, 3, 4}), f);
            const std::vector<float> slopes{-0.5f, 1.5f};
            if (curve == op::curve::prelu)
                net.parameters.emplace("f.weight", tensor<float>({2}, slopes));
            const plan p = place(std::move(net), {.activations = parse_spec(spec)});
            const auto images = support::normal(g, {3, 2, 3, 4});
            const table t = calibrate(p, reference_executor(p.net), std::vector{images});
            const auto codes = codes_of(p, t, images);
            for (std::size_t i = 0; i < images.size(); ++i) {
                const float alpha = curve == op::curve::prelu ? slopes[i / 12 % 2] : 0.25f;
                const float x = activation_params(p, t, 0).dequantize(codes.at(0)[i]);
                BOOST_TEST(codes.at(1)[i] ==
                           activation_params(p, t, 1).quantize(apply(f, alpha, x)));
            }
        }
}

BOOST_AUTO_TEST_CASE(products_are_requantized) {
    auto g = support::generator();
    scaled_image(g, {}).check<requantizers::in_float>(in_float);
    scaled_image(g, {.activations = parse_spec("a16")}).check<requantizers::in_float>(in_float);
    scaled_image(g, {}).check<requantizers::in_fixed_point>(
        [](std::int64_t product, float m, const qparams& y) {
            return arith::requantize(static_cast<std::int32_t>(product), arith::fixed_point(m),
                                     y.zero_point(), y.spec.qmin(), y.spec.qmax());
        });
}

BOOST_AUTO_TEST_CASE(products_that_cannot_be_requantized_are_refused) {
    auto g = support::generator();
    const scaled_image wide(g, {.activations = parse_spec("a16")});
    BOOST_CHECK_EXCEPTION((void)lower(wide.p, wide.t, requantizers::in_fixed_point{}), graph_error,
                          [](const error& e) {
                              return std::string(e.what()).starts_with(
                                  "layer \"product\" has codes of 16 bits");
                          });
    scaled_image steep(g, {});
    for (const char* name : {"input", "means"})
        steep.t.activations.at(name).scales = {1e30f};
    BOOST_CHECK_THROW((void)quantize(steep.p, steep.t), graph_error);
}

BOOST_AUTO_TEST_SUITE_END()
