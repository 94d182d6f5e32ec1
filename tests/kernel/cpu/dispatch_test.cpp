// SPDX-License-Identifier: Apache-2.0
#include <quantal/kernel/cpu/dispatch.hpp>

#include <quantal/error.hpp>

#include <boost/test/unit_test.hpp>

#include <string>

using namespace quantal;

BOOST_AUTO_TEST_SUITE(cpu_dispatch)

#if defined(QUANTAL_DISPATCH)

BOOST_AUTO_TEST_CASE(every_runnable_set_is_found_by_its_name) {
    for (const cpu::kernel_set* kernels : cpu::runnable_kernels())
        BOOST_TEST(&cpu::kernels_named(kernels->name) == kernels);
    BOOST_TEST(&cpu::kernels_named("") == cpu::runnable_kernels().front());
}

BOOST_AUTO_TEST_CASE(an_unknown_name_is_refused_with_the_known_ones) {
    BOOST_CHECK_EXCEPTION((void)cpu::kernels_named("avx9"), spec_error, [](const spec_error& e) {
        const std::string text = e.what();
        return text.find("\"avx9\" are unknown") != text.npos && text.find("generic") != text.npos;
    });
}

#else

BOOST_AUTO_TEST_CASE(the_flags_choose) {
    BOOST_TEST(cpu::default_kernels().name == std::string(cpu::best_arch::name()));
}

#endif

BOOST_AUTO_TEST_SUITE_END()
