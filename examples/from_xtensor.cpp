// SPDX-License-Identifier: Apache-2.0
/// xtensor's arrays in, xtensor's arrays out.
#include <quantal/quantal.hpp>
#include <quantal/tensor/xtensor.hpp>

#include <iostream>

#include <xtensor/xbuilder.hpp>
#include <xtensor/xio.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xview.hpp>

namespace q = quantal;

int main() {
    const xt::xarray<float> weights = xt::linspace<float>(-1.0f, 1.0f, 12).reshape({3, 4});
    const auto codes = q::quantize<q::w4>(weights); // one scale a row
    const xt::xarray<int> integers = q::as_xtensor(codes.codes());
    const xt::xarray<float> reals = q::as_xtensor(q::dequantize(codes));
    std::cout << integers << "\nlargest error " << xt::amax(xt::abs(reals - weights))() << '\n';

    // Views are read where they lie, other expressions are computed once.
    const auto half = q::quantize<q::a8>(xt::view(weights, xt::all(), xt::range(0, 2)));
    const auto sum = q::quantize<q::a8>(xt::transpose(weights) * 2.0f + 1.0f);
    std::cout << half.shape() << " and " << sum.shape() << '\n';

    // A spec known when the program runs, and parameters used again.
    const q::qspec spec = q::parse_spec("3 affine unsigned tensor");
    const q::qparams params = q::calibrate(spec, weights, q::observe::minmax{});
    const xt::xarray<float> simulated = q::as_xtensor(q::fake_quantize(-weights, params));
    std::cout << simulated << '\n';
}
