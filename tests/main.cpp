// SPDX-License-Identifier: Apache-2.0
/// The entry point of every test program.
#define BOOST_TEST_MODULE quantal
#include <boost/test/unit_test.hpp>
