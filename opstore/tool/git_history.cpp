#include <opstore/tool/git_history.hpp>

#include <opstore/tool/exit_code.hpp>
#include <opstore/tool/git_process.hpp>

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstring>
#include <sstream>
#include <string_view>
#include <unordered_map>

namespace opstore::tool {
namespace {

/// A hash as bytes, SHA-1 or SHA-256: a third of the memory of a string.
struct object_name {
    std::array<unsigned char, 32> bytes{};
    std::uint8_t length = 0;

    friend bool operator==(object_name const&, object_name const&) = default;
};

struct name_hash {
    std::size_t operator()(object_name const& name) const {
        std::size_t hash = 0;
        std::memcpy(&hash, name.bytes.data(), sizeof hash);
        return hash;
    }
};

std::optional<object_name> parse_name(std::string_view hex) {
    object_name name;
    if (hex.size() != 40 && hex.size() != 64)
        return std::nullopt;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        auto const [end, error] = std::from_chars(hex.data() + i, hex.data() + i + 2, name.bytes[i / 2], 16);
        if (error != std::errc{} || end != hex.data() + i + 2)
            return std::nullopt;
    }
    name.length = static_cast<std::uint8_t>(hex.size() / 2);
    return name;
}

std::string to_hex(object_name const& name) {
    return fmt::format("{:02x}", fmt::join(name.bytes.data(), name.bytes.data() + name.length, ""));
}

object_name require_name(std::string_view hex) {
    if (auto const name = parse_name(hex))
        return *name;
    throw command_failure(exit_code::failure,
                          fmt::format("git printed '{}' where an object's name belongs", hex));
}

/// The seconds in a line such as "author A. Name <a@b> 1700000000 +0100" of a commit's or tag's header.
std::optional<std::int64_t> header_seconds(std::vector<std::byte> const& content, std::string_view keyword) {
    std::string_view text(reinterpret_cast<char const*>(content.data()), content.size());
    while (!text.empty() && text.front() != '\n') {
        auto const line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (!line.starts_with(keyword))
            continue;
        auto const number = line.substr(std::min(line.rfind('>') + 1, line.size()));
        auto const first = std::min(number.find_first_not_of(' '), number.size());
        std::int64_t seconds = 0;
        auto const read = std::from_chars(number.data() + first, number.data() + number.size(), seconds);
        return read.ec == std::errc{} ? std::optional(seconds) : std::nullopt;
    }
    return std::nullopt;
}

/// "object <name>" and "type <kind>", the first lines of a tag.
struct tag_target {
    object_name name;
    std::string kind;
};

std::optional<tag_target> read_tag_target(std::vector<std::byte> const& content) {
    std::istringstream text(std::string(reinterpret_cast<char const*>(content.data()), content.size()));
    std::string object, name, type, kind;
    if (!(text >> object >> name >> type >> kind) || object != "object" || type != "type")
        return std::nullopt;
    auto const parsed = parse_name(name);
    return parsed ? std::optional(tag_target{*parsed, kind}) : std::nullopt;
}

class history_reader {
public:
    history_reader(std::string const& repository, std::size_t content_bytes_max,
                   std::function<void(std::uint64_t)> const& begin,
                   std::function<void(git_object)> const& take,
                   std::function<void(std::string const&)> const& missing)
        : repository_(repository),
          content_bytes_max_(content_bytes_max),
          begin_(begin),
          take_(take),
          missing_(missing) {}

    void read(bool all_objects) {
        list_commits();
        if (all_objects) {
            list_what_commits_brought();
            list_what_only_tags_reach();
        }
        begin_(brought_.size() + rest_.size());
        read_brought();
        read_rest();
    }

private:
    /// The commits, each its own bringer.
    void list_commits() {
        git_process git(repository_, {"rev-list", "--reverse", "--topo-order", "--all"});
        for (std::string line; std::getline(git.output(), line);)
            commits_.push_back(require_name(line));
        git.finish();
        seconds_.resize(commits_.size());
        for (std::size_t i = 0; i < commits_.size(); ++i)
            note_brought(commits_[i], i);
    }

