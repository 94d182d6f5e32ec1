// SPDX-License-Identifier: Apache-2.0
#include <device.hpp>

#include "support/library_device.hpp"
#include "support/networks.hpp"

#include <boost/test/unit_test.hpp>

using namespace quantal;

BOOST_AUTO_TEST_SUITE(examples_device)

BOOST_AUTO_TEST_CASE(the_cpu_is_no_device) {
    const auto cpu = homework::device_by_name("cpu");
    BOOST_TEST(!cpu.has_value());
    BOOST_TEST(homework::name_of(cpu).starts_with("cpu "));
    BOOST_TEST(homework::hardware_of(cpu).empty());
}

BOOST_AUTO_TEST_CASE(other_texts_are_refused) {
    for (const char* text : {"", "gpu", "CUDA", "cuda:", "cuda:x", "cuda:1x", "cuda: 1", "cuda0"})
        BOOST_TEST_CONTEXT(text)
    BOOST_CHECK_EXCEPTION((void)homework::device_by_name(text), data_error,
                          [&](const data_error& e) {
                              return std::string(e.what()) ==
                                     std::string("--device ") + text +
                                         " is not known; there are cpu, cuda and cuda:N, device "
                                         "number N";
                          });
    BOOST_CHECK_THROW((void)homework::device_by_name("cuda:99"), cuda::device_error);
}

BOOST_AUTO_TEST_CASE(both_engines_give_the_same, *boost::unit_test::label("device")) {
    const homework::cuda_device device = support::library_device();
    BOOST_TEST(homework::device_by_name("cuda:0")->name() == device->name());
    BOOST_TEST(homework::name_of(device) == "cuda " + device->name());
    BOOST_TEST(homework::hardware_of(device).find("CUDA") == 0u);
    const auto c = networks::make("operators");
    const auto images = networks::first_images(c.images, 2);
    const integer_network net = quantize(c.network, c.table);
    const homework::integer_engine cpu(net, {}), cuda(net, device);
    std::size_t codes = 0;
    for (const auto& [v, count] : compare_codes(cpu, cuda, images)) {
        codes += count.codes;
        BOOST_TEST(count.differing == 0u);
    }
    BOOST_TEST(codes > 0u);
    BOOST_TEST((cpu.run(images) == cuda.run(images)));
}

BOOST_AUTO_TEST_SUITE_END()
