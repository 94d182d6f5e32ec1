// SPDX-License-Identifier: Apache-2.0
#include "trained.hpp"

#include "device.hpp"

#include <quantal/data/preprocess_json.hpp>
#include <quantal/io/deployable.hpp>

namespace homework {

std::filesystem::path trained_file(const std::filesystem::path& folder, const std::string& model,
                                   const std::string& data, const std::string& config,
                                   const std::string& method) {
    return folder / fmt::format("{}_{}_{}_{}.quantal", model, data, config, method);
}

void write_trained(const std::filesystem::path& file, const trained_network& t, const subject& s) {
    quantal::io::save(file, t.network,
                      {{"model", s.name},
                       {"preprocess", data::to_json(s.preprocess)},
                       {"training", t.training.dump()}});
}

trained_network read_trained(const std::filesystem::path& file, const subject& s) {
    auto read = quantal::io::load(file);
    if (read.metadata["model"] != s.name ||
        read.network.plan().net.input_shape() != s.plan.net.input_shape())
        quantal::detail::fail<quantal::data_error>(file.string(), " holds the network \"",
                                                   read.metadata["model"], "\", not ", s.name);
    json training = json::parse(read.metadata["training"], nullptr, false);
    if (!training.is_object())
        quantal::detail::fail<quantal::data_error>(
            file.string(), " does not say in its metadata how it was trained");
    return {std::move(read.network), std::move(training)};
}

quantal::plan with_real_weights(const quantal::integer_network& n) {
    quantal::plan p = n.plan();
    for (const auto& [v, layer] : n.layers()) {
        const std::string& name = p.at(v).name;
        p.net.parameters.insert_or_assign(name + ".weight", dequantize(layer.weights));
        const float x_scale = quantal::activation_params(p, n.table(), p.at(v).inputs[0]).scale();
        const auto& scales = layer.weights.params().scales;
        quantal::tensor<float> bias({std::ssize(layer.bias)});
        for (std::size_t c = 0; c < bias.size(); ++c)
            bias[c] = quantal::arith::dequantize(
                layer.bias[c], quantal::arith::product(x_scale, scales[scales.size() == 1 ? 0 : c]),
                0);
        p.net.parameters.insert_or_assign(name + ".bias", std::move(bias));
    }
    return p;
}

std::vector<int> integer_answers(subject& s, const quantal::integer_network& network,
                                 const options& o) {
    const integer_engine engine(network, o.device);
    return s.answers([&](const auto& x) { return engine.run(x, o.threads); }, "integer images",
                     s.count);
}

} // namespace homework
