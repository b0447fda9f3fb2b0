//! kitsune2's [`OpStore`] over a space of the plugin.

use crate::abi;
use crate::call::Call;
use crate::database::OpenSpace;
use crate::error::StoreError;
use crate::ingest::Ingest;
use crate::new_ops::NewOpsSender;
use bytes::Bytes;
use futures::FutureExt;
use kitsune2_api::{BoxFut, DhtArc, IncomingOp, K2Result, MetaOp, OpId, OpStore, SpaceId, Timestamp};
use std::future::Future;
use std::sync::Arc;

/// kitsune2 adds this sum to what it has spent of its budget, casts the result to i32 and compares it with
/// the budget. 2^30 keeps the addition from turning negative, as long as the budget itself is below 2^30.
const SLICE_BYTES_MAX: u32 = 1 << 30;

/// The op store of one kitsune2 space. Thread-safe.
///
/// A method starts its call before it returns the future. Dropping the future cancels the call, but for
/// `process_incoming_ops`, which goes on: what it stores has to be announced.
#[derive(Debug)]
pub struct PostgresOpStore {
    space_id: SpaceId,
    space: Arc<OpenSpace>,
    new_ops: NewOpsSender,
}

fn arc(arc: DhtArc) -> abi::Arc {
    match arc {
        DhtArc::Empty => abi::Arc { kind: abi::ARC_EMPTY, start: 0, end: 0 },
        DhtArc::Arc(start, end) => abi::Arc { kind: abi::ARC_RANGE, start, end },
    }
}

/// Borrows from `ids`.
fn id_array(ids: &[OpId]) -> Vec<abi::Bytes> {
    ids.iter().map(|id| abi::Bytes::of(id)).collect()
}

fn op_ids(ids: Vec<Bytes>) -> Vec<OpId> {
    ids.into_iter().map(OpId::from).collect()
}

/// Puts the answer of a call into the shape that kitsune2 wants.
fn answer<'a, V, R>(
    call: impl Future<Output = Result<V, StoreError>> + Send + 'a,
    shape: impl FnOnce(V) -> R + Send + 'a,
) -> BoxFut<'a, K2Result<R>>
where
    V: Send + 'a,
{
    call.map(|result| Ok(shape(result?))).boxed()
}

impl PostgresOpStore {
    /// `new_ops` is told of each op that this store is the first to hold.
    pub fn new(space_id: SpaceId, space: OpenSpace, new_ops: NewOpsSender) -> Self {
        PostgresOpStore { space_id, space: Arc::new(space), new_ops }
    }

    /// Starts a call. `start` gets the table, the space and what to pass on.
    fn call<A: crate::call::Answer>(
        &self,
        start: impl FnOnce(&abi::Plugin, *mut abi::Space, abi::Callback<A>, *mut std::ffi::c_void) -> u64,
    ) -> Call<A::Value> {
        let (table, space) = (self.space.database.table(), self.space.handle);
        Call::start(&self.space.database, |done, user| start(table, space, done, user))
    }
}

