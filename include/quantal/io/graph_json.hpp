// SPDX-License-Identifier: Apache-2.0
/// A plan's graph as JSON: one line a node, with its operator, its attributes, its role and its
/// shape.
#ifndef QUANTAL_IO_GRAPH_JSON_HPP
#define QUANTAL_IO_GRAPH_JSON_HPP

#include <quantal/graph/check_plan.hpp>
#include <quantal/io/json.hpp>

#include <limits>
#include <set>
#include <type_traits>
#include <utility>

namespace quantal {
inline namespace v0 {
namespace io {
namespace detail {

/// An attribute that files leave out where it is true: they did before there was one.
template <class Bool>
struct usually {
    Bool& value;
};
template <class Bool>
usually(Bool&) -> usually<Bool>;

/// Calls `attribute(name, member)` for each attribute of an operator: writing and reading share
/// it.
template <class Op, class F>
void for_each_attribute(Op& o, F&& attribute) {
    if constexpr (requires { o.out_channels; }) attribute("out_channels", o.out_channels);
    if constexpr (requires { o.out_features; }) attribute("out_features", o.out_features);
    if constexpr (requires { o.kernel; }) attribute("kernel", o.kernel);
    if constexpr (requires { o.stride; }) attribute("stride", o.stride);
    if constexpr (requires { o.padding; }) attribute("padding", o.padding);
    if constexpr (requires { o.dilation; }) attribute("dilation", o.dilation);
    if constexpr (requires { o.groups; }) attribute("groups", o.groups);
    if constexpr (requires { o.bias; }) attribute("bias", o.bias);
    if constexpr (requires { o.eps; }) attribute("eps", o.eps);
    if constexpr (requires { o.lo; }) attribute("lo", o.lo);
    if constexpr (requires { o.hi; }) attribute("hi", o.hi);
    if constexpr (requires { o.curve; }) {
        attribute("curve", o.curve);
        attribute("alpha", o.alpha);
        attribute("beta", o.beta);
    }
    if constexpr (requires { o.channels_before; }) attribute("channels_before", o.channels_before);
    if constexpr (requires { o.channels_after; }) attribute("channels_after", o.channels_after);
    if constexpr (requires { o.counts_padding; })
        attribute("counts_padding", usually{o.counts_padding});
}

/// Attributes as JSON, which writes an infinite limit of a clip as null.
template <class Op>
void write_attributes(nlohmann::ordered_json& json, const Op& o) {
    for_each_attribute(o, quantal::detail::overloaded{
                              [&](const char* name, const hw& s) {
                                  json[name] = {s.h, s.w};
                              },
                              [&](const char* name, const padding& p) {
                                  json[name] = {p.top, p.left, p.bottom, p.right};
                              },
                              [&](const char* name, usually<const bool> flag) {
                                  if (!flag.value) json[name] = false;
                              },
                              [&](const char* name, op::curve c) { json[name] = op::name(c); },
                              [&](const char* name, const auto& number) { json[name] = number; }});
}

inline nlohmann::ordered_json node_to_json(const node& n, const role& r) {
    nlohmann::ordered_json json = {{"name", n.name}, {"op", op::name(n.op)}};
    if (!n.inputs.empty()) json["inputs"] = n.inputs;
    std::visit([&](const auto& o) { write_attributes(json, o); }, n.op);
    if (n.activation) write_attributes(json["activation"], *n.activation);
    if (r.in_float) json["float"] = true;
    if (r.weights) json["weights"] = to_string(*r.weights);
    if (r.dynamic) json["dynamic"] = to_string(*r.dynamic);
    if (r.output) json["output"] = to_string(*r.output);
    json["shape"] = std::vector<std::int64_t>(n.shape.begin(), n.shape.end());
    return json;
}

/// The members of one JSON object, each read once; what nobody asked for is refused at the end.
class object_reader {
public:
    explicit object_reader(const nlohmann::json& object) : object_(object) {}

    [[nodiscard]] bool has(const char* key) const { return object_.contains(key); }
    const nlohmann::json& take(const char* key) {
        taken_.insert(key);
        return object_.at(key);
    }
    std::string text(const char* key) { return take(key).get<std::string>(); }
    std::vector<std::int64_t> integers(const char* key) {
        std::vector<std::int64_t> result;
        for (const auto& number : take(key).get_ref<const nlohmann::json::array_t&>())
            result.push_back(integer_from_json(number, "it"));
        return result;
    }

    void operator()(const char* key, std::int64_t& x) { x = integer_from_json(take(key), "it"); }
    void operator()(const char* key, bool& x) { x = take(key).get<bool>(); }
    void operator()(const char* key, usually<bool> x) {
        if (has(key)) (*this)(key, x.value);
    }
    void operator()(const char* key, double& x) { x = take(key).get<double>(); }
    void operator()(const char* key, hw& x) {
        const auto n = exactly(2, key);
        x = {n[0], n[1]};
    }
    void operator()(const char* key, padding& x) {
        const auto n = exactly(4, key);
        x = {n[0], n[1], n[2], n[3]};
    }
    void operator()(const char* key, op::curve& c) {
        const std::string name = text(key);
        const auto* found = std::find(std::begin(op::curve_names), std::end(op::curve_names), name);
        if (found == std::end(op::curve_names))
            refuse("has the curve \"", name, "\", which this library does not know");
        c = static_cast<op::curve>(found - op::curve_names);
    }
    void operator()(const char* key, float& limit) {
        constexpr float infinity = std::numeric_limits<float>::infinity();
        const auto& number = take(key);
        if (number.is_null())
            limit = std::string_view(key) == "lo" ? -infinity : infinity;
        else
            limit = static_cast<float>(number.get<double>());
    }

    /// Refuses members that were not read.
    void finish() const {
        for (const auto& [key, member] : object_.items())
            if (!taken_.contains(key)) refuse("has \"", key, "\", which nothing reads");
    }
    template <class... Parts>
    [[noreturn]] void refuse(const Parts&... parts) const {
        fail<data_error>("it ", parts...);
    }

private:
    std::vector<std::int64_t> exactly(std::size_t count, const char* key) {
        auto result = integers(key);
        if (result.size() != count)
            refuse("has ", result.size(), " numbers as \"", key, "\"; it needs ", count);
        return result;
    }

    const nlohmann::json& object_;
    std::set<std::string> taken_;
};

/// The operator of that name with its attributes.
template <std::size_t... I>
op::any read_op(object_reader& from, std::index_sequence<I...>) {
    const std::string name = from.text("op");
    std::optional<op::any> result;
    const auto try_one = [&](const op::any& candidate) {
        if (name == op::name(candidate)) result = candidate;
    };
    (try_one(op::any(std::in_place_index<I>)), ...);
    if (!result) from.refuse("is a \"", name, "\"; this library knows no such operator");
    std::visit([&](auto& o) { for_each_attribute(o, from); }, *result);
    return *result;
}

inline node read_node(object_reader& from, const graph& before) {
    node n{.name = from.text("name"),
           .op = read_op(from, std::make_index_sequence<std::variant_size_v<op::any>>())};
    if (from.has("inputs"))
        for (const std::int64_t x : from.integers("inputs")) {
            if (x < 0 || static_cast<std::size_t>(x) >= before.size())
                from.refuse("reads the value ", x, "; the values before it are ", before.size());
            n.inputs.push_back(static_cast<value>(x));
        }
    if (from.has("activation")) {
        object_reader limits(from.take("activation"));
        for_each_attribute(n.activation.emplace(), limits);
        limits.finish();
    }
    n.shape = extents(from.integers("shape"));
    if (n.as<op::input>() && (n.name != "input" || !n.inputs.empty() || n.activation))
        from.refuse("is an input; its name is \"input\", and it has no inputs and no activation");
    return n;
}

inline role read_role(object_reader& from) {
    role r;
    if (from.has("float")) from("float", r.in_float);
    if (from.has("weights")) r.weights = parse_spec(from.text("weights"));
    if (from.has("dynamic")) r.dynamic = parse_spec(from.text("dynamic"));
    if (from.has("output")) r.output = parse_spec(from.text("output"));
    return r;
}

inline void append_node(plan& p, const nlohmann::json& json) {
    const value v = p.net.size();
    object_reader from(json);
    node n = read_node(from, p.net);
    p.roles.push_back(read_role(from));
    from.finish();
    const extents shape = n.shape;
    p.net.append(std::move(n));
    if (p.at(v).shape != shape)
        from.refuse("has the shape ", shape, "; its operator gives ", p.at(v).shape);
    p.roles.back().source = source_of(p.at(v), p.roles, v);
}

} // namespace detail

/// The version of the graph's JSON that this library writes; it reads those before it. Version 2
/// has products and functions.
inline constexpr int graph_version = 2;

/// The graph and its roles; parameters are not part of it. Throws `data_error` for a name that is
/// not UTF-8.
[[nodiscard]] inline std::string to_json(const plan& p) {
    return detail::with_context("a graph cannot be written as JSON", [&] {
        std::string text =
            "{\n  \"quantal_graph\": " + std::to_string(graph_version) + ",\n  \"nodes\": [";
        const char* separator = "\n    ";
        for (value v = 0; v < p.net.size(); ++v) {
            text += separator + detail::node_to_json(p.at(v), p.roles.at(v)).dump();
            separator = ",\n    ";
        }
        return text + "\n  ]\n}\n";
    });
}

/// Reads a plan without parameters; `file` names it in errors. Throws `data_error` for anything
/// that `to_json` of a plan that can run could not have written.
[[nodiscard]] inline plan plan_from_json(const std::string& text, const std::string& file) {
    return detail::with_context(file, [&] {
        constexpr int deepest = 8; // a graph has 5 levels
        const auto json = detail::parse_json(text, deepest, "a graph");
        const int version =
            detail::integer_from_json(json.at("quantal_graph"), "\"quantal_graph\"");
        if (version < 1 || version > graph_version)
            detail::fail<data_error>("a graph of version ", version,
                                     "; this library reads versions 1 to ", graph_version);
        plan p;
        for (const auto& node : json.at("nodes").get_ref<const nlohmann::json::array_t&>())
            detail::with_context("node " + std::to_string(p.net.size()),
                                 [&] { detail::append_node(p, node); });
        check(p);
        return p;
    });
}

} // namespace io
} // namespace v0
} // namespace quantal

#endif
