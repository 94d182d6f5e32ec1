// SPDX-License-Identifier: Apache-2.0
// Fake quantizers on the kernels of `quantal::cuda`. A LibTorch without CUDA has no tensors there:
// what is told apart by a tensor's device is told by hand, and the library is the host runner.
#include <quantal/torch/fake_quantize.hpp>

#include "support/library_device.hpp"
#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

#include <torch/csrc/autograd/autograd.h>

using namespace quantal;

namespace {

namespace adapter = quantal::torch::detail;
using tensors = std::vector<at::Tensor>;

/// In the place of `by_device`.
struct by_library {
    template <class F>
    static auto run(const at::Tensor&, const F& f) {
        return f(adapter::on_cuda{});
    }
};

at::Tensor random(std::mt19937& g, std::initializer_list<std::int64_t> shape) {
    return quantal::torch::as_torch(support::normal(g, extents(shape))).clone();
}

/// What `f` gives for x and two parameters, and the gradients of all three.
template <class F>
tensors run(const F& f, const at::Tensor& x, const at::Tensor& first, const at::Tensor& second,
            const at::Tensor& gy) {
    const tensors leaves{x.detach().requires_grad_(), first.clone().requires_grad_(),
                         second.clone().requires_grad_()};
    const at::Tensor y = f(leaves[0], leaves[1], leaves[2]);
    tensors result{y.detach()};
    for (const at::Tensor& t : ::torch::autograd::grad({y}, leaves, {gy}, {}, false, true))
        result.push_back(t);
    return result;
}

template <class Rule>
void compare(qspec s, const at::Tensor& x, const at::Tensor& first, const at::Tensor& second,
             const at::Tensor& gy) {
    const auto by = [&](auto where) {
        return [=](const at::Tensor& a, const at::Tensor& b, const at::Tensor& c) {
            return adapter::learned<Rule, decltype(where)>::apply(a, b, c, s);
        };
    };
    const tensors found = run(by(by_library{}), x, first, second, gy),
                  expected = run(by(adapter::by_device{}), x, first, second, gy);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        BOOST_TEST(found[i].defined() == expected[i].defined());
        if (expected[i].defined()) BOOST_TEST(at::equal(found[i], expected[i]));
    }
}

void compare_all(qspec s, const at::Tensor& x, const at::Tensor& gy) {
    const std::int64_t rows = s.grain == granularity::per_channel ? x.size(0) : 1;
    const at::Tensor scale = at::arange(4, 4 + rows, at::kFloat) / 16;
    const at::Tensor zero =
        s.is_symmetric() ? at::zeros(rows) : at::arange(1, 1 + rows, at::kFloat);
    compare<train::straight_through>(s, x, scale, zero, gy);
    compare<train::lsq>(s, x, scale, at::zeros(rows), gy);
    compare<train::lsq_plus>(s, x, scale, -scale * zero, gy);
    compare<train::pact>(s, x, scale * 4, at::zeros(rows), gy);
}

} // namespace

BOOST_AUTO_TEST_SUITE(torch_where, *boost::unit_test::label("linked"))

BOOST_AUTO_TEST_CASE(learned_quantizers_have_the_bits_of_the_cpu) {
    support::need_host_runner();
    auto g = support::generator();
    for (const qspec s : {w2, a4, a8, parse_spec("4 symmetric tensor")})
        compare_all(s, random(g, {3, 7, 4, 5}), random(g, {3, 7, 4, 5}));
}

BOOST_AUTO_TEST_CASE(rows_of_more_than_a_block) {
    support::need_host_runner();
    auto g = support::generator();
    const auto size = static_cast<std::int64_t>(train::block_size) + 37;
    compare_all(w4, random(g, {2, size}), random(g, {2, size}));
    compare_all(a4, random(g, {2, size}), random(g, {2, size}));
}

BOOST_AUTO_TEST_CASE(any_place_and_order_in_memory) {
    support::need_host_runner();
    auto g = support::generator();
    const at::Tensor shifted = random(g, {61}).narrow(0, 1, 60).view({3, 4, 5});
    BOOST_TEST(reinterpret_cast<std::uintptr_t>(shifted.data_ptr()) % 16 != 0u);
    compare_all(a4, shifted, random(g, {3, 4, 5}));
    const at::Tensor strided = random(g, {5, 3, 4}).permute({1, 2, 0});
    compare_all(a4, strided, random(g, {3, 4, 5}));
    compare_all(w4, strided, random(g, {3, 4, 5}));
}

// Forward the same bits; the sum over all elements, which the largest one gets, is made in another
// order, in double.
BOOST_AUTO_TEST_CASE(squashed_weights) {
    support::need_host_runner();
    auto g = support::generator();
    for (const at::Tensor& w : {random(g, {3, 50}), at::zeros({3, 50})}) {
        const at::Tensor gy = random(g, {3, 50});
        const auto both = [&](auto where) {
            const at::Tensor x = w.clone().requires_grad_();
            const at::Tensor y = adapter::dorefa<decltype(where)>::apply(x, w4);
            return tensors{y.detach(), ::torch::autograd::grad({y}, {x}, {gy})[0]};
        };
        const tensors found = both(by_library{}), expected = both(adapter::by_device{});
        BOOST_TEST(at::equal(found[0], expected[0]));
        BOOST_TEST(at::allclose(found[1], expected[1], 0x1p-22, 0x1p-30));
    }
}

BOOST_AUTO_TEST_CASE(what_is_refused) {
    support::need_host_runner();
    const auto refused = [](const at::Tensor& x, const std::string& message) {
        BOOST_CHECK_EXCEPTION((void)(adapter::learned<train::lsq, by_library>::apply(
                                  x, at::ones(1), at::zeros(1), a4)),
                              error, [&](const error& e) { return e.what() == message; });
    };
    refused(
        at::ones({2, 3}, at::kDouble),
        "a LibTorch tensor of type CPUDoubleType; fake quantizers take strided float32 tensors");
    refused(at::ones({0, 3}), "a fake quantizer got a tensor without elements");
}

BOOST_AUTO_TEST_SUITE_END()
