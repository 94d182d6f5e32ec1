// SPDX-License-Identifier: Apache-2.0
#include <quantal/io/table.hpp>

#include "data/files.hpp"
#include "support/random.hpp"

#include <bit>
#include <limits>
#include <sstream>

namespace io = quantal::io;
using quantal::parse_spec;
using quantal::qparams;
using quantal::table;

namespace {

constexpr float largest = std::numeric_limits<float>::max();

table sample_table() {
    table t;
    t.activations = {{"input", {quantal::a8, {0.5f}, {128}}},
                     {"conv \"1\"\n\\ \u00e9", {quantal::a4, {0.1f}, {0}}}};
    t.weights = {{"conv1", {quantal::w4, {0.25f, 0x1p-63f, largest}, {0, 0, 0}}},
                 {"fc", {parse_spec("8 affine signed channel(7)"), {1.0f, 3.0f}, {-128, 127}}}};
    t.notes = {"a note", "another, of \"two\"\nlines"};
    return t;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);)
        lines.push_back(line);
    return lines;
}

table load_table(const std::string& text) {
    return io::table_from_json(text, "table.json");
}
const auto parse_table = [](std::span<const std::byte> file) {
    load_table({reinterpret_cast<const char*>(file.data()), file.size()});
};
std::string message_of_table(const std::string& text) {
    return files::message_of([&] { load_table(text); });
}

/// A table of one point, "x", from its entry.
std::string with_entry(const std::string& entry) {
    return R"({"quantal_table": 1, "activations": {"x": )" + entry +
           R"(}, "weights": {}, "notes": []})";
}
std::string with_numbers(const std::string& spec, const std::string& scales,
                         const std::string& zero_points) {
    return with_entry("{\"spec\": \"" + spec + "\", \"scales\": " + scales +
                      ", \"zero_points\": " + zero_points + "}");
}

} // namespace

BOOST_AUTO_TEST_SUITE(io_table)

BOOST_AUTO_TEST_CASE(a_table_comes_back_as_it_was) {
    const table t = sample_table();
    BOOST_TEST((load_table(io::to_json(t)) == t));
    BOOST_TEST((load_table(io::to_json(table{})) == table{}));
    const files::temporary_folder folder;
    io::write_table(folder.path() / "t.json", t);
    BOOST_TEST((io::read_table(folder.path() / "t.json") == t));
}

BOOST_AUTO_TEST_CASE(scales_of_every_magnitude_come_back_bit_for_bit) {
    auto generator = support::generator();
    std::vector<float> scales{0x1p-63f,   std::nextafter(0x1p-63f, 1.0f),
                              largest,    std::nextafter(largest, 1.0f),
                              0.1f,       1.0f,
                              16777217.0f};
    for (std::uint32_t exponent = 64; exponent < 255; ++exponent) // 2^-63 to 2^127
        for (int i = 0; i < 50; ++i)
            scales.push_back(std::bit_cast<float>(
                exponent << 23 | (static_cast<std::uint32_t>(generator()) & 0x7fffffu)));
    table t;
    t.weights.emplace("w", qparams{quantal::w8, scales, std::vector<std::int32_t>(scales.size())});
    const table found = load_table(io::to_json(t));
    const auto& read = found.weights.at("w").scales;
    BOOST_REQUIRE(read.size() == scales.size());
    for (std::size_t i = 0; i < scales.size(); ++i)
        BOOST_TEST(std::bit_cast<std::uint32_t>(read[i]) ==
                   std::bit_cast<std::uint32_t>(scales[i]));
}

