// SPDX-License-Identifier: Apache-2.0
// Checkpoints of torch.save in both formats: which tensors they give, which are refused.
#include <quantal/io/checkpoint.hpp>

#include "data/files.hpp"
#include "io/pickle_writer.hpp"

#include <numeric>

namespace io = quantal::io;
using quantal::extents;
using quantal::tensor;
using writer::integer;
using writer::text;

namespace {

enum class format { zip, zip_of_64_bits, stream };
constexpr format formats[] = {format::zip, format::zip_of_64_bits, format::stream};

/// 0, 1, ..., 11 as storage "0" of floats, and 1, -2, 0.5 as storage "1" of a type.
const writer::storages floats{{"0", [] {
                                   std::vector<float> elements(12);
                                   std::iota(elements.begin(), elements.end(), 0.0f);
                                   return writer::storage_of(elements);
                               }()}};
const std::string ramp = writer::storage("FloatStorage", "0", 12);

files::bytes save(const std::string& root, const writer::storages& storages, format as,
                  const std::map<std::string, std::uint64_t>& sizes = {{"0", 4}}) {
    const std::string pickle = writer::pickle_of(root);
    if (as == format::stream) return writer::stream(pickle, storages, sizes);
    return writer::archive(pickle, storages,
                           as == format::zip ? writer::zip_fields::of_32_bits
                                             : writer::zip_fields::of_64_bits);
}

io::checkpoint load_pth(std::span<const std::byte> file) {
    return io::parse_checkpoint(file, "test.pth");
}

using tensors = std::map<std::string, tensor<float>>;

/// All formats give the same tensors.
void check_tensors(const std::string& root, const tensors& expected) {
    for (const format as : formats) {
        const io::checkpoint found = load_pth(save(root, floats, as));
        BOOST_TEST((found.tensors == expected));
        BOOST_TEST(found.metadata.empty());
    }
}

/// What is said of a checkpoint of one tensor, "w".
std::string message_of_tensor(const std::string& tensor, const writer::storages& storages = floats,
                              format as = format::zip) {
    return files::message_of([&] {
        load_pth(save(writer::dictionary({{"w", tensor}}), storages, as));
    });
}

} // namespace

BOOST_AUTO_TEST_SUITE(io_pth)

BOOST_AUTO_TEST_CASE(windows_on_a_shared_storage_have_their_elements) {
    check_tensors(writer::ordered_dictionary({
                      {"contiguous", writer::tensor(ramp, 0, {3, 4}, {4, 1})},
                      {"transposed", writer::tensor(ramp, 0, {4, 3}, {1, 4})},
                      {"offset", writer::tensor(ramp, 10, {2}, {1})},
                      {"every_third", writer::tensor(ramp, 2, {2, 2}, {6, 3})},
                      {"repeated", writer::tensor(ramp, 7, {2, 3}, {0, 0})},
                      {"scalar", writer::tensor(ramp, 11, {}, {})},
                      {"empty", writer::tensor(ramp, 12, {2, 0}, {1, 1})},
                  }),
                  {{"contiguous", {extents{3, 4}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}}},
                   {"transposed", {extents{4, 3}, {0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}}},
                   {"offset", {extents{2}, {10, 11}}},
                   {"every_third", {extents{2, 2}, {2, 5, 8, 11}}},
                   {"repeated", {extents{2, 3}, {7, 7, 7, 7, 7, 7}}},
                   {"scalar", {extents{}, {11}}},
                   {"empty", {extents{2, 0}, {}}}});
}

BOOST_AUTO_TEST_CASE(the_dictionary_may_be_wrapped_and_hold_more_than_tensors) {
    const std::string w = writer::tensor(ramp, 5, {1}, {1});
    const tensors expected{{"w", {extents{1}, {5}}}};
    check_tensors(writer::dictionary({{"w", w}}), expected);
    check_tensors(writer::ordered_dictionary({{"w", w}}), expected);
    check_tensors(writer::dictionary({{"epoch", integer(90)},
                                      {"best", "G" + std::string("\x40\x56\0\0\0\0\0\0", 8)},
                                      {"arch", text("resnet20")},
                                      {"done", "\x88"},
                                      {"nothing", "N"},
                                      {"state_dict", writer::ordered_dictionary({{"w", w}})}}),
                  expected);
    check_tensors(writer::dictionary({{"model", writer::dictionary({{"w", w}})}}), expected);
    check_tensors(writer::dictionary({{"w", w}, {"classes", writer::list({text("a")})}}), expected);
}

BOOST_AUTO_TEST_CASE(the_prefix_of_data_parallel_is_cut_off) {
    const std::string w = writer::tensor(ramp, 5, {1}, {1});
    const tensor<float> value{extents{1}, {5}};
    check_tensors(writer::dictionary({{"module.conv1.weight", w}, {"a.module.b", w}}),
                  {{"conv1.weight", value}, {"a.module.b", value}});
}

