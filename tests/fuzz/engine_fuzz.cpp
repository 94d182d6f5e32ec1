// SPDX-License-Identifier: Apache-2.0
// Builds a small network from the bytes and holds the CPU's programs against the reference: every
// code of every quantizer point, and the output, on one of the kernels that this CPU can run.
#include <quantal/runtime/cpu/program.hpp>

#include "kernel/cpu/archs.hpp"
#include "support/random_network.hpp"

#include <cstdio>
#include <cstdlib>

using namespace quantal;

namespace {

/// Random numbers that are the bytes of the input, and when these are used up those of a generator
/// that they seed.
class choices {
public:
    using result_type = std::uint8_t;
    static constexpr result_type min() { return 0; }
    static constexpr result_type max() { return 255; }

    explicit choices(std::span<const std::uint8_t> bytes) : bytes_(bytes) {
        std::seed_seq words(bytes.begin(), bytes.end());
        rest_.seed(words);
    }
    result_type operator()() {
        if (bytes_.empty()) return static_cast<result_type>(rest_());
        const result_type first = bytes_.front();
        bytes_ = bytes_.subspan(1);
        return first;
    }
    int pick(int lo, int hi) { return std::uniform_int_distribution<>(lo, hi)(*this); }
    [[nodiscard]] std::mt19937& rest() { return rest_; }

private:
    std::span<const std::uint8_t> bytes_;
    std::mt19937 rest_;
};

/// Nothing but the outermost values, so that every code is an end of its range.
void go_to_the_ends(tensor<float>& t) {
    for (float& x : t.values())
        x = x < 0 ? -1.0f : 1.0f;
}

/// A few layers whose sums are real, which programs hand to the reference.
void add_forms(quantization& q, choices& c) {
    for (layer_rule& rule : q.layers) {
        if (!rule.weights || c.pick(0, 15) != 0) continue;
        if (c.pick(0, 1))
            rule.weights_only = true;
        else
            rule.dynamic = qspec{.bits = c.pick(2, 8), .kind = scheme::affine};
    }
}

networks::calibrated network_of(choices& c) {
    graph net = passes::optimize(support::network_maker(c)(c.pick(2, 10)));
    support::randomize(net, c.rest());
    tensor<float> images = support::normal(c.rest(), net.input_shape().with_front(c.pick(1, 3)));
    const int ends = c.pick(0, 7);
    if (ends == 1 || ends == 2)
        for (auto& [name, values] : net.parameters)
            go_to_the_ends(values);
    if (ends == 2 || ends == 3) go_to_the_ends(images);
    quantization q = support::any_quantization(net, c);
    add_forms(q, c);
    plan p = place(net, q);
    table t = calibrate(p, reference_executor(p.net, 1), std::vector{images});
    return {std::move(p), std::move(t), std::move(images)};
}

[[noreturn]] void differs(const networks::calibrated& c, const char* where) {
    std::fprintf(stderr, "differs from the reference at %s of:\n", where);
    for (value v = 0; v < c.network.net.size(); ++v)
        std::fprintf(stderr, "  %s\n", c.network.at(v).name.c_str());
    std::abort();
}

/// A `code_network` that starts no threads: they cost more than these networks.
template <class N>
struct alone {
    const N& net;
    [[nodiscard]] tensor<float> run(const tensor<float>& images, int,
                                    const code_visitor& visit) const {
        return net.run(images, 1, visit);
    }
};

void check(const networks::calibrated& c, const integer_network& n, const cpu::kernel_set& kernels,
           int threads) {
    const program reference = lower(n);
    const cpu::program run(n, kernels, c.images.shape()[0] > 1 ? 32 : 1);
    for (const auto& [v, count] :
         compare_codes(alone<program>{reference}, alone<cpu::program>{run}, c.images))
        if (count.differing != 0) differs(c, c.network.at(v).name.c_str());
    if (run.run(c.images, threads) != reference.run(c.images, 1)) differs(c, "the output");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    static const std::vector<const cpu::kernel_set*> kernels = support::built_kernels();
    choices c(std::span(bytes, size));
    const int kernel = c.pick(0, static_cast<int>(kernels.size()) - 1);
    const int threads = c.pick(1, 3);
    std::optional<networks::calibrated> made;
    std::optional<integer_network> n;
    try {
        made = network_of(c);
        n = quantize(made->network, made->table);
    } catch (const error&) { // sums that do not fit; every other exception is a finding
        return 0;
    }
    check(*made, *n, *kernels[static_cast<std::size_t>(kernel)], threads);
    return 0;
}
