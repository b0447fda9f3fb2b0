//! Goal: whole kitsune2 nodes whose ops are in PostgreSQL gossip until all have the same.
//! Method: kitsune2's own core, gossip and fetch modules, its in-memory transport and bootstrap, and stores
//! over the plugin as op store and peer memory; one space of the database for each node.

mod support;

use bytes::Bytes;
use kitsune2_api::*;
use kitsune2_core::factories::{MemBootstrapConfig, MemBootstrapModConfig, MemOpStoreFactory, MemoryOp};
use kitsune2_core::{Ed25519LocalAgent, default_test_builder};
use kitsune2_gossip::{K2GossipConfig, K2GossipFactory, K2GossipModConfig};
use kitsune2_host::*;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use support::*;
use tokio::task::JoinHandle;

#[derive(Debug)]
struct Handler;

impl SpaceHandler for Handler {}

impl KitsuneHandler for Handler {
    fn create_space(&self, _: SpaceId, _: Option<&Config>) -> BoxFut<'_, K2Result<DynSpaceHandler>> {
        Box::pin(async { Ok(Arc::new(Handler) as DynSpaceHandler) })
    }
}

/// The nodes of one test meet under its name.
struct Network {
    name: String,
}

/// A node that serves one space.
struct Node {
    kitsune: DynKitsune,
    space: DynSpace,
    inform: JoinHandle<()>,
}

impl Network {
    fn new(name: &str) -> Self {
        Network { name: format!("{name}/{}", Timestamp::now().as_micros()) }
    }

    /// In kitsune2 all nodes of a network call the space by the same id; so each node has a PostgreSQL schema
    /// of its own, as nodes that share a server would.
    async fn database(&self, node: &str) -> Arc<Database> {
        Database::connect(&plugin(), &location(), &format!("kitsune2_host_{node}"), 2).await.unwrap()
    }

    async fn start(&self, database: Arc<Database>) -> Node {
        let (sender, new_ops) = new_ops_channel();
        let options = SpaceOptions { format: Some(Arc::new(MemoryOpFormat)), ..SpaceOptions::default() };
        let spaces = Spaces { database, options };
        self.start_on(Arc::new(PostgresOpStoreFactory::new(spaces.clone(), sender)), spaces, new_ops).await
    }

    async fn start_on(&self, op_store: DynOpStoreFactory, spaces: Spaces, new_ops: NewOps) -> Node {
        let builder = Builder {
            op_store,
            peer_meta_store: Arc::new(PostgresPeerMetaStoreFactory::new(spaces)),
            gossip: K2GossipFactory::create(),
            ..default_test_builder()
        };
        let builder = builder.with_default_config().unwrap();
        let k2_gossip = K2GossipConfig {
            initiate_interval_ms: 500,
            min_initiate_interval_ms: 100,
            initial_initiate_interval_ms: 100,
            initiate_jitter_ms: 100,
            ..K2GossipConfig::default()
        };
        builder.config.set_module_config(&K2GossipModConfig { k2_gossip }).unwrap();
        let mem_bootstrap = MemBootstrapConfig { test_id: self.name.clone(), poll_freq_ms: 100 };
        builder.config.set_module_config(&MemBootstrapModConfig { mem_bootstrap }).unwrap();

        let kitsune = builder.build().await.unwrap();
        kitsune.register_handler(Arc::new(Handler)).await.unwrap();
        let space = kitsune.space(self.space_id(), None).await.unwrap();
        let agent = Ed25519LocalAgent::default();
        agent.set_tgt_storage_arc_hint(DhtArc::FULL);
        space.local_agent_join(Arc::new(agent)).await.unwrap();
        let inform = tokio::spawn(inform(space.clone(), new_ops));
        Node { kitsune, space, inform }
    }

    fn space_id(&self) -> SpaceId {
        Bytes::from(self.name.clone()).into()
    }
}

/// What each host has to do: tell kitsune2 of what is new in the store.
async fn inform(space: DynSpace, mut new_ops: NewOps) {
    while let Ok((_, ops)) = new_ops.recv().await {
        space.inform_ops_stored(ops).await.unwrap();
    }
}

impl Node {
    /// As if the process had ended: nothing is told, nothing is left in order.
    async fn kill(self) {
        self.inform.abort();
        let _ = self.inform.await;
        self.kitsune.close().await;
    }

    async fn author(&self, ops: &[MemoryOp]) {
        self.space.op_store().process_incoming_ops(incoming(ops)).await.unwrap();
    }

    async fn ids(&self) -> BTreeSet<OpId> {
        let (mut all, mut next) = (BTreeSet::new(), UNIX_TIMESTAMP);
        loop {
            let (ids, _, end) =
                self.space.op_store().retrieve_op_ids_bounded(DhtArc::FULL, next, 1 << 20).await.unwrap();
            if ids.is_empty() {
                return all;
            }
            all.extend(ids);
            next = end;
        }
    }

