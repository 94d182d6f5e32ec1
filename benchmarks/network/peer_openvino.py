# SPDX-License-Identifier: Apache-2.0
"""OpenVINO. int8: the model of ONNX Runtime's quantizer, whose quantizers OpenVINO turns into its own
kernels. ONEDNN_MAX_CPU_ISA holds it to an instruction set."""
import openvino

import peer


def prepare(folder):
    if not (folder / "int8.onnx").exists():
        raise SystemExit("peer_onnxruntime.py makes the models")


def run(folder, form, batch, threads):
    core = openvino.Core()
    model = core.read_model(folder / f"{form}.onnx")
    images = peer.batch_of(folder, batch)
    model.reshape(images.shape)
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "INFERENCE_PRECISION_HINT": "f32",  # not bfloat16
        "ENABLE_CPU_PINNING": False,
    }
    compiled = core.compile_model(model, "CPU", settings)
    request = compiled.create_infer_request()
    request.set_input_tensor(openvino.Tensor(images, shared_memory=True))

    def infer():
        request.infer()
        return request.get_output_tensor().data

    kernels = {
        str(node.get_rt_info()["primitiveType"].astype(str))
        for node in compiled.get_runtime_model().get_ops()
    }
    peer.serve("OpenVINO", openvino.__version__.split("-")[0], infer, kernels)


if __name__ == "__main__":
    peer.main(prepare, run)
