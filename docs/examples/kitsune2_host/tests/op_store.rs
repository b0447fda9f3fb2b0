//! Goal: the store does what kitsune2's own memory store does, case by case as kitsune2 tests it (its
//! mem_op_store tests), and beyond it what a host must be able to rely on.

mod support;

use bytes::Bytes;
use kitsune2_api::*;
use kitsune2_core::factories::MemoryOp;
use kitsune2_host::*;
use support::*;

fn op_at_location(location: u32) -> MemoryOp {
    let mut payload = location.to_le_bytes().to_vec();
    payload.resize(32, 0);
    MemoryOp::new(Timestamp::now(), payload)
}

const START: Timestamp = UNIX_TIMESTAMP;

#[tokio::test]
async fn an_op_comes_back_as_it_was() {
    let space = TestSpace::new().await;
    let store = space.store().await;
    let op = MemoryOp::new(Timestamp::now(), vec![1, 2, 3]);
    let held = store.process_incoming_ops(incoming(std::slice::from_ref(&op))).await.unwrap();
    assert_eq!(ids(std::slice::from_ref(&op)), held);
    let unknown = op_at_location(7).compute_op_id();
    let asked = vec![op.compute_op_id(), unknown, op.compute_op_id()];
    let found = store.retrieve_ops(asked).await.unwrap();
    assert_eq!(2, found.len());
    assert_eq!(op.compute_op_id(), found[1].op_id);
    assert_eq!(op, MemoryOp::from(found[0].op_data.clone()));
    space.finish().await;
}

#[tokio::test]
async fn an_empty_arc_moves_the_bookmark() {
    let space = TestSpace::new().await;
    let store = space.store().await;
    store.process_incoming_ops(incoming(&[op_at_location(1)])).await.unwrap();
    let (ids, bytes, next) = store.retrieve_op_ids_bounded(DhtArc::Empty, START, 100).await.unwrap();
    assert!(ids.is_empty());
    assert_eq!(0, bytes);
    assert!(next > START);
    space.finish().await;
}

#[tokio::test]
async fn a_page_ends_at_the_limit() {
    let space = TestSpace::new().await;
    let store = space.store().await;
    let ops = [op_at_location(1), op_at_location(2), op_at_location(3)];
    store.process_incoming_ops(incoming(&ops)).await.unwrap();
    let two = sent_size(&ops[0]) + sent_size(&ops[1]);
    let arc = DhtArc::Arc(0, 32);
    let (page, bytes, next) = store.retrieve_op_ids_bounded(arc, START, two + 4).await.unwrap();
    assert_eq!((ids(&ops[..2]), two), (page, bytes));
    let (page, _, end) = store.retrieve_op_ids_bounded(arc, next, two).await.unwrap();
    assert_eq!(ids(&ops[2..]), page);
    let (page, bytes, same) = store.retrieve_op_ids_bounded(arc, end, two).await.unwrap();
    assert_eq!((vec![], 0, end), (page, bytes, same));
    space.finish().await;
}

#[tokio::test]
async fn the_least_bookmark_of_several_arcs_loses_nothing() {
    let space = TestSpace::new().await;
    let store = space.store().await;
    let ops: Vec<_> = [1, 2, 3, 50, 51, 52].into_iter().map(op_at_location).collect();
    store.process_incoming_ops(incoming(&ops)).await.unwrap();
    let limit = ops[..5].iter().map(sent_size).sum::<u32>() + 4;
    let (low, high) = (DhtArc::Arc(0, 32), DhtArc::Arc(32, 64));

    let (page, bytes, next_low) = store.retrieve_op_ids_bounded(low, START, limit).await.unwrap();
    assert_eq!(ids(&ops[..3]), page);
    let (page, _, next_high) = store.retrieve_op_ids_bounded(high, START, limit - bytes).await.unwrap();
    assert_eq!(ids(&ops[3..5]), page);

    let next = next_low.min(next_high);
    assert!(next > START);
    let (page, ..) = store.retrieve_op_ids_bounded(low, next, 1000).await.unwrap();
    assert!(page.is_empty());
    let (page, ..) = store.retrieve_op_ids_bounded(high, next, 1000).await.unwrap();
    assert_eq!(ids(&ops[5..]), page);
    space.finish().await;
}

#[tokio::test]
async fn an_op_counts_once() {
    let mut space = TestSpace::new().await;
    let store = space.store().await;
    assert_eq!(0, store.query_total_op_count().await.unwrap());
    let ops = [MemoryOp::new(START, vec![1; 32]), MemoryOp::new(START, vec![2; 32])];
    let held = store.process_incoming_ops(incoming(&ops)).await.unwrap();
    assert_eq!(ids(&ops), held);
    assert_eq!(2, store.query_total_op_count().await.unwrap());
    assert_eq!(stored(&ops), space.take_new_ops());

    let again = [ops[1].clone(), ops[1].clone(), ops[0].clone()];
    let held = store.process_incoming_ops(incoming(&again)).await.unwrap();
    assert_eq!(ids(&again), held);
    assert_eq!(2, store.query_total_op_count().await.unwrap());
    assert!(space.take_new_ops().is_empty());
    space.finish().await;
}

