// SPDX-License-Identifier: Apache-2.0
/// What a driver leaves behind: the machine it ran on, progress while it runs, and a JSON file.
#ifndef QUANTAL_EXAMPLES_HOMEWORK_REPORT_HPP
#define QUANTAL_EXAMPLES_HOMEWORK_REPORT_HPP

#include "text.hpp"

#include <quantal/io/file.hpp>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <thread>

#include <sys/resource.h>
#include <unistd.h>

namespace homework {

/// The commit that the program was built from, as git describes it.
extern const char* const commit;

/// The processor's name and the number of its cores that this process sees.
[[nodiscard]] inline std::string hardware() {
    std::ifstream info("/proc/cpuinfo");
    std::string name = "unknown processor";
    for (std::string line; std::getline(info, line);)
        if (line.starts_with("model name")) {
            name = line.substr(line.find(": ") + 2);
            break;
        }
    return fmt::format("{}, {} cores", name, std::thread::hardware_concurrency());
}

/// The largest resident size of this process so far, in megabytes (getrusage: kilobytes).
[[nodiscard]] inline double peak_megabytes() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

[[nodiscard]] inline std::string command_line(int argc, char** argv) {
    std::string text = std::filesystem::path(argv[0]).filename().string();
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        text += word.find(' ') == word.npos ? ' ' + word : " \"" + word + '"';
    }
    return text;
}

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

    void operator()(const char* what, std::size_t done, std::size_t all) {
        const bool terminal = isatty(STDERR_FILENO) != 0;
        const double now = watch_.seconds();
        if (what != what_) start_ = now;
        if (done < all && what == what_ && now - last_ < (terminal ? 0.2 : 10.0)) return;
        what_ = what;
        last_ = now;
        const double spent = now - start_;
        const double left =
            done > 0 ? spent * static_cast<double>(all - done) / static_cast<double>(done) : 0.0;
        fmt::print(stderr, "{}{}: {} {}/{}, {:.0f} s left{}", terminal ? "\r" : "", name_, what,
                   done, all, left, terminal ? "   " : "\n");
        if (terminal && done == all) fmt::print(stderr, "\n");
    }

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

    void write(const std::filesystem::path& file) const {
        const json all = {{"exercise", exercise},
                          {"hardware", device.empty() ? hardware() : hardware() + "; " + device},
                          {"command", command},
                          {"commit", commit},
                          {"rows", rows},
                          {"evidence", evidence}};
        const std::string text = all.dump(2) + '\n';
        quantal::io::write_file(file, std::as_bytes(std::span(text)));
    }
};

} // namespace homework

#endif
