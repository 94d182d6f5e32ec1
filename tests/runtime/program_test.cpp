// SPDX-License-Identifier: Apache-2.0
#include "support/random.hpp"

#include <quantal/models/by_name.hpp>
#include <quantal/observe/moving_average.hpp>
#include <quantal/passes/optimize.hpp>
#include <quantal/passes/place.hpp>
#include <quantal/runtime/calibrate.hpp>
#include <quantal/runtime/evaluate.hpp>
#include <quantal/runtime/trace.hpp>

#include <boost/test/unit_test.hpp>

using namespace quantal;

namespace {

struct calibrated {
    plan network;
    quantal::table table;
    tensor<float> images;
};

calibrated make(const char* name, const quantization& q = {}) {
    auto g = support::generator();
    models::options o = models::fashion_mnist;
    o.width = 0.25;
    graph net = models::by_name(name, o);
    support::randomize(net, g);
    tensor<float> images = support::normal(g, {5, 1, 32, 32});
    plan p = place(passes::optimize(std::move(net)), q);
    table t = calibrate(p, reference_executor(p.net), std::vector{images});
    return {std::move(p), std::move(t), std::move(images)};
}

/// One linear layer of `in` weights `w` and a bias on inputs with scale 1 and zero point 0.
std::pair<plan, table> one_layer(std::int64_t in, float w, float bias) {
    graph net;
    net.linear("fc", net.input({in}), {.out_features = 1});
    net.parameters["fc.weight"] =
        tensor<float>({1, in}, std::vector<float>(static_cast<std::size_t>(in), w));
    net.parameters["fc.bias"] = tensor<float>({1}, {bias});
    plan p = place(std::move(net));
    table t{.activations = {{"input", {a8, {1.0f}, {0}}}},
            .weights = {{"fc", {w8, {1.0f}, {0}}}},
            .notes = {}};
    return {std::move(p), std::move(t)};
}

bool mentions(const error& e, const std::string& part) {
    BOOST_TEST_MESSAGE(e.what());
    return std::string(e.what()).find(part) != std::string::npos;
}

/// Keeps half of the largest magnitude: nothing that quantal ships.
struct half_of_largest {
    float amax = 0.0f;
    void observe(std::span<const float> values) {
        for (const float v : values)
            amax = std::max(amax, std::abs(v));
    }
    void merge(const half_of_largest& later) { amax = std::max(amax, later.amax); }
    [[nodiscard]] quantal::range range(qspec spec) const {
        return {spec.is_signed() ? -amax / 2 : 0.0f, amax / 2};
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(program_suite)

BOOST_AUTO_TEST_CASE(a_layer_by_hand) {
    auto [p, t] = one_layer(3, 2.0f, 10.0f);
    const program run = lower(p, t);
    const tensor<float> x({2, 3}, {1.0f, 2.0f, 3.0f, 300.0f, -4.0f, 0.5f}); // 255, 0, 0 (even)
    const auto y = run.run(x);
    BOOST_TEST(y[0] == 22.0f);
    BOOST_TEST(y[1] == 520.0f);
}

BOOST_AUTO_TEST_CASE(sums_that_could_leave_int32_are_refused_by_name) {
    auto [fits, t] = one_layer(66051, 127.0f, 0.0f); // 66051 * 255 * 127 = 2,139,061,635
    BOOST_CHECK_NO_THROW((void)lower(fits, t));
    auto [high, t2] = one_layer(66313, 127.0f, 0.0f); // 2,147,546,505 >= 2^31
    BOOST_CHECK_EXCEPTION((void)lower(high, t2), graph_error, [](const error& e) {
        return mentions(e, "layer \"fc\" can reach a sum of 2147546505 in channel 0");
    });
    auto [bias, t3] = one_layer(1, 1.0f, 2e9f);
    BOOST_CHECK_EXCEPTION((void)lower(bias, t3), graph_error,
                          [](const error& e) { return mentions(e, "has the bias 2e+09"); });
}

BOOST_AUTO_TEST_CASE(calibration_raises_the_scale_of_a_channel_whose_bias_does_not_fit) {
    graph net;
    net.linear("fc", net.input({1}), {.out_features = 2});
    net.parameters["fc.weight"] = tensor<float>({2, 1}, {1e-12f, 1.0f});
    net.parameters["fc.bias"] = tensor<float>({2}, {1.0f, 1.0f});
    const plan p = place(net);
    const table t =
        calibrate(p, reference_executor(p.net), std::vector{tensor<float>({1, 1}, {1.0f})});
    BOOST_REQUIRE(t.notes.size() == 1u);
    BOOST_TEST(t.notes[0].find("the bias 1 of channel 0 needs the weight scale") !=
               t.notes[0].npos);
    const auto y = lower(p, t).run(tensor<float>({1, 1}, {1.0f}));
    BOOST_TEST(std::abs(y[0] - 1.0f) < 1e-6f); // the bias keeps 30 bits
    BOOST_TEST(std::abs(y[1] - 2.0f) < 0.01f); // one step of 8-bit codes
}

BOOST_AUTO_TEST_CASE(a_table_that_does_not_fit_is_refused) {
    const calibrated c = make("resnet20");
    const auto refuses = [&](auto&& damage, const char* part) {
        table t = c.table;
        damage(t);
        BOOST_CHECK_EXCEPTION((void)lower(c.network, t), error,
                              [&](const error& e) { return mentions(e, part); });
    };
    refuses([](table& t) { t.activations.erase("conv1"); }, "no activations of layer \"conv1\"");
    refuses([](table& t) { t.weights.erase("conv1"); }, "no weights of layer \"conv1\"");
    refuses([](table& t) { t.activations["conv1"].spec = a4; }, "the plan needs");
    refuses([](table& t) { t.activations["conv1"].scales[0] = 0.0f; }, "at least 2^-63");
    refuses([](table& t) { t.weights["conv1"].scales.pop_back(); }, "scales");
    refuses([](table& t) { t.weights["conv1"].zero_points[0] = 1; }, "zero point 1");
}

BOOST_AUTO_TEST_CASE(threads_and_batches_do_not_change_a_bit) {
    for (const char* name : {"resnet20", "mobilenet_v2"}) {
        const calibrated c = make(name);
        const program run = lower(c.network, c.table);
        code_hashes expected;
        const auto logits = run.run(c.images, 1, std::ref(expected));
        for (const int threads : {2, 3, 8}) {
            code_hashes hashes;
            BOOST_TEST((run.run(c.images, threads, std::ref(hashes)) == logits));
            BOOST_TEST((hashes.values() == expected.values()));
            BOOST_TEST((run.run(c.images, threads) == logits));
        }
        for (std::int64_t i = 0; i < c.images.shape()[0]; ++i) {
            const auto one = c.images.slice(i);
            const auto y = run.run({{1, 1, 32, 32}, {one.begin(), one.end()}});
            BOOST_TEST(std::equal(y.values().begin(), y.values().end(), logits.slice(i).begin()));
        }
    }
}

BOOST_AUTO_TEST_CASE(eight_bits_stay_close_to_float) {
    for (const char* name : {"resnet20", "resnet18", "vgg16_bn", "mobilenet_v2"}) {
        const calibrated c = make(name);
        const program run = lower(c.network, c.table);
        const auto ratios =
            signal_to_noise(c.network, c.table, reference_executor(c.network.net), run, c.images);
        BOOST_TEST(ratios.size() == c.network.points().size());
        // A random network amplifies noise; 15 dB is what is left of about 40 after 50 layers. A
        // wrong formula anywhere gives 0 dB or less.
        for (const auto& [v, decibels] : ratios)
            BOOST_TEST_CONTEXT(name << ' ' << c.network.at(v).name) BOOST_TEST(decibels > 15.0);
    }
}

BOOST_AUTO_TEST_CASE(a_network_in_fixed_point_differs_by_rounding_only) {
    const calibrated c = make("resnet20");
    const program in_float = lower(c.network, c.table);
    const program fixed = lower(c.network, c.table, requantizers::in_fixed_point{});
    std::size_t codes = 0, differing = 0;
    for (const auto& [v, count] : compare_codes(in_float, fixed, c.images)) {
        codes += count.codes;
        differing += count.differing;
    }
    // The float formula rounds a sum of some 16 bits twice by 2^-24 of it; a code's boundary lies
    // between in less than one of 2^10, and differences spread.
    BOOST_TEST(differing < codes / 50);
    const auto ratios =
        signal_to_noise(c.network, c.table, reference_executor(c.network.net), fixed, c.images);
    for (const auto& [v, decibels] : ratios)
        BOOST_TEST_CONTEXT(c.network.at(v).name) BOOST_TEST(decibels > 15.0);
}

BOOST_AUTO_TEST_CASE(sixteen_bits_are_much_closer_to_float) {
    const calibrated c = make("resnet20", {.weights = weight_spec(16), .activations = a16});
    const auto ratios = signal_to_noise(c.network, c.table, reference_executor(c.network.net),
                                        lower(c.network, c.table), c.images);
    for (const auto& [v, decibels] : ratios) // 8 bits more are 48 dB more
        BOOST_TEST_CONTEXT(c.network.at(v).name) BOOST_TEST(decibels > 15.0 + 48.0);
}

/// How much louder the logits of the float network are than their difference from the program's.
double signal_over_noise(const calibrated& c) {
    const auto real = reference_executor(c.network.net)(c.images, {});
    const auto found = lower(c.network, c.table).run(c.images);
    double signal = 0.0, noise = 0.0;
    for (std::size_t i = 0; i < real.size(); ++i) {
        signal += double{real[i]} * real[i];
        noise += std::pow(double{real[i]} - found[i], 2);
    }
    BOOST_TEST(noise > 0.0);
    return signal / noise;
}

BOOST_AUTO_TEST_CASE(every_form_of_integer_weights_stays_close_to_float) {
    for (const char* form : {"weights only", "dynamic a8", "w8 group(16)", "8 affine group(4)"})
        BOOST_TEST_CONTEXT(form) // 15 dB, as above
    BOOST_TEST(signal_over_noise(make("resnet20", {.layers = {parse_rule("*", form)}})) > 30.0);
    // Without noise from activations 4 bits in groups do as well as 8 with it.
    BOOST_TEST(signal_over_noise(make("resnet20", {.weights = parse_spec("w8 group(8)"),
                                                   .layers = {parse_rule("*", "weights only")}})) >
               1000.0);
}

BOOST_AUTO_TEST_CASE(forms_mix_in_one_network_and_threads_change_nothing) {
    const calibrated c = make("resnet20", {.weights = parse_spec("w8 group(8)"),
                                           .layers = {parse_rule("layer1.*", "dynamic a8"),
                                                      parse_rule("layer2.*", "weights only"),
                                                      parse_rule("layer3.1.conv1", "w8")}});
    const program run = lower(c.network, c.table);
    const auto logits = run.run(c.images, 1);
    BOOST_TEST((run.run(c.images, 3) == logits));
    BOOST_TEST(signal_over_noise(c) > 30.0);
}

BOOST_AUTO_TEST_CASE(layers_in_float_mix_with_integers) {
    const calibrated c = make("resnet20", {.layers = {parse_rule("layer2.*", "float")}});
    const auto real = reference_executor(c.network.net)(c.images, {});
    const calibrated f = make("resnet20", {.layers = {parse_rule("*", "float")}});
    BOOST_TEST((lower(f.network, f.table).run(f.images) == real));
    BOOST_TEST(signal_over_noise(c) > 30.0); // 15 dB, as above
}

BOOST_AUTO_TEST_CASE(an_output_that_is_no_weighted_layer_is_codes) {
    graph net;
    const value x = net.input({1, 2, 2});
    net.relu("relu", net.add("add", x, x));
    const plan p = place(net);
    const tensor<float> image({1, 1, 2, 2}, {1.0f, -2.0f, 0.5f, 2.0f});
    const auto y = lower(p, calibrate(p, reference_executor(p.net), std::vector{image})).run(image);
    const float expected[] = {2.0f, 0.0f, 1.0f, 4.0f};
    for (std::size_t i = 0; i < 4; ++i)
        BOOST_TEST(std::abs(y[i] - expected[i]) < 0.05f); // steps of 4/255 in and 8/255 out
}

BOOST_AUTO_TEST_CASE(a_users_observer_calibrates_a_network) {
    const calibrated c = make("resnet20");
    const table t = calibrate(c.network, reference_executor(c.network.net), std::vector{c.images},
                              half_of_largest{});
    for (const auto& [name, params] : t.activations)
        BOOST_TEST_CONTEXT(name) BOOST_TEST(params.scale() < c.table.activations.at(name).scale());
    BOOST_TEST((t.weights.begin()->second == c.table.weights.begin()->second));
}

BOOST_AUTO_TEST_CASE(updates_are_images_in_order) {
    const calibrated c = make("resnet20");
    plan_observer observers(c.network, observe::moving_average{});
    reference_executor executor(c.network.net);
    observers.observe(executor, c.images);
    observers.observe(executor, c.images);
    for (const auto& [v, point] : observers.points()) {
        const auto& updates = point.observers().at(0).updates;
        BOOST_REQUIRE(updates.size() == 10u);
        for (std::size_t i = 0; i < 5; ++i)
            BOOST_TEST((updates[i] == updates[i + 5]));
    }
}

BOOST_AUTO_TEST_CASE(calibration_errors) {
    const calibrated c = make("resnet20");
    BOOST_CHECK_EXCEPTION(
        (void)calibrate(c.network, reference_executor(c.network.net), std::vector<tensor<float>>{}),
        data_error, [](const error& e) { return mentions(e, "was never observed"); });
    tensor<float> bad = c.images;
    bad[7] = std::nanf("");
    BOOST_CHECK_EXCEPTION(
        (void)calibrate(c.network, reference_executor(c.network.net), std::vector{bad}), data_error,
        [](const error& e) { return mentions(e, "\"input\" holds the value nan at element 7"); });
    BOOST_CHECK_THROW((void)lower(c.network, c.table).run(tensor<float>({1, 3, 32, 32})),
                      shape_error);
}

// FNV-1a's published 64-bit test vectors: "" and a single zero byte; four zero bytes are the offset
// times the prime four times.
BOOST_AUTO_TEST_CASE(hashes_are_fnv1a) {
    static_assert(fnv1a{}.value() == 0xcbf29ce484222325u);
    fnv1a zeros;
    zeros.add(std::vector<std::int32_t>{0});
    std::uint64_t expected = 0xcbf29ce484222325u;
    for (int i = 0; i < 4; ++i)
        expected *= 0x100000001b3u;
    BOOST_TEST(zeros.value() == expected);
    fnv1a letters; // one word, "foob" as little-endian bytes
    letters.add(std::vector<std::int32_t>{0x626f6f66});
    std::uint64_t by_hand = 0xcbf29ce484222325u;
    for (const unsigned c : {0x66u, 0x6fu, 0x6fu, 0x62u})
        by_hand = (by_hand ^ c) * 0x100000001b3u;
    BOOST_TEST(letters.value() == by_hand);
    fnv1a negative;
    negative.add(std::vector<std::int32_t>{-1});
    BOOST_TEST(negative.value() != zeros.value());
}

BOOST_AUTO_TEST_CASE(predictions_take_the_lowest_of_equals) {
    BOOST_TEST(predictions(tensor<float>({2, 3}, {1, 5, 5, -1, -1, -1})) ==
                   (std::vector<int>{1, 0}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(comparison_counts_what_differs) {
    const calibrated c = make("resnet20");
    table other = c.table;
    other.activations["avgpool"].scales[0] *= 1.5f;
    const auto counts = compare_codes(lower(c.network, c.table), lower(c.network, other), c.images);
    std::size_t differing = 0;
    for (const auto& [v, count] : counts) {
        BOOST_TEST(count.codes == c.network.at(v).shape.count() * 5);
        if (c.network.at(v).name != "avgpool") BOOST_TEST(count.differing == 0u);
        differing += count.differing;
    }
    BOOST_TEST(differing > 0u);
}

BOOST_AUTO_TEST_CASE(concat_brings_codes_to_one_scale) {
    graph net;
    const value x = net.input({1, 1, 2});
    const value y = net.average_pool("y", x, {.kernel = 1, .stride = 1});
    net.concat("joined", {x, y});
    const plan p = place(net);
    table t;
    t.activations.emplace("input", qparams{a8, {0.5f}, {10}});
    t.activations.emplace("y", qparams{a8, {0.125f}, {0}});
    t.activations.emplace("joined", qparams{a8, {1.0f}, {100}});
    // 2.5 is code 15 at first and 102 joined (a tie, to even), as y it is code 20 and 102 again;
    // -1 is 8, then 99; y has no code for it and holds 0.
    const auto result = lower(p, t).run(tensor<float>({1, 1, 1, 2}, {2.5f, -1.0f}));
    BOOST_TEST(std::as_const(result).values() == (std::vector<float>{2, -1, 2, 0}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
