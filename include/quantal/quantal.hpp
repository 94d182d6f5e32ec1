// SPDX-License-Identifier: Apache-2.0
/// Everything that runs on the CPU; takes xtensor's expressions. The way back to xtensor
/// (quantal/tensor/xtensor.hpp), what is done in training and after it (quantal/train,
/// quantal/tune), the readers of files (quantal/io, quantal/data) and the adapters (quantal/torch,
/// quantal/onnx) are included by name.
#ifndef QUANTAL_QUANTAL_HPP
#define QUANTAL_QUANTAL_HPP

#include <quantal/graph/print.hpp>
#include <quantal/graph/weights.hpp>
#include <quantal/models/by_name.hpp>
#include <quantal/observe/aciq.hpp>
#include <quantal/observe/kl.hpp>
#include <quantal/observe/minmax.hpp>
#include <quantal/observe/moving_average.hpp>
#include <quantal/observe/mse.hpp>
#include <quantal/observe/percentile.hpp>
#include <quantal/ops/quantizer.hpp>
#include <quantal/passes/equalize.hpp>
#include <quantal/passes/optimize.hpp>
#include <quantal/passes/place.hpp>
#include <quantal/runtime/calibrate.hpp>
#include <quantal/runtime/cpu/executor.hpp>
#include <quantal/runtime/cpu/program.hpp>
#include <quantal/runtime/evaluate.hpp>
#include <quantal/runtime/program.hpp>
#include <quantal/runtime/simulate.hpp>
#include <quantal/runtime/size.hpp>
#include <quantal/runtime/trace.hpp>
#include <quantal/tensor/xtensor_traits.hpp>
#include <quantal/version.hpp>

#endif
