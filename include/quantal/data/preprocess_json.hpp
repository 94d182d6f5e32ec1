// SPDX-License-Identifier: Apache-2.0
/// A pre-processing as JSON text, as checkpoints carry it under the key "preprocess".
#ifndef QUANTAL_DATA_PREPROCESS_JSON_HPP
#define QUANTAL_DATA_PREPROCESS_JSON_HPP

#include <quantal/data/preprocess.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace data {

/// JSON with numbers in float32, so that 0.485f is written as 0.485 and read back as it was.
using float_json = nlohmann::basic_json<std::map, std::vector, std::string, bool, std::int64_t,
                                        std::uint64_t, float>;

/// `{"crop":224,"crop_rounding":"even","mean":[0.485,...],"pad":0,"resize":256,"std":[0.229,...]}`.
[[nodiscard]] inline std::string to_json(const preprocess& p) {
    const char* rounding = p.rounding == crop_rounding::down ? "down" : "even";
    return float_json{{"resize", p.resize}, {"crop", p.crop}, {"crop_rounding", rounding},
                      {"pad", p.pad},       {"mean", p.mean}, {"std", p.std}}
        .dump();
}

/// An integer or the numbers of an array in a pre-processing; `key` is for messages.
[[nodiscard]] inline int integer_of(const float_json& value, const std::string& key) {
    constexpr std::int64_t largest = 1 << 30;
    if (!value.is_number_integer() || value.get<std::int64_t>() < 0 ||
        value.get<std::int64_t>() > largest)
        detail::fail<data_error>('"', key, "\" of a pre-processing is no integer from 0 to ",
                                 largest);
    return value.get<int>();
}
[[nodiscard]] inline std::vector<float> floats_of(const float_json& value, const std::string& key) {
    std::vector<float> result;
    if (value.is_array())
        for (const float_json& element : value)
            if (element.is_number()) result.push_back(element.get<float>());
    if (result.empty() || result.size() != value.size())
        detail::fail<data_error>('"', key, "\" of a pre-processing is no array of numbers");
    return result;
}

[[nodiscard]] inline crop_rounding rounding_of(const float_json& value) {
    if (value == "even") return crop_rounding::to_even;
    if (value == "down") return crop_rounding::down;
    detail::fail<data_error>("\"crop_rounding\" of a pre-processing is neither \"even\" nor "
                             "\"down\"");
}

/// The inverse of `to_json`. Keys other than mean and std may be missing; whatever else `to_json`
/// could not have written is a `data_error`.
[[nodiscard]] inline preprocess preprocess_from_json(const std::string& text) {
    const float_json json = float_json::parse(text, nullptr, false);
    if (!json.is_object()) detail::fail<data_error>("a pre-processing is no JSON object");
    preprocess p;
    for (const auto& [key, value] : json.items()) {
        if (key == "resize")
            p.resize = integer_of(value, key);
        else if (key == "crop")
            p.crop = integer_of(value, key);
        else if (key == "crop_rounding")
            p.rounding = rounding_of(value);
        else if (key == "pad")
            p.pad = integer_of(value, key);
        else if (key == "mean")
            p.mean = floats_of(value, key);
        else if (key == "std")
            p.std = floats_of(value, key);
        else
            detail::fail<data_error>(
                "a pre-processing has the key \"", key,
                "\"; the keys are resize, crop, crop_rounding, pad, mean and std");
    }
    if (p.mean.empty()) detail::fail<data_error>("a pre-processing has no \"mean\"");
    check(p, p.mean.size());
    return p;
}

} // namespace data
} // namespace v0
} // namespace quantal

#endif
