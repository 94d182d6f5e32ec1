// SPDX-License-Identifier: Apache-2.0
/// Networks as TensorRT takes them, and how fast its trtexec says that they are.
#ifndef QUANTAL_EXAMPLES_HOMEWORK_TRTEXEC_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_TRTEXEC_HPP

#include "report.hpp"

#include <quantal/onnx/export.hpp>
#include <quantal/onnx/export_quantized.hpp>
#include <quantal/onnx/model.hpp>
#include <quantal/onnx/tensorrt.hpp>
#include <quantal/passes/place.hpp>
#include <quantal/runtime/calibrate.hpp>
#include <quantal/runtime/cpu/executor.hpp>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>

namespace homework {

/// One network as two models: all in float for fp16, and with codes for int8.
struct tensorrt_models {
    std::string name;
    std::filesystem::path fp16, int8;
    std::string shape; ///< of an image, behind the batch: "x3x224x224"
    std::string input;
};

/// Writes both models of an optimized network into a folder; its ranges are those of `images`.
[[nodiscard]] inline tensorrt_models
write_for_tensorrt(const std::filesystem::path& folder, const std::string& name,
                   const quantal::graph& net, const std::vector<quantal::tensor<float>>& images) {
    namespace onnx = quantal::onnx;
    tensorrt_models m{
        name, folder / (name + "_fp16.onnx"), folder / (name + "_int8.onnx"), {}, net.at(0).name};
    for (int i = 0; i < net.input_shape().rank(); ++i)
        m.shape += 'x' + std::to_string(net.input_shape()[i]);
    std::filesystem::create_directories(folder);
    onnx::write_model(m.fp16, onnx::export_network(net));
    quantal::plan p = place(net, {quantal::w8, onnx::tensorrt_activations, {}});
    (void)onnx::check_for_tensorrt(p);
    quantal::table t = calibrate(p, quantal::cpu::executor(net), images);
    onnx::write_model(m.int8, onnx::export_network(quantize(std::move(p), std::move(t)),
                                                   {.opset = onnx::qdq_opset::v13,
                                                    .biases = onnx::bias_form::reals}));
    return m;
}

/// A word for the shell, whatever it holds.
[[nodiscard]] inline std::string quoted(const std::string& word) {
    std::string text = "'";
    for (const char c : word)
        text += c == '\'' ? "'\\''" : std::string(1, c);
    return text + '\'';
}

/// The command that times one of the models. Layers without codes run in fp16 beside int8 too.
[[nodiscard]] inline std::string trtexec_command(const tensorrt_models& m, bool in_int8,
                                                 std::int64_t batch) {
    return fmt::format(
        "trtexec --onnx={} --shapes={}:{}{} {}--fp16 --noDataTransfers --useSpinWait",
        quoted((in_int8 ? m.int8 : m.fp16).string()), quoted(m.input), batch, m.shape,
        in_int8 ? "--int8 " : "");
}

/// What trtexec says of a run; milliseconds are medians of a batch.
struct trtexec_times {
    double images_per_second, latency_ms, compute_ms, enqueue_ms;
};

/// The number behind `key` in the first line that begins with `heading`, after trtexec's prefix:
/// explanations of the headings may follow.
[[nodiscard]] inline double number_after(const std::string& log, const std::string& heading,
                                         const std::string& key) {
    const std::size_t line = log.find("] " + heading);
    const std::size_t found = line == log.npos ? log.npos : log.find(key, line + 2);
    if (found == log.npos || found > log.find('\n', line))
        quantal::detail::fail<quantal::data_error>("trtexec's output has no \"", heading,
                                                   "\" with \"", key, '"');
    const char* from = log.c_str() + found + key.size();
    char* end = nullptr;
    const double x = std::strtod(from, &end);
    if (end == from || !(x > 0))
        quantal::detail::fail<quantal::data_error>("trtexec's output has no number above 0 at \"",
                                                   heading, '"');
    return x;
}

/// Its throughput counts batches.
[[nodiscard]] inline trtexec_times read_trtexec(const std::string& log, std::int64_t batch) {
    const auto median = [&](const char* heading) {
        return number_after(log, heading, "median = ");
    };
    return {static_cast<double>(batch) * number_after(log, "Throughput:", "Throughput: "),
            median("Latency:"), median("GPU Compute Time:"), median("Enqueue Time:")};
}

/// The GPU's name, where there are trtexec and a GPU.
[[nodiscard]] inline std::optional<std::string>
gpu_for_trtexec(const std::filesystem::path& folder) {
    const auto list = folder / "gpus.txt";
    const std::string command = "command -v trtexec >/dev/null 2>&1 && nvidia-smi "
                                "--query-gpu=name --format=csv,noheader >" +
                                quoted(list.string()) + " 2>/dev/null";
    if (std::system(command.c_str()) != 0) return std::nullopt;
    std::ifstream in(list);
    std::string name;
    if (!std::getline(in, name) || name.empty()) return std::nullopt;
    return name;
}

/// Runs one command; its log stays beside the model. Throws `data_error` where trtexec fails.
[[nodiscard]] inline trtexec_times run_trtexec(const tensorrt_models& m, bool in_int8,
                                               std::int64_t batch) {
    const auto log = (in_int8 ? m.int8 : m.fp16).string() + '.' + std::to_string(batch) + ".log";
    const std::string command = trtexec_command(m, in_int8, batch);
    if (std::system((command + " >" + quoted(log) + " 2>&1").c_str()) != 0)
        quantal::detail::fail<quantal::data_error>(command, " failed; its output is in ", log);
    std::ifstream in(log);
    return read_trtexec({std::istreambuf_iterator<char>(in), {}}, batch);
}

/// Both models at one batch.
[[nodiscard]] inline json tensorrt_row(const tensorrt_models& m, std::int64_t batch,
                                       const std::string& device) {
    const trtexec_times codes = run_trtexec(m, true, batch), half = run_trtexec(m, false, batch);
    const auto bound = [](const trtexec_times& t) {
        return t.enqueue_ms >= t.compute_ms ? "launching" : "computing";
    };
    return {{"model", m.name},
            {"batch", batch},
            {"config", "TensorRT int8"},
            {"device", device},
            {"images_per_second", codes.images_per_second},
            {"latency_ms", codes.latency_ms},
            {"compute_ms", codes.compute_ms},
            {"enqueue_ms", codes.enqueue_ms},
            {"bound", bound(codes)},
            {"float", "TensorRT fp16"},
            {"float_images_per_second", half.images_per_second},
            {"float_latency_ms", half.latency_ms},
            {"float_compute_ms", half.compute_ms},
            {"float_enqueue_ms", half.enqueue_ms},
            {"float_bound", bound(half)},
            {"ratio_to_float", codes.images_per_second / half.images_per_second}};
}

/// Why the ratio of a network moves from one batch to another.
[[nodiscard]] inline std::string explain_tensorrt(const json& few, const json& many) {
    const char* at = "{ratio_to_float:.2f} times the images a second of fp16 at batch {batch} (the "
                     "GPU computes for {compute_ms:.3f} ms in int8 and {float_compute_ms:.3f} ms "
                     "in fp16, to launch that takes the processor {enqueue_ms:.3f} ms and "
                     "{float_enqueue_ms:.3f} ms: int8 is bound by {bound}, fp16 by {float_bound})";
    const std::string text = filled("{model}: int8 does ", few) + filled(at, few);
    if (few == many) return text + '.';
    const auto growth = [&](const char* key) {
        return many[key].get<double>() / few[key].get<double>();
    };
    const double codes = growth("images_per_second"), half = growth("float_images_per_second");
    return text + " and " + filled(at, many) +
           fmt::format(", because {} gains more by the batch: images a second grow {:.2f} times in "
                       "int8 and {:.2f} times in fp16.",
                       codes > half ? "int8" : "fp16", codes, half);
}

/// Times all models at all batches where there are trtexec and a GPU, adds rows and prints why; or
/// else prints the commands.
inline void race_in_tensorrt(const std::filesystem::path& folder,
                             const std::vector<tensorrt_models>& models,
                             const std::vector<std::int64_t>& batches, report& file) {
    const auto device = gpu_for_trtexec(folder);
    if (!device) {
        fmt::print("TensorRT: no trtexec, or no GPU that nvidia-smi sees. Where they are:\n");
        for (const tensorrt_models& m : models)
            for (const std::int64_t batch : batches)
                for (const bool in_int8 : {true, false})
                    fmt::print("    {}\n", trtexec_command(m, in_int8, batch));
        fmt::print("\n");
        return;
    }
    json rows = json::array();
    std::string text;
    const auto [least, most] = std::minmax_element(batches.begin(), batches.end());
    for (const tensorrt_models& m : models) {
        std::map<std::int64_t, json> row_at;
        for (const std::int64_t batch : batches)
            rows.push_back(row_at[batch] = tensorrt_row(m, batch, *device));
        text += '\n' + explain_tensorrt(row_at[*least], row_at[*most]) + '\n';
    }
    fmt::print("TensorRT on {}:\n\n{}{}\n", *device,
               to_markdown(rows, {{"Model", "model"},
                                  {"Batch size", "batch"},
                                  {"int8 QPS", "images_per_second"},
                                  {"Latency, ms", "latency_ms", 3},
                                  {"fp16 QPS", "float_images_per_second"},
                                  {"Latency, ms", "float_latency_ms", 3},
                                  {"Ratio", "ratio_to_float"}}),
               text);
    file.evidence["tensorrt"] = {{"rows", rows}, {"answer", text}};
}

} // namespace homework

#endif
