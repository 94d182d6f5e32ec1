// SPDX-License-Identifier: Apache-2.0
/// The memory of a kernel on the host, which knows what may be accessed: arrays in global memory,
/// and a block's shared memory with the last accesses of every byte.
#ifndef QUANTAL_CUDA_HOST_MEMORY_HPP
#define QUANTAL_CUDA_HOST_MEMORY_HPP

#include <quantal/error.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace quantal {
inline namespace v0 {
namespace cuda::host {

/// An array that a kernel may read, and write unless its elements are const.
struct array {
    const std::byte* data;
    std::size_t bytes;
    bool is_writable;

    template <class T>
    array(std::span<T> values)
        : data(reinterpret_cast<const std::byte*>(values.data())), bytes(values.size_bytes()),
          is_writable(!std::is_const_v<T>) {}
};

/// Where an access goes, and which.
struct access {
    const void* address;
    std::size_t bytes;
    bool is_write;
    bool is_atomic = false; ///< reads and writes at once
};

/// The arrays that were handed to a kernel.
class global_memory {
public:
    explicit global_memory(std::vector<array> arrays) : arrays_(std::move(arrays)) {}

    /// What is wrong with an access; empty if nothing is.
    [[nodiscard]] std::string flaw(const access& a) const {
        const auto first = address(a.address);
        std::size_t nearest = 0;
        for (std::size_t i = 0; i < arrays_.size(); ++i) {
            const auto begin = address(arrays_[i].data);
            if (begin <= first && first + a.bytes <= begin + arrays_[i].bytes)
                return a.is_write && !arrays_[i].is_writable
                           ? quantal::detail::sentence("byte ", first - begin, " of array ", i,
                                                       ", which may only be read")
                           : std::string{};
            if (distance(first, arrays_[i]) < distance(first, arrays_[nearest])) nearest = i;
        }
        if (arrays_.empty()) return "no array";
        return quantal::detail::sentence(
            "byte ", static_cast<std::int64_t>(first - address(arrays_[nearest].data)),
            " of array ", nearest, ", which has ", arrays_[nearest].bytes, " bytes");
    }

private:
    static std::uintptr_t address(const void* p) { return reinterpret_cast<std::uintptr_t>(p); }
    static std::uintptr_t distance(std::uintptr_t p, const array& a) {
        const auto begin = address(a.data);
        return p < begin ? begin - p : p < begin + a.bytes ? 0 : p - (begin + a.bytes);
    }

    std::vector<array> arrays_;
};

/// The shared memory of one block. An access is a race if another thread wrote the byte, or is
/// about to read what is overwritten, since the last barrier of the block; atomic ones are none
/// among themselves.
class shared_memory {
public:
    explicit shared_memory(std::size_t bytes) : words_((bytes + 15) / 16), states_(bytes) {}

    [[nodiscard]] std::byte* data() { return reinterpret_cast<std::byte*>(words_.data()); }
    [[nodiscard]] bool holds(const void* p) const {
        const auto place = reinterpret_cast<std::uintptr_t>(p);
        const auto begin = reinterpret_cast<std::uintptr_t>(words_.data());
        return place >= begin && place < begin + states_.size();
    }

    /// A new block: nothing has been written.
    void clear() { states_.assign(states_.size(), {}); }
    /// All threads have met.
    void pass_barrier() { ++phase_; }

    /// Notes an access of `thread`; says what is wrong with it, or nothing.
    [[nodiscard]] std::string note(const access& a, int thread) {
        const std::size_t first = offset(a.address);
        if (first + a.bytes > states_.size())
            return quantal::detail::sentence("byte ", first, " of shared memory, which has ",
                                             states_.size(), " bytes");
        for (std::size_t i = first; i < first + a.bytes; ++i)
            if (std::string why = note_byte(i, a, thread); !why.empty()) return why;
        return {};
    }
    /// Notes that a copy of `thread` is on its way to `bytes` bytes, or that it has arrived.
    void await(const void* to, std::size_t bytes, int thread, bool is_pending) {
        const std::size_t first = offset(to);
        for (std::size_t i = first; i < first + bytes; ++i)
            states_[i].pending = is_pending ? thread : none;
    }

private:
    static constexpr int none = -1, many = -2;
    struct alignas(16) word {
        std::byte bytes[16];
    };
    struct state {
        int writer = none, reader = none, pending = none;
        bool is_atomic = false;              ///< what was written since the last barrier
        std::uint64_t written = 0, read = 0; ///< when: how many barriers had been passed
    };

    [[nodiscard]] std::size_t offset(const void* p) const {
        return reinterpret_cast<std::uintptr_t>(p) -
               reinterpret_cast<std::uintptr_t>(words_.data());
    }
    [[nodiscard]] static std::string name_of(int thread) {
        return thread == many ? "other threads" : quantal::detail::sentence("thread ", thread);
    }
    [[nodiscard]] std::string note_byte(std::size_t i, const access& a, int thread) {
        using quantal::detail::sentence;
        state& s = states_[i];
        const bool is_new = s.writer == none || s.written != phase_; // since the last barrier
        const bool by_other = !is_new && s.writer != thread;
        if (s.pending != none)
            return sentence("byte ", i, " of shared memory, to which a copy of thread ", s.pending,
                            " is still on its way");
        if (by_other && !(a.is_atomic && s.is_atomic))
            return sentence("byte ", i, " of shared memory, which ", name_of(s.writer),
                            " wrote with no barrier in between");
        if (s.writer == none && (a.is_atomic || !a.is_write))
            return sentence("byte ", i, " of shared memory, which nothing has written");
        if (a.is_write) {
            if (s.reader != none && s.reader != thread && s.read == phase_)
                return sentence("byte ", i, " of shared memory, which ",
                                s.reader == many ? "other threads" : "another thread",
                                " read with no barrier in between");
            s.is_atomic = a.is_atomic && (is_new || s.is_atomic);
            s.writer = by_other ? many : thread;
            s.written = phase_;
            return {};
        }
        s.reader = s.read != phase_ || s.reader == none || s.reader == thread ? thread : many;
        s.read = phase_;
        return {};
    }

    std::vector<word> words_;
    std::vector<state> states_;
    std::uint64_t phase_ = 0;
};

} // namespace cuda::host
} // namespace v0
} // namespace quantal

#endif
