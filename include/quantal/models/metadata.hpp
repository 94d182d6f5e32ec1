// SPDX-License-Identifier: Apache-2.0
/// Which network a checkpoint belongs to, as strings beside its tensors.
#ifndef QUANTAL_MODELS_METADATA_HPP
#define QUANTAL_MODELS_METADATA_HPP

#include <quantal/models/by_name.hpp>

#include <charconv>
#include <map>
#include <sstream>
#include <string>

namespace quantal {
inline namespace v0 {
namespace models {

/// A network by its name and what varies.
struct description {
    std::string name;
    models::options options;
};

[[nodiscard]] inline std::map<std::string, std::string> to_metadata(const description& d) {
    std::ostringstream width;
    width << d.options.width;
    return {{"model", d.name},
            {"classes", std::to_string(d.options.classes)},
            {"channels", std::to_string(d.options.channels)},
            {"size", std::to_string(d.options.size)},
            {"width", width.str()},
            {"stem", d.options.stem == stem::small ? "small" : "imagenet"},
            {"same_padding", d.options.same_padding ? "true" : "false"}};
}

namespace detail {

/// Reads the values of metadata one by one; every error names the key and what it held.
class metadata_reader {
public:
    explicit metadata_reader(const std::map<std::string, std::string>& metadata)
        : metadata_(metadata) {}

    [[nodiscard]] const std::string& text(const std::string& key) const {
        const auto found = metadata_.find(key);
        if (found == metadata_.end())
            quantal::detail::fail<data_error>("the metadata of the weights have no \"", key, '"');
        return found->second;
    }
    template <class T>
    [[nodiscard]] T number(const std::string& key, T lowest, T highest) const {
        const std::string& digits = text(key);
        const char* end = digits.data() + digits.size();
        T value{};
        const auto [stop, status] = std::from_chars(digits.data(), end, value);
        if (status != std::errc{} || stop != end || !(value >= lowest && value <= highest))
            refuse(key, lowest, " to ", highest);
        return value;
    }
    /// Whether the text is `yes`; it must be that or `no`.
    [[nodiscard]] bool is(const std::string& key, const char* yes, const char* no) const {
        if (text(key) != yes && text(key) != no) refuse(key, yes, " or ", no);
        return text(key) == yes;
    }

private:
    template <class... Parts>
    [[noreturn]] void refuse(const std::string& key, const Parts&... allowed) const {
        quantal::detail::fail<data_error>("the metadata of the weights say \"", key, "\" is \"",
                                          text(key), "\"; it is ", allowed...);
    }

    const std::map<std::string, std::string>& metadata_;
};

} // namespace detail

/// Reads what `to_metadata` wrote; throws `data_error` for anything else.
[[nodiscard]] inline description from_metadata(const std::map<std::string, std::string>& metadata) {
    const detail::metadata_reader read(metadata);
    return {read.text("model"),
            {.classes = read.number("classes", 1, 1'000'000),
             .channels = read.number("channels", 1, 1024),
             .size = read.number("size", 1, 4096),
             .width = read.number("width", 0.01, 16.0),
             .stem = read.is("stem", "small", "imagenet") ? stem::small : stem::imagenet,
             .same_padding = read.is("same_padding", "true", "false")}};
}

} // namespace models
} // namespace v0
} // namespace quantal

#endif