BOOST_AUTO_TEST_CASE(every_spec_comes_back) {
    for (const int bits : {1, 2, 3, 4, 5, 6, 7, 8, 16})
        for (const char* kind :
             {"symmetric narrow", "symmetric full", "affine signed", "affine unsigned"})
            for (const char* grain : {"tensor", "channel(0)", "channel(3)", "channel(7)",
                                      "group(1)", "group(32) pow2"}) {
                if (bits == 1 && std::string(kind) != "affine unsigned") continue;
                const auto spec = parse_spec(std::to_string(bits) + ' ' + kind + ' ' + grain);
                const bool one = spec.grain == quantal::per_tensor;
                const std::int32_t zero = spec.is_symmetric() ? 0 : spec.qmin();
                table t;
                t.activations.emplace("x", one ? qparams{spec, {0.5f}, {zero}}
                                               : qparams{spec, {0.5f, 2.0f}, {zero, zero}});
                BOOST_TEST((load_table(io::to_json(t)) == t));
            }
}

BOOST_AUTO_TEST_CASE(the_text_has_a_line_an_entry_in_the_order_of_names) {
    table t;
    t.activations = {{"b", {quantal::a8, {0.5f}, {3}}}, {"a", {quantal::a4, {2.0f}, {0}}}};
    t.weights = {{"w", {quantal::w4, {0.25f}, {0}}}};
    t.notes = {"n"};
    const std::vector<std::string> expected{
        "{",
        R"(  "quantal_table": 1,)",
        R"(  "activations": {)",
        R"(    "a": {"spec":"4 affine unsigned tensor","scales":[2.0],"zero_points":[0]},)",
        R"(    "b": {"spec":"8 affine unsigned tensor","scales":[0.5],"zero_points":[3]})",
        "  },",
        R"(  "weights": {)",
        R"-(    "w": {"spec":"4 symmetric narrow channel(0)","scales":[0.25],"zero_points":[0]})-",
        "  },",
        R"(  "notes": ["n"])",
        "}",
    };
    BOOST_TEST(lines_of(io::to_json(t)) == expected, boost::test_tools::per_element());
    BOOST_TEST(io::to_json(t).ends_with("}\n"));
}

BOOST_AUTO_TEST_CASE(a_change_of_one_entry_changes_one_line) {
    const table t = sample_table();
    table changed = t;
    changed.weights.at("conv1").scales[0] = std::nextafter(0.25f, 1.0f);
    const auto before = lines_of(io::to_json(t)), after = lines_of(io::to_json(changed));
    BOOST_REQUIRE(before.size() == after.size());
    std::size_t differences = 0;
    for (std::size_t i = 0; i < before.size(); ++i)
        if (before[i] != after[i]) {
            ++differences;
            BOOST_TEST(after[i].starts_with("    \"conv1\": "));
        }
    BOOST_TEST(differences == 1u);
}

BOOST_AUTO_TEST_CASE(tables_of_other_versions_are_refused) {
    for (const char* version : {"0", "2", "-1"})
        BOOST_TEST(message_of_table("{\"quantal_table\": " + std::string(version) + "}") ==
                   "table.json: a calibration table of version " + std::string(version) +
                       "; this library reads version 1");
    for (const char* version : {"4294967297", "18446744073709551615", "1.0", "true", "\"1\""})
        BOOST_TEST(message_of_table("{\"quantal_table\": " + std::string(version) + "}") ==
                   "table.json holds " + std::string(version) + ", which is no integer of 32 bits");
}

BOOST_AUTO_TEST_CASE(missing_parts_are_refused) {
    for (const char* text :
         {"", "5", "{}", "no JSON", R"({"quantal_table": 1})",
          R"({"quantal_table": 1, "activations": {}})",
          R"({"quantal_table": 1, "activations": {}, "weights": {}})",
          R"({"quantal_table": 1, "activations": [], "weights": {}, "notes": []})",
          R"({"quantal_table": 1, "activations": {}, "weights": {}, "notes": [1]})"})
        BOOST_TEST(message_of_table(text).starts_with("table.json: not a calibration table: "),
                   text);
    for (const char* entry : {"5", "{}", R"({"spec": "a8"})", R"({"spec": "a8", "scales": [1.0]})",
                              R"({"spec": 8, "scales": [1.0], "zero_points": [0]})",
                              R"({"spec": "a8", "scales": 1.0, "zero_points": [0]})",
                              R"({"spec": "a8", "scales": [1.0], "zero_points": 0})"})
        BOOST_TEST(message_of_table(with_entry(entry))
                       .starts_with("table.json: not a calibration table: "),
                   entry);
    BOOST_CHECK_THROW(load_table(with_numbers("no spec", "[1.0]", "[0]")), quantal::spec_error);
}

