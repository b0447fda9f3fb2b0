#include <opstore/embedded/detail/command.hpp>

#include <opstore/embedded/detail/descriptor.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cassert>
#include <cerrno>
#include <charconv>
#include <csignal>

namespace opstore::embedded::detail {
namespace {

struct pipe_ends {
    descriptor reading;
    descriptor writing;
};

pipe_ends make_pipe() {
    std::array<int, 2> fds{};
    if (::pipe2(fds.data(), O_CLOEXEC) != 0)
        fail_with_errno("cannot make a pipe");
    pipe_ends ends;
    ends.reading = descriptor(fds[0]);
    ends.writing = descriptor(fds[1]);
    return ends;
}

/// Where a program's shell tells how it ended. A host that ignores SIGCHLD, or waits for all children there
/// are, takes that answer away from waitpid().
constexpr int status_number = 3;
constexpr char const* run_and_tell = R"("$@" 3>&-; echo $? >&3)";

/// Frees what posix_spawn's C structures hold.
struct spawn_plan {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;

    spawn_plan() {
        ::posix_spawn_file_actions_init(&files);
        ::posix_spawnattr_init(&attributes);
    }
    spawn_plan(spawn_plan const&) = delete;
    ~spawn_plan() {
        ::posix_spawn_file_actions_destroy(&files);
        ::posix_spawnattr_destroy(&attributes);
    }

    void set_files(int input, int output, int status, int kept_open, std::filesystem::path const& directory) {
        constexpr int kept_number = status_number + 1;
        static_assert(kept_number < descriptor::number_min);
        ::posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
        ::posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
        ::posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
        ::posix_spawn_file_actions_adddup2(&files, status, status_number);
        if (kept_open >= 0)
            ::posix_spawn_file_actions_adddup2(&files, kept_open, kept_number);
        ::posix_spawn_file_actions_addclosefrom_np(&files, kept_open >= 0 ? kept_number + 1 : kept_number);
        ::posix_spawn_file_actions_addchdir_np(&files, directory.c_str());
    }

    /// A host's blocked or ignored signals are its own business, not the server's.
    void reset_signals() {
        sigset_t none, all;
        ::sigemptyset(&none);
        ::sigfillset(&all);
        ::posix_spawnattr_setsigmask(&attributes, &none);
        ::posix_spawnattr_setsigdefault(&attributes, &all);
        ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
};

std::vector<std::string> words_to_spawn(command const& what) {
    std::vector<std::string> words{"/bin/sh", "-c", run_and_tell, "sh"};
    if (::geteuid() == 0 && !what.user.is_root()) {
        words.insert(words.end(), {"setpriv", fmt::format("--reuid={}", what.user.uid),
                                   fmt::format("--regid={}", what.user.gid), "--init-groups", "--"});
    }
    words.insert(words.end(), what.words.begin(), what.words.end());
    return words;
}

int read_status(descriptor const& status, std::string const& program) {
    auto const text = read_all(status);
    int code = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), code).ec != std::errc{})
        fail(fmt::format("cannot learn how {} ended", program));
    return code;
}

/// For those who leave it to us.
void reap(pid_t pid) {
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
}

}  // namespace

command_result run(command const& what) {
    assert(!what.words.empty() && what.input.size() <= command::input_max);
    auto words = words_to_spawn(what);
    std::vector<char*> arguments;
    for (auto& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::string path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                locale = "LC_ALL=C";
    std::array<char*, 3> environment{path.data(), locale.data(), nullptr};

    auto input = make_pipe();
    auto output = make_pipe();
    auto status = make_pipe();
    spawn_plan plan;
    plan.set_files(input.reading.number(), output.writing.number(), status.writing.number(), what.kept_open,
                   what.directory);
    plan.reset_signals();
    write_all(input.writing, what.input);
    pid_t pid = 0;
    int const error = ::posix_spawn(&pid, words.front().c_str(), &plan.files, &plan.attributes,
                                    arguments.data(), environment.data());
    if (error != 0) {
        errno = error;
        fail_with_errno(fmt::format("cannot run {} in \"{}\"", what.words.front(), what.directory.string()));
    }
    input.writing.close();
    output.writing.close();
    status.writing.close();
    command_result result;
    result.output = read_all(output.reading);
    while (result.output.ends_with('\n'))
        result.output.pop_back();
    reap(pid);
    result.exit_code = read_status(status.reading, what.words.front());
    return result;
}

}  // namespace opstore::embedded::detail
