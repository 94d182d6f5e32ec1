// SPDX-License-Identifier: Apache-2.0
/// The validation images of ImageNet, in each of the forms in which people have them.
#ifndef QUANTAL_DATA_IMAGENET_HPP
#define QUANTAL_DATA_IMAGENET_HPP

#include <quantal/data/devkit.hpp>
#include <quantal/data/image_folder.hpp>
#include <quantal/io/random_access.hpp>

#include <memory>

namespace quantal {
inline namespace v0 {
namespace data {

/// The files ILSVRC2012_val_00000001.JPEG and so on as they are published, in a folder or still in
/// their tar, which is read in place; labelled by the devkit.
class imagenet_validation : public dataset {
public:
    /// Throws `data_error` unless there is one image for each label of the kit. `p` has to crop.
    imagenet_validation(const std::filesystem::path& images, const std::filesystem::path& kit,
                        preprocess p = image_folder::default_preprocess())
        : preprocess_(std::move(p)), source_(images), kit_(read_devkit(kit)),
          files_(kit_.labels.size()) {
        check_crops(preprocess_, images);
        if (std::error_code failed; std::filesystem::is_directory(images, failed))
            list_folder();
        else
            list_archive();
        for (std::size_t i = 0; i < files_.size(); ++i)
            if (files_[i].name.empty())
                detail::fail<data_error>(images, " lacks validation image ", i + 1, "; ", kit,
                                         " labels ", files_.size(), " images");
    }

    [[nodiscard]] std::size_t size() const override { return files_.size(); }
    [[nodiscard]] extents image_shape() const override { return cropped_shape(preprocess_); }
    [[nodiscard]] int classes() const override { return static_cast<int>(kit_.classes.size()); }
    [[nodiscard]] int label(std::size_t index) const override { return kit_.labels[index]; }

    void read(std::size_t index, std::span<float> chw) const override {
        const io::tar_member& file = files_[index];
        const std::filesystem::path path = source_ / file.name;
        if (!archive_) return apply_jpeg(preprocess_, io::read_file(path), path.string(), chw);
        std::vector<std::byte> bytes(file.size);
        archive_->read(file.offset, bytes);
        apply_jpeg(preprocess_, bytes, path.string(), chw);
    }

private:
    void list_folder() {
        std::error_code failed;
        for (std::filesystem::directory_iterator i(source_, failed), end; !failed && i != end;
             i.increment(failed))
            add({i->path().filename().string(), 0, 0});
        if (failed)
            detail::fail<data_error>("the folder ", source_, " cannot be read: ", failed.message());
    }

    void list_archive() {
        archive_.emplace(source_);
        const auto read = [this](std::uint64_t offset, std::span<std::byte> out) {
            archive_->read(offset, out);
        };
        for (const io::tar_member& member : io::index_tar(archive_->size(), read, source_.string()))
            add(member);
    }

    /// Takes an image by the number in its name; whatever else lies beside the images is left out.
    void add(const io::tar_member& file) {
        constexpr std::string_view before = "ILSVRC2012_val_";
        constexpr std::string_view behind = ".JPEG";
        std::string_view digits = file.name;
        digits.remove_prefix(digits.rfind('/') + 1);
        if (!digits.starts_with(before) || !digits.ends_with(behind)) return;
        digits = digits.substr(before.size(), digits.size() - before.size() - behind.size());
        std::size_t number = 0;
        const char* const end = digits.data() + digits.size();
        const auto [stop, error] = std::from_chars(digits.data(), end, number);
        if (error != std::errc() || stop != end || number == 0 || number > files_.size())
            detail::fail<data_error>(source_, " holds ", file.name,
                                     "; the devkit labels images 1 to ", files_.size());
        files_[number - 1] = file;
    }

    preprocess preprocess_;
    std::filesystem::path source_;
    devkit kit_;
    std::optional<io::random_access_file> archive_;
    std::vector<io::tar_member> files_; ///< by number; of files in a folder only the name counts
};

/// The file that numbers the classes of class folders in `folder`, if it is there.
[[nodiscard]] inline std::optional<std::filesystem::path>
find_synsets(const std::filesystem::path& folder) {
    std::error_code failed;
    const std::filesystem::path list = folder / "synset_words.txt";
    return std::filesystem::exists(list, failed) ? std::optional(list) : std::nullopt;
}

/// The validation images in `folder`: flat files in `val/` or in itself; or ILSVRC2012_img_val.tar;
/// or class folders in `val/`, numbered by synset_words.txt if that is there. The first two need
/// ILSVRC2012_devkit_t12, a folder or .tar.gz, in `folder`. Throws `data_error` that says what was
/// looked for.
[[nodiscard]] inline std::unique_ptr<dataset>
open_imagenet(const std::filesystem::path& folder,
              const preprocess& p = image_folder::default_preprocess()) {
    const auto find = [&](std::initializer_list<const char*> names) {
        std::error_code failed;
        for (const char* name : names)
            if (std::filesystem::exists(folder / name, failed)) return folder / name;
        return std::filesystem::path();
    };
    std::filesystem::path images = find({"val/ILSVRC2012_val_00000001.JPEG",
                                         "ILSVRC2012_val_00000001.JPEG", "ILSVRC2012_img_val.tar"});
    if (images.extension() == ".JPEG") images.remove_filename();
    const auto devkit = find({"ILSVRC2012_devkit_t12", "ILSVRC2012_devkit_t12.tar.gz"});
    if (!images.empty() && devkit.empty())
        detail::fail<data_error>("the images in ", images, " need their labels: the devkit ",
                                 "ILSVRC2012_devkit_t12, as a folder or .tar.gz, in ", folder);
    if (!images.empty()) return std::make_unique<imagenet_validation>(images, devkit, p);
    if (const auto val = find({"val"}); !val.empty())
        return std::make_unique<image_folder>(val, find_synsets(folder), p);
    detail::fail<data_error>("there is no ImageNet in ", folder,
                             "; looked for val/ with class folders, ILSVRC2012_val_00000001.JPEG "
                             "and so on in it or in val/, and ILSVRC2012_img_val.tar");
}

} // namespace data
} // namespace v0
} // namespace quantal

#endif
