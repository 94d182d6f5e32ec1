// SPDX-License-Identifier: Apache-2.0
/// The options that the exercises share.
#ifndef QUANTAL_EXAMPLES_HOMEWORK_OPTIONS_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_OPTIONS_HPP

#include "device.hpp"
#include "written_quantization.hpp"

#include <quantal/observe/by_name.hpp>
#include <quantal/runtime/calibrate.hpp>

#include <support/command_line.hpp>

#include <string>
#include <vector>

namespace homework {

/// What the user asked for; the defaults are the exercise on the default data.
struct options {
    std::vector<std::string> models{};
    std::string data = "fashion_mnist";
    std::string weights{};
    std::size_t calibration = 256;
    std::size_t images = 0;         ///< 0: all
    std::size_t integer_images = 0; ///< 0: as many as the others
    std::size_t compare = 64;
    std::string weight_spec = "w8";
    std::string activation_spec = "a8";
    std::string observer = "minmax", weight_observer = "minmax";
    bool equalize = false;
    std::size_t weight_bytes = 0; ///< 0: the widths that the specs say
    std::string rounding{};       ///< none: the nearest, biases as they are
    double best_seconds = 0.0;    ///< 0: as observers and rounding say
    std::vector<std::string> layers{};
    std::string resize = "256";
    bool tensorflow = false;
    std::vector<float> mean{}, std{};
    std::string json{};
    int threads = 0;
    cuda_device device{}; ///< of the integers
    std::uint64_t seed = 0;

    /// The quantization that the specs and layer rules describe.
    [[nodiscard]] quantal::quantization quantization() const {
        return written_quantization(weight_spec, activation_spec, layers);
    }
};

/// Completes a table that has its activations, by the weight observer that the options name.
inline void add_weights(const quantal::plan& plan, quantal::table& t, const options& o) {
    quantal::observe::with_observer(
        o.weight_observer, [&](const auto& observer) { calibrate_weights(plan, t, observer); });
}

inline void add_device_option(
    CLI::App& app, options& o,
    const char* text =
        "where the integers run: cpu, cuda or cuda:N (device number N); on a device their codes "
        "are compared with the CPU's. Built without nvcc, cuda is the host runner: few images") {
    app.add_option_function<std::string>(
           "--device", [&o](const std::string& name) { o.device = device_by_name(name); }, text)
        ->default_str("cpu");
}

inline void add_options(CLI::App& app, options& o) {
    app.add_option("--model", o.models,
                   "networks: resnet18, resnet20, resnet32, resnet44, resnet56, vgg16_bn, "
                   "mobilenet_v2 (default: those with weights for the data)");
    app.add_option(
           "--data", o.data,
           "fashion_mnist[:DIR], cifar10:DIR (binary files) or imagenet:DIR. In that DIR, "
           "val/ has class folders (numbered by synset_words.txt, or 1000 of them by name), "
           "or it holds ILSVRC2012_img_val.tar, or that tar's files, unpacked in it or in "
           "val/; the last two with ILSVRC2012_devkit_t12 or its .tar.gz. Calibration "
           "images come from class folders in calibration/, or at random by --seed: from "
           "class folders in train/, or else from the validation images, and those that "
           "calibrate are not tested")
        ->capture_default_str();
    app.add_option("--weights", o.weights,
                   "checkpoint of the one model: .safetensors, .pth or .th");
    app.add_option("--calibration", o.calibration, "number of calibration images")
        ->capture_default_str();
    app.add_option("--images", o.images, "number of test images, 0: all")->capture_default_str();
    app.add_option("--integer-images", o.integer_images,
                   "number of test images for the integers, which take ten times as long in "
                   "LibTorch's float64; 0: as many as --images")
        ->capture_default_str();
    app.add_option("--compare", o.compare,
                   "number of test images whose codes are compared at every quantizer point")
        ->capture_default_str();
    app.add_option("--weight-spec", o.weight_spec, "for example w8, \"4 symmetric full tensor\"")
        ->capture_default_str();
    app.add_option("--activation-spec", o.activation_spec,
                   "for example a8, \"8 affine signed tensor\"")
        ->capture_default_str();
    app.add_option("--observer", o.observer,
                   std::string("of activations: ") + quantal::observe::observer_names)
        ->capture_default_str();
    app.add_option("--weight-observer", o.weight_observer,
                   "of weights, each channel by itself: the same names")
        ->capture_default_str();
    app.add_flag("--equalize", o.equalize,
                 "equalize the channels between layers; ReLU6 between them becomes ReLU");
    app.add_option("--layer", o.layers,
                   "PATTERN=SPEC for layers that differ: w8 (weights), a8 (output), float, "
                   "\"weights only\" (integer weights, real input) or \"dynamic a8\" (codes of the "
                   "input that are made while it runs); several times");
    app.add_option("--resize", o.resize,
                   "short side of ImageNet test images before the centre crop of 224: none or a "
                   "number (calibration images of calibration/ and train/: always 256)")
        ->capture_default_str();
    app.add_flag("--tensorflow", o.tensorflow,
                 "as networks trained by TensorFlow have it: SAME padding (mobilenet_v2), pixels "
                 "from -1 to 1, crops rounded down");
    app.add_option("--mean", o.mean, "mean of each channel, of values from 0 to 1");
    app.add_option("--std", o.std, "standard deviation of each channel");
    app.add_option("--json", o.json, "write the results to this file");
    app.add_option("--threads", o.threads, "0: all cores")->capture_default_str();
    app.add_option("--seed", o.seed,
                   "0: the first calibration images; else a random choice of them")
        ->capture_default_str();
}

using benchmarks::run;

} // namespace homework

#endif
