#pragma once

#include <opstore/tool/descriptor.hpp>

namespace opstore::tool {

/// While it lives, the first SIGINT or SIGTERM is a request to end in order; the second ends the process.
///
/// At most one at a time.
class interruption {
public:
    interruption();
    ~interruption();
    interruption(interruption const&) = delete;
    interruption& operator=(interruption const&) = delete;

    bool requested() const;
    /// Readable from the first signal on.
    int fd() const { return read_end_.get(); }

private:
    descriptor read_end_, write_end_;
};

}  // namespace opstore::tool
