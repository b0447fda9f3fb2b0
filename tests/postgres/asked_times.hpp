#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>

namespace opstore::testing {

/// What earliest_asker and the test that started it tell each other.
struct asked_times {
    std::atomic<std::int64_t> stored{0};  ///< The earliest time that is known to be stored.
    std::atomic<std::uint64_t> answers{0};
    std::atomic<std::uint64_t> stale_answers{0};  ///< To questions that were asked when `stored` was earlier.
    std::atomic<bool> done{false};
};

/// asked_times in a file, for two processes at once.
class shared_asked_times {
public:
    enum class make { anew, no };

    explicit shared_asked_times(std::string const& path, make how = make::no) {
        int const flags = how == make::anew ? O_CREAT | O_TRUNC : 0;
        int const file = ::open(path.c_str(), O_RDWR | O_CLOEXEC | flags, 0600);
        // A new file is zeros, which is what a new asked_times is.
        if (file < 0 || ::ftruncate(file, sizeof(asked_times)) != 0)
            throw std::system_error(errno, std::generic_category(), path);
        void* const memory =
            ::mmap(nullptr, sizeof(asked_times), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        ::close(file);
        if (memory == MAP_FAILED)
            throw std::system_error(errno, std::generic_category(), path);
        times_ = static_cast<asked_times*>(memory);
    }
    ~shared_asked_times() { ::munmap(times_, sizeof(asked_times)); }
    shared_asked_times(shared_asked_times const&) = delete;
    shared_asked_times& operator=(shared_asked_times const&) = delete;

    asked_times* operator->() const { return times_; }

private:
    asked_times* times_ = nullptr;
};

}  // namespace opstore::testing
