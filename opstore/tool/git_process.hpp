#pragma once

#include <cstdio>
#include <istream>
#include <memory>
#include <string>
#include <vector>

namespace opstore::tool {

/// A file without a name, gone when closed.
using temporary_file = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
temporary_file make_temporary_file();

/// A git command on one repository, whose output is read as a stream.
///
/// Its input is a file, so that neither side ever waits for the other. Variables that point git elsewhere
/// (GIT_DIR and the like) are not passed on.
class git_process {
public:
    /// Throws command_failure if there is no git.
    git_process(std::string const& repository, std::vector<std::string> words, std::FILE* input = nullptr);
    ~git_process();

    std::istream& output();
    /// Waits for the end. Throws command_failure, with git's own words, unless it ended well.
    void finish();

private:
    struct process;
    std::unique_ptr<process> process_;
};

}  // namespace opstore::tool
