// SPDX-License-Identifier: Apache-2.0
/// Images from arrays of numpy, folders and data sets, prepared as the options say.
#ifndef QUANTAL_EXAMPLES_QUANTAL_IMAGES_HPP
#define QUANTAL_EXAMPLES_QUANTAL_IMAGES_HPP

#include "network.hpp"

#include <quantal/data/cifar10.hpp>
#include <quantal/data/fashion_mnist.hpp>
#include <quantal/data/image_folder.hpp>
#include <quantal/data/loader.hpp>
#include <quantal/data/preprocess_json.hpp>
#include <quantal/io/npy.hpp>

#include <CLI/CLI.hpp>

#include <memory>
#include <optional>

namespace command {

namespace data = quantal::data;

/// How images become values, as the user said.
struct preprocess_options {
    std::vector<float> mean{}, std{};
    std::optional<float> scale{};
    int resize = -1, crop = -1;
    std::string classes{};

    void add_to(CLI::App& app) {
        app.add_option("--mean", mean,
                       "mean of each channel, subtracted from scaled pixels; 0 where only --std or "
                       "--scale is said");
        app.add_option("--std", std,
                       "standard deviation of each channel, a divisor; 1 where only --mean or "
                       "--scale is said");
        app.add_option("--scale", scale,
                       "factor of pixels from 0 to 255, before mean and std; 1/255 unless said")
            ->check(CLI::PositiveNumber);
        app.add_option("--resize", resize,
                       "short side of images before the crop, 0: as they are; of photographs 8/7 "
                       "of the network's side unless said");
        app.add_option("--crop", crop,
                       "side of the centre crop, 0: none; of photographs the network's side "
                       "unless said");
        app.add_option("--classes", classes,
                       "text whose lines begin with the names of class folders, in their order");
    }

