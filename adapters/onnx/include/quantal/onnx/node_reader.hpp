// SPDX-License-Identifier: Apache-2.0
/// One node of an ONNX graph: its attributes by name, each read once, and what messages call it.
#ifndef QUANTAL_ONNX_NODE_READER_HPP
#define QUANTAL_ONNX_NODE_READER_HPP

#include <quantal/error.hpp>

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace onnx {

using int_list = std::vector<std::int64_t>;

/// Reads the attributes of a node; those that nobody read are refused at the end, since they would
/// change what it computes.
class node_reader {
public:
    node_reader(const ::onnx::NodeProto& node, std::int64_t opset) : node_(node), opset_(opset) {}

    [[nodiscard]] const ::onnx::NodeProto& proto() const { return node_; }
    [[nodiscard]] std::int64_t opset() const { return opset_; }
    [[nodiscard]] const std::string& type() const { return node_.op_type(); }
    /// Its name, or that of its output where it has none.
    [[nodiscard]] const std::string& name() const {
        return node_.name().empty() && node_.output_size() > 0 ? node_.output(0) : node_.name();
    }

    [[nodiscard]] std::int64_t integer(const char* key, std::int64_t otherwise) {
        const auto* a = find(key, ::onnx::AttributeProto::INT);
        return a ? a->i() : otherwise;
    }
    [[nodiscard]] float real(const char* key, float otherwise) {
        const auto* a = find(key, ::onnx::AttributeProto::FLOAT);
        return a ? a->f() : otherwise;
    }
    [[nodiscard]] std::string text(const char* key, const char* otherwise) {
        const auto* a = find(key, ::onnx::AttributeProto::STRING);
        return a ? a->s() : otherwise;
    }
    [[nodiscard]] std::optional<int_list> integers(const char* key) {
        const auto* a = find(key, ::onnx::AttributeProto::INTS);
        if (!a) return std::nullopt;
        return int_list(a->ints().begin(), a->ints().end());
    }
    /// As many numbers of at most 31 bits as are wanted; where there are none, each is `otherwise`.
    [[nodiscard]] int_list integers(const char* key, std::size_t count, std::int64_t otherwise) {
        int_list result = integers(key).value_or(int_list(count, otherwise));
        constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
        const bool fits = std::all_of(result.begin(), result.end(),
                                      [&](std::int64_t i) { return i >= -most && i <= most; });
        if (result.size() != count || !fits)
            refuse("has ", result.size(), " numbers as \"", key, "\"; it needs ", count,
                   " of at most 31 bits");
        return result;
    }
    /// An attribute as it stands, or nullptr.
    [[nodiscard]] const ::onnx::AttributeProto* find(const char* key,
                                                     ::onnx::AttributeProto::AttributeType type) {
        for (const auto& a : node_.attribute()) {
            if (a.name() != key) continue;
            if (a.type() != type)
                refuse("has an attribute \"", key, "\" of type ", a.type(), ", not ", type);
            read_.insert(key);
            return &a;
        }
        return nullptr;
    }
    /// An attribute that changes nothing here.
    void ignore(const char* key) { read_.insert(key); }

    void finish() const {
        for (const auto& a : node_.attribute())
            if (!read_.contains(a.name()))
                refuse("has the attribute \"", a.name(), "\", which this library does not read");
    }
    template <class... Parts>
    [[noreturn]] void refuse(const Parts&... parts) const {
        quantal::detail::fail<data_error>("it ", parts...);
    }

private:
    const ::onnx::NodeProto& node_;
    std::int64_t opset_;
    std::set<std::string> read_;
};

} // namespace onnx
} // namespace v0
} // namespace quantal

#endif