    void note_brought(object_name const& name, std::size_t commit) {
        if (bringer_.emplace(name, static_cast<std::uint32_t>(commit)).second)
            brought_.push_back(name);
    }

    /// Behind each commit its root tree, and what differs from any of its parents: whatever it brought is
    /// there.
    void list_what_commits_brought() {
        brought_.clear();
        bringer_.clear();
        auto const input = write_names(commits_);
        git_process git(repository_,
                        {"diff-tree", "--stdin", "--always", "--root", "-m", "-r", "-t", "--raw",
                         "--no-abbrev", "--no-renames", "--format=commit %H %T"},
                        input.get());
        std::size_t commit = 0, next = 0;
        for (std::string line; std::getline(git.output(), line);) {
            std::string_view const text(line);
            if (text.starts_with("commit ")) {
                auto const space = text.find(' ', 7);
                auto const name = require_name(text.substr(7, space - 7));
                // A merge is printed once for each parent.
                if (next < commits_.size() && name == commits_[next])
                    commit = next++;
                note_brought(name, commit);
                note_brought(require_name(text.substr(space + 1)), commit);
            } else if (text.starts_with(":")) {
                note_raw_line(text, commit);
            }
        }
        git.finish();
    }

    /// ":old-mode new-mode old-name new-name status\tpath". Mode 160000 names a commit of another repository.
    void note_raw_line(std::string_view line, std::size_t commit) {
        std::array<std::string_view, 4> fields;
        for (auto& field : fields) {
            field = line.substr(0, line.find(' '));
            line.remove_prefix(std::min(field.size() + 1, line.size()));
        }
        if (fields[1] != "160000" && fields[1] != "000000")
            note_brought(require_name(fields[3]), commit);
    }

    void list_what_only_tags_reach() {
        git_process git(repository_, {"rev-list", "--objects", "--all"});
        for (std::string line; std::getline(git.output(), line);) {
            auto const name = require_name(std::string_view(line).substr(0, line.find(' ')));
            if (!bringer_.contains(name))
                rest_.push_back(name);
        }
        git.finish();
    }

    void read_brought() {
        read_objects(brought_, [this](object_name const& name, git_object object) {
            auto const commit = bringer_.at(name);
            if (object.kind == git_kind::commit)
                seconds_[commit] = header_seconds(object.content, "author ");
            object.seconds = seconds_[commit];
            take_(std::move(object));
        });
    }

    /// Tags first: they date what they alone reach.
    void read_rest() {
        std::vector<object_name> others;
        std::vector<std::pair<object_name, git_object>> tags;
        std::unordered_map<object_name, tag_target, name_hash> targets;
        read_objects(rest_, [&](object_name const& name, git_object object) {
            if (object.kind != git_kind::tag) {
                others.push_back(name);
                return;
            }
            if (auto const target = read_tag_target(object.content))
                targets.emplace(name, *target);
            tags.emplace_back(name, std::move(object));
        });
        std::unordered_map<object_name, std::optional<std::int64_t>, name_hash> tagged;
        for (auto& [name, tag] : tags) {
            auto end = name;
            for (auto at = targets.find(end); at != targets.end(); at = targets.find(end))
                end = at->second.name;
            auto const commit = bringer_.find(end);
            tag.seconds = commit != bringer_.end() ? seconds_[commit->second]
                                                   : header_seconds(tag.content, "tagger ").value_or(0);
            if (commit == bringer_.end())
                date_what_hangs_on(end, tag.seconds, tagged);
            take_(std::move(tag));
        }
        read_objects(others, [&](object_name const& name, git_object object) {
            auto const date = tagged.find(name);
            object.seconds = date != tagged.end() ? date->second : 0;
            take_(std::move(object));
        });
    }

