// SPDX-License-Identifier: Apache-2.0
// The network that the repository holds, trained at 4 bits, against the reference.
#include <quantal/io/deployable.hpp>
#include <quantal/runtime/cuda/program.hpp>
#include <quantal/runtime/trace.hpp>

#include "sources.hpp"
#include "support/random.hpp"

using namespace quantal;

BOOST_AUTO_TEST_SUITE(cuda_trained_network)

BOOST_AUTO_TEST_CASE(resnet20_of_fashion_mnist) {
    const auto file =
        io::load(source_file("examples/weights/resnet20_fashion_mnist_4w4f_lsq.quantal"));
    auto g = support::generator();
    const plan& p = file.network.plan();
    const tensor<float> image = support::normal(g, p.net.input_shape().with_front(1));
    code_hashes expected, seen;
    const auto logits = lower(file.network).run(image, 0, std::ref(expected));
    BOOST_TEST((lower(file.network, cuda::device{}).run(image, 0, std::ref(seen)) == logits));
    BOOST_TEST(seen.values().size() == p.points().size());
    BOOST_TEST((seen.values() == expected.values()));
}

BOOST_AUTO_TEST_SUITE_END()
