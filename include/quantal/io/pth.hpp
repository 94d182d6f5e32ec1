// SPDX-License-Identifier: Apache-2.0
/// PyTorch's checkpoints in both formats: a zip archive of a pickle and its storages, and the older
/// stream of pickles with the storages behind them.
#ifndef QUANTAL_IO_PTH_HPP
#define QUANTAL_IO_PTH_HPP

#include <quantal/io/pickle.hpp>
#include <quantal/io/safetensors.hpp>
#include <quantal/io/zip.hpp>

namespace quantal {
inline namespace v0 {
namespace io {
namespace detail {

/// The bytes of storages by key.
using storage_map = std::map<std::string, std::span<const std::byte>>;

/// The elements of a strided window, as float32. The window must lie inside its storage and hold no
/// more elements than it.
inline tensor<float> materialize(const pickle_tensor& t, const storage_map& storages,
                                 const std::string& what) {
    const auto found = storages.find(t.storage.key);
    if (found == storages.end())
        fail<data_error>(what, " lies in the storage \"", t.storage.key, "\", which is missing");
    const std::size_t width = size_of(t.storage.type);
    const std::uint64_t held = found->second.size() / width;
    if (t.storage.count > held)
        fail<data_error>(what, " lies in a storage of ", t.storage.count, " elements, of which ",
                         held, " are there");
    const extents shape(t.shape);
    if (t.strides.size() != t.shape.size() || t.offset < 0 || shape.count() > t.storage.count)
        fail<data_error>(what, " of shape ", shape, " does not fit its storage of ",
                         t.storage.count, " elements");
    view<const float>::strides strides{};
    std::uint64_t room =
        t.storage.count -
        std::min<std::uint64_t>(t.storage.count, static_cast<std::uint64_t>(t.offset));
    if (shape.count() > 0 && room == 0)
        fail<data_error>(what, " begins behind its storage of ", t.storage.count, " elements");
    for (int axis = 0; axis < shape.rank() && shape.count() > 0; ++axis) {
        const std::int64_t stride = t.strides[static_cast<std::size_t>(axis)];
        const auto steps = static_cast<std::uint64_t>(shape[axis] - 1);
        const auto step = static_cast<std::uint64_t>(stride);
        if (stride < 0 || (steps > 0 && step > 0 && step > (room - 1) / steps))
            fail<data_error>(what, " of shape ", shape, " with the stride ", stride,
                             " leaves its storage of ", t.storage.count, " elements");
        room -= steps * step;
        strides[static_cast<std::size_t>(axis)] = stride;
    }
    tensor<float> result(shape);
    // A view of bytes that is never read through: it only walks the offsets.
    const view<const std::byte> walk(nullptr, shape, strides);
    walk.for_each_offset([&](std::int64_t offset, std::size_t i) {
        const auto element = static_cast<std::size_t>(t.offset + offset);
        result[i] = read_scalar(found->second.data() + element * width, t.storage.type);
    });
    return result;
}

/// The tensors of a checkpoint's dictionary: of its entry "state_dict" or "model" if it has one.
/// Entries that are no tensors are left out, "module." in front of names is cut off. Tensors may
/// share storages, but not so often that a small file fills the memory: all together they hold at
/// most 8 elements a byte of the file.
inline checkpoint tensors_of(const pickle& p, const storage_map& storages, std::size_t file_size,
                             const std::string& file) {
    const auto* root = p.get<dictionary>(p.root);
    for (const char* key : {"state_dict", "model"})
        if (const auto* inner = root ? p.find(*root, key) : nullptr)
            if (const auto* found = p.get<dictionary>(*inner)) root = found;
    if (!root) fail<data_error>(file, ": the pickle holds no dictionary of tensors");
    checkpoint result;
    std::size_t elements = 0;
    for (const auto& [key, item] : root->items) {
        const auto* name = p.get<std::string>(key);
        const auto* t = p.get<pickle_tensor>(item);
        if (!name || !t) continue;
        constexpr std::string_view prefix = "module.";
        const std::string plain = name->starts_with(prefix) ? name->substr(prefix.size()) : *name;
        if (result.tensors.contains(plain))
            fail<data_error>(file, ": the checkpoint holds tensor \"", plain, "\" twice");
        auto values = materialize(*t, storages, file + ": tensor \"" + *name + '"');
        elements += values.size();
        if (elements > 8 * file_size)
            fail<data_error>(file, ": the tensors up to \"", *name, "\" hold ", elements,
                             " elements, more than 8 a byte of the file, which has ", file_size);
        result.tensors.emplace(plain, std::move(values));
    }
    if (result.tensors.empty()) fail<data_error>(file, ": the checkpoint holds no tensors");
    return result;
}

} // namespace detail

/// A zip archive: "<name>/data.pkl" and the storages "<name>/data/<key>".
[[nodiscard]] inline checkpoint parse_pth_zip(std::span<const std::byte> bytes,
                                              const std::string& file) {
    const zip_archive archive(bytes, file);
    constexpr std::string_view suffix = "/data.pkl";
    for (const auto& [name, data] : archive.entries()) {
        if (!name.ends_with(suffix)) continue;
        const std::string folder = name.substr(0, name.size() - suffix.size());
        detail::storage_map storages;
        for (const auto& [entry, contents] : archive.entries())
            if (entry.starts_with(folder + "/data/"))
                storages.emplace(entry.substr(folder.size() + 6), contents);
        return detail::tensors_of(unpickler(data, file).read(), storages, bytes.size(), file);
    }
    detail::fail<data_error>(file, ": the archive has no data.pkl; it is no checkpoint");
}

/// The older stream: pickles of a magic number, a version, the system, the object and the list of
/// storage keys; then for each key a count of 8 bytes and so many elements.
[[nodiscard]] inline checkpoint parse_pth_stream(std::span<const std::byte> bytes,
                                                 const std::string& file) {
    auto rest = bytes;
    const auto next = [&] {
        pickle p = unpickler(rest, file).read();
        rest = rest.subspan(p.size);
        return p;
    };
    const pickle magic = next();
    const auto* number = magic.get<std::string>(magic.root);
    if (!number || *number != std::string("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10))
        detail::fail<data_error>(file, ": this pickle is no checkpoint of torch.save");
    next(); // the version
    next(); // the system
    const pickle object = next();
    const pickle keys = next();
    const auto* order = keys.get<list>(keys.root);
    if (!order) detail::fail<data_error>(file, ": the checkpoint has no list of storages");
    std::map<std::string, scalar_type> types;
    for (const pickle_value& v : object.values)
        if (const auto* s = std::get_if<pickle_storage>(&v.data)) types.emplace(s->key, s->type);
    detail::storage_map storages;
    for (const std::size_t item : order->items) {
        const auto* key = keys.get<std::string>(item);
        const auto type = key ? types.find(*key) : types.end();
        if (type == types.end() || rest.size() < 8)
            detail::fail<data_error>(file, ": the checkpoint's storages are truncated or unknown");
        const auto count = detail::load<std::uint64_t>(rest.data());
        rest = rest.subspan(8);
        const std::size_t width = size_of(type->second);
        if (count > rest.size() / width)
            detail::fail<data_error>(file, ": a storage claims ", count, " elements, the file has ",
                                     rest.size(), " bytes left");
        storages.emplace(*key, rest.first(count * width));
        rest = rest.subspan(count * width);
    }
    return detail::tensors_of(object, storages, bytes.size(), file);
}

} // namespace io
} // namespace v0
} // namespace quantal

#endif
