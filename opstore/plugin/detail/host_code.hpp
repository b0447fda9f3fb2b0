#pragma once

namespace opstore::plugin::detail {

/// While one exists, this thread is in a function that the host gave along, of its op format or its clock.
/// Such a function must not wait for the plugin, which waits for it.
class host_code {
public:
    host_code() noexcept { ++depth_; }
    ~host_code() { --depth_; }

    host_code(host_code const&) = delete;
    host_code& operator=(host_code const&) = delete;

    static bool on_this_thread() { return depth_ > 0; }

private:
    inline static thread_local int depth_ = 0;
};

}  // namespace opstore::plugin::detail