    void date_what_hangs_on(object_name const& root, std::optional<std::int64_t> seconds,
                            std::unordered_map<object_name, std::optional<std::int64_t>, name_hash>& tagged) {
        git_process git(repository_, {"rev-list", "--objects", to_hex(root)});
        for (std::string line; std::getline(git.output(), line);)
            tagged.emplace(require_name(std::string_view(line).substr(0, line.find(' '))), seconds);
        git.finish();
    }

    static temporary_file write_names(std::vector<object_name> const& names) {
        auto file = make_temporary_file();
        bool written = true;
        for (object_name const& name : names)
            written = written && std::fputs((to_hex(name) + "\n").c_str(), file.get()) >= 0;
        if (!written || std::fflush(file.get()) != 0)
            throw command_failure(exit_code::failure, "cannot write a temporary file: is the disk full?");
        return file;
    }

    template <class Take>
    void read_objects(std::vector<object_name> const& names, Take take) {
        if (names.empty())
            return;
        auto const input = write_names(names);
        git_process git(repository_, {"cat-file", "--batch", "--buffer"}, input.get());
        for (object_name const& name : names) {
            std::string header;
            if (!std::getline(git.output(), header))
                break;
            auto object = read_object(git.output(), header);
            if (object)
                take(name, std::move(*object));
            else
                missing_(to_hex(name));
        }
        git.finish();
    }

    /// "<name> <kind> <size>", content, line break; or "<name> missing".
    std::optional<git_object> read_object(std::istream& in, std::string const& header) const {
        std::istringstream words(header);
        git_object object;
        std::string kind;
        std::size_t size = 0;
        words >> object.name >> kind;
        if (kind == "missing")
            return std::nullopt;
        if (!(words >> size) || (kind != "commit" && kind != "tree" && kind != "blob" && kind != "tag"))
            throw command_failure(exit_code::failure, fmt::format("git cat-file printed '{}'", header));
        object.kind = kind == "commit" ? git_kind::commit
                      : kind == "tree" ? git_kind::tree
                      : kind == "blob" ? git_kind::blob
                                       : git_kind::tag;
        object.size = size;
        bool const skipped =
            size > content_bytes_max_ && (object.kind == git_kind::tree || object.kind == git_kind::blob);
        if (skipped)
            in.ignore(static_cast<std::streamsize>(size));
        else
            object.content.resize(size);
        if (!in.read(reinterpret_cast<char*>(object.content.data()),
                     static_cast<std::streamsize>(object.content.size())) ||
            in.get() != '\n')
            throw command_failure(exit_code::failure,
                                  fmt::format("git cat-file ended within object {}", object.name));
        return object;
    }

    std::string const& repository_;
    std::size_t const content_bytes_max_;
    std::function<void(std::uint64_t)> const& begin_;
    std::function<void(git_object)> const& take_;
    std::function<void(std::string const&)> const& missing_;

    std::vector<object_name> commits_;
    std::vector<std::optional<std::int64_t>> seconds_;  ///< Of each commit, once it was read.
    std::vector<object_name> brought_;                  ///< In the order to be read.
    std::unordered_map<object_name, std::uint32_t, name_hash>
        bringer_;  ///< The commit that brought an object.
    std::vector<object_name> rest_;
};

}  // namespace

std::string to_string(git_kind kind) {
    constexpr std::array names = {"commit", "tree", "blob", "tag"};
    return names[static_cast<std::size_t>(kind)];
}

void read_git_history(std::string const& repository, bool all_objects, std::size_t content_bytes_max,
                      std::function<void(std::uint64_t)> const& begin,
                      std::function<void(git_object)> const& take,
                      std::function<void(std::string const&)> const& missing) {
    history_reader(repository, content_bytes_max, begin, take, missing).read(all_objects);
}

}  // namespace opstore::tool