BOOST_AUTO_TEST_CASE(parameters_and_states_of_dictionaries_are_read) {
    const std::string parameter =
        writer::call(writer::name("torch._utils", "_rebuild_parameter"),
                     {writer::tensor(ramp, 3, {2}, {1}), "\x88",
                      writer::call(writer::name("collections", "OrderedDict"), {})});
    // state_dict() has an attribute _metadata, which pickle sets with BUILD.
    const std::string state =
        writer::dictionary({{"_metadata", writer::dictionary({{"version", integer(1)}})}}) + "b";
    check_tensors(writer::ordered_dictionary({{"w", parameter}}) + state,
                  {{"w", {extents{2}, {3, 4}}}});
}

BOOST_AUTO_TEST_CASE(pairs_given_to_an_ordered_dictionary_are_its_items) {
    const std::string pair = writer::tuple({text("w"), writer::tensor(ramp, 3, {1}, {1})});
    check_tensors(writer::call(writer::name("collections", "OrderedDict"), {writer::list({pair})}),
                  {{"w", {extents{1}, {3}}}});
}

BOOST_AUTO_TEST_CASE(every_type_of_storage_is_read) {
    const auto check = [](const std::string& type, std::uint64_t size, const std::string& elements,
                          std::vector<float> expected) {
        const auto count = static_cast<std::int64_t>(elements.size() / size);
        const std::string root = writer::dictionary(
            {{"w", writer::tensor(writer::storage(type, "7", count), 0, {count}, {1})}});
        const tensor<float> value(extents{count}, std::move(expected));
        for (const format as : formats) {
            const auto found = load_pth(save(root, {{"7", elements}}, as, {{"7", size}}));
            BOOST_TEST((found.tensors.at("w") == value), type);
        }
    };
    using writer::storage_of;
    check("DoubleStorage", 8, storage_of<double>({0.1, -3.0}), {0.1f, -3.0f});
    check("FloatStorage", 4, storage_of<float>({0.1f, -3.0f}), {0.1f, -3.0f});
    check("HalfStorage", 2, storage_of<std::uint16_t>({0x3c00, 0xc000, 0x3800}), {1, -2, 0.5f});
    check("BFloat16Storage", 2, storage_of<std::uint16_t>({0x3f80, 0xc000, 0x3f00}), {1, -2, 0.5f});
    check("LongStorage", 8, storage_of<std::int64_t>({-1, 1ll << 40}), {-1, 0x1p40f});
    check("IntStorage", 4, storage_of<std::int32_t>({-1, 70000}), {-1, 70000});
    check("ShortStorage", 2, storage_of<std::int16_t>({-1, 300}), {-1, 300});
    check("CharStorage", 1, storage_of<std::int8_t>({-1, 127}), {-1, 127});
    check("ByteStorage", 1, storage_of<std::uint8_t>({0, 255}), {0, 255});
    check("BoolStorage", 1, storage_of<std::uint8_t>({0, 1, 2}), {0, 1, 1});
}

BOOST_AUTO_TEST_CASE(windows_outside_their_storage_are_refused) {
    struct window {
        std::int64_t offset;
        std::vector<std::int64_t> shape, strides;
    };
    constexpr std::int64_t huge = std::numeric_limits<std::int64_t>::max();
    const window outside[] = {
        {1, {3, 4}, {4, 1}},    {0, {3, 4}, {5, 1}},    {12, {1}, {1}},
        {12, {3}, {1}},         {12, {}, {}},           {1000, {3}, {1}},
        {huge, {1}, {1}},       {huge, {2, 2}, {1, 1}}, {0, {2}, {huge}},
        {0, {2, 2}, {huge, 1}}, {0, {3}, {huge / 2}},   {0, {2, 2, 2}, {6, 6, 1}},
        {11, {2}, {1}},         {0, {13}, {0}},         {-1, {1}, {1}},
        {0, {2}, {-1}},         {11, {12}, {-1}},       {0, {2}, {}},
        {0, {}, {1}},           {0, {-1}, {1}},         {0, {huge, huge}, {0, 0}},
        {0, {huge}, {0}},       {-huge - 1, {1}, {1}},  {0, {1, 2}, {1, huge}},
        {5, {2, 0}, {1}},       {0, {1u << 31}, {0}},   {0, {1}, {-1}},
    };
    for (const auto& [offset, shape, strides] : outside)
        for (const format as : formats)
            BOOST_CHECK_THROW(
                load_pth(
                    save(writer::dictionary({{"w", writer::tensor(ramp, offset, shape, strides)}}),
                         floats, as)),
                quantal::error);
}

