// SPDX-License-Identifier: Apache-2.0
#include <quantal/observe/moving_average.hpp>
#include <quantal/runtime/cpu/executor.hpp>
#include <quantal/runtime/cpu/program.hpp>
#include <quantal/runtime/program.hpp>

#include "kernel/cpu/archs.hpp"
#include "support/networks.hpp"

#include <boost/test/unit_test.hpp>

using namespace quantal;

namespace {

/// Every value of every node, in logical order.
template <class E>
std::vector<tensor<float>> all_values(E&& executor, const tensor<float>& images) {
    std::vector<tensor<float>> result;
    (void)executor(images, [&](value v, const view<const float>& batch) {
        BOOST_TEST(v == result.size());
        result.emplace_back(batch.shape());
        batch.for_each([&](float x, std::size_t i) { result.back()[i] = x; });
    });
    return result;
}

/// `|x - y|` beside the size of `x`.
double relative_error(const tensor<float>& x, const tensor<float>& y) {
    double error = 0.0, size = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        error += (double{x[i]} - y[i]) * (double{x[i]} - y[i]);
        size += double{x[i]} * x[i];
    }
    return std::sqrt(error / size);
}

struct case_of_floats {
    graph net;
    tensor<float> images;
};

/// Batch norms and stand-alone clips included.
case_of_floats make(const char* kind) {
    auto g = support::generator();
    graph net = networks::by_kind(kind);
    support::randomize(net, g);
    tensor<float> images = support::normal(g, net.input_shape().with_front(3));
    return {std::move(net), std::move(images)};
}

} // namespace

BOOST_AUTO_TEST_SUITE(cpu_executor)

BOOST_AUTO_TEST_CASE(every_value_is_close_to_the_references) {
    for (const char* kind : networks::kinds) {
        const case_of_floats c = make(kind);
        const auto expected = all_values(reference_executor(c.net), c.images);
        for (const cpu::kernel_set* kernels : support::built_kernels()) {
            const auto values = all_values(cpu::executor(c.net, 1, *kernels), c.images);
            BOOST_REQUIRE(values.size() == expected.size());
            // Both add in the same order; a fused multiply-add leaves out one of two roundings of
            // 2^-24, which fifty layers of random weights amplify to less than this.
            for (value v = 0; v < values.size(); ++v)
                BOOST_TEST_CONTEXT(kind << ' ' << kernels->name << ' ' << c.net.at(v).name) {
                    BOOST_TEST(values[v].shape() == expected[v].shape());
                    BOOST_TEST(relative_error(expected[v], values[v]) < 1e-4);
                }
        }
    }
}

BOOST_AUTO_TEST_CASE(threads_and_batches_do_not_change_a_bit) {
    for (const char* kind : networks::kinds) {
        const case_of_floats c = make(kind);
        const auto expected = all_values(cpu::executor(c.net, 1), c.images);
        for (const int threads : {2, 3})
            BOOST_TEST((all_values(cpu::executor(c.net, threads), c.images) == expected));
        cpu::executor alone(c.net, 2);
        for (std::int64_t i = 0; i < 3; ++i) {
            const auto image = c.images.slice(i);
            const auto y =
                alone({c.net.input_shape().with_front(1), {image.begin(), image.end()}}, {});
            const auto all = expected.back().slice(i);
            BOOST_TEST(std::equal(y.values().begin(), y.values().end(), all.begin(), all.end()));
        }
    }
}

BOOST_AUTO_TEST_CASE(it_calibrates_a_network) {
    const auto c = networks::make("resnet20");
    const table t = calibrate(c.network, cpu::executor(c.network.net), std::vector{c.images});
    BOOST_TEST((t.weights == c.table.weights)); // seen by nobody's kernels
    BOOST_REQUIRE(t.activations.size() == c.table.activations.size());
    for (const auto& [name, params] : t.activations) {
        const float expected = c.table.activations.at(name).scale();
        BOOST_TEST_CONTEXT(name)
        BOOST_TEST(std::abs(params.scale() - expected) < 1e-4f * expected); // as above
    }
}

BOOST_AUTO_TEST_CASE(integers_are_shown_as_what_their_codes_stand_for) {
    for (const qspec activations : {a4, a8, a16})
        for (const char* kind : networks::kinds) {
            const auto c = networks::make(kind, {.weights = w4, .activations = activations});
            const integer_network n = quantize(c.network, c.table);
            const auto program = lower(n, cpu::default_kernels());
            std::map<value, std::vector<float>> expected;
            const auto logits = program.run(
                c.images, 1, [&](value v, std::size_t, std::span<const std::int32_t> codes) {
                    for (const std::int32_t q : codes)
                        expected[v].push_back(
                            activation_params(c.network, c.table, v).dequantize(q));
                });
            const auto values = all_values(cpu::executor(n, 2), c.images);
            BOOST_TEST_CONTEXT(kind << ' ' << activations) {
                BOOST_TEST(values.size() == c.network.net.size());
                for (const auto& [v, reals] : expected)
                    BOOST_TEST(std::ranges::equal(values[v].values(), reals));
                BOOST_TEST(std::ranges::equal(values.back().values(), logits.values()));
            }
        }
}

BOOST_AUTO_TEST_CASE(nan_goes_through_and_is_named) {
    auto c = networks::make("resnet20");
    c.images[7] = std::nanf("");
    BOOST_CHECK_EXCEPTION(
        (void)calibrate(c.network, cpu::executor(c.network.net), std::vector{c.images}), data_error,
        [](const error& e) {
            return std::string(e.what()).find("\"input\" holds the value nan at element 7") !=
                   std::string::npos;
        });
    BOOST_CHECK_THROW((void)cpu::executor(c.network.net)(tensor<float>({1, 3, 32, 32}), {}),
                      shape_error);
}

BOOST_AUTO_TEST_SUITE_END()
