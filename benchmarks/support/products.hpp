// SPDX-License-Identifier: Apache-2.0
/// What the benchmarks of convolutions and of matrix products share: operands, implementations, and
/// the table of their ratios.
#ifndef QUANTAL_BENCHMARKS_SUPPORT_PRODUCTS_HPP
#define QUANTAL_BENCHMARKS_SUPPORT_PRODUCTS_HPP

#include "support/onednn.hpp"
#include "support/race.hpp"
#include "support/xnnpack.hpp"

#include <cmath>
#include <cstdlib>
#include <random>

namespace benchmarks {

/// Bytes of activations in [0, u_max], weights in [-w_max, w_max], both uniform;
/// `y = clamp(rne(sum * 2^-shift), 0, 255)`.
struct uniform_operands {
    int u_max, w_max, shift = 4;
    std::vector<std::uint8_t> x;
    std::vector<std::int8_t> w;

    uniform_operands(std::size_t inputs, std::size_t weights, int depth, int u_max_, int w_max_)
        : u_max(u_max_), w_max(w_max_), x(inputs), w(weights) {
        std::mt19937 g(1);
        for (auto& v : x)
            v = static_cast<std::uint8_t>(std::uniform_int_distribution<>(0, u_max)(g));
        for (auto& v : w)
            v = static_cast<std::int8_t>(std::uniform_int_distribution<>(-w_max, w_max)(g));
        // About half of the outputs inside the range.
        for (double deviation = 0.33 * u_max * w_max;
             deviation * deviation * depth > 150.0 * 150.0 * (1 << shift) * (1 << shift);)
            ++shift;
    }
};

/// An implementation bound to a task: runs it, and hands out its codes.
struct implementation {
    std::string name;
    std::function<void()> run;
    std::function<std::vector<std::uint8_t>()> result;
};

/// Ratios to oneDNN: XNNPACK at 8 bits, quantal at three widths.
class product_table {
public:
    product_table(std::string arch, int threads) : arch_(std::move(arch)), threads_(threads) {
        hold_onednn(arch_);
        hold_xnnpack(arch_);
        std::printf("ratios to oneDNN u8s8: median [least, most] of 9 rounds; %d threads\n",
                    threads_);
    }

    /// One row: `make(u_max, w_max)` makes the task; the others bind it to an implementation. Stops
    /// the program unless all of them agree on data that none saturates on.
    template <class Make, class Quantal, class OneDnn, class Xnnpack>
    void row(const std::string& label, Make make, Quantal quantal, OneDnn onednn, Xnnpack xnnpack) {
        const auto harmless = make(255, 63);
        verify(quantal(harmless, arch_, threads_),
               {onednn(harmless, threads_), xnnpack(harmless, threads_)});
        const auto first = make(widths[0].u_max, widths[0].w_max);
        std::vector<contender> contenders;
        const auto add = [&](const implementation& i) { contenders.push_back({i.name, i.run}); };
        add(onednn(first, threads_));
        add(xnnpack(first, threads_));
        std::vector<decltype(make(0, 0))> tasks;
        for (const width& w : widths)
            tasks.push_back(make(w.u_max, w.w_max));
        for (const auto& task : tasks)
            add(quantal(task, arch_, threads_));
        print(label, first.operations(), race(contenders, threads_));
    }
    void print_means() const {
        std::printf("geometric means:");
        for (std::size_t i = 0; i < std::size(ratios_); ++i)
            std::printf(" %s %.2f", name(i), mean(ratios_[i]));
        std::printf(", W8A8 to XNNPACK %.2f\n", mean(ratios_[1]) / mean(ratios_[0]));
    }

private:
    struct width {
        const char* name;
        int u_max, w_max;
    };
    static constexpr width widths[] = {{"W8A8", 255, 127}, {"W4A8", 255, 7}, {"W4A4", 15, 7}};
    static const char* name(std::size_t column) {
        return column == 0 ? "XNNPACK" : widths[column - 1].name;
    }

    static void verify(const implementation& a, const std::vector<implementation>& others) {
        a.run();
        for (const implementation& b : others) {
            b.run();
            if (a.result() == b.result()) continue;
            std::printf("%s differs from %s\n", b.name.c_str(), a.name.c_str());
            std::exit(1);
        }
    }
    void print(const std::string& label, double operations, const std::vector<result>& results) {
        std::printf("%s %s %5.0f Gop/s", label.c_str(), results[0].name.c_str(),
                    operations / results[0].seconds * 1e-9);
        for (std::size_t i = 1; i < results.size(); ++i) {
            const result& r = results[i];
            std::printf(" | %s %.2f [%.2f, %.2f]", name(i - 1), r.ratio, r.least, r.most);
            ratios_[i - 1].push_back(r.ratio);
        }
        std::printf(" (%s)\n", results[2].name.c_str());
        std::fflush(stdout);
    }
    static double mean(const std::vector<double>& ratios) {
        double sum = 0;
        for (const double r : ratios)
            sum += std::log(r);
        return std::exp(sum / static_cast<double>(ratios.size()));
    }

    std::string arch_;
    int threads_;
    std::vector<double> ratios_[1 + std::size(widths)];
};

} // namespace benchmarks

#endif
