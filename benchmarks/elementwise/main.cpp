// SPDX-License-Identifier: Apache-2.0
/// Quantize, dequantize, fake-quantize and extrema of an array that no cache holds, on one thread,
/// as bytes read and written a second against a copy past the caches (extrema: against a read).
#include "support/rows.hpp"

#include <quantal/arith/affine.hpp>
#include <quantal/kernel/cpu/aligned.hpp>
#include <quantal/kernel/cpu/dispatch.hpp>
#include <quantal/kernel/cpu/transform.hpp>

#include <random>

using namespace benchmarks;
using namespace quantal;

namespace {

using floats = cpu::aligned_vector<float>;
using bytes = cpu::aligned_vector<std::uint8_t>;

constexpr float scale = 0.05f;
constexpr cpu::byte_codes codes{100, 0, 255};

floats random_floats(std::size_t count) {
    floats x(count);
    std::mt19937 random(20261124);
    std::normal_distribution<float> normal(0.0f, 3.0f);
    for (std::size_t i = 0; i < count; ++i) // a table: drawing all of them would take a minute
        x[i] = i < 65536 ? normal(random) : x[i - 65536 + i / 65536 % 7];
    return x;
}

void copy(const float* from, std::size_t count, float* to) {
    for (std::size_t i = 0; i < count; i += cpu::cache_line / sizeof(float))
        cpu::stream_line<cpu::generic>(from + i, to + i);
    cpu::stream_fence();
}

void verify(const cpu::array_kernels& k, const floats& x, bytes& q, floats& y) {
    const auto require = [](bool holds, const std::string& what) {
        if (!holds) throw std::runtime_error(what + " differs from the formula");
    };
    const auto code = [&](float v) {
        return arith::quantize(v, scale, codes.zero_point, codes.lo, codes.hi);
    };
    k.quantize(x.data(), x.size(), scale, codes, q.data());
    for (std::size_t i = 0; i < x.size(); ++i)
        require(q[i] == code(x[i]), "quantize");
    k.dequantize(q.data(), q.size(), scale, codes.zero_point, y.data());
    for (std::size_t i = 0; i < x.size(); ++i)
        require(y[i] == arith::dequantize(q[i], scale, codes.zero_point), "dequantize");
    k.fake_quantize(x.data(), x.size(), scale, codes, y.data());
    for (std::size_t i = 0; i < x.size(); ++i)
        require(y[i] == arith::dequantize(code(x[i]), scale, codes.zero_point), "fake-quantize");
    const auto [lo, hi] = std::minmax_element(x.begin(), x.end());
    const cpu::extent found = k.min_max(x.data(), x.size());
    require(found.lo == *lo && found.hi == *hi, "the extent");
}

/// Prints the bytes a second of each contender and the ratios to the first, which does nothing but
/// move them, and files the others' rows.
void report(const std::vector<contender>& contenders, const std::vector<double>& bytes_of_run,
            const options& o, row_file& file) {
    const auto results = race(contenders, 1, o.rounds, 0.1);
    const auto rate = [&](std::size_t i) { return bytes_of_run[i] / results[i].seconds * 1e-9; };
    for (std::size_t i = 0; i < results.size(); ++i) {
        const double share = bytes_of_run[i] / bytes_of_run[0];
        const result& r = results[i];
        std::printf("%-14s %6.1f GB/s | %.2f [%.2f, %.2f] of the %s\n", r.name.c_str(), rate(i),
                    r.ratio * share, r.least * share, r.most * share, results[0].name.c_str());
        if (i == 0) continue;
        file.add("a8", r.name,
                 {{"ours_value", rate(i)},
                  {"peer", results[0].name},
                  {"peer_value", rate(0)},
                  {"ratio", r.ratio * share},
                  {"spread", (r.most - r.least) / r.ratio},
                  {"peer_exact", true},
                  {"fraction_of_peak", 1e9 * rate(i) / file.machine.memory()}});
    }
}

void race_arrays(const options& o, std::size_t megabytes) {
    const cpu::kernel_set& kernels = cpu::kernels_named(o.arch.c_str());
    const cpu::array_kernels& k = kernels.arrays;
    const std::size_t n = megabytes << 18;
    const floats x = random_floats(n);
    bytes q(n);
    floats y(n);
    verify(k, x, q, y);
    std::printf("%s, %zu MB of floats; median [least, most] of %d rounds\n", kernels.name,
                megabytes, o.rounds);
    row_file file{"elementwise", "GB/s", kernels.name, 1, measure_peaks(kernels.name, 1)};
    volatile std::uint64_t sink = 0;
    const auto size = static_cast<double>(n);
    report({{"copy", [&] { copy(x.data(), n, y.data()); }},
            {"quantize", [&] { k.quantize(x.data(), n, scale, codes, q.data()); }},
            {"dequantize", [&] { k.dequantize(q.data(), n, scale, codes.zero_point, y.data()); }},
            {"fake-quantize", [&] { k.fake_quantize(x.data(), n, scale, codes, y.data()); }}},
           {8 * size, 5 * size, 5 * size, 8 * size}, o, file);
    report({{"read", [&] { sink = read_all(x.data(), n); }},
            {"min-max", [&] { sink = static_cast<std::uint64_t>(k.min_max(x.data(), n).hi); }}},
           {4 * size, 4 * size}, o, file);
    file.write(o.json_file);
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app("Arrays to codes and back, against a copy", "elementwise_benchmark");
    options o;
    std::size_t megabytes = 128;
    app.add_option("arch", o.arch, "kernels: generic, sse2, avx2, ... (default: the best)");
    app.add_option("megabytes", megabytes, "of floats; four times the last cache")
        ->check(CLI::Range(1, 1 << 14))
        ->capture_default_str();
    app.add_option("--rounds", o.rounds, "how often everything is timed, in turn")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--json", o.json_file, "write the rows to this file");
    return benchmarks::run(app, argc, argv, [&] { race_arrays(o, megabytes); });
}
