//! The hashes of the full time slices, before kitsune2 starts to use them.

use crate::abi;
use crate::call::Call;
use crate::database::OpenSpace;
use crate::error::StoreError;
use futures::{TryStreamExt, stream};
use kitsune2_api::Timestamp;
use std::collections::BTreeMap;
use std::future::Future;

/// kitsune2's partition of time and ring, which all peers share.
const UNIT_US: i64 = 15 * 60 * 1_000_000;
const FULL_SLICE_US: i64 = UNIT_US << 9;
const SECTORS: u32 = 512;
const SECTOR_SIZE: u32 = 1 << 23;

const WRITES_MAX: usize = 16;

/// How many slices are full at `now`: after them kitsune2 keeps 511 to 1023 units for its rings.
fn full_slices(now: Timestamp) -> u64 {
    u64::try_from((now.as_micros() + UNIT_US) / FULL_SLICE_US - 1).unwrap_or(0)
}

fn sector_arc(sector: u32) -> abi::Arc {
    let start = sector * SECTOR_SIZE;
    abi::Arc { kind: abi::ARC_RANGE, start, end: start + (SECTOR_SIZE - 1) }
}

/// Makes the stored hash of each full slice what the ops say, and says how many were not.
///
/// To be called before kitsune2's gossip module starts on the store. kitsune2 keeps these hashes itself: it
/// is told of an op after the op was stored, and then changes the hash. A process that ends in between
/// leaves a hash that is wrong for ever, because kitsune2 does not compute it again; the node then differs
/// from all others in each round of gossip. On a store that has ops but no hashes yet, this does in two
/// statements what kitsune2 would do with one for each slice and sector.
///
/// Cost: two statements, and one for each hash that changes.
pub async fn mend_slice_hashes(space: &OpenSpace, now: Timestamp) -> Result<usize, StoreError> {
    let stored = stored_hashes(space).await?;
    let right = hashes_of_ops(space, full_slices(now)).await?;
    let mut wrong = Vec::new();
    for (sector, slices) in right {
        let stored: BTreeMap<_, _> = stored[sector as usize].iter().cloned().collect();
        wrong.extend(
            slices
                .into_iter()
                .filter(|(index, hash)| stored.get(index) != Some(hash))
                .map(|(index, hash)| (sector, index, hash)),
        );
    }
    // Each is a transaction of its own, so let several be under way, for their waits to overlap.
    let writes = wrong.iter().map(|(sector, index, hash)| Ok(store_hash(space, *sector, *index, hash)));
    stream::iter(writes).try_for_each_concurrent(WRITES_MAX, |write| write).await?;
    Ok(wrong.len())
}

type Hashes = Vec<(u64, bytes::Bytes)>;

/// One list for each sector.
fn stored_hashes(space: &OpenSpace) -> impl Future<Output = Result<Vec<Hashes>, StoreError>> + Send + use<> {
    let arcs: Vec<_> = (0..SECTORS).map(sector_arc).collect();
    let retrieve = space.database.table().retrieve_slice_hashes_of_arcs;
    Call::start(&space.database, |done: abi::Callback<*const abi::SliceHashLists>, user| unsafe {
        retrieve(space.handle, arcs.as_ptr(), arcs.len(), 0, done, user)
    })
}

/// Slices without ops are left out.
fn hashes_of_ops(
    space: &OpenSpace,
    full_slices: u64,
) -> impl Future<Output = Result<Vec<(u32, Hashes)>, StoreError>> + Send + use<> {
    let all = abi::SectorSet { words: [u32::MAX; 16] };
    let retrieve = space.database.table().retrieve_disc_slices;
    Call::start(&space.database, |done: abi::Callback<*const abi::DiscSlices>, user| unsafe {
        retrieve(space.handle, &all, full_slices, 0, done, user)
    })
}

fn store_hash(
    space: &OpenSpace,
    sector: u32,
    index: u64,
    hash: &[u8],
) -> impl Future<Output = Result<(), StoreError>> + Send + use<> {
    let (arc, hash) = (sector_arc(sector), abi::Bytes::of(hash));
    let store = space.database.table().store_slice_hash;
    Call::start_done(&space.database, |done, user| unsafe {
        store(space.handle, arc, index, hash, 0, done, user)
    })
}
