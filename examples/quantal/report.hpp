// SPDX-License-Identifier: Apache-2.0
/// What the subcommands have in common: options, progress, results as JSON.
#ifndef QUANTAL_EXAMPLES_QUANTAL_REPORT_HPP
#define QUANTAL_EXAMPLES_QUANTAL_REPORT_HPP

#include "../homework/report.hpp"
#include "images.hpp"

#include <functional>
#include <iostream>

namespace command {

using homework::progress_line;
using homework::stopwatch;

/// Options of every subcommand.
struct common_options {
    int threads = 0;
    std::string json{};
    std::vector<std::int64_t> image{};

    void add_to(CLI::App& app) {
        app.add_option("--threads", threads, "0: all cores")->capture_default_str();
        app.add_option("--json", json, "write the results to this file, - for the output");
        app.add_option("--image", image,
                       "channels, height and width of an image, for models that leave them open")
            ->delimiter(',');
    }
    /// Writes the results, if they are wanted.
    void write(const nlohmann::ordered_json& results) const {
        const std::string text = results.dump(2) + '\n';
        if (json == "-")
            std::cout << text;
        else if (!json.empty())
            quantal::io::write_file(json, std::as_bytes(std::span(text)));
    }
    /// Whether results may be printed for people.
    [[nodiscard]] bool tells() const { return json != "-"; }
    [[nodiscard]] network_file read(const std::string& path) const {
        network_file n = read_network(path, image);
        for (const std::string& note : n.notes)
            std::cerr << "quantal: " << path << ": " << note << '\n';
        return n;
    }
};

/// A subcommand: its options are added to the parser, `run` does it.
using subcommand = std::function<void()>;

/// Calls `f(batch)` for the first `count` images (0: all) and tells how far it is.
template <class F>
void for_batches(const data::dataset& set, std::size_t count, const char* what, F&& f) {
    const std::size_t all = count == 0 ? set.size() : std::min(count, set.size());
    progress_line tell("quantal");
    std::size_t done = 0;
    for (const auto& batch : data::loader(set, {.batch_size = 16, .count = all})) {
        f(batch);
        done += batch.labels.size();
        tell(what, done, all);
    }
}

} // namespace command

#endif
