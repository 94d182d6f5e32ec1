// SPDX-License-Identifier: Apache-2.0
/// Written specs, the same in drivers, JSON and tables: a width, then words in any order, as in
/// `4 symmetric narrow channel(0)` or `8 affine unsigned tensor`. `wN` is short for
/// `N symmetric narrow channel(0)` and `aN` for `N affine unsigned tensor`; words may follow, as in
/// `w4 group(32)` or `8 pow2` (scales are powers of two).
#ifndef QUANTAL_SPEC_TEXT_HPP
#define QUANTAL_SPEC_TEXT_HPP

#include <quantal/spec/concepts.hpp>

#include <charconv>
#include <ostream>
#include <string>
#include <string_view>

namespace quantal {
inline namespace v0 {

/// The canonical written form; `parse_spec` reads it back.
[[nodiscard]] inline std::string to_string(qspec s) {
    constexpr const char* kinds[] = {"symmetric narrow", "symmetric full", "affine unsigned",
                                     "affine signed"};
    std::string text = std::to_string(s.bits) + ' ' + kinds[static_cast<int>(s.kind)];
    if (s.grain == granularity::per_tensor) text += " tensor";
    if (s.grain == granularity::per_channel) text += " channel(" + std::to_string(s.axis) + ')';
    if (s.grain == granularity::per_group) text += " group(" + std::to_string(s.group_size) + ')';
    return s.power_of_two ? text + " pow2" : text;
}

inline std::ostream& operator<<(std::ostream& out, qspec s) {
    return out << to_string(s);
}

namespace detail {

/// Collects the words of one written spec; each fact may be said once.
class spec_reader {
public:
    explicit spec_reader(std::string_view text) : text_(text) {}

    qspec read() {
        std::string_view rest = text_;
        std::string_view word = next_word(rest);
        if (word.empty()) refuse("it is empty");
        read_width(word);
        while (!(word = next_word(rest)).empty())
            read_word(word);
        spec_.kind = kind();
        if (const std::string why = flaw(spec_); !why.empty()) refuse(why);
        return spec_;
    }

private:
    static std::string_view next_word(std::string_view& rest) {
        const std::size_t begin = rest.find_first_not_of(" \t");
        if (begin == rest.npos) return {};
        const std::size_t end = rest.find_first_of(" \t", begin);
        const std::string_view word = rest.substr(begin, end - begin);
        rest = end == rest.npos ? std::string_view{} : rest.substr(end);
        return word;
    }

    [[noreturn]] void refuse(const std::string& why) const {
        fail<spec_error>("the spec \"", text_, "\" is not understood: ", why,
                         "; write for example w4, a8, \"3 symmetric full tensor\" or \"w4 "
                         "group(32)\"");
    }

    int number(std::string_view digits) const {
        int value = 0;
        const auto end = digits.data() + digits.size();
        const auto [stop, status] = std::from_chars(digits.data(), end, value);
        if (status != std::errc{} || stop != end || digits.front() == '-')
            refuse("\"" + std::string(digits) + "\" is not a number");
        return value;
    }

    void read_width(std::string_view word) {
        const char letter = word.front();
        const bool is_short = letter == 'w' || letter == 'a';
        if (is_short) word.remove_prefix(1);
        if (word.empty()) refuse("it starts with no width");
        spec_.bits = number(word);
        if (letter == 'w') spec_.grain = granularity::per_channel;
        if (letter == 'a') affine_by_default_ = true;
    }

    void read_word(std::string_view word) {
        if (word == "symmetric" || word == "affine") return say(scheme_, word);
        if (word == "narrow" || word == "full" || word == "signed" || word == "unsigned")
            return say(codes_, word);
        if (word == "pow2") {
            spec_.power_of_two = true;
            return say(scales_, word);
        }
        const auto channel = argument(word, "channel(");
        const auto group = argument(word, "group(");
        if (word != "tensor" && channel.empty() && group.empty())
            refuse("the word \"" + std::string(word) +
                   "\" is unknown (known: symmetric, affine, narrow, full, signed, unsigned, "
                   "tensor, channel(AXIS), group(SIZE), pow2)");
        say(grain_, word);
        spec_.grain = granularity::per_tensor;
        if (!channel.empty()) {
            spec_.grain = granularity::per_channel;
            spec_.axis = number(channel);
        } else if (!group.empty()) {
            spec_.grain = granularity::per_group;
            spec_.group_size = number(group);
        }
    }

    /// What stands in the brackets that `name` opens; empty for every other word.
    static std::string_view argument(std::string_view word, std::string_view name) {
        if (!word.starts_with(name) || !word.ends_with(')')) return {};
        return word.substr(name.size(), word.size() - name.size() - 1);
    }

    void say(std::string_view& fact, std::string_view word) const {
        if (!fact.empty())
            refuse("\"" + std::string(word) + "\" stands beside \"" + std::string(fact) + "\"");
        fact = word;
    }

    scheme kind() const {
        const bool affine = scheme_.empty() ? affine_by_default_ : scheme_ == "affine";
        if (affine && (codes_.empty() || codes_ == "unsigned")) return scheme::affine;
        if (affine && codes_ == "signed") return scheme::affine_signed;
        if (!affine && (codes_.empty() || codes_ == "narrow")) return scheme::symmetric;
        if (!affine && codes_ == "full") return scheme::symmetric_full;
        refuse("symmetric codes are narrow or full, affine ones signed or unsigned");
    }

    std::string_view text_;
    qspec spec_{};
    std::string_view scheme_, codes_, grain_, scales_;
    bool affine_by_default_ = false;
};

} // namespace detail

/// Reads a written spec; throws `spec_error` with the text, what is wrong and what is possible.
[[nodiscard]] inline qspec parse_spec(std::string_view text) {
    return detail::spec_reader(text).read();
}

} // namespace v0
} // namespace quantal

#endif
