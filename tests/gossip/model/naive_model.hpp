#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace opstore::gossip::testing {

/// What a summary of ops is, written down as kitsune2's documents say it and computed from a list of all ops
/// each time: slow, and without a line of the library. Times are microseconds, ids and hashes strings of
/// bytes; the empty string stands for no ops.
class naive_model {
public:
    struct op {
        std::string id;
        std::int64_t created_at;
    };
    struct slice {
        std::int64_t start;
        std::int64_t end;
    };
    struct layout {
        std::int64_t full_slices = 0;
        std::int64_t boundary = 0;
        std::vector<slice> rings;
    };
    using sectors = std::set<unsigned>;
    using hashes_by_sector = std::map<unsigned, std::string>;

    explicit naive_model(int factor) : factor_(factor) {}

    std::vector<op> ops;

    std::int64_t slice_micros() const;
    layout layout_at(std::int64_t now) const;

    std::string disc_top(sectors const& in, layout const& at) const;
    std::vector<std::string> ring_tops(sectors const& in, layout const& at) const;
    hashes_by_sector disc_by_sector(sectors const& in, layout const& at) const;
    std::map<unsigned, std::map<std::uint64_t, std::string>> disc_by_slice(sectors const& in,
                                                                           layout const& at) const;
    hashes_by_sector ring_by_sector(sectors const& in, layout const& at, std::size_t ring) const;

private:
    int factor_;
};

}  // namespace opstore::gossip::testing