BOOST_AUTO_TEST_CASE(refused_windows_are_named) {
    const std::string start = "test.pth: tensor \"w\" ";
    BOOST_TEST(message_of_tensor(writer::tensor(ramp, 1, {3, 4}, {4, 1})) ==
               start + "of shape 3x4 with the stride 1 leaves its storage of 12 elements");
    BOOST_TEST(message_of_tensor(writer::tensor(ramp, 11, {2}, {-1})) ==
               start + "of shape 2 with the stride -1 leaves its storage of 12 elements");
    BOOST_TEST(message_of_tensor(writer::tensor(ramp, 12, {3}, {1})) ==
               start + "begins behind its storage of 12 elements");
    BOOST_TEST(message_of_tensor(writer::tensor(ramp, -1, {1}, {1})) ==
               start + "of shape 1 does not fit its storage of 12 elements");
}

BOOST_AUTO_TEST_CASE(missing_and_short_storages_are_refused) {
    const std::string start = "test.pth: tensor \"w\" lies in ";
    const std::string other = writer::storage("FloatStorage", "1", 12);
    BOOST_TEST(message_of_tensor(writer::tensor(other, 0, {1}, {1})) ==
               start + "the storage \"1\", which is missing");
    const std::string longer = writer::storage("FloatStorage", "0", 13);
    const std::string wider = writer::storage("DoubleStorage", "0", 12);
    BOOST_TEST(message_of_tensor(writer::tensor(longer, 0, {1}, {1})) ==
               start + "a storage of 13 elements, of which 12 are there");
    BOOST_TEST(message_of_tensor(writer::tensor(wider, 0, {1}, {1})) ==
               start + "a storage of 12 elements, of which 6 are there");
    BOOST_TEST(message_of_tensor(writer::tensor(ramp, 0, {1}, {1}), {}, format::stream) ==
               start + "the storage \"0\", which is missing");
}

BOOST_AUTO_TEST_CASE(tensors_may_be_tied_but_hold_at_most_8_elements_a_byte) {
    // 2000 flags and n tensors of all of them: the data is the larger part of the file.
    const auto tied = [](std::size_t n) {
        const std::string shared = writer::storage("BoolStorage", "0", 2000);
        writer::items all{{"0", writer::tensor(shared, 0, {2000}, {1}) + writer::put(9)}};
        while (all.size() < n)
            all.emplace_back(std::to_string(all.size()), writer::get(9));
        return save(writer::dictionary(all), {{"0", std::string(2000, '\1')}}, format::zip);
    };
    BOOST_TEST(load_pth(tied(8)).tensors.size() == 8u);
    const std::size_t bytes = tied(20).size();
    const std::size_t allowed = 8 * bytes / 2000;
    BOOST_REQUIRE(allowed > 8);
    BOOST_REQUIRE(allowed < 20);
    const std::string found = files::message_of([&] { load_pth(tied(20)); });
    BOOST_TEST(found.find(std::to_string(2000 * (allowed + 1)) +
                          " elements, more than 8 a byte of the file, which has " +
                          std::to_string(bytes)) != std::string::npos,
               found);
}

BOOST_AUTO_TEST_CASE(one_name_for_two_tensors_is_refused) {
    const std::string w = writer::tensor(ramp, 0, {1}, {1});
    for (const char* second : {"w", "module.w"})
        BOOST_TEST(
            files::message_of([&] {
                load_pth(save(writer::dictionary({{"w", w}, {second, w}}), floats, format::zip));
            }) == "test.pth: the checkpoint holds tensor \"w\" twice");
}

BOOST_AUTO_TEST_CASE(what_is_no_checkpoint_is_refused) {
    const auto message = [](const files::bytes& file) {
        return files::message_of([&] { load_pth(file); });
    };
    for (const format as : formats) {
        BOOST_TEST(message(save(integer(5), {}, as)) ==
                   "test.pth: the pickle holds no dictionary of tensors");
        BOOST_TEST(message(save(writer::dictionary({{"a", integer(5)}}), {}, as)) ==
                   "test.pth: the checkpoint holds no tensors");
    }
    BOOST_TEST(message(writer::zip({{"a/other.pkl", ""}})) ==
               "test.pth: the archive has no data.pkl; it is no checkpoint");
    BOOST_TEST(message(writer::to_bytes(writer::pickle_of(integer(5)))) ==
               "test.pth: this pickle is no checkpoint of torch.save");
    BOOST_TEST(message(writer::to_bytes("hello, world")) ==
               "test.pth: 12 bytes that are neither safetensors nor a checkpoint of torch.save");
    BOOST_TEST(message({}) ==
               "test.pth: 0 bytes that are neither safetensors nor a checkpoint of torch.save");
}

BOOST_AUTO_TEST_SUITE_END()
