#pragma once

#include <arc/timestamp.hpp>
#include <opstore/op_store.hpp>

namespace opstore::testing {

/// What a script starts from. Both stores must be empty spaces made with these options (their keys may
/// differ), on one clock that stands at `start`.
struct script_setup {
    space_options options;
    arc::timestamp start;
};

}  // namespace opstore::testing
