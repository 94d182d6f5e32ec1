// SPDX-License-Identifier: Apache-2.0
#include <quantal/runtime/cpu/lower_network.hpp>
#include <quantal/runtime/cpu/slot_plan.hpp>

#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

using namespace quantal;
using cpu::slot_index;

namespace {

/// Steps by chance, each reading slots that an earlier one wrote.
cpu::network random_steps(std::mt19937& g) {
    cpu::network net;
    const auto add_slot = [&] {
        const auto pixels = static_cast<std::int64_t>(1 + g() % 300);
        net.slots.push_back({extents{1, 1, pixels}, std::size_t{1 + 3 * (g() % 2)}});
        return net.slots.size() - 1;
    };
    add_slot();
    add_slot();
    const std::size_t steps = 2 + g() % 20;
    for (std::size_t i = 0; i < steps; ++i) {
        const slot_index from = i == 0 ? cpu::images_slot : 2 + g() % (net.slots.size() - 2);
        const slot_index to = i + 1 == steps ? cpu::output_slot : add_slot();
        net.steps.push_back({.kernel = {}, .inputs = {from}, .output = to, .run = {}});
    }
    net.by_image = g() % (steps + 1);
    return net;
}

/// Memory of one slot of one image while some steps run.
struct piece {
    const std::byte *begin, *end;
    std::size_t first, last;
    std::int64_t image;
};

bool collide(const piece& a, const piece& b) {
    return a.begin < b.end && b.begin < a.end && a.first <= b.last && b.first <= a.last;
}

/// What an image needs in the slots `slots`, `index` images behind their first one.
void add_pieces(const cpu::network& net, std::span<std::byte* const> slots, std::int64_t image,
                std::size_t index, bool is_alone, std::vector<piece>& pieces) {
    for (slot_index s = 2; s < slots.size(); ++s) {
        piece p{nullptr, nullptr, net.steps.size(), 0, image};
        for (std::size_t i = 0; i < net.steps.size(); ++i)
            if (net.steps[i].inputs[0] == s || net.steps[i].output == s) {
                p.first = std::min(p.first, i);
                p.last = std::max(p.last, i);
            }
        // Images that run alone are at any step by image at the same time.
        if (is_alone && p.first < net.by_image) p.first = 0;
        if (is_alone && p.last < net.by_image) p.last = net.by_image - 1;
        p.begin = slots[s] + index * net.slots[s].bytes();
        p.end = p.begin + net.slots[s].bytes();
        pieces.push_back(p);
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(cpu_slot_plan)

BOOST_AUTO_TEST_CASE(what_is_needed_at_the_same_time_lies_apart) {
    auto g = support::generator();
    for (int repeat = 0; repeat < 200; ++repeat) {
        const cpu::network net = random_steps(g);
        const auto batch = static_cast<std::int64_t>(1 + g() % 5);
        const std::size_t workers = 1 + g() % 4;
        const cpu::slot_plan plan(net, batch, workers);
        std::vector<std::byte> memory(plan.bytes());
        std::vector<std::byte*> slots(net.slots.size());
        const auto check = [&](const std::vector<piece>& pieces) {
            for (const piece& a : pieces) {
                BOOST_TEST((a.begin >= memory.data() && a.end <= memory.data() + memory.size()));
                for (const piece& b : pieces)
                    if (a.image != b.image) BOOST_TEST(!collide(a, b));
            }
        };
        const auto images = static_cast<std::size_t>(batch);
        std::vector<piece> alone, together;
        for (std::size_t i = 0; i < std::min(images, workers); ++i) {
            plan.find(memory.data(), static_cast<std::int64_t>(i), i, slots);
            add_pieces(net, slots, static_cast<std::int64_t>(i), 0, true, alone);
        }
        check(alone);
        const std::size_t left = std::min(images, workers);
        plan.find(memory.data(), batch - static_cast<std::int64_t>(left), slots);
        for (std::size_t i = 0; i < left; ++i)
            add_pieces(net, slots, static_cast<std::int64_t>(i), i, false, together);
        check(together);
    }
}

BOOST_AUTO_TEST_CASE(an_image_runs_alone_while_it_is_larger_than_the_weights) {
    cpu::network net;
    net.slots = {{extents{1, 1, 100}, 1}, {extents{1, 1, 10}, 1}, {extents{1, 1, 50}, 1}};
    net.steps.push_back({.kernel = {}, .inputs = {0}, .output = 2, .run = {}, .weight_bytes = 149});
    net.steps.push_back({.kernel = {}, .inputs = {2}, .output = 2, .run = {}});
    net.steps.push_back({.kernel = {}, .inputs = {2}, .output = 1, .run = {}, .weight_bytes = 60});
    BOOST_TEST(cpu::steps_by_image(net) == 2u);
    net.steps[0].weight_bytes = 150;
    BOOST_TEST(cpu::steps_by_image(net) == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
