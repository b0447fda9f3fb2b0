#include <opstore/embedded/detail/server_programs.hpp>

#include <opstore/embedded/detail/command.hpp>
#include <opstore/embedded/detail/descriptor.hpp>

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <sstream>
#include <vector>

namespace opstore::embedded::detail {
namespace fs = std::filesystem;
namespace {

std::vector<fs::path> candidate_directories() {
    std::vector<fs::path> found;
    std::error_code none;
    for (auto const& version : fs::directory_iterator("/usr/lib/postgresql", none))
        found.push_back(version.path() / "bin");
    char const* const path = std::getenv("PATH");
    std::istringstream directories(path == nullptr ? "" : path);
    // Through the link, if it is one: initdb looks for postgres beside itself.
    for (std::string directory; std::getline(directories, directory, ':');) {
        auto const initdb = fs::canonical(fs::path(directory) / "initdb", none);
        if (!none)
            found.push_back(initdb.parent_path());
    }
    return found;
}

std::optional<server_programs> examine(fs::path const& directory) {
    server_programs programs{directory, 0};
    for (char const* const name : {"postgres", "initdb", "pg_ctl"}) {
        if (::access(programs.program(name).c_str(), X_OK) != 0)
            return std::nullopt;
    }
    // "postgres (PostgreSQL) 15.20 (Debian ...)"
    auto const answer = run(command(current_user(), {programs.program("postgres"), "--version"})).output;
    constexpr std::string_view before_version = "(PostgreSQL) ";
    auto const at = answer.find(before_version);
    if (at == std::string::npos)
        return std::nullopt;
    auto const* const digits = answer.data() + at + before_version.size();
    std::from_chars(digits, answer.data() + answer.size(), programs.major);
    return programs;
}

std::vector<server_programs> installed_servers() {
    std::vector<server_programs> servers;
    char const* const chosen = std::getenv("OPSTORE_PG_BINDIR");
    if (chosen != nullptr && *chosen != '\0') {
        // The programs run in other directories than this one.
        auto const server = examine(fs::weakly_canonical(fs::absolute(chosen)));
        if (!server)
            fail(fmt::format(
                "OPSTORE_PG_BINDIR is \"{}\", which does not hold PostgreSQL's postgres, initdb and "
                "pg_ctl",
                chosen));
        return {*server};
    }
    for (auto const& directory : candidate_directories()) {
        if (auto server = examine(directory))
            servers.push_back(std::move(*server));
    }
    if (servers.empty())
        fail(
            "PostgreSQL's server programs (postgres, initdb, pg_ctl) are neither in "
            "/usr/lib/postgresql/*/bin nor in "
            "PATH: install the Debian package postgresql (apt-get install postgresql), or set "
            "OPSTORE_PG_BINDIR");
    std::ranges::stable_sort(servers, std::ranges::greater{}, &server_programs::major);
    return servers;
}

}  // namespace

server_programs find_server_programs(std::optional<int> major) {
    auto const servers = installed_servers();
    if (!major)
        return servers.front();
    auto const match = std::ranges::find(servers, *major, &server_programs::major);
    if (match != servers.end())
        return *match;
    fail(fmt::format(
        "the data directory was made by PostgreSQL {}, but only version {} is installed (in \"{}\"): "
        "install the Debian package postgresql-{}, or upgrade the directory with pg_upgrade",
        *major, servers.front().major, servers.front().directory.string(), *major));
}

}  // namespace opstore::embedded::detail
