// SPDX-License-Identifier: Apache-2.0
// Pickles that no checkpoint holds: foreign, truncated, damaged and hostile ones.
#include <quantal/io/checkpoint.hpp>

#include "data/files.hpp"
#include "io/pickle_writer.hpp"

namespace io = quantal::io;
using writer::integer;
using writer::text;

namespace {

const std::string four_floats = writer::storage("FloatStorage", "0", 4);

/// What is said of a pickle with these instructions between its protocol and its end.
std::string message_of_pickle(const std::string& instructions) {
    const files::bytes pickle = writer::to_bytes(writer::pickle_of(instructions));
    return files::message_of([&] { std::ignore = io::unpickler(pickle, "test.pkl").read(); });
}
void check_message(const std::string& instructions, const std::string& expected) {
    const std::string found = message_of_pickle(instructions);
    BOOST_TEST(found == "test.pkl: the pickle " + expected);
}

std::string repeat(std::size_t count, const std::string& part) {
    std::string all;
    all.reserve(count * part.size());
    for (std::size_t i = 0; i < count; ++i)
        all += part;
    return all;
}

/// A good checkpoint in both formats, with every kind of value that torch.save writes.
files::bytes good_checkpoint(bool as_stream) {
    const std::string pickle = writer::pickle_of(writer::ordered_dictionary(
        {{"epoch", integer(70000)},
         {"module.w", writer::tensor(four_floats, 0, {2, 2}, {2, 1}) + writer::put(3)},
         {"b", writer::tensor(writer::storage("LongStorage", "1", 2), 1, {}, {})},
         {"list", writer::list({writer::get(3), "N", "\x89", integer(-1)})}}));
    const writer::storages storages{{"0", writer::storage_of<float>({1, 2, 3, 4})},
                                    {"1", writer::storage_of<std::int64_t>({5, 6})}};
    if (as_stream) return writer::stream(pickle, storages, {{"0", 4}, {"1", 8}});
    return writer::archive(pickle, storages);
}
const auto parse_checkpoint = [](std::span<const std::byte> file) {
    std::ignore = io::parse_checkpoint(file, "test.pth");
};

} // namespace

BOOST_AUTO_TEST_SUITE(io_pickle)

BOOST_AUTO_TEST_CASE(names_that_run_code_are_refused_by_name_and_nothing_runs) {
    const files::temporary_folder folder;
    const auto proof = folder.path() / "executed";
    const std::string command = writer::tuple({text("touch " + proof.string())});
    const std::string stack_global = "\x93";
    for (const auto& [module, name] : {std::pair{"posix", "system"},
                                       {"os", "system"},
                                       {"nt", "system"},
                                       {"builtins", "eval"},
                                       {"builtins", "exec"},
                                       {"builtins", "getattr"},
                                       {"subprocess", "Popen"},
                                       {"torch.hub", "load"},
                                       {"torch", "load"},
                                       {"torch", "FloatStorage.__class__"},
                                       {"torch", "UntypedStorage"},
                                       {"collections", "Counter"}}) {
        const std::string expected = "names \"" + std::string(module) + '.' + name +
                                     "\"; only tensors and containers are read";
        check_message(writer::name(module, name) + command + "R", expected);
        check_message(text(module) + text(name) + stack_global + command + "R", expected);
    }
    BOOST_TEST(!std::filesystem::exists(proof));
    // Both ways to name a thing work for what is allowed, so that it was the name that was refused.
    BOOST_TEST(message_of_pickle(writer::name("torch", "FloatStorage")) == "no data_error");
    BOOST_TEST(message_of_pickle(text("torch") + text("FloatStorage") + stack_global) ==
               "no data_error");
}

BOOST_AUTO_TEST_CASE(a_hostile_pickle_in_a_checkpoint_is_refused_with_the_files_name) {
    const std::string hostile =
        writer::pickle_of(writer::call(writer::name("posix", "system"), {text("true")}));
    const std::string expected =
        "test.pth: the pickle names \"posix.system\"; only tensors and containers are read";
    BOOST_TEST(files::message_of([&] { parse_checkpoint(writer::archive(hostile, {})); }) ==
               expected);
    BOOST_TEST(files::message_of([&] { parse_checkpoint(writer::stream(hostile, {}, {})); }) ==
               expected);
}

