// SPDX-License-Identifier: Apache-2.0
#include "source.hpp"

#include <numeric>
#include <quantal/data/cifar10.hpp>
#include <quantal/data/fashion_mnist.hpp>
#include <quantal/data/imagenet.hpp>
#include <quantal/data/preprocess_json.hpp>
#include <quantal/data/subset.hpp>
#include <quantal/graph/weights.hpp>
#include <quantal/io/checkpoint.hpp>
#include <quantal/models/by_name.hpp>
#include <quantal/models/metadata.hpp>
#include <quantal/passes/equalize.hpp>
#include <quantal/passes/optimize.hpp>
#include <random>

namespace homework {
namespace {

/// The weights that quantal ships for a network.
std::filesystem::path own_weights_of(const std::string& name) {
    return own_weights() / (name + "_fashion_mnist.safetensors");
}

/// Calibration images lie in `calibration/` as they are wanted, or are chosen at random: from
/// `train/`, or else from the validation images, and then they are not tested.
images open_imagenet(const std::filesystem::path& folder, const data::preprocess& prepare,
                     const options& o) {
    data::preprocess test = prepare;
    test.resize = 0;
    if (o.resize != "none" && !CLI::detail::lexical_cast(o.resize, test.resize))
        quantal::detail::fail<quantal::data_error>("--resize ", o.resize,
                                                   " is neither none nor a number");
    auto validation = data::open_imagenet(folder, test);
    const auto open = [&](const char* name) {
        return std::make_unique<data::image_folder>(folder / name, data::find_synsets(folder),
                                                    prepare);
    };
    if (exists(folder / "calibration")) return {std::move(validation), open("calibration")};
    if (exists(folder / "train")) {
        auto train = data::split_at_random(open("train"), o.calibration, o.seed);
        return {std::move(validation), std::move(train.chosen)};
    }
    if (o.calibration >= validation->size())
        quantal::detail::fail<quantal::data_error>(
            folder,
            " has neither calibration/ nor train/, so that calibration images are taken from ",
            "its ", validation->size(), " validation images and not tested; --calibration ",
            o.calibration, " leaves none to test");
    auto [chosen, rest] = data::split_at_random(std::move(validation), o.calibration, o.seed);
    return {std::move(rest), std::move(chosen)};
}

} // namespace

source parse_source(const std::string& text) {
    const std::size_t colon = text.find(':');
    const std::string name = text.substr(0, colon);
    const std::string folder = colon == text.npos ? "" : text.substr(colon + 1);
    if (name == "fashion_mnist")
        return {source::kind::fashion_mnist,
                folder.empty() ? data::fashion_mnist::default_folder : folder};
    if (name == "cifar10" && !folder.empty()) return {source::kind::cifar10, folder};
    if (name == "imagenet" && !folder.empty()) return {source::kind::imagenet, folder};
    quantal::detail::fail<quantal::data_error>(
        "--data ", text,
        " is not known; there are fashion_mnist[:DIR], cifar10:DIR and "
        "imagenet:DIR");
}

std::vector<std::string> default_models(const source& from) {
    if (from.set == source::kind::imagenet) return {"mobilenet_v2"};
    if (from.set == source::kind::cifar10) return {"resnet20"};
    std::vector<std::string> names{"resnet18", "vgg16_bn", "mobilenet_v2", "resnet20"};
    std::erase_if(names, [](const auto& name) { return !exists(own_weights_of(name)); });
    return names;
}

quantal::models::options default_options(const source& from) {
    switch (from.set) {
    case source::kind::fashion_mnist:
        return quantal::models::fashion_mnist;
    case source::kind::cifar10:
        return quantal::models::cifar10;
    default:
        return quantal::models::imagenet;
    }
}

data::preprocess default_preprocess(const source& from) {
    switch (from.set) {
    case source::kind::fashion_mnist:
        return data::fashion_mnist::default_preprocess();
    case source::kind::cifar10:
        return data::cifar10::default_preprocess();
    default:
        return data::image_folder::default_preprocess();
    }
}

network read_network(const std::string& name, const source& from, const options& o) {
    const auto file = o.weights.empty() ? own_weights_of(name) : std::filesystem::path(o.weights);
    if (o.weights.empty() && from.set != source::kind::fashion_mnist)
        quantal::detail::fail<quantal::data_error>(
            "quantal ships weights for fashion_mnist only; give those of ", name, " by --weights");
    const auto checkpoint = quantal::io::read_checkpoint(file);
    quantal::models::description model{name, default_options(from)};
    data::preprocess prepare = default_preprocess(from);
    if (checkpoint.metadata.contains("classes")) {
        model = quantal::models::from_metadata(checkpoint.metadata);
        if (const auto found = checkpoint.metadata.find("preprocess");
            found != checkpoint.metadata.end())
            prepare = data::preprocess_from_json(found->second);
    }
    if (model.name != name)
        quantal::detail::fail<quantal::data_error>(file.string(), " holds weights of ", model.name,
                                                   ", not of ", name);
    if (o.tensorflow) {
        model.options.same_padding = true;
        prepare.rounding = data::crop_rounding::down;
        prepare.mean.assign(prepare.mean.size(), 0.5f);
        prepare.std.assign(prepare.std.size(), 0.5f);
    }
    if (!o.mean.empty()) prepare.mean = o.mean;
    if (!o.std.empty()) prepare.std = o.std;
    quantal::graph net = quantal::models::by_name(name, model.options);
    quantal::load_weights(net, checkpoint.tensors);
    return {name, std::move(net), prepare};
}

network load_network(const std::string& name, const source& from, const options& o) {
    network n = read_network(name, from, o);
    n.net = quantal::passes::optimize(std::move(n.net));
    if (o.equalize)
        n.net = quantal::passes::equalize(std::move(n.net),
                                          quantal::passes::bounded_activations::replace);
    return n;
}

images open_images(const source& from, const data::preprocess& prepare, const options& o) {
    using std::make_unique;
    if (from.set == source::kind::fashion_mnist)
        return {make_unique<data::fashion_mnist>(from.folder, false, prepare),
                make_unique<data::fashion_mnist>(from.folder, true, prepare)};
    if (from.set == source::kind::cifar10)
        return {make_unique<data::cifar10>(from.folder, data::cifar10_split::test, prepare),
                make_unique<data::cifar10>(from.folder, data::cifar10_split::calibration, prepare)};
    return open_imagenet(from.folder, prepare, o);
}

images open_training(const source& from, const data::preprocess& prepare) {
    if (from.set == source::kind::fashion_mnist) return open_images(from, prepare, {});
    return {std::make_unique<data::cifar10>(from.folder, data::cifar10_split::test, prepare),
            std::make_unique<data::cifar10>(from.folder, data::cifar10_split::train, prepare)};
}

data::load_options calibration_order(const data::dataset& set, const options& o) {
    data::load_options load{.batch_size = 16, .count = o.calibration};
    if (o.seed == 0) return load;
    load.order.resize(set.size());
    std::iota(load.order.begin(), load.order.end(), std::size_t{0});
    std::shuffle(load.order.begin(), load.order.end(), std::mt19937_64(o.seed));
    return load;
}

} // namespace homework
