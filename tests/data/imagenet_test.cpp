// SPDX-License-Identifier: Apache-2.0
// The published files of ImageNet, as small copies that these tests write.
#include <quantal/data/imagenet.hpp>

#include "data/devkit_files.hpp"
#include "data/small_crop.hpp"

namespace data = quantal::data;
using files::message_of;
using files::small_crop;

namespace {

/// Leaves in another order than that of their names, and an inner node whose name is the first.
const std::vector<data::synset> synsets{
    {3, "n03", true}, {1, "n07", true}, {5, "n01", false}, {2, "n05", true}};

const std::string kit = "ILSVRC2012_devkit_t12";
const std::string ground_truth = "data/ILSVRC2012_validation_ground_truth.txt";
const std::string four_ids = "3\n1\n2\n1\n";
const std::vector<int> four_labels{0, 2, 1, 2};

void write_kit(const files::temporary_folder& folder, const std::string& truth = four_ids) {
    folder.write(kit + "/data/meta.mat", files::make_meta(synsets));
    folder.write(kit + '/' + ground_truth, files::to_bytes(truth));
}

files::bytes packed_kit(const std::string& truth = four_ids) {
    return files::gzip(files::make_tar({{kit + "/readme.txt", files::to_bytes("hello")},
                                        {kit + "/data/meta.mat", files::make_meta(synsets)},
                                        {kit + '/' + ground_truth, files::to_bytes(truth)}}));
}

std::string name_of(std::size_t number) {
    return "ILSVRC2012_val_0000000" + std::to_string(number) + ".JPEG";
}

/// Images that differ: number n is n + 8 high.
files::bytes image(std::size_t number) {
    return files::make_jpeg(files::ramp(number + 8, 12, 3));
}

/// All images in a tar: beneath a folder, not in their order, with another file.
files::bytes packed_images(std::size_t count = 4) {
    std::vector<std::pair<std::string, files::bytes>> members{{"./._junk.JPEG", {}}};
    for (std::size_t number = count; number > 0; --number)
        members.emplace_back("./" + name_of(number), image(number));
    return files::make_tar(members);
}

void write_images(const files::temporary_folder& folder, const std::string& below,
                  std::size_t count = 4) {
    for (std::size_t number = 1; number <= count; ++number)
        folder.write(below + name_of(number), image(number));
    folder.write(below + "notes.txt", {});
}

void check_images(const data::dataset& set) {
    BOOST_REQUIRE(set.size() == 4u);
    BOOST_TEST(set.classes() == 3);
    BOOST_TEST(set.image_shape() == (quantal::extents{3, 8, 8}));
    for (std::size_t i = 0; i < 4; ++i) {
        BOOST_TEST(set.label(i) == four_labels[i]);
        std::vector<float> read(3 * 64);
        std::vector<float> expected(3 * 64);
        set.read(i, read);
        data::apply(small_crop, data::decode_jpeg(image(i + 1), ""), expected);
        BOOST_TEST(read == expected);
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(imagenet)

BOOST_AUTO_TEST_CASE(classes_are_numbered_by_the_names_of_the_leaves) {
    const files::temporary_folder folder;
    write_kit(folder);
    const data::devkit expected{{"n03", "n05", "n07"}, four_labels};
    BOOST_TEST((data::read_devkit(folder.path() / kit) == expected));
    const auto packed = folder.write("kit.tar.gz", packed_kit());
    BOOST_TEST((data::read_devkit(packed) == expected));
    const auto windows = folder.write("kit.tar.gz", packed_kit("3\r\n1\r\n2\r\n1"));
    BOOST_TEST((data::read_devkit(windows) == expected));
}

BOOST_AUTO_TEST_CASE(a_thousand_classes_are_the_ranks_of_their_names) {
    std::vector<data::synset> all;
    std::string truth;
    for (int id = 1; id <= 1000; ++id) // 7 and 1000 have no common divisor: a permutation
        all.push_back({id, "n0" + std::to_string(1000 + id * 7 % 1000), true});
    for (int id = 1001; id <= 1860; ++id)
        all.push_back({id, "n0" + std::to_string(id + 2000), false});
    for (int id = 1000; id >= 1; --id)
        truth += std::to_string(id) + '\n';
    const auto read = data::parse_devkit(files::make_meta(all, {.compressed = true}),
                                         files::to_bytes(truth), "kit");
    BOOST_REQUIRE(read.classes.size() == 1000u);
    for (int i = 0; i < 1000; ++i) {
        BOOST_TEST(read.classes[static_cast<std::size_t>(i)] == "n0" + std::to_string(1000 + i));
        BOOST_TEST(read.labels[static_cast<std::size_t>(i)] == (1000 - i) * 7 % 1000);
    }
}

BOOST_AUTO_TEST_CASE(damaged_kits_are_refused) {
    const files::temporary_folder folder;
    const auto refused = [&](const std::string& truth) {
        write_kit(folder, truth);
        return message_of([&] { std::ignore = data::read_devkit(folder.path() / kit); });
    };
    for (const char* id : {"0", "4", "5", "-1", "x", "2 ", "99999999999", ""})
        BOOST_TEST(refused("1\n" + std::string(id) + "\n3\n")
                       .ends_with("line 2 of ILSVRC2012_validation_ground_truth.txt is \"" +
                                  std::string(id) +
                                  "\"; each line is one of the 3 ids in meta.mat"));
    std::filesystem::remove(folder.path() / kit / ground_truth);
    BOOST_TEST(message_of([&] {
                   std::ignore = data::read_devkit(folder.path() / kit);
               }).starts_with("there is no file"));
    const auto twice = [](const data::synset& other) {
        return message_of([&] {
            std::ignore = data::parse_devkit(files::make_meta({{1, "n1", true}, other}), {}, "kit");
        });
    };
    BOOST_TEST(twice({1, "n2", true}) == "kit has the class 1 (n2) twice");
    BOOST_TEST(twice({2, "n1", true}) == "kit has the class 2 (n1) twice");
    BOOST_TEST(twice({1, "n1", false}) == "no data_error");
}

BOOST_AUTO_TEST_CASE(damaged_packed_kits_are_refused) {
    const files::temporary_folder folder;
    const auto refused = [&](const files::bytes& file) {
        const auto path = folder.write("kit.tar.gz", file);
        return message_of([&] { std::ignore = data::read_devkit(path); });
    };
    files::bytes file = packed_kit();
    BOOST_TEST(refused(file) == "no data_error");
    file.resize(file.size() / 2);
    BOOST_TEST(refused(file).find("is damaged") != std::string::npos);
    BOOST_TEST(refused(files::to_bytes("no kit")).find("is no tar archive") != std::string::npos);
    BOOST_TEST(refused(files::gzip(files::make_tar({}))).ends_with("holds no file data/meta.mat"));
    BOOST_TEST(message_of([&] {
                   std::ignore = data::read_devkit(folder.path() / "none");
               }).ends_with("cannot be opened"));
}

BOOST_AUTO_TEST_CASE(every_form_gives_the_same_images) {
    const files::temporary_folder folder;
    write_kit(folder);
    write_images(folder, "val/");
    check_images(*data::open_imagenet(folder.path(), small_crop));
    std::filesystem::remove_all(folder.path() / "val");
    write_images(folder, "");
    check_images(*data::open_imagenet(folder.path(), small_crop));
    for (std::size_t number = 1; number <= 4; ++number)
        std::filesystem::remove(folder.path() / name_of(number));
    folder.write("ILSVRC2012_img_val.tar", packed_images());
    check_images(*data::open_imagenet(folder.path(), small_crop));
    std::filesystem::remove_all(folder.path() / kit);
    folder.write(kit + ".tar.gz", packed_kit());
    check_images(*data::open_imagenet(folder.path(), small_crop));
}

BOOST_AUTO_TEST_CASE(class_folders_are_found) {
    const files::temporary_folder folder;
    folder.write("val/n1/a.JPEG", image(1));
    folder.write("synset_words.txt", files::to_bytes("n0 nothing\nn1 one\n"));
    const auto set = data::open_imagenet(folder.path(), small_crop);
    BOOST_TEST(set->size() == 1u);
    BOOST_TEST(set->label(0) == 1);
}

BOOST_AUTO_TEST_CASE(what_was_looked_for_is_said) {
    const files::temporary_folder folder;
    const auto refused = [&] {
        return message_of([&] { std::ignore = data::open_imagenet(folder.path(), small_crop); });
    };
    BOOST_TEST(refused().find("looked for val/ with class folders, ILSVRC2012_val_00000001.JPEG "
                              "and so on in it or in val/, and ILSVRC2012_img_val.tar") !=
               std::string::npos);
    folder.write("ILSVRC2012_img_val.tar", packed_images());
    BOOST_TEST(refused().find("need their labels: the devkit ILSVRC2012_devkit_t12, as a folder or "
                              ".tar.gz") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(images_and_labels_have_to_be_as_many) {
    const files::temporary_folder folder;
    const auto refused = [&] {
        return message_of([&] { std::ignore = data::open_imagenet(folder.path(), small_crop); });
    };
    for (const char* form : {"folder", "tar"}) {
        const bool packed = form == std::string("tar");
        if (packed) std::filesystem::remove_all(folder.path() / "val");
        if (packed)
            folder.write("ILSVRC2012_img_val.tar", packed_images());
        else
            write_images(folder, "val/");
        write_kit(folder, "1\n2\n3\n");
        BOOST_TEST(refused().ends_with(name_of(4) + "; the devkit labels images 1 to 3"));
        write_kit(folder, "1\n2\n3\n1\n2\n");
        BOOST_TEST(refused().find("lacks validation image 5") != std::string::npos);
        write_kit(folder);
        BOOST_TEST(refused() == "no data_error");
    }
}

BOOST_AUTO_TEST_CASE(hostile_archives_are_refused_and_damaged_images_named) {
    const files::temporary_folder folder;
    write_kit(folder);
    files::bytes archive = packed_images();
    archive.resize(archive.size() - 1024);
    folder.write("ILSVRC2012_img_val.tar", archive);
    BOOST_TEST(message_of([&] {
                   std::ignore = data::open_imagenet(folder.path(), small_crop);
               }).ends_with("it is truncated: it has no end mark"));
    folder.write("ILSVRC2012_img_val.tar",
                 files::make_tar({{"val/" + name_of(1), image(1)},
                                  {name_of(2), files::to_bytes("no image")},
                                  {name_of(3), files::make_jpeg(files::ramp(5, 9, 3))},
                                  {name_of(4), {}}}));
    const auto set = data::open_imagenet(folder.path(), small_crop);
    std::vector<float> chw(3 * 64);
    const auto reading = [&](std::size_t i) { return message_of([&] { set->read(i, chw); }); };
    BOOST_TEST(reading(0) == "no data_error");
    BOOST_TEST(reading(1).find("img_val.tar/" + name_of(2)) != std::string::npos);
    BOOST_TEST(reading(2).find(name_of(3)) != std::string::npos);
    BOOST_TEST(reading(2).find("smaller than the crop") != std::string::npos);
    BOOST_TEST(reading(3).find(name_of(4)) != std::string::npos);
    data::preprocess whole = small_crop;
    whole.crop = 0;
    BOOST_TEST(message_of([&] {
                   std::ignore = data::open_imagenet(folder.path(), whole);
               }).find("has to crop") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