BOOST_AUTO_TEST_CASE(numbers_that_calibration_cannot_give_are_refused_by_name) {
    const auto check = [](const char* spec, const char* scales, const char* zero_points,
                          const std::string& expected) {
        const std::string found = message_of_table(with_numbers(spec, scales, zero_points));
        BOOST_TEST(found.starts_with("table.json: \"x\" " + expected), found);
    };
    BOOST_TEST(message_of_table(with_numbers("a8", "[1.0]", "[255]")) == "no data_error");
    for (const char* scale : {"[-1.0]", "[0.0]", "[1e-30]", "[1e39]"})
        check("a8", scale, "[0]", "has the scale ");
    check("a8", "[null]", "[0]", "holds null, which is no scale");
    check("a8", "[true]", "[0]", "holds true, which is no scale");
    check("a8", "[1.0]", "[256]", "has the zero point 256; ");
    check("a8", "[1.0]", "[-1]", "has the zero point -1; ");
    check("8 affine signed tensor", "[1.0]", "[128]", "has the zero point 128; ");
    check("w4", "[1.0]", "[1]", "has the zero point 1; ");
    check("a8", "[1.0]", "[0.5]", "holds 0.5, which is no integer of 32 bits");
    check("a8", "[1.0]", "[false]", "holds false, which is no integer of 32 bits");
    check("a8", "[1.0]", "[4294967296]", "holds 4294967296, which is no integer of 32 bits");
    check("a8", "[1.0]", "[18446744073709551615]", "holds 18446744073709551615, ");
    check("a8", "[]", "[]", "has 0 scales and 0 zero points; 1 of each ");
    check("a8", "[1.0, 1.0]", "[0, 0]", "has 2 scales and 2 zero points; 1 of each ");
    check("w4", "[1.0, 1.0]", "[0]", "has 2 scales and 1 zero points; 2 of each ");
    // JSON knows neither NaN nor a number beyond double.
    for (const char* scale : {"[NaN]", "[inf]", "[1e400]"})
        BOOST_TEST(message_of_table(with_numbers("a8", scale, "[0]"))
                       .starts_with("table.json: not a calibration table: "));
}

BOOST_AUTO_TEST_CASE(what_is_nested_deeper_than_a_table_is_refused) {
    const std::string expected = "table.json: the JSON is nested more than 8 deep";
    BOOST_TEST(message_of_table(std::string(100000, '[')) == expected);
    std::string objects;
    for (int i = 0; i < 100000; ++i)
        objects += "{\"a\":";
    BOOST_TEST(message_of_table(objects) == expected);
    BOOST_TEST(message_of_table(with_entry(std::string(9, '[') + std::string(9, ']'))) == expected);
}

BOOST_AUTO_TEST_CASE(truncated_tables_are_refused) {
    files::bytes file = files::to_bytes(io::to_json(sample_table()));
    file.pop_back(); // the last end of line may be missing
    files::check_truncation(file, parse_table);
}

BOOST_AUTO_TEST_CASE(damaged_tables_give_errors_only) {
    const files::bytes file = files::to_bytes(io::to_json(sample_table()));
    // Spaces, names and digits may be others, which leaves the marks and the keys.
    BOOST_TEST(files::check_damage(file, parse_table) >= file.size() / 3);
}

BOOST_AUTO_TEST_SUITE_END()
