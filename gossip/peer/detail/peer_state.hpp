#pragma once

#include <gossip/model/summary_model.hpp>
#include <gossip/peer/acquaintances.hpp>
#include <gossip/peer/peer.hpp>
#include <gossip/round/round_table.hpp>
#include <gossip/wire/codec.hpp>
#include <opstore/random.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace opstore::gossip {

/// Ties the parts together: a frame comes in and is decoded; a round says what to do; it is done with the
/// store, the model, the fetch queue and the transport. In three files: peer.cpp is the outside, round_driver
/// .cpp does what rounds ask for, op_exchange.cpp fetches and serves ops.
class peer::state {
public:
    state(op_store& store, peer_meta& meta, transport& out, peer_options options,
          std::function<void(std::string_view)> log);

    // The public functions of peer.
    boost::asio::awaitable<void> start(arc::timestamp now);
    boost::asio::awaitable<void> receive(peer_url from, std::vector<std::byte> frame, arc::timestamp now);
    boost::asio::awaitable<void> tick(arc::timestamp now);
    boost::asio::awaitable<void> publish(std::vector<op_id> ids, arc::timestamp now);
    arc::timestamp next_tick_at() const;
    void lost(peer_url const& url, arc::timestamp now);
    void ops_stored(arc::timestamp now);
    protocol_result<bool> add_agent(std::string const& signed_json, arc::timestamp now, bool proven);
    std::string own_agent_info(arc::timestamp now, bool tombstone) const;

    arc::arc_set const& current_arcs() const { return current_arcs_; }
    arc::arc_set const& target_arcs() const { return options_.target_arcs; }
    address_book const& agents() const { return agents_; }
    peer_report const& report() const { return report_; }
    std::size_t fetch_backlog() const { return fetch_.size(); }

private:
    // peer.cpp
    boost::asio::awaitable<void> handle(peer_url const& from, message m, arc::timestamp now);
    void refuse(peer_url const& from, protocol_error const& error, arc::timestamp now);
    bool send(peer_url const& to, message const& m);
    void renew_own_info(arc::timestamp now, bool changed);
    void announce();
    void take_agent(std::string const& signed_json, arc::timestamp now);
    void log(std::string_view line) const;
    boost::asio::awaitable<void> save(arc::timestamp now);

    template <class Map>
    static auto& count(Map& map, std::string_view key) {
        auto const found = map.find(key);
        return found != map.end() ? found->second : map[std::string(key)];
    }
    void count_store_call(std::string_view what) { ++count(report_.store_calls, what); }

    // round_driver.cpp
    boost::asio::awaitable<void> initiate(arc::timestamp now);
    std::optional<peer_url> choose_target(arc::timestamp now);
    bool overlaps(arc::dht_arc announced, acquaintance const* known) const;
    boost::asio::awaitable<void> handle_gossip(peer_url const& from, gossip_message m, arc::timestamp now);
    boost::asio::awaitable<void> perform(round_step step, peer_url const& with, arc::timestamp now);
    boost::asio::awaitable<void> perform(round_action const& action, round_role role, peer_url const& with,
                                         arc::timestamp now);
    boost::asio::awaitable<std::optional<round_answer>> read(round_action const& action);
    boost::asio::awaitable<new_ops_read> read_page(read_new_ops wanted);
    boost::asio::awaitable<regions_listed> read_regions(list_regions wanted);
    void ended(round_outcome outcome, round_role role, peer_url const& with, arc::timestamp now);
    void time_out(arc::timestamp now);
    void grow_to(arc::arc_set const& synced, arc::timestamp now);
    void plan_next_round(arc::timestamp now, bool soon);
    void hurry(arc::timestamp now);
    void keep_plan_near(arc::timestamp now);
    bool is_growing() const { return !options_.target_arcs.without(current_arcs_).empty(); }
    round_view view() const;
    boost::asio::awaitable<void> seal(arc::timestamp now);

    // op_exchange.cpp
    boost::asio::awaitable<std::vector<op_id>> fetch_missing(std::vector<op_id> ids, peer_url const& from,
                                                             arc::timestamp now, bool* all_fit);
    boost::asio::awaitable<void> serve(peer_url const& to, fetch_request_message request, arc::timestamp now);
    boost::asio::awaitable<void> serve_next(arc::timestamp now);
    boost::asio::awaitable<void> serve_more(peer_url to, arc::timestamp now);
    boost::asio::awaitable<std::optional<std::uint64_t>> send_ops(peer_url const& to, std::set<op_id>& ids);
    boost::asio::awaitable<void> ingest(peer_url const& from, fetch_response_message response,
                                        arc::timestamp now);
    boost::asio::awaitable<void> handle_published(peer_url const& from, publish_ops_message published,
                                                  arc::timestamp now);
    void send_requests(arc::timestamp now);
    void cannot_fetch_from(peer_url const& url, arc::timestamp now);
    void settle_given_up();

    /// What a peer asked for and was not sent yet.
    struct serving {
        std::set<op_id> ids;
        arc::timestamp next_at;  ///< When to go on.
        arc::timestamp drop_at;  ///< When to give it up, unless something is sent before.
    };

    op_store& store_;
    peer_meta& meta_;
    transport& out_;
    peer_options options_;
    std::function<void(std::string_view)> log_;

    random_source random_;
    summary_model model_;
    address_book agents_;
    acquaintances known_;
    round_table rounds_;
    fetch_queue fetch_;
    std::map<peer_url, serving> serving_;

    agent_id own_agent_;
    std::string own_info_;
    arc::timestamp own_info_renewal_at_;
    arc::arc_set current_arcs_;

    arc::timestamp next_round_at_;
    arc::timestamp last_begun_at_;
    bool hungry_ = false;            ///< Goes on with the next round as soon as the fetch is through.
    std::uint32_t idle_rounds_ = 0;  ///< Rounds in a row that brought nothing while it is growing.
    bool brought_news_ = false;      ///< Something was found missing since the last round of our own began.
    std::uint64_t sealed_slices_ = 0;

    peer_report report_;
};

}  // namespace opstore::gossip
