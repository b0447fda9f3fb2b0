#include <opstore/tool/git_process.hpp>

#include <opstore/tool/exit_code.hpp>

#include <fmt/format.h>
#include <boost/process.hpp>

#include <cerrno>
#include <cstring>

namespace opstore::tool {
namespace bp = boost::process;
namespace {

/// Whatever GIT_DIR, GIT_CONFIG_COUNT and their like say is not about this repository.
bp::environment clean_environment() {
    bp::environment environment = boost::this_process::environment();
    std::vector<std::string> names;
    for (auto const& entry : environment) {
        if (entry.get_name().starts_with("GIT_"))
            names.push_back(entry.get_name());
    }
    for (std::string const& name : names)
        environment.erase(name);
    environment["GIT_NO_REPLACE_OBJECTS"] = "1";
    environment["LC_ALL"] = "C";
    return environment;
}

std::string first_line(std::FILE* file) {
    std::rewind(file);
    std::string text(512, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), file));
    return text.substr(0, text.find('\n'));
}

}  // namespace

temporary_file make_temporary_file() {
    temporary_file file(std::tmpfile(), &std::fclose);
    if (!file)
        throw command_failure(exit_code::failure,
                              fmt::format("cannot make a temporary file: {}", std::strerror(errno)));
    return file;
}

struct git_process::process {
    temporary_file errors = make_temporary_file();
    bp::ipstream output;
    bp::child child;
    std::string name;
};

git_process::git_process(std::string const& repository, std::vector<std::string> words, std::FILE* input)
    : process_(std::make_unique<process>()) {
    auto const git = bp::search_path("git");
    if (git.empty())
        throw command_failure(exit_code::failure,
                              "import-git needs git, which is not on the PATH (apt-get install git)");
    process_->name = words.front();
    // Reading somebody else's repository runs none of its hooks: being asked for it by name is permission
    // enough.
    std::vector<std::string> arguments = {"-c", "safe.directory=*", "-C", repository};
    arguments.insert(arguments.end(), words.begin(), words.end());
    auto const environment = clean_environment();
    if (input) {
        std::rewind(input);
        process_->child =
            bp::child(git, bp::args(arguments), environment, bp::std_in<input, bp::std_out> process_->output,
                      bp::std_err > process_->errors.get());
    } else {
        process_->child = bp::child(git, bp::args(arguments), environment,
                                    bp::std_in<bp::null, bp::std_out> process_->output,
                                    bp::std_err > process_->errors.get());
    }
}

git_process::~git_process() {
    if (process_->child.running()) {
        std::error_code ignored;
        process_->child.terminate(ignored);
        process_->child.wait(ignored);
    }
}

std::istream& git_process::output() {
    return process_->output;
}

void git_process::finish() {
    process_->child.wait();
    if (process_->child.exit_code() != 0) {
        auto const said = first_line(process_->errors.get());
        throw command_failure(exit_code::failure, fmt::format("git {} failed: {}", process_->name,
                                                              said.empty() ? "no reason given" : said));
    }
}

}  // namespace opstore::tool
