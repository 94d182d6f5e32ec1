// SPDX-License-Identifier: Apache-2.0
/// How tests prepare small images: the middle of 8x8, as numbers from 0 to 1.
#ifndef QUANTAL_TESTS_DATA_SMALL_CROP_HPP
#define QUANTAL_TESTS_DATA_SMALL_CROP_HPP

#include <quantal/data/preprocess.hpp>

namespace files {

inline const quantal::data::preprocess small_crop{.crop = 8, .mean = {0, 0, 0}, .std = {1, 1, 1}};

} // namespace files

#endif
