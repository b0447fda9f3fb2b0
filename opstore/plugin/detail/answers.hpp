#pragma once

#include <opstore/plugin/opstore_plugin.h>
#include <opstore/op_store.hpp>
#include <opstore/peer_meta.hpp>
#include <opstore/postgres/postgres_database.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// Hands what a store answered to a host's callback in its C form, which points into the answer and lives
/// as long as deliver() runs. May throw bad_alloc, before the callback was called.
namespace opstore::plugin::detail {

opstore_bytes c_bytes(std::span<const std::byte> bytes);
opstore_text c_text(std::string_view text);

/// Byte sums for hosts that keep them in 32 bits, and cast them to a signed number on the way.
std::uint32_t narrow(std::uint64_t bytes);

void deliver(opstore_done_fn done, void* user);
void deliver(opstore_ingest_fn done, void* user, ingest_report const& report);
void deliver(opstore_ids_fn done, void* user, id_list const& list);
void deliver(opstore_ids_fn done, void* user, std::vector<op_id> const& ids);
void deliver(opstore_page_fn done, void* user, id_page const& page);
void deliver(opstore_ops_fn done, void* user, op_batch const& batch);
void deliver(opstore_times_fn done, void* user, std::vector<std::optional<arc::timestamp>> const& times);
void deliver(opstore_times_fn done, void* user, std::optional<arc::timestamp> const& time);
void deliver(opstore_count_fn done, void* user, std::uint64_t count);
void deliver(opstore_hash_fn done, void* user, std::optional<std::vector<std::byte>> const& hash);
void deliver(opstore_slice_hashes_fn done, void* user, std::vector<slice_hash> const& list);
void deliver(opstore_slice_hashes_fn done, void* user, std::vector<std::vector<slice_hash>> const& lists);
void deliver(opstore_sector_hashes_fn done, void* user, std::vector<std::vector<sector_hash>> const& lists);
void deliver(opstore_summary_fn done, void* user, store_summary const& summary);
void deliver(opstore_space_hashes_fn done, void* user, space_hashes const& hashes);
void deliver(opstore_tail_fn done, void* user, op_tail const& tail);
void deliver(opstore_disc_slices_fn done, void* user, std::vector<sector_slices> const& sectors);
void deliver(opstore_region_ids_fn done, void* user, std::vector<region_ids> const& regions);
void deliver(opstore_region_page_fn done, void* user, region_page const& page);
void deliver(opstore_seal_fn done, void* user, seal_report const& report);
void deliver(opstore_verify_fn done, void* user, verify_report const& report);
void deliver(opstore_stat_fn done, void* user, space_stat const& stat);
void deliver(opstore_peer_entries_fn done, void* user, std::vector<peer_meta_entry> const& entries);
void deliver(opstore_peer_entries_fn done, void* user, std::optional<peer_meta_entry> const& entry);
void deliver(opstore_space_list_fn done, void* user, std::vector<space_listing> const& spaces);

}  // namespace opstore::plugin::detail
