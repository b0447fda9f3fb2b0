//! `opstore_plugin.h` in Rust, word by word: the layout of its structs and of its table of functions.
//!
//! Nothing here has a meaning of its own; the header documents it. Structs and functions that this host does
//! not use are left out, but every function keeps its place in [`Plugin`]. `tests/layout.rs` compares it all
//! with the header itself, through a C compiler.
//!
//! A struct that begins with `struct_size` may be longer or shorter than here if the plugin is of another
//! version. Those that this host reads are read up to the fields of the first version, which each plugin
//! has; a newer field would have to be read through a check of `struct_size`.

use std::ffi::{c_char, c_void};

pub const MAGIC: u64 = 0x0165_726f_7473_706f;
pub const ABI_VERSION: u32 = 1;
pub const SYMBOL: &[u8] = b"opstore_plugin_v1\0";

pub const ARC_EMPTY: u32 = 0;
pub const ARC_RANGE: u32 = 1;

pub const INVALID_ARGUMENT: i32 = 3;
pub const WRONG_THREAD: i32 = 103;
pub const OUT_OF_MEMORY: i32 = 104;

pub const UNREADABLE: i32 = 1;
pub const ID_BYTES_MAX: usize = 64;

pub const SLICES_BY_HOST: u32 = 0;
pub const REJECTED: u32 = 0;

