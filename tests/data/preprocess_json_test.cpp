// SPDX-License-Identifier: Apache-2.0
#include <quantal/data/preprocess_json.hpp>

#include "files.hpp"

namespace data = quantal::data;

BOOST_AUTO_TEST_SUITE(preprocess_json)

BOOST_AUTO_TEST_CASE(text_and_back) {
    const data::preprocess p{.resize = 256,
                             .crop = 224,
                             .rounding = data::crop_rounding::down,
                             .pad = 2,
                             .mean = {0.485f, 0.456f, 0.1f},
                             .std = {0.229f, 1.0f / 3.0f, 0x1.fffffep-3f}};
    BOOST_TEST((data::preprocess_from_json(data::to_json(p)) == p));
    const data::preprocess grey{.pad = 2, .mean = {0.286f}, .std = {0.353f}};
    BOOST_TEST(
        data::to_json(grey) ==
        R"({"crop":0,"crop_rounding":"even","mean":[0.286],"pad":2,"resize":0,"std":[0.353]})");
}

BOOST_AUTO_TEST_CASE(missing_steps_are_left_out) {
    const auto p = data::preprocess_from_json(R"({"mean":[0],"std":[1]})");
    BOOST_TEST((p == data::preprocess{.mean = {0}, .std = {1}}));
}

BOOST_AUTO_TEST_CASE(whatever_else_is_refused) {
    const std::string good = R"({"mean":[0.5],"std":[0.5],"pad":2})";
    BOOST_CHECK_NO_THROW(std::ignore = data::preprocess_from_json(good));
    for (const char* text : {"",
                             "{",
                             "null",
                             "[]",
                             "{}",
                             R"({"mean":[0.5]})",
                             R"({"std":[0.5]})",
                             R"({"mean":[],"std":[]})",
                             R"({"mean":[1,2],"std":[1]})",
                             R"({"mean":0,"std":1})",
                             R"({"mean":["0"],"std":[1]})",
                             R"({"mean":[1e99],"std":[1]})",
                             R"({"mean":[0],"std":[0]})",
                             R"({"mean":[0],"std":[1],"pad":-1})",
                             R"({"mean":[0],"std":[1],"pad":1.5})",
                             R"({"mean":[0],"std":[1],"pad":"1"})",
                             R"({"mean":[0],"std":[1],"crop":18446744073709551615})",
                             R"({"mean":[0],"std":[1],"resize":99999})",
                             R"({"mean":[0],"std":[1],"flip":1})",
                             R"({"mean":[0],"std":[1],"crop_rounding":"up"})",
                             R"({"mean":[0],"std":[1],"crop_rounding":0})"})
        BOOST_CHECK_THROW(std::ignore = data::preprocess_from_json(text), quantal::data_error);
    for (std::size_t size = 0; size < good.size(); ++size)
        BOOST_CHECK_THROW(std::ignore = data::preprocess_from_json(good.substr(0, size)),
                          quantal::data_error);
    const std::string deep(100000, '[');
    BOOST_CHECK_THROW(std::ignore = data::preprocess_from_json(deep), quantal::data_error);
}

BOOST_AUTO_TEST_SUITE_END()
