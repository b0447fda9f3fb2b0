//! How a host hears of ops that are new in its store.

use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use kitsune2_api::{SpaceId, StoredOp};

/// Ops that a store has just become the first holder of, and their space.
///
/// kitsune2 has to be told of each, exactly once, by `Space::inform_ops_stored`: once more would take the op
/// out of the model again. The plugin names each op in exactly one call's report, however many calls bring
/// it, so what comes out of here can be passed on as it is. A host that validates ops does so in between.
pub type NewOps = UnboundedReceiver<(SpaceId, Vec<StoredOp>)>;

/// The end that the stores hold. Thread-safe.
#[derive(Debug, Clone)]
pub struct NewOpsSender(UnboundedSender<(SpaceId, Vec<StoredOp>)>);

/// One channel for all spaces of a node. It has no bound, because it is filled on the plugin's callback
/// threads, which must not wait; an entry is an id and a time.
pub fn new_ops_channel() -> (NewOpsSender, NewOps) {
    let (sender, receiver) = unbounded();
    (NewOpsSender(sender), receiver)
}

impl NewOpsSender {
    pub(crate) fn send(&self, space_id: SpaceId, ops: Vec<StoredOp>) {
        // A host that does not listen any more is shutting down; mend_slice_hashes() makes up for it.
        let _ = self.0.unbounded_send((space_id, ops));
    }
}