BOOST_AUTO_TEST_CASE(instructions_that_no_checkpoint_needs_are_refused_by_number) {
    // INST, OBJ, EXT1, PERSID, DUP, and what is none.
    for (const int code : {0x69, 0x6f, 0x82, 0x50, 0x32, 0x00, 0xff})
        check_message(std::string(1, static_cast<char>(code)),
                      "has the instruction " + std::to_string(code) +
                          " at byte 2, which no checkpoint needs");
}

BOOST_AUTO_TEST_CASE(an_empty_stack_is_refused) {
    for (const char* code :
         {"",     "0",    "Q",    "R",    "a",  "s",     "b",  "q\1", "r\1\1\1\1", "\x93", "\x94",
          "\x81", "\x85", "\x86", "\x87", "NR", "N\x86", "(0", "((e", "N(a",       "NN(0N"})
        BOOST_TEST(message_of_pickle(code).find("takes a value from an empty stack") !=
                       std::string::npos,
                   code);
    for (const char* code : {"t", "l", "e", "u", "1", "Nt", "(tt"})
        BOOST_TEST(message_of_pickle(code).find("misses a mark") != std::string::npos, code);
}

BOOST_AUTO_TEST_CASE(the_memo_gives_what_was_stored_and_nothing_else) {
    BOOST_TEST(message_of_pickle("Nq\5h\5") == "no data_error");
    BOOST_TEST(message_of_pickle("N\x94h" + std::string(1, '\0')) == "no data_error");
    check_message("Nq\5h\6", "recalls 6, which it never stored");
    check_message(std::string("j\1\0\0\2", 5), "recalls 33554433, which it never stored");
}

BOOST_AUTO_TEST_CASE(values_of_the_wrong_kind_are_refused) {
    const std::string ordered = writer::name("collections", "OrderedDict");
    const std::string rebuild = writer::name("torch._utils", "_rebuild_tensor_v2");
    for (const std::string& wrong :
         {std::string("NNR"),
          ordered + "NR",
          rebuild + writer::tuple({four_floats}) + "R",
          rebuild + ")R",
          writer::call(rebuild, {"N", integer(0), ")", ")"}),
          writer::call(rebuild, {four_floats, "N", ")", ")"}),
          writer::call(rebuild, {four_floats, integer(0), "N", ")"}),
          writer::call(rebuild, {four_floats, integer(0), writer::tuple({"N"}), ")"}),
          writer::call(ordered, {writer::list({"N"})}),
          writer::call(ordered, {writer::list({writer::tuple({"N"})})}),
          writer::call(writer::name("torch", "FloatStorage"), {integer(1)}),
          writer::call(writer::name("torch._utils", "_rebuild_parameter"), {"N"}),
          writer::call(writer::name("torch", "Size"), {"N"}),
          std::string("NNa"),
          std::string("NNNs"),
          std::string("}(Nu"),
          std::string("N}b"),
          std::string("NQ"),
          std::string("NN\x93"),
          writer::tuple({text("storage")}) + "Q",
          writer::tuple({text("other"), writer::name("torch", "FloatStorage"), text("0"),
                         text("cpu"), integer(1)}) +
              "Q",
          writer::storage("FloatStorage", "0", -1),
          writer::tuple({text("storage"), ordered, text("0"), text("cpu"), integer(1)}) + "Q"})
        BOOST_TEST(message_of_pickle(wrong).starts_with("test.pkl: the pickle "),
                   message_of_pickle(wrong));
    check_message("NNa", "appends to what is no list, at byte 5");
    check_message(writer::storage("FloatStorage", "0", -1),
                  "has a storage of type \"torch.FloatStorage\" with -1 elements");
}

