// SPDX-License-Identifier: Apache-2.0
// Checkpoints that others wrote.
#include <quantal/io/checkpoint.hpp>

#include "support/real_data.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>

namespace io = quantal::io;

namespace {

void check_numbers(const io::checkpoint& c) {
    for (const auto& [name, values] : c.tensors)
        for (const float v : values.values())
            BOOST_REQUIRE_MESSAGE(std::isfinite(v), name << " holds " << v);
}

} // namespace

BOOST_AUTO_TEST_SUITE(io_real_checkpoints)

BOOST_AUTO_TEST_CASE(a_checkpoint_of_the_older_torch_save_is_read,
                     *boost::unit_test::label("cifar10")) {
    const auto c = io::read_checkpoint(support::real_data("cifar10/resnet20-12fca82f.th"));
    BOOST_TEST(c.tensors.size() == 97u);
    for (const auto& [name, values] : c.tensors)
        BOOST_TEST(!name.starts_with("module."), name);
    BOOST_TEST(c.tensors.at("conv1.weight").shape() == (quantal::extents{16, 3, 3, 3}));
    BOOST_TEST(c.tensors.at("linear.weight").shape() == (quantal::extents{10, 64}));
    check_numbers(c);
}

BOOST_AUTO_TEST_CASE(a_safetensors_file_of_mobilenet_is_read,
                     *boost::unit_test::label("imagenet")) {
    const auto c = io::read_checkpoint(support::real_data("imagenet/mobilenet_v2_tf.safetensors"));
    BOOST_TEST(c.tensors.size() == 262u);
    check_numbers(c);
}

BOOST_AUTO_TEST_SUITE_END()
