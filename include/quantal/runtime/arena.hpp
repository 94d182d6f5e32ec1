// SPDX-License-Identifier: Apache-2.0
/// Memory for the values of a running network, planned ahead: values that are never needed at the
/// same time share it.
#ifndef QUANTAL_RUNTIME_ARENA_HPP
#define QUANTAL_RUNTIME_ARENA_HPP

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <numeric>
#include <span>
#include <vector>

namespace quantal {
inline namespace v0 {

/// Addresses in an arena are multiples of a cache line, which is also the widest vector register.
inline constexpr std::size_t arena_alignment = 64;

/// How much memory a value needs, and the first and last step that touch it.
struct lifetime {
    std::size_t bytes;
    std::size_t first, last;

    [[nodiscard]] bool meets(const lifetime& other) const {
        return first <= other.last && other.first <= last;
    }
};

/// Where each value lies, and the bytes that all of them take.
struct arena_plan {
    std::vector<std::size_t> offsets;
    std::size_t bytes = 0;
};

/// Places the largest value first, each at the lowest offset where it meets no other in time and
/// memory ("greedy by size": Pisarchyk and Lee, Efficient Memory Management for Deep Neural Net
/// Inference, 2020).
[[nodiscard]] inline arena_plan plan_arena(std::span<const lifetime> values) {
    const auto aligned = [](std::size_t bytes) {
        return (bytes + arena_alignment - 1) / arena_alignment * arena_alignment;
    };
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](auto a, auto b) { return values[a].bytes > values[b].bytes; });
    arena_plan plan{std::vector<std::size_t>(values.size()), 0};
    std::vector<std::size_t> placed; // by offset
    for (const std::size_t v : order) {
        std::size_t offset = 0;
        for (const std::size_t p : placed) {
            if (!values[p].meets(values[v])) continue;
            if (offset + values[v].bytes <= plan.offsets[p]) break;
            offset = std::max(offset, plan.offsets[p] + aligned(values[p].bytes));
        }
        plan.offsets[v] = offset;
        plan.bytes = std::max(plan.bytes, offset + aligned(values[v].bytes));
        const auto behind = std::find_if(placed.begin(), placed.end(),
                                         [&](std::size_t p) { return plan.offsets[p] > offset; });
        placed.insert(behind, v);
    }
    return plan;
}

/// Aligned memory, not initialized, with a register's width behind its end that may be read.
class arena {
public:
    explicit arena(std::size_t bytes)
        : data_(static_cast<std::byte*>(
              ::operator new (bytes + arena_alignment, std::align_val_t{arena_alignment}))) {}

    [[nodiscard]] std::byte* data() const { return data_.get(); }

private:
    struct release {
        void operator()(std::byte* data) const {
            ::operator delete (data, std::align_val_t{arena_alignment});
        }
    };
    std::unique_ptr<std::byte, release> data_;
};

} // namespace v0
} // namespace quantal

#endif
