// SPDX-License-Identifier: Apache-2.0
/// Networks by name, for programs that take the name from their user.
#ifndef QUANTAL_MODELS_BY_NAME_HPP
#define QUANTAL_MODELS_BY_NAME_HPP

#include <quantal/models/mobilenet.hpp>
#include <quantal/models/resnet.hpp>
#include <quantal/models/vgg.hpp>

#include <string_view>

namespace quantal {
inline namespace v0 {
namespace models {

struct entry {
    const char* name;
    graph (*make)(const options&);
};

/// All networks that quantal ships.
inline constexpr entry all[] = {
    {"resnet18", resnet18},         {"resnet20", resnet20}, {"resnet32", resnet32},
    {"resnet44", resnet44},         {"resnet56", resnet56}, {"vgg16_bn", vgg16_bn},
    {"mobilenet_v2", mobilenet_v2},
};

/// The network of this name; throws `graph_error` that lists the names there are.
[[nodiscard]] inline graph by_name(std::string_view name, const options& o) {
    std::string names;
    for (const entry& e : all) {
        if (name == e.name) return e.make(o);
        names += names.empty() ? e.name : std::string(", ") + e.name;
    }
    quantal::detail::fail<graph_error>("there is no network \"", name, "\"; there are ", names);
}

} // namespace models
} // namespace v0
} // namespace quantal

#endif
