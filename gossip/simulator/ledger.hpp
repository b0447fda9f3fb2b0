#pragma once

#include <arc/arc_set.hpp>
#include <gossip/simulator/network.hpp>
#include <gossip/simulator/op_recipe.hpp>
#include <opstore/op_id.hpp>
#include <opstore/op_store.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace opstore::simulator {

/// What must never happen, whatever the faults.
enum class violation {
    invented,   ///< A peer stored or served an op that nobody created.
    altered,    ///< A peer stored or served other bytes than were created.
    unstored,   ///< A peer served an op that its store had not taken.
    forgotten,  ///< A store lacks an op that it had acknowledged.
    malformed,  ///< A peer sent a frame that does not decode.
    spinning,   ///< A peer wants to be called again and again at one moment.
    threw       ///< A peer threw.
};
inline constexpr std::size_t violation_count = 7;
std::string_view to_string(violation v);

/// The truth of a simulation: every op that was created, who was acknowledged to hold it, and what was seen
/// that must not be.
///
/// Thread safety: none.
class ledger {
public:
    /// `arcs`: what each peer means to hold; `lasting`: whether it stays to the end.
    ledger(std::uint64_t seed, std::uint32_t ops_max, std::vector<arc::arc_set> arcs,
           std::vector<bool> lasting);

    /// Notes an op that is about to be stored somewhere, and answers its bytes.
    op_bytes create(arc::timestamp created_at, arc::location at, std::uint32_t payload_bytes);

    op_number op_count() const { return static_cast<op_number>(ops_.size()); }
    op_id const& id_of(op_number op) const { return ops_[op].id; }
    op_bytes bytes_of(op_number op) const { return write_op(seed_, ops_[op].recipe); }
    std::optional<op_number> find(op_id const& id) const;

    std::size_t peer_count() const { return arcs_.size(); }
    arc::arc_set const& arcs_of(peer_number peer) const { return arcs_[peer]; }
    bool belongs(op_number op, peer_number peer) const { return arcs_[peer].includes(ops_[op].sector); }

    /// A store acknowledged these, or made them durable as its process was cut.
    void stored(peer_number peer, std::vector<op_id> const& held);
    bool holds(peer_number peer, op_number op) const { return held_[peer][op]; }
    std::vector<op_id> held_by(peer_number peer) const;

    /// A peer hands this op to another one.
    void served(peer_number peer, op_id const& id, op_bytes const& data);
    std::uint64_t served_count() const { return served_count_; }

    /// Whether each op that it holds is held by a lasting peer whose arc it is in.
    bool may_leave(peer_number peer) const;
    /// It left: its ops were handed over.
    void left(peer_number peer);
    bool handed_over(op_number op) const { return ops_[op].handed_over; }

    /// From now on missing() counts what those peers lack of the ops that any of them holds.
    void expect(std::vector<peer_number> const& present);
    std::uint64_t missing() const { return missing_; }

    void report(violation v, std::string text);
    /// An op that nobody created: a violation each time, counted once.
    void report_invented(peer_number peer, std::string_view deed, op_id const& id);
    std::uint64_t invented_count() const { return invented_.size(); }
    std::uint64_t count_of(violation v) const { return violations_[static_cast<std::size_t>(v)]; }
    std::uint64_t violations() const;
    /// The first of them, as sentences.
    static constexpr std::size_t texts_max = 20;
    std::vector<std::string> const& texts() const { return texts_; }

private:
    struct created_op {
        op_id id;
        op_recipe recipe;
        arc::sector_index sector = 0;
        bool handed_over = false;
        std::uint32_t lasting_copies = 0;  ///< At peers whose arc it is in.
    };

    std::uint64_t seed_;
    std::uint32_t ops_max_;
    std::vector<arc::arc_set> arcs_;
    std::vector<bool> lasting_;
    std::vector<created_op> ops_;
    std::unordered_map<op_id, op_number> numbers_;  ///< Never walked: its order is not the same everywhere.
    std::vector<std::vector<bool>> held_;           ///< By peer and op.
    std::vector<bool> expected_;                    ///< By peer; empty: nobody is counted yet.
    std::uint64_t missing_ = 0;
    std::uint64_t served_count_ = 0;
    std::array<std::uint64_t, violation_count> violations_{};
    std::vector<std::string> texts_;
    std::set<op_id> invented_;
};

}  // namespace opstore::simulator
