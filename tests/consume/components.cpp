// SPDX-License-Identifier: Apache-2.0
#include <quantal/data/loader.hpp>
#include <quantal/data/resize.hpp>
#include <quantal/io/checkpoint.hpp>
#include <quantal/kernel/cpu/dispatch.hpp>

#if defined(ONNX_ML) // of libonnx's target
#include <quantal/onnx/import.hpp>
#endif

int main() {
    if (quantal::cpu::runnable_kernels().empty()) return 1;
    try {
        quantal::io::read_checkpoint("absent.pth");
    } catch (const quantal::data_error&) {
        return 0;
    }
    return 1;
}
