// SPDX-License-Identifier: Apache-2.0
/// Small copies of ImageNet's development kit, written by libmatio.
#ifndef QUANTAL_TESTS_DATA_DEVKIT_FILES_HPP
#define QUANTAL_TESTS_DATA_DEVKIT_FILES_HPP

#include <quantal/data/synsets_mat.hpp>
#include <quantal/io/file.hpp>

#include "data/files.hpp"

namespace files {

/// How MATLAB may store the same values.
struct mat_style {
    bool compressed = false;
    bool compact = false; ///< whole numbers in bytes, text in 16 bits a letter
    const char* variable = "synsets";
    const char* without = ""; ///< a field that is left out
};

inline matvar_t* mat_row(matio_classes kind, matio_types type, std::size_t rows,
                         std::size_t columns, const void* data) {
    std::size_t extents[] = {rows, columns};
    return Mat_VarCreate(nullptr, kind, type, 2, extents, const_cast<void*>(data), 0); // it copies
}

inline matvar_t* mat_number(double value, bool compact) {
    if (!compact) return mat_row(MAT_C_DOUBLE, MAT_T_DOUBLE, 1, 1, &value);
    const auto byte = static_cast<std::uint8_t>(value);
    return mat_row(MAT_C_DOUBLE, MAT_T_UINT8, 1, 1, &byte);
}

inline matvar_t* mat_text(const std::string& text, bool compact) {
    const std::vector<std::uint16_t> wide(text.begin(), text.end());
    return compact ? mat_row(MAT_C_CHAR, MAT_T_UINT16, 1, text.size(), wide.data())
                   : mat_row(MAT_C_CHAR, MAT_T_UTF8, 1, text.size(), text.data());
}

/// A meta.mat with the fields that the real one has (but the heights and numbers of images).
inline bytes make_meta(const std::vector<quantal::data::synset>& synsets, mat_style style = {}) {
    std::vector<const char*> fields{"ILSVRC2012_ID", "WNID",         "words",
                                    "gloss",         "num_children", "children"};
    std::erase_if(fields, [&](const char* f) { return std::string_view(f) == style.without; });
    std::size_t extents[] = {synsets.size(), 1};
    matvar_t* all = Mat_VarCreateStruct(style.variable, 2, extents, fields.data(),
                                        static_cast<unsigned>(fields.size()));
    for (std::size_t i = 0; i < synsets.size(); ++i) {
        const auto& [id, wnid, is_leaf] = synsets[i];
        const auto set = [&](const char* field, matvar_t* value) {
            if (std::string_view(field) == style.without)
                Mat_VarFree(value);
            else
                Mat_VarSetStructFieldByName(all, field, i, value);
        };
        set("ILSVRC2012_ID", mat_number(id, style.compact));
        set("WNID", mat_text(wnid, style.compact));
        set("words", mat_text("caf\u00e9, coffeehouse", false));
        set("gloss", mat_text("a place", style.compact));
        set("num_children", mat_number(is_leaf ? 0 : 2, style.compact));
        const double children[] = {1, 2};
        const std::size_t count = is_leaf ? 0 : 2;
        set("children", mat_row(MAT_C_DOUBLE, MAT_T_DOUBLE, count / 2, count, children));
    }
    const temporary_folder folder;
    const std::string path = (folder.path() / "meta.mat").string();
    mat_t* file = Mat_CreateVer(path.c_str(), nullptr, MAT_FT_MAT5);
    BOOST_REQUIRE(
        Mat_VarWrite(file, all, style.compressed ? MAT_COMPRESSION_ZLIB : MAT_COMPRESSION_NONE) ==
        0);
    Mat_Close(file);
    Mat_VarFree(all);
    return quantal::io::read_file(path);
}

} // namespace files

#endif
