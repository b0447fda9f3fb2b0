//! Goal: `abi.rs` says what the C header says.
//! Method: a C program of static assertions about the header, made from the layout that Rust gives to each
//! struct and field; it compiles if they are the same.

use kitsune2_host::abi;
use std::fmt::Write;
use std::mem::offset_of;
use std::process::Command;

/// Asserts about `opstore_<name>` what Rust says about `abi::<Name>`.
macro_rules! same {
    ($out:ident, $rust:ident, $c:literal, { $($field:ident),* }) => {
        writeln!($out, "_Static_assert(sizeof({}) == {}, \"{0}\");", $c, size_of::<abi::$rust>()).unwrap();
        $(
            writeln!(
                $out,
                "_Static_assert(offsetof({}, {}) == {}, \"{0}.{1}\");",
                $c, stringify!($field), offset_of!(abi::$rust, $field)
            ).unwrap();
        )*
    };
}

macro_rules! same_number {
    ($out:ident, $rust:ident, $c:literal) => {
        writeln!($out, "_Static_assert({} == {}, \"{0}\");", $c, abi::$rust).unwrap();
    };
}

fn values(c: &mut String) {
    same!(c, Bytes, "opstore_bytes", { data, size });
    same!(c, Text, "opstore_text", { data, size });
    same!(c, Arc, "opstore_arc", { kind, start, end });
    same!(c, SectorSet, "opstore_sector_set", { words });
    same!(c, MaybeTime, "opstore_maybe_time", { present, value });
    same!(c, Error, "opstore_error", {
        struct_size, code, retryable, commit_in_doubt, message, sqlstate, statement
    });
    same!(c, Failure, "opstore_failure", { struct_size, code, message });
    same!(c, DecodedOp, "opstore_decoded_op", { id, id_size, created_at, message });
    same!(c, OpFormat, "opstore_op_format", {
        struct_size, id_size, name, context, decode, locate, release
    });
    same!(c, DatabaseOptions, "opstore_database_options", {
        struct_size, migrate, conninfo, embedded_home, schema, connections, callback_threads,
        default_timeout_ms, clock, clock_context, remembered_ids_max
    });
    same!(c, SpaceOptions, "opstore_space_options", {
        struct_size, must_exist, key, built_in_format, format, max_op_bytes, slice_factor, slices,
        max_future_us
    });
    same!(c, IncomingOp, "opstore_incoming_op", { data, claimed_id, metadata });
    same!(c, PeerEntry, "opstore_peer_entry", { peer, key, value, expires_at });
}

fn answers(c: &mut String) {
    same!(c, Outcome, "opstore_outcome", { what, id });
    same!(c, NewOp, "opstore_new_op", { id, created_at });
    same!(c, Rejection, "opstore_rejection", { index, reason, message });
    same!(c, IngestReport, "opstore_ingest_report", {
        struct_size, outcomes, outcome_count, held, held_count, newly_stored, newly_stored_count,
        newly_stored_bytes, rejected, rejected_count
    });
    same!(c, Ids, "opstore_ids", { struct_size, bytes_narrow, bytes, ids, count });
    same!(c, Page, "opstore_page", {
        struct_size, bytes_narrow, bytes, ids, count, next, cut, next_op_bytes
    });
    same!(c, Op, "opstore_op", { id, location, created_at, stored_at, data });
    same!(c, Ops, "opstore_ops", { struct_size, ops, count, ids_read });
    same!(c, Times, "opstore_times", { struct_size, times, count });
    same!(c, SliceHash, "opstore_slice_hash", { index, hash });
    same!(c, SliceHashList, "opstore_slice_hash_list", { hashes, count });
    same!(c, SliceHashLists, "opstore_slice_hash_lists", { struct_size, lists, count });
    same!(c, SectorSlices, "opstore_sector_slices", { sector, slices });
    same!(c, DiscSlices, "opstore_disc_slices", { struct_size, sectors, count });
    same!(c, PeerEntries, "opstore_peer_entries", { struct_size, entries, count });
}

fn functions(c: &mut String) {
    same!(c, Plugin, "opstore_plugin", {
        struct_size, abi_version, magic, version, create_database, connect_database, cancel_call,
        drain_database, destroy_database, list_spaces, drop_space, open_space, close_space, describe_space,
        process_incoming_ops, retrieve_op_hashes_in_time_slice, retrieve_ops, filter_out_existing_ops,
        retrieve_op_ids_bounded, earliest_timestamp_in_arc, store_slice_hash, slice_hash_count,
        retrieve_slice_hash, retrieve_slice_hashes, query_total_op_count, retrieve_slice_hashes_of_arcs,
        earliest_timestamps_in_arcs, combined_hashes, summarize, retrieve_space_hashes, retrieve_tail,
        retrieve_op_ids_of_sectors, retrieve_disc_slices, retrieve_region_ids, retrieve_region_page,
        retrieve_ops_bounded, seal, verify, repair, stat, get_all_peer_meta, get_peer_meta, put_peer_meta,
        remove_peer_meta
    });
    same_number!(c, MAGIC, "OPSTORE_PLUGIN_MAGIC");
    same_number!(c, ABI_VERSION, "OPSTORE_PLUGIN_ABI_VERSION");
    same_number!(c, ARC_EMPTY, "OPSTORE_ARC_EMPTY");
    same_number!(c, ARC_RANGE, "OPSTORE_ARC_RANGE");
    same_number!(c, WRONG_THREAD, "OPSTORE_WRONG_THREAD");
    same_number!(c, OUT_OF_MEMORY, "OPSTORE_OUT_OF_MEMORY");
    same_number!(c, UNREADABLE, "OPSTORE_UNREADABLE");
    same_number!(c, ID_BYTES_MAX, "OPSTORE_ID_BYTES_MAX");
    same_number!(c, SLICES_BY_HOST, "OPSTORE_SLICES_BY_HOST");
    same_number!(c, REJECTED, "OPSTORE_REJECTED");
}

/// OPSTORE_HEADER is the folder of `opstore_plugin.h`; without it that of this source tree. Sizes alone do
/// not see two fields of one size change places, so all fields are named; types of functions are not seen.
#[test]
fn structs_and_table_are_those_of_the_header() {
    let header = std::env::var("OPSTORE_HEADER")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../opstore/plugin").into());
    let mut c = String::from("#include <opstore_plugin.h>\n");
    values(&mut c);
    answers(&mut c);
    functions(&mut c);
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("layout.c");
    std::fs::write(&file, c).unwrap();
    let status = Command::new("cc").args(["-std=c11", "-fsyntax-only", "-I", &header]).arg(&file).status();
    assert!(status.expect("a C compiler").success());
}
