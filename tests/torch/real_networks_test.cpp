// SPDX-License-Identifier: Apache-2.0
// Networks that others trained: LibTorch and the reference agree in every code.
#include <quantal/torch/exact_network.hpp>

#include <quantal/runtime/calibrate.hpp>
#include <quantal/torch/float_network.hpp>

#include "support/real_networks.hpp"

using namespace quantal;
using quantal::torch::exact_network;
using quantal::torch::float_network;
using support::right_answers;

namespace {

/// Not one code and not one logit of the first `count` images differs; returns how many answers are
/// right.
std::size_t check_identical(const graph& net, const quantization& q,
                            const data::dataset& calibration, std::size_t calibration_count,
                            const data::dataset& test, std::size_t count) {
    const plan p = place(net, q);
    const data::loader batches(calibration, {.batch_size = 16, .count = calibration_count});
    const table t = calibrate(p, float_network(p.net), batches);
    const exact_network exact(p, t);
    const program integer = lower(p, t);
    const tensor<float> images = data::read_all(test, 0, count);
    support::check_identical_codes(p, exact, integer, images);
    const tensor<float> logits = integer.run(images);
    BOOST_TEST((exact.run(images) == logits));
    return right_answers(logits, test);
}

} // namespace

BOOST_AUTO_TEST_SUITE(torch_real_networks)

BOOST_AUTO_TEST_CASE(resnet20_of_cifar10_has_identical_codes,
                     *boost::unit_test::label("real") * boost::unit_test::label("cifar10")) {
    const support::cifar10_resnet20 real;
    const std::size_t in_float =
        right_answers(float_network(real.net)(data::read_all(real.test, 0, 64), {}), real.test);
    const auto right = [&](const quantization& q) {
        return check_identical(real.net, q, real.calibration, 32, real.test, 64);
    };
    BOOST_TEST(in_float >= 55u); // of 64; 91.7 % of all test images
    BOOST_TEST(right({w8, a8}) + 3 >= in_float);
    BOOST_TEST(right({w4, a4}) > 0u);
}

BOOST_AUTO_TEST_CASE(mobilenet_v2_of_imagenet_has_identical_codes,
                     *boost::unit_test::label("real") * boost::unit_test::label("imagenet")) {
    const support::imagenet_mobilenet_v2 real;
    const std::size_t in_float =
        right_answers(float_network(real.net)(data::read_all(real.test, 0, 4), {}), real.test);
    BOOST_TEST(in_float >= 2u);
    BOOST_TEST(check_identical(real.net, {w8, a8}, real.calibration, 32, real.test, 4) + 1 >=
               in_float);
    (void)check_identical(real.net, {w4, a4}, real.calibration, 32, real.test, 4);
}

BOOST_AUTO_TEST_SUITE_END()
