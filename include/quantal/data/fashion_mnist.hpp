// SPDX-License-Identifier: Apache-2.0
/// Fashion-MNIST: 70,000 grey images of 28x28 pixels in 10 classes.
#ifndef QUANTAL_DATA_FASHION_MNIST_HPP
#define QUANTAL_DATA_FASHION_MNIST_HPP

#include <quantal/data/dataset.hpp>
#include <quantal/data/idx.hpp>
#include <quantal/data/preprocess.hpp>

#include <algorithm>
#include <filesystem>

namespace quantal {
inline namespace v0 {
namespace data {

/// The idx files that Zalando Research publishes, as they are or decompressed.
class fashion_mnist : public dataset {
public:
    /// Where Debian's package dataset-fashion-mnist puts the files.
    static constexpr const char* default_folder = "/usr/share/datasets/fashion-mnist";

    /// 1x32x32 values: padded, and normalized by the statistics of the training images.
    [[nodiscard]] static preprocess default_preprocess() {
        return {.pad = 2, .mean = {0.2860f}, .std = {0.3530f}};
    }

    /// Reads the 60,000 training images or the 10,000 test images into memory.
    explicit fashion_mnist(const std::filesystem::path& folder = default_folder, bool train = false,
                           preprocess p = default_preprocess())
        : preprocess_(std::move(p)), shape_(output_shape(preprocess_, 1, side, side)) {
        if (std::error_code failed; !std::filesystem::is_directory(folder, failed))
            detail::fail<data_error>("there is no folder ", folder,
                                     "; Debian's package dataset-fashion-mnist brings "
                                     "Fashion-MNIST to ",
                                     default_folder);
        const std::string part = train ? "train" : "t10k";
        images_ = read_idx(file(folder, part + "-images-idx3-ubyte"));
        labels_ = read_idx(file(folder, part + "-labels-idx1-ubyte"));
        check_files(folder);
    }

    [[nodiscard]] std::size_t size() const override { return labels_.size(); }
    [[nodiscard]] extents image_shape() const override { return shape_; }
    [[nodiscard]] int classes() const override { return 10; }
    [[nodiscard]] int label(std::size_t index) const override { return labels_[index]; }

    void read(std::size_t index, std::span<float> chw) const override {
        const auto bytes = images_.slice(static_cast<std::int64_t>(index));
        apply(preprocess_, {side, side, 1, {bytes.begin(), bytes.end()}}, chw);
    }

private:
    static constexpr std::size_t side = 28;

    /// `name` compressed, or as it is if only that is there.
    static std::filesystem::path file(const std::filesystem::path& folder,
                                      const std::string& name) {
        std::error_code failed;
        const bool plain = std::filesystem::exists(folder / name, failed);
        return folder / (plain ? name : name + ".gz");
    }

    void check_files(const std::filesystem::path& folder) const {
        const extents wanted =
            labels_.shape().rank() == 1 ? extents{labels_.shape()[0], side, side} : extents{0};
        if (images_.shape() != wanted)
            detail::fail<data_error>("the folder ", folder, " has images of shape ",
                                     images_.shape(), " and labels of shape ", labels_.shape(),
                                     "; Fashion-MNIST has Nx28x28 and N");
        for (const std::uint8_t label : labels_.values())
            if (label >= classes())
                detail::fail<data_error>("the folder ", folder, " has the label ", int{label},
                                         "; labels are 0 to ", classes() - 1);
    }

    preprocess preprocess_;
    extents shape_;
    tensor<std::uint8_t> images_;
    tensor<std::uint8_t> labels_;
};

} // namespace data
} // namespace v0
} // namespace quantal

#endif
