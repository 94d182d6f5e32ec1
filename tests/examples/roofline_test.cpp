// SPDX-License-Identifier: Apache-2.0
#include <roofline.hpp>

#include <boost/test/unit_test.hpp>

using namespace quantal;

namespace {

cpu::step_description step(std::size_t weights, std::size_t activations, std::int64_t operations) {
    return {.layer = {},
            .kernel = {},
            .shape = {},
            .bytes = weights + activations,
            .weight_bytes = weights,
            .operations = operations};
}

/// 64 bytes come at 32 bytes a second, more at 8.
const benchmarks::peaks machine{4.0, 2.0, {{64, 32.0}, {1024, 8.0}}};

} // namespace

BOOST_AUTO_TEST_SUITE(examples_roofline)

BOOST_AUTO_TEST_CASE(bytes_come_at_the_rate_of_arrays_of_their_size) {
    BOOST_TEST(machine.read_rate(1) == 32.0);
    BOOST_TEST(machine.read_rate(64) == 32.0);
    BOOST_TEST(machine.read_rate(65) == 8.0);
    BOOST_TEST(machine.read_rate(5000) == 8.0);
    BOOST_TEST(machine.memory() == 8.0);
}

// The sums below are exact: all numbers are small multiples of powers of two.
BOOST_AUTO_TEST_CASE(weights_are_read_once_a_batch) {
    const std::vector steps{step(128, 32, 4), step(0, 16, 400)};
    const auto one = homework::cost_of(steps, 1.0, 4.0, machine);
    BOOST_TEST(one.operations == 404.0);
    BOOST_TEST(one.bytes == 176.0);
    BOOST_TEST(one.memory_seconds == 128.0 / 8 + 32.0 / 32);
    BOOST_TEST(one.product_seconds == 100.0);
    const auto four = homework::cost_of(steps, 4.0, 4.0, machine);
    BOOST_TEST(four.operations == 4 * 404.0);
    BOOST_TEST(four.bytes == 128.0 + 4 * 48.0);
    BOOST_TEST(four.memory_seconds == 128.0 / 8 + 128.0 / 8); // 128 bytes of activations
    BOOST_TEST(four.product_seconds == 400.0);
}

BOOST_AUTO_TEST_CASE(the_largest_part_of_the_time_is_the_bound) {
    const auto bound = [](double products, double memory, double all) {
        return std::string(
            homework::bound_of({.product_seconds = products, .memory_seconds = memory}, all));
    };
    BOOST_TEST(bound(6, 3, 10) == "compute");
    BOOST_TEST(bound(3, 6, 10) == "memory");
    BOOST_TEST(bound(3, 2, 10) == "overhead");
    BOOST_TEST(bound(12, 3, 10) == "compute"); // fewer products than are counted
}

BOOST_AUTO_TEST_SUITE_END()
