//! From a callback to a future.
//!
//! Each call of the plugin gets a boxed closure as its `user` pointer. The callback comes exactly once, or
//! never if the call could not begin; so the box is freed exactly once. The closure of most calls sends the
//! copied answer through a oneshot channel; the future that the caller holds is the other end of it.

use crate::abi;
use crate::database::Database;
use crate::error::StoreError;
use futures::channel::oneshot;
use std::ffi::c_void;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// What a callback is given, which ends when it returns, and the value of Rust that it is copied into.
pub(crate) trait Answer: Copy {
    type Value: Send + 'static;

    /// # Safety
    /// Called within the callback that was given `self`, without an error.
    unsafe fn copy(self) -> Self::Value;
}

pub(crate) type Then<V> = Box<dyn FnOnce(Result<V, StoreError>) + Send>;

/// A call under way. Dropping it cancels the call.
pub(crate) struct Call<V> {
    receiver: oneshot::Receiver<Result<V, StoreError>>,
    database: Arc<Database>,
    cancel: Option<u64>,
}

impl<V: Send + 'static> Call<V> {
    /// Starts a call that is answered by an `A`. `start` calls a function of the table with the callback and
    /// the user pointer that it is given, and returns what that returned.
    pub fn start<A: Answer<Value = V>>(
        database: &Arc<Database>,
        start: impl FnOnce(abi::Callback<A>, *mut c_void) -> u64,
    ) -> Self {
        Self::start_then(database, |value| value, start)
    }

    /// The same, and `map` runs on the answer within the callback, on a thread of the plugin, whether
    /// somebody still waits for the call or not. It must not wait.
    pub fn start_then<A: Answer>(
        database: &Arc<Database>,
        map: impl FnOnce(A::Value) -> V + Send + 'static,
        start: impl FnOnce(abi::Callback<A>, *mut c_void) -> u64,
    ) -> Self {
        let (sender, receiver) = oneshot::channel();
        // Nobody may wait any more; then the answer is dropped here.
        let then: Then<A::Value> = Box::new(move |result| drop(sender.send(result.map(map))));
        let number = start_with(then, start);
        Call { receiver, database: database.clone(), cancel: (number != 0).then_some(number) }
    }
}

impl Call<()> {
    /// Starts a call that is answered by success or failure alone.
    pub fn start_done(
        database: &Arc<Database>,
        start: impl FnOnce(abi::DoneCallback, *mut c_void) -> u64,
    ) -> Self {
        let (sender, receiver) = oneshot::channel();
        let then: Then<()> = Box::new(move |result| drop(sender.send(result)));
        let number = begin(then, |user| start(complete_done, user));
        Call { receiver, database: database.clone(), cancel: (number != 0).then_some(number) }
    }
}

/// Starts a call that nobody can cancel: `then` takes what it ends with, within the callback.
pub(crate) fn start_with<A: Answer>(
    then: Then<A::Value>,
    start: impl FnOnce(abi::Callback<A>, *mut c_void) -> u64,
) -> u64 {
    begin(then, |user| start(complete::<A>, user))
}

fn begin<V>(then: Then<V>, start: impl FnOnce(*mut c_void) -> u64) -> u64 {
    let user = Box::into_raw(Box::new(then));
    let number = start(user.cast());
    if number == 0 {
        // The callback will never come: the box is ours again.
        let then = unsafe { Box::from_raw(user) };
        then(Err(StoreError::new(abi::OUT_OF_MEMORY, "the call could not begin")));
    }
    number
}

unsafe extern "C" fn complete<A: Answer>(user: *mut c_void, error: *const abi::Error, answer: A) {
    unsafe {
        let then = Box::from_raw(user.cast::<Then<A::Value>>());
        then(match error.as_ref() {
            None => Ok(answer.copy()),
            Some(error) => Err(StoreError::copy(error)),
        });
    }
}

unsafe extern "C" fn complete_done(user: *mut c_void, error: *const abi::Error) {
    unsafe {
        let then = Box::from_raw(user.cast::<Then<()>>());
        then(match error.as_ref() {
            None => Ok(()),
            Some(error) => Err(StoreError::copy(error)),
        });
    }
}

impl<V> Future for Call<V> {
    type Output = Result<V, StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.receiver).poll(context).map(|received| {
            self.cancel = None;
            received.expect("the plugin calls each callback")
        })
    }
}

impl<V> Drop for Call<V> {
    fn drop(&mut self) {
        if let Some(number) = self.cancel {
            self.database.cancel(number);
        }
    }
}

// ----------------------------------------------------------------------------------------------- answers

fn bytes(bytes: &abi::Bytes) -> bytes::Bytes {
    bytes::Bytes::copy_from_slice(unsafe { bytes.as_slice() })
}

