#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace opstore::tool {

enum class git_kind { commit, tree, blob, tag };
std::string to_string(git_kind kind);

struct git_object {
    std::string name;  ///< Hex.
    git_kind kind = git_kind::commit;
    /// The author's time of the commit itself, or of the first commit that brought the object, or of the
    /// commit that a tag points at. For what no commit brought: the tagger's, else 0. Seconds since 1970;
    /// none if the commit's cannot be read.
    std::optional<std::int64_t> seconds;
    std::size_t size = 0;            ///< Of the content.
    std::vector<std::byte> content;  ///< Without git's header. Of a tree or blob that is too large: empty.

    git_object() = default;
};

/// Reads every commit that a ref reaches, in the order of `rev-list --reverse --topo-order --all`; with
/// `all_objects` behind each commit the trees and blobs that it was the first to bring, and at last the
/// annotated tags. Trees and blobs of more than `content_bytes_max` bytes come without their content. Holds
/// the names of all objects in memory, and one object.
///
/// `begin` is told the number of objects first. An object that git does not have (a partial clone) goes to
/// `missing`. Throws command_failure: no repository, git failed.
void read_git_history(std::string const& repository, bool all_objects, std::size_t content_bytes_max,
                      std::function<void(std::uint64_t count)> const& begin,
                      std::function<void(git_object)> const& take,
                      std::function<void(std::string const& name)> const& missing);

}  // namespace opstore::tool
