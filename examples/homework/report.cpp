// SPDX-License-Identifier: Apache-2.0
#include "report.hpp"

#include <quantal/io/file.hpp>

#include <cstdio>
#include <fstream>
#include <thread>

#include <sys/resource.h>
#include <unistd.h>

namespace homework {

std::string hardware() {
    std::ifstream info("/proc/cpuinfo");
    std::string name = "unknown processor";
    for (std::string line; std::getline(info, line);)
        if (line.starts_with("model name")) {
            name = line.substr(line.find(": ") + 2);
            break;
        }
    return fmt::format("{}, {} cores", name, std::thread::hardware_concurrency());
}

double peak_megabytes() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

std::string command_line(int argc, char** argv) {
    std::string text = std::filesystem::path(argv[0]).filename().string();
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        text += word.find(' ') == word.npos ? ' ' + word : " \"" + word + '"';
    }
    return text;
}

void progress_line::operator()(const char* what, std::size_t done, std::size_t all) {
    const bool terminal = isatty(STDERR_FILENO) != 0;
    const double now = watch_.seconds();
    if (what != what_) start_ = now;
    if (done < all && what == what_ && now - last_ < (terminal ? 0.2 : 10.0)) return;
    what_ = what;
    last_ = now;
    const double spent = now - start_;
    const double left =
        done > 0 ? spent * static_cast<double>(all - done) / static_cast<double>(done) : 0.0;
    fmt::print(stderr, "{}{}: {} {}/{}, {:.0f} s left{}", terminal ? "\r" : "", name_, what, done,
               all, left, terminal ? "   " : "\n");
    if (terminal && done == all) fmt::print(stderr, "\n");
}

void report::write(const std::filesystem::path& file) const {
    const json all = {{"exercise", exercise},
                      {"hardware", device.empty() ? hardware() : hardware() + "; " + device},
                      {"command", command},
                      {"commit", commit},
                      {"rows", rows},
                      {"evidence", evidence}};
    const std::string text = all.dump(2) + '\n';
    quantal::io::write_file(file, std::as_bytes(std::span(text)));
}

} // namespace homework
