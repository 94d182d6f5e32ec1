// SPDX-License-Identifier: Apache-2.0
/// What a pickle of a checkpoint can hold.
#ifndef QUANTAL_IO_PICKLE_VALUE_HPP
#define QUANTAL_IO_PICKLE_VALUE_HPP

#include <quantal/io/scalar.hpp>

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace io {

struct none {};
/// A name that the pickle may use, such as "torch.FloatStorage".
struct global {
    std::string name;
};
/// Containers hold indices of values: no cycle of owners, no deep recursion.
struct list {
    std::vector<std::size_t> items{};
};
struct tuple {
    std::vector<std::size_t> items{};
};
struct dictionary {
    std::vector<std::pair<std::size_t, std::size_t>> items{};
};
/// Elements that lie elsewhere in the file, under `key`.
struct pickle_storage {
    std::string key;
    scalar_type type;
    std::uint64_t count;
};
/// A strided window on a storage.
struct pickle_tensor {
    pickle_storage storage;
    std::int64_t offset;
    std::vector<std::int64_t> shape, strides;
};

struct pickle_value {
    std::variant<none, bool, std::int64_t, double, std::string, global, list, tuple, dictionary,
                 pickle_storage, pickle_tensor>
        data;
};

/// All values of a pickle, its root, and how many bytes it took.
struct pickle {
    using index = std::size_t;
    std::deque<pickle_value> values;
    index root = 0;
    std::uint64_t size = 0;

    template <class T>
    [[nodiscard]] const T* get(index i) const {
        return std::get_if<T>(&values[i].data);
    }
    /// The entry of a dictionary, or nullptr; the last one of equal keys.
    [[nodiscard]] const index* find(const dictionary& d, std::string_view key) const {
        const index* found = nullptr;
        for (const auto& [name, item] : d.items)
            if (const auto* text = get<std::string>(name); text && *text == key) found = &item;
        return found;
    }
};

} // namespace io
} // namespace v0
} // namespace quantal

#endif
