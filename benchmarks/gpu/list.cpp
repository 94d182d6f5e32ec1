// SPDX-License-Identifier: Apache-2.0
/// gpu_list kernels: every kernel, its threads and shared memory.
/// gpu_list network MODEL WEIGHT_BITS CODE_BITS DEVICES BATCHES: what each layer of a network
/// launches for images of 224x224, on devices of so many multiprocessors and such an architecture
/// (as in 108:80,132:90), for batches of so many images; and what its products would be in float16.
/// JSON; needs neither nvcc nor a device.
#include "../../src/cuda/families.hpp"
#include "gpu/half_layers.hpp"
#include "gpu/listing_queue.hpp"
#include "gpu/network.hpp"

#include <nlohmann/json.hpp>

#include <iostream>
#include <sstream>

using namespace quantal;
using json = nlohmann::ordered_json;

namespace {

json to_json(const benchmarks::tile_facts& f) {
    const cuda::product_tile& t = f.tile;
    return {{"m", t.m}, {"n", t.n}, {"k", t.k}, {"k_w", t.k_w()}, {"element", f.element}};
}

json to_json(const benchmarks::launch_facts& f) {
    json j{{"kernel", f.kernel}, {"threads", f.threads}, {"shared_bytes", f.shared_bytes}};
    if (f.blocks > 0) {
        j["blocks"] = f.blocks;
        j["read_bytes"] = f.read_bytes;
        j["written_bytes"] = f.written_bytes;
    }
    if (f.product) {
        const auto& [rows, columns, depth, tile] = *f.product;
        j["product"] = {{"rows", rows}, {"columns", columns}, {"depth", depth}};
        j["tile"] = to_json(tile);
    }
    return j;
}

json to_json(const std::vector<benchmarks::launch_facts>& launches) {
    json all = json::array();
    for (const auto& f : launches)
        all.push_back(to_json(f));
    return all;
}

template <cuda::kernel K>
json describe(const char* family) {
    json j = to_json(benchmarks::facts_of_type<K>());
    j["family"] = family;
    j["is_straight"] = benchmarks::is_straight<K>;
    if (const auto& tile = benchmarks::tile_of<K>) j["tile"] = to_json(*tile);
    using cuda::bytes_by_bytes;
    using gemm = cuda::product_kernel<bytes_by_bytes::tiles.large, bytes_by_bytes,
                                      cuda::matrix_rows, cuda::codes_out>;
    j["is_gemm"] = std::is_same_v<K, gemm>; // the one that the goal is about
    return j;
}

json list_kernels() {
    json all = json::array();
    cuda::for_each_family([&all]<cuda::kernel... K>(const char* name, cuda::kernels<K...>) {
        (all.push_back(describe<K>(name)), ...);
    });
    return all;
}

/// What the steps of a network launch for a batch, in the order of its nodes.
json list_steps(const cuda::network& net, const plan& p, int multiprocessors, std::int32_t batch) {
    std::vector<std::span<std::byte>> slots;
    std::byte place{}; // of all slots: nothing is read or written
    for (const cuda::slot& s : net.slots)
        slots.emplace_back(&place, s.bytes() * static_cast<std::size_t>(batch));
    json layers = json::array();
    for (value v = 0; v < p.net.size(); ++v) {
        cuda::queue on(multiprocessors), halves(multiprocessors);
        net.steps[v]({on, batch, slots});
        if (benchmarks::half_layer::is_one(p, v))
            benchmarks::half_layer(p, v, batch, 0).launch(halves);
        layers.push_back({{"layer", p.at(v).name},
                          {"operator", op::name(p.at(v).op)},
                          {"kernel", net.kernels[v]},
                          {"operations", batch * operations_of(p, v)},
                          {"launches", to_json(on.launches)},
                          {"halves", to_json(halves.launches)}});
    }
    return layers;
}

/// Parts of a text with commas between them.
std::vector<std::string> parts_of(const std::string& text) {
    std::vector<std::string> found;
    std::istringstream from(text);
    for (std::string part; std::getline(from, part, ',');)
        found.push_back(part);
    return found;
}

json list_network(std::span<char*> arguments) {
    const std::string model = arguments[0];
    const int weight_bits = std::stoi(arguments[1]), code_bits = std::stoi(arguments[2]);
    const integer_network n = benchmarks::network_of(model, weight_bits, code_bits);
    json all = json::array();
    for (const std::string& device : parts_of(arguments[3])) {
        const int multiprocessors = std::stoi(device);
        const int arch = std::stoi(device.substr(device.find(':') + 1));
        const cuda::network net = cuda::lower_network(n, 0, arch);
        for (const std::string& batch : parts_of(arguments[4]))
            all.push_back(
                {{"model", model},
                 {"weight_bits", weight_bits},
                 {"code_bits", code_bits},
                 {"multiprocessors", multiprocessors},
                 {"arch", arch},
                 {"batch", std::stoi(batch)},
                 {"layers", list_steps(net, n.plan(), multiprocessors, std::stoi(batch))}});
    }
    return all;
}

} // namespace

int main(int argc, char** argv) {
    const std::span<char*> arguments(argv + 1, static_cast<std::size_t>(argc - 1));
    const std::string what = arguments.empty() ? "" : arguments[0];
    if (what == "kernels" && arguments.size() == 1)
        std::cout << list_kernels() << std::endl;
    else if (what == "network" && arguments.size() == 6)
        std::cout << list_network(arguments.subspan(1)) << std::endl;
    else {
        std::cerr << "usage: gpu_list kernels | gpu_list network MODEL WEIGHT_BITS "
                     "CODE_BITS DEVICES BATCHES\n";
        return 2;
    }
}