BOOST_AUTO_TEST_CASE(truncated_checkpoints_are_refused) {
    files::check_truncation(good_checkpoint(false), parse_checkpoint);
    files::check_truncation(good_checkpoint(true), parse_checkpoint);
    BOOST_TEST(message_of_pickle("X" + std::string("\xff\xff\xff\xff", 4)) ==
               "test.pkl: the pickle ends at byte 8 where 4294967295 more are expected at 7");
    BOOST_TEST(message_of_pickle("\x8e" + std::string(8, '\xff')).find("ends at byte 12 where") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(damaged_checkpoints_give_errors_only) {
    const files::bytes archive = good_checkpoint(false);
    // The checksums cover the pickle and the storages.
    BOOST_TEST(files::check_damage(archive, parse_checkpoint) >= archive.size() / 2);
    const files::bytes stream = good_checkpoint(true);
    BOOST_TEST(files::check_damage(stream, parse_checkpoint) >= stream.size() / 3);
}

BOOST_AUTO_TEST_CASE(tuples_of_many_sizes_are_refused) {
    const std::string nine = writer::sizes({1, 1, 1, 1, 1, 1, 1, 1, 1});
    const std::string expected = "has a tuple of 9 sizes; at most 8 are read";
    const std::string rebuild = writer::name("torch._utils", "_rebuild_tensor_v2");
    check_message(writer::call(writer::name("torch", "Size"), {nine}), expected);
    check_message(writer::call(rebuild, {four_floats, integer(0), nine, ")"}), expected);
    check_message(writer::call(rebuild, {four_floats, integer(0), ")", nine}), expected);
    BOOST_TEST(message_of_pickle(writer::call(writer::name("torch", "Size"),
                                              {writer::sizes({1, 2, 3, 4, 5, 6, 7, 8})})) ==
               "no data_error");
}

BOOST_AUTO_TEST_CASE(long_storage_keys_are_refused) {
    BOOST_TEST(message_of_pickle(writer::storage("FloatStorage", std::string(255, 'k'), 1)) ==
               "no data_error");
    check_message(writer::storage("FloatStorage", std::string(256, 'k'), 1),
                  "has a storage key of 256 bytes; at most 255 are read");
}

BOOST_AUTO_TEST_CASE(what_the_memo_multiplies_is_limited) {
    // 1000 pairs, copied by a few bytes each: 5000 times would be 80 megabytes.
    const std::string ordered = writer::name("collections", "OrderedDict") + writer::put(1) + "0";
    const std::string pairs =
        writer::tuple({writer::list({repeat(1000, writer::tuple({"N", "N"}))})}) + writer::put(2) +
        "0";
    const std::string copy = "h\1h\2R0";
    BOOST_TEST(message_of_pickle(ordered + pairs + repeat(4000, copy) + "N") == "no data_error");
    check_message(ordered + pairs + repeat(5000, copy) + "N",
                  "copies more than 4194304 items of its values");
    // A storage's key and a tensor's shape go with each of its copies.
    const std::string storage =
        writer::tuple({text("storage"), writer::name("torch", "FloatStorage"),
                       text(std::string(255, 'k')), text("cpu"), "K\1"});
    check_message(storage + writer::put(1) + "0" + repeat(20000, "h\1Q0") + "N",
                  "copies more than 4194304 items of its values");
    const std::string parameter =
        writer::name("torch._utils", "_rebuild_parameter") + writer::put(1) + "0";
    const std::string tensor = writer::tuple({writer::tensor(
        writer::storage("FloatStorage", std::string(255, 'k'), 1), 0, {1, 1}, {1, 1})});
    check_message(parameter + tensor + writer::put(2) + "0" + repeat(20000, copy) + "N",
                  "copies more than 4194304 items of its values");
}

BOOST_AUTO_TEST_CASE(the_number_of_values_is_limited) {
    constexpr std::size_t limit = 1u << 20;
    BOOST_TEST(message_of_pickle(repeat(limit, "N")) == "no data_error");
    check_message(repeat(limit + 1, "N"), "holds more than 1048576 values");
    check_message("N" + repeat(limit + 1, "\x94"), "stores more than 1048576 values");
    BOOST_TEST(message_of_pickle("Nq\1" + repeat(2 * limit, "h\1")) ==
               "test.pkl: the pickle's stack grows too large");
}

BOOST_AUTO_TEST_SUITE_END()
