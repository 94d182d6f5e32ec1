// SPDX-License-Identifier: Apache-2.0
/// One tensor and one network, from float to integers.
#include <quantal/quantal.hpp>

#include <iostream>

namespace q = quantal;

int main() {
    // A tensor: observe, make the scales, quantize, pack.
    const std::vector<float> weights{-0.7f, -0.2f, 0.0f, 0.1f, 0.4f, 0.9f};
    const auto w = q::quantize<q::qspec{.bits = 4}>(weights);
    std::cout << weights.size() << " floats became " << w.packed().size() << " bytes, scale "
              << w.params().scale() << ":";
    for (const float v : q::dequantize(w).values())
        std::cout << ' ' << v;

    // A network of one's own, with weights from anywhere.
    q::graph net;
    q::value x = net.input({1, 8, 8});
    x = net.conv2d("conv", x, {.out_channels = 4, .kernel = 3, .padding = 1});
    x = net.relu("relu", x);
    x = net.flatten("flatten", net.global_average_pool("pool", x));
    net.linear("fc", x, {.out_features = 3});
    std::map<std::string, q::tensor<float>> checkpoint;
    for (const auto& [name, shape] : q::parameter_shapes(net)) {
        q::tensor<float> values(shape);
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] = static_cast<float>(i * 7 % 11) / 11.0f - 0.4f;
        checkpoint.emplace(name, values);
    }
    q::load_weights(net, checkpoint);

    // Optimize, place quantizers, calibrate, lower: exact integers from here on.
    q::tensor<float> images({2, 1, 8, 8});
    for (std::size_t i = 0; i < images.size(); ++i)
        images[i] = static_cast<float>(i * 5 % 13) / 13.0f;
    const q::plan plan = q::place(q::passes::optimize(net), {.weights = q::w4});
    const q::table table = q::calibrate(plan, q::reference_executor(plan.net), std::vector{images});
    const auto integers = q::lower(plan, table).run(images);
    const auto floats = q::reference_executor(net)(images, {});
    std::cout << "\nfloat and 4-bit outputs:";
    for (std::size_t i = 0; i < floats.size(); ++i)
        std::cout << "  " << floats[i] << " / " << integers[i];
    std::cout << '\n';
}
