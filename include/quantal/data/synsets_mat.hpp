// SPDX-License-Identifier: Apache-2.0
/// The classes of ImageNet as its devkit has them: the struct array `synsets` of meta.mat, through
/// libmatio.
#ifndef QUANTAL_DATA_SYNSETS_MAT_HPP
#define QUANTAL_DATA_SYNSETS_MAT_HPP

#include <quantal/data/mat_file.hpp>
#include <quantal/io/temporary_file.hpp>

#include <matio.h>

#include <cmath>

namespace quantal {
inline namespace v0 {
namespace data {

/// A node of the tree of concepts; images are labelled by its leaves.
struct synset {
    int id;           ///< ILSVRC2012_ID
    std::string wnid; ///< WNID, for example n01440764
    bool is_leaf;     ///< num_children is 0

    friend bool operator==(const synset&, const synset&) = default;
};

/// The fields of the struct array, element by element.
class synsets_reader {
public:
    synsets_reader(std::span<const std::byte> file, std::string name)
        : name_(std::move(name)), copy_(mat_file(file, name_).only("synsets")),
          file_(Mat_Open(copy_.path().c_str(), MAT_ACC_RDONLY), &Mat_Close) {
        if (file_) synsets_.reset(Mat_VarRead(file_.get(), "synsets"));
        if (!synsets_ || synsets_->class_type != MAT_C_STRUCT)
            detail::fail<data_error>("\"synsets\" in ", name_, " is no struct array");
    }

    [[nodiscard]] std::size_t size() const { return synsets_->dims[0] * synsets_->dims[1]; }

    /// A field that has to be one whole number from 0 to 2^31 - 1.
    [[nodiscard]] int number(std::size_t i, const char* field) const {
        double value = -1.0;
        const matvar_t* found = find(i, field);
        if (found && found->class_type == MAT_C_DOUBLE && found->nbytes == sizeof value)
            value = *static_cast<const double*>(found->data);
        if (!(value >= 0.0 && value <= 0x7fffffff) || value != std::floor(value))
            refuse(i, field, "one whole number");
        return static_cast<int>(value);
    }

    /// A field that has to be ASCII, with one or two bytes a letter.
    [[nodiscard]] std::string text(std::size_t i, const char* field) const {
        const matvar_t* found = find(i, field);
        if (!found || found->class_type != MAT_C_CHAR || found->nbytes == 0)
            refuse(i, field, "text");
        const auto step = static_cast<std::size_t>(found->data_size);
        const auto* bytes = static_cast<const char*>(found->data);
        std::string result;
        for (std::size_t at = 0; at < found->nbytes; at += step)
            result += bytes[at];
        return result;
    }

private:
    [[nodiscard]] const matvar_t* find(std::size_t i, const char* field) const {
        const matvar_t* found = Mat_VarGetStructFieldByName(synsets_.get(), field, i);
        return found && found->data ? found : nullptr;
    }
    [[noreturn]] void refuse(std::size_t i, const char* field, const char* wanted) const {
        detail::fail<data_error>("\"synsets\" in ", name_, ": field ", field, " of element ", i + 1,
                                 " is absent or not ", wanted);
    }

    std::string name_;
    io::temporary_file copy_;
    std::unique_ptr<mat_t, int (*)(mat_t*)> file_;
    std::unique_ptr<matvar_t, void (*)(matvar_t*)> synsets_{nullptr, &Mat_VarFree};
};

/// The synsets in the bytes of a meta.mat, in its order; `name` is for messages. Throws
/// `data_error` if the file is damaged or has no such array.
[[nodiscard]] inline std::vector<synset> parse_synsets(std::span<const std::byte> file,
                                                       const std::string& name) {
    const synsets_reader reader(file, name);
    std::vector<synset> result;
    for (std::size_t i = 0; i < reader.size(); ++i)
        result.push_back({reader.number(i, "ILSVRC2012_ID"), reader.text(i, "WNID"),
                          reader.number(i, "num_children") == 0});
    return result;
}

} // namespace data
} // namespace v0
} // namespace quantal

#endif
