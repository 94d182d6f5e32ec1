// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include <quantal/models/by_name.hpp>
#include <quantal/observe/by_name.hpp>
#include <quantal/runtime/calibrate.hpp>

#include <filesystem>

namespace homework {

void add_weights(const quantal::plan& plan, quantal::table& t, const options& o) {
    quantal::observe::with_observer(
        o.weight_observer, [&](const auto& observer) { calibrate_weights(plan, t, observer); });
}

void add_options(CLI::App& app, options& o) {
    app.add_option("--model", o.models,
                   "networks: resnet18, resnet20, resnet32, resnet44, resnet56, vgg16_bn, "
                   "mobilenet_v2 (default: those with weights for the data)")
        ->check(a_network());
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
    add_json_option(app, o);
    app.add_option("--threads", o.threads, "0: all cores")->capture_default_str();
    app.add_option("--seed", o.seed,
                   "0: the first calibration images; else a random choice of them")
        ->capture_default_str();
}

void add_json_option(CLI::App& app, options& o) {
    app.add_option("--json", o.json, "write the results to this file")->check(in_a_folder());
}

CLI::Validator a_network() {
    const auto refuse = [](const std::string& name) -> std::string {
        try {
            (void)quantal::models::by_name(name, {});
        } catch (const quantal::graph_error& e) {
            return e.what();
        }
        return {};
    };
    return {refuse, "", "a network"};
}

CLI::Validator in_a_folder() {
    const auto refuse = [](const std::string& file) -> std::string {
        const auto folder = std::filesystem::absolute(file).parent_path();
        if (is_directory(folder)) return {};
        return "there is no folder " + folder.string() + " to write into";
    };
    return {refuse, "", "in a folder"};
}

} // namespace homework
