// SPDX-License-Identifier: Apache-2.0
#include <speed.hpp>

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
    tensor<float> whole({5, 1000}), parts({5, 1000});
    homework::kernel_runner at_once(n, std::size_t{1} << 30, 1);
    at_once.prepare(5);
    at_once.run(images, whole);
    BOOST_TEST(at_once.part() == 5);
    at_once.prepare(2);
    homework::kernel_runner in_parts(n, 2 * at_once.bytes(), 1); // a bit less than 2 of its own
    in_parts.prepare(5);
    in_parts.run(images, parts);
    BOOST_TEST(in_parts.part() > 1);
    BOOST_TEST(in_parts.part() < 5);
    BOOST_TEST(std::equal(whole.values().begin(), whole.values().end(), parts.values().begin()));
}

BOOST_AUTO_TEST_CASE(a_ratio_is_that_of_the_same_round) {
    const std::vector<double> ratios = benchmarks::speed_ratios({1.0, 2.0, 4.0}, {3.0, 4.0, 4.0});
    BOOST_TEST(ratios == (std::vector<double>{1.0, 2.0, 3.0}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
