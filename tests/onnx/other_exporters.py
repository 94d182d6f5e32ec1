# SPDX-License-Identifier: Apache-2.0
"""Models as other programs write them, for with_onnxruntime.py:

    other_exporters.py FOLDER

Writes networks of torchvision by both exporters of PyTorch, of Keras by tf2onnx, and those that the
onnx package has from Caffe2; as far as Python has these packages. All weights are random; the
statistics of the batch norms of PyTorch's and Keras's are those of random images, somewhat moved."""
import importlib.util
import pathlib
import sys

import numpy

folder = pathlib.Path(sys.argv[1])
folder.mkdir(exist_ok=True)
random = numpy.random.default_rng(20261125)


def uniform(low, high, shape):
    return random.uniform(low, high, shape).astype(numpy.float32)


def normal(deviation, shape):
    return random.normal(0, deviation, shape).astype(numpy.float32)


def torch_network(name):
    import torch
    import torchvision

    torch.manual_seed(20261125)
    net = torchvision.models.get_model(name, weights=None)
    norms = [m for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for m in norms:
        m.momentum = 1.0
        m.weight.data = torch.from_numpy(uniform(0.5, 1.5, m.num_features))
        m.bias.data = torch.from_numpy(normal(0.3, m.num_features))
    with torch.no_grad():
        net.train()(torch.from_numpy(normal(1, (4, 3, 224, 224))))
    for m in norms:
        m.running_mean += torch.from_numpy(normal(0.1, m.num_features)) * m.running_var.sqrt()
        m.running_var *= torch.from_numpy(uniform(0.75, 1.25, m.num_features))
    return net.eval()


def from_torch():
    import torch

    for name in ("resnet18", "mobilenet_v2", "mobilenet_v3_small", "efficientnet_b0", "densenet121",
                 "squeezenet1_1", "vgg11_bn", "googlenet"):
        net, image = torch_network(name), torch.zeros(2, 3, 224, 224)
        torch.onnx.export(net, (image,), folder / f"torchscript_{name}.onnx", dynamo=False,
                          input_names=["image"], dynamic_axes={"image": {0: "batch"}})
        if name in ("resnet18", "mobilenet_v2", "mobilenet_v3_small"):
            torch.onnx.export(net, (image,), folder / f"dynamo_{name}.onnx", dynamo=True,
                              external_data=False)


def from_keras():
    import tensorflow
    import tf2onnx

    for name in ("MobileNetV2", "MobileNetV3Small", "ResNet50", "DenseNet121"):
        tensorflow.keras.utils.set_random_seed(20261125)
        net = getattr(tensorflow.keras.applications, name)(weights=None)
        norms = [m for m in net.layers if isinstance(m, tensorflow.keras.layers.BatchNormalization)]
        for m in norms:
            m.momentum = 0.0
            m.gamma.assign(uniform(0.5, 1.5, m.gamma.shape))
            m.beta.assign(normal(0.3, m.beta.shape))
        net(normal(1, (4, 224, 224, 3)), training=True)
        for m in norms:
            variance = m.moving_variance.numpy()
            m.moving_mean.assign_add(normal(0.1, variance.shape) * numpy.sqrt(variance))
            m.moving_variance.assign(variance * uniform(0.75, 1.25, variance.shape))
        images = tensorflow.TensorSpec((None, 224, 224, 3), tensorflow.float32, name="image")
        function = tensorflow.function(lambda x, net=net: net(x, training=False), [images])
        tf2onnx.convert.from_function(function, [images], output_path=folder / f"keras_{name}.onnx")


def weights(operator, i, shape):
    """For input `i` of an operator."""
    if operator == "Unsqueeze" or (operator == "BatchNormalization" and i in (1, 4)):
        return uniform(0.5, 1.5, shape)
    if len(shape) > 1 and operator in ("Conv", "Gemm"):
        return normal((2 / numpy.prod(shape[1:])) ** 0.5, shape)
    return normal(0.1, shape)


def from_caffe2():
    """The package's models have their weights, all the same, from ConstantOfShape."""
    import onnx

    models = pathlib.Path(onnx.__file__).parent / "backend/test/data/light"
    for name in ("resnet50", "densenet121", "inception_v2", "squeezenet", "vgg19"):
        model = onnx.load(models / f"light_{name}.onnx")
        graph = model.graph
        shapes = {t.name: onnx.numpy_helper.to_array(t) for t in graph.initializer}
        users = {tensor: (n.op_type, i) for n in graph.node for i, tensor in enumerate(n.input)}
        for n in [n for n in graph.node if n.op_type == "ConstantOfShape"]:
            values = weights(*users[n.output[0]], shapes[n.input[0]])
            graph.initializer.append(onnx.numpy_helper.from_array(values, n.output[0]))
            graph.node.remove(n)
        read = {tensor for n in graph.node for tensor in n.input}
        known = {t.name for t in graph.initializer}
        for unused in [t for t in graph.initializer if t.name not in read]:
            graph.initializer.remove(unused)
        for unused in [i for i in graph.input if i.name in known or i.name not in read]:
            graph.input.remove(unused)
        model.ir_version = 4
        onnx.save(model, folder / f"caffe2_{name}.onnx")


for export, needed in ((from_torch, ("torchvision", "onnxscript")), (from_keras, ("tf2onnx", "tensorflow")),
                       (from_caffe2, ("onnx",))):
    if all(importlib.util.find_spec(package) for package in needed):
        export()
    else:
        print(export.__name__, "needs", " and ".join(needed))
