// SPDX-License-Identifier: Apache-2.0
/// What is known of a kernel and of a launch without a device.
#ifndef QUANTAL_BENCHMARKS_GPU_KERNEL_FACTS_HPP
#define QUANTAL_BENCHMARKS_GPU_KERNEL_FACTS_HPP

#include <quantal/kernel/cuda/depthwise.hpp>
#include <quantal/kernel/cuda/product.hpp>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <typeinfo>

#include <cxxabi.h>

namespace benchmarks {

/// What tensor cores multiply.
template <class Operands>
inline constexpr const char* element_of = "int8";
template <>
inline constexpr const char* element_of<quantal::cuda::nibbles_by_nibbles> = "int4";
template <>
inline constexpr const char* element_of<quantal::cuda::halves_by_halves> = "float16";

/// The tile of a product's kernel, and of what it is; none for other kernels.
struct tile_facts {
    quantal::cuda::product_tile tile;
    const char* element;
};
template <class Kernel>
inline constexpr std::optional<tile_facts> tile_of{};
template <quantal::cuda::product_tile T, class Operands, class Rows, class Finish>
inline constexpr std::optional<tile_facts>
    tile_of<quantal::cuda::product_kernel<T, Operands, Rows, Finish>>{{T, element_of<Operands>}};

/// Whether a thread executes every instruction of a kernel about once.
template <class Kernel>
inline constexpr bool is_straight = false;
template <int Stride>
inline constexpr bool is_straight<quantal::cuda::depthwise_kernel<Stride>> = true;

/// Rows by columns by depth, in bytes of x, as tensor cores see them, and the tile.
struct product_facts {
    std::int64_t rows, columns, depth;
    tile_facts tile;
};

struct launch_facts {
    std::string kernel; ///< its type
    int threads;
    std::size_t shared_bytes;
    std::optional<product_facts> product{};
    std::int64_t blocks = 0;
    std::size_t read_bytes = 0, written_bytes = 0; ///< each array once
};

/// The type as a C++ demangler writes it, which is how a binary's functions are told from another.
template <class T>
[[nodiscard]] std::string type_name() {
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> name(
        abi::__cxa_demangle(typeid(T).name(), nullptr, nullptr, &status), std::free);
    return status == 0 ? name.get() : typeid(T).name();
}

template <quantal::cuda::kernel Kernel>
[[nodiscard]] launch_facts facts_of_type() {
    return {type_name<Kernel>(), Kernel::threads, quantal::cuda::shared_bytes<Kernel>};
}
template <quantal::cuda::kernel Kernel>
[[nodiscard]] launch_facts facts_of(const Kernel&) {
    return facts_of_type<Kernel>();
}
template <quantal::cuda::product_tile T, class Operands, class Rows, class Finish>
[[nodiscard]] launch_facts
facts_of(const quantal::cuda::product_kernel<T, Operands, Rows, Finish>& body) {
    auto facts = facts_of_type<quantal::cuda::product_kernel<T, Operands, Rows, Finish>>();
    facts.product = {body.rows, body.w.count, body.depth, {T, element_of<Operands>}};
    return facts;
}

} // namespace benchmarks

#endif
