// SPDX-License-Identifier: Apache-2.0
/// Executes a launch, its threads as fibers. They run in an order drawn from a seed, one until it
/// has to wait; where none can go on, that is an error.
#ifndef QUANTAL_CUDA_HOST_MACHINE_HPP
#define QUANTAL_CUDA_HOST_MACHINE_HPP

#include <quantal/kernel/cuda/grid.hpp>
#include <quantal/kernel/cuda/host/memory.hpp>
#include <quantal/kernel/cuda/host/thread_state.hpp>

#include <algorithm>
#include <numeric>
#include <random>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// A kernel did what no kernel may do: names kernel, seed, block, thread and line.
struct kernel_error : error {
    using error::error;
};

namespace host {

/// A launch of a kernel, and the seed of its order.
struct launch {
    const char* name;
    int threads;
    std::size_t shared_bytes;
    grid_index grid;
    unsigned seed;
};

class machine {
public:
    machine(const launch& l, std::vector<array> arrays, const std::function<void()>& body)
        : launch_(l), global_(std::move(arrays)), shared_(l.shared_bytes), random_(l.seed),
          threads_(static_cast<std::size_t>(l.threads)) {
        for (thread& t : threads_) {
            t.index = static_cast<int>(order_.size());
            t.run = std::make_unique<fiber>([this, body] { live(body); });
            order_.push_back(&t);
        }
        running_ = this;
    }
    ~machine() {
        ending_ = true;
        for (thread& t : threads_)
            resume(t);
        running_ = nullptr;
    }
    machine(const machine&) = delete;
    machine& operator=(const machine&) = delete;

    /// The machine that executes the calling code.
    [[nodiscard]] static machine& running() { return *running_; }

    /// Calls the body once a thread of every block, the blocks in an order drawn from the seed.
    void run() {
        std::vector<int> blocks(static_cast<std::size_t>(launch_.grid.x) *
                                static_cast<std::size_t>(launch_.grid.y));
        std::iota(blocks.begin(), blocks.end(), 0);
        std::shuffle(blocks.begin(), blocks.end(), random_);
        for (const int b : blocks)
            run_block({b % launch_.grid.x, b / launch_.grid.x});
    }

    [[nodiscard]] grid_index grid() const { return launch_.grid; }
    [[nodiscard]] grid_index block() const { return block_; }
    [[nodiscard]] thread& self() { return *self_; }
    [[nodiscard]] shared_memory& shared() { return shared_; }

    /// Throws what the running thread did wrong in `line`.
    template <class... Parts>
    [[noreturn]] void fail(int line, const Parts&... parts) const {
        quantal::detail::fail<kernel_error>("kernel ", launch_.name, ", seed ", launch_.seed,
                                            ", block (", block_.x, ", ", block_.y, "), thread ",
                                            self_->index, ", line ", line, ": ", parts...);
    }

    /// Checks an access of the running thread to any memory.
    void check(const access& a, std::size_t alignment, int line) {
        const char* does = a.is_write ? "writes " : "reads ";
        if (reinterpret_cast<std::uintptr_t>(a.address) % alignment != 0)
            fail(line, does, a.bytes, " bytes at ", a.address, ", which is not aligned to ",
                 alignment, " bytes");
        const std::string why =
            shared_.holds(a.address) ? shared_.note(a, self_->index) : global_.flaw(a);
        if (!why.empty()) fail(line, does, a.bytes, " bytes at ", a.address, ", ", why);
    }

    /// Stops the running thread until all others it meets have come.
    void meet(const meeting& m) {
        self_->at = m;
        self_->state = thread_state::waiting;
        self_->run->suspend();
        if (ending_) throw stopped{};
    }

    /// Meets the warp and returns what each of its lanes brought.
    template <class T>
    [[nodiscard]] std::array<T, warp_size> exchange(const T& value, const char* operation,
                                                    int line) {
        static_assert(sizeof(T) <= sizeof(deposit) && std::is_trivially_copyable_v<T>);
        const std::size_t turn = self_->exchanges++ % 2;
        std::memcpy(self_->deposits[turn].data(), &value, sizeof(T));
        meet({operation, line, false});
        const auto lanes = group_of(*self_, false);
        std::array<T, warp_size> all;
        for (std::size_t lane = 0; lane < all.size(); ++lane)
            std::memcpy(&all[lane], lanes[lane].deposits[turn].data(), sizeof(T));
        return all;
    }

private:
    struct stopped {}; ///< unwinds a thread whose launch ends early

    /// A fiber's life: the body once a block, until the launch ends.
    void live(const std::function<void()>& body) {
        while (!ending_) {
            problem_ = quantal::detail::caught(body);
            if (ending_) return;
            self_->state = thread_state::finished;
            self_->run->suspend();
        }
    }
    void resume(thread& t) {
        self_ = &t;
        t.run->resume();
    }

    void run_block(grid_index b) {
        block_ = b;
        shared_.clear();
        for (thread& t : threads_) {
            t.state = thread_state::ready;
            t.copies.clear();
            t.groups = 0;
            t.exchanges = 0;
        }
        const auto is_finished = [](const thread& t) { return t.state == thread_state::finished; };
        for (run_ready(); !std::all_of(threads_.begin(), threads_.end(), is_finished); run_ready())
            release();
    }
    void run_ready() {
        std::shuffle(order_.begin(), order_.end(), random_);
        for (thread* t : order_) {
            if (t->state != thread_state::ready) continue;
            resume(*t);
            if (problem_) std::rethrow_exception(std::exchange(problem_, nullptr));
        }
    }

    /// Lets those go on who have all met.
    void release() {
        const bool is_barrier = release_if_met(threads_.front(), true);
        if (is_barrier) shared_.pass_barrier();
        bool any = is_barrier;
        for (std::size_t first = 0; first < threads_.size(); first += warp_size)
            any = release_if_met(threads_[first], false) || any;
        if (!any) fail_stuck();
    }
    bool release_if_met(const thread& first, bool of_block) {
        const auto group = group_of(first, of_block);
        const auto has_come = [&](const thread& t) { return t.waits_at(first.at); };
        if (first.at.of_block != of_block || !std::all_of(group.begin(), group.end(), has_come))
            return false;
        for (thread& t : group)
            t.state = thread_state::ready;
        return true;
    }
    /// Some thread waits for one that will not come.
    [[noreturn]] void fail_stuck() {
        self_ = &*std::find_if(threads_.begin(), threads_.end(),
                               [](const thread& t) { return t.state == thread_state::waiting; });
        const meeting at = self_->at;
        const auto group = group_of(*self_, at.of_block);
        const auto absent = std::find_if(group.begin(), group.end(),
                                         [&](const thread& t) { return !t.waits_at(at); });
        fail(at.line, at.operation, " is not reached by thread ", absent->index);
    }
    /// Those whom `t` meets.
    [[nodiscard]] std::span<thread> group_of(const thread& t, bool of_block) {
        if (of_block) return threads_;
        const int first = t.index / warp_size * warp_size;
        return std::span(threads_).subspan(static_cast<std::size_t>(first), warp_size);
    }

    inline static thread_local machine* running_ = nullptr;

    launch launch_;
    grid_index block_{};
    global_memory global_;
    shared_memory shared_;
    std::mt19937 random_;
    std::vector<thread> threads_;
    std::vector<thread*> order_;
    thread* self_ = nullptr;
    std::exception_ptr problem_;
    bool ending_ = false;
};

} // namespace host
} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
