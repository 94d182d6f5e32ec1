// SPDX-License-Identifier: Apache-2.0
/// The tests of kernels as one program that runs them on a device.
#include "kernel/cuda/codes_test.cpp"
#include "kernel/cuda/depthwise_test.cpp"
#include "kernel/cuda/elementwise_test.cpp"
#include "kernel/cuda/fake_quantize_gradient_test.cpp"
#include "kernel/cuda/histogram_test.cpp"
#include "kernel/cuda/image_rows_test.cpp"
#include "kernel/cuda/moving_average_test.cpp"
#include "kernel/cuda/product_test.cpp"
#include "kernel/cuda/queue_test.cpp"
#include "kernel/cuda/windows_test.cpp"
