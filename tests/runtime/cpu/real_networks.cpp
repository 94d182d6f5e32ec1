// SPDX-License-Identifier: Apache-2.0
// Networks that others trained, calibrated and run without LibTorch: the reference's codes.
#include <quantal/runtime/calibrate.hpp>
#include <quantal/runtime/cpu/executor.hpp>
#include <quantal/runtime/cpu/program.hpp>

#include "support/real_networks.hpp"

using namespace quantal;
using support::right_answers;

namespace {

/// Not one code of the first `compared` images differs from the reference's; returns how many
/// answers of the first `count` are right.
std::size_t check_identical(const graph& net, const quantization& q,
                            const data::dataset& calibration, const data::dataset& test,
                            std::size_t compared, std::size_t count) {
    const plan p = place(net, q);
    const data::loader batches(calibration, {.batch_size = 8, .count = 32});
    const table t = calibrate(p, cpu::executor(p.net), batches);
    const integer_network integers = quantize(p, t);
    const cpu::program run(integers);
    support::check_identical_codes(p, lower(integers), run, data::read_all(test, 0, compared));
    return right_answers(run.run(data::read_all(test, 0, count)), test);
}

} // namespace

BOOST_AUTO_TEST_SUITE(cpu_real_networks)

BOOST_AUTO_TEST_CASE(resnet20_of_cifar10,
                     *boost::unit_test::label("real") * boost::unit_test::label("cifar10")) {
    const support::cifar10_resnet20 real;
    const std::size_t count = 500;
    const std::size_t in_float =
        right_answers(cpu::executor(real.net)(data::read_all(real.test, 0, count), {}), real.test);
    const auto right = [&](const quantization& q) {
        return check_identical(real.net, q, real.calibration, real.test, 32, count);
    };
    BOOST_TEST(in_float >= 440u); // 91.7 % of all test images
    BOOST_TEST(right({w8, a8}) + 10 >= in_float);
    BOOST_TEST(right({w4, a4}) > 0u);
}

BOOST_AUTO_TEST_CASE(mobilenet_v2_of_imagenet,
                     *boost::unit_test::label("real") * boost::unit_test::label("imagenet")) {
    const support::imagenet_mobilenet_v2 real;
    const std::size_t count = 64;
    const std::size_t in_float =
        right_answers(cpu::executor(real.net)(data::read_all(real.test, 0, count), {}), real.test);
    BOOST_TEST(in_float >= 40u); // 79.7 % of all test images
    BOOST_TEST(check_identical(real.net, {w8, a8}, real.calibration, real.test, 2, count) + 8 >=
               in_float);
}

BOOST_AUTO_TEST_SUITE_END()
