#include <opstore/postgres/detail/delegates.hpp>

#include <sql/statements.hpp>

#include <algorithm>
#include <vector>

namespace opstore::postgres::detail {
namespace {

/// A session may have ended without a word.
std::vector<std::int64_t> living(connection& c, std::vector<std::int64_t> const& delegates) {
    std::vector<std::int64_t> alive;
    if (delegates.empty())
        return alive;
    auto const found = c.execute(sql::living_delegates, parameters().bigint_array(delegates));
    for (std::size_t row = 0; row < found.count(); ++row)
        alive.push_back(found.bigint(row, 0));
    return alive;
}

}  // namespace

std::optional<std::int64_t> lock_against_delegates(connection& c, sql::statement const& lock,
                                                   space_identity space, std::int64_t vouches,
                                                   std::function<bool()> const& contradicts) {
    // Whoever becomes a delegate while this one waits is met behind the lock, so it is a loop. It ends with
    // the call's deadline, if not before: who was recalled does not come back at once.
    for (;;) {
        c.begin();
        auto const row = c.execute(lock, of_space(space));
        if (row.empty()) {
            c.rollback();
            return std::nullopt;
        }
        auto const named = row.bigint_array(0, 0);
        if (std::find(named.begin(), named.end(), vouches) != named.end())
            return vouches;
        auto const alive = living(c, named);
        if (alive.empty() || !contradicts()) {
            if (alive.size() < named.size())
                c.execute(sql::set_delegates, parameters().bigint(space.space_id).bigint_array(alive));
            return alive.empty() ? 0 : alive.front();
        }
        c.rollback();
        c.execute(sql::recall_delegates, parameters().bigint_array(alive));
        c.execute(sql::await_delegates, parameters().bigint_array(alive));
    }
}

}  // namespace opstore::postgres::detail
