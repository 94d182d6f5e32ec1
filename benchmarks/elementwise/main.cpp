// SPDX-License-Identifier: Apache-2.0
/// elementwise [ARCH [MEGABYTES]]: quantize, dequantize, fake-quantize and extrema of an array that
/// no cache holds (give four times the last level; 128), on one thread, as bytes read and written a
/// second against a copy past the caches (extrema: against a read).
#include "support/peaks.hpp"
#include "support/race.hpp"

#include <quantal/arith/affine.hpp>
#include <quantal/kernel/cpu/aligned.hpp>
#include <quantal/kernel/cpu/dispatch.hpp>
#include <quantal/kernel/cpu/transform.hpp>

#include <cstdlib>
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
    const auto require = [](bool holds, const char* what) {
        if (holds) return;
        std::printf("%s differs from the formula\n", what);
        std::exit(1);
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

/// Prints the bytes a second of each contender, and the ratios to the first.
void report(const std::vector<contender>& contenders, const std::vector<double>& bytes_of_run) {
    const auto results = race(contenders, 1, 9, 0.1);
    for (std::size_t i = 0; i < results.size(); ++i) {
        const double share = bytes_of_run[i] / bytes_of_run[0];
        const result& r = results[i];
        std::printf("%-14s %6.1f GB/s | %.2f [%.2f, %.2f] of the %s\n", r.name.c_str(),
                    bytes_of_run[i] / r.seconds * 1e-9, r.ratio * share, r.least * share,
                    r.most * share, results[0].name.c_str());
    }
}

} // namespace

int main(int argc, char** argv) {
    const cpu::kernel_set& kernels = cpu::kernels_named(argc > 1 ? argv[1] : "");
    const cpu::array_kernels& k = kernels.arrays;
    const std::size_t megabytes = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 128;
    const std::size_t n = megabytes << 18;
    const floats x = random_floats(n);
    bytes q(n);
    floats y(n);
    verify(k, x, q, y);
    std::printf("%s, %zu MB of floats; median [least, most] of 9 rounds\n", kernels.name,
                megabytes);
    volatile std::uint64_t sink = 0;
    const auto size = static_cast<double>(n);
    report({{"copy", [&] { copy(x.data(), n, y.data()); }},
            {"quantize", [&] { k.quantize(x.data(), n, scale, codes, q.data()); }},
            {"dequantize", [&] { k.dequantize(q.data(), n, scale, codes.zero_point, y.data()); }},
            {"fake-quantize", [&] { k.fake_quantize(x.data(), n, scale, codes, y.data()); }}},
           {8 * size, 5 * size, 5 * size, 8 * size});
    report({{"read", [&] { sink = read_all(x.data(), n); }},
            {"min-max", [&] { sink = static_cast<std::uint64_t>(k.min_max(x.data(), n).hi); }}},
           {4 * size, 4 * size});
}