/// Handles. They are never looked into.
#[repr(C)]
pub struct Database {
    _private: [u8; 0],
}
#[repr(C)]
pub struct Space {
    _private: [u8; 0],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Bytes {
    pub data: *const u8,
    pub size: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Text {
    pub data: *const c_char,
    pub size: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Arc {
    pub kind: u32,
    pub start: u32,
    pub end: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct SectorSet {
    pub words: [u32; 16],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct MaybeTime {
    pub present: u32,
    pub value: i64,
}

#[repr(C)]
pub struct Error {
    pub struct_size: u32,
    pub code: i32,
    pub retryable: u32,
    pub commit_in_doubt: u32,
    pub message: Text,
    pub sqlstate: Text,
    pub statement: Text,
}

#[repr(C)]
pub struct Failure {
    pub struct_size: u32,
    pub code: i32,
    pub message: [c_char; 512],
}

#[repr(C)]
pub struct DecodedOp {
    pub id: [u8; ID_BYTES_MAX],
    pub id_size: u32,
    pub created_at: i64,
    pub message: [c_char; 256],
}

#[repr(C)]
pub struct OpFormat {
    pub struct_size: u32,
    pub id_size: u32,
    pub name: Text,
    pub context: *mut c_void,
    pub decode: Option<unsafe extern "C" fn(*mut c_void, Bytes, Bytes, *mut DecodedOp) -> i32>,
    pub locate: Option<unsafe extern "C" fn(*mut c_void, Bytes) -> u32>,
    pub release: Option<unsafe extern "C" fn(*mut c_void)>,
}

#[repr(C)]
pub struct DatabaseOptions {
    pub struct_size: u32,
    pub migrate: u32,
    pub conninfo: Text,
    pub embedded_home: Text,
    pub schema: Text,
    pub connections: u32,
    pub callback_threads: u32,
    pub default_timeout_ms: u32,
    pub clock: Option<unsafe extern "C" fn(*mut c_void) -> i64>,
    pub clock_context: *mut c_void,
    pub remembered_ids_max: *const u64,
}

#[repr(C)]
pub struct SpaceOptions {
    pub struct_size: u32,
    pub must_exist: u32,
    pub key: Bytes,
    pub built_in_format: Text,
    pub format: *const OpFormat,
    pub max_op_bytes: u64,
    pub slice_factor: *const u32,
    pub slices: u32,
    pub max_future_us: *const i64,
}

#[repr(C)]
pub struct IncomingOp {
    pub data: Bytes,
    pub claimed_id: Bytes,
    pub metadata: Bytes,
}

#[repr(C)]
pub struct PeerEntry {
    pub peer: Bytes,
    pub key: Bytes,
    pub value: Bytes,
    pub expires_at: MaybeTime,
}

#[repr(C)]
pub struct Outcome {
    pub what: u32,
    pub id: Bytes,
}

#[repr(C)]
pub struct NewOp {
    pub id: Bytes,
    pub created_at: i64,
}

#[repr(C)]
pub struct Rejection {
    pub index: usize,
    pub reason: i32,
    pub message: Text,
}

#[repr(C)]
pub struct IngestReport {
    pub struct_size: u32,
    pub outcomes: *const Outcome,
    pub outcome_count: usize,
    pub held: *const Bytes,
    pub held_count: usize,
    pub newly_stored: *const NewOp,
    pub newly_stored_count: usize,
    pub newly_stored_bytes: u64,
    pub rejected: *const Rejection,
    pub rejected_count: usize,
}

#[repr(C)]
pub struct Ids {
    pub struct_size: u32,
    pub bytes_narrow: u32,
    pub bytes: u64,
    pub ids: *const Bytes,
    pub count: usize,
}

#[repr(C)]
pub struct Page {
    pub struct_size: u32,
    pub bytes_narrow: u32,
    pub bytes: u64,
    pub ids: *const Bytes,
    pub count: usize,
    pub next: i64,
    pub cut: u32,
    pub next_op_bytes: u64,
}

#[repr(C)]
pub struct Op {
    pub id: Bytes,
    pub location: u32,
    pub created_at: i64,
    pub stored_at: i64,
    pub data: Bytes,
}

#[repr(C)]
pub struct Ops {
    pub struct_size: u32,
    pub ops: *const Op,
    pub count: usize,
    pub ids_read: usize,
}

#[repr(C)]
pub struct Times {
    pub struct_size: u32,
    pub times: *const MaybeTime,
    pub count: usize,
}

#[repr(C)]
pub struct SliceHash {
    pub index: u64,
    pub hash: Bytes,
}

#[repr(C)]
pub struct SliceHashList {
    pub hashes: *const SliceHash,
    pub count: usize,
}

#[repr(C)]
pub struct SliceHashLists {
    pub struct_size: u32,
    pub lists: *const SliceHashList,
    pub count: usize,
}

#[repr(C)]
pub struct SectorSlices {
    pub sector: u32,
    pub slices: SliceHashList,
}

#[repr(C)]
pub struct DiscSlices {
    pub struct_size: u32,
    pub sectors: *const SectorSlices,
    pub count: usize,
}

#[repr(C)]
pub struct PeerEntries {
    pub struct_size: u32,
    pub entries: *const PeerEntry,
    pub count: usize,
}

/// A callback with an answer of type `A`, and one without.
pub type Callback<A> = unsafe extern "C" fn(user: *mut c_void, error: *const Error, answer: A);
pub type DoneCallback = unsafe extern "C" fn(user: *mut c_void, error: *const Error);

/// The place of a function that this host does not call.
pub type Unused = *const c_void;

#[repr(C)]
pub struct Plugin {
    pub struct_size: u32,
    pub abi_version: u32,
    pub magic: u64,
    pub version: *const c_char,

    pub create_database: unsafe extern "C" fn(*const DatabaseOptions, *mut Failure) -> *mut Database,
    pub connect_database: unsafe extern "C" fn(*mut Database, DoneCallback, *mut c_void) -> u64,
    pub cancel_call: unsafe extern "C" fn(*mut Database, u64),
    pub drain_database: unsafe extern "C" fn(*mut Database, u32) -> i32,
    pub destroy_database: unsafe extern "C" fn(*mut Database) -> i32,
    pub list_spaces: Unused,
    pub drop_space: unsafe extern "C" fn(*mut Database, Bytes, u32, DoneCallback, *mut c_void) -> u64,
    pub open_space: unsafe extern "C" fn(
        *mut Database,
        *const SpaceOptions,
        u32,
        Callback<*mut Space>,
        *mut c_void,
    ) -> u64,
    pub close_space: unsafe extern "C" fn(*mut Space),
    pub describe_space: Unused,

    pub process_incoming_ops: unsafe extern "C" fn(
        *mut Space,
        *const IncomingOp,
        usize,
        u32,
        Callback<*const IngestReport>,
        *mut c_void,
    ) -> u64,
    pub retrieve_op_hashes_in_time_slice:
        unsafe extern "C" fn(*mut Space, Arc, i64, i64, u32, Callback<*const Ids>, *mut c_void) -> u64,
    pub retrieve_ops:
        unsafe extern "C" fn(*mut Space, *const Bytes, usize, u32, Callback<*const Ops>, *mut c_void) -> u64,
    pub filter_out_existing_ops:
        unsafe extern "C" fn(*mut Space, *const Bytes, usize, u32, Callback<*const Ids>, *mut c_void) -> u64,
    pub retrieve_op_ids_bounded:
        unsafe extern "C" fn(*mut Space, Arc, i64, u64, u32, Callback<*const Page>, *mut c_void) -> u64,
    pub earliest_timestamp_in_arc:
        unsafe extern "C" fn(*mut Space, Arc, u32, Callback<*const Times>, *mut c_void) -> u64,
    pub store_slice_hash:
        unsafe extern "C" fn(*mut Space, Arc, u64, Bytes, u32, DoneCallback, *mut c_void) -> u64,
    pub slice_hash_count: unsafe extern "C" fn(*mut Space, Arc, u32, Callback<u64>, *mut c_void) -> u64,
    pub retrieve_slice_hash:
        unsafe extern "C" fn(*mut Space, Arc, u64, u32, Callback<Bytes>, *mut c_void) -> u64,
    pub retrieve_slice_hashes:
        unsafe extern "C" fn(*mut Space, Arc, u32, Callback<*const SliceHashLists>, *mut c_void) -> u64,
    pub query_total_op_count: unsafe extern "C" fn(*mut Space, u32, Callback<u64>, *mut c_void) -> u64,

    pub retrieve_slice_hashes_of_arcs: unsafe extern "C" fn(
        *mut Space,
        *const Arc,
        usize,
        u32,
        Callback<*const SliceHashLists>,
        *mut c_void,
    ) -> u64,
    pub earliest_timestamps_in_arcs: Unused,
    pub combined_hashes: Unused,
    pub summarize: Unused,

    pub retrieve_space_hashes: Unused,
    pub retrieve_tail: Unused,
    pub retrieve_op_ids_of_sectors: Unused,
    pub retrieve_disc_slices: unsafe extern "C" fn(
        *mut Space,
        *const SectorSet,
        u64,
        u32,
        Callback<*const DiscSlices>,
        *mut c_void,
    ) -> u64,
    pub retrieve_region_ids: Unused,
    pub retrieve_region_page: Unused,
    pub retrieve_ops_bounded: Unused,

    pub seal: Unused,
    pub verify: Unused,
    pub repair: Unused,
    pub stat: Unused,

    pub get_all_peer_meta:
        unsafe extern "C" fn(*mut Space, i64, u32, Callback<*const PeerEntries>, *mut c_void) -> u64,
    pub get_peer_meta: unsafe extern "C" fn(
        *mut Space,
        Bytes,
        Bytes,
        i64,
        u32,
        Callback<*const PeerEntries>,
        *mut c_void,
    ) -> u64,
    pub put_peer_meta:
        unsafe extern "C" fn(*mut Space, *const PeerEntry, usize, i64, u32, DoneCallback, *mut c_void) -> u64,
    pub remove_peer_meta:
        unsafe extern "C" fn(*mut Space, Bytes, Bytes, u32, DoneCallback, *mut c_void) -> u64,
}

pub type Entry = unsafe extern "C" fn() -> *const Plugin;

impl Bytes {
    pub const EMPTY: Bytes = Bytes { data: std::ptr::null(), size: 0 };

    /// Borrows: valid as long as `bytes` is.
    pub fn of(bytes: &[u8]) -> Self {
        Bytes { data: bytes.as_ptr(), size: bytes.len() }
    }

    /// # Safety
    /// The plugin handed these bytes out, and has not taken them back.
    pub unsafe fn as_slice(&self) -> &[u8] {
        unsafe { array(self.data, self.size) }
    }
}

impl Text {
    /// Borrows: valid as long as `text` is.
    pub fn of(text: &str) -> Self {
        Text { data: text.as_ptr().cast(), size: text.len() }
    }

    /// # Safety
    /// The plugin handed this text out, and has not taken it back.
    pub unsafe fn to_string(&self) -> String {
        String::from_utf8_lossy(unsafe { array(self.data.cast(), self.size) }).into_owned()
    }
}

/// An array of the plugin. One of no elements may have a null pointer, which a slice of Rust may not.
///
/// # Safety
/// `data` points to `count` elements that live as long as the result, or `count` is 0.
pub unsafe fn array<'a, T>(data: *const T, count: usize) -> &'a [T] {
    if count == 0 { &[] } else { unsafe { std::slice::from_raw_parts(data, count) } }
}
