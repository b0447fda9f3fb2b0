#include <gossip/round/round_parts.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>

namespace opstore::gossip {
namespace {

/// kitsune2's first bookmark.
constexpr auto first_contact = 2 * arc::unit;
/// An info that expires sooner is asked for again, so that a peer that is still there is not forgotten.
constexpr std::chrono::microseconds info_renewal = std::chrono::minutes(5);

template <class List>
List from_turn(List list, std::uint64_t turn, std::size_t size_max) {
    if (!list.empty()) {
        std::ranges::rotate(list, list.begin() + static_cast<std::ptrdiff_t>(turn % list.size()));
        list.resize(std::min(list.size(), size_max));
    }
    return list;
}

}  // namespace

std::optional<arc::slice_layout> agree_on_layout(summary_model const& model,
                                                 std::optional<arc::timestamp> theirs, arc::timestamp now) {
    auto const at = theirs.value_or(now);
    if (at < now - summary_model::skew_max || at > now + summary_model::skew_max) {
        return std::nullopt;
    }
    auto const layout = model.layout_at(at);
    return model.can_answer(layout) ? std::optional(layout) : std::nullopt;
}

arc::timestamp new_since(other_side const& other, arc::arc_set const& common, arc::timestamp now) {
    if (other.bookmark && common.without(other.bookmark_arcs).empty()) {
        return *other.bookmark;
    }
    return std::max(arc::from_micros(0), now - first_contact);
}

std::vector<agent_id> named_agents(round_view const& view, std::uint64_t turn, arc::timestamp now) {
    std::vector<agent_id> named{view.own_agent};
    auto const known = view.agents.all(now);
    for (std::size_t i = 0; i < known.size() && named.size() < view.limits.agents_named_max; ++i) {
        auto const& info = known[(turn + i) % known.size()]->info;
        if (!info.is_tombstone && info.agent != view.own_agent) {
            named.push_back(info.agent);
        }
    }
    return named;
}

std::vector<agent_id> missing_agents(round_view const& view, std::vector<agent_id> const& theirs,
                                     arc::timestamp now) {
    std::vector<agent_id> missing;
    for (auto const& agent : theirs) {
        if (missing.size() == view.limits.agents_per_message_max) {
            break;
        }
        auto const* known = view.agents.find(agent, now);
        if (agent != view.own_agent && (!known || known->info.expires_at < now + info_renewal)) {
            missing.push_back(agent);
        }
    }
    return missing;
}

std::vector<std::string> provided_agents(round_view const& view, std::vector<agent_id> const& wanted,
                                         arc::timestamp now) {
    std::vector<std::string> infos;
    for (auto const& agent : wanted) {
        if (infos.size() == view.limits.agents_per_message_max) {
            break;
        }
        if (agent == view.own_agent) {
            infos.push_back(view.own_info);
        } else if (auto const* known = view.agents.find(agent, now)) {
            infos.push_back(known->signed_json);
        }
    }
    return infos;
}

accept_response make_response(round_view const& view, std::vector<agent_id> const& their_agents,
                              std::vector<agent_id> const& wanted_agents, new_ops_read&& read,
                              arc::timestamp now) {
    accept_response response;
    response.missing_agents = missing_agents(view, their_agents, now);
    response.provided_agents = provided_agents(view, wanted_agents, now);
    response.new_ops = std::move(read.page.ids);
    response.updated_new_since = read.page.next;
    response.oversized_new_ops = std::move(read.oversized);
    return response;
}

void take_response(round_actions& to, accept_response const& response, arc::arc_set const& common,
                   bool covers_common) {
    take_new_ops ops;
    ops.ids = response.new_ops;
    ops.ids.insert(ops.ids.end(), response.oversized_new_ops.begin(), response.oversized_new_ops.end());
    ops.common = common;
    ops.bookmark = response.updated_new_since;
    ops.covers_common = covers_common;
    to.emplace_back(std::move(ops));
    if (!response.provided_agents.empty()) {
        take_agents agents;
        agents.infos = response.provided_agents;
        to.emplace_back(std::move(agents));
    }
}

std::vector<op_region> regions_of(disc_slice_mismatches const& differing, arc::slice_layout const& layout,
                                  std::uint64_t turn) {
    std::vector<op_region> regions;
    for (auto const& [sector, slices] : differing.sectors) {
        for (auto const slice : slices) {
            if (slice < layout.full_slices) {
                regions.push_back({sector, arc::slice_range(slice, layout.factor)});
            }
        }
    }
    return from_turn(std::move(regions), turn, regions_max);
}

std::vector<op_region> regions_of(ring_sector_mismatches const& differing, arc::slice_layout const& layout,
                                  std::uint64_t turn) {
    std::vector<op_region> regions;
    for (auto const& [ring, sectors] : differing.rings) {
        for (auto const sector : sectors) {
            if (ring < layout.rings.size()) {
                regions.push_back({sector, layout.rings[ring].range()});
            }
        }
    }
    return from_turn(std::move(regions), turn, regions_max);
}

void cut_to_fit(disc_details_snapshot& details, round_limits const& limits, std::uint64_t turn) {
    std::size_t hashes = 0;
    for (auto const& [sector, slices] : details.sectors) {
        hashes += slices.size();
    }
    while (hashes > limits.slice_hashes_max && details.sectors.size() > 1) {
        auto const out =
            std::next(details.sectors.begin(), static_cast<std::ptrdiff_t>(turn % details.sectors.size()));
        hashes -= out->second.size();
        details.sectors.erase(out);
    }
}

std::vector<op_id> without(std::vector<op_id> ids, std::vector<op_id> theirs) {
    std::ranges::sort(theirs);
    std::erase_if(ids, [&](op_id const& id) { return std::ranges::binary_search(theirs, id); });
    return ids;
}

std::uint64_t turn_of(session_id const& session) {
    std::uint64_t turn = 0;
    for (auto const byte : session) {
        turn = turn << 5 ^ turn >> 59 ^ std::to_integer<std::uint64_t>(byte);
    }
    return turn;
}

void keep_sectors(disc_details_snapshot& details, arc::arc_set const& sectors) {
    std::erase_if(details.sectors, [&](auto const& entry) { return !sectors.includes(entry.first); });
}

arc::arc_set sectors_of(disc_details_snapshot const& details) {
    arc::arc_set sectors;
    for (auto const& [sector, slices] : details.sectors) {
        sectors.insert(sector);
    }
    return sectors;
}

arc::arc_set sectors_of(ring_details_snapshot const& details) {
    arc::arc_set sectors;
    for (auto const& [ring, hashes] : details.rings) {
        for (auto const& [sector, hash] : hashes) {
            sectors.insert(sector);
        }
    }
    return sectors;
}

arc::arc_set sectors_of(ring_sector_mismatches const& differing) {
    arc::arc_set sectors;
    for (auto const& [ring, of_ring] : differing.rings) {
        for (auto const sector : of_ring) {
            sectors.insert(sector);
        }
    }
    return sectors;
}

protocol_result<void> check_sectors(arc::arc_set const& named, arc::arc_set const& common) {
    auto const foreign = named.without(common);
    if (!foreign.empty()) {
        return protocol_error(protocol_errc::out_of_range,
                              fmt::format("sector {} is not in common", foreign.sectors().front()));
    }
    return {};
}

}  // namespace opstore::gossip
