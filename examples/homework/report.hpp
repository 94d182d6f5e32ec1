// SPDX-License-Identifier: Apache-2.0
/// What a driver leaves behind: the machine it ran on, progress while it runs, and a JSON file.
#ifndef QUANTAL_EXAMPLES_HOMEWORK_REPORT_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_REPORT_HPP

#include "text.hpp"

#include <chrono>
#include <filesystem>

namespace homework {

/// The commit that the program was built from, as git describes it.
extern const char* const commit;

/// The processor's name and the number of its cores that this process sees.
[[nodiscard]] std::string hardware();

/// The largest resident size of this process so far, in megabytes (getrusage: kilobytes).
[[nodiscard]] double peak_megabytes();

[[nodiscard]] std::string command_line(int argc, char** argv);

class stopwatch {
public:
    [[nodiscard]] double seconds() const {
        return std::chrono::duration<double>(clock::now() - start_).count();
    }
    /// The seconds since the last call, or since the start.
    [[nodiscard]] double lap() {
        const double passed = seconds();
        start_ = clock::now();
        return passed;
    }

private:
    using clock = std::chrono::steady_clock;
    clock::time_point start_ = clock::now();
};

/// One line on the error stream that says how far the work is: rewritten on a terminal, a line
/// every ten seconds elsewhere.
class progress_line {
public:
    explicit progress_line(std::string name) : name_(std::move(name)) {}

    void operator()(const char* what, std::size_t done, std::size_t all);

private:
    std::string name_;
    stopwatch watch_;
    double last_ = 0.0, start_ = 0.0;
    const char* what_ = nullptr;
};

/// The file that every driver writes in the same form, and what it prints below the table.
struct report {
    std::string exercise, command;
    std::string device{}; ///< beside the processor, if another computes
    json rows = json::array();
    json evidence = json::object();
    std::vector<std::string> details{};

    void write(const std::filesystem::path& file) const;
};

} // namespace homework

#endif
