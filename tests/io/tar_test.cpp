// SPDX-License-Identifier: Apache-2.0
#include <quantal/io/tar.hpp>

#include "data/files.hpp"

namespace io = quantal::io;

namespace {

const auto index_tar = [](std::span<const std::byte> archive) {
    return io::index_tar(archive, "test.tar");
};

std::string message_of_tar(const files::bytes& archive) {
    return files::message_of([&] { index_tar(archive); });
}

const files::bytes hello = files::to_bytes("hello");

/// `header` with `text` written at `at`, and its checksum.
files::bytes with_text(files::bytes header, std::size_t at, const std::string& text) {
    std::ranges::copy(files::to_bytes(text), header.begin() + static_cast<std::ptrdiff_t>(at));
    std::fill_n(header.begin() + 148, 8, std::byte{' '});
    unsigned sum = 0;
    for (const std::byte b : header)
        sum += std::to_integer<unsigned>(b);
    std::array<char, 8> field{};
    std::snprintf(field.data(), field.size(), "%06o", sum);
    std::ranges::copy(std::as_bytes(std::span(field)), header.begin() + 148);
    return header;
}

/// An archive of one file behind an extended header of this type.
files::bytes extended(char type, const std::string& text, std::size_t size = 5) {
    files::bytes archive;
    files::add_to_tar(archive, files::tar_header("extension", text.size(), type),
                      files::to_bytes(text));
    files::add_to_tar(archive, files::tar_header("short", size), hello);
    archive.resize(archive.size() + 1024);
    return archive;
}

} // namespace

BOOST_AUTO_TEST_SUITE(tar)

BOOST_AUTO_TEST_CASE(files_lie_behind_their_headers) {
    const auto archive = files::make_tar({{"a", hello}, {"d/empty", {}}, {"d/b", hello}});
    const auto members = index_tar(archive);
    BOOST_REQUIRE(members.size() == 3u);
    BOOST_TEST(members[0].name == "a");
    BOOST_TEST(members[0].offset == 512u);
    BOOST_TEST(members[0].size == 5u);
    BOOST_TEST(members[1].name == "d/empty");
    BOOST_TEST(members[1].size == 0u);
    BOOST_TEST(members[2].offset == 2048u);
    BOOST_TEST(index_tar(files::make_tar({})).empty());
}

BOOST_AUTO_TEST_CASE(folders_and_links_are_no_files_and_have_no_bytes) {
    files::bytes archive;
    for (char type = '1'; type <= '6'; ++type) // of any size they say
        files::add_to_tar(archive, files::tar_header("other", 1000, type), {});
    files::add_to_tar(archive, files::tar_header("a", 5, '\0'), hello);
    files::add_to_tar(archive, files::tar_header("b", 5, '7'), hello);
    archive.resize(archive.size() + 512);
    const auto members = index_tar(archive);
    BOOST_REQUIRE(members.size() == 2u);
    BOOST_TEST(members[0].name == "a");
    BOOST_TEST(members[1].name == "b");
}

BOOST_AUTO_TEST_CASE(long_names_of_both_kinds) {
    const std::string name = "folder/" + std::string(300, 'n');
    BOOST_TEST(index_tar(extended('L', name + '\0')).at(0).name == name);
    const std::string record = "path=" + name + '\n';
    BOOST_TEST(record.size() == 313u);
    const std::string pax = "20 mtime=1234567.25\n317 " + record;
    BOOST_TEST(index_tar(extended('x', pax)).at(0).name == name);
    BOOST_TEST(index_tar(extended('x', "20 mtime=1234567.25\n")).at(0).name == "short");
    BOOST_TEST(index_tar(extended('g', "11 path=no\n")).at(0).name == "short");

    const auto prefixed = with_text(files::tar_header("name", 0), 345, "folder");
    files::bytes archive;
    files::add_to_tar(archive, prefixed, {});
    files::add_to_tar(archive, with_text(prefixed, 257, "ustar  "), {}); // GNU's has no prefix
    archive.resize(archive.size() + 512);
    BOOST_TEST(index_tar(archive).at(0).name == "folder/name");
    BOOST_TEST(index_tar(archive).at(1).name == "name");
}

