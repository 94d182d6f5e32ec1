// SPDX-License-Identifier: Apache-2.0
/// The errors of the library. Every message is one sentence: what was wrong, the value, what is
/// allowed. Programs catch `quantal::error` and end with exit code 2.
#ifndef QUANTAL_ERROR_HPP
#define QUANTAL_ERROR_HPP

#include <quantal/config.hpp>

#include <exception>
#include <sstream>
#include <stdexcept>
#include <string>

namespace quantal {
inline namespace v0 {

/// Base of all errors thrown by quantal.
struct error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A quantization spec that cannot be, or that an operation does not support.
struct spec_error : error {
    using error::error;
};

/// Shapes that do not fit together.
struct shape_error : error {
    using error::error;
};

/// A file or a data set that is truncated, foreign, hostile or too small.
struct data_error : error {
    using error::error;
};

/// A network that cannot be built, loaded, calibrated or lowered; names the layer.
struct graph_error : error {
    using error::error;
};

namespace detail {

/// All parts streamed into one sentence.
template <class... Parts>
[[nodiscard]] std::string sentence(const Parts&... parts) {
    std::ostringstream text;
    (text << ... << parts);
    return text.str();
}

/// Throws `Error` with the sentence of `parts`. Out of line on purpose: the code that builds a
/// message stays out of the functions that check.
template <class Error, class... Parts>
[[noreturn, gnu::noinline, gnu::cold]] void fail(const Parts&... parts) {
    QUANTAL_THROW(Error(sentence(parts...)));
    std::terminate(); // what QUANTAL_THROW does when it returns
}

/// Calls `f` and returns the exception that left it, or nothing. Without exceptions nothing leaves.
template <class F>
[[nodiscard]] std::exception_ptr caught(F&& f) {
#if defined(__cpp_exceptions)
    try {
        f();
    } catch (...) {
        return std::current_exception();
    }
#else
    f();
#endif
    return nullptr;
}

} // namespace detail
} // namespace v0
} // namespace quantal

#endif
