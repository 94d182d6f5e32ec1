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

/// Whether devices are the host runner.
inline constexpr bool is_host_runner = false;

/// As its maker calls it. Throws `device_error` if there is no such device.
[[nodiscard]] inline std::string name_of_device(int device) {
    int count = 0;
    const cudaError_t found = cudaGetDeviceCount(&count);
    if (found != cudaSuccess)
        quantal::detail::fail<device_error>("cuda: there is no device ", device, ": ",
                                            cudaGetErrorString(found));
    if (device < 0 || device >= count)
        quantal::detail::fail<device_error>("cuda: there is no device ", device,
                                            "; this machine has 0 to ", count - 1);
    cudaDeviceProp properties{};
    detail::check(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
    return properties.name;
}

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

/// Bytes of the host that a device copies from and to by itself, beside what the host does.
class pinned_memory {
public:
    pinned_memory(int device, std::size_t bytes) {
        detail::check(cudaSetDevice(device), "cudaSetDevice");
        void* data = nullptr;
        detail::check(cudaHostAlloc(&data, bytes, cudaHostAllocDefault), "cudaHostAlloc");
        data_.reset(data);
    }
    [[nodiscard]] std::byte* data() { return static_cast<std::byte*>(data_.get()); }

private:
    detail::owned<void*, cudaFreeHost> data_;
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
        made_.reset(stream);
        stream_ = stream;
        count_multiprocessors();
    }
    /// In the order of a stream of others (a cudaStream_t), which lives longer.
    queue(int device, void* stream) : device_(device), stream_(static_cast<cudaStream_t>(stream)) {
        select();
        count_multiprocessors();
    }

    /// Those that a launch wants to fill.
    [[nodiscard]] int multiprocessors() const { return multiprocessors_; }

    /// The arrays that the kernel may access are the host runner's.
    template <kernel Kernel>
    void launch(const Kernel& body, grid_index grid, const std::vector<host::array>&) {
        const dim3 blocks(static_cast<unsigned>(grid.x), static_cast<unsigned>(grid.y));
        void* arguments[] = {const_cast<Kernel*>(&body)};
        detail::check(cudaLaunchKernel(&run<Kernel>, blocks, Kernel::threads, arguments,
                                       shared_bytes<Kernel>, stream_),
                      Kernel::name);
    }
    /// `from` may change, and `to` of `download` has its values, after `wait`.
    void upload(std::span<const std::byte> from, std::byte* to) {
        copy(from.data(), to, from.size(), cudaMemcpyHostToDevice);
    }
    void download(const std::byte* from, std::span<std::byte> to) {
        copy(from, to.data(), to.size(), cudaMemcpyDeviceToHost);
    }
    void wait() { detail::check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize"); }

    /// The launches of `f`, to be replayed as often as wanted.
    [[nodiscard]] recording record(const std::function<void()>& f) {
        select();
        detail::check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal),
                      "cudaStreamBeginCapture");
        cudaGraph_t graph = nullptr;
        try {
            f();
        } catch (...) { // the stream shall not go on recording
            (void)cudaStreamEndCapture(stream_, &graph);
            (void)detail::owned<cudaGraph_t, cudaGraphDestroy>(graph);
            throw;
        }
        detail::check(cudaStreamEndCapture(stream_, &graph), "cudaStreamEndCapture");
        const detail::owned<cudaGraph_t, cudaGraphDestroy> source(graph);
        cudaGraphExec_t exec = nullptr;
        detail::check(cudaGraphInstantiate(&exec, graph, 0), "cudaGraphInstantiate");
        return recording(exec);
    }
    void replay(const recording& r) {
        detail::check(cudaGraphLaunch(r.get(), stream_), "cudaGraphLaunch");
    }
    /// The device's own time of what `f` asks of this queue.
    [[nodiscard]] double seconds_of(const std::function<void()>& f) {
        const auto begin = event(), end = event();
        detail::check(cudaEventRecord(begin.get(), stream_), "cudaEventRecord");
        f();
        detail::check(cudaEventRecord(end.get(), stream_), "cudaEventRecord");
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
    void count_multiprocessors() {
        detail::check(
            cudaDeviceGetAttribute(&multiprocessors_, cudaDevAttrMultiProcessorCount, device_),
            "cudaDeviceGetAttribute");
    }
    void select() const { detail::check(cudaSetDevice(device_), "cudaSetDevice"); }
    void copy(const void* from, void* to, std::size_t bytes, cudaMemcpyKind kind) {
        select();
        detail::check(cudaMemcpyAsync(to, from, bytes, kind, stream_), "cudaMemcpyAsync");
    }

    int device_, multiprocessors_ = 0;
    detail::owned<cudaStream_t, cudaStreamDestroy> made_; ///< if it is this queue's own
    cudaStream_t stream_ = nullptr;
};

} // namespace cuda
} // namespace v0
} // namespace quantal

#endif
#endif
