// SPDX-License-Identifier: Apache-2.0
/// JPEG files become RGB images, through libjpeg-turbo.
#ifndef QUANTAL_DATA_JPEG_HPP
#define QUANTAL_DATA_JPEG_HPP

#include <quantal/data/image8.hpp>
#include <quantal/error.hpp>

#include <cstdio> // jpeglib.h needs FILE

#include <jerror.h>
#include <jpeglib.h>

#include <array>
#include <csetjmp>
#include <cstddef>
#include <span>
#include <string>

namespace quantal {
inline namespace v0 {
namespace data {

/// One decompression. libjpeg reports an error by a call that must not return; here it jumps back
/// to the `setjmp` of the step that called libjpeg. Those steps are `noexcept` and hold nothing
/// that has a destructor, so the jump skips none.
class jpeg_decoder {
public:
    explicit jpeg_decoder(std::span<const std::byte> file) : file_(file) {
        state_.err = jpeg_std_error(&errors_);
        state_.client_data = this;
        errors_.error_exit = &on_error;
        errors_.emit_message = &on_message;
        progress_.progress_monitor = &on_progress;
    }
    jpeg_decoder(const jpeg_decoder&) = delete;
    jpeg_decoder& operator=(const jpeg_decoder&) = delete;
    ~jpeg_decoder() { jpeg_destroy_decompress(&state_); }

    /// Reads up to the first scan: the extents and the kind of the image. False: see `message`.
    [[nodiscard]] bool read_header() noexcept {
        if (setjmp(on_failure_)) return false;
        jpeg_create_decompress(&state_);
        state_.progress = &progress_;
        jpeg_mem_src(&state_, reinterpret_cast<const unsigned char*>(file_.data()),
                     static_cast<unsigned long>(file_.size()));
        return jpeg_read_header(&state_, TRUE) == JPEG_HEADER_OK;
    }

    /// Decodes all rows into `rgb`, height * width * 3 bytes. False: see `message`.
    [[nodiscard]] bool read_pixels(std::uint8_t* rgb) noexcept {
        if (setjmp(on_failure_)) return false;
        state_.out_color_space = JCS_RGB;
        jpeg_start_decompress(&state_);
        while (state_.output_scanline < state_.output_height) {
            JSAMPROW row = rgb + std::size_t{state_.output_scanline} * state_.output_width * 3;
            jpeg_read_scanlines(&state_, &row, 1);
        }
        return jpeg_finish_decompress(&state_) == TRUE;
    }

    [[nodiscard]] std::size_t height() const { return state_.image_height; }
    [[nodiscard]] std::size_t width() const { return state_.image_width; }
    [[nodiscard]] int components() const { return state_.num_components; }
    [[nodiscard]] bool is_arithmetic_coded() const { return state_.arith_code == TRUE; }

    /// What libjpeg says about the last error.
    [[nodiscard]] std::string message() {
        if (too_many_scans_) return "it has too many scans";
        std::array<char, JMSG_LENGTH_MAX> text{};
        errors_.format_message(reinterpret_cast<j_common_ptr>(&state_), text.data());
        return text.data();
    }

private:
    [[noreturn]] static void on_error(j_common_ptr state) {
        std::longjmp(static_cast<jpeg_decoder*>(state->client_data)->on_failure_, 1);
    }

    /// Missing data is an error, though libjpeg only warns and makes some up.
    static void on_message(j_common_ptr state, int level) {
        const int code = state->err->msg_code;
        if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER)) on_error(state);
    }

    /// A small file may hold very many scans of a large image; real ones hold about ten.
    static void on_progress(j_common_ptr state) {
        constexpr int max_scans = 500;
        if (reinterpret_cast<j_decompress_ptr>(state)->input_scan_number <= max_scans) return;
        static_cast<jpeg_decoder*>(state->client_data)->too_many_scans_ = true;
        on_error(state);
    }

    std::span<const std::byte> file_;
    jpeg_decompress_struct state_{};
    jpeg_error_mgr errors_{};
    jpeg_progress_mgr progress_{};
    bool too_many_scans_ = false;
    std::jmp_buf on_failure_{};
};

/// The RGB pixels of a JPEG file in memory, grey ones with three equal channels. Throws
/// `data_error` for files that are damaged, truncated or no JPEG, that use CMYK or arithmetic
/// coding, or that claim more pixels than `max_image_pixels` or than so many bytes can hold. `name`
/// is for messages.
[[nodiscard]] inline image8 decode_jpeg(std::span<const std::byte> file, const std::string& name) {
    // The shortest code of an 8x8 block has one bit, so 512 pixels a byte; twice that is refused.
    constexpr std::size_t pixels_a_byte = 1024;
    jpeg_decoder decoder(file);
    if (!decoder.read_header())
        detail::fail<data_error>("the JPEG file ", name, " cannot be decoded: ", decoder.message());
    const std::size_t pixels = decoder.height() * decoder.width();
    if (pixels > max_image_pixels || pixels > file.size() * pixels_a_byte)
        detail::fail<data_error>("the JPEG file ", name, " claims ", decoder.height(), "x",
                                 decoder.width(), " pixels in ", file.size(), " bytes; at most ",
                                 max_image_pixels, ", and ", pixels_a_byte, " a byte, are decoded");
    if ((decoder.components() != 1 && decoder.components() != 3) || decoder.is_arithmetic_coded())
        detail::fail<data_error>("the JPEG file ", name, " has ", decoder.components(),
                                 " components",
                                 decoder.is_arithmetic_coded() ? " and arithmetic coding" : "",
                                 "; grey and colour files with Huffman coding are decoded");
    image8 image{decoder.height(), decoder.width(), 3, {}};
    image.pixels.resize(pixels * 3);
    if (!decoder.read_pixels(image.pixels.data()))
        detail::fail<data_error>("the JPEG file ", name, " cannot be decoded: ", decoder.message());
    return image;
}

} // namespace data
} // namespace v0
} // namespace quantal

#endif
