// SPDX-License-Identifier: Apache-2.0
/// What runs the float network and the simulation, and whose integers the engine's are held
/// against: LibTorch, or quantal itself in a build without it.
#ifndef QUANTAL_EXAMPLES_HOMEWORK_BACKEND_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_BACKEND_HPP

#if defined(QUANTAL_HOMEWORK_TORCH)
#include "backend_torch.hpp"
#else
#include "backend_cpu.hpp"
#endif

#endif