unsafe fn list(ids: *const abi::Bytes, count: usize) -> Vec<bytes::Bytes> {
    unsafe { abi::array(ids, count) }.iter().map(bytes).collect()
}

impl Answer for u64 {
    type Value = u64;
    unsafe fn copy(self) -> u64 {
        self
    }
}

impl Answer for abi::Bytes {
    type Value = bytes::Bytes;
    unsafe fn copy(self) -> bytes::Bytes {
        bytes(&self)
    }
}

/// Ids, and the sum of the sizes of their ops.
pub(crate) struct Ids {
    pub ids: Vec<bytes::Bytes>,
    pub bytes_narrow: u32,
}

impl Answer for *const abi::Ids {
    type Value = Ids;
    unsafe fn copy(self) -> Ids {
        unsafe {
            let answer = &*self;
            Ids { ids: list(answer.ids, answer.count), bytes_narrow: answer.bytes_narrow }
        }
    }
}

pub(crate) struct Page {
    pub ids: Vec<bytes::Bytes>,
    pub bytes: u64,
    pub next: i64,
}

impl Answer for *const abi::Page {
    type Value = Page;
    unsafe fn copy(self) -> Page {
        unsafe {
            let page = &*self;
            Page { ids: list(page.ids, page.count), bytes: page.bytes, next: page.next }
        }
    }
}

/// Ids and data.
impl Answer for *const abi::Ops {
    type Value = Vec<(bytes::Bytes, bytes::Bytes)>;
    unsafe fn copy(self) -> Self::Value {
        let ops = unsafe { abi::array((*self).ops, (*self).count) };
        ops.iter().map(|op| (bytes(&op.id), bytes(&op.data))).collect()
    }
}

impl Answer for *const abi::Times {
    type Value = Vec<Option<i64>>;
    unsafe fn copy(self) -> Self::Value {
        let times = unsafe { abi::array((*self).times, (*self).count) };
        times.iter().map(|time| (time.present != 0).then_some(time.value)).collect()
    }
}

pub(crate) type SliceHashes = Vec<(u64, bytes::Bytes)>;

unsafe fn slice_hashes(list: &abi::SliceHashList) -> SliceHashes {
    let hashes = unsafe { abi::array(list.hashes, list.count) };
    hashes.iter().map(|slice| (slice.index, bytes(&slice.hash))).collect()
}

impl Answer for *const abi::SliceHashLists {
    type Value = Vec<SliceHashes>;
    unsafe fn copy(self) -> Self::Value {
        unsafe { abi::array((*self).lists, (*self).count).iter().map(|list| slice_hashes(list)).collect() }
    }
}

impl Answer for *const abi::DiscSlices {
    type Value = Vec<(u32, SliceHashes)>;
    unsafe fn copy(self) -> Self::Value {
        unsafe {
            let sectors = abi::array((*self).sectors, (*self).count);
            sectors.iter().map(|sector| (sector.sector, slice_hashes(&sector.slices))).collect()
        }
    }
}

/// What became of the ops of a batch.
pub(crate) struct IngestReport {
    /// One for each op given: its id, or nothing if it was rejected.
    pub outcomes: Vec<Option<bytes::Bytes>>,
    /// Id and created_at of the ops that no call before this one stored.
    pub newly_stored: Vec<(bytes::Bytes, i64)>,
    /// Index, reason and message.
    pub rejected: Vec<(usize, i32, String)>,
}

impl Answer for *const abi::IngestReport {
    type Value = IngestReport;
    unsafe fn copy(self) -> IngestReport {
        unsafe {
            let report = &*self;
            let outcomes = abi::array(report.outcomes, report.outcome_count);
            let newly_stored = abi::array(report.newly_stored, report.newly_stored_count);
            let rejected = abi::array(report.rejected, report.rejected_count);
            IngestReport {
                outcomes: outcomes
                    .iter()
                    .map(|outcome| (outcome.what != abi::REJECTED).then(|| bytes(&outcome.id)))
                    .collect(),
                newly_stored: newly_stored.iter().map(|op| (bytes(&op.id), op.created_at)).collect(),
                rejected: rejected
                    .iter()
                    .map(|one| (one.index, one.reason, one.message.to_string()))
                    .collect(),
            }
        }
    }
}

/// Peer, key and value.
impl Answer for *const abi::PeerEntries {
    type Value = Vec<(bytes::Bytes, bytes::Bytes, bytes::Bytes)>;
    unsafe fn copy(self) -> Self::Value {
        let entries = unsafe { abi::array((*self).entries, (*self).count) };
        entries.iter().map(|one| (bytes(&one.peer), bytes(&one.key), bytes(&one.value))).collect()
    }
}
