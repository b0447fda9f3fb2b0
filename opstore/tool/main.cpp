// The command line: finds the command, runs it, and says how it ended (docs/command-line.md).
#include <opstore/tool/commands.hpp>
#include <opstore/tool/output.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <map>

namespace opstore::tool {
namespace {

using command_function = exit_code (*)(session&, command_line const&);

std::map<std::string_view, command_function> const commands = {
    {"ingest", run_ingest},
    {"import-git", run_import_git},
    {"get", run_get},
    {"missing", run_missing},
    {"page", run_page},
    {"slice", run_slice},
    {"earliest", run_earliest},
    {"summary", run_summary},
    {"slices list", run_slices_list},
    {"slices get", run_slices_get},
    {"slices put", run_slices_put},
    {"slices count", run_slices_count},
    {"peer", run_peer},
    {"init", run_init},
    {"seal", run_seal},
    {"verify", run_verify},
    {"stat", run_stat},
    {"spaces", run_spaces},
    {"spaces drop", run_spaces_drop},
    {"server start", run_server_start},
    {"server stop", run_server_stop},
    {"server status", run_server_status},
    {"completion", run_completion},
};

exit_code fail(exit_code code, std::string_view message) {
    std::fflush(stdout);
    warn(message);
    return code;
}

/// Precondition: those below `stream` are open, so that it gets its own number back.
void hold_stream(int stream, int mode) {
    if (::fcntl(stream, F_GETFD) == -1)
        ::open("/dev/null", mode);
}

/// The number of a standard stream that the caller closed would go to the next file or socket, which would
/// then be read and written in its place. What gets it here can be neither read nor printed to.
void hold_standard_streams() {
    hold_stream(STDIN_FILENO, O_WRONLY);
    hold_stream(STDOUT_FILENO, O_RDONLY);
    hold_stream(STDERR_FILENO, O_WRONLY);
}

exit_code run(int argc, char const* const* argv) {
    try {
        auto const line = parse_command_line(argc, argv);
        if (line) {
            session s(*line);
            auto const code = commands.at(line->command)(s, *line);
            finish_output();
            return code;
        }
        finish_output();
        return exit_code::ok;
    } catch (command_failure const& e) {
        return fail(e.code(), e.what());
    } catch (store_error const& e) {
        return fail(exit_code_of(e.code()), e.what());
    } catch (refused const& e) {
        return fail(exit_code_of(e.code()), e.what());
    } catch (std::exception const& e) {
        return fail(exit_code::failure, e.what());
    }
}

}  // namespace
}  // namespace opstore::tool

int main(int argc, char** argv) {
    opstore::tool::hold_standard_streams();
    // Whoever started this may have ignored it; then nobody would learn how git ended.
    std::signal(SIGCHLD, SIG_DFL);
    return static_cast<int>(opstore::tool::run(argc, argv));
}
