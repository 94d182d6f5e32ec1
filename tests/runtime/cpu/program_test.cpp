// SPDX-License-Identifier: Apache-2.0
#include <quantal/graph/print.hpp>
#include <quantal/runtime/cpu/executor.hpp>
#include <quantal/runtime/cpu/program.hpp>

#include "kernel/cpu/archs.hpp"
#include "support/networks.hpp"
#include "support/random_network.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <thread>

using namespace quantal;

namespace {

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
    for (const char* layer : {"depthwise", "maxpool", "alone", "shortcut", "add", "mean", "again",
                              "slopes", "excited"}) {
        auto c = networks::make("operators", {.layers = {parse_rule(layer, "float")}});
        networks::make_exact_in_float(c); // any order of float sums gives the same codes
        BOOST_TEST_CONTEXT(layer) check_identical(c, c.images);
    }
}

BOOST_AUTO_TEST_CASE(a_program_for_many_images_gives_the_same_codes_as_one_for_one) {
    auto g = support::generator();
    graph net;
    const value y =
        net.conv2d("conv", net.input({64, 5, 5}), {.out_channels = 64, .kernel = 3, .padding = 1});
    net.conv2d("last", net.relu("relu", y), {.out_channels = 3});
    support::randomize(net, g);
    const auto images = support::normal(g, net.input_shape().with_front(3));
    const plan p = place(passes::optimize(std::move(net)), {});
    const integer_network n =
        quantize(p, calibrate(p, reference_executor(p.net), std::vector{images}));
    const auto expected = lower(n).run(images);
    for (const cpu::kernel_set* kernels : support::built_kernels())
        BOOST_TEST_CONTEXT(kernels->name) {
            const cpu::program one(n, *kernels), many(n, *kernels, 32);
            // 36 positions of 4 tiles pay where their weights are read for 12 images at a time.
            if (!kernels->fast_dot4)
                BOOST_TEST(one.describe()[1].kernel != many.describe()[1].kernel);
            BOOST_TEST((one.run(images) == expected));
            BOOST_TEST((many.run(images) == expected));
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
                const auto y = run.run(networks::first_images(c.images, batch), threads);
                BOOST_TEST((y == networks::first_images(all, batch)));
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

BOOST_AUTO_TEST_CASE(layers_with_real_sums_are_the_references) {
    const auto check = [](const char* kind, const char* layer, const char* form) {
        const auto c = networks::make(kind, {.layers = {parse_rule(layer, form)}});
        const integer_network net = quantize(c.network, c.table);
        std::size_t left = 0, steps = 0;
        for (value v = 0; v < c.network.net.size(); ++v)
            left += !cpu::is_for_kernels(net, v);
        for (const auto& s : cpu::program(net).describe())
            steps += s.kernel == "reference";
        BOOST_TEST_CONTEXT(kind << ", " << layer << ' ' << form) {
            BOOST_TEST(left > 0u);
            BOOST_TEST(steps == left);
            check_identical(c, c.images);
        }
    };
    for (const char* form : {"weights only", "dynamic a8", "dynamic 4 symmetric", "w4 group(5)"})
        for (const char* layer : {"*", "odd", "depthwise", "fc?"})
            check("operators", layer, form);
    for (const char* form : {"weights only", "dynamic a8"})
        check("resnet20", "layer2.*.conv2", form); // which adds read
}

namespace {

/// Four threads run a program at once, each on other images, on a batch and threads of its own,
/// with and without a visitor: the bits of one thread.
void check_shared(const networks::calibrated& c) {
    const cpu::program run(quantize(c.network, c.table));
    const std::int64_t count = c.images.shape()[0];
    const tensor<float> expected = run.run(c.images, 1);
    code_hashes hashes;
    (void)run.run(c.images, 1, std::ref(hashes));
    std::atomic<int> wrong{0};
    const auto work = [&](int thread) {
        const std::int64_t images = 1 + thread % count;
        auto context = run.context(images + thread % 2, 1 + thread % 3);
        const tensor<float> x = networks::first_images(c.images, images);
        tensor<float> y(networks::first_images(expected, images).shape());
        for (int repeat = 0; repeat < 3; ++repeat) {
            std::fill(y.values().begin(), y.values().end(), -1.0f);
            context.run(x.values(), y.values());
            wrong += y != networks::first_images(expected, images);
        }
        code_hashes seen;
        wrong += run.run(c.images, 1 + thread % 2, std::ref(seen)) != expected;
        wrong += seen.values() != hashes.values();
    };
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < 4; ++thread)
            threads.emplace_back(work, thread);
    }
    BOOST_TEST(wrong == 0);
}

} // namespace

