#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace opstore::embedded::detail {

/// One installed PostgreSQL server.
struct server_programs {
    std::filesystem::path directory;  ///< Holds postgres, initdb and pg_ctl.
    int major = 0;                    ///< Such as 15.

    std::string program(char const* name) const { return (directory / name).string(); }
};

/// Those in $OPSTORE_PG_BINDIR if it is set, else among /usr/lib/postgresql/*/bin and the directories of
/// PATH: the ones of version `major` if given, else the newest. Throws if there are none, naming what to
/// install.
server_programs find_server_programs(std::optional<int> major);

}  // namespace opstore::embedded::detail
