#include <gossip/round/initiated_round.hpp>

#include <algorithm>
#include <cassert>

namespace opstore::gossip {
namespace {

protocol_error unexpected(char const* what) {
    return protocol_error(protocol_errc::unexpected,
                          std::string(what) + " does not fit the state of the round");
}

/// The rings that differ, also when the discs do, which compare() reports first; none if the rings themselves
/// cannot be compared.
std::vector<std::uint32_t> differing_rings(minimal_snapshot const& ours, minimal_snapshot theirs) {
    theirs.disc_top_hash = ours.disc_top_hash;
    auto const rings = compare(ours, theirs);
    auto const* differing = std::get_if<ring_mismatches>(&rings);
    return differing ? differing->rings : std::vector<std::uint32_t>();
}

}  // namespace

initiated_round::initiated_round(session_id session, std::uint32_t tie_breaker, other_side other)
    : session_(session), tie_breaker_(tie_breaker), other_(std::move(other)) {
    assert(tie_breaker != 0);
}

round_actions initiated_round::begin(round_view const& view, arc::timestamp now) {
    initiate_message initiate;
    initiate.session = session_;
    named_ = named_agents(view, turn_of(session_), now);
    initiate.participating_agents = named_;
    initiate.arcs = view.target_arcs;
    initiate.tie_breaker = tie_breaker_;
    // What is in common now shows in Accept only; it is judged then whether the bookmark was good for it.
    initiate.new_since = new_since(other_, other_.bookmark_arcs, now);
    initiate.max_op_data_bytes = view.limits.op_bytes_max;
    initiate.dht_op_count = view.model.op_count();
    initiate.extensions = extensions_version;
    return {send_message{std::move(initiate)}};
}

protocol_result<round_actions> initiated_round::receive(gossip_message const& m, round_view const& view,
                                                        arc::timestamp now) {
    if (auto const* known = std::get_if<accept_message>(&m)) {
        return on(*known, view, now);
    }
    if (auto const* known = std::get_if<disc_details_diff_message>(&m)) {
        return on(*known);
    }
    if (auto const* known = std::get_if<ring_details_response_message>(&m)) {
        return on(*known);
    }
    if (auto const* known = std::get_if<hashes_message>(&m)) {
        return on(*known);
    }
    if (auto const* known = std::get_if<agents_message>(&m)) {
        return on(*known);
    }
    if (std::holds_alternative<busy_message>(m)) {
        return finish({}, round_outcome::busy);
    }
    if (std::holds_alternative<terminate_message>(m)) {
        // "Nothing to compare" and "no agents requested" end a round that went well.
        bool const said_all = state_ == state::no_diff || state_ == state::disc_response ||
                              state_ == state::disc_sectors || state_ == state::rings;
        return finish({}, said_all ? round_outcome::completed : round_outcome::terminated);
    }
    return unexpected("a message for the other role");
}

protocol_result<round_actions> initiated_round::on(accept_message const& m, round_view const& view,
                                                   arc::timestamp now) {
    if (state_ != state::initiated) {
        return unexpected("Accept");
    }
    if (!m.arcs) {
        return protocol_error(protocol_errc::malformed, "no arc set in accept message");
    }
    for (auto const& agent : m.missing_agents) {
        if (std::ranges::find(named_, agent) == named_.end()) {
            return protocol_error(protocol_errc::out_of_range, "Accept asks for an agent that was not named");
        }
    }
    common_ = view.target_arcs.intersection(*m.arcs);
    budget_ = op_budget(view.limits, m.max_op_data_bytes);
    auto const layout = agree_on_layout(view.model, m.layout_time, now);
    accept_ = m;
    if (layout) {
        layout_ = *layout;
    } else {
        accept_->snapshot.reset();
    }

    round_actions actions;
    take_arcs arcs;
    arcs.arcs = *m.arcs;
    arcs.op_count = m.dht_op_count;
    actions.emplace_back(std::move(arcs));
    bool const covers_common = !other_.bookmark || common_.without(other_.bookmark_arcs).empty();
    accept_response response;
    response.new_ops = m.new_ops;
    response.oversized_new_ops = m.oversized_new_ops;
    response.updated_new_since = m.updated_new_since;
    take_response(actions, response, common_, covers_common);

    read_new_ops read;
    read.sectors = common_;
    read.since = std::min(m.new_since, view.model.watermark() + std::chrono::microseconds(1));
    read.limit_bytes = m.max_op_data_bytes;
    read.oversized_too = m.extensions > 0;
    actions.emplace_back(std::move(read));
    state_ = state::reading_new_ops;
    return actions;
}

round_actions initiated_round::answer(round_answer answer, round_view const& view, arc::timestamp now) {
    switch (state_) {
        case state::reading_new_ops: {
            auto& read = std::get<new_ops_read>(answer);
            budget_.use(read.page.bytes);
            return compare_minimal(make_response(view, accept_->participating_agents, accept_->missing_agents,
                                                 std::move(read), now),
                                   view);
        }
        case state::reading_disc_details:
            return compare_disc(std::move(std::get<disc_details_read>(answer).details), view);
        case state::listing_disc:
            return answer_disc(std::move(std::get<regions_listed>(answer)));
        case state::listing_rings:
            return answer_rings(std::move(std::get<regions_listed>(answer)));
        default:
            assert(!"no reading is under way");
            return {};
    }
}

round_actions initiated_round::compare_minimal(accept_response response, round_view const& view) {
    if (!accept_->snapshot) {
        return no_diff(std::move(response), !common_.empty());
    }
    auto const& theirs = *accept_->snapshot;
    auto const ours = view.model.minimal(common_, layout_);
    auto const found = compare(ours, theirs);
    if (std::holds_alternative<identical>(found)) {
        auto actions = no_diff(std::move(response), false);
        grow_arcs grow;
        grow.synced = common_;
        actions.emplace_back(std::move(grow));
        return actions;
    }
    if (std::holds_alternative<cannot_compare>(found)) {
        return no_diff(std::move(response), true);
    }
    discs_differ_ = std::holds_alternative<disc_mismatch>(found);
    auto const rings = differing_rings(ours, theirs);
    // kitsune2 always takes the disc first. If that brought nothing the last time, it will not this time
    // either, and the rings would never have their turn.
    auto const tops = std::pair(ours.disc_top_hash, theirs.disc_top_hash);
    if (discs_differ_ && (rings.empty() || other_.disc_diff != tops)) {
        disc_sectors_diff_message diff;
        diff.session = session_;
        diff.response = std::move(response);
        diff.snapshot = view.model.disc_sectors(common_, layout_);
        state_ = state::disc_sectors;
        return {note_disc_diff{tops}, send_message{std::move(diff)}};
    }
    ring_details_diff_message diff;
    diff.session = session_;
    diff.response = std::move(response);
    our_rings_ = view.model.ring_details(common_, layout_, rings);
    diff.snapshot = our_rings_;
    diff.disc_differs = discs_differ_;
    if (accept_->extensions > 0) {
        diff.resume = other_.resume;
    }
    state_ = state::rings;
    return {note_disc_diff{std::nullopt}, send_message{std::move(diff)}};
}

round_actions initiated_round::no_diff(accept_response response, bool cannot) {
    no_diff_message end;
    end.session = session_;
    end.response = std::move(response);
    end.cannot_compare = cannot;
    state_ = state::no_diff;
    return {send_message{std::move(end)}};
}

protocol_result<round_actions> initiated_round::on(disc_details_diff_message const& m) {
    if (state_ != state::disc_sectors) {
        return unexpected("DiscSectorDetailsDiff");
    }
    auto const sectors = sectors_of(m.snapshot);
    if (auto const checked = check_sectors(sectors, common_); !checked) {
        return checked.error();
    }
    round_actions actions;
    if (!m.provided_agents.empty()) {
        take_agents agents;
        agents.infos = m.provided_agents;
        actions.emplace_back(std::move(agents));
    }
    their_disc_ = m;
    read_disc_details read;
    read.sectors = sectors;
    read.layout = layout_;
    actions.emplace_back(std::move(read));
    state_ = state::reading_disc_details;
    return actions;
}

list_regions initiated_round::list(std::vector<op_region> regions, std::vector<region_cursor> resume) const {
    list_regions request;
    request.regions = std::move(regions);
    request.limit_bytes = budget_.left();
    request.budget_bytes = budget_.whole();
    request.paged = accept_->extensions > 0;
    request.resume = std::move(resume);
    return request;
}

round_actions initiated_round::compare_disc(disc_details_snapshot ours, round_view const& view) {
    our_disc_ = std::move(ours);
    cut_to_fit(our_disc_, view.limits, turn_of(session_));
    keep_sectors(their_disc_.snapshot, sectors_of(our_disc_));
    auto const found = compare(our_disc_, their_disc_.snapshot);
    auto const* differing = std::get_if<disc_slice_mismatches>(&found);
    if (!differing) {
        terminate_message end;
        end.session = session_;
        end.reason = "Nothing to compare";
        return finish({send_message{std::move(end)}}, round_outcome::completed);
    }
    state_ = state::listing_disc;
    return {list(regions_of(*differing, layout_, turn_of(session_)), their_disc_.resume)};
}

round_actions initiated_round::answer_disc(regions_listed listed) {
    disc_details_response_message response;
    response.session = session_;
    response.missing_ids = std::move(listed.ids);
    response.snapshot = std::move(our_disc_);
    if (accept_->extensions > 0) {
        response.cut = std::move(listed.cut);
        response.resume = other_.resume;
    }
    state_ = state::disc_response;
    return {send_message{std::move(response)}};
}

protocol_result<round_actions> initiated_round::on(ring_details_response_message const& m) {
    if (state_ != state::rings) {
        return unexpected("RingSectorDetailsDiffResponse");
    }
    if (auto const checked = check_sectors(sectors_of(m.snapshot), common_); !checked) {
        return checked.error();
    }
    round_actions actions;
    take_ids take;
    take.ids = m.missing_ids;
    take.cut = m.cut;
    actions.emplace_back(std::move(take));
    auto const found = compare(our_rings_, m.snapshot);
    auto const* differing = std::get_if<ring_sector_mismatches>(&found);
    if (!differing) {
        terminate_message end;
        end.session = session_;
        end.reason = "Nothing to compare";
        actions.emplace_back(send_message{std::move(end)});
        return finish(std::move(actions), round_outcome::completed);
    }
    if (!discs_differ_) {
        grow_arcs grow;
        grow.synced = common_.without(sectors_of(*differing));
        actions.emplace_back(std::move(grow));
    }
    their_ids_ = m.missing_ids;
    state_ = state::listing_rings;
    actions.emplace_back(list(regions_of(*differing, layout_, turn_of(session_)), m.resume));
    return actions;
}

round_actions initiated_round::answer_rings(regions_listed listed) {
    hashes_message hashes;
    hashes.session = session_;
    hashes.missing_ids = without(std::move(listed.ids), std::move(their_ids_));
    if (accept_->extensions > 0) {
        hashes.cut = std::move(listed.cut);
    }
    return finish({send_message{std::move(hashes)}}, round_outcome::completed);
}

protocol_result<round_actions> initiated_round::on(hashes_message const& m) {
    if (state_ != state::disc_response) {
        return unexpected("Hashes");
    }
    take_ids take;
    take.ids = m.missing_ids;
    take.cut = m.cut;
    return finish({std::move(take)}, round_outcome::completed);
}

protocol_result<round_actions> initiated_round::on(agents_message const& m) {
    // kitsune2 sends it as well when it found the discs equal after all.
    if (state_ != state::no_diff && state_ != state::disc_sectors && state_ != state::rings) {
        return unexpected("Agents");
    }
    take_agents agents;
    agents.infos = m.provided_agents;
    return finish({std::move(agents)}, round_outcome::completed);
}

round_actions initiated_round::finish(round_actions actions, round_outcome outcome) {
    state_ = state::ended;
    actions.emplace_back(end_round{outcome});
    return actions;
}

}  // namespace opstore::gossip
