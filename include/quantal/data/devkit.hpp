// SPDX-License-Identifier: Apache-2.0
/// The development kit of ILSVRC 2012: which class each validation image shows.
#ifndef QUANTAL_DATA_DEVKIT_HPP
#define QUANTAL_DATA_DEVKIT_HPP

#include <quantal/data/synsets_mat.hpp>
#include <quantal/io/file.hpp>
#include <quantal/io/gzip.hpp>
#include <quantal/io/tar.hpp>

#include <charconv>
#include <map>
#include <sstream>

namespace quantal {
inline namespace v0 {
namespace data {

/// Classes by name, in the order of their numbers, and the number of each validation image's class.
struct devkit {
    std::vector<std::string> classes; ///< WordNet IDs, sorted
    std::vector<int> labels;          ///< of ILSVRC2012_val_00000001.JPEG and so on

    friend bool operator==(const devkit&, const devkit&) = default;
};

/// The number of each class by its ILSVRC2012_ID, and the classes' names: the leaves among the
/// synsets, numbered by the order of their names as torchvision's networks have them.
[[nodiscard]] inline std::map<int, int> number_classes(const std::vector<synset>& synsets,
                                                       std::vector<std::string>& classes,
                                                       const std::string& name) {
    std::map<std::string, int> leaves;
    std::map<int, int> numbers;
    for (const synset& s : synsets)
        if (s.is_leaf && (!leaves.emplace(s.wnid, s.id).second || !numbers.emplace(s.id, 0).second))
            detail::fail<data_error>(name, " has the class ", s.id, " (", s.wnid, ") twice");
    for (const auto& [wnid, id] : leaves) {
        numbers[id] = static_cast<int>(classes.size());
        classes.push_back(wnid);
    }
    return numbers;
}

/// The kit in the bytes of its files meta.mat and ILSVRC2012_validation_ground_truth.txt (one
/// ILSVRC2012_ID a line); `name` is for messages.
[[nodiscard]] inline devkit parse_devkit(std::span<const std::byte> meta,
                                         std::span<const std::byte> ground_truth,
                                         const std::string& name) {
    devkit result;
    const auto numbers =
        number_classes(parse_synsets(meta, name + "/data/meta.mat"), result.classes, name);
    std::istringstream lines(
        std::string(reinterpret_cast<const char*>(ground_truth.data()), ground_truth.size()));
    for (std::string line; std::getline(lines, line);) {
        if (line.ends_with('\r')) line.pop_back();
        int id = 0;
        const char* const end = line.data() + line.size();
        const auto [stop, error] = std::from_chars(line.data(), end, id);
        const auto found = numbers.find(id);
        if (error != std::errc() || stop != end || found == numbers.end())
            detail::fail<data_error>(name, ": line ", result.labels.size() + 1,
                                     " of ILSVRC2012_validation_ground_truth.txt is \"", line,
                                     "\"; each line is one of the ", numbers.size(),
                                     " ids in meta.mat");
        result.labels.push_back(found->second);
    }
    return result;
}

/// Reads the kit as it is published (ILSVRC2012_devkit_t12.tar.gz) or unpacked (a folder that holds
/// the folder `data`).
[[nodiscard]] inline devkit read_devkit(const std::filesystem::path& path) {
    const char* const meta = "data/meta.mat";
    const char* const ground_truth = "data/ILSVRC2012_validation_ground_truth.txt";
    if (std::error_code failed; std::filesystem::is_directory(path, failed))
        return parse_devkit(io::read_file(path / meta), io::read_file(path / ground_truth),
                            path.string());
    constexpr std::size_t most_bytes = std::size_t{1} << 27; // the real one has a few megabytes
    const std::vector<std::byte> archive = io::read_gzip(path, most_bytes);
    const std::vector<io::tar_member> members = io::index_tar(archive, path.string());
    const auto find = [&](const char* file) {
        for (const io::tar_member& m : members)
            if (m.name.ends_with(std::string("/") + file))
                return std::span(archive).subspan(m.offset, m.size);
        detail::fail<data_error>("the devkit ", path, " holds no file ", file);
    };
    const std::span<const std::byte> synsets = find(meta);
    return parse_devkit(synsets, find(ground_truth), path.string());
}

} // namespace data
} // namespace v0
} // namespace quantal

#endif
