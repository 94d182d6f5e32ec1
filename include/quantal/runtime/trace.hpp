// SPDX-License-Identifier: Apache-2.0
/// Hashes and comparisons of all codes that a network computes.
#ifndef QUANTAL_RUNTIME_TRACE_HPP
#define QUANTAL_RUNTIME_TRACE_HPP

#include <quantal/runtime/program.hpp>

#include <map>

namespace quantal {
inline namespace v0 {

/// FNV-1a, 64 bits (Fowler, Noll, Vo), over int32 codes as little-endian bytes.
class fnv1a {
public:
    constexpr void add(std::span<const std::int32_t> codes) {
        for (const std::int32_t code : codes)
            for (int shift = 0; shift < 32; shift += 8) {
                hash_ ^= (static_cast<std::uint32_t>(code) >> shift) & 0xffu;
                hash_ *= 0x100000001b3u;
            }
    }
    [[nodiscard]] constexpr std::uint64_t value() const { return hash_; }

private:
    std::uint64_t hash_ = 0xcbf29ce484222325u;
};

/// A `code_visitor` that hashes the codes of every point, image after image.
class code_hashes {
public:
    void operator()(value v, std::size_t, std::span<const std::int32_t> codes) {
        hashes_[v].add(codes);
    }
    /// By node.
    [[nodiscard]] std::map<value, std::uint64_t> values() const {
        std::map<value, std::uint64_t> result;
        for (const auto& [v, hash] : hashes_)
            result.emplace(v, hash.value());
        return result;
    }

private:
    std::map<value, fnv1a> hashes_;
};

/// Anything that runs images and shows the codes of every quantizer point: a program, or LibTorch's
/// exact network.
template <class N>
concept code_network = requires(const N& net, const tensor<float>& images,
                                const code_visitor& visit) {
    { net.run(images, 0, visit) } -> std::same_as<tensor<float>>;
};

/// How many codes were compared, and how many differ, by node.
struct code_comparison {
    std::size_t codes = 0;
    std::size_t differing = 0;
};

/// Runs both networks on the images and compares every code of every point.
template <code_network A, code_network B>
[[nodiscard]] std::map<value, code_comparison> compare_codes(const A& a, const B& b,
                                                             const tensor<float>& images) {
    std::map<std::pair<value, std::size_t>, std::vector<std::int32_t>> expected;
    (void)a.run(images, 0, [&](value v, std::size_t image, std::span<const std::int32_t> codes) {
        expected[{v, image}].assign(codes.begin(), codes.end());
    });
    std::map<value, code_comparison> result;
    std::size_t points = 0;
    (void)b.run(images, 0, [&](value v, std::size_t image, std::span<const std::int32_t> codes) {
        const auto found = expected.find({v, image});
        if (found == expected.end() || found->second.size() != codes.size())
            detail::fail<graph_error>("the networks differ in their quantizer points (node ", v,
                                      ")");
        ++points;
        auto& [count, differing] = result[v];
        count += codes.size();
        for (std::size_t i = 0; i < codes.size(); ++i)
            differing += codes[i] != found->second[i];
    });
    if (points != expected.size())
        detail::fail<graph_error>("the networks differ in their number of quantizer points");
    return result;
}

} // namespace v0
} // namespace quantal

#endif
