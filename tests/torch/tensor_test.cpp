// SPDX-License-Identifier: Apache-2.0
#include <quantal/torch/tensor.hpp>

#include <quantal/models/resnet.hpp>

#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

using namespace quantal;
using quantal::torch::as_torch;
using quantal::torch::as_view;
using quantal::torch::from_torch;

namespace {

/// 0, 1, 2 and so on in row-major order.
at::Tensor counting(const std::vector<std::int64_t>& sizes) {
    return at::arange(at::tensor(sizes, at::kLong).prod().item(), at::kFloat).reshape(sizes);
}

/// Whether the view shows every element of `t`, found by LibTorch's own indexing.
void check_elements(const view<const float>& v, const at::Tensor& t) {
    const at::Tensor dense = t.contiguous();
    std::size_t seen = 0;
    v.for_each([&](float x, std::size_t i) {
        BOOST_TEST(x == dense.data_ptr<float>()[i]);
        ++seen;
    });
    BOOST_TEST(seen == static_cast<std::size_t>(t.numel()));
}

template <class Error>
void check_view_refused(const at::Tensor& t, const std::string& message) {
    BOOST_CHECK_EXCEPTION((void)as_view(t), Error, [&](const error& e) {
        BOOST_TEST_MESSAGE(e.what());
        return e.what() == message;
    });
}

} // namespace

BOOST_AUTO_TEST_SUITE(torch_tensor)

BOOST_AUTO_TEST_CASE(libtorch_sees_a_tensor_where_it_lies) {
    tensor<float> t({2, 3}, {0, 1, 2, 3, 4, 5});
    const at::Tensor seen = as_torch(t);
    BOOST_TEST(seen.data_ptr<float>() == t.data());
    BOOST_TEST(seen.sizes().vec() == (std::vector<std::int64_t>{2, 3}),
               boost::test_tools::per_element());
    BOOST_TEST(seen.strides().vec() == (std::vector<std::int64_t>{3, 1}),
               boost::test_tools::per_element());
    BOOST_TEST(seen[1][0].item<float>() == 3.0f);
    t[3] = 30.0f;
    BOOST_TEST(seen[1][0].item<float>() == 30.0f);
}

BOOST_AUTO_TEST_CASE(libtorch_sees_a_view_with_its_strides) {
    std::vector<float> memory{0, 1, 2, 3, 4, 5};
    const view<const float> columns(memory.data(), {3, 2}, {1, 3});
    const at::Tensor seen = as_torch(columns);
    BOOST_TEST(seen.data_ptr<float>() == memory.data());
    BOOST_TEST(seen.stride(0) == 1);
    BOOST_TEST(seen.stride(1) == 3);
    BOOST_TEST(at::equal(seen, counting({2, 3}).t()));
    memory[4] = 40.0f;
    BOOST_TEST(seen[1][1].item<float>() == 40.0f);
}

BOOST_AUTO_TEST_CASE(a_permuted_libtorch_tensor_is_viewed_where_it_lies) {
    at::Tensor t = counting({2, 3, 4}).permute({2, 0, 1});
    const view<const float> v = as_view(t);
    BOOST_TEST(v.data() == t.data_ptr<float>());
    BOOST_TEST(v.shape() == (extents{4, 2, 3}));
    BOOST_TEST(v.stride(0) == 1);
    BOOST_TEST(v.stride(1) == 12);
    BOOST_TEST(v.stride(2) == 4);
    BOOST_TEST(!v.is_dense());
    check_elements(v, t);
    t[3][1][2] = 100.0f;
    BOOST_TEST(v.data()[3 + 12 + 8] == 100.0f);
    check_elements(v, t);
}

BOOST_AUTO_TEST_CASE(parts_and_repetitions_of_libtorch_tensors_are_viewed) {
    const at::Tensor all = counting({4, 6});
    const at::Tensor part = all.slice(0, 1, 4, 2).slice(1, 2, 6, 3);
    BOOST_TEST(as_view(part).data() == all.data_ptr<float>() + 8);
    check_elements(as_view(part), part);
    const at::Tensor repeated = counting({3, 1}).expand({3, 5});
    BOOST_TEST(as_view(repeated).stride(1) == 0);
    check_elements(as_view(repeated), repeated);
    check_elements(as_view(counting({2, 1, 2, 1, 2, 1, 2, 1})), counting({2, 1, 2, 1, 2, 1, 2, 1}));
    const at::Tensor scalar = at::scalar_tensor(7.0, at::kFloat);
    BOOST_TEST(as_view(scalar).shape() == extents{});
    check_elements(as_view(scalar), scalar);
    BOOST_TEST(as_view(at::empty({0, 3}, at::kFloat)).shape() == (extents{0, 3}));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_viewed_is_refused) {
    const auto type = [](const std::string& name) {
        return "a LibTorch tensor of type " + name +
               "; strided float32 tensors on the CPU can be viewed";
    };
    const at::Tensor x = counting({2, 2});
    check_view_refused<data_error>(x.to(at::kDouble), type("CPUDoubleType"));
    check_view_refused<data_error>(x.to(at::kHalf), type("CPUHalfType"));
    check_view_refused<data_error>(x.to(at::kInt), type("CPUIntType"));
    check_view_refused<data_error>(at::empty({2, 2}, at::device(at::kMeta).dtype(at::kFloat)),
                                   type("MetaFloatType"));
    check_view_refused<data_error>(x.to_sparse(), type("SparseCPUFloatType"));
    check_view_refused<data_error>(at::_neg_view(x), type("CPUFloatType, negated on reading"));
    check_view_refused<data_error>(at::Tensor(), type("UndefinedType"));
    check_view_refused<shape_error>(counting({1, 1, 1, 1, 1, 1, 1, 1, 2}),
                                    "a shape has more than 8 dimensions");
}

BOOST_AUTO_TEST_CASE(a_round_trip_keeps_every_bit) {
    auto g = support::generator();
    for (const extents& shape : {extents{}, extents{0}, extents{5}, extents{2, 3, 4, 5}}) {
        const tensor<float> t = support::normal(g, shape);
        BOOST_TEST((from_torch(as_torch(t)) == t));
    }
}

BOOST_AUTO_TEST_CASE(from_torch_copies_in_logical_order) {
    at::Tensor t = counting({2, 3});
    const tensor<float> copy = from_torch(t.t());
    BOOST_TEST((copy == tensor<float>({3, 2}, {0, 3, 1, 4, 2, 5})));
    t.fill_(9.0f);
    BOOST_TEST((copy == tensor<float>({3, 2}, {0, 3, 1, 4, 2, 5})));
    BOOST_TEST((from_torch(at::_neg_view(counting({2}))) == tensor<float>({2}, {-0.0f, -1.0f})));
    BOOST_TEST((from_torch(counting({2}).to(at::kDouble)) == tensor<float>({2}, {0.0f, 1.0f})));
}

BOOST_AUTO_TEST_CASE(parameters_of_a_network_are_referred_to) {
    auto g = support::generator();
    graph net = models::resnet20(models::cifar10);
    support::randomize(net, g);
    const auto parameters = quantal::torch::parameters_of(net);
    BOOST_TEST(parameters.size() == net.parameters.size());
    for (const auto& [name, values] : net.parameters) {
        BOOST_TEST(parameters.at(name).data_ptr<float>() == values.data());
        BOOST_TEST((as_view(parameters.at(name)).shape() == values.shape()));
    }
}

BOOST_AUTO_TEST_SUITE_END()
