#pragma once

#include <opstore/plugin/opstore_plugin.h>
#include <opstore/op_store.hpp>
#include <opstore/peer_meta.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// The values of the C interface as those of op_store.hpp, and back. Answers are checked against what
/// opstore_plugin.h says of them; one that is not so throws plugin_broke_its_word.
namespace opstore::testing {

opstore_bytes c_bytes(std::span<const std::byte> bytes);
opstore_bytes c_bytes(std::string const& bytes);
opstore_arc c_arc(arc::dht_arc arc);
opstore_sector_set c_sectors(arc::arc_set const& sectors);
opstore_time_range c_range(arc::time_range range);
opstore_region c_region(op_region region);

std::vector<std::byte> cpp_bytes(opstore_bytes bytes);
/// A text, or a key of any bytes.
std::string cpp_text(opstore_text text);
std::string cpp_key(opstore_bytes key);

void read_done();
ingest_report read_report(opstore_ingest_report const* report);
id_list read_id_list(opstore_ids const* ids);
std::vector<op_id> read_missing_ids(opstore_ids const* ids);
id_page read_page(opstore_page const* page);
op_batch read_ops(opstore_ops const* ops);
std::vector<std::optional<arc::timestamp>> read_times(opstore_times const* times);
std::uint64_t read_count(std::uint64_t count);
std::optional<std::vector<std::byte>> read_hash(opstore_bytes hash);
std::vector<std::vector<slice_hash>> read_slice_hashes(opstore_slice_hash_lists const* lists);
std::vector<std::vector<sector_hash>> read_sector_hashes(opstore_sector_hash_lists const* lists);
store_summary read_summary(opstore_summary const* summary);
space_hashes read_space_hashes(opstore_space_hashes const* hashes);
op_tail read_tail(opstore_tail const* tail);
std::vector<sector_slices> read_disc_slices(opstore_disc_slices const* slices);
std::vector<region_ids> read_region_ids(opstore_region_id_lists const* lists);
region_page read_region_page(opstore_region_page const* page);
seal_report read_seal(opstore_seal_report const* report);
verify_report read_verify(opstore_verify_report const* report);
space_stat read_stat(opstore_stat const* stat);
std::vector<peer_meta_entry> read_peer_entries(opstore_peer_entries const* entries);

}  // namespace opstore::testing
