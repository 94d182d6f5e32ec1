// SPDX-License-Identifier: Apache-2.0
// Counts what `operator new` gives out in this program.
#include <quantal/runtime/cpu/program.hpp>

#include "support/networks.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> allocations{0};

void* allocate(std::size_t size, std::size_t alignment) {
    ++allocations;
    void* p = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    return p ? p : throw std::bad_alloc();
}

} // namespace

void* operator new(std::size_t size) {
    return allocate(size, alignof(std::max_align_t));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return allocate(size, static_cast<std::size_t>(alignment));
}
// Inlined where `new` is not, g++ takes the two for a mismatch.
[[gnu::noinline]] void operator delete(void* p) noexcept {
    std::free(p);
}
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept {
    std::free(p);
}
[[gnu::noinline]] void operator delete(void* p, std::align_val_t) noexcept {
    std::free(p);
}
[[gnu::noinline]] void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
    std::free(p);
}

BOOST_AUTO_TEST_SUITE(cpu_allocation)

BOOST_AUTO_TEST_CASE(a_run_in_a_context_allocates_nothing) {
    using namespace quantal;
    for (const char* kind : networks::kinds)
        for (const int threads : {1, 3}) {
            auto c = networks::make(kind, {.layers = {parse_rule("*1*", "float")}});
            const cpu::program run(quantize(c.network, c.table));
            const std::size_t before_context = allocations;
            auto context = run.context(3, threads);
            BOOST_TEST(allocations > before_context); // the counter counts
            tensor<float> result(run.run(c.images).shape());
            const std::span<const float> images = std::as_const(c.images).values();
            const std::size_t before = allocations;
            for (int repeat = 0; repeat < 3; ++repeat)
                context.run(images, result.values());
            const std::size_t in_runs = allocations - before; // contexts of tests allocate too
            BOOST_TEST_CONTEXT(kind << ", " << threads << " threads") BOOST_TEST(in_runs == 0u);
        }
}

BOOST_AUTO_TEST_SUITE_END()
