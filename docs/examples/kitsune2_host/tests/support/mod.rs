//! What the tests share: the plugin, a server, spaces of their own, and kitsune2's memory ops in them.

#![allow(dead_code)] // Each test program uses a part of it.

use bytes::Bytes;
use kitsune2_api::*;
use kitsune2_core::factories::{MemOpStoreFactory, MemoryOp};
use kitsune2_host::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// OPSTORE_PLUGIN says where `libopstore_postgres.so` is.
pub fn plugin() -> Arc<Plugin> {
    let path = std::env::var("OPSTORE_PLUGIN").expect("OPSTORE_PLUGIN is the path of libopstore_postgres.so");
    Plugin::load(path).expect("the plugin loads")
}

/// OPSTORE_DATABASE is a conninfo string; without it the tests run a private server in OPSTORE_HOME.
pub fn location() -> Location {
    if let Ok(conninfo) = std::env::var("OPSTORE_DATABASE") {
        return Location::Conninfo(conninfo);
    }
    let scratch = || std::env::temp_dir().join("kitsune2_host").to_string_lossy().into_owned();
    Location::EmbeddedHome(std::env::var("OPSTORE_HOME").unwrap_or_else(|_| scratch()))
}

pub async fn connect() -> Arc<Database> {
    Database::connect(&plugin(), &location(), "kitsune2_host_test", 0).await.expect("the database is there")
}

/// The bytes of kitsune2's own test ops: JSON, whose id is the first 32 bytes of the payload.
#[derive(Debug)]
pub struct MemoryOpFormat;

impl OpFormat for MemoryOpFormat {
    fn name(&self) -> &str {
        "kitsune2 memory op"
    }

    fn id_size(&self) -> u32 {
        32
    }

    fn decode(&self, op: &[u8], _metadata: &[u8]) -> Result<DecodedOp, Rejection> {
        let op: MemoryOp =
            serde_json::from_slice(op).map_err(|error| Rejection::unreadable(error.to_string()))?;
        Ok(DecodedOp { op_id: op.compute_op_id(), created_at: op.created_at })
    }
}

/// A space of a test's own, deleted by [`TestSpace::finish`].
pub struct TestSpace {
    pub spaces: Spaces,
    pub space_id: SpaceId,
    pub sender: NewOpsSender,
    pub new_ops: NewOps,
}

impl TestSpace {
    pub async fn new() -> Self {
        Self::within(connect().await).await
    }

    pub async fn within(database: Arc<Database>) -> Self {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}/{}/{number}", Timestamp::now().as_micros(), std::process::id());
        let options = SpaceOptions { format: Some(Arc::new(MemoryOpFormat)), ..SpaceOptions::default() };
        let (sender, new_ops) = new_ops_channel();
        TestSpace {
            spaces: Spaces { database, options },
            space_id: Bytes::from(name).into(),
            sender,
            new_ops,
        }
    }

    pub async fn open(&self) -> OpenSpace {
        self.spaces.open(&self.space_id).await.expect("the space opens")
    }

    /// A store as kitsune2 finds it after a crash: nothing is mended.
    pub async fn store(&self) -> DynOpStore {
        Arc::new(PostgresOpStore::new(self.space_id.clone(), self.open().await, self.sender.clone()))
    }

    /// The ops that are new in the store since the last call.
    pub fn take_new_ops(&mut self) -> Vec<StoredOp> {
        let mut all = Vec::new();
        while let Ok((_, ops)) = self.new_ops.try_recv() {
            all.extend(ops);
        }
        all
    }

    pub async fn finish(self) {
        self.spaces.database.drop_space(&self.space_id).await.expect("the space is dropped");
    }
}

/// kitsune2's own store, to compare with.
pub async fn memory_store() -> DynOpStore {
    let builder = kitsune2_core::default_test_builder().with_default_config().unwrap();
    MemOpStoreFactory::create().create(Arc::new(builder), Bytes::from_static(b"memory").into()).await.unwrap()
}

/// splitmix64: the same ops in each run.
///
/// Ops lie in `sectors` neighbouring sectors, a power of two up to 512. A model asks more of a sector that has
/// ops, so that few make a test quick, and the ops of a sector many.
pub struct Random {
    state: u64,
    sectors: u32,
}

impl Random {
    pub fn new(seed: u64, sectors: u32) -> Self {
        Random { state: seed, sectors }
    }

    pub fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.state;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub fn op(&mut self, created_at: Timestamp) -> MemoryOp {
        let size = 32 + self.below(64) as usize;
        let mut payload: Vec<u8> = (0..size).map(|_| self.next() as u8).collect();
        // The location is the XOR of the words of the id, so the last word can put it where it should be.
        let location = OpId::from(Bytes::copy_from_slice(&payload[..32])).loc();
        let outside = location & !((u64::from(self.sectors) << 23) - 1) as u32;
        for (byte, change) in payload[28..32].iter_mut().zip(outside.to_le_bytes()) {
            *byte ^= change;
        }
        MemoryOp::new(created_at, payload)
    }

    /// Ops of the time before `now`, half of them from the last day.
    pub fn ops(&mut self, count: usize, now: Timestamp, days: u64) -> Vec<MemoryOp> {
        const DAY_US: u64 = 24 * 60 * 60 * 1_000_000;
        (0..count)
            .map(|i| {
                let age = self.below(if i % 2 == 0 { DAY_US } else { days * DAY_US });
                self.op(Timestamp::from_micros(now.as_micros() - age as i64))
            })
            .collect()
    }
}

pub fn incoming(ops: &[MemoryOp]) -> Vec<IncomingOp> {
    ops.iter().cloned().map(IncomingOp::from).collect()
}

pub fn stored(ops: &[MemoryOp]) -> Vec<StoredOp> {
    ops.iter().cloned().map(StoredOp::from).collect()
}

pub fn ids(ops: &[MemoryOp]) -> Vec<OpId> {
    ops.iter().map(MemoryOp::compute_op_id).collect()
}

/// Bytes of an op as a peer sends it, which is what the plugin's byte sums count. (kitsune2's memory store
/// counts the payload alone.)
pub fn sent_size(op: &MemoryOp) -> u32 {
    Bytes::from(op.clone()).len() as u32
}
