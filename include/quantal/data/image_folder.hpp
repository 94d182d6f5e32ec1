// SPDX-License-Identifier: Apache-2.0
/// JPEG images in one folder a class, as ImageNet is usually laid out.
#ifndef QUANTAL_DATA_IMAGE_FOLDER_HPP
#define QUANTAL_DATA_IMAGE_FOLDER_HPP

#include <quantal/data/dataset.hpp>
#include <quantal/data/jpeg.hpp>
#include <quantal/data/preprocess.hpp>
#include <quantal/io/file.hpp>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

namespace quantal {
inline namespace v0 {
namespace data {

/// Class names with their numbers: the first word of each line of a file such as ImageNet's
/// synset_words.txt, counted from 0.
[[nodiscard]] inline std::map<std::string, int> read_synsets(const std::filesystem::path& path) {
    const std::vector<std::byte> bytes = io::read_file(path);
    std::istringstream lines(
        std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    std::map<std::string, int> classes;
    for (std::string line; std::getline(lines, line);) {
        const std::string name = line.substr(0, line.find_first_of(" \t\r"));
        if (name.empty() || !classes.emplace(name, static_cast<int>(classes.size())).second)
            detail::fail<data_error>("line ", classes.size() + 1, " of ", path, " begins with \"",
                                     name, "\"; each line begins with a class name of its own");
    }
    return classes;
}

/// Throws `data_error` unless `p` is one for colour images of any size: it has to crop, so that all
/// of them get one shape. `path` is where they lie.
inline void check_crops(const preprocess& p, const std::filesystem::path& path) {
    check(p, 3);
    if (p.crop == 0)
        detail::fail<data_error>("images in ", path,
                                 " may differ in size; their pre-processing has to crop");
}

/// The shape that such images get.
[[nodiscard]] inline extents cropped_shape(const preprocess& p) {
    const std::int64_t side = p.crop + 2 * p.pad;
    return {3, side, side};
}

/// Decodes the bytes of a JPEG file and writes it, pre-processed, in CHW order; errors begin with
/// `name`.
inline void apply_jpeg(const preprocess& p, std::span<const std::byte> file,
                       const std::string& name, std::span<float> chw) {
    image8 image = decode_jpeg(file, name);
    try {
        apply(p, std::move(image), chw);
    } catch (const data_error& problem) {
        detail::fail<data_error>(name, ": ", problem.what());
    }
}

/// The images `folder/<class>/*.JPEG` (or .jpg, .jpeg in any case), sorted by class name, then by
/// file name. An image is decoded each time it is read.
class image_folder : public dataset {
public:
    /// What torchvision's classification networks were trained for.
    [[nodiscard]] static preprocess default_preprocess() {
        return {.resize = 256,
                .crop = 224,
                .mean = {0.485f, 0.456f, 0.406f},
                .std = {0.229f, 0.224f, 0.225f}};
    }

    /// Lists the folder. Classes are numbered by `synsets` (see `read_synsets`), without it in the
    /// order of their names, and then there have to be 1000. `p` has to crop, so that all images
    /// get one shape.
    explicit image_folder(const std::filesystem::path& folder,
                          const std::optional<std::filesystem::path>& synsets = std::nullopt,
                          preprocess p = default_preprocess())
        : preprocess_(std::move(p)) {
        check_crops(preprocess_, folder);
        const std::vector<std::filesystem::path> folders = sorted(folder, &is_folder);
        const std::map<std::string, int> numbers =
            synsets ? read_synsets(*synsets) : numbered(folder, folders);
        classes_ = static_cast<int>(numbers.size());
        for (const std::filesystem::path& one : folders) {
            const auto found = numbers.find(one.filename().string());
            if (found == numbers.end())
                detail::fail<data_error>("the folder ", one, " is named after no class in ",
                                         *synsets);
            for (const std::filesystem::path& image : sorted(one, &is_image))
                images_.push_back({image.string(), found->second});
        }
        if (images_.empty())
            detail::fail<data_error>("the folder ", folder,
                                     " holds no folders with .JPEG, .jpg or .jpeg files");
    }

    [[nodiscard]] std::size_t size() const override { return images_.size(); }
    [[nodiscard]] extents image_shape() const override { return cropped_shape(preprocess_); }
    [[nodiscard]] int classes() const override { return classes_; }
    [[nodiscard]] int label(std::size_t index) const override { return images_[index].label; }
    [[nodiscard]] std::filesystem::path path_of(std::size_t index) const {
        return images_[index].path;
    }

    void read(std::size_t index, std::span<float> chw) const override {
        const std::string& name = images_[index].path;
        apply_jpeg(preprocess_, io::read_file(name), name, chw);
    }

private:
    struct entry {
        std::string path; // a path object takes several times as much, and ImageNet is large
        int label;
    };

    static bool is_folder(const std::filesystem::directory_entry& e) {
        std::error_code failed;
        return e.is_directory(failed);
    }
    static bool is_image(const std::filesystem::directory_entry& e) {
        std::string extension = e.path().extension().string();
        for (char& c : extension)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        return extension == ".jpeg" || extension == ".jpg";
    }

    static std::vector<std::filesystem::path>
    sorted(const std::filesystem::path& folder,
           bool (*wanted)(const std::filesystem::directory_entry&)) {
        std::error_code failed;
        std::vector<std::filesystem::path> result;
        for (std::filesystem::directory_iterator i(folder, failed), end; !failed && i != end;
             i.increment(failed))
            if (wanted(*i)) result.push_back(i->path());
        if (failed)
            detail::fail<data_error>("the folder ", folder, " cannot be read: ", failed.message());
        std::sort(result.begin(), result.end());
        return result;
    }

    static std::map<std::string, int> numbered(const std::filesystem::path& folder,
                                               const std::vector<std::filesystem::path>& folders) {
        constexpr std::size_t imagenet = 1000;
        if (folders.size() != imagenet)
            detail::fail<data_error>("the folder ", folder, " holds ", folders.size(),
                                     " class folders, not ", imagenet,
                                     "; a file such as synset_words.txt has to number them");
        std::map<std::string, int> numbers;
        for (const std::filesystem::path& one : folders)
            numbers.emplace(one.filename().string(), static_cast<int>(numbers.size()));
        return numbers;
    }

    preprocess preprocess_;
    int classes_ = 0;
    std::vector<entry> images_;
};

} // namespace data
} // namespace v0
} // namespace quantal

#endif
