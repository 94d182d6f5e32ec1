// SPDX-License-Identifier: Apache-2.0
/// The state of a pickle's interpreter: its bytes, its stack with marks, its memo, each with a
/// limit.
#ifndef QUANTAL_IO_PICKLE_STACK_HPP
#define QUANTAL_IO_PICKLE_STACK_HPP

#include <quantal/io/pickle_value.hpp>

#include <algorithm>
#include <map>
#include <span>
#include <utility>

namespace quantal {
inline namespace v0 {
namespace io {

/// What the instructions of `unpickler` work on. Throws `data_error` with the file's name where the
/// bytes end early, the stack is empty or a limit is passed.
class pickle_stack {
protected:
    using index = pickle::index;

    pickle_stack(std::span<const std::byte> bytes, std::string file)
        : bytes_(bytes), file_(std::move(file)) {}

    // What a few bytes can make many of is limited: no checkpoint comes near.
    static constexpr std::size_t max_values = 1u << 20;
    static constexpr std::size_t max_copies = 1u << 22;
    static constexpr std::size_t max_key = 255;

    template <class... Parts>
    [[noreturn]] void refuse(const Parts&... parts) const {
        detail::fail<data_error>(file_, ": ", parts...);
    }

    // ---- bytes ------------------------------------------------------------------------------

    [[nodiscard]] std::span<const std::byte> take(std::uint64_t size) {
        if (size > bytes_.size() - at_)
            refuse("the pickle ends at byte ", bytes_.size(), " where ", size,
                   " more are expected at ", at_);
        at_ += size;
        return bytes_.subspan(at_ - size, size);
    }
    template <class T>
    [[nodiscard]] T number() {
        return detail::load<T>(take(sizeof(T)).data());
    }
    [[nodiscard]] std::string text(std::uint64_t size) {
        const auto part = take(size);
        return {reinterpret_cast<const char*>(part.data()), part.size()};
    }
    [[nodiscard]] std::string line() {
        std::string result;
        for (char c; (c = static_cast<char>(take(1)[0])) != '\n';)
            result += c;
        return result;
    }
    /// A little-endian integer of up to 8 bytes; a longer one stays bytes.
    [[nodiscard]] pickle_value long_integer() {
        const auto part = take(number<std::uint8_t>());
        if (part.size() > 8)
            return {std::string(reinterpret_cast<const char*>(part.data()), part.size())};
        std::uint64_t bits = 0;
        for (std::size_t i = 0; i < part.size(); ++i)
            bits |= std::to_integer<std::uint64_t>(part[i]) << (8 * i);
        if (!part.empty() && part.size() < 8 && (part.back() & std::byte{0x80}) != std::byte{})
            bits |= ~std::uint64_t{0} << (8 * part.size());
        return {static_cast<std::int64_t>(bits)};
    }
    [[nodiscard]] double big_endian_double() {
        std::byte reversed[8];
        const auto part = take(8);
        std::reverse_copy(part.begin(), part.end(), reversed);
        return detail::load<double>(reversed);
    }

    // ---- the stack --------------------------------------------------------------------------

    void push(pickle_value v) {
        if (values_.size() == max_values)
            refuse("the pickle holds more than ", max_values, " values");
        stack_.push_back(values_.size());
        values_.push_back(std::move(v));
    }
    [[nodiscard]] index pop() {
        if (stack_.empty() || (!marks_.empty() && marks_.back() == stack_.size()))
            refuse("the pickle takes a value from an empty stack at byte ", at_);
        const index top = stack_.back();
        stack_.pop_back();
        return top;
    }
    /// The values above the last mark.
    [[nodiscard]] std::vector<index> pop_mark() {
        if (marks_.empty()) refuse("the pickle misses a mark at byte ", at_);
        const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
        std::vector<index> result(first, stack_.end());
        stack_.erase(first, stack_.end());
        marks_.pop_back();
        return result;
    }
    [[nodiscard]] std::vector<index> pop_some(int count) {
        std::vector<index> result(static_cast<std::size_t>(count));
        std::generate(result.rbegin(), result.rend(), [this] { return pop(); });
        return result;
    }
    [[nodiscard]] pickle_value& top() {
        const index i = pop();
        stack_.push_back(i);
        return values_[i];
    }
    template <class T>
    [[nodiscard]] T& as(index i, const char* what) {
        if (auto* found = std::get_if<T>(&values_[i].data)) return *found;
        refuse("the pickle has no ", what, " where one is expected, at byte ", at_);
    }
    void memoize(std::uint64_t key) {
        const index i = pop();
        stack_.push_back(i);
        if (memo_.size() == max_values)
            refuse("the pickle stores more than ", max_values, " values");
        memo_[key] = i;
    }
    void recall(std::uint64_t key) {
        const auto found = memo_.find(key);
        if (found == memo_.end()) refuse("the pickle recalls ", key, ", which it never stored");
        if (stack_.size() > max_values) refuse("the pickle's stack grows too large");
        stack_.push_back(found->second);
    }

    /// Counts what an instruction copies out of other values, which may stand there only once.
    void count_copies(std::size_t items) {
        copies_ += items;
        if (copies_ > max_copies)
            refuse("the pickle copies more than ", max_copies, " items of its values");
    }

    std::span<const std::byte> bytes_;
    std::string file_;
    std::uint64_t at_ = 0;
    std::deque<pickle_value> values_;
    std::vector<index> stack_;
    std::vector<std::size_t> marks_;
    std::map<std::uint64_t, index> memo_;
    std::size_t copies_ = 0;
};

} // namespace io
} // namespace v0
} // namespace quantal

#endif
