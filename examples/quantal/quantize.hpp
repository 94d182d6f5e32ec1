// SPDX-License-Identifier: Apache-2.0
/// quantal quantize: from a float model to a quantized one.
#ifndef QUANTAL_EXAMPLES_QUANTAL_QUANTIZE_HPP
#define QUANTAL_EXAMPLES_QUANTAL_QUANTIZE_HPP

#include "../homework/written_quantization.hpp"
#include "report.hpp"

#include <quantal/observe/by_name.hpp>
#include <quantal/onnx/export_quantized.hpp>
#include <quantal/onnx/tensorrt.hpp>
#include <quantal/passes/place.hpp>
#include <quantal/runtime/calibrate.hpp>
#include <quantal/runtime/cpu/executor.hpp>
#include <quantal/runtime/size.hpp>

namespace command {

struct quantize_options {
    std::string model, calibration, output;
    std::size_t count = 256;
    std::string weight_spec = "w8", activation_spec = "a8", observer = "minmax";
    std::vector<std::string> layers{};
    int opset = 13;
    bool tensorrt = false;
    preprocess_options preprocess{};
    common_options common{};

    [[nodiscard]] quantal::quantization quantization() const {
        return homework::written_quantization(weight_spec, activation_spec, layers);
    }
};

/// Observes every quantizer point on the calibration images.
[[nodiscard]] inline quantal::table
calibrate_network(const quantal::plan& plan, const data::dataset& set, const quantize_options& o) {
    quantal::cpu::executor run(plan.net, o.common.threads);
    return quantal::observe::with_observer(o.observer, [&](const auto& observer) {
        quantal::plan_observer observers(plan, observer);
        for_batches(set, o.count, "calibrating",
                    [&](const auto& batch) { observers.observe(run, batch.images); });
        return observers.finish();
    });
}

/// Writes a .quantal file, or an ONNX model with the calibration table beside it.
inline void save_quantized(const quantize_options& o, const quantal::integer_network& n,
                           const std::map<std::string, std::string>& metadata) {
    const std::filesystem::path output = o.output;
    if (output.extension() == ".quantal") return quantal::io::save(output, n, metadata);
    namespace onnx = quantal::onnx;
    auto model = onnx::export_network(
        n, {.opset = o.opset == 13 ? onnx::qdq_opset::v13 : onnx::qdq_opset::v21,
            .biases = o.tensorrt ? onnx::bias_form::reals : onnx::bias_form::codes});
    for (const auto& [key, text] : metadata) {
        auto& entry = *model.add_metadata_props();
        entry.set_key(key);
        entry.set_value(text);
    }
    onnx::write_model(output, model);
    quantal::io::write_table(std::filesystem::path(output).replace_extension(".table.json"),
                             n.table());
}

inline void quantize(const quantize_options& o) {
    const stopwatch watch;
    const auto extension = std::filesystem::path(o.output).extension();
    if (extension != ".quantal" && extension != ".onnx")
        quantal::detail::fail<quantal::data_error>("--output ", o.output,
                                                   " ends neither in .quantal nor in .onnx");
    network_file file = o.common.read(o.model);
    if (!file.real) quantal::detail::fail<quantal::data_error>(o.model, " is quantized already");
    const auto set = open_images(o.calibration, file, o.preprocess, true);
    const quantal::plan plan = place(std::move(*file.real), o.quantization());
    file.real = plan.net; // what says the size of images
    if (o.tensorrt)
        for (const std::string& note : quantal::onnx::check_for_tensorrt(plan))
            std::cerr << "quantal: for TensorRT: " << note << '\n';
    const quantal::integer_network n = quantal::quantize(plan, calibrate_network(plan, *set, o));
    auto metadata = file.metadata;
    metadata["model"] = std::filesystem::path(o.model).stem().string();
    if (!o.calibration.ends_with(".npy")) metadata["preprocess"] = to_json(o.preprocess.of(file));
    save_quantized(o, n, metadata);
    const auto bytes = weight_bytes(n);
    const auto images = std::min(o.count, set->size());
    if (o.common.tells()) {
        for (const std::string& note : n.table().notes)
            std::cout << note << '\n';
        fmt::print("{}: {} integer layers, {} quantizer points, {} calibration images; parameters "
                   "take {} bytes, {} in float32; {:.1f} s\n",
                   o.output, n.layers().size(), plan.points().size(), images, bytes.packed,
                   bytes.float32, watch.seconds());
    }
    o.common.write({{"output", o.output},
                    {"integer_layers", n.layers().size()},
                    {"points", plan.points().size()},
                    {"images", images},
                    {"bytes", bytes.packed},
                    {"float_bytes", bytes.float32},
                    {"notes", n.table().notes},
                    {"seconds", watch.seconds()}});
}

inline subcommand add_quantize(CLI::App& app) {
    auto o = std::make_shared<quantize_options>();
    app.add_option("model", o->model, "a float ONNX model")->required();
    app.add_option("--calibration", o->calibration,
                   "images: FILE.npy (prepared, [N, channels, height, width]), a folder of JPEG "
                   "files or of class folders, cifar10:DIR or fashion_mnist[:DIR]")
        ->required();
    app.add_option("-o,--output", o->output, "the file to write: .quantal or .onnx")->required();
    app.add_option("--count", o->count, "number of calibration images")->capture_default_str();
    app.add_option("--weight-spec", o->weight_spec, "for example w8, w4, \"w4 group(32)\"")
        ->capture_default_str();
    app.add_option("--activation-spec", o->activation_spec, "for example a8, \"a8 signed\"")
        ->capture_default_str();
    app.add_option("--observer", o->observer, "minmax or moving_average[:WEIGHT_OF_NEW]")
        ->capture_default_str();
    app.add_option(
        "--layer", o->layers,
        "PATTERN=SPEC for layers that differ: w8 (weights), a8 (output), float, \"weights "
        "only\"; several times");
    app.add_option("--opset", o->opset,
                   "of an ONNX model: 13, or 21 with codes of 4 and 16 bits and groups of weights")
        ->check(CLI::IsMember({13, 21}))
        ->capture_default_str();
    app.add_flag("--tensorrt", o->tensorrt,
                 "a model that TensorRT takes: activations \"8 symmetric full\" unless said "
                 "otherwise, biases in float; tells what it will not run in int8");
    o->preprocess.add_to(app);
    o->common.add_to(app);
    return [o, spec = app.get_option("--activation-spec")] {
        if (o->tensorrt && spec->count() == 0)
            o->activation_spec = to_string(quantal::onnx::tensorrt_activations);
        quantize(*o);
    };
}

} // namespace command

#endif