    async fn wait_for(&self, expected: &BTreeSet<OpId>) {
        let all_there = async {
            while self.ids().await != *expected {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(120), all_there).await.is_err() {
            panic!("{} of {} ops came", self.ids().await.len(), expected.len());
        }
    }

    /// Until gossip has found no difference, which makes the arcs of the agents full.
    async fn wait_for_full_arc(&self) {
        let full = async {
            let agents = self.space.local_agent_store().get_all().await.unwrap();
            while agents.iter().any(|agent| agent.get_cur_storage_arc() != DhtArc::FULL) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(120), full).await.expect("the arcs become full");
    }
}

fn set(ops: &[MemoryOp]) -> BTreeSet<OpId> {
    ids(ops).into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_gossip_until_equal() {
    let network = Network::new("three");
    let now = Timestamp::now();
    let mut random = Random::new(21, 16);
    let ops = random.ops(300, now, 40);
    let mut nodes = Vec::new();
    for name in ["a", "b", "c"] {
        nodes.push(network.start(network.database(name).await).await);
    }
    for (node, share) in nodes.iter().zip(ops.chunks(100)) {
        node.author(share).await;
    }
    for node in &nodes {
        node.wait_for(&set(&ops)).await;
    }
    for node in &nodes {
        node.wait_for_full_arc().await;
    }
    for node in nodes {
        node.kill().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_killed_goes_on_with_its_database() {
    let network = Network::new("killed");
    let now = Timestamp::now();
    let mut random = Random::new(22, 16);
    let ops = random.ops(300, now, 40);
    let (database_a, database_b) = (network.database("a").await, network.database("b").await);
    let a = network.start(database_a).await;
    let b = network.start(database_b.clone()).await;
    a.author(&ops[..100]).await;
    b.author(&ops[100..150]).await;
    a.wait_for(&set(&ops[..150])).await;
    b.wait_for(&set(&ops[..150])).await;

    // Killed with ops that are stored but not told of, old ones among them; and a goes on without it.
    b.inform.abort();
    b.author(&ops[150..200]).await;
    b.kill().await;
    drop(database_b);
    a.author(&ops[200..]).await;

    let b = network.start(network.database("b").await).await;
    assert!(b.ids().await.is_superset(&set(&ops[..200])));
    a.wait_for(&set(&ops)).await;
    b.wait_for(&set(&ops)).await;
    b.wait_for_full_arc().await;
    a.kill().await;
    b.kill().await;
}

/// Counts how often it is asked about one op.
#[derive(Debug)]
struct Watch {
    op: Bytes,
    seen: AtomicUsize,
}

impl OpFormat for Watch {
    fn name(&self) -> &str {
        MemoryOpFormat.name()
    }

    fn id_size(&self) -> u32 {
        MemoryOpFormat.id_size()
    }

    fn decode(&self, op: &[u8], metadata: &[u8]) -> Result<DecodedOp, Rejection> {
        self.seen.fetch_add(usize::from(op == self.op), Ordering::SeqCst);
        MemoryOpFormat.decode(op, metadata)
    }
}

/// A peer announces an op under an id that is not the op's (kitsune2's memory store believes every id). Our
/// node rejects what it fetches, has all else, and does not wait for the op for ever: gossip depends on the
/// fetch queue running empty.
#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_op_does_not_hold_up_the_fetch_queue() {
    let network = Network::new("rejected");
    let mut random = Random::new(23, 16);
    let ops = random.ops(50, Timestamp::now(), 40);
    let mut lie = IncomingOp::from(random.op(ops[1].created_at));
    lie.op_id = random.op(ops[1].created_at).compute_op_id();
    let told = StoredOp { op_id: lie.op_id.clone(), created_at: ops[1].created_at };
    let watch = Arc::new(Watch { op: lie.op_data.clone(), seen: AtomicUsize::new(0) });

    let options = SpaceOptions { format: Some(watch.clone()), ..SpaceOptions::default() };
    let spaces = |database| Spaces { database, options: options.clone() };
    let theirs = spaces(network.database("a").await);
    let liar = network.start_on(MemOpStoreFactory::create(), theirs, new_ops_channel().1).await;
    let (sender, new_ops) = new_ops_channel();
    let ours = spaces(network.database("b").await);
    let honest = Arc::new(PostgresOpStoreFactory::new(ours.clone(), sender));
    let honest = network.start_on(honest, ours, new_ops).await;
    liar.space.op_store().process_incoming_ops(vec![lie]).await.unwrap();
    liar.author(&ops).await;
    liar.space.inform_ops_stored([stored(&ops), vec![told]].concat()).await.unwrap();

    honest.wait_for(&set(&ops)).await;
    let idle = async {
        let pending = || async { honest.space.fetch().get_state_summary().await.unwrap().pending_requests };
        while watch.seen.load(Ordering::SeqCst) == 0 || !pending().await.is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), idle).await.expect("the fetch queue runs empty");
    assert_eq!(set(&ops), honest.ids().await);
    liar.kill().await;
    honest.kill().await;
}
