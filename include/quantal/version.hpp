// SPDX-License-Identifier: Apache-2.0
/// The only place where the version is written; CMake reads it from here.
#ifndef QUANTAL_VERSION_HPP
#define QUANTAL_VERSION_HPP

#define QUANTAL_VERSION_MAJOR 0
#define QUANTAL_VERSION_MINOR 1
#define QUANTAL_VERSION_PATCH 0

#endif
