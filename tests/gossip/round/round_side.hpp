#pragma once

#include <gossip/round/round_table.hpp>
#include <tests/gossip/model/modelled_space.hpp>

#include <string>
#include <utility>
#include <vector>

namespace opstore::gossip::testing {

/// One side of rounds without a peer around them: a model over a store, and what a round has to see.
struct round_side {
    modelled_space space{moment};
    address_book agents{{std::byte{'t'}}};
    agent_id own_agent;
    std::string own_info;
    arc::arc_set target = arc::arc_set::full();
    round_limits limits;

    explicit round_side(int name) : own_agent(1, static_cast<std::byte>(name)), own_info("info") {}

    round_view view() { return {space.model, agents, own_agent, own_info, target, limits}; }

    /// Does the reading that `actions` end with. There are no new ops: that is not what these tests are
    /// about.
    round_answer read(round_actions const& actions) {
        auto const& last = actions.back();
        if (auto const* page = std::get_if<read_new_ops>(&last)) {
            new_ops_read read;
            read.page.next = page->since;
            return read;
        }
        if (auto const* disc = std::get_if<read_disc_details>(&last)) {
            disc_details_read read;
            read.details = run(space.model.disc_details(disc->sectors, disc->layout)).value();
            return read;
        }
        auto const& wanted = std::get<list_regions>(last);
        regions_listed listed;
        auto const regions = run(space.store.retrieve_region_ids(wanted.regions, wanted.limit_bytes));
        for (auto const& region : regions.value()) {
            listed.ids.insert(listed.ids.end(), region.ids.begin(), region.ids.end());
        }
        return listed;
    }

    /// What `round` sends in the end for what it is given; through its readings.
    template <class Round>
    gossip_message answer(Round& round, round_actions actions) {
        while (!sent(actions)) {
            actions = round.answer(read(actions), view(), space.clock.now());
        }
        return *sent(actions);
    }
    template <class Round>
    gossip_message receive(Round& round, gossip_message const& m) {
        return answer(round, round.receive(m, view(), space.clock.now()).value());
    }

    static gossip_message const* sent(round_actions const& actions) {
        for (auto const& action : actions) {
            if (auto const* message = std::get_if<send_message>(&action)) {
                return &message->what;
            }
        }
        return nullptr;
    }
};

}  // namespace opstore::gossip::testing