    /// The pre-processing of a network's images: what its file says, else what is usual for the
    /// size of its images, changed by what the user said.
    [[nodiscard]] data::preprocess of(const network_file& n) const {
        const quantal::extents& shape = n.image_shape();
        const auto channels = static_cast<std::size_t>(shape[0]);
        data::preprocess p{.mean = std::vector<float>(channels, 0.0f),
                           .std = std::vector<float>(channels, 1.0f)};
        if (const auto found = n.metadata.find("preprocess"); found != n.metadata.end())
            p = data::preprocess_from_json(found->second);
        else if (shape.rank() == 3 && channels == 3 && shape[1] >= 64)
            p = usual(static_cast<int>(std::min(shape[1], shape[2])));
        if (scale || !mean.empty() || !std.empty()) {
            p.mean = scaled(mean, channels, 0.0f);
            p.std = scaled(std, channels, 1.0f);
        }
        if (resize >= 0) p.resize = resize;
        if (crop >= 0) p.crop = crop;
        return p;
    }

private:
    [[nodiscard]] static data::preprocess usual(int side) {
        auto p = data::image_folder::default_preprocess();
        p.crop = side;
        p.resize = side * 8 / 7; // 256 for 224
        return p;
    }
    /// Numbers of scaled pixels as those of pixels from 0 to 1.
    [[nodiscard]] std::vector<float> scaled(std::vector<float> numbers, std::size_t channels,
                                            float otherwise) const {
        if (numbers.empty()) numbers.assign(channels, otherwise);
        for (float& x : numbers)
            x /= 255.0f * scale.value_or(1.0f / 255.0f);
        return numbers;
    }
};

/// An array [N, ...] of images that are prepared already, with an array of labels if there is one.
class array_set : public data::dataset {
public:
    explicit array_set(const std::filesystem::path& file) : images_(quantal::io::read_npy(file)) {
        auto labels = file;
        labels.replace_extension(".labels.npy");
        if (exists(labels)) labels_ = quantal::io::read_npy(labels);
        if (images_.shape().rank() < 2 || images_.shape()[0] == 0)
            quantal::detail::fail<quantal::data_error>(file.string(), ": an array of shape ",
                                                       images_.shape(), "; images are [N, ...]");
        if (labels_ && labels_->size() != size())
            quantal::detail::fail<quantal::data_error>(labels.string(), ": ", labels_->size(),
                                                       " labels for ", size(), " images");
    }
    [[nodiscard]] std::size_t size() const override {
        return static_cast<std::size_t>(images_.shape()[0]);
    }
    [[nodiscard]] quantal::extents image_shape() const override {
        return images_.shape().without_front();
    }
    [[nodiscard]] int classes() const override { return 0; }
    [[nodiscard]] int label(std::size_t i) const override {
        return labels_ ? static_cast<int>((*labels_)[i]) : -1;
    }
    void read(std::size_t i, std::span<float> chw) const override {
        const auto image = images_.slice(static_cast<std::int64_t>(i));
        std::copy(image.begin(), image.end(), chw.begin());
    }

private:
    quantal::tensor<float> images_;
    std::optional<quantal::tensor<float>> labels_;
};

/// The JPEG files of a folder, which have no labels, and those of its folders, one a class:
/// numbered by a text of their names, or in the order of these.
class folder_set : public data::dataset {
public:
    folder_set(const std::filesystem::path& folder, const std::string& classes, data::preprocess p)
        : preprocess_(std::move(p)) {
        data::check_crops(preprocess_, folder);
        std::map<std::string, int> numbers;
        if (!classes.empty()) numbers = data::read_synsets(classes);
        add(folder, -1);
        for (const auto& one : sorted(folder)) {
            if (!is_directory(one)) continue;
            const std::string name = one.filename().string();
            if (classes.empty()) numbers.emplace(name, static_cast<int>(numbers.size()));
            if (!numbers.contains(name))
                quantal::detail::fail<quantal::data_error>("the folder ", one,
                                                           " is named after no class in ", classes);
            add(one, numbers.at(name));
        }
        if (files_.empty())
            quantal::detail::fail<quantal::data_error>("the folder ", folder,
                                                       " holds no .jpg, .jpeg or .JPEG files");
        classes_ = static_cast<int>(numbers.size());
    }
    [[nodiscard]] std::size_t size() const override { return files_.size(); }
    [[nodiscard]] quantal::extents image_shape() const override {
        return data::cropped_shape(preprocess_);
    }
    [[nodiscard]] int classes() const override { return classes_; }
    [[nodiscard]] int label(std::size_t i) const override { return files_[i].second; }
    void read(std::size_t i, std::span<float> chw) const override {
        const std::string name = files_[i].first.string();
        data::apply_jpeg(preprocess_, quantal::io::read_file(name), name, chw);
    }

private:
    [[nodiscard]] static std::vector<std::filesystem::path>
    sorted(const std::filesystem::path& folder) {
        std::error_code failed;
        std::filesystem::directory_iterator entries(folder, failed);
        if (failed)
            quantal::detail::fail<quantal::data_error>("the folder ", folder,
                                                       " cannot be read: ", failed.message());
        std::vector<std::filesystem::path> result;
        for (const auto& entry : entries)
            result.push_back(entry.path());
        std::sort(result.begin(), result.end());
        return result;
    }
    void add(const std::filesystem::path& folder, int label) {
        for (const auto& file : sorted(folder)) {
            const std::string kind = file.extension().string();
            if (kind == ".jpg" || kind == ".jpeg" || kind == ".JPEG" || kind == ".JPG")
                files_.emplace_back(file, label);
        }
    }

    data::preprocess preprocess_;
    std::vector<std::pair<std::filesystem::path, int>> files_;
    int classes_ = 0;
};

/// The images `where` names: FILE.npy, cifar10:DIR, fashion_mnist[:DIR], or a folder of
/// JPEG files or of such folders, one a class. `for_calibration`: those that a data set has for it.
[[nodiscard]] inline std::unique_ptr<data::dataset> open_images(const std::string& where,
                                                                const network_file& n,
                                                                const preprocess_options& o,
                                                                bool for_calibration) {
    using std::make_unique;
    const std::size_t colon = where.find(':');
    const std::string name = where.substr(0, colon);
    const std::string folder = colon == where.npos ? "" : where.substr(colon + 1);
    std::unique_ptr<data::dataset> set;
    if (where.ends_with(".npy")) {
        set = make_unique<array_set>(where);
    } else if (name == "cifar10") {
        set = make_unique<data::cifar10>(
            folder, for_calibration ? data::cifar10_split::calibration : data::cifar10_split::test,
            o.of(n));
    } else if (name == "fashion_mnist") {
        set = make_unique<data::fashion_mnist>(folder.empty() ? data::fashion_mnist::default_folder
                                                              : folder,
                                               for_calibration, o.of(n));
    } else {
        set = make_unique<folder_set>(where, o.classes, o.of(n));
    }
    if (set->image_shape() != n.image_shape())
        quantal::detail::fail<quantal::data_error>(
            where, " gives images of ", set->image_shape(), ", ", n.path.string(), " takes ",
            n.image_shape(), "; --resize and --crop change their size");
    return set;
}

} // namespace command

#endif