#[tokio::test]
async fn a_time_slice_holds_start_but_not_end() {
    let space = TestSpace::new().await;
    let store = space.store().await;
    let at = |micros, byte| MemoryOp::new(Timestamp::from_micros(micros), vec![byte; 32]);
    let ops = [at(30, 3), at(10, 1), at(20, 2), at(9, 4)];
    store.process_incoming_ops(incoming(&ops)).await.unwrap();
    let (start, end) = (Timestamp::from_micros(10), Timestamp::from_micros(30));
    let (found, bytes) = store.retrieve_op_hashes_in_time_slice(DhtArc::FULL, start, end).await.unwrap();
    assert_eq!(vec![ops[1].compute_op_id(), ops[2].compute_op_id()], found);
    assert_eq!(sent_size(&ops[1]) + sent_size(&ops[2]), bytes);
    assert_eq!(Some(Timestamp::from_micros(9)), store.earliest_timestamp_in_arc(DhtArc::FULL).await.unwrap());
    assert_eq!(None, store.earliest_timestamp_in_arc(DhtArc::Arc(1, 2)).await.unwrap());
    assert_eq!(None, store.earliest_timestamp_in_arc(DhtArc::Empty).await.unwrap());
    space.finish().await;
}

#[tokio::test]
async fn slice_hashes_are_kept_by_arc_and_index() {
    let space = TestSpace::new().await;
    let store = space.store().await;
    let (one, other) = (DhtArc::Arc(0, 2), DhtArc::Arc(0, 4));
    let hash = |byte| Bytes::from(vec![byte; 64]);
    assert_eq!(0, store.slice_hash_count(one).await.unwrap());
    assert!(store.store_slice_hash(one, 0, Bytes::new()).await.is_err());
    for (arc, index, byte) in [(one, 100, 1), (one, 115, 2), (one, 105, 3), (other, 102, 4), (one, 105, 5)] {
        store.store_slice_hash(arc, index, hash(byte)).await.unwrap();
    }
    assert_eq!(116, store.slice_hash_count(one).await.unwrap());
    assert_eq!(103, store.slice_hash_count(other).await.unwrap());
    assert_eq!(Some(hash(5)), store.retrieve_slice_hash(one, 105).await.unwrap());
    assert_eq!(None, store.retrieve_slice_hash(other, 105).await.unwrap());
    assert_eq!(
        vec![(100, hash(1)), (105, hash(5)), (115, hash(2))],
        store.retrieve_slice_hashes(one).await.unwrap()
    );
    assert!(store.retrieve_slice_hashes(DhtArc::FULL).await.unwrap().is_empty());
    space.finish().await;
}

#[tokio::test]
async fn filter_answers_what_is_missing_in_order() {
    let space = TestSpace::new().await;
    let store = space.store().await;
    let ops: Vec<_> = (0..10).map(op_at_location).collect();
    store.process_incoming_ops(incoming(&ops[2..5])).await.unwrap();
    let missing = store.filter_out_existing_ops(ids(&ops)).await.unwrap();
    assert_eq!([ids(&ops[..2]), ids(&ops[5..])].concat(), missing);
    assert!(store.filter_out_existing_ops(vec![]).await.unwrap().is_empty());
    space.finish().await;
}

/// kitsune2 zips what process_incoming_ops returns with what it gave.
#[tokio::test]
async fn a_bad_op_keeps_its_place() {
    let mut space = TestSpace::new().await;
    let store = space.store().await;
    let good = [op_at_location(1), op_at_location(2), op_at_location(3)];
    let mut batch = incoming(&good);
    let unreadable = IncomingOp {
        op_id: Bytes::from(vec![9; 32]).into(),
        op_data: Bytes::from_static(b"not an op"),
        metadata: Some(Bytes::from_static(b"whatever")),
    };
    let lie = IncomingOp { op_id: Bytes::from(vec![8; 32]).into(), ..op_at_location(4).into() };
    let far = MemoryOp::new(Timestamp::now() + std::time::Duration::from_secs(10 * 24 * 3600), vec![5; 32]);
    let before_epoch = MemoryOp::new(Timestamp::from_micros(-1), vec![6; 32]);
    batch.insert(0, unreadable);
    batch.insert(2, lie);
    batch.insert(4, far.into());
    batch.push(before_epoch.into());
    let given: Vec<_> = batch.iter().map(|op| op.op_id.clone()).collect();

    assert_eq!(given, store.process_incoming_ops(batch).await.unwrap());
    assert_eq!(3, store.query_total_op_count().await.unwrap());
    assert_eq!(stored(&good), space.take_new_ops());
    space.finish().await;
}