BOOST_AUTO_TEST_CASE(an_extended_header_belongs_to_the_next_file_only) {
    files::bytes archive = extended('x', "12 path=new\n9 size=5\n", 0);
    archive.resize(archive.size() - 1024);
    files::add_to_tar(archive, files::tar_header("next", 0), {});
    archive.resize(archive.size() + 512);
    const auto members = index_tar(archive);
    BOOST_REQUIRE(members.size() == 2u);
    BOOST_TEST(members[0].name == "new");
    BOOST_TEST(members[0].size == 5u);
    BOOST_TEST(members[1].name == "next");
    BOOST_TEST(members[1].size == 0u);
}

BOOST_AUTO_TEST_CASE(sizes_are_octal_digits_or_big_endian_bytes) {
    const auto size_of = [](std::string field) {
        field.resize(12);
        files::bytes archive;
        files::add_to_tar(archive, with_text(files::tar_header("a", 0), 124, field), hello);
        archive.resize(archive.size() + 512);
        return index_tar(archive).at(0).size;
    };
    BOOST_TEST(size_of("00000000005") == 5u);
    BOOST_TEST(size_of("000000000005") == 5u); // no room for an end
    BOOST_TEST(size_of("  5 ") == 5u);
    BOOST_TEST(size_of(std::string("\x80\0\0\0\0\0\0\0\0\0\0\5", 12)) == 5u);
    for (const char* field : {"", "8", "5x", "-5", "\x80\1\1\1\1\1\1\1\1\1\1\1"})
        BOOST_CHECK_THROW(size_of(field), quantal::data_error);
}

BOOST_AUTO_TEST_CASE(truncated_archives_are_refused) {
    files::bytes archive = files::make_tar({{"a", hello}, {"b", hello}});
    archive.resize(archive.size() - 512); // one block of zeros is an end mark
    BOOST_TEST(index_tar(archive).size() == 2u);
    files::check_truncation(archive, index_tar);
    BOOST_TEST(message_of_tar({}) ==
               "test.tar is no tar archive that can be read: it is truncated: it has no end mark");
}

BOOST_AUTO_TEST_CASE(sizes_beyond_the_end_are_refused) {
    files::bytes archive;
    files::add_to_tar(archive, files::tar_header("a", 1025), hello);
    archive.resize(archive.size() + 512);
    BOOST_TEST(message_of_tar(archive).ends_with("it claims 1025 bytes at byte 512 and has 1024"));
    BOOST_TEST(message_of_tar(extended('x', "29 size=18446744073709551615\n"))
                   .ends_with("it claims 18446744073709551615 bytes at byte 1536 and has 1536"));
    // Bytes that a source has to give are asked for only where the archive holds them.
    const std::uint64_t huge = std::uint64_t{1} << 40;
    const io::tar_source zeros = [](std::uint64_t, std::span<std::byte> out) {
        BOOST_TEST(out.size() == 512u);
        std::ranges::copy(files::tar_header("a", 07777777777), out.begin());
    };
    BOOST_CHECK_THROW((void)io::index_tar(huge + 512, zeros, "test.tar"), quantal::data_error);
}

BOOST_AUTO_TEST_CASE(damaged_headers_are_refused) {
    const files::bytes archive = files::make_tar({{"a", hello}});
    BOOST_TEST(files::check_damage(archive, index_tar) >= 500u); // each byte of the header counts
    BOOST_TEST(
        message_of_tar(files::bytes(1024, std::byte{'x'})).ends_with("no sound header at byte 0"));
    for (const char* records : {"path=x\n", "9 path\n", "8 =\n", "99 path=x\n", "0 path=x\n",
                                "9 size=x\n", "10 size=5x\n", "-9 path=x\n"})
        BOOST_TEST(message_of_tar(extended('x', records)).ends_with("extended header at byte 512"));
    BOOST_TEST(message_of_tar(extended('S', "")).ends_with("it holds a sparse file at byte 512"));
    BOOST_TEST(message_of_tar(extended('L', std::string((1u << 20) + 1, 'n')))
                   .ends_with("an extended header of 1048577 bytes, more than 1048576"));
}

BOOST_AUTO_TEST_SUITE_END()
