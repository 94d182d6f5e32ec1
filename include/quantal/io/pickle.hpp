// SPDX-License-Identifier: Apache-2.0
/// The values of a pickle, and the restricted reader that makes them: containers, numbers, strings
/// and tensors. Nothing is ever executed; any other name in the pickle is refused by that name.
#ifndef QUANTAL_IO_PICKLE_HPP
#define QUANTAL_IO_PICKLE_HPP

#include <quantal/io/pickle_stack.hpp>
#include <quantal/tensor/extents.hpp>

#include <algorithm>
#include <span>
#include <utility>

namespace quantal {
inline namespace v0 {
namespace io {

/// Reads one pickle (protocols 2 to 4, as documented in Python's pickletools) from the front of the
/// bytes; `file` names it in errors.
class unpickler : pickle_stack {
public:
    unpickler(std::span<const std::byte> bytes, std::string file)
        : pickle_stack(bytes, std::move(file)) {}

    /// The root value. Throws `data_error` for anything that torch.save does not write.
    [[nodiscard]] pickle read() {
        for (;;) {
            const auto code = static_cast<std::uint8_t>(take(1)[0]);
            if (code == '.') break;
            execute(code);
        }
        pickle result{std::move(values_), pop(), at_};
        return result;
    }

private:
    // ---- instructions -----------------------------------------------------------------------

    void execute(std::uint8_t code) {
        if (!push_simple(code) && !build_container(code) && !use_memo(code)) call(code);
    }

    [[nodiscard]] bool push_simple(std::uint8_t code) {
        switch (code) {
        case 'N':
            push({none{}});
            return true;
        case 0x88:
            push({true});
            return true;
        case 0x89:
            push({false});
            return true;
        case 'J':
            push({std::int64_t{number<std::int32_t>()}});
            return true;
        case 'K':
            push({std::int64_t{number<std::uint8_t>()}});
            return true;
        case 'M':
            push({std::int64_t{number<std::uint16_t>()}});
            return true;
        case 0x8a:
            push(long_integer());
            return true;
        case 'G':
            push({big_endian_double()});
            return true;
        case 'X':
        case 'T':
        case 'B':
            push({text(number<std::uint32_t>())});
            return true;
        case 0x8c:
        case 'U':
        case 'C':
            push({text(number<std::uint8_t>())});
            return true;
        case 0x8d:
        case 0x8e:
            push({text(number<std::uint64_t>())});
            return true;
        default:
            return false;
        }
    }

    [[nodiscard]] bool build_container(std::uint8_t code) {
        switch (code) {
        case '}':
            push({dictionary{}});
            return true;
        case ']':
            push({list{}});
            return true;
        case ')':
            push({tuple{}});
            return true;
        case '(':
            marks_.push_back(stack_.size());
            return true;
        case 't':
            push({tuple{pop_mark()}});
            return true;
        case 0x85:
        case 0x86:
        case 0x87:
            push({tuple{pop_some(code - 0x84)}});
            return true;
        case 'l':
            push({list{pop_mark()}});
            return true;
        case 'a':
            append(pop_some(1));
            return true;
        case 'e':
            append(pop_mark());
            return true;
        case 's':
            set_items(pop_some(2));
            return true;
        case 'u':
            set_items(pop_mark());
            return true;
        case '0':
            std::ignore = pop();
            return true;
        case '1':
            std::ignore = pop_mark();
            return true;
        default:
            return false;
        }
    }
    void append(const std::vector<index>& items) {
        auto* target = std::get_if<list>(&top().data);
        if (!target) refuse("the pickle appends to what is no list, at byte ", at_);
        target->items.insert(target->items.end(), items.begin(), items.end());
    }
    void set_items(const std::vector<index>& items) {
        auto* target = std::get_if<dictionary>(&top().data);
        if (!target || items.size() % 2 != 0)
            refuse("the pickle sets items of what is no dictionary, at byte ", at_);
        for (std::size_t i = 0; i < items.size(); i += 2)
            target->items.emplace_back(items[i], items[i + 1]);
    }

    [[nodiscard]] bool use_memo(std::uint8_t code) {
        switch (code) {
        case 0x80:
            std::ignore = take(1);
            return true; // protocol
        case 0x95:
            std::ignore = take(8);
            return true; // frame
        case 'q':
            memoize(number<std::uint8_t>());
            return true;
        case 'r':
            memoize(number<std::uint32_t>());
            return true;
        case 0x94:
            memoize(memo_.size());
            return true;
        case 'h':
            recall(number<std::uint8_t>());
            return true;
        case 'j':
            recall(number<std::uint32_t>());
            return true;
        default:
            return false;
        }
    }

    /// The instructions that run code in Python; here they only know tensors and containers.
    void call(std::uint8_t code) {
        if (code == 'c') {
            const std::string module = line();
            return push(name(module + '.' + line()));
        }
        if (code == 0x93) {
            const auto parts = pop_some(2);
            return push(name(as<std::string>(parts[0], "module name") + '.' +
                             as<std::string>(parts[1], "name")));
        }
        if (code == 'Q') return push(storage(pop()));
        if (code == 'R' || code == 0x81) {
            const index arguments = pop();
            const index function = pop();
            return push(apply(as<global>(function, "name").name,
                              as<tuple>(arguments, "tuple of arguments").items));
        }
        if (code == 'b') { // the state of an object; that of a dictionary says nothing of tensors
            std::ignore = pop();
            if (!std::holds_alternative<dictionary>(top().data))
                refuse("the pickle sets the state of what is no dictionary, at byte ", at_);
            return;
        }
        refuse("the pickle has the instruction ", int{code}, " at byte ", at_ - 1,
               ", which no checkpoint needs");
    }

    [[nodiscard]] pickle_value name(const std::string& full) const {
        static constexpr std::string_view known[] = {
            "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor",
            "torch._utils._rebuild_parameter", "collections.OrderedDict", "torch.Size"};
        constexpr std::string_view torch = "torch.";
        const bool is_storage =
            full.starts_with(torch) &&
            std::any_of(std::begin(scalar_types), std::end(scalar_types), [&](const auto& s) {
                return std::string_view(full).substr(torch.size()) == s.torch_storage;
            });
        if (!is_storage && std::find(std::begin(known), std::end(known), full) == std::end(known))
            refuse("the pickle names \"", full, "\"; only tensors and containers are read");
        return {global{full}};
    }

    /// ("storage", type, key, device, count[, view]) as torch.save writes it.
    [[nodiscard]] pickle_value storage(index identity) {
        const auto& items = as<tuple>(identity, "storage").items;
        if (items.size() < 5 || as<std::string>(items[0], "storage") != "storage" ||
            (items.size() > 5 && !std::holds_alternative<none>(values_[items[5]].data)))
            refuse("the pickle refers to something that is no storage, at byte ", at_);
        const std::string& type = as<global>(items[1], "storage type").name;
        const std::int64_t count = as<std::int64_t>(items[4], "element count");
        const auto& key = as<std::string>(items[2], "storage key");
        if (key.size() > max_key)
            refuse("the pickle has a storage key of ", key.size(), " bytes; at most ", max_key,
                   " are read");
        count_copies(key.size());
        for (const scalar_info& s : scalar_types)
            if (type == "torch." + std::string(s.torch_storage) && count >= 0)
                return {pickle_storage{key, s.type, static_cast<std::uint64_t>(count)}};
        refuse("the pickle has a storage of type \"", type, "\" with ", count, " elements");
    }

    [[nodiscard]] pickle_value apply(const std::string& function,
                                     const std::vector<index>& arguments) {
        if (function == "collections.OrderedDict") return ordered_dictionary(arguments);
        if (arguments.empty()) refuse("the pickle calls \"", function, "\" without arguments");
        if (function == "torch.Size") return {sizes(arguments[0])};
        if (function == "torch._utils._rebuild_parameter")
            return counted(as<pickle_tensor>(arguments[0], "tensor"));
        if (!function.starts_with("torch._utils._rebuild_tensor") || arguments.size() < 4)
            refuse("the pickle calls \"", function, "\" with ", arguments.size(), " arguments");
        return counted({as<pickle_storage>(arguments[0], "storage"),
                        as<std::int64_t>(arguments[1], "offset"), integers(arguments[2]),
                        integers(arguments[3])});
    }
    [[nodiscard]] pickle_value counted(pickle_tensor t) {
        count_copies(t.storage.key.size() + t.shape.size() + t.strides.size());
        return {std::move(t)};
    }
    [[nodiscard]] pickle_value ordered_dictionary(const std::vector<index>& arguments) {
        dictionary result;
        if (arguments.empty()) return {std::move(result)};
        const auto& pairs = as<list>(arguments[0], "list of pairs").items;
        count_copies(pairs.size());
        for (const index pair : pairs) {
            const auto& items = as<tuple>(pair, "pair").items;
            if (items.size() != 2) refuse("the pickle has a pair of ", items.size());
            result.items.emplace_back(items[0], items[1]);
        }
        return {std::move(result)};
    }
    [[nodiscard]] const tuple& sizes(index i) {
        const tuple& found = as<tuple>(i, "tuple of sizes");
        if (found.items.size() > extents::max_rank)
            refuse("the pickle has a tuple of ", found.items.size(), " sizes; at most ",
                   extents::max_rank, " are read");
        return found;
    }
    [[nodiscard]] std::vector<std::int64_t> integers(index i) {
        std::vector<std::int64_t> result;
        for (const index item : sizes(i).items)
            result.push_back(as<std::int64_t>(item, "size"));
        return result;
    }
};

} // namespace io
} // namespace v0
} // namespace quantal

#endif
