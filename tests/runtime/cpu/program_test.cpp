// SPDX-License-Identifier: Apache-2.0
#include <quantal/graph/print.hpp>
#include <quantal/runtime/cpu/executor.hpp>
#include <quantal/runtime/cpu/program.hpp>

#include "kernel/cpu/archs.hpp"
#include "support/networks.hpp"
#include "support/random_network.hpp"

#include <boost/test/unit_test.hpp>

#include <thread>

using namespace quantal;

namespace {

/// The first `count` images.
tensor<float> first_images(const tensor<float>& all, std::int64_t count) {
    const extents shape = all.shape().without_front().with_front(count);
    return {shape, {all.values().begin(), all.values().begin() + std::ptrdiff_t(shape.count())}};
}

/// Every code of every point and every output is the reference's, on all kernels.
void check_identical(const networks::calibrated& c, const tensor<float>& images) {
    const program reference = lower(c.network, c.table);
    const integer_network net = quantize(c.network, c.table);
    for (const cpu::kernel_set* kernels : support::built_kernels())
        BOOST_TEST_CONTEXT(kernels->name) {
            const cpu::program run(net, *kernels);
            const auto counts = compare_codes(reference, run, images);
            BOOST_TEST(counts.size() == c.network.points().size());
            for (const auto& [v, count] : counts)
                BOOST_TEST_CONTEXT("node " << c.network.at(v).name)
            BOOST_TEST(count.differing == 0u);
            BOOST_TEST((run.run(images) == reference.run(images)));
        }
}

std::string printed(const graph& net) {
    std::ostringstream text;
    text << net;
    return text.str();
}

} // namespace

BOOST_AUTO_TEST_SUITE(cpu_program)

BOOST_AUTO_TEST_CASE(random_networks_have_identical_codes) {
    auto g = support::generator();
    for (int i = 0; i < 60; ++i) {
        const auto c = support::random_network(g, 2 + i % 9, 1 + i % 3);
        BOOST_TEST_CONTEXT(printed(c.network.net)) check_identical(c, c.images);
    }
}

BOOST_AUTO_TEST_CASE(known_networks_have_identical_codes) {
    for (const char* kind : networks::kinds)
        for (const int bits : {8, 4, 2}) {
            const auto c = networks::make(kind, {weight_spec(bits), activation_spec(bits)});
            BOOST_TEST_CONTEXT(kind << ", " << bits << " bits") check_identical(c, c.images);
        }
}

BOOST_AUTO_TEST_CASE(layers_in_float_among_integers) {
    for (const char* layer :
         {"depthwise", "maxpool", "alone", "shortcut", "add", "mean", "again"}) {
        auto c = networks::make("operators", {.layers = {parse_rule(layer, "float")}});
        networks::make_exact_in_float(c); // any order of float sums gives the same codes
        BOOST_TEST_CONTEXT(layer) check_identical(c, c.images);
    }
}

BOOST_AUTO_TEST_CASE(threads_and_batches_do_not_change_a_bit) {
    auto g = support::generator();
    for (int i = 0; i < 10; ++i) {
        const auto c = support::random_network(g, 8, 5);
        const cpu::program run(quantize(c.network, c.table));
        const tensor<float> all = lower(c.network, c.table).run(c.images);
        for (const int threads : {1, 2, 3, 4})
            for (std::int64_t batch = 1; batch <= 5; ++batch) {
                const auto y = run.run(first_images(c.images, batch), threads);
                BOOST_TEST((y == first_images(all, batch)));
            }
    }
}

BOOST_AUTO_TEST_CASE(more_images_than_a_batch_holds) {
    const auto c = networks::make("resnet20");
    auto g = support::generator();
    const tensor<float> images = support::normal(g, {70, 1, 32, 32});
    const cpu::program run(quantize(c.network, c.table));
    BOOST_TEST((run.run(images) == lower(c.network, c.table).run(images)));
    BOOST_TEST(run.run(tensor<float>({0, 1, 32, 32})).size() == 0u);
}

