#include <tests/gossip/wire/allocated_bytes.hpp>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::uint64_t> allocated{0};

}  // namespace

void* operator new(std::size_t size) {
    allocated += size;
    if (void* const memory = std::malloc(size == 0 ? 1 : size)) {
        return memory;
    }
    throw std::bad_alloc();
}

void operator delete(void* memory) noexcept {
    std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

namespace opstore::testing {

std::uint64_t allocated_bytes() {
    return allocated;
}

}  // namespace opstore::testing