impl OpStore for PostgresOpStore {
    /// One id for each op given, in their order, which is what kitsune2's fetch module wants: it zips the
    /// list with the ops, to report who delivered what, and stops fetching what is in the list.
    ///
    /// A rejected op is there with the id that its sender claimed. Left out, it would shift all behind it
    /// against the ops, and the fetch module would keep its request for ever; with a request pending it
    /// never says that it has drained, on which gossip waits while a node is new. If the sender lied, and
    /// the op of that id is another one, gossip finds it missing again.
    fn process_incoming_ops(&self, op_list: Vec<IncomingOp>) -> BoxFut<'_, K2Result<Vec<OpId>>> {
        let call = Ingest::start(self.space_id.clone(), self.space.clone(), self.new_ops.clone(), op_list);
        let ended = call.map(|ended| ended.expect("the plugin calls each callback"));
        answer(ended, |(report, ops)| {
            for (index, reason, message) in &report.rejected {
                tracing::warn!(op_id = ?ops[*index].op_id, reason, "rejected an op: {message}");
            }
            let claimed = ops.into_iter().map(|op| op.op_id);
            report
                .outcomes
                .into_iter()
                .zip(claimed)
                .map(|(id, claimed)| id.map_or(claimed, OpId::from))
                .collect()
        })
    }

    fn retrieve_op_hashes_in_time_slice(
        &self,
        dht_arc: DhtArc,
        start: Timestamp,
        end: Timestamp,
    ) -> BoxFut<'_, K2Result<(Vec<OpId>, u32)>> {
        let (start, end) = (start.as_micros(), end.as_micros());
        let call = self.call(|table, space, done, user| unsafe {
            (table.retrieve_op_hashes_in_time_slice)(space, arc(dht_arc), start, end, 0, done, user)
        });
        answer(call, |found| (op_ids(found.ids), found.bytes_narrow.min(SLICE_BYTES_MAX)))
    }

    fn retrieve_ops(&self, ids: Vec<OpId>) -> BoxFut<'_, K2Result<Vec<MetaOp>>> {
        let ids = id_array(&ids);
        let call = self.call(|table, space, done, user| unsafe {
            (table.retrieve_ops)(space, ids.as_ptr(), ids.len(), 0, done, user)
        });
        answer(call, |ops| {
            ops.into_iter().map(|(id, op_data)| MetaOp { op_id: id.into(), op_data }).collect()
        })
    }

    fn filter_out_existing_ops(&self, ids: Vec<OpId>) -> BoxFut<'_, K2Result<Vec<OpId>>> {
        let ids = id_array(&ids);
        let call = self.call(|table, space, done, user| unsafe {
            (table.filter_out_existing_ops)(space, ids.as_ptr(), ids.len(), 0, done, user)
        });
        answer(call, |missing| op_ids(missing.ids))
    }

    /// The sum is never above `limit_bytes`, so it fits; kitsune2 subtracts it from the limit.
    fn retrieve_op_ids_bounded(
        &self,
        dht_arc: DhtArc,
        start: Timestamp,
        limit_bytes: u32,
    ) -> BoxFut<'_, K2Result<(Vec<OpId>, u32, Timestamp)>> {
        let (start, limit) = (start.as_micros(), u64::from(limit_bytes));
        let call = self.call(|table, space, done, user| unsafe {
            (table.retrieve_op_ids_bounded)(space, arc(dht_arc), start, limit, 0, done, user)
        });
        answer(call, |page| (op_ids(page.ids), page.bytes as u32, Timestamp::from_micros(page.next)))
    }

    fn earliest_timestamp_in_arc(&self, dht_arc: DhtArc) -> BoxFut<'_, K2Result<Option<Timestamp>>> {
        let call = self.call(|table, space, done, user| unsafe {
            (table.earliest_timestamp_in_arc)(space, arc(dht_arc), 0, done, user)
        });
        answer(call, |times| times[0].map(Timestamp::from_micros))
    }

    fn store_slice_hash(
        &self,
        dht_arc: DhtArc,
        slice_index: u64,
        slice_hash: Bytes,
    ) -> BoxFut<'_, K2Result<()>> {
        let (table, space) = (self.space.database.table(), self.space.handle);
        let hash = abi::Bytes::of(&slice_hash);
        let call = Call::start_done(&self.space.database, |done, user| unsafe {
            (table.store_slice_hash)(space, arc(dht_arc), slice_index, hash, 0, done, user)
        });
        answer(call, |()| ())
    }

    fn slice_hash_count(&self, dht_arc: DhtArc) -> BoxFut<'_, K2Result<u64>> {
        let call = self.call(|table, space, done, user| unsafe {
            (table.slice_hash_count)(space, arc(dht_arc), 0, done, user)
        });
        answer(call, |count| count)
    }

    fn retrieve_slice_hash(&self, dht_arc: DhtArc, slice_index: u64) -> BoxFut<'_, K2Result<Option<Bytes>>> {
        let call = self.call(|table, space, done, user| unsafe {
            (table.retrieve_slice_hash)(space, arc(dht_arc), slice_index, 0, done, user)
        });
        answer(call, |hash| (!hash.is_empty()).then_some(hash))
    }

    fn retrieve_slice_hashes(&self, dht_arc: DhtArc) -> BoxFut<'_, K2Result<Vec<(u64, Bytes)>>> {
        let call = self.call(|table, space, done, user| unsafe {
            (table.retrieve_slice_hashes)(space, arc(dht_arc), 0, done, user)
        });
        answer(call, |mut lists| lists.swap_remove(0))
    }

    fn query_total_op_count(&self) -> BoxFut<'_, K2Result<u64>> {
        let call = self
            .call(|table, space, done, user| unsafe { (table.query_total_op_count)(space, 0, done, user) });
        answer(call, |count| count)
    }
}
