// SPDX-License-Identifier: Apache-2.0
/// gpu_time MODEL WEIGHT_BITS CODE_BITS BATCH: how long a network and each of its layers run on
/// device 0, by CUDA's events: lines of a name, a tab and seconds, and for products another tab and
/// the seconds of the same in float16. The line without a name is the whole network, as a graph.
#include "gpu/half_layers.hpp"
#include "gpu/network.hpp"

#include <quantal/kernel/cuda/capability.hpp>

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

double time_of_halves(cuda::queue& on, const plan& p, value v, std::int32_t batch) {
    benchmarks::half_layer layer(p, v, batch, 0);
    layer.fill(on);
    return time_of(on, [&] { layer.launch(on); });
}

void time_network(const integer_network& n, std::int32_t batch) {
    const cuda::network net = cuda::lower_network(n, 0, cuda::compute_capability_of(0));
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
    for (value v = 0; v < n.plan().net.size(); ++v) {
        std::cout << n.plan().at(v).name << '\t' << time_of(on, [&] { net.steps[v](frame); });
        if (benchmarks::half_layer::is_one(n.plan(), v))
            std::cout << '\t' << time_of_halves(on, n.plan(), v, batch);
        std::cout << '\n';
    }
    const auto all = on.record([&] {
        for (const cuda::launches& step : net.steps)
            step(frame);
    });
    std::cout << '\t' << time_of(on, [&] { on.replay(all); }) << '\n';
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        std::cerr << "usage: gpu_time MODEL WEIGHT_BITS CODE_BITS BATCH\n";
        return 2;
    }
    try {
        time_network(benchmarks::network_of(argv[1], std::stoi(argv[2]), std::stoi(argv[3])),
                     std::stoi(argv[4]));
    } catch (const std::exception& e) {
        std::cerr << "gpu_time: " << e.what() << '\n';
        return 1;
    }
}
