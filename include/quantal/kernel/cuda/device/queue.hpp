// SPDX-License-Identifier: Apache-2.0
/// Memory and order of a device: a stream, and graphs recorded from it.
#ifndef QUANTAL_CUDA_DEVICE_QUEUE_HPP
#define QUANTAL_CUDA_DEVICE_QUEUE_HPP

#if defined(__CUDACC__)

#include <quantal/kernel/cuda/device/run.hpp>
#include <quantal/kernel/cuda/error.hpp>
#include <quantal/kernel/cuda/host/memory.hpp>

#include <functional>
#include <memory>

namespace quantal {
inline namespace v0 {
namespace cuda {

namespace detail {

inline void check(cudaError_t result, const char* call) {
    if (result != cudaSuccess)
        quantal::detail::fail<device_error>(call, ": ", cudaGetErrorString(result));
}

/// What a call of CUDA made, and the call that ends it.
template <class Handle, cudaError_t (*Destroy)(Handle)>
struct destroyer {
    using pointer = Handle;
    void operator()(Handle handle) const { (void)Destroy(handle); }
};
template <class Handle, cudaError_t (*Destroy)(Handle)>
using owned = std::unique_ptr<Handle, destroyer<Handle, Destroy>>;

} // namespace detail

/// Bytes on a device, not initialized there.
class device_memory {
public:
    device_memory(int device, std::size_t bytes) {
        detail::check(cudaSetDevice(device), "cudaSetDevice");
        void* data = nullptr;
        detail::check(cudaMalloc(&data, bytes), "cudaMalloc");
        data_.reset(data);
    }
    [[nodiscard]] std::byte* data() { return static_cast<std::byte*>(data_.get()); }

private:
    detail::owned<void*, cudaFree> data_;
};

/// What a queue has recorded.
using recording = detail::owned<cudaGraphExec_t, cudaGraphExecDestroy>;

/// Does one thing after the other, beside the host and other queues.
class queue {
public:
    explicit queue(int device) : device_(device) {
        select();
        cudaStream_t stream = nullptr;
        detail::check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking),
                      "cudaStreamCreateWithFlags");
        stream_.reset(stream);
        detail::check(
            cudaDeviceGetAttribute(&multiprocessors_, cudaDevAttrMultiProcessorCount, device),
            "cudaDeviceGetAttribute");
    }

    /// Those that a launch wants to fill.
    [[nodiscard]] int multiprocessors() const { return multiprocessors_; }

    /// The arrays that the kernel may access are the host runner's.
    template <kernel Kernel>
    void launch(const Kernel& body, grid_index grid, const std::vector<host::array>&) {
        const dim3 blocks(static_cast<unsigned>(grid.x), static_cast<unsigned>(grid.y));
        void* arguments[] = {const_cast<Kernel*>(&body)};
        detail::check(cudaLaunchKernel(&run<Kernel>, blocks, Kernel::threads, arguments,
                                       shared_bytes<Kernel>, stream_.get()),
                      Kernel::name);
    }
    void upload(std::span<const std::byte> from, std::byte* to) {
        copy(from.data(), to, from.size(), cudaMemcpyHostToDevice);
    }
    /// `to` has its values after `wait`.
    void download(const std::byte* from, std::span<std::byte> to) {
        copy(from, to.data(), to.size(), cudaMemcpyDeviceToHost);
    }
    void wait() { detail::check(cudaStreamSynchronize(stream_.get()), "cudaStreamSynchronize"); }

    /// The launches of `f`, to be replayed as often as wanted.
    [[nodiscard]] recording record(const std::function<void()>& f) {
        select();
        detail::check(cudaStreamBeginCapture(stream_.get(), cudaStreamCaptureModeThreadLocal),
                      "cudaStreamBeginCapture");
        cudaGraph_t graph = nullptr;
        try {
            f();
        } catch (...) { // the stream shall not go on recording
            (void)cudaStreamEndCapture(stream_.get(), &graph);
            (void)detail::owned<cudaGraph_t, cudaGraphDestroy>(graph);
            throw;
        }
        detail::check(cudaStreamEndCapture(stream_.get(), &graph), "cudaStreamEndCapture");
        const detail::owned<cudaGraph_t, cudaGraphDestroy> source(graph);
        cudaGraphExec_t exec = nullptr;
        detail::check(cudaGraphInstantiate(&exec, graph, 0), "cudaGraphInstantiate");
        return recording(exec);
    }
    void replay(const recording& r) {
        detail::check(cudaGraphLaunch(r.get(), stream_.get()), "cudaGraphLaunch");
    }
    /// The device's own time of what `f` asks of this queue.
    [[nodiscard]] double seconds_of(const std::function<void()>& f) {
        const auto begin = event(), end = event();
        detail::check(cudaEventRecord(begin.get(), stream_.get()), "cudaEventRecord");
        f();
        detail::check(cudaEventRecord(end.get(), stream_.get()), "cudaEventRecord");
        detail::check(cudaEventSynchronize(end.get()), "cudaEventSynchronize");
        float milliseconds = 0;
        detail::check(cudaEventElapsedTime(&milliseconds, begin.get(), end.get()),
                      "cudaEventElapsedTime");
        return 1e-3 * double{milliseconds};
    }

private:
    using owned_event = detail::owned<cudaEvent_t, cudaEventDestroy>;
    [[nodiscard]] owned_event event() const {
        select();
        cudaEvent_t made = nullptr;
        detail::check(cudaEventCreate(&made), "cudaEventCreate");
        return owned_event(made);
    }
    void select() const { detail::check(cudaSetDevice(device_), "cudaSetDevice"); }
    void copy(const void* from, void* to, std::size_t bytes, cudaMemcpyKind kind) {
        select();
        detail::check(cudaMemcpyAsync(to, from, bytes, kind, stream_.get()), "cudaMemcpyAsync");
    }

    int device_, multiprocessors_ = 0;
    detail::owned<cudaStream_t, cudaStreamDestroy> stream_;
};

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
#endif
