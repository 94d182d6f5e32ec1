// SPDX-License-Identifier: Apache-2.0
#include <device_speed.hpp>

#include "support/library_device.hpp"
#include "support/networks.hpp"

#include <quantal/runtime/cpu/program.hpp>

#include <boost/test/unit_test.hpp>

using namespace quantal;

namespace {

graph random_mobilenet() {
    graph net = models::by_name("mobilenet_v2", {.size = 32, .width = 0.25});
    std::mt19937_64 g(20261124);
    benchmarks::randomize(net, g);
    return passes::optimize(std::move(net));
}

qspec weights_of(const plan& p, const char* name) {
    for (value v = 0; v < p.net.size(); ++v)
        if (p.at(v).name == name) return *p.roles[v].weights;
    throw std::runtime_error(name);
}

/// All images at once give what they give in parts of two.
template <class Program>
void check_parts(const Program& program, const tensor<float>& images, std::int64_t classes) {
    const std::int64_t count = images.shape()[0];
    tensor<float> whole({count, classes}), parts({count, classes});
    const auto same = [&](std::int64_t) { return program; };
    homework::batch_runner<Program> at_once(same, std::size_t{1} << 30, 1);
    at_once.prepare(count);
    at_once.run(images, whole);
    BOOST_TEST(at_once.part() == count);
    at_once.prepare(1);
    homework::batch_runner<Program> in_parts(same, 2 * at_once.bytes(), 1);
    in_parts.prepare(count);
    in_parts.run(images, parts);
    BOOST_TEST(in_parts.part() == 2);
    BOOST_TEST(std::equal(whole.values().begin(), whole.values().end(), parts.values().begin()));
}

} // namespace

BOOST_AUTO_TEST_SUITE(examples_speed)

BOOST_AUTO_TEST_CASE(the_ends_of_a_form_have_8_bits) {
    const graph net = random_mobilenet();
    const plan p = place(net, homework::quantization_of(net, {"W2A4", "w2", "a4"}));
    BOOST_TEST((weights_of(p, "features.0.0") == w8));
    BOOST_TEST((weights_of(p, "features.1.conv.0.0") == parse_spec("w2")));
    BOOST_TEST((weights_of(p, "classifier.1") == w8));
    BOOST_TEST((p.roles[0].output == a8)); // the images
    std::size_t of_8_bits = 0, of_4_bits = 0;
    for (const value v : p.points()) {
        of_8_bits += *p.roles[v].output == a8;
        of_4_bits += *p.roles[v].output == parse_spec("a4");
    }
    BOOST_TEST(of_8_bits == 2); // and the pooled features, which the classifier reads
    BOOST_TEST(of_4_bits == p.points().size() - 2);
}

BOOST_AUTO_TEST_CASE(a_batch_in_parts_gives_what_it_gives_at_once) {
    const graph net = random_mobilenet();
    std::mt19937_64 g(20261125);
    const auto images = benchmarks::normal(g, net.input_shape().with_front(5), 1.0f);
    const auto n = homework::in_integers(net, homework::integer_forms[0], {images}, 1);
    check_parts(cpu::program(n), images, 1000);
}

BOOST_AUTO_TEST_CASE(a_device_takes_parts_too, *boost::unit_test::label("device")) {
    const auto device = support::library_device();
    const auto c = networks::make("operators");
    const auto classes = c.network.at(c.network.net.output()).shape.count();
    check_parts(lower(quantize(c.network, c.table), device), c.images,
                static_cast<std::int64_t>(classes));
}

BOOST_AUTO_TEST_CASE(times_of_the_host_runner_are_refused, *boost::unit_test::label("device")) {
    const auto device = support::library_device();
    if (device.is_host_runner())
        BOOST_CHECK_THROW(homework::check_times_mean_something(device), data_error);
    else
        BOOST_CHECK_NO_THROW(homework::check_times_mean_something(device));
}

BOOST_AUTO_TEST_CASE(a_ratio_is_that_of_the_same_round) {
    const std::vector<double> ratios = benchmarks::speed_ratios({1.0, 2.0, 4.0}, {3.0, 4.0, 4.0});
    BOOST_TEST(ratios == (std::vector<double>{1.0, 2.0, 3.0}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
