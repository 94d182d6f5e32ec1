// SPDX-License-Identifier: Apache-2.0
// Writes tests/fuzz/corpus, where the fuzz targets start from: QUANTAL_CORPUS=FOLDER make_corpus
#include "data/files.hpp"
#include "io/pickle_writer.hpp"
#include "support/tiny_network.hpp"

#include <quantal/io/deployable.hpp>
#include <quantal/io/npy.hpp>
#include <quantal/io/safetensors.hpp>

#include <cstdlib>
#include <random>

namespace io = quantal::io;

namespace {

void write(const std::string& name, const files::bytes& content) {
    const char* folder = std::getenv("QUANTAL_CORPUS");
    BOOST_REQUIRE_MESSAGE(folder, "set QUANTAL_CORPUS to the folder to write");
    const auto file = std::filesystem::path(folder) / name;
    std::filesystem::create_directories(file.parent_path());
    io::write_file(file, content);
}
void write(const std::string& name, const std::string& text) {
    write(name, files::to_bytes(text));
}

} // namespace

BOOST_AUTO_TEST_SUITE(make_corpus)

BOOST_AUTO_TEST_CASE(texts) {
    const auto p = support::tiny_plan();
    write("graph/all_operators", io::to_json(p));
    write("table/tiny", io::to_json(support::tiny_table(p)));
    const auto forms = support::tiny_plan_of_forms();
    write("graph/all_forms", io::to_json(forms));
    write("table/forms", io::to_json(support::tiny_table(forms)));
    write("graph/functions", io::to_json(support::tiny_plan_of_functions()));
    write("spec/group", "3 affine group(32) pow2");
    write("spec/weights", "w4");
    write("spec/activations", "a8 signed");
    write("spec/long", "3 symmetric full channel(0)");
    write("spec/tensor", "8 affine unsigned tensor");
    write("spec/groups", "w3 group(32) pow2");
}

BOOST_AUTO_TEST_CASE(networks) {
    const std::map<std::string, std::string> about = {{"model", "tiny"}};
    write("deployable/tiny", io::to_deployable(support::tiny_network(), about));
    const auto forms = support::tiny_plan_of_forms();
    write("deployable/forms", io::to_deployable(quantize(forms, support::tiny_table(forms))));
    write("deployable/functions", io::to_deployable(support::tiny_network_of_functions()));
    const io::checkpoint c{{{"w", quantal::tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6})},
                            {"b", quantal::tensor<float>({2}, {0.5f, -1.0f})}},
                           about};
    write("safetensors/float32", io::to_safetensors(c, io::float_type::f32));
    write("safetensors/float16", io::to_safetensors(c, io::float_type::f16));
}

BOOST_AUTO_TEST_CASE(checkpoints_of_torch) {
    const std::string storage = writer::storage("FloatStorage", "0", 4);
    const std::string root = writer::ordered_dictionary(
        {{"w", writer::tensor(storage, 0, {2, 2}, {2, 1})}, {"epoch", writer::integer(3)}});
    const writer::storages data{{"0", writer::storage_of(std::vector<float>{1, 2, 3, 4})}};
    const std::string pickle = writer::pickle_of(root);
    write("pth/zip", writer::archive(pickle, data));
    write("pth/zip64", writer::archive(pickle, data, writer::zip_fields::of_64_bits));
    write("pth/stream", writer::stream(pickle, data, {{"0", 4}}));
    const std::vector<writer::zip_entry> entries{{"folder/a", "first"}, {"b", "second"}};
    write("zip/32_bits", writer::zip(entries));
    write("zip/64_bits", writer::zip(entries, writer::zip_fields::of_64_bits));
}

BOOST_AUTO_TEST_CASE(arrays) {
    write("npy/matrix", io::to_npy(quantal::tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6})));
    write("npy/scalar", io::to_npy(quantal::tensor<float>({}, {1})));
}

BOOST_AUTO_TEST_CASE(images) {
    write("idx/images", files::make_idx({2, 3, 4}));
    write("idx/labels", files::make_idx({5}, 10));
    write("idx/compressed", files::gzip(files::make_idx({2, 3, 4})));
    files::bytes record(3073);
    record[0] = std::byte{9};
    write("cifar10/record", record);
    write("jpeg/grey", files::make_jpeg(files::ramp(9, 10, 1)));
    write("jpeg/rgb", files::make_jpeg(files::ramp(9, 10, 3)));
    write("jpeg/progressive", files::make_jpeg(files::ramp(9, 10, 3), {.progressive = true}));
}

BOOST_AUTO_TEST_CASE(choices_of_networks) {
    std::mt19937 g(1);
    for (int i = 0; i < 16; ++i) {
        std::string choices(64, ' ');
        for (char& choice : choices)
            choice = static_cast<char>(g() % 256);
        write("engine/" + std::to_string(i), choices);
    }
}

BOOST_AUTO_TEST_SUITE_END()
