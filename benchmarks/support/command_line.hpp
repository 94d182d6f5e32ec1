// SPDX-License-Identifier: Apache-2.0
/// How programs parse their options and end.
#ifndef QUANTAL_BENCHMARKS_SUPPORT_COMMAND_LINE_HPP
#define QUANTAL_BENCHMARKS_SUPPORT_COMMAND_LINE_HPP

#include <CLI/CLI.hpp>

#include <exception>
#include <iostream>

namespace benchmarks {

/// Parses, runs, and turns every error into one line and exit code 2.
template <class Work>
int run(CLI::App& app, int argc, char** argv, Work work) {
    try {
        app.parse(argc, argv);
        work();
        return 0;
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? 0 : 2;
    } catch (const std::exception& e) {
        std::cerr << app.get_name() << ": " << e.what() << '\n';
        return 2;
    }
}

} // namespace benchmarks

#endif
