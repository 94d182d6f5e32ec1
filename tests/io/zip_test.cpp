// SPDX-License-Identifier: Apache-2.0
#include <quantal/io/zip.hpp>

#include "data/files.hpp"
#include "io/pickle_writer.hpp"

namespace io = quantal::io;
using writer::zip_entry;
using writer::zip_fields;

namespace {

const std::vector<zip_entry> two_entries{{"folder/a", "the first"}, {"b", "and the other one"}};

std::map<std::string, std::string> contents(std::span<const std::byte> file) {
    const io::zip_archive archive(file, "test.zip");
    std::map<std::string, std::string> result;
    for (const auto& [name, data] : archive.entries())
        result.emplace(name, std::string(reinterpret_cast<const char*>(data.data()), data.size()));
    return result;
}
const auto read_zip = [](std::span<const std::byte> file) { contents(file); };

std::string message_of_zip(const files::bytes& file) {
    return files::message_of([&] { read_zip(file); });
}

/// Where the directory's entry of this name begins.
std::size_t directory_entry(const files::bytes& file, const std::string& name) {
    const std::string text(reinterpret_cast<const char*>(file.data()), file.size());
    return text.rfind(name) - 46;
}

} // namespace

BOOST_AUTO_TEST_SUITE(io_zip)

BOOST_AUTO_TEST_CASE(stored_entries_are_read_with_fields_of_32_and_64_bits) {
    const std::map<std::string, std::string> expected{{"folder/a", "the first"},
                                                      {"b", "and the other one"}};
    BOOST_TEST((contents(writer::zip(two_entries)) == expected));
    BOOST_TEST((contents(writer::zip(two_entries, zip_fields::of_64_bits)) == expected));
    BOOST_TEST((contents(writer::zip({{"empty", ""}})) ==
                std::map<std::string, std::string>{{"empty", ""}}));
}

BOOST_AUTO_TEST_CASE(archives_without_entries_and_with_a_comment_are_read) {
    BOOST_TEST(contents(writer::zip({})).empty());
    files::bytes file = writer::zip(two_entries);
    file[file.size() - 2] = std::byte{7};
    for (const char letter : std::string("comment"))
        file.push_back(static_cast<std::byte>(letter));
    BOOST_TEST(contents(file).size() == 2u);
}

BOOST_AUTO_TEST_CASE(an_archive_is_recognized_by_its_first_bytes) {
    const files::bytes file = writer::zip(two_entries);
    BOOST_TEST(io::zip_archive::recognizes(file));
    BOOST_TEST(!io::zip_archive::recognizes(std::span(file).first(3)));
    BOOST_TEST(!io::zip_archive::recognizes(std::span(file).subspan(1)));
}

BOOST_AUTO_TEST_CASE(truncated_archives_are_refused) {
    files::check_truncation(writer::zip(two_entries), read_zip);
    files::check_truncation(writer::zip(two_entries, zip_fields::of_64_bits), read_zip);
    BOOST_TEST(message_of_zip({}) == "test.zip: 0 bytes are no zip archive");
    BOOST_TEST(message_of_zip(files::bytes(100)) ==
               "test.zip: the archive is truncated: it has no directory");
}

BOOST_AUTO_TEST_CASE(damaged_archives_give_errors_only) {
    const std::size_t data = std::string("the first"
                                         "and the other one")
                                 .size();
    for (const zip_fields fields : {zip_fields::of_32_bits, zip_fields::of_64_bits}) {
        const files::bytes file = writer::zip(two_entries, fields);
        // At least the data, under its checksums, and the marks of four headers and the end.
        BOOST_TEST(files::check_damage(file, read_zip) >= data + 5 * 4);
    }
}

BOOST_AUTO_TEST_CASE(compressed_and_encrypted_entries_are_refused_by_name) {
    BOOST_TEST(message_of_zip(writer::zip({{"a", "data"}, {"b", "data", 8}})) ==
               "test.zip: entry \"b\" is compressed or encrypted (method 8); only stored entries "
               "are read");
    BOOST_TEST(message_of_zip(writer::zip({{"c", "data", 0, 1}})) ==
               "test.zip: entry \"c\" is compressed or encrypted (method 0); only stored entries "
               "are read");
}

