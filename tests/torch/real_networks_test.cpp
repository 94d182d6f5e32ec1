// SPDX-License-Identifier: Apache-2.0
// Networks that others trained: LibTorch and the reference agree in every code.
#include <quantal/torch/exact_network.hpp>

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
#include <quantal/runtime/evaluate.hpp>
#include <quantal/torch/float_network.hpp>

#include "support/real_data.hpp"

#include <boost/test/unit_test.hpp>

using namespace quantal;
using quantal::torch::exact_network;
using quantal::torch::float_network;

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
    const auto counts = compare_codes(exact, integer, images);
    BOOST_TEST(counts.size() == p.points().size());
    for (const auto& [v, compared] : counts)
        BOOST_TEST_CONTEXT("point " << p.at(v).name) {
            BOOST_TEST(compared.codes == p.at(v).shape.count() * count);
            BOOST_TEST(compared.differing == 0u);
        }
    const tensor<float> logits = integer.run(images);
    BOOST_TEST((exact.run(images) == logits));
    return right_answers(logits, test);
}

} // namespace

BOOST_AUTO_TEST_SUITE(torch_real_networks)

BOOST_AUTO_TEST_CASE(resnet20_of_cifar10_has_identical_codes,
                     *boost::unit_test::label("real") * boost::unit_test::label("cifar10")) {
    const auto folder = support::real_data("cifar10");
    const auto weights = support::real_data("cifar10/resnet20-12fca82f.th");
    const graph net = load(models::resnet20(), weights);
    const data::cifar10 test(folder, data::cifar10_split::test);
    const data::cifar10 calibration(folder, data::cifar10_split::calibration);
    const std::size_t in_float =
        right_answers(float_network(net)(data::read_all(test, 0, 64), {}), test);
    BOOST_TEST(in_float >= 55u); // of 64; 91.7 % of all test images
    BOOST_TEST(check_identical(net, {w8, a8}, calibration, 32, test, 64) + 3 >= in_float);
    BOOST_TEST(check_identical(net, {w4, a4}, calibration, 32, test, 64) > 0u);
}

BOOST_AUTO_TEST_CASE(mobilenet_v2_of_imagenet_has_identical_codes,
                     *boost::unit_test::label("real") * boost::unit_test::label("imagenet")) {
    const auto folder = support::real_data("imagenet");
    const auto weights = support::real_data("imagenet/mobilenet_v2_tf.safetensors");
    const graph net = load(models::mobilenet_v2({.same_padding = true}), weights);
    data::preprocess prepare = data::image_folder::default_preprocess();
    prepare.mean = prepare.std = {0.5f, 0.5f, 0.5f};
    const auto synsets = folder / "synset_words.txt";
    const data::image_folder test(folder / "val", synsets, prepare);
    const data::image_folder calibration(folder / "calibration", synsets, prepare);
    const std::size_t in_float =
        right_answers(float_network(net)(data::read_all(test, 0, 4), {}), test);
    BOOST_TEST(in_float >= 2u);
    BOOST_TEST(check_identical(net, {w8, a8}, calibration, 32, test, 4) + 1 >= in_float);
    (void)check_identical(net, {w4, a4}, calibration, 32, test, 4);
}

BOOST_AUTO_TEST_SUITE_END()
