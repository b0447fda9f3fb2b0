//! Bringing a batch of ops into the store, and telling of those that are new.

use crate::abi;
use crate::call::{self, IngestReport};
use crate::database::OpenSpace;
use crate::error::StoreError;
use crate::new_ops::NewOpsSender;
use futures::channel::oneshot;
use kitsune2_api::{IncomingOp, SpaceId, StoredOp, Timestamp};
use std::sync::Arc;

/// Of a batch in doubt. Each time the plugin itself tries until its time-out, so this lasts for minutes.
const REPEATS_MAX: u32 = 10;

/// The report, and the ops back.
pub(crate) type Ended = Result<(IngestReport, Vec<IncomingOp>), StoreError>;

/// A batch on its way into the store. It goes on to its end whether somebody waits for that or not, because what
/// is stored has to be announced.
///
/// After an error with commit_in_doubt the ops may be stored and nobody told. kitsune2 would not make up for
/// it: it does not fetch what the store holds. So the batch is repeated, until a report says what is new. The
/// plugin counts what a call in doubt has stored as new in the repeat, as long as the space stays open.
pub(crate) struct Ingest {
    space_id: SpaceId,
    space: Arc<OpenSpace>,
    new_ops: NewOpsSender,
    ops: Vec<IncomingOp>,
    in_doubt: bool,
    repeats: u32,
    ended: oneshot::Sender<Ended>,
}

impl Ingest {
    pub fn start(
        space_id: SpaceId,
        space: Arc<OpenSpace>,
        new_ops: NewOpsSender,
        ops: Vec<IncomingOp>,
    ) -> oneshot::Receiver<Ended> {
        let (ended, receiver) = oneshot::channel();
        Ingest { space_id, space, new_ops, ops, in_doubt: false, repeats: 0, ended }.call();
        receiver
    }

    fn call(self) {
        // They point to what the ops own, which does not move when `self` does.
        let ops: Vec<_> = self
            .ops
            .iter()
            .map(|op| abi::IncomingOp {
                data: abi::Bytes::of(&op.op_data),
                claimed_id: abi::Bytes::of(&op.op_id),
                metadata: op.metadata.as_ref().map_or(abi::Bytes::EMPTY, |bytes| abi::Bytes::of(bytes)),
            })
            .collect();
        let space = self.space.clone();
        let process = space.database.table().process_incoming_ops;
        call::start_with(
            Box::new(move |result| self.end(result)),
            |done: abi::Callback<*const abi::IngestReport>, user| unsafe {
                process(space.handle, ops.as_ptr(), ops.len(), 0, done, user)
            },
        );
    }

    /// Within the callback, so that no op is lost to the model because a task of kitsune2 was aborted.
    fn end(mut self, result: Result<IngestReport, StoreError>) {
        if let Err(error) = &result {
            self.in_doubt |= error.commit_in_doubt;
            if self.in_doubt && error.retryable && self.repeats < REPEATS_MAX {
                tracing::warn!(ops = self.ops.len(), "repeating a batch whose fate is in doubt: {error}");
                self.repeats += 1;
                return self.call();
            }
        }
        if let Ok(report) = &result {
            self.announce(report);
        }
        // Nobody may wait any more.
        let _ = self.ended.send(result.map(|report| (report, self.ops)));
    }

    fn announce(&self, report: &IngestReport) {
        let stored: Vec<_> = report
            .newly_stored
            .iter()
            .map(|(id, created_at)| StoredOp {
                op_id: id.clone().into(),
                created_at: Timestamp::from_micros(*created_at),
            })
            .collect();
        if !stored.is_empty() {
            self.new_ops.send(self.space_id.clone(), stored);
        }
    }
}
