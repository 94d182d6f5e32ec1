// SPDX-License-Identifier: Apache-2.0
/// gpu_time MODEL BATCH: how long a network and each of its layers run on device 0, by CUDA's
/// events: lines of a name, a tab and seconds. The line without a name is the whole network, as a
/// graph.
#include "gpu/network.hpp"

#include <quantal/runtime/cuda/lowering.hpp>

#include <iostream>

using namespace quantal;

namespace {

constexpr int warm_up = 5, runs = 21;

/// The median of some runs.
template <class F>
double time_of(cuda::queue& on, const F& f) {
    for (int i = 0; i < warm_up; ++i)
        f();
    std::vector<double> seconds;
    for (int i = 0; i < runs; ++i)
        seconds.push_back(on.seconds_of(f));
    std::nth_element(seconds.begin(), seconds.begin() + runs / 2, seconds.end());
    return seconds[runs / 2];
}

void time_network(const std::string& model, std::int32_t batch) {
    const integer_network n = benchmarks::network_in_bytes(model);
    const cuda::network net = cuda::lower_network(n, 0);
    cuda::queue on(0);
    std::vector<cuda::device_memory> memory;
    std::vector<std::span<std::byte>> slots;
    for (const cuda::slot& s : net.slots) {
        const std::size_t bytes = s.bytes() * static_cast<std::size_t>(batch);
        slots.emplace_back(memory.emplace_back(0, bytes).data(), bytes);
    }
    const std::vector<float> images(slots[net.images()].size() / sizeof(float), 0.5f);
    on.upload(std::as_bytes(std::span(images)), slots[net.images()].data());
    const cuda::frame frame{on, batch, slots};
    for (value v = 0; v < n.plan().net.size(); ++v)
        std::cout << n.plan().at(v).name << '\t' << time_of(on, [&] { net.steps[v](frame); })
                  << '\n';
    const auto all = on.record([&] {
        for (const cuda::launches& step : net.steps)
            step(frame);
    });
    std::cout << '\t' << time_of(on, [&] { on.replay(all); }) << '\n';
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: gpu_time MODEL BATCH\n";
        return 2;
    }
    try {
        time_network(argv[1], std::stoi(argv[2]));
    } catch (const std::exception& e) {
        std::cerr << "gpu_time: " << e.what() << '\n';
        return 1;
    }
}
