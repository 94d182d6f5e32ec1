// SPDX-License-Identifier: Apache-2.0
/// CIFAR-10: 60,000 colour images of 32x32 pixels in 10 classes, in its binary version.
#ifndef QUANTAL_DATA_CIFAR10_HPP
#define QUANTAL_DATA_CIFAR10_HPP

#include <quantal/data/dataset.hpp>
#include <quantal/data/preprocess.hpp>
#include <quantal/io/file.hpp>

#include <filesystem>
#include <string>
#include <utility>

namespace quantal {
inline namespace v0 {
namespace data {

/// The files of a CIFAR-10 folder that belong together.
enum class cifar10_split {
    train,       ///< data_batch_1.bin to data_batch_5.bin, 50,000 images
    test,        ///< test_batch.bin, 10,000 images
    calibration, ///< data_batch_1.bin only
};

/// Records of 3073 bytes: the label, then 1024 bytes each of red, green and blue.
class cifar10 : public dataset {
public:
    static constexpr std::size_t side = 32;
    static constexpr std::size_t record_size = 1 + 3 * side * side;

    [[nodiscard]] static preprocess default_preprocess() {
        return {.mean = {0.485f, 0.456f, 0.406f}, .std = {0.229f, 0.224f, 0.225f}};
    }

    /// Reads the files of one split into memory; all of them have to be there.
    cifar10(const std::filesystem::path& folder, cifar10_split split,
            preprocess p = default_preprocess())
        : cifar10(files_of(folder, split), std::move(p)) {}

    /// Reads these files into memory, one after the other.
    explicit cifar10(const std::vector<std::filesystem::path>& files,
                     preprocess p = default_preprocess())
        : preprocess_(std::move(p)), shape_(output_shape(preprocess_, 3, side, side)) {
        for (const std::filesystem::path& path : files) {
            const std::vector<std::byte> bytes = io::read_file(path);
            check_records(bytes, path.string());
            records_.insert(records_.end(), bytes.begin(), bytes.end());
        }
    }

    /// Throws `data_error` unless `bytes` are whole records with labels from 0 to 9.
    static void check_records(std::span<const std::byte> bytes, const std::string& name) {
        if (bytes.empty() || bytes.size() % record_size != 0)
            detail::fail<data_error>("the CIFAR-10 file ", name, " has ", bytes.size(),
                                     " bytes; a positive multiple of ", record_size,
                                     " is expected");
        for (std::size_t at = 0; at < bytes.size(); at += record_size)
            if (const int label = std::to_integer<int>(bytes[at]); label > 9)
                detail::fail<data_error>("the CIFAR-10 file ", name, " has the label ", label,
                                         " at byte ", at, "; labels are 0 to 9");
    }

    [[nodiscard]] std::size_t size() const override { return records_.size() / record_size; }
    [[nodiscard]] extents image_shape() const override { return shape_; }
    [[nodiscard]] int classes() const override { return 10; }
    [[nodiscard]] int label(std::size_t index) const override {
        return std::to_integer<int>(records_[index * record_size]);
    }

    void read(std::size_t index, std::span<float> chw) const override {
        constexpr std::size_t plane = side * side;
        image8 image{side, side, 3, std::vector<std::uint8_t>(3 * plane)};
        const std::byte* planes = records_.data() + index * record_size + 1;
        for (std::size_t i = 0; i < 3 * plane; ++i)
            image.pixels[i % plane * 3 + i / plane] = std::to_integer<std::uint8_t>(planes[i]);
        apply(preprocess_, std::move(image), chw);
    }

private:
    static std::vector<std::filesystem::path> files_of(const std::filesystem::path& folder,
                                                       cifar10_split split) {
        if (split == cifar10_split::test) return {folder / "test_batch.bin"};
        std::vector<std::filesystem::path> files;
        for (int i = 1; i <= (split == cifar10_split::train ? 5 : 1); ++i)
            files.push_back(folder / ("data_batch_" + std::to_string(i) + ".bin"));
        return files;
    }

    preprocess preprocess_;
    extents shape_;
    std::vector<std::byte> records_;
};

} // namespace data
} // namespace v0
} // namespace quantal

#endif
