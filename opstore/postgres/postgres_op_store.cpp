#include <opstore/postgres/postgres_op_store.hpp>

#include <opstore/admission.hpp>
#include <opstore/postgres/detail/connection_pool.hpp>
#include <opstore/postgres/detail/earliest_delegate.hpp>
#include <opstore/postgres/detail/gossip_queries.hpp>
#include <opstore/postgres/detail/held_ids.hpp>
#include <opstore/postgres/detail/ingest_queue.hpp>
#include <opstore/postgres/detail/op_retrieval.hpp>
#include <opstore/postgres/detail/page_queries.hpp>
#include <opstore/postgres/detail/queries.hpp>
#include <opstore/postgres/postgres_database.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace opstore {

using postgres::detail::connection;
using postgres::detail::lane;
using postgres::detail::space_view;

namespace {

/// Up to here a batch is hashed where it is called: quicker than to another thread and back.
constexpr std::size_t inline_admission_bytes_max = 16u << 10;
constexpr std::size_t inline_admission_ops_max = 8;

bool is_small(std::vector<incoming_op> const& ops) {
    std::size_t bytes = 0;
    for (incoming_op const& op : ops)
        bytes += op.data.size();
    return ops.size() <= inline_admission_ops_max && bytes <= inline_admission_bytes_max;
}

arc::timestamp wall_clock() {
    return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

/// The first of several answers.
template <class T>
result<T> first_of(result<std::vector<T>> all) {
    if (!all)
        return all.error();
    return std::move(all->front());
}

/// From here on two connections share a list of ids: each id is a probe of its own in an index.
constexpr std::size_t shared_ids_min = 512;

/// Answers what the two halves of a request answer, one behind the other.
template <class T>
using list_awaitable = boost::asio::awaitable<result<std::vector<T>>>;

template <class T>
list_awaitable<T> joined(list_awaitable<T> front, list_awaitable<T> back) {
    namespace asio = boost::asio;
    auto const executor = co_await asio::this_coro::executor;
    auto both =
        asio::experimental::make_parallel_group(asio::co_spawn(executor, std::move(front), asio::deferred),
                                                asio::co_spawn(executor, std::move(back), asio::deferred));
    auto wait = both.async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
    auto [order, front_error, front_list, back_error, back_list] = co_await std::move(wait);
    // If both failed, what failed first is the cause.
    bool const front_failed = front_error && (order[0] == 0 || !back_error);
    if (auto const error = front_failed ? front_error : back_error)
        std::rethrow_exception(error);
    if (!front_list || !back_list)
        co_return front_list ? back_list : front_list;
    std::move(back_list->begin(), back_list->end(), std::back_inserter(*front_list));
    co_return std::move(front_list);
}

refusal not_in_host_mode() {
    return refusal(errc::invalid_argument, "seal: in slice mode host the host keeps the slice hashes");
}

}  // namespace

postgres_op_store::postgres_op_store(std::shared_ptr<postgres_database> database, std::int64_t space_id,
                                     std::int64_t incarnation, space_options options)
    : database_(std::move(database)),
      space_id_(space_id),
      incarnation_(incarnation),
      options_(std::make_shared<space_options const>(std::move(options))),
      ingest_(postgres::detail::ingest_queue::make(*database_->pool_, *database_->delegate_,
                                                   {space_id, incarnation}, database_->options_.clock,
                                                   database_->options_.group_commit)),
      held_(database_->held_ids_->of({space_id, incarnation})) {}

postgres_op_store::~postgres_op_store() = default;

/// Runs query(connection, space) on the pool. Not a coroutine itself, so the query may be a temporary.
template <class Query>
auto postgres_op_store::run(lane l, deadline until, Query query) {
    space_view const space{{space_id_, incarnation_}, options_->format->id_length(), options_->slice_factor};
    using answer = decltype(query(std::declval<connection&>(), space));
    return database_->pool_->run<answer>(
        l, until, [space, query = std::move(query)](connection& c) { return query(c, space); });
}

boost::asio::awaitable<result<ingest_report>> postgres_op_store::process_incoming_ops(
    std::vector<incoming_op> ops, deadline until) {
    auto const now = database_->options_.clock ? database_->options_.clock() : wall_clock();
    admission admitted;
    if (is_small(ops)) {
        admitted = admit(std::move(ops), *options_, now);
    } else {
        // On a thread of the pool, whose connection it leaves alone: hashing must not hold up the caller's
        // executor. It never runs twice, since nothing in it fails in a way that is tried again.
        auto const batch = std::make_shared<std::vector<incoming_op>>(std::move(ops));
        std::function<admission(connection&)> hash = [batch, space = options_, now](connection&) {
            return admit(std::move(*batch), *space, now);
        };
        admitted = co_await database_->pool_->run<admission>(lane::read, until, std::move(hash));
    }
    if (admitted.ops.empty()) {
        auto const exists = co_await stat(until);
        if (!exists)
            co_return exists.error();
        ingest_report report;
        report.rejected = std::move(admitted.rejected);
        co_return report;
    }
    co_return co_await ingest_->store(std::move(admitted), until);
}

boost::asio::awaitable<result<id_list>> postgres_op_store::retrieve_op_hashes_in_time_slice(
    arc::dht_arc arc, arc::timestamp start, arc::timestamp end, deadline until) {
    return run(lane::read, until, [arc, start, end](connection& c, space_view space) {
        return fetch_time_slice(c, space, arc, {start, end});
    });
}

/// Runs fetch(connection, space, ids) on the pool, for the halves of a long list at once.
template <class Fetch>
auto postgres_op_store::look_up(std::vector<op_id> ids, deadline until, Fetch fetch) {
    auto const start = [&](std::vector<op_id> part) {
        return run(lane::read, until, [fetch, part = std::move(part)](connection& c, space_view space) {
            return fetch(c, space, part);
        });
    };
    if (ids.size() < shared_ids_min)
        return start(std::move(ids));
    auto const half = ids.begin() + static_cast<std::ptrdiff_t>(ids.size() / 2);
    std::vector<op_id> back(half, ids.end());
    ids.erase(half, ids.end());
    auto front = start(std::move(ids));
    return joined(std::move(front), start(std::move(back)));
}

boost::asio::awaitable<result<std::vector<stored_op>>> postgres_op_store::retrieve_ops(std::vector<op_id> ids,
                                                                                       deadline until) {
    return look_up(std::move(ids), until,
                   [held = held_](connection& c, space_view space, std::vector<op_id> const& some) {
                       return postgres::detail::fetch_ops(c, space, *held, some);
                   });
}

boost::asio::awaitable<result<std::vector<op_id>>> postgres_op_store::filter_out_existing_ops(
    std::vector<op_id> ids, deadline until) {
    std::erase_if(ids, [&](op_id const& id) { return id.length() != options_->format->id_length(); });
    if (!held_->note_question(ids.size()))
        return look_up(std::move(ids), until, &postgres::detail::fetch_missing);
    return run(lane::read, until, [held = held_, ids = std::move(ids)](connection& c, space_view space) {
        return held->missing(c, space, ids);
    });
}

boost::asio::awaitable<result<id_page>> postgres_op_store::retrieve_op_ids_bounded(arc::dht_arc arc,
                                                                                   arc::timestamp start,
                                                                                   std::uint64_t limit_bytes,
                                                                                   deadline until) {
    return run(lane::read, until, [arc, start, limit_bytes](connection& c, space_view space) {
        return fetch_page(c, space, arc, start, limit_bytes);
    });
}

boost::asio::awaitable<result<std::optional<arc::timestamp>>> postgres_op_store::earliest_timestamp_in_arc(
    arc::dht_arc arc, deadline until) {
    std::vector<arc::dht_arc> one(1, arc);
    auto answer = co_await earliest_timestamps_in_arcs(std::move(one), until);
    co_return first_of(std::move(answer));
}

boost::asio::awaitable<result<void>> postgres_op_store::store_slice_hash(arc::dht_arc arc,
                                                                         std::uint64_t index,
                                                                         std::vector<std::byte> hash,
                                                                         deadline until) {
    return run(lane::write, until,
               [arc, index, hash = std::move(hash), options = options_](connection& c,
                                                                        space_view space) -> result<void> {
                   if (auto const admitted = admit_slice_hash(*options, arc, index, hash); !admitted)
                       return admitted.error();
                   return put_slice_hash(c, space, arc, index, hash);
               });
}

boost::asio::awaitable<result<std::uint64_t>> postgres_op_store::slice_hash_count(arc::dht_arc arc,
                                                                                  deadline until) {
    return run(lane::read, until,
               [arc](connection& c, space_view space) { return fetch_slice_hash_count(c, space, arc); });
}

boost::asio::awaitable<result<std::optional<std::vector<std::byte>>>> postgres_op_store::retrieve_slice_hash(
    arc::dht_arc arc, std::uint64_t index, deadline until) {
    return run(lane::read, until, [arc, index](connection& c, space_view space) {
        return fetch_slice_hash(c, space, arc, index);
    });
}

boost::asio::awaitable<result<std::vector<slice_hash>>> postgres_op_store::retrieve_slice_hashes(
    arc::dht_arc arc, deadline until) {
    return run(lane::read, until, [arc](connection& c, space_view space) {
        return first_of(fetch_slice_hashes(c, space, {arc}));
    });
}

boost::asio::awaitable<result<std::uint64_t>> postgres_op_store::query_total_op_count(deadline until) {
    return run(lane::read, until, [](connection& c, space_view space) -> result<std::uint64_t> {
        auto const stat = fetch_stat(c, space);
        if (!stat)
            return stat.error();
        return stat->op_count;
    });
}

boost::asio::awaitable<result<std::vector<std::vector<slice_hash>>>>
postgres_op_store::retrieve_slice_hashes_of_arcs(std::vector<arc::dht_arc> arcs, deadline until) {
    return run(lane::read, until, [arcs = std::move(arcs)](connection& c, space_view space) {
        return fetch_slice_hashes(c, space, arcs);
    });
}

boost::asio::awaitable<result<std::vector<std::optional<arc::timestamp>>>>
postgres_op_store::earliest_timestamps_in_arcs(std::vector<arc::dht_arc> arcs, deadline until) {
    bool const is_late = until.at() && *until.at() <= deadline::clock::now();
    if (auto known =
            is_late ? std::nullopt : database_->delegate_->earliest({space_id_, incarnation_}, arcs)) {
        // Not inline: who asks in a loop must not keep his executor from everybody else.
        co_await boost::asio::post(boost::asio::use_awaitable);
        co_return std::move(*known);
    }
    auto fetch = [arcs = std::move(arcs)](connection& c, space_view space) {
        return fetch_earliest(c, space, arcs);
    };
    auto answer = run(lane::read, until, std::move(fetch));
    co_return co_await std::move(answer);
}

boost::asio::awaitable<result<std::vector<std::vector<sector_hash>>>> postgres_op_store::combined_hashes(
    arc::arc_set sectors, std::vector<arc::time_range> ranges, deadline until) {
    return run(lane::read, until, [sectors, ranges = std::move(ranges)](connection& c, space_view space) {
        return fetch_combined_hashes(c, space, sectors, ranges);
    });
}

boost::asio::awaitable<result<store_summary>> postgres_op_store::summarize(arc::arc_set sectors,
                                                                           arc::timestamp now,
                                                                           deadline until) {
    return run(lane::read, until, [sectors, now](connection& c, space_view space) {
        return fetch_summary(c, space, sectors, now);
    });
}

boost::asio::awaitable<result<space_hashes>> postgres_op_store::retrieve_space_hashes(
    std::uint64_t full_slices, deadline until) {
    return run(lane::read, until, [full_slices](connection& c, space_view space) {
        return fetch_space_hashes(c, space, full_slices);
    });
}

boost::asio::awaitable<result<op_tail>> postgres_op_store::retrieve_tail(arc::timestamp start,
                                                                         std::size_t ops_max,
                                                                         deadline until) {
    return run(lane::read, until, [start, ops_max](connection& c, space_view space) {
        return fetch_tail(c, space, start, ops_max);
    });
}

boost::asio::awaitable<result<id_page>> postgres_op_store::retrieve_op_ids_of_sectors(
    arc::arc_set sectors, arc::timestamp start, std::uint64_t limit_bytes, deadline until) {
    return run(lane::read, until, [sectors, start, limit_bytes](connection& c, space_view space) {
        return fetch_page(c, space, sectors, start, limit_bytes);
    });
}

boost::asio::awaitable<result<std::vector<sector_slices>>> postgres_op_store::retrieve_disc_slices(
    arc::arc_set sectors, std::uint64_t full_slices, deadline until) {
    return run(lane::read, until, [sectors, full_slices](connection& c, space_view space) {
        return fetch_disc_slices(c, space, sectors, full_slices);
    });
}

boost::asio::awaitable<result<std::vector<region_ids>>> postgres_op_store::retrieve_region_ids(
    std::vector<op_region> regions, std::uint64_t limit_bytes, deadline until) {
    return run(lane::read, until,
               [regions = std::move(regions), limit_bytes](connection& c, space_view space) {
                   return fetch_region_ids(c, space, regions, limit_bytes);
               });
}

boost::asio::awaitable<result<region_page>> postgres_op_store::retrieve_region_page(
    op_region region, std::optional<op_position> after, std::uint64_t limit_bytes, deadline until) {
    return run(lane::read, until, [region, after, limit_bytes](connection& c, space_view space) {
        return fetch_region_page(c, space, region, after, limit_bytes);
    });
}

boost::asio::awaitable<result<op_batch>> postgres_op_store::retrieve_ops_bounded(std::vector<op_id> ids,
                                                                                 std::uint64_t limit_bytes,
                                                                                 deadline until) {
    return run(lane::read, until, [ids = std::move(ids), limit_bytes](connection& c, space_view space) {
        return fetch_ops_bounded(c, space, ids, limit_bytes);
    });
}

boost::asio::awaitable<result<seal_report>> postgres_op_store::seal(arc::timestamp now,
                                                                    std::uint64_t slices_max,
                                                                    deadline until) {
    return run(lane::write, until,
               [now, slices_max, mode = options_->slices, clock = database_->options_.clock](
                   connection& c, space_view space) -> result<seal_report> {
                   if (mode == slice_mode::host)
                       return not_in_host_mode();
                   return seal_slices(c, space, now, slices_max, clock);
               });
}

boost::asio::awaitable<result<verify_report>> postgres_op_store::verify(deadline until) {
    return run(lane::read, until, [](connection& c, space_view space) { return verify_space(c, space); });
}

boost::asio::awaitable<result<verify_report>> postgres_op_store::repair(deadline until) {
    return run(lane::write, until, [](connection& c, space_view space) { return repair_space(c, space); });
}

boost::asio::awaitable<result<space_stat>> postgres_op_store::stat(deadline until) {
    return run(lane::read, until, [](connection& c, space_view space) { return fetch_stat(c, space); });
}

}  // namespace opstore
