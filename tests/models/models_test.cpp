// SPDX-License-Identifier: Apache-2.0
#include <quantal/graph/weights.hpp>
#include <quantal/models/metadata.hpp>

#include <boost/test/unit_test.hpp>

using namespace quantal;

namespace {

std::size_t weights(const graph& net) {
    std::size_t count = 0;
    for (const auto& [name, shape] : parameter_shapes(net))
        if (name.find("running_") == name.npos) count += shape.count();
    return count;
}

} // namespace

BOOST_AUTO_TEST_SUITE(models_suite)

// Parameter counts as torchvision documents them (resnet18, vgg16_bn, mobilenet_v2), and He et al.,
// 2016, table 6, in millions (0.27, 0.46, 0.66, 0.85) for the CIFAR networks.
BOOST_AUTO_TEST_CASE(published_networks_have_their_published_size) {
    BOOST_TEST(weights(models::resnet18()) == 11'689'512u);
    BOOST_TEST(weights(models::vgg16_bn()) == 138'365'992u);
    BOOST_TEST(weights(models::mobilenet_v2()) == 3'504'872u);
    BOOST_TEST(weights(models::resnet20()) == 269'722u);
    BOOST_TEST(weights(models::resnet32()) == 464'154u);
    BOOST_TEST(weights(models::resnet44()) == 658'586u);
    BOOST_TEST(weights(models::resnet56()) == 853'018u);
}

BOOST_AUTO_TEST_CASE(names_are_torchvisions) {
    const auto names = [](const graph& net, const char* name) {
        return parameter_shapes(net).contains(name);
    };
    BOOST_TEST(names(models::resnet18(), "layer2.0.downsample.1.running_var"));
    BOOST_TEST(names(models::vgg16_bn(), "features.41.weight"));
    BOOST_TEST(names(models::vgg16_bn(), "classifier.6.bias"));
    BOOST_TEST(names(models::mobilenet_v2(), "features.2.conv.1.1.running_mean"));
    BOOST_TEST(names(models::mobilenet_v2(), "features.18.0.weight"));
    BOOST_TEST(names(models::resnet20(), "layer3.2.bn2.bias"));
}

BOOST_AUTO_TEST_CASE(small_forms) {
    for (const models::entry& e : models::all) {
        models::options o = models::fashion_mnist;
        o.width = 0.5;
        const graph net = e.make(o);
        BOOST_TEST_CONTEXT(e.name) {
            BOOST_TEST(net.input_shape() == (extents{1, 32, 32}));
            BOOST_TEST(net.at(net.output()).shape == (extents{10}));
        }
    }
    const graph net = models::mobilenet_v2(models::fashion_mnist);
    for (const node& n : net.nodes())
        if (n.name == "features.18.0") BOOST_TEST(n.shape == (extents{1280, 4, 4}));
}

BOOST_AUTO_TEST_CASE(same_padding_keeps_every_shape) {
    const graph torch = models::mobilenet_v2();
    const graph tensorflow = models::mobilenet_v2({.same_padding = true});
    BOOST_REQUIRE(torch.size() == tensorflow.size());
    for (value v = 0; v < torch.size(); ++v)
        BOOST_TEST(torch.at(v).shape == tensorflow.at(v).shape);
    BOOST_TEST((tensorflow.at(1).as<op::conv2d>()->padding == padding(0, 0, 1, 1)));
}

BOOST_AUTO_TEST_CASE(an_unknown_name_lists_the_known) {
    BOOST_CHECK_EXCEPTION((void)models::by_name("resnet19", {}), graph_error, [](const error& e) {
        return std::string(e.what()).find("resnet18, resnet20") != std::string::npos;
    });
}

BOOST_AUTO_TEST_CASE(metadata_come_back) {
    const models::description written{"mobilenet_v2",
                                      {.classes = 7,
                                       .channels = 1,
                                       .size = 64,
                                       .width = 0.35,
                                       .stem = models::stem::small,
                                       .same_padding = true}};
    const auto text = to_metadata(written);
    const models::description read = models::from_metadata(text);
    BOOST_TEST(read.name == written.name);
    BOOST_TEST((to_metadata(read) == text));
    BOOST_TEST(read.options.width == 0.35);
    BOOST_TEST(read.options.same_padding);
}

BOOST_AUTO_TEST_CASE(bad_metadata_are_refused) {
    const auto good = models::to_metadata({"resnet18", {}});
    const std::pair<const char*, const char*> damage[] = {
        {"classes", "0"}, {"classes", "12x"}, {"classes", ""},      {"width", "nan"},
        {"size", "-1"},   {"stem", "huge"},   {"same_padding", ""}, {"width", "1e9"}};
    for (const auto& [key, text] : damage) {
        auto bad = good;
        bad[key] = text;
        BOOST_TEST_CONTEXT(key << " = " << text)
        BOOST_CHECK_THROW((void)models::from_metadata(bad), data_error);
        bad.erase(key);
        BOOST_CHECK_THROW((void)models::from_metadata(bad), data_error);
    }
}

BOOST_AUTO_TEST_SUITE_END()
