// SPDX-License-Identifier: Apache-2.0
/// The table of ratios that the benchmarks of convolutions and of matrix products print.
#ifndef QUANTAL_BENCHMARKS_SUPPORT_PRODUCT_TABLE_HPP
#define QUANTAL_BENCHMARKS_SUPPORT_PRODUCT_TABLE_HPP

#include "support/products.hpp"
#include "support/rows.hpp"

#include <quantal/kernel/cpu/dispatch.hpp>

#include <cmath>

namespace benchmarks {

/// Ratios to the fastest peer, which may saturate, at 8 bits: quantal at three widths.
class product_table {
public:
    product_table(const std::string& task, const options& o)
        : options_(o), arch_(quantal::cpu::kernels_named(o.arch.c_str()).name),
          file_{task, "Gop/s", arch_, o.threads,
                measure_peaks(arch_, static_cast<std::size_t>(o.threads))} {
        hold_onednn(arch_);
        hold_xnnpack(arch_);
        std::printf("%s, %d threads: ratios to the fastest peer's 8 bits, median [least, most] of "
                    "%d rounds\n",
                    arch_.c_str(), o.threads, o.rounds);
    }

    /// `make(u_max, w_max)` makes the task; the others bind it to an implementation. Throws unless
    /// all of them agree on data that none saturates on.
    template <class Make, class Quantal, class... Peers>
    void row(const std::string& label, Make make, Quantal quantal, Peers... peers) {
        const auto harmless = make(255, 63);
        const auto expected = codes_of(quantal(harmless, arch_, options_.threads));
        (require_equal(expected, peers(harmless, options_.threads)), ...);
        std::vector<decltype(make(0, 0))> tasks;
        for (const width& w : widths)
            tasks.push_back(make(w.u_max, w.w_max));
        std::vector<implementation> all{peers(tasks[0], options_.threads)...};
        for (const auto& task : tasks)
            all.push_back(quantal(task, arch_, options_.threads));
        constexpr std::size_t count = sizeof...(peers);
        const std::vector<result> results = race_of(all);
        const auto codes = codes_of(all[count]);
        std::vector<peer> found;
        for (std::size_t i = 0; i < count; ++i)
            found.push_back({results[i], codes_of(all[i]) == codes});
        print(label, found, std::span(results).subspan(count), tasks[0].operations());
    }

    /// One in float32: quantal against one peer.
    void float_row(const std::string& label, double operations, const float_implementation& ours,
                   const float_implementation& other) {
        ours.run();
        other.run();
        if (ours.result() != other.result())
            throw std::runtime_error(other.name + " differs from " + ours.name);
        const auto results = race_of(std::vector{ours, other});
        const json figures =
            row_of(results[0], {{results[1], true}}, operations, file_.machine.float_operations);
        std::printf("%s float32: %s %.0f Gop/s | %.2f\n", label.c_str(), other.name.c_str(),
                    figures["peer_value"].get<double>(), figures["ratio"].get<double>());
        file_.add("f32", label, figures);
    }
    void finish() const {
        std::printf("geometric means:");
        for (std::size_t i = 0; i < std::size(widths); ++i)
            std::printf(" %s %.2f", widths[i].name, mean(ratios_[i]));
        std::printf("\n");
        file_.write(options_.json_file);
    }

private:
    struct width {
        const char* name;
        int u_max, w_max;
    };
    static constexpr width widths[] = {{"w8a8", 255, 127}, {"w4a8", 255, 7}, {"w4a4", 15, 7}};

    static std::vector<std::uint8_t> codes_of(const implementation& i) {
        i.run();
        return i.result();
    }
    static void require_equal(const std::vector<std::uint8_t>& codes, const implementation& other) {
        if (codes_of(other) != codes)
            throw std::runtime_error(other.name + " differs from quantal");
    }
    template <class Implementation>
    std::vector<result> race_of(const std::vector<Implementation>& all) const {
        std::vector<contender> contenders;
        for (const Implementation& i : all)
            contenders.push_back({i.name, i.run});
        return race(contenders, options_.threads, options_.rounds);
    }
    void print(const std::string& label, const std::vector<peer>& peers,
               std::span<const result> ours, double operations) {
        std::printf("%s", label.c_str());
        for (std::size_t i = 0; i < ours.size(); ++i) {
            const json figures = row_of(ours[i], peers, operations, file_.machine.byte_operations);
            const double ratio = figures["ratio"];
            if (i == 0)
                std::printf(" %s %5.0f Gop/s (%s)", figures["peer"].get<std::string>().c_str(),
                            figures["peer_value"].get<double>(),
                            figures["peer_exact"].get<bool>() ? "exact" : "saturates");
            std::printf(" | %s %.2f (spread %.2f)", widths[i].name, ratio,
                        figures["spread"].get<double>());
            ratios_[i].push_back(ratio);
            file_.add(widths[i].name, label, figures);
        }
        std::printf(" (%s)\n", ours[0].name.c_str());
        std::fflush(stdout);
    }
    static double mean(const std::vector<double>& ratios) {
        double sum = 0;
        for (const double r : ratios)
            sum += std::log(r);
        return std::exp(sum / static_cast<double>(ratios.size()));
    }

    options options_;
    std::string arch_;
    row_file file_;
    std::vector<double> ratios_[std::size(widths)];
};

} // namespace benchmarks

#endif
