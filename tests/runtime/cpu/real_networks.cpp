// SPDX-License-Identifier: Apache-2.0
// Networks that others trained, calibrated and run without LibTorch: the reference's codes.
#include <quantal/data/cifar10.hpp>
#include <quantal/data/image_folder.hpp>
#include <quantal/data/loader.hpp>
#include <quantal/graph/weights.hpp>
#include <quantal/io/checkpoint.hpp>
#include <quantal/models/mobilenet.hpp>
#include <quantal/models/resnet.hpp>
#include <quantal/passes/optimize.hpp>
#include <quantal/passes/place.hpp>
#include <quantal/runtime/calibrate.hpp>
#include <quantal/runtime/cpu/executor.hpp>
#include <quantal/runtime/cpu/program.hpp>
#include <quantal/runtime/evaluate.hpp>

#include "support/real_data.hpp"

#include <boost/test/unit_test.hpp>

using namespace quantal;

namespace {

graph load(graph net, const std::filesystem::path& weights) {
    load_weights(net, io::read_checkpoint(weights).tensors);
    return passes::optimize(std::move(net));
}

std::size_t right_answers(const tensor<float>& logits, const data::dataset& set) {
    const auto found = predictions(logits);
    std::size_t right = 0;
    for (std::size_t i = 0; i < found.size(); ++i)
        right += found[i] == set.label(i);
    return right;
}

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
    const auto counts = compare_codes(lower(integers), run, data::read_all(test, 0, compared));
    BOOST_TEST(counts.size() == p.points().size());
    for (const auto& [v, codes] : counts)
        BOOST_TEST_CONTEXT("point " << p.at(v).name) {
            BOOST_TEST(codes.codes == p.at(v).shape.count() * compared);
            BOOST_TEST(codes.differing == 0u);
        }
    return right_answers(run.run(data::read_all(test, 0, count)), test);
}

} // namespace

BOOST_AUTO_TEST_SUITE(cpu_real_networks)

BOOST_AUTO_TEST_CASE(resnet20_of_cifar10,
                     *boost::unit_test::label("real") * boost::unit_test::label("cifar10")) {
    const auto folder = support::real_data("cifar10");
    const auto weights = support::real_data("cifar10/resnet20-12fca82f.th");
    const graph net = load(models::resnet20(), weights);
    const data::cifar10 test(folder, data::cifar10_split::test);
    const data::cifar10 calibration(folder, data::cifar10_split::calibration);
    const std::size_t count = 500;
    const std::size_t in_float =
        right_answers(cpu::executor(net)(data::read_all(test, 0, count), {}), test);
    BOOST_TEST(in_float >= 440u); // 91.7 % of all test images
    BOOST_TEST(check_identical(net, {w8, a8}, calibration, test, 32, count) + 10 >= in_float);
    BOOST_TEST(check_identical(net, {w4, a4}, calibration, test, 32, count) > 0u);
}

BOOST_AUTO_TEST_CASE(mobilenet_v2_of_imagenet,
                     *boost::unit_test::label("real") * boost::unit_test::label("imagenet")) {
    const auto folder = support::real_data("imagenet");
    const auto weights = support::real_data("imagenet/mobilenet_v2_tf.safetensors");
    const graph net = load(models::mobilenet_v2({.same_padding = true}), weights);
    data::preprocess prepare = data::image_folder::default_preprocess();
    prepare.mean = prepare.std = {0.5f, 0.5f, 0.5f};
    const auto synsets = folder / "synset_words.txt";
    const data::image_folder test(folder / "val", synsets, prepare);
    const data::image_folder calibration(folder / "calibration", synsets, prepare);
    const std::size_t count = 64;
    const std::size_t in_float =
        right_answers(cpu::executor(net)(data::read_all(test, 0, count), {}), test);
    BOOST_TEST(in_float >= 40u); // 79.7 % of all test images
    BOOST_TEST(check_identical(net, {w8, a8}, calibration, test, 2, count) + 8 >= in_float);
}

BOOST_AUTO_TEST_SUITE_END()
