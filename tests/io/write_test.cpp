// SPDX-License-Identifier: Apache-2.0
// Writing files: what was there before stays unless the whole new file took its place.
#include <quantal/io/checkpoint.hpp>

#include "data/files.hpp"

#include <limits>

namespace io = quantal::io;
using quantal::extents;
using quantal::tensor;

namespace {

std::size_t entries_of(const std::filesystem::path& folder) {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder))
        ++count;
    return count;
}

std::string message_of_write(const std::filesystem::path& path) {
    return files::message_of([&] { io::write_file(path, files::to_bytes("new")); });
}

} // namespace

BOOST_AUTO_TEST_SUITE(io_write)

BOOST_AUTO_TEST_CASE(a_file_is_replaced_as_a_whole) {
    const files::temporary_folder folder;
    const auto path = folder.write("a", files::to_bytes("a longer old file"));
    io::write_file(path, files::to_bytes("new"));
    BOOST_TEST((io::read_file(path) == files::to_bytes("new")));
    io::write_file(path, {});
    BOOST_TEST(io::read_file(path).empty());
    BOOST_TEST(entries_of(folder.path()) == 1u);
}

BOOST_AUTO_TEST_CASE(a_target_that_cannot_be_written_stays_as_it_was) {
    const files::temporary_folder folder;
    const auto inner = folder.write("target/inner", files::to_bytes("old"));
    const auto target = inner.parent_path();
    BOOST_TEST(message_of_write(target).find("cannot be written") != std::string::npos);
    BOOST_TEST((io::read_file(inner) == files::to_bytes("old")));
    BOOST_TEST(entries_of(folder.path()) == 1u); // no partial file is left

    // The place of the partial file is taken: the old file stays.
    const auto path = folder.write("a", files::to_bytes("old"));
    folder.write("a.partial/inner", {});
    BOOST_TEST(message_of_write(path).find("cannot be written") != std::string::npos);
    BOOST_TEST((io::read_file(path) == files::to_bytes("old")));
    BOOST_TEST(message_of_write(folder.path() / "none" / "a").find("cannot be written") !=
               std::string::npos);
    BOOST_TEST(!std::filesystem::exists(folder.path() / "none"));
}

BOOST_AUTO_TEST_CASE(a_checkpoint_that_cannot_be_written_leaves_the_old_file) {
    const files::temporary_folder folder;
    const auto path = folder.path() / "a.safetensors";
    const io::checkpoint old{{{"w", tensor<float>(extents{2}, {1, 2})}}, {}};
    io::write_safetensors(path, old);
    const io::checkpoint too_large{{{"w", tensor<float>(extents{1}, {65520})}}, {}};
    BOOST_CHECK_THROW(io::write_safetensors(path, too_large, io::float_type::f16),
                      quantal::data_error);
    BOOST_TEST((io::read_checkpoint(path).tensors == old.tensors));
    BOOST_TEST(entries_of(folder.path()) == 1u);
}

BOOST_AUTO_TEST_CASE(what_float16_cannot_hold_is_refused_by_the_tensors_name) {
    const auto message = [](float value) {
        const io::checkpoint c{
            {{"a", tensor<float>(extents{1}, {1})}, {"w", tensor<float>(extents{1}, {value})}}, {}};
        return files::message_of([&] { std::ignore = to_safetensors(c, io::float_type::f16); });
    };
    BOOST_TEST(message(65519.0f) == "no data_error");
    BOOST_TEST(message(std::numeric_limits<float>::quiet_NaN()) == "no data_error");
    BOOST_TEST(message(65520.0f) ==
               "tensor \"w\" holds 65520, which is outside the range of float16");
    BOOST_TEST(message(-1e10f) ==
               "tensor \"w\" holds -1e+10, which is outside the range of float16");
    BOOST_TEST(message(std::numeric_limits<float>::infinity()) ==
               "tensor \"w\" holds inf, which is outside the range of float16");
}

BOOST_AUTO_TEST_CASE(names_that_no_header_can_hold_are_refused) {
    const auto message = [](const char* name) {
        const io::checkpoint c{{{name, tensor<float>(extents{1}, {1})}}, {}};
        return files::message_of([&] { std::ignore = to_safetensors(c, io::float_type::f32); });
    };
    BOOST_TEST(message("\u00e9") == "no data_error");
    BOOST_TEST(message("\xff").starts_with("a checkpoint cannot be written as safetensors: "));
    BOOST_TEST(message("__metadata__") ==
               "a tensor cannot be written under the name \"__metadata__\"");
}

BOOST_AUTO_TEST_CASE(files_that_are_none_are_refused_by_path) {
    const files::temporary_folder folder;
    for (const auto& path : {folder.path(), folder.path() / "none"}) {
        const std::string found = files::message_of([&] { std::ignore = io::read_file(path); });
        BOOST_TEST(found == "there is no file \"" + path.string() + '"');
    }
}

BOOST_AUTO_TEST_SUITE_END()
