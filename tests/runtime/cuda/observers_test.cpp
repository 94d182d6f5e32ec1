// SPDX-License-Identifier: Apache-2.0
#include <quantal/observe/kl.hpp>
#include <quantal/observe/mse.hpp>
#include <quantal/observe/percentile.hpp>
#include <quantal/runtime/cuda/observers.hpp>

#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

using namespace quantal;

namespace {

/// Updates of `each` values, of growing deviation, with zeros.
std::vector<float> values_of(std::mt19937& g, std::size_t updates, std::size_t each) {
    std::normal_distribution<float> normal;
    std::vector<float> x(updates * each);
    for (std::size_t i = 0; i < x.size(); ++i)
        x[i] = i % 5 == 0 ? 0.0f : normal(g) * (1.0f + 1.5f * static_cast<float>(i / each));
    return x;
}

/// Both sketches remember the same.
void check_same(const observe::sketch& device, const observe::sketch& host) {
    BOOST_TEST((device.updates() == host.updates()));
    BOOST_TEST((device.tallies() == host.tallies()));
    BOOST_TEST(device.reach() == host.reach());
    for (const qspec spec : {w8, a8, parse_spec("a4")}) {
        BOOST_TEST((observe::solve(observe::mse{}, device, spec) ==
                    observe::solve(observe::mse{}, host, spec)));
        BOOST_TEST((observe::solve(observe::percentile{}, device, spec) ==
                    observe::solve(observe::percentile{}, host, spec)));
    }
}

struct on_device {
    cuda::queue queue{0};
    cuda::device_array<float> memory;

    explicit on_device(const std::vector<float>& x) : memory(0, x.size()) {
        memory.upload(queue, x);
    }
    std::span<const float> values() { return memory.values(); }
};

/// A sketch of `updates` updates at a time against the CPU's.
void compare_sketches(const std::vector<float>& x, std::size_t each, std::size_t at_once) {
    on_device there(x);
    cuda::sketch device(there.queue, 0, x.size() / each);
    observe::sketch host;
    for (std::size_t first = 0; first < x.size(); first += each)
        host.observe(std::span(x).subspan(first, each));
    for (std::size_t first = 0; first < x.size(); first += at_once * each) {
        const std::size_t updates = std::min(at_once, (x.size() - first) / each);
        device.observe(there.values().subspan(first, updates * each), updates);
    }
    check_same(device.on_host(), host);
}

} // namespace

BOOST_AUTO_TEST_SUITE(cuda_observers)

BOOST_AUTO_TEST_CASE(a_moving_average_is_the_cpus) {
    auto g = support::generator();
    for (const std::size_t each : {1u, 33u, 1021u}) {
        constexpr std::size_t updates = 7;
        const auto x = values_of(g, updates, each);
        on_device there(x);
        cuda::moving_average device(there.queue, 0, 0.3f, updates);
        observe::moving_average host{.weight_of_new = 0.3f};
        for (std::size_t i = 0; i < updates; ++i)
            host.observe(std::span(x).subspan(i * each, each));
        device.observe(there.values().first(each));
        device.observe(there.values().subspan(each), updates - 1);
        BOOST_TEST((device.range() == host.range()));
        BOOST_TEST((device.on_host().updates == host.updates));
        BOOST_TEST((device.on_host().range() == host.range()));
    }
}

BOOST_AUTO_TEST_CASE(few_values_are_kept) {
    auto g = support::generator();
    compare_sketches(values_of(g, 5, 701), 701, 2);
    compare_sketches(values_of(g, 2, observe::sketch::most_values / 2),
                     observe::sketch::most_values / 2, 1);
}

BOOST_AUTO_TEST_CASE(many_values_become_the_same_bins) {
    auto g = support::generator();
    for (const std::size_t at_once : {1u, 2u, 3u})
        compare_sketches(values_of(g, 3, 9001), 9001, at_once);
    compare_sketches(values_of(g, 1, observe::sketch::most_values + 1),
                     observe::sketch::most_values + 1, 1);
    compare_sketches(std::vector<float>(20000, 0.0f), 5000, 2);
}

BOOST_AUTO_TEST_CASE(a_sketch_of_a_device_merges_with_others) {
    auto g = support::generator();
    const std::size_t each = 9001;
    const auto x = values_of(g, 3, each);
    on_device there(x);
    cuda::sketch device(there.queue, 0, 2);
    device.observe(there.values().first(2 * each), 2);
    observe::sketch later, host;
    later.observe(std::span(x).subspan(2 * each));
    for (std::size_t first = 0; first < x.size(); first += each)
        host.observe(std::span(x).subspan(first, each));
    observe::sketch merged = device.on_host();
    merged.merge(later);
    check_same(merged, host);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused) {
    const std::vector<float> x(12, 1.0f);
    on_device there(x);
    cuda::sketch device(there.queue, 0, 3);
    BOOST_CHECK_THROW(device.observe(there.values(), 5), shape_error);
    BOOST_CHECK_THROW(device.observe(there.values(), 4), shape_error);
    BOOST_CHECK_THROW(device.observe(there.values(), 0), shape_error);
    BOOST_CHECK_THROW(device.observe({}), shape_error);
    device.observe(there.values(), 3);
    BOOST_CHECK_EXCEPTION(device.observe(there.values()), shape_error, [](const shape_error& e) {
        return std::string(e.what()).find("there is room for 0") != std::string::npos;
    });
}

BOOST_AUTO_TEST_SUITE_END()
