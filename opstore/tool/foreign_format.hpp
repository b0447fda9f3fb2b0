#pragma once

#include <opstore/op_format.hpp>

#include <cstddef>
#include <memory>
#include <string>

namespace opstore::tool {

/// The format of a space whose host brought its own, as much of it as the database tells: enough to read what
/// is there. decode() refuses every op, and the whole op is its payload.
std::shared_ptr<const op_format> foreign_format(std::string name, std::size_t id_length);

}  // namespace opstore::tool
