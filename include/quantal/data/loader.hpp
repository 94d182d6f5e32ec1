// SPDX-License-Identifier: Apache-2.0
/// Batches of a data set, read by background threads while the caller computes.
#ifndef QUANTAL_DATA_LOADER_HPP
#define QUANTAL_DATA_LOADER_HPP

#include <quantal/data/dataset.hpp>
#include <quantal/error.hpp>

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

/// `o` with its count filled in. Throws `data_error` where it asks for images that the set does not
/// hold.
[[nodiscard]] inline load_options checked(const dataset& set, load_options o) {
    constexpr std::size_t max_threads = 256;
    if (o.batch_size == 0 || o.threads == 0 || o.threads > max_threads)
        detail::fail<data_error>("asked for batches of ", o.batch_size, " images and ", o.threads,
                                 " threads; there is at least one image, and 1 to ", max_threads,
                                 " threads");
    for (const std::size_t index : o.order)
        if (index >= set.size())
            detail::fail<data_error>("asked for image ", index, ", the set holds ", set.size());
    const std::size_t held = o.order.empty() ? set.size() : o.order.size();
    const std::size_t rest = held - std::min(o.first, held);
    if (o.count == load_options::all) o.count = rest;
    if (o.first > held || o.count > rest)
        detail::fail<data_error>("asked for ", o.count, " images",
                                 o.first ? " from image " + std::to_string(o.first) + " on" : "",
                                 ", the set holds ", held);
    return o;
}

/// One pass over the images of a loader. Threads take the positions of the sequence one after the
/// other and write into the open batches; the caller takes finished batches in order. The number of
/// open batches is fixed, so memory is bounded. Destruction stops and joins the threads.
class load_pass {
public:
    /// `options` are checked; `set` and `options` must outlive the pass.
    load_pass(const dataset& set, const load_options& options)
        : set_(set), options_(options), shape_(set.image_shape()),
          end_(options.first + options.count), opened_(options.first), next_(options.first) {
        const std::size_t batch_size = options_.batch_size;
        for (std::size_t open = 1 + (options_.threads - 1) / batch_size + 1; open > 0; --open)
            open_batch();
        for (std::size_t i = 0; i < options_.threads; ++i)
            threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
    }
    load_pass(const load_pass&) = delete;
    load_pass& operator=(const load_pass&) = delete;

    /// Makes the next batch current; false after the last one. Where images of it cannot be read,
    /// throws the error of the first of them.
    [[nodiscard]] bool next() {
        std::unique_lock lock(mutex_);
        if (open_.empty()) return false;
        changed_.wait(lock, [this] { return open_.front().missing == 0; });
        if (open_.front().error) std::rethrow_exception(open_.front().error);
        current_ = std::move(open_.front().images);
        open_.pop_front();
        open_batch();
        changed_.notify_all();
        return true;
    }

    [[nodiscard]] batch& current() { return current_; }

private:
    struct slot {
        batch images;
        std::size_t missing = 0; ///< images that are not written yet
        std::size_t failed = 0;  ///< position of the error
        std::exception_ptr error;
    };

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
            slot& target = open_[(position - open_.front().images.first) / options_.batch_size];
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
        return detail::caught([&] {
            const std::size_t i = position - target.images.first;
            set_.read(image_at(position), target.images.images.slice(static_cast<std::int64_t>(i)));
            target.images.labels[i] = set_.label(image_at(position));
        });
    }

    const dataset& set_;
    const load_options& options_;
    extents shape_;
    std::size_t end_;
    batch current_;
    std::mutex mutex_; ///< guards what follows, except the images of open batches
    std::condition_variable_any changed_;
    std::deque<slot> open_;
    std::size_t opened_;                ///< the first position that has no batch yet
    std::size_t next_;                  ///< the position that a thread takes next
    std::vector<std::jthread> threads_; ///< last: joined before the rest is destroyed
};

/// A range of batches, in order; the last one may be smaller. Each `begin` starts a pass of its
/// own. The data set must outlive the loader, the loader its iterators.
class loader {
public:
    /// An input iterator; the batch it refers to may be moved from.
    class iterator {
    public:
        using value_type = batch;
        using difference_type = std::ptrdiff_t;

        iterator() = default;
        explicit iterator(std::unique_ptr<load_pass> pass) : pass_(std::move(pass)) { ++*this; }

        [[nodiscard]] batch& operator*() const { return pass_->current(); }
        [[nodiscard]] batch* operator->() const { return &pass_->current(); }
        iterator& operator++() {
            if (!pass_->next()) pass_.reset();
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(const iterator& i, std::default_sentinel_t) { return !i.pass_; }

    private:
        std::unique_ptr<load_pass> pass_;
    };

    /// Throws `data_error` where `options` ask for images that the set does not hold.
    explicit loader(const dataset& set, load_options options = {})
        : set_(set), options_(checked(set, std::move(options))) {}

    [[nodiscard]] iterator begin() const {
        return iterator(std::make_unique<load_pass>(set_, options_));
    }
    [[nodiscard]] std::default_sentinel_t end() const { return {}; }

private:
    const dataset& set_;
    load_options options_;
};

/// Images `first` to `first + count - 1` of a set, [count, C, H, W].
[[nodiscard]] inline tensor<float> read_all(const dataset& set, std::size_t first = 0,
                                            std::size_t count = load_options::all) {
    const load_options options = checked(
        set, {.batch_size = std::max<std::size_t>(set.size(), 1), .first = first, .count = count});
    const loader one_batch(set, options);
    const auto it = one_batch.begin();
    return it == one_batch.end() ? tensor<float>(set.image_shape().with_front(0))
                                 : std::move(it->images);
}

} // namespace data
} // namespace v0
} // namespace quantal

#endif