/// A decoder that panics on a peer's bytes must not take the process with it.
#[tokio::test]
async fn a_panic_of_the_decoder_rejects_the_op() {
    #[derive(Debug)]
    struct Fragile;
    impl OpFormat for Fragile {
        fn name(&self) -> &str {
            "fragile"
        }
        fn id_size(&self) -> u32 {
            4
        }
        fn decode(&self, op: &[u8], _: &[u8]) -> Result<DecodedOp, Rejection> {
            Ok(DecodedOp { op_id: Bytes::copy_from_slice(&op[..4]).into(), created_at: START })
        }
    }
    let mut space = TestSpace::new().await;
    space.spaces.options.format = Some(std::sync::Arc::new(Fragile));
    let store = space.store().await;
    let op = |bytes: &'static [u8]| IncomingOp {
        op_id: Bytes::from_static(bytes).into(),
        op_data: Bytes::from_static(bytes),
        metadata: None,
    };
    store.process_incoming_ops(vec![op(b"bad"), op(b"good")]).await.unwrap();
    assert_eq!(1, store.query_total_op_count().await.unwrap());
    space.finish().await;
}

/// More ids than one statement should list one by one.
#[tokio::test]
async fn many_ids_are_filtered_at_once() {
    let space = TestSpace::new().await;
    let store = space.store().await;
    let ops: Vec<_> = (0..1000).map(op_at_location).collect();
    store.process_incoming_ops(incoming(&ops)).await.unwrap();
    let all: Vec<_> = (0..10_000).map(|i| op_at_location(i).compute_op_id()).collect();
    let missing = store.filter_out_existing_ops(all.clone()).await.unwrap();
    assert!(missing == all[1000..]);
    space.finish().await;
}

/// Futures are dropped by kitsune2 at any time, when a task of it is aborted.
#[tokio::test]
async fn a_dropped_future_is_a_cancelled_call() {
    let mut space = TestSpace::new().await;
    let store = space.store().await;
    let mut random = Random::new(1, 512);
    let ops = random.ops(500, Timestamp::now(), 10);
    for op in &ops {
        drop(store.process_incoming_ops(incoming(std::slice::from_ref(op)))); // Goes on nevertheless.
        drop(store.retrieve_op_ids_bounded(DhtArc::FULL, START, 1000));
        drop(space.spaces.open(&space.space_id));
    }
    // Nothing orders these two against the calls above, so ask until all are there.
    while store.query_total_op_count().await.unwrap() < 500 {}
    let mut announced = space.take_new_ops();
    while announced.len() < 500 {
        announced.extend(space.take_new_ops());
    }
    announced.sort();
    let mut expected = stored(&ops);
    expected.sort();
    assert_eq!(expected, announced);
    space.finish().await;
}

#[tokio::test]
async fn peers_are_remembered() {
    let space = TestSpace::new().await;
    let store = PostgresPeerMetaStore::new(space.open().await);
    let peer = |n: u32| Url::from_str(format!("ws://peer.example:80/{n}")).unwrap();
    let (key, value) = (|| "bookmark".to_string(), Bytes::from_static(b"7"));
    store.put(peer(1), key(), value.clone(), None).await.unwrap();
    store.put(peer(2), key(), value.clone(), Some(Timestamp::from_micros(1))).await.unwrap();
    store.put(peer(3), "other".into(), value.clone(), None).await.unwrap();
    assert_eq!(Some(value.clone()), store.get(peer(1), key()).await.unwrap());
    assert_eq!(None, store.get(peer(2), key()).await.unwrap());
    let all = store.get_all_by_key(key()).await.unwrap();
    assert_eq!(vec![(peer(1), value)], all.into_iter().collect::<Vec<_>>());
    store.delete(peer(1), key()).await.unwrap();
    store.delete(peer(1), key()).await.unwrap();
    assert_eq!(None, store.get(peer(1), key()).await.unwrap());
    let (when, expiry) = (Timestamp::now(), Timestamp::now() + std::time::Duration::from_secs(60));
    store.set_unresponsive(peer(4), expiry, when).await.unwrap();
    assert_eq!(Some(when), store.get_unresponsive(peer(4)).await.unwrap());
    space.finish().await;
}

/// What is left of a database may be an answer that nobody awaits, dropped on the plugin's own thread.
#[tokio::test]
async fn the_last_reference_may_go_within_a_callback() {
    let space = TestSpace::new().await;
    drop(space.open().await);
    for _ in 0..10 {
        let database = connect().await;
        let opening = database.open_space(&space.space_id, &space.spaces.options);
        drop(database);
        drop(opening);
    }
    space.finish().await;
}

#[tokio::test]
async fn errors_say_what_is_wrong() {
    let space = TestSpace::new().await;
    let store = space.store().await;
    let error = store.store_slice_hash(DhtArc::Empty, 0, Bytes::from_static(b"x")).await.unwrap_err();
    assert!(error.to_string().contains("arc"), "{error}");
    let plain = SpaceOptions::default();
    let error = space.spaces.database.open_space(&space.space_id, &plain).await.unwrap_err();
    assert!(error.message.contains("format"), "{error}");

    space.spaces.database.drop_space(&space.space_id).await.unwrap();
    assert!(store.query_total_op_count().await.is_err());

    assert!(Plugin::load("libopstore_absent.so").is_err());
    let nowhere = Location::Conninfo("host=/nowhere dbname=opstore".into());
    let error = Database::connect(&plugin(), &nowhere, "", 0).await.unwrap_err();
    assert!(error.retryable, "{error}");
}
