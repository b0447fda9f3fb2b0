#pragma once

namespace opstore::tool {

/// From now on the first SIGINT and SIGTERM do not end the process but are seen by interrupted(), and a read
/// that waits for input returns: so that a command can finish what it has begun.
void watch_interrupts();

bool interrupted();

}  // namespace opstore::tool
