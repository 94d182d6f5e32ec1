// SPDX-License-Identifier: Apache-2.0
/// The idx files of MNIST and its relatives, plain or compressed by gzip. Bytes only.
#ifndef QUANTAL_DATA_IDX_HPP
#define QUANTAL_DATA_IDX_HPP

#include <quantal/io/file.hpp>
#include <quantal/tensor/tensor.hpp>

#include <zlib.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>

namespace quantal {
inline namespace v0 {
namespace data {

/// Reads the contents of a file in memory from its beginning, inflating them if they are gzip.
class idx_source {
public:
    idx_source(std::span<const std::byte> file, const std::string& name)
        : rest_(file), name_(name),
          gzip_(file.size() >= 2 && file[0] == std::byte{0x1f} && file[1] == std::byte{0x8b}) {
        constexpr int gzip_only = 16;
        if (gzip_ && inflateInit2(&stream_, MAX_WBITS + gzip_only) != Z_OK)
            detail::fail<data_error>("zlib cannot start to inflate ", name_);
    }
    idx_source(const idx_source&) = delete;
    idx_source& operator=(const idx_source&) = delete;
    ~idx_source() {
        if (gzip_) inflateEnd(&stream_);
    }

    /// The most bytes that may still come: deflate never expands more than 1032 times.
    [[nodiscard]] std::size_t bound() const { return rest_.size() * (gzip_ ? 1032 : 1); }

    /// Fills `out`; throws `data_error` where the contents are damaged or end before.
    void read(std::span<std::uint8_t> out) {
        if (out.size() > (gzip_ ? inflate_into(out) : copy_into(out)))
            detail::fail<data_error>("the idx file ", name_, " is truncated or damaged");
    }

    /// Throws `data_error` unless everything was read and the checksum holds.
    void expect_end() {
        std::array<std::uint8_t, 1> more{};
        const bool over = gzip_ ? inflate_into(more) == 0 && ended_ : true;
        if (!over || !rest_.empty())
            detail::fail<data_error>("the idx file ", name_, " does not end where its header says");
    }

private:
    std::size_t copy_into(std::span<std::uint8_t> out) {
        const std::size_t count = std::min(out.size(), rest_.size());
        for (std::size_t i = 0; i < count; ++i)
            out[i] = std::to_integer<std::uint8_t>(rest_[i]);
        rest_ = rest_.subspan(count);
        return count;
    }

    std::size_t inflate_into(std::span<std::uint8_t> out) {
        constexpr std::size_t piece = std::size_t{1} << 30; // zlib counts in unsigned int
        std::size_t done = 0;
        while (done < out.size() && !ended_) {
            const auto given = static_cast<uInt>(std::min(rest_.size(), piece));
            const auto room = static_cast<uInt>(std::min(out.size() - done, piece));
            stream_.next_in = // zlib's interface has no const; it does not write here
                const_cast<Bytef*>(reinterpret_cast<const Bytef*>(rest_.data()));
            stream_.avail_in = given;
            stream_.next_out = out.data() + done;
            stream_.avail_out = room;
            const int status = inflate(&stream_, Z_NO_FLUSH);
            rest_ = rest_.subspan(given - stream_.avail_in);
            done += room - stream_.avail_out;
            ended_ = status == Z_STREAM_END;
            if (status != Z_OK && !ended_) break;
        }
        return done;
    }

    std::span<const std::byte> rest_;
    const std::string& name_;
    bool gzip_;
    bool ended_ = false;
    z_stream stream_{};
};

/// The tensor in the bytes of an idx file: two zeros, the type 8 (unsigned byte), the rank, one
/// big-endian 32-bit extent a dimension, then the elements. `name` is for messages. Throws
/// `data_error` for anything else; memory is bounded by what the file can hold.
[[nodiscard]] inline tensor<std::uint8_t> parse_idx(std::span<const std::byte> file,
                                                    const std::string& name) {
    idx_source source(file, name);
    std::array<std::uint8_t, 4> word{};
    source.read(word);
    const int rank = word[3];
    if (word[0] != 0 || word[1] != 0 || word[2] != 8 || rank < 1 || rank > extents::max_rank)
        detail::fail<data_error>("the file ", name, " is no idx file of unsigned bytes with 1 to ",
                                 extents::max_rank, " dimensions");
    std::array<std::int64_t, extents::max_rank> dims{};
    std::size_t elements = 1;
    for (int axis = 0; axis < rank; ++axis) {
        source.read(word);
        const std::uint32_t extent = std::uint32_t{word[0]} << 24 | std::uint32_t{word[1]} << 16 |
                                     std::uint32_t{word[2]} << 8 | std::uint32_t{word[3]};
        if (extent == 0 || extent > source.bound() / elements)
            detail::fail<data_error>("the idx file ", name, " claims an extent of ", extent,
                                     " in dimension ", axis,
                                     "; extents are positive and no more than the file can hold");
        elements *= extent;
        dims[static_cast<std::size_t>(axis)] = extent;
    }
    const std::span<const std::int64_t> shape(dims.data(), static_cast<std::size_t>(rank));
    tensor<std::uint8_t> result{extents(shape)};
    source.read(result.values());
    source.expect_end();
    return result;
}

/// `parse_idx` of a file.
[[nodiscard]] inline tensor<std::uint8_t> read_idx(const std::filesystem::path& path) {
    return parse_idx(io::read_file(path), path.string());
}

} // namespace data
} // namespace v0
} // namespace quantal

#endif
