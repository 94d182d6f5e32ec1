// SPDX-License-Identifier: Apache-2.0
/// The program of docs/tutorial.md: a network that quantal does not ship, from layers to integers.
#include <quantal/data/fashion_mnist.hpp>
#include <quantal/data/loader.hpp>
#include <quantal/io/checkpoint.hpp>
#include <quantal/quantal.hpp>

#include <filesystem>
#include <iomanip>
#include <iostream>
#include <numeric>
#include <random>

namespace q = quantal;

q::value add_features(q::graph& net) {
    q::value x = net.input({1, 32, 32});
    x = net.conv2d("stem", x, {.out_channels = 8, .kernel = 3, .stride = 2, .padding = 1});
    x = net.relu("stem_relu", x);
    q::value wide = net.conv2d("wide", x, {.out_channels = 16, .kernel = 3, .padding = 1});
    wide = net.relu("wide_relu", wide);
    const q::value narrow = net.conv2d("narrow", x, {.out_channels = 16, .kernel = 1});
    x = net.relu("sum_relu", net.add("sum", wide, narrow));
    return net.flatten("flatten", net.average_pool("pool", x, {.kernel = 2, .stride = 2}));
}

// Weights without training: random kernels, and in the last layer the mean features m of each
// class; the nearest mean is the one with the largest m * f - m * m / 2.
void write_weights(const std::filesystem::path& file, const q::data::batch& known) {
    q::graph net;
    add_features(net);
    std::mt19937 random(1);
    for (const auto& [name, shape] : q::parameter_shapes(net)) {
        q::tensor<float>& values = net.parameters[name] = q::tensor<float>(shape);
        for (float& v : values.values())
            if (shape.rank() > 1) v = (static_cast<float>(random() % 2001) - 1000.0f) / 2000.0f;
    }
    std::ranges::fill(net.parameters["stem.weight"].slice(5), 0.0f); // as if it were pruned

    const q::tensor<float> features = q::reference_executor(net)(known.images, {});
    q::tensor<float> means({10, features.shape()[1]}), bias({10});
    for (int label = 0; label < 10; ++label) {
        const auto mean = means.slice(label);
        const auto count = static_cast<float>(std::ranges::count(known.labels, label));
        for (std::size_t i = 0; i < known.labels.size(); ++i)
            for (std::size_t k = 0; known.labels[i] == label && k < mean.size(); ++k)
                mean[k] += features.slice(static_cast<std::int64_t>(i))[k] / count;
        const double square = std::inner_product(mean.begin(), mean.end(), mean.begin(), 0.0);
        bias[static_cast<std::size_t>(label)] = static_cast<float>(-square / 2.0);
    }
    net.parameters["head.weight"] = std::move(means);
    net.parameters["head.bias"] = std::move(bias);
    q::io::write_safetensors(file, {net.parameters, {}});
}

void try_out(const q::graph& net, const q::quantization& how, const q::data::batch& known,
             const q::data::batch& test) {
    const q::plan plan = q::place(q::passes::optimize(net), how);
    const q::reference_executor floats(plan.net);
    const std::vector batches{known.images};
    const q::table table = q::calibrate(plan, floats, batches, q::observe::moving_average{});
    for (const std::string& note : table.notes)
        std::cout << "note: " << note << '\n';

    const q::program integers = q::lower(plan, table);
    for (const auto& [v, decibels] : q::signal_to_noise(plan, table, floats, integers, test.images))
        std::cout << std::setw(8) << plan.at(v).name << std::setw(6) << decibels << " dB\n";
    const auto right = [&](const q::tensor<float>& logits) {
        const std::vector<int> classes = q::predictions(logits);
        return std::inner_product(classes.begin(), classes.end(), test.labels.begin(), 0,
                                  std::plus{}, std::equal_to{});
    };
    std::cout << "right of " << test.labels.size() << ": " << right(floats(test.images, {}))
              << " in float, " << right(integers.run(test.images)) << " in integers\n\n";
}

q::data::batch load(bool train) {
    const q::data::fashion_mnist set(q::data::fashion_mnist::default_folder, train);
    const q::data::loader images(set, {.batch_size = 1000, .count = 1000});
    return std::move(*images.begin());
}

int main() {
    const q::data::batch known = load(true), test = load(false);
    const auto file = std::filesystem::temp_directory_path() / "own_network.safetensors";
    write_weights(file, known);

    q::graph net;
    net.linear("head", add_features(net), {.out_features = 10});
    q::load_weights(net, q::io::read_checkpoint(file).tensors);

    std::cout << std::fixed << std::setprecision(1);
    q::quantization how{.weights = q::w3, .activations = q::a4};
    try_out(net, how, known, test);
    how.layers = {{"stem", q::w8}, {"head", q::w8}};
    try_out(net, how, known, test);
}
