# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime. int8: bytes by its own quantizer (u8 activations, s8 weights, one scale a channel),
with its fast kernels, which saturate on CPUs without VNNI; int8_exact: with those that do not."""
import onnx
import onnxruntime
from onnxruntime import quantization

import peer
from write_onnx import to_onnx


class Calibration(quantization.CalibrationDataReader):
    def __init__(self, name, images):
        self.batches = iter([{name: images[i : i + 1]} for i in range(len(images))])

    def get_next(self):
        return next(self.batches, None)


def prepare(folder):
    model = to_onnx(peer.nodes_of(folder), peer.parameters_of(folder))
    onnx.save(model, folder / "f32.onnx")
    quantization.quantize_static(
        folder / "f32.onnx",
        folder / "int8.onnx",
        Calibration(model.graph.input[0].name, peer.images_of(folder, "calibration")),
        quant_format=quantization.QuantFormat.QDQ,
        per_channel=True,
        activation_type=quantization.QuantType.QUInt8,
        weight_type=quantization.QuantType.QInt8,
    )


def session(path, threads, exact):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    if exact:
        options.add_session_config_entry("session.x64quantprecision", "1")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def run(folder, form, batch, threads):
    file = folder / ("f32.onnx" if form == "f32" else "int8.onnx")
    network = session(file, threads, form == "int8_exact")
    images = {network.get_inputs()[0].name: peer.batch_of(folder, batch)}
    peer.serve("ONNX Runtime", onnxruntime.__version__, lambda: network.run(None, images)[0])


if __name__ == "__main__":
    peer.main(prepare, run)
