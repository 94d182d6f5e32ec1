// SPDX-License-Identifier: Apache-2.0
/// Networks that others trained, with their images. Where they are absent the test is skipped.
#ifndef QUANTAL_TESTS_SUPPORT_REAL_NETWORKS_HPP
#define QUANTAL_TESTS_SUPPORT_REAL_NETWORKS_HPP

#include "support/real_data.hpp"

#include <quantal/data/cifar10.hpp>
#include <quantal/data/image_folder.hpp>
#include <quantal/data/loader.hpp>
#include <quantal/graph/weights.hpp>
#include <quantal/io/checkpoint.hpp>
#include <quantal/models/mobilenet.hpp>
#include <quantal/models/resnet.hpp>
#include <quantal/passes/optimize.hpp>
#include <quantal/passes/place.hpp>
#include <quantal/runtime/evaluate.hpp>
#include <quantal/runtime/trace.hpp>

#include <boost/test/unit_test.hpp>

namespace support {

inline quantal::graph loaded(quantal::graph net, const std::filesystem::path& weights) {
    quantal::load_weights(net, quantal::io::read_checkpoint(weights).tensors);
    return quantal::passes::optimize(std::move(net));
}

/// ResNet20, 91.73 % of the 10,000 test images.
struct cifar10_resnet20 {
    std::filesystem::path folder = real_data("cifar10");
    quantal::graph net =
        loaded(quantal::models::resnet20(), real_data("cifar10/resnet20-12fca82f.th"));
    quantal::data::cifar10 test{folder, quantal::data::cifar10_split::test};
    quantal::data::cifar10 calibration{folder, quantal::data::cifar10_split::calibration};
};

/// MobileNetV2 as TensorFlow has it, 79.7 % of the 650 test images.
struct imagenet_mobilenet_v2 {
    std::filesystem::path folder = real_data("imagenet");
    quantal::graph net = loaded(quantal::models::mobilenet_v2({.same_padding = true}),
                                real_data("imagenet/mobilenet_v2_tf.safetensors"));
    quantal::data::image_folder test = images("val");
    quantal::data::image_folder calibration = images("calibration");

private:
    [[nodiscard]] quantal::data::image_folder images(const char* part) const {
        quantal::data::preprocess prepare = quantal::data::image_folder::default_preprocess();
        prepare.mean = prepare.std = {0.5f, 0.5f, 0.5f};
        return quantal::data::image_folder(folder / part, folder / "synset_words.txt", prepare);
    }
};

inline std::size_t right_answers(const quantal::tensor<float>& logits,
                                 const quantal::data::dataset& set) {
    const auto found = quantal::predictions(logits);
    std::size_t right = 0;
    for (std::size_t i = 0; i < found.size(); ++i)
        right += found[i] == set.label(i);
    return right;
}

/// Not one code of any quantizer point differs.
template <quantal::code_network A, quantal::code_network B>
void check_identical_codes(const quantal::plan& p, const A& a, const B& b,
                           const quantal::tensor<float>& images) {
    const auto counts = quantal::compare_codes(a, b, images);
    const auto count = static_cast<std::size_t>(images.shape()[0]);
    BOOST_TEST(counts.size() == p.points().size());
    for (const auto& [v, codes] : counts)
        BOOST_TEST_CONTEXT("point " << p.at(v).name) {
            BOOST_TEST(codes.codes == p.at(v).shape.count() * count);
            BOOST_TEST(codes.differing == 0u);
        }
}

} // namespace support

#endif
