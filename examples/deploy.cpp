// SPDX-License-Identifier: Apache-2.0
/// Runs a deployable file (save_network makes one) on the first test images of Fashion-MNIST:
/// deploy NETWORK.quantal
#include <quantal/data/fashion_mnist.hpp>
#include <quantal/data/loader.hpp>
#include <quantal/data/preprocess_json.hpp>
#include <quantal/io/deployable.hpp>
#include <quantal/runtime/evaluate.hpp>

#include <exception>
#include <iostream>

namespace q = quantal;

int main(int argc, char** argv) try {
    const auto [network, metadata] = q::io::load(argc > 1 ? argv[1] : "network.quantal");
    const q::program program = q::lower(network);
    const auto prepare = q::data::preprocess_from_json(metadata.at("preprocess"));
    const q::data::fashion_mnist images(q::data::fashion_mnist::default_folder, false, prepare);
    int right = 0;
    for (const auto& batch : q::data::loader(images, {.batch_size = 20, .count = 100})) {
        const std::vector<int> found = q::predictions(program.run(batch.images));
        for (std::size_t i = 0; i < found.size(); ++i)
            right += found[i] == batch.labels[i];
    }
    std::cout << metadata.at("model") << ": " << right << " of 100 images right\n";
} catch (const std::exception& e) {
    std::cerr << "deploy: " << e.what() << '\n';
    return 2;
}
