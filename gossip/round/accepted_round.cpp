#include <gossip/round/accepted_round.hpp>

#include <algorithm>
#include <cassert>

namespace opstore::gossip {
namespace {

protocol_error unexpected(char const* what) {
    return protocol_error(protocol_errc::unexpected,
                          std::string(what) + " does not fit the state of the round");
}

}  // namespace

accepted_round::accepted_round(initiate_message initiate, other_side other)
    : initiate_(std::move(initiate)), other_(std::move(other)) {
    assert(initiate_.arcs);
}

round_actions accepted_round::begin(round_view const& view, arc::timestamp now) {
    common_ = view.target_arcs.intersection(*initiate_.arcs);
    layout_ = view.model.layout_at(now);
    budget_ = op_budget(view.limits, initiate_.max_op_data_bytes);

    take_arcs arcs;
    arcs.arcs = *initiate_.arcs;
    arcs.op_count = initiate_.dht_op_count;
    read_new_ops read;
    read.sectors = common_;
    // A bookmark from the future comes from a clock that is off, or from before this store was restored.
    read.since = std::min(initiate_.new_since, view.model.watermark() + std::chrono::microseconds(1));
    read.limit_bytes = initiate_.max_op_data_bytes;
    read.oversized_too = initiate_.extensions > 0;
    return {std::move(arcs), std::move(read)};
}

round_actions accepted_round::answer(round_answer answer, round_view const& view, arc::timestamp now) {
    switch (state_) {
        case state::reading_new_ops:
            return accept(std::move(std::get<new_ops_read>(answer)), view, now);
        case state::reading_disc_details:
            return send_disc_details(std::move(std::get<disc_details_read>(answer).details), view);
        case state::listing_disc:
            return answer_disc(std::move(std::get<regions_listed>(answer)));
        case state::listing_rings:
            return answer_rings(std::move(std::get<regions_listed>(answer)));
        default:
            assert(!"no reading is under way");
            return {};
    }
}

round_actions accepted_round::accept(new_ops_read read, round_view const& view, arc::timestamp now) {
    budget_.use(read.page.bytes);
    accept_message accept;
    accept.session = session();
    accept.participating_agents = named_agents(view, turn_of(session()), now);
    accept.arcs = view.target_arcs;
    accept.missing_agents = missing_agents(view, initiate_.participating_agents, now);
    accept.new_since = new_since(other_, common_, now);
    accept.max_op_data_bytes = view.limits.op_bytes_max;
    accept.new_ops = std::move(read.page.ids);
    accept.oversized_new_ops = std::move(read.oversized);
    accept.updated_new_since = read.page.next;
    accept.dht_op_count = view.model.op_count();
    if (!common_.empty()) {
        accept.snapshot = view.model.minimal(common_, layout_);
    }
    if (initiate_.extensions > 0) {
        accept.extensions = extensions_version;
        accept.layout_time = now;
    }
    state_ = state::accepted;
    return {send_message{std::move(accept)}};
}

protocol_result<round_actions> accepted_round::receive(gossip_message const& m, round_view const& view,
                                                       arc::timestamp now) {
    if (auto const* known = std::get_if<no_diff_message>(&m)) {
        return on(*known, view, now);
    }
    if (auto const* known = std::get_if<disc_sectors_diff_message>(&m)) {
        return on(*known, view, now);
    }
    if (auto const* known = std::get_if<disc_details_response_message>(&m)) {
        return on(*known);
    }
    if (auto const* known = std::get_if<ring_details_diff_message>(&m)) {
        return on(*known, view, now);
    }
    if (auto const* known = std::get_if<hashes_message>(&m)) {
        return on(*known);
    }
    if (std::holds_alternative<terminate_message>(m)) {
        bool const said_all = state_ == state::rings || state_ == state::disc_details;
        return finish({}, said_all ? round_outcome::completed : round_outcome::terminated);
    }
    return unexpected("a message for the other role");
}

void accepted_round::take(round_actions& to, accept_response const& response, round_view const& view,
                          arc::timestamp now) {
    take_response(to, response, common_, true);
    their_wishes_ = provided_agents(view, response.missing_agents, now);
}

protocol_result<round_actions> accepted_round::on(no_diff_message const& m, round_view const& view,
                                                  arc::timestamp now) {
    if (state_ != state::accepted) {
        return unexpected("NoDiff");
    }
    if (!m.response) {
        return protocol_error(protocol_errc::malformed, "no accept response in NoDiff");
    }
    round_actions actions;
    take(actions, *m.response, view, now);
    if (!m.cannot_compare && !common_.empty()) {
        grow_arcs grow;
        grow.synced = common_;
        actions.emplace_back(std::move(grow));
    }
    return end_with_agents(std::move(actions), "No agents requested");
}

protocol_result<round_actions> accepted_round::on(disc_sectors_diff_message const& m, round_view const& view,
                                                  arc::timestamp now) {
    if (state_ != state::accepted) {
        return unexpected("DiscSectorsDiff");
    }
    if (!m.response) {
        return protocol_error(protocol_errc::malformed, "no accept response in DiscSectorsDiff");
    }
    arc::arc_set named;
    for (auto const& [sector, hash] : m.snapshot.sectors) {
        named.insert(sector);
    }
    if (auto const checked = check_sectors(named, common_); !checked) {
        return checked.error();
    }
    round_actions actions;
    take(actions, *m.response, view, now);
    if (!view.model.can_answer(layout_)) {
        return end_with_agents(std::move(actions), "Nothing to compare");
    }
    auto const found = compare(view.model.disc_sectors(common_, layout_), m.snapshot);
    auto const* differing = std::get_if<disc_sector_mismatches>(&found);
    if (!differing) {
        return end_with_agents(std::move(actions), "Nothing to compare");
    }
    read_disc_details read;
    for (auto const sector : differing->sectors) {
        read.sectors.insert(sector);
    }
    read.layout = layout_;
    actions.emplace_back(std::move(read));
    state_ = state::reading_disc_details;
    return actions;
}

round_actions accepted_round::send_disc_details(disc_details_snapshot ours, round_view const& view) {
    our_disc_ = std::move(ours);
    cut_to_fit(our_disc_, view.limits, turn_of(session()));
    disc_details_diff_message diff;
    diff.session = session();
    diff.provided_agents = std::move(their_wishes_);
    diff.snapshot = our_disc_;
    if (initiate_.extensions > 0) {
        diff.resume = other_.resume;
    }
    state_ = state::disc_details;
    return {send_message{std::move(diff)}};
}

list_regions accepted_round::list(std::vector<op_region> regions, std::vector<region_cursor> resume) const {
    list_regions request;
    request.regions = std::move(regions);
    request.limit_bytes = budget_.left();
    request.budget_bytes = budget_.whole();
    request.paged = initiate_.extensions > 0;
    request.resume = std::move(resume);
    return request;
}

protocol_result<round_actions> accepted_round::on(disc_details_response_message const& m) {
    if (state_ != state::disc_details) {
        return unexpected("DiscSectorDetailsDiffResponse");
    }
    auto const named = sectors_of(m.snapshot);
    if (auto const checked = check_sectors(named, sectors_of(our_disc_)); !checked) {
        return checked.error();
    }
    // Those that did not fit on their side: another round.
    keep_sectors(our_disc_, named);
    round_actions actions;
    take_ids take;
    take.ids = m.missing_ids;
    take.cut = m.cut;
    actions.emplace_back(std::move(take));
    auto const found = compare(our_disc_, m.snapshot);
    auto const* differing = std::get_if<disc_slice_mismatches>(&found);
    if (!differing) {
        terminate_message end;
        end.session = session();
        end.reason = "Nothing to compare";
        actions.emplace_back(send_message{std::move(end)});
        return finish(std::move(actions), round_outcome::completed);
    }
    their_ids_ = m.missing_ids;
    actions.emplace_back(list(regions_of(*differing, layout_, turn_of(session())), m.resume));
    state_ = state::listing_disc;
    return actions;
}

round_actions accepted_round::answer_disc(regions_listed listed) {
    hashes_message hashes;
    hashes.session = session();
    hashes.missing_ids = without(std::move(listed.ids), std::move(their_ids_));
    if (initiate_.extensions > 0) {
        hashes.cut = std::move(listed.cut);
    }
    return finish({send_message{std::move(hashes)}}, round_outcome::completed);
}

protocol_result<round_actions> accepted_round::on(ring_details_diff_message const& m, round_view const& view,
                                                  arc::timestamp now) {
    if (state_ != state::accepted) {
        return unexpected("RingSectorDetailsDiff");
    }
    if (!m.response) {
        return protocol_error(protocol_errc::malformed, "no accept response in RingSectorDetailsDiff");
    }
    std::vector<std::uint32_t> rings;
    for (auto const& [ring, hashes] : m.snapshot.rings) {
        if (ring >= layout_.rings.size()) {
            return protocol_error(protocol_errc::out_of_range, "a ring that the layout does not have");
        }
        rings.push_back(ring);
    }
    if (auto const checked = check_sectors(sectors_of(m.snapshot), common_); !checked) {
        return checked.error();
    }
    round_actions actions;
    take(actions, *m.response, view, now);
    if (!view.model.can_answer(layout_)) {
        return end_with_agents(std::move(actions), "Nothing to compare and no agents");
    }
    our_rings_ = view.model.ring_details(common_, layout_, rings);
    auto const found = compare(our_rings_, m.snapshot);
    auto const* differing = std::get_if<ring_sector_mismatches>(&found);
    if (!differing) {
        return end_with_agents(std::move(actions), "Nothing to compare and no agents");
    }
    if (!m.disc_differs) {
        grow_arcs grow;
        grow.synced = common_.without(sectors_of(*differing));
        actions.emplace_back(std::move(grow));
    }
    actions.emplace_back(list(regions_of(*differing, layout_, turn_of(session())), m.resume));
    state_ = state::listing_rings;
    return actions;
}

round_actions accepted_round::answer_rings(regions_listed listed) {
    ring_details_response_message response;
    response.session = session();
    response.missing_ids = std::move(listed.ids);
    response.snapshot = std::move(our_rings_);
    if (initiate_.extensions > 0) {
        response.cut = std::move(listed.cut);
        response.resume = other_.resume;
    }
    state_ = state::rings;
    return {send_message{std::move(response)}};
}

protocol_result<round_actions> accepted_round::on(hashes_message const& m) {
    if (state_ != state::rings) {
        return unexpected("Hashes");
    }
    take_ids take;
    take.ids = m.missing_ids;
    take.cut = m.cut;
    return finish({std::move(take)}, round_outcome::completed);
}

round_actions accepted_round::end_with_agents(round_actions actions, char const* otherwise) {
    if (their_wishes_.empty()) {
        terminate_message end;
        end.session = session();
        end.reason = otherwise;
        actions.emplace_back(send_message{std::move(end)});
    } else {
        agents_message agents;
        agents.session = session();
        agents.provided_agents = std::move(their_wishes_);
        actions.emplace_back(send_message{std::move(agents)});
    }
    return finish(std::move(actions), round_outcome::completed);
}

round_actions accepted_round::finish(round_actions actions, round_outcome outcome) {
    state_ = state::ended;
    actions.emplace_back(end_round{outcome});
    return actions;
}

}  // namespace opstore::gossip
