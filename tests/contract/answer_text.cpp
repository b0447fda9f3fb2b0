#include <tests/contract/answer_text.hpp>

namespace opstore::testing {

std::string text(op_id const& id) {
    return to_string(id);
}
std::string text(arc::timestamp time) {
    return std::to_string(arc::to_micros(time));
}
std::string text(std::uint64_t number) {
    return std::to_string(number);
}
std::string text(std::vector<std::byte> const& bytes) {
    std::string hex;
    for (auto const byte : bytes) {
        hex += fmt::format("{:02x}", std::to_integer<int>(byte));
    }
    return hex;
}
std::string text(slice_hash const& h) {
    return fmt::format("{}={}", h.index, text(h.hash));
}
std::string text(sector_hash const& h) {
    return fmt::format("{}={} of {}", h.sector, h.hash.empty() ? "empty" : to_string(h.hash), h.op_count);
}
std::string text(stored_op const& op) {
    return fmt::format("{} at {} created {} stored {}: {}", text(op.id), op.location.value,
                       text(op.created_at), text(op.stored_at), text(op.data));
}
std::string text(new_op const& op) {
    return fmt::format("{} created {}", text(op.id), text(op.created_at));
}
std::string text(rejection const& r) {
    return fmt::format("{}:{}", r.index, to_string(r.reason));
}
std::string text(combined_hash const& hash) {
    return hash.empty() ? "empty" : to_string(hash);
}
std::string text(arc::time_range const& r) {
    return fmt::format("[{}, {})", text(r.start), text(r.end));
}
std::string text(arc::dht_arc arc) {
    return arc::to_string(arc);
}

std::string text(unit_hash const& h) {
    return fmt::format("{}/{}={} of {}", h.unit, h.sector, text(h.hash), h.op_count);
}
std::string text(tail_op const& op) {
    return fmt::format("{} at {} created {}", text(op.id), op.location.value, text(op.created_at));
}
std::string text(sector_slices const& s) {
    return fmt::format("{}: {}", s.sector, text(s.slices));
}
std::string text(op_region const& r) {
    return fmt::format("{} {}", r.sector, text(r.range));
}
std::string text(region_ids const& r) {
    return fmt::format("{} ops {} bytes {} {}", r.op_count, r.bytes, r.taken ? "taken" : "skipped",
                       text(r.ids));
}
std::string text(op_position const& p) {
    return fmt::format("{} {}", text(p.created_at), text(p.id));
}

std::string text(ingest_report const& r) {
    return fmt::format("held {} new {} bytes {} rejected {}", text(r.held), text(r.newly_stored),
                       r.newly_stored_bytes, text(r.rejected));
}
std::string text(id_list const& list) {
    return fmt::format("{} bytes {}", text(list.ids), list.bytes);
}
std::string text(id_page const& page) {
    return fmt::format("{} bytes {} next {} next_op_bytes {}", text(page.ids), page.bytes, text(page.next),
                       text(page.next_op_bytes));
}
std::string text(store_summary const& s) {
    return fmt::format("boundary {} disc {} rings {}", text(s.disc_boundary), text(s.disc_top_hash),
                       text(s.ring_top_hashes));
}
std::string text(seal_report const& r) {
    return fmt::format("full_slices {} sealed {}", r.full_slices, r.sealed);
}
std::string text(verify_report const& r) {
    std::string damages;
    for (auto const& d : r.damages) {
        damages += fmt::format("{} {}: kept {} computed {}; ", d.what, d.where, d.kept, d.computed);
    }
    return fmt::format("ops {} slice_hashes {} damages {}: {}", r.ops, r.slice_hashes, r.damage_count,
                       damages);
}
std::string text(space_hashes const& s) {
    return fmt::format("watermark {} ops {} disc {} recent {}", text(s.watermark), s.op_count, text(s.disc),
                       text(s.recent));
}
std::string text(op_tail const& tail) {
    return fmt::format("{} next {} complete {}", text(tail.ops), text(tail.next), tail.complete);
}
std::string text(region_page const& page) {
    return fmt::format("{} bytes {} next {}", text(page.ids), page.bytes, text(page.next));
}
std::string text(op_batch const& batch) {
    return fmt::format("{} read {}", text(batch.ops), batch.ids_read);
}
std::string text(space_stat const& s) {
    return fmt::format("ops {} bytes {} watermark {} full_slices {}", s.op_count, s.op_bytes,
                       text(s.watermark), s.full_slices);
}

}  // namespace opstore::testing
