// SPDX-License-Identifier: Apache-2.0
/// Random networks of every operator, calibrated, of any widths.
#ifndef QUANTAL_TESTS_SUPPORT_RANDOM_NETWORK_HPP
#define QUANTAL_TESTS_SUPPORT_RANDOM_NETWORK_HPP

#include "support/networks.hpp"

namespace support {

using namespace quantal;

/// Appends operators to a network, as a generator of random numbers (or of a fuzzer's) chooses.
template <class Generator>
class network_maker {
public:
    explicit network_maker(Generator& g) : g_(g) {}

    /// `size` operators on a small image of an odd shape, then a head of one to three layers.
    [[nodiscard]] graph operator()(int size) && {
        net_.input({pick(1, 5), pick(3, 17), pick(3, 17)});
        while (static_cast<int>(net_.size()) <= size)
            try {
                append(name());
            } catch (const shape_error&) { // too small an image for that operator: another
            }
        append_head();
        return std::move(net_);
    }

private:
    std::int64_t pick(std::int64_t lo, std::int64_t hi) {
        return std::uniform_int_distribution<std::int64_t>(lo, hi)(g_);
    }
    std::string name() { return "layer" + std::to_string(net_.size()); }
    hw any_hw(std::int64_t lo, std::int64_t hi) { return {pick(lo, hi), pick(lo, hi)}; }
    padding any_padding(std::int64_t hi) {
        return {pick(0, hi), pick(0, hi), pick(0, hi), pick(0, hi)};
    }

    void append(const std::string& n) {
        const value x = net_.output();
        const value earlier = static_cast<value>(pick(0, static_cast<std::int64_t>(x)));
        switch (pick(0, 14)) {
        case 0:
            net_.relu(n, x);
            break;
        case 1:
            net_.clip(n, x, {.lo = -0.75f, .hi = 1.5f});
            break;
        case 2:
            net_.max_pool(n, x, {.kernel = 3, .stride = any_hw(1, 2), .padding = any_padding(2)});
            break;
        case 3:
            net_.average_pool(
                n, x, {.kernel = any_hw(2, 3), .stride = any_hw(1, 2), .padding = any_padding(1)});
            break;
        case 4:
            net_.shortcut(n, x,
                          {.stride = any_hw(1, 2),
                           .channels_before = pick(0, 3),
                           .channels_after = pick(0, 3)});
            break;
        case 5:
            net_.concat(n, {x, earlier});
            break;
        case 6:
            net_.average_pool(n, x,
                              {.kernel = any_hw(2, 3),
                               .stride = any_hw(1, 2),
                               .padding = any_padding(1),
                               .counts_padding = false});
            break;
        case 12:
            net_.function(
                n, x, {.curve = static_cast<op::curve>(pick(0, 4)), .alpha = 0.2f, .beta = 0.5f});
            break;
        case 13:
            net_.multiply(n, x, pick(0, 1) ? x : net_.global_average_pool(n + ".mean", x));
            break;
        case 7:
        case 8:
            net_.add(n, earlier, residual(n, earlier));
            break;
        default:
            convolution(n, x);
        }
    }
    /// An addend for `x`: itself, or a convolution of it, which may end in the add.
    value residual(const std::string& n, value x) {
        if (pick(0, 3) == 0) return x;
        const std::int64_t channels = net_.at(x).shape[0];
        const value y =
            net_.conv2d(n + ".conv", x, {.out_channels = channels, .kernel = 3, .padding = 1});
        return pick(0, 1) ? y : net_.relu(n + ".relu", y);
    }
    void convolution(const std::string& n, value x) {
        const std::int64_t channels = net_.at(x).shape[0];
        const std::int64_t kinds[] = {1, channels, channels % 2 ? 1 : 2};
        const std::int64_t groups = kinds[pick(0, 2)];
        net_.conv2d(n, x,
                    {.out_channels = groups * pick(1, 1 + 40 / groups),
                     .kernel = any_hw(1, 3),
                     .stride = any_hw(1, 2),
                     .padding = any_padding(2),
                     .dilation = any_hw(1, 2),
                     .groups = groups,
                     .bias = pick(0, 1) == 1});
    }
    void append_head() {
        const auto kind = pick(0, 3);
        if (kind == 0) return; // the output is an image of codes
        if (kind == 1) net_.global_average_pool("pool", net_.output());
        net_.flatten("flatten", net_.output());
        if (kind == 3)
            net_.relu("hidden.relu",
                      net_.linear("hidden", net_.output(), {.out_features = pick(1, 70)}));
        net_.linear("head", net_.output(), {.out_features = pick(1, 20)});
    }

    Generator& g_;
    graph net_;
};

/// A width and a scheme for each layer: 1 to 8 bits, now and then 16, or groups of weights, or an
/// operator in float.
template <class Generator>
quantization any_quantization(const graph& net, Generator& g) {
    const auto pick = [&](int lo, int hi) { return std::uniform_int_distribution<>(lo, hi)(g); };
    const auto any_spec = [&] {
        qspec s{.bits = pick(0, 15) ? pick(1, 8) : 16, .kind = scheme::affine};
        if (s.bits > 1) s.kind = static_cast<scheme>(pick(0, 3));
        return s;
    };
    quantization q;
    for (const node& n : net.nodes()) {
        layer_rule rule{.pattern = n.name, .activations = any_spec()};
        // Sums in float may differ; every other operator rounds once, or adds in one order.
        rule.in_float = !n.has_weight() && !n.as<op::input>() && pick(0, 5) == 0;
        if (n.has_weight()) {
            rule.weights = any_spec();
            if (pick(0, 1)) rule.weights->grain = per_channel;
            if (pick(0, 9) == 0) {
                rule.weights->grain = per_group;
                rule.weights->group_size = pick(1, 40);
            }
        }
        q.layers.push_back(rule);
    }
    return q;
}

/// A random network with random weights, `images` random images, and a table from these.
inline networks::calibrated random_network(std::mt19937& g, int size, std::int64_t images) {
    graph net = passes::optimize(network_maker(g)(size));
    randomize(net, g);
    tensor<float> batch = normal(g, net.input_shape().with_front(images));
    plan p = place(net, any_quantization(net, g));
    table t = calibrate(p, reference_executor(p.net), std::vector{batch});
    return {std::move(p), std::move(t), std::move(batch)};
}

} // namespace support

#endif
