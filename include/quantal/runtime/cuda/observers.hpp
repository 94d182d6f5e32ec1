// SPDX-License-Identifier: Apache-2.0
/// Observers of values that lie on a device. They give the bits of those in observe/, and become
/// those, to be merged or solved on the host.
#ifndef QUANTAL_RUNTIME_CUDA_OBSERVERS_HPP
#define QUANTAL_RUNTIME_CUDA_OBSERVERS_HPP

#include <quantal/kernel/cuda/histogram.hpp>
#include <quantal/kernel/cuda/moves.hpp>
#include <quantal/kernel/cuda/moving_average.hpp>
#include <quantal/kernel/cuda/queue.hpp>
#include <quantal/observe/moving_average.hpp>
#include <quantal/observe/sketch.hpp>

namespace quantal {
inline namespace v0 {
namespace cuda {

/// An array on a device.
template <class T>
class device_array {
public:
    device_array(int device, std::size_t count)
        : count_(count), memory_(device, count * sizeof(T)) {}

    [[nodiscard]] std::span<T> values() { return {reinterpret_cast<T*>(memory_.data()), count_}; }
    void upload(queue& on, std::span<const T> from) {
        on.upload(std::as_bytes(from), memory_.data());
        on.wait();
    }
    /// The first `count`.
    [[nodiscard]] std::vector<T> download(queue& on, std::size_t count) {
        std::vector<T> result(count);
        on.download(memory_.data(), std::as_writable_bytes(std::span(result)));
        on.wait();
        return result;
    }

private:
    std::size_t count_;
    device_memory memory_;
};

/// The extrema of each update, in order.
class update_extrema {
public:
    update_extrema(queue& on, int device, std::size_t most_updates)
        : on_(on), extrema_(device, most_updates), parts_(device, most_updates * blocks),
          all_(device, 1) {}

    /// Adds `updates` updates of as many values each, which lie one after the other on the device.
    /// All are finite. Throws `shape_error` where there is no room for so many updates, or no
    /// value.
    void observe(std::span<const float> x, std::size_t updates) {
        const std::size_t room = extrema_.values().size() - count_;
        if (updates == 0 || x.empty() || x.size() % updates != 0 || updates > room)
            quantal::detail::fail<shape_error>(x.size(), " values in ", updates,
                                               " updates; there is room for ", room,
                                               ", each of them of as many values, at least one");
        constexpr std::size_t most = 65535; // along y
        const std::size_t each = x.size() / updates;
        for (std::size_t first = 0; first < updates; first += most) {
            const std::size_t count = std::min(most, updates - first);
            add(x.subspan(first * each, count * each), static_cast<int>(count));
        }
    }

    [[nodiscard]] std::span<const extent> values() { return extrema_.values().first(count_); }
    [[nodiscard]] std::vector<range> download() {
        std::vector<range> result;
        for (const extent& e : extrema_.download(on_, count_))
            result.push_back({e[0], e[1]});
        return result;
    }
    /// The extrema of all updates, on the device.
    [[nodiscard]] std::span<const extent> merged() {
        const auto x = values();
        on_.launch(min_max_kernel<extent>{x.data(), std::ssize(x), all_.values().data()}, {1, 1},
                   {x, all_.values()});
        return all_.values();
    }

private:
    static constexpr int blocks = 64; ///< that share an update

    void add(std::span<const float> x, int updates) {
        const auto to = extrema_.values().subspan(count_, static_cast<std::size_t>(updates));
        on_.launch(min_max_kernel<float>{x.data(), std::ssize(x) / updates, parts_.values().data()},
                   {blocks, updates}, {x, parts_.values()});
        on_.launch(min_max_kernel<extent>{parts_.values().data(), blocks, to.data()}, {1, updates},
                   {std::span<const extent>(parts_.values()), to});
        count_ += to.size();
    }

    queue& on_;
    std::size_t count_ = 0;
    device_array<extent> extrema_, parts_, all_;
};

/// `observe::moving_average` of values on a device. The queue has to live as long.
class moving_average {
public:
    moving_average(queue& on, int device, float weight_of_new, std::size_t most_updates)
        : on_(on), weight_of_new_(weight_of_new), seen_(on, device, most_updates),
          value_(device, 1) {}

    void observe(std::span<const float> x, std::size_t updates = 1) { seen_.observe(x, updates); }
    /// After at least one update.
    [[nodiscard]] quantal::range range() {
        const auto x = seen_.values();
        on_.launch(
            moving_average_kernel{x.data(), std::ssize(x), weight_of_new_, value_.values().data()},
            {1, 1}, {x, value_.values()});
        const extent value = value_.download(on_, 1).front();
        return {value[0], value[1]};
    }
    [[nodiscard]] observe::moving_average on_host() { return {weight_of_new_, seen_.download()}; }

private:
    queue& on_;
    float weight_of_new_;
    update_extrema seen_;
    device_array<extent> value_;
};

/// `observe::sketch` of values on a device, with which it shares the form of its bins. The queue
/// has to live as long.
class sketch {
public:
    sketch(queue& on, int device, std::size_t most_updates)
        : on_(on), seen_(on, device, most_updates),
          values_(device, observe::sketch::most_values), counts_{counts(device), counts(device)},
          exponents_{device_array<std::int32_t>(device, 1), device_array<std::int32_t>(device, 1)} {
        static_assert(bins_a_side == observe::sketch::bins_a_side);
        counts_[0].upload(on_, std::vector<std::uint64_t>(places_of_counts));
        exponents_[0].upload(on_, std::array{no_exponent});
    }

    /// As `update_extrema::observe`.
    void observe(std::span<const float> x, std::size_t updates = 1) {
        seen_.observe(x, updates);
        if (!has_bins_ && x.size() <= observe::sketch::most_values - count_) return keep(x);
        widen();
        if (!has_bins_) count(values_.values().first(count_));
        has_bins_ = true;
        count(x);
    }
    [[nodiscard]] observe::sketch on_host() {
        if (!has_bins_) return {seen_.download(), values_.download(on_, count_)};
        std::vector<std::uint64_t> bins = counts_[0].download(on_, places_of_counts);
        const std::uint64_t zeros = bins.back();
        bins.pop_back();
        return {seen_.download(), std::move(bins), zeros, exponents_[0].download(on_, 1).front()};
    }

private:
    [[nodiscard]] static device_array<std::uint64_t> counts(int device) {
        return {device, places_of_counts};
    }
    /// Blocks of `threads` for `count` values.
    [[nodiscard]] grid_index grid(std::int64_t count, int threads) const {
        const auto most = std::int64_t{2} * on_.multiprocessors();
        return {
            static_cast<int>(std::clamp<std::int64_t>((count + threads - 1) / threads, 1, most)),
            1};
    }
    void keep(std::span<const float> x) {
        const auto to = values_.values().subspan(count_, x.size());
        using body = each_kernel<copy_values>;
        on_.launch(body{std::ssize(x), {x.data(), to.data()}}, grid(std::ssize(x), body::threads),
                   {x, to});
        count_ += x.size();
    }
    /// Until all that was seen fits.
    void widen() {
        const auto all = seen_.merged();
        const auto from = counts_[0].values(), to = counts_[1].values();
        const auto before = exponents_[0].values(), after = exponents_[1].values();
        on_.launch(widen_kernel{from.data(), before.data(), all.data(), to.data(), after.data()},
                   grid(places_of_counts, widen_kernel::threads),
                   {std::span<const std::uint64_t>(from), std::span<const std::int32_t>(before),
                    all, to, after});
        std::swap(counts_[0], counts_[1]);
        std::swap(exponents_[0], exponents_[1]);
    }
    void count(std::span<const float> x) {
        const auto exponent = exponents_[0].values();
        const auto to = counts_[0].values();
        on_.launch(histogram_kernel{x.data(), std::ssize(x), exponent.data(), to.data()},
                   grid(std::ssize(x), 16 * histogram_kernel::threads),
                   {x, std::span<const std::int32_t>(exponent), to});
    }

    queue& on_;
    update_extrema seen_;
    device_array<float> values_; ///< until there are too many
    std::size_t count_ = 0;      ///< of them
    bool has_bins_ = false;
    device_array<std::uint64_t> counts_[2];   ///< what is, and room for wider bins
    device_array<std::int32_t> exponents_[2]; ///< of these
};

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
