// SPDX-License-Identifier: Apache-2.0
/// gpu_list kernels: every kernel, its threads and shared memory.
/// gpu_list network MODEL DEVICES BATCHES: what each layer of a network launches for images of
/// 224x224, on devices of so many multiprocessors, for batches of so many images (as in 108,132).
/// JSON; needs neither nvcc nor a device.
#include "../../src/cuda/families.hpp"
#include "gpu/listing_queue.hpp"
#include "gpu/network.hpp"

#include <quantal/runtime/cuda/lowering.hpp>

#include <nlohmann/json.hpp>

#include <iostream>
#include <sstream>

using namespace quantal;
using json = nlohmann::ordered_json;

namespace {

json to_json(const cuda::product_tile& t) {
    return {{"m", t.m}, {"n", t.n}, {"k", t.k}};
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

template <cuda::kernel K>
json describe(const char* family) {
    json j = to_json(benchmarks::facts_of_type<K>());
    j["family"] = family;
    if (const auto& tile = benchmarks::tile_of<K>) j["tile"] = to_json(*tile);
    using gemm = cuda::product_kernel<cuda::large_tile, cuda::matrix_rows, cuda::codes_out>;
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
        cuda::queue on(multiprocessors);
        net.steps[v]({on, batch, slots});
        json launches = json::array();
        for (const auto& f : on.launches)
            launches.push_back(to_json(f));
        layers.push_back({{"layer", p.at(v).name},
                          {"operator", op::name(p.at(v).op)},
                          {"operations", batch * operations_of(p, v)},
                          {"launches", launches}});
    }
    return layers;
}

/// Numbers with commas between them.
std::vector<int> numbers(const std::string& text) {
    std::vector<int> found;
    std::istringstream from(text);
    for (std::string number; std::getline(from, number, ',');)
        found.push_back(std::stoi(number));
    return found;
}

json list_network(const std::string& model, const std::string& devices,
                  const std::string& batches) {
    const integer_network n = benchmarks::network_in_bytes(model);
    const cuda::network net = cuda::lower_network(n, 0);
    json all = json::array();
    for (const int multiprocessors : numbers(devices))
        for (const int batch : numbers(batches))
            all.push_back({{"model", model},
                           {"multiprocessors", multiprocessors},
                           {"batch", batch},
                           {"layers", list_steps(net, n.plan(), multiprocessors, batch)}});
    return all;
}

} // namespace

int main(int argc, char** argv) {
    const std::span<char*> arguments(argv + 1, static_cast<std::size_t>(argc - 1));
    const std::string what = arguments.empty() ? "" : arguments[0];
    if (what == "kernels" && arguments.size() == 1)
        std::cout << list_kernels() << std::endl;
    else if (what == "network" && arguments.size() == 4)
        std::cout << list_network(arguments[1], arguments[2], arguments[3]) << std::endl;
    else {
        std::cerr << "usage: gpu_list kernels | gpu_list network MODEL DEVICES BATCHES\n";
        return 2;
    }
}