BOOST_AUTO_TEST_CASE(threads_share_a_program_with_a_context_each) {
    for (const char* kind : {"operators", "resnet18", "mobilenet_v2"})
        BOOST_TEST_CONTEXT(kind) check_shared(networks::make(kind, {w4, a8}));
    check_shared(networks::make("operators", {.layers = {parse_rule("grouped", "weights only"),
                                                         parse_rule("fc1", "dynamic a8"),
                                                         parse_rule("doubled", "float")}}));
    auto g = support::generator();
    for (int i = 0; i < 5; ++i) {
        const auto c = support::random_network(g, 8, 3);
        BOOST_TEST_CONTEXT(printed(c.network.net)) check_shared(c);
    }
}

BOOST_AUTO_TEST_CASE(the_two_networks_of_a_program_share_packed_weights) {
    const auto c = networks::make("resnet20");
    const integer_network n = quantize(c.network, c.table);
    const std::set<value> fused = cpu::fusible_with_add(n);
    BOOST_TEST(fused.size() == 9u);
    cpu::prepared_layers prepared;
    const auto one = cpu::lower_network(n, cpu::default_kernels(), fused, prepared, 1);
    const auto other = cpu::lower_network(n, cpu::default_kernels(), {}, prepared, 1);
    BOOST_TEST(prepared.size() == n.layers().size());
    for (const auto& [v, layer] : prepared)
        BOOST_TEST(layer.use_count() == (fused.contains(v) ? 2 : 3)); // the map's included
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
    // Two images alone, then the third one step by step, as all are from there on.
    BOOST_TEST(own.runs == 1 + run.describe().size());
}

BOOST_AUTO_TEST_CASE(steps_describe_themselves) {
    const auto c = networks::make("resnet20");
    const cpu::program run(quantize(c.network, c.table));
    const auto steps = run.describe();
    std::size_t adds = 0;
    for (const auto& s : steps) {
        BOOST_TEST(s.bytes > 0u);
        BOOST_TEST(s.seconds == 0.0);
        adds += s.kernel.ends_with("+ add");
    }
    BOOST_TEST(adds == 9u); // of the nine blocks, none of them a step of its own
    BOOST_TEST(steps[1].layer == "conv1");
    BOOST_TEST(steps[1].shape == (extents{8, 32, 32}));
    BOOST_TEST(steps[1].operations == 2 * 9 * 8 * 32 * 32);
    // As the kernel reads them: three lines of three weights, each in whole steps of four bytes.
    const bool is_words = steps[1].kernel.find("words") != std::string::npos;
    const auto columns = static_cast<std::size_t>(cpu::rounded_up(8, cpu::default_kernels().lanes));
    BOOST_TEST(steps[1].weight_bytes == columns * 3u * (is_words ? 8u : 4u));
    BOOST_TEST(steps[1].bytes == 32u * 32u + steps[1].weight_bytes + 8u * 32u * 32u);

    auto context = run.context(3, 1);
    tensor<float> result({3, 10});
    for (int repeat = 0; repeat < 2; ++repeat)
        context.run(std::as_const(c.images).values(), result.values());
    BOOST_TEST(context.images() == 6);
    const auto profiled = run.describe(context);
    BOOST_TEST(profiled[1].seconds == context.seconds()[1] / 6.0);
    double share = 0.0;
    for (const auto& s : profiled)
        share += s.share;
    BOOST_TEST(std::abs(share - 1.0) < 1e-9); // a sum of some 30 doubles
    const std::string table = cpu::print(profiled);
    BOOST_TEST(std::count(table.begin(), table.end(), '\n') == std::ssize(profiled) + 1);
    BOOST_TEST(table.find("layer3.2.add") != table.npos);

    const auto totals = cpu::totals_by_kernel(profiled);
    std::size_t all = 0;
    std::int64_t operations = 0;
    share = 0.0;
    for (const auto& t : totals) {
        all += t.steps;
        operations += t.operations;
        share += t.share;
    }
    BOOST_TEST(all == steps.size());
    for (const auto& s : steps)
        operations -= s.operations;
    BOOST_TEST(operations == 0);
    BOOST_TEST(std::abs(share - 1.0) < 1e-9);
    BOOST_TEST(std::is_sorted(totals.begin(), totals.end(),
                              [](const auto& a, const auto& b) { return a.seconds > b.seconds; }));
    const std::string short_table = cpu::print(totals);
    BOOST_TEST(std::count(short_table.begin(), short_table.end(), '\n') == std::ssize(totals) + 1);
    context.reset_seconds();
    for (const auto& s : run.describe(context))
        BOOST_TEST(s.seconds == 0.0);
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
