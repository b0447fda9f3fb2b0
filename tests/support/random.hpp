#pragma once

#include <opstore/random.hpp>

namespace opstore::testing {

using opstore::random_source;

}  // namespace opstore::testing
