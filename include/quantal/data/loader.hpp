// SPDX-License-Identifier: Apache-2.0
/// Batches of a data set, read by background threads while the caller computes.
#ifndef QUANTAL_DATA_LOADER_HPP
#define QUANTAL_DATA_LOADER_HPP

#include <quantal/data/dataset.hpp>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <iterator>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace quantal {
inline namespace v0 {
namespace data {

/// Which images a loader gives, and how. They form a sequence: `order`, or the data set as it is
/// where that is empty; `first` and `count` choose a part of this sequence.
struct load_options {
    static constexpr std::size_t all = static_cast<std::size_t>(-1);

    std::size_t batch_size = 1;
    std::size_t first = 0;
    std::size_t count = all;
    std::size_t threads = 2;
    std::vector<std::size_t> order = {};
};

/// One pass over the images of a loader. Threads take the positions of the sequence one after the
/// other and write into the batches that are open; the caller takes finished batches in order. The
/// number of open batches is fixed, so memory is bounded. If images cannot be read, the error of
/// the first of them is thrown in place of its batch. Destruction stops and joins the threads.
class load_pass {
public:
    /// Throws what `loader` promises; `set` and `options` must outlive the pass.
    load_pass(const dataset& set, const load_options& options)
        : set_(set), options_(options), shape_(set.image_shape()),
          end_(checked_end(set, options)) {
        const std::size_t batch = options_.batch_size;
        for (std::size_t i = 0; i < 1 + (options_.threads + batch - 1) / batch; ++i)
            open_batch();
        for (std::size_t i = 0; i < options_.threads; ++i)
            threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
    }
    load_pass(const load_pass&) = delete;
    load_pass& operator=(const load_pass&) = delete;

    /// Moves the next batch into `out`; false after the last one.
    [[nodiscard]] bool next(batch& out) {
        std::unique_lock lock(mutex_);
        if (open_.empty()) return false;
        changed_.wait(lock, [this] { return open_.front().missing == 0; });
        if (open_.front().error) std::rethrow_exception(open_.front().error);
        out = std::move(open_.front().images);
        open_.pop_front();
        open_batch();
        changed_.notify_all();
        return true;
    }

private:
    struct slot {
        batch images;
        std::size_t missing = 0; ///< images that are not written yet
        std::size_t failed = 0;  ///< position of the error
        std::exception_ptr error;
    };

    /// The end of the chosen part of the sequence.
    static std::size_t checked_end(const dataset& set, const load_options& o) {
        constexpr std::size_t max_threads = 256;
        if (o.batch_size == 0 || o.threads == 0 || o.threads > max_threads)
            detail::fail<data_error>("a loader was given batches of ", o.batch_size, " images and ",
                                     o.threads, " threads; batches hold at least one image, and 1 "
                                     "to ", max_threads, " threads load");
        for (const std::size_t index : o.order)
            if (index >= set.size())
                detail::fail<data_error>("asked for image ", index, ", the set holds ", set.size());
        const std::size_t held = o.order.empty() ? set.size() : o.order.size();
        if (o.first > held)
            detail::fail<data_error>("asked for images from ", o.first, " on, the set holds ",
                                     held);
        const std::size_t count = o.count == load_options::all ? held - o.first : o.count;
        if (count > held - o.first)
            detail::fail<data_error>("asked for ", count, " images",
                                     o.first ? " from " + std::to_string(o.first) + " on" : "",
                                     ", the set holds ", held);
        return o.first + count;
    }

    [[nodiscard]] std::size_t image_at(std::size_t position) const {
        return options_.order.empty() ? position : options_.order[position];
    }

    /// Appends the batch that follows the open ones, if there is one.
    void open_batch() {
        if (opened_ == end_) return;
        const std::size_t count = std::min(options_.batch_size, end_ - opened_);
        slot& added = open_.emplace_back();
        added.images = {tensor<float>(shape_.with_front(static_cast<std::int64_t>(count))),
                        std::vector<int>(count), opened_};
        added.missing = count;
        opened_ += count;
    }

    void work(const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        while (changed_.wait(lock, stop, [this] { return next_ < opened_ || next_ == end_; })) {
            if (stop.stop_requested() || next_ == end_) return;
            const std::size_t position = next_++;
            slot& target =
                open_[(position - open_.front().images.first) / options_.batch_size];
            lock.unlock();
            std::exception_ptr error = read(position, target);
            lock.lock();
            if (error && (!target.error || position < target.failed)) {
                target.error = error;
                target.failed = position;
            }
            if (--target.missing == 0) changed_.notify_all();
        }
    }

    /// Fills one image of `target`; images of one batch are different memory.
    [[nodiscard]] std::exception_ptr read(std::size_t position, slot& target) const noexcept {
        try {
            const std::size_t i = position - target.images.first;
            set_.read(image_at(position),
                      target.images.images.slice(static_cast<std::int64_t>(i)));
            target.images.labels[i] = set_.label(image_at(position));
            return nullptr;
        } catch (...) {
            return std::current_exception();
        }
    }

    const dataset& set_;
    const load_options& options_;
    extents shape_;
    std::size_t end_;
    std::mutex mutex_; ///< guards what follows, except the images of open batches
    std::condition_variable_any changed_;
    std::deque<slot> open_;
    std::size_t opened_ = options_.first; ///< positions before it belong to open or older batches
    std::size_t next_ = options_.first;   ///< the position that the next thread takes
    std::vector<std::jthread> threads_;   ///< last: joined before the rest is destroyed
};

/// A range of batches, in order; the last one may be smaller. Each `begin` starts a pass of its
/// own. The data set must outlive the loader, the loader its iterators.
class loader {
public:
    /// Throws `data_error` where `options` ask for images that the set does not hold.
    loader(const dataset& set, load_options options) : set_(set), options_(std::move(options)) {
        std::ignore = load_pass(set_, with_count_zero());
    }

    class iterator;
    [[nodiscard]] iterator begin() const;
    [[nodiscard]] std::default_sentinel_t end() const { return {}; }

private:
    const dataset& set_;
    load_options options_;
};

} // namespace data
} // namespace v0
} // namespace quantal

#endif
