// SPDX-License-Identifier: Apache-2.0
/// Files for tests of data sets: a folder that removes itself, small idx, gzip, tar and JPEG
/// files, and the checks that damaged ones have to pass.
#ifndef QUANTAL_TESTS_DATA_FILES_HPP
#define QUANTAL_TESTS_DATA_FILES_HPP

#include <quantal/data/image8.hpp>
#include <quantal/error.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdio>

#include <jpeglib.h>
#include <zlib.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace files {

using bytes = std::vector<std::byte>;

/// A new folder under the system's temporary folder, removed at the end.
class temporary_folder {
public:
    temporary_folder() {
        std::string name =
            (std::filesystem::temp_directory_path() / "quantal_data_XXXXXX").string();
        BOOST_REQUIRE(mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    ~temporary_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    std::filesystem::path write(const std::filesystem::path& name, const bytes& content) const {
        std::filesystem::create_directories((path_ / name).parent_path());
        std::ofstream(path_ / name, std::ios::binary)
            .write(reinterpret_cast<const char*>(content.data()),
                   static_cast<std::streamsize>(content.size()));
        return path_ / name;
    }

private:
    std::filesystem::path path_;
};

inline bytes to_bytes(const std::string& text) {
    const auto* data = reinterpret_cast<const std::byte*>(text.data());
    return {data, data + text.size()};
}

inline std::string message_of(const auto& action) {
    try {
        action();
    } catch (const quantal::data_error& problem) {
        return problem.what();
    }
    return "no data_error";
}

/// An idx file whose element i is `i * 7`, modulo `modulus`.
inline bytes make_idx(std::initializer_list<std::uint32_t> dims, unsigned modulus = 256) {
    bytes file{std::byte{0}, std::byte{0}, std::byte{8}, static_cast<std::byte>(dims.size())};
    std::size_t count = 1;
    for (const std::uint32_t extent : dims) {
        for (int shift = 24; shift >= 0; shift -= 8)
            file.push_back(static_cast<std::byte>(extent >> shift & 255u));
        count *= extent;
    }
    for (std::size_t i = 0; i < count; ++i)
        file.push_back(static_cast<std::byte>(i * 7 % modulus));
    return file;
}

inline bytes gzip(const bytes& content) {
    z_stream stream{};
    BOOST_REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 9, Z_DEFAULT_STRATEGY) ==
                  Z_OK);
    bytes result(content.size() + 1000);
    stream.next_in =
        const_cast<Bytef*>(reinterpret_cast<const Bytef*>(content.data())); // not written to
    stream.avail_in = static_cast<uInt>(content.size());
    stream.next_out = reinterpret_cast<Bytef*>(result.data());
    stream.avail_out = static_cast<uInt>(result.size());
    BOOST_REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    result.resize(stream.total_out);
    deflateEnd(&stream);
    return result;
}

/// A header of a tar archive (POSIX ustar) with its checksum.
inline bytes tar_header(const std::string& name, std::size_t size, char type = '0') {
    std::array<char, 512> header{};
    std::snprintf(header.data(), 100, "%s", name.c_str());
    std::snprintf(header.data() + 124, 12, "%011lo", static_cast<unsigned long>(size));
    header[156] = type;
    std::memcpy(header.data() + 257, "ustar\00000", 8);
    std::memset(header.data() + 148, ' ', 8);
    unsigned sum = 0;
    for (const char c : header)
        sum += static_cast<unsigned char>(c);
    std::snprintf(header.data() + 148, 8, "%06o", sum);
    return to_bytes(std::string(header.data(), header.size()));
}

/// Appends a file to an archive, padded to whole blocks.
inline void add_to_tar(bytes& archive, const bytes& header, const bytes& content) {
    archive.insert(archive.end(), header.begin(), header.end());
    archive.insert(archive.end(), content.begin(), content.end());
    archive.resize((archive.size() + 511) / 512 * 512);
}

/// An archive of files by name, with its end mark.
inline bytes make_tar(const std::vector<std::pair<std::string, bytes>>& members) {
    bytes archive;
    for (const auto& [name, content] : members)
        add_to_tar(archive, tar_header(name, content.size()), content);
    archive.resize(archive.size() + 1024);
    return archive;
}

/// A smooth image: a ramp down in channel 0, across in channel 1, both in channel 2.
inline quantal::data::image8 ramp(std::size_t height, std::size_t width, std::size_t channels) {
    quantal::data::image8 image{height, width, channels, {}};
    for (std::size_t y = 0; y < height; ++y)
        for (std::size_t x = 0; x < width; ++x)
            for (std::size_t c = 0; c < channels; ++c)
                image.pixels.push_back(static_cast<std::uint8_t>(
                    ((c != 1 ? y : 0) * 255 / height + (c != 0 ? x : 0) * 255 / width) /
                    (c == 2 ? 2 : 1)));
    return image;
}

struct jpeg_style {
    bool progressive = false;
    bool arithmetic = false;
};

/// The image as JPEG of quality 100: 1 channel grey, 3 RGB, 4 CMYK.
inline bytes make_jpeg(const quantal::data::image8& image, jpeg_style style = {}) {
    jpeg_compress_struct state{};
    jpeg_error_mgr errors{};
    state.err = jpeg_std_error(&errors);
    jpeg_create_compress(&state);
    unsigned char* memory = nullptr;
    unsigned long size = 0;
    jpeg_mem_dest(&state, &memory, &size);
    state.image_height = static_cast<JDIMENSION>(image.height);
    state.image_width = static_cast<JDIMENSION>(image.width);
    state.input_components = static_cast<int>(image.channels);
    state.in_color_space =
        image.channels == 1 ? JCS_GRAYSCALE : (image.channels == 3 ? JCS_RGB : JCS_CMYK);
    jpeg_set_defaults(&state);
    jpeg_set_quality(&state, 100, TRUE);
    if (style.progressive) jpeg_simple_progression(&state);
    state.arith_code = style.arithmetic ? TRUE : FALSE;
    jpeg_start_compress(&state, TRUE);
    while (state.next_scanline < state.image_height) {
        auto* row = const_cast<JSAMPROW>(image.pixels.data() +
                                         state.next_scanline * image.width * image.channels);
        jpeg_write_scanlines(&state, &row, 1);
    }
    jpeg_finish_compress(&state);
    const auto* begin = reinterpret_cast<const std::byte*>(memory);
    bytes result(begin, begin + size);
    jpeg_destroy_compress(&state);
    std::free(memory);
    return result;
}

/// Every proper prefix of `file` has to be refused with a `quantal::error`.
inline void check_truncation(const bytes& file, const auto& parse) {
    for (std::size_t size = 0; size < file.size(); ++size)
        BOOST_CHECK_THROW(parse(std::span(file).first(size)), quantal::error);
}

/// Changes each byte in turn to a random other value: parsing has to succeed or throw a
/// `quantal::error`; nothing else may leave it. Returns how many of the changes were refused.
inline std::size_t check_damage(bytes file, const auto& parse) {
    constexpr unsigned seed = 20261124;
    BOOST_TEST_MESSAGE("seed " << seed);
    std::mt19937 generator(seed);
    std::size_t refused = 0;
    for (std::byte& b : file) {
        const std::byte before = b;
        b ^= static_cast<std::byte>(1 + generator() % 255);
        try {
            parse(std::span<const std::byte>(file));
        } catch (const quantal::error&) {
            ++refused;
        }
        b = before;
    }
    return refused;
}

} // namespace files

#endif
