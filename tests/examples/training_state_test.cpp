// SPDX-License-Identifier: Apache-2.0
#if defined(QUANTAL_HOMEWORK_TORCH)
#include "training_state.hpp"

#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

#include <unistd.h>

using namespace homework;

namespace {

/// A folder for the files of one test.
struct folder {
    folder() { create_directories(path); }
    ~folder() { remove_all(path); }
    std::filesystem::path path =
        std::filesystem::temp_directory_path() / fmt::format("quantal_state_{}", getpid());
};

} // namespace

BOOST_AUTO_TEST_SUITE(examples_training_state)

BOOST_AUTO_TEST_CASE(a_state_goes_on_with_its_own_training_only) {
    const folder f;
    const auto file = f.path / "a.state";
    const identity id{{"model", "resnet20"}, {"options", "4w4f"}};
    BOOST_TEST(load_state(file, id).epochs_done == 0);
    auto g = support::generator();
    quantal::torch::training_state s;
    s.epochs_done = 3;
    s.parameters.emplace("conv.weight", support::normal(g, {2, 3}));
    s.momenta.emplace("conv.weight", support::normal(g, {2, 3}));
    save_state(file, id, s);
    const auto read = load_state(file, id);
    BOOST_TEST(read.epochs_done == 3);
    BOOST_TEST((read.parameters == s.parameters));
    BOOST_TEST((read.momenta == s.momenta));
    BOOST_CHECK_EXCEPTION((void)load_state(file, {{"model", "resnet20"}, {"options", "2w4f"}}),
                          quantal::data_error, [](const quantal::error& e) {
                              return std::string(e.what()).find(
                                         "belongs to a training with options "
                                         "\"4w4f\", not \"2w4f\"") != std::string::npos;
                          });
}

BOOST_AUTO_TEST_CASE(the_folder_of_a_state_is_there_before_the_first_epoch) {
    const folder f;
    const auto file = f.path / "new" / "folder" / "a.state";
    BOOST_TEST(load_state(file, {}).epochs_done == 0);
    BOOST_TEST(!exists(file));
    save_state(file, {}, {});
    BOOST_TEST(exists(file));
}

BOOST_AUTO_TEST_SUITE_END()
#endif
