// SPDX-License-Identifier: Apache-2.0
// Without exceptions and without a QUANTAL_THROW of one's own an error terminates the program.
#include <quantal/quantal.hpp>

int main() {
    std::set_terminate([] { std::_Exit(0); });
    quantal::check(quantal::qspec{.bits = 9});
    return 1;
}