BOOST_AUTO_TEST_CASE(threads_share_a_program_with_a_context_each) {
    const auto c = networks::make("mobilenet_v2");
    const cpu::program run(quantize(c.network, c.table));
    const tensor<float> expected = run.run(c.images, 1);
    std::vector<tensor<float>> results(4, tensor<float>(expected.shape()));
    {
        std::vector<std::jthread> threads;
        for (auto& result : results)
            threads.emplace_back([&] {
                auto context = run.context(3, 2);
                for (int repeat = 0; repeat < 3; ++repeat)
                    context.run(std::as_const(c.images).values(), result.values());
            });
    }
    for (const auto& result : results)
        BOOST_TEST((result == expected));
}

BOOST_AUTO_TEST_CASE(the_callers_threads_can_do_the_work) {
    struct backwards { // two workers by turns, the last task first
        std::size_t runs = 0;
        [[nodiscard]] std::size_t workers() const { return 2; }
        void run(std::size_t count, task_ref task) {
            ++runs;
            for (std::size_t i = count; i-- > 0;)
                task(i, i % 2);
        }
    };
    const auto c = networks::make("resnet20");
    const cpu::program run(quantize(c.network, c.table));
    const tensor<float> expected = run.run(c.images);
    backwards own;
    auto context = run.context(3, parallel_ref(own));
    tensor<float> result(expected.shape());
    context.run(std::as_const(c.images).values(), result.values());
    BOOST_TEST((result == expected));
    BOOST_TEST(own.runs == run.describe().size());
}

BOOST_AUTO_TEST_CASE(steps_describe_themselves) {
    const auto c = networks::make("resnet20");
    const cpu::program run(quantize(c.network, c.table));
    const auto steps = run.describe();
    std::int64_t operations = 0;
    std::size_t adds = 0;
    for (const auto& s : steps) {
        BOOST_TEST(s.bytes > 0u);
        BOOST_TEST(s.seconds == 0.0);
        adds += s.kernel.ends_with("+ add");
        operations += s.operations;
    }
    BOOST_TEST(adds == 9u); // of the nine blocks, none of them a step of its own
    BOOST_TEST(steps[1].layer == "conv1");
    BOOST_TEST(steps[1].shape == (extents{8, 32, 32}));
    BOOST_TEST(steps[1].operations == 2 * 9 * 8 * 32 * 32);
    BOOST_TEST(steps[1].bytes == 32u * 32u + 9u * 8u + 8u * 32u * 32u);

    auto context = run.context(3, 1);
    tensor<float> result({3, 10});
    context.run(std::as_const(c.images).values(), result.values());
    const auto profiled = run.describe(context);
    double share = 0.0;
    for (const auto& s : profiled)
        share += s.share;
    BOOST_TEST(std::abs(share - 1.0) < 1e-9); // a sum of some 30 doubles
    const std::string table = cpu::print(profiled);
    BOOST_TEST(std::count(table.begin(), table.end(), '\n') == std::ssize(profiled) + 1);
    BOOST_TEST(table.find("layer3.2.add") != table.npos);
}

BOOST_AUTO_TEST_CASE(wrong_sizes_are_refused) {
    const auto c = networks::make("resnet20");
    const cpu::program run(quantize(c.network, c.table));
    BOOST_CHECK_THROW((void)run.run(tensor<float>({1, 3, 32, 32})), shape_error);
    auto context = run.context(2, 1);
    std::vector<float> images(3 * 32 * 32), outputs(30);
    const auto image = std::span<const float>(images).first(32 * 32);
    const auto logits = std::span(outputs).first(10);
    BOOST_CHECK_NO_THROW(context.run(image, logits));
    BOOST_CHECK_THROW(context.run(images, outputs), shape_error);
    BOOST_CHECK_THROW(context.run(image, logits.first(9)), shape_error);
    BOOST_CHECK_THROW(context.run(image.first(7), logits), shape_error);
}

BOOST_AUTO_TEST_SUITE_END()
