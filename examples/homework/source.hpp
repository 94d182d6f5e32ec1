// SPDX-License-Identifier: Apache-2.0
/// From the options to networks with weights and to images.
#ifndef QUANTAL_EXAMPLES_HOMEWORK_SOURCE_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_SOURCE_HPP

#include "options.hpp"

#include <quantal/data/loader.hpp>
#include <quantal/data/preprocess.hpp>
#include <quantal/graph/graph.hpp>
#include <quantal/models/by_name.hpp>

#include <filesystem>
#include <memory>

namespace homework {

namespace data = quantal::data;

/// Where the weights that quantal trained lie; set by the build.
[[nodiscard]] std::filesystem::path own_weights();

/// The kind of data and its folder, from `--data`.
struct source {
    enum class kind { fashion_mnist, cifar10, imagenet } set;
    std::filesystem::path folder;

    [[nodiscard]] const char* name() const {
        return set == kind::fashion_mnist ? "fashion_mnist"
               : set == kind::cifar10     ? "cifar10"
                                          : "imagenet";
    }
};

[[nodiscard]] source parse_source(const std::string& text);

/// A network with its weights, and how its images are prepared.
struct network {
    std::string name;
    quantal::graph net;
    data::preprocess preprocess;
};

/// The networks that an exercise runs unless told otherwise: those with weights for the data, in
/// the order of the exercise.
[[nodiscard]] std::vector<std::string> default_models(const source& from);

[[nodiscard]] quantal::models::options default_options(const source& from);

[[nodiscard]] data::preprocess default_preprocess(const source& from);

/// Loads one model: the checkpoint's own description of the network and its images if it has one
/// (those that quantal wrote do), the options where they say otherwise.
[[nodiscard]] network read_network(const std::string& name, const source& from, const options& o);

/// The same, optimized, and equalized if the options say so.
[[nodiscard]] network load_network(const std::string& name, const source& from, const options& o);

/// The images to test with, and those to calibrate or train with.
struct images {
    std::unique_ptr<data::dataset> test, other;
};

[[nodiscard]] images open_images(const source& from, const data::preprocess& prepare,
                                 const options& o);

/// The images to test with and the images to train with.
[[nodiscard]] images open_training(const source& from, const data::preprocess& prepare);

/// How the calibration images are chosen: the first ones, or at random by `--seed`.
[[nodiscard]] data::load_options calibration_order(const data::dataset& set, const options& o);

} // namespace homework

#endif
