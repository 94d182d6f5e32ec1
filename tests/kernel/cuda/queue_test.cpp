// SPDX-License-Identifier: Apache-2.0
#include <quantal/kernel/cuda/queue.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>

using namespace quantal;

namespace {

constexpr std::size_t copied = 100;

std::span<std::byte> of(cuda::pinned_memory& m) {
    return {m.data(), copied};
}
void fill(cuda::pinned_memory& m, int value) {
    std::fill_n(m.data(), copied, std::byte(value));
}
bool holds(cuda::pinned_memory& m, int value) {
    return std::count(m.data(), m.data() + copied, std::byte(value)) == std::ptrdiff_t{copied};
}

} // namespace

BOOST_AUTO_TEST_SUITE(cuda_queue)

BOOST_AUTO_TEST_CASE(copies_are_made_in_order) {
    cuda::queue on(0);
    cuda::device_memory a(0, copied), b(0, copied);
    cuda::pinned_memory first(0, copied), second(0, copied), back(0, copied), later(0, copied);
    fill(first, 1);
    fill(second, 2);
    on.upload(of(first), a.data());
    on.upload(of(second), b.data());
    on.download(a.data(), of(back));
    on.upload(of(second), a.data()); // after what went down
    on.download(a.data(), of(later));
    on.wait();
    BOOST_TEST(holds(back, 1));
    BOOST_TEST(holds(later, 2));
}

BOOST_AUTO_TEST_CASE(what_is_recorded_is_copied_at_every_replay) {
    cuda::queue on(0);
    cuda::device_memory there(0, copied);
    cuda::pinned_memory up(0, copied), down(0, copied);
    const cuda::recording copies = on.record([&] {
        on.upload(of(up), there.data());
        on.download(there.data(), of(down));
    });
    for (const int value : {3, 4}) {
        fill(up, value);
        on.replay(copies);
        on.wait();
        BOOST_TEST(holds(down, value));
    }
}

#if !defined(__CUDACC__) // a device may be early
BOOST_AUTO_TEST_CASE(nothing_arrives_before_wait) {
    cuda::queue on(0);
    cuda::device_memory there(0, copied);
    cuda::pinned_memory up(0, copied), down(0, copied);
    fill(up, 5);
    fill(down, 6);
    on.upload(of(up), there.data());
    on.download(there.data(), of(down));
    BOOST_TEST(holds(down, 6));
    on.wait();
    BOOST_TEST(holds(down, 5));
}

BOOST_AUTO_TEST_CASE(what_goes_up_must_not_change_before_wait) {
    cuda::queue on(0);
    cuda::device_memory there(0, copied);
    cuda::pinned_memory up(0, copied);
    fill(up, 7);
    on.upload(of(up), there.data());
    up.data()[copied - 1] = std::byte{8};
    BOOST_CHECK_EXCEPTION(on.wait(), cuda::device_error, [](const cuda::device_error& e) {
        return std::string(e.what()) == "cuda: 100 bytes changed after upload and before wait";
    });
    on.wait();   // it is told once
    fill(up, 9); // and after wait anything may change
    on.wait();
}
#endif

BOOST_AUTO_TEST_SUITE_END()