BOOST_AUTO_TEST_CASE(a_wrong_checksum_is_refused_by_name) {
    const std::string found =
        message_of_zip(writer::zip({{"a", "data"}, {"b", "123456789", 0, 0, 1}}));
    // 0xcbf43926 is the published checksum of these nine digits.
    BOOST_TEST(found == "test.zip: entry \"b\" is damaged: its checksum is 3421780262, not "
                        "3421780263");
}

BOOST_AUTO_TEST_CASE(entries_outside_the_archive_are_refused) {
    files::bytes file = writer::zip(two_entries);
    const std::size_t at = directory_entry(file, "folder/a");
    file[at + 27] = std::byte{0x7f}; // the size
    BOOST_TEST(message_of_zip(file).find("the archive claims 2130706441 bytes at 38, it has ") !=
               std::string::npos);
    file = writer::zip(two_entries);
    file[at + 45] = std::byte{0x7f}; // the offset
    BOOST_TEST(message_of_zip(file).find("the archive claims 4 bytes at 2130706432, it has ") !=
               std::string::npos);
    file = writer::zip(two_entries);
    file[at + 42] = std::byte{1};
    BOOST_TEST(message_of_zip(file) == "test.zip: entry \"folder/a\" has no header at byte 1");
}

BOOST_AUTO_TEST_CASE(offsets_near_two_to_64_are_refused) {
    for (const std::size_t field : {0u, 8u, 16u}) { // size, compressed size, offset
        files::bytes file = writer::zip(two_entries, zip_fields::of_64_bits);
        const std::size_t extra = directory_entry(file, "folder/a") + 46 + 8 + 4;
        std::fill_n(file.begin() + static_cast<std::ptrdiff_t>(extra + field), 8, std::byte{0xff});
        if (field != 8)
            BOOST_TEST(message_of_zip(file).find("the archive claims ") != std::string::npos);
        if (field == 8) BOOST_TEST(message_of_zip(file) == "no data_error"); // nobody needs it
    }
}

BOOST_AUTO_TEST_CASE(entries_that_share_their_bytes_are_refused) {
    // Two entries of the directory refer to the same large one: small files would grow large.
    const std::string large(1000, 'x');
    files::bytes file = writer::zip({{"a", large}, {"b", large}});
    const std::size_t second = directory_entry(file, "b");
    for (std::size_t i = 42; i < 46; ++i)
        file[second + i] = std::byte{0};
    BOOST_TEST(message_of_zip(file) == "no data_error"); // twice 1000 of 2200 bytes
    file = writer::zip({{"a", large}, {"b", large}, {"c", large}, {"d", ""}, {"e", ""}});
    for (const char* name : {"b", "c", "d", "e"}) {
        const std::size_t at = directory_entry(file, name);
        const std::size_t first = directory_entry(file, "a");
        std::copy_n(file.begin() + static_cast<std::ptrdiff_t>(first + 16), 12,
                    file.begin() + static_cast<std::ptrdiff_t>(at + 16)); // checksum and sizes
        std::fill_n(file.begin() + static_cast<std::ptrdiff_t>(at + 42), 4, std::byte{0});
    }
    BOOST_TEST(message_of_zip(file) == "test.zip: the archive's entries overlap");
}

BOOST_AUTO_TEST_CASE(a_64_bit_directory_that_is_missing_or_damaged_is_refused) {
    const files::bytes file = writer::zip(two_entries, zip_fields::of_64_bits);
    constexpr std::size_t end = 22, locator = 20, record = 56;
    files::bytes damaged = file;
    damaged[file.size() - end - locator] = std::byte{0};
    BOOST_TEST(message_of_zip(damaged) == "test.zip: the archive's 64-bit directory is missing");
    damaged = file;
    damaged[file.size() - end - locator - record] = std::byte{0};
    BOOST_TEST(message_of_zip(damaged) == "test.zip: the archive's 64-bit directory is damaged");
    damaged = file;
    damaged[file.size() - end - locator - record + 39] = std::byte{0xff}; // the count of entries
    BOOST_TEST(message_of_zip(damaged) == "test.zip: the archive's directory is damaged");
}

BOOST_AUTO_TEST_SUITE_END()
