//! Goal: kitsune2's model of a DHT comes out the same over this store as over its own memory store.
//! Method: the same ops into both, in all the ways in which a model hears of ops; then all that the model
//! says of itself is compared, hash by hash, for hundreds of ops made with a fixed seed.

mod support;

use kitsune2_api::*;
use kitsune2_core::factories::MemoryOp;
use kitsune2_dht::{ArcSet, Dht, DhtApi, DhtSnapshot, DhtSnapshotNextAction, SECTOR_SIZE, UNIT_TIME};
use kitsune2_host::mend_slice_hashes;
use std::collections::HashMap;
use std::time::Duration;
use support::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn model(store: &DynOpStore, now: Timestamp) -> Dht {
    Dht::try_from_store(now, store.clone()).await.unwrap()
}

fn full_arc() -> ArcSet {
    ArcSet::new(vec![DhtArc::FULL]).unwrap()
}

async fn minimal(dht: &Dht) -> DhtSnapshot {
    dht.snapshot_minimal(full_arc()).await.unwrap()
}

/// What `dht` says to a snapshot that asks for details of each disc sector and each ring.
async fn details(dht: &Dht, like: &DhtSnapshot) -> Vec<DhtSnapshot> {
    let DhtSnapshot::Minimal { disc_boundary, ring_top_hashes, .. } = like else { panic!() };
    let disc_boundary = *disc_boundary;
    let sectors = || 0..512_u32;
    let asked = [
        DhtSnapshot::DiscSectors { disc_sector_top_hashes: HashMap::new(), disc_boundary },
        DhtSnapshot::DiscSectorDetails {
            disc_sector_hashes: sectors().map(|sector| (sector, HashMap::new())).collect(),
            disc_boundary,
        },
        DhtSnapshot::RingSectorDetails {
            ring_sector_hashes: (0..ring_top_hashes.len() as u32)
                .map(|ring| (ring, HashMap::new()))
                .collect(),
            disc_boundary,
        },
    ];
    let mut answers = Vec::new();
    for snapshot in asked {
        match dht.handle_snapshot(snapshot, None, full_arc(), i32::MAX).await.unwrap().0 {
            DhtSnapshotNextAction::NewSnapshot(snapshot) => answers.push(snapshot),
            DhtSnapshotNextAction::NewSnapshotAndHashList(snapshot, _) => answers.push(snapshot),
            other => panic!("unexpected answer: {other:?}"),
        }
    }
    answers
}

async fn assert_same(ours: &Dht, theirs: &Dht) {
    let (mine, yours) = (minimal(ours).await, minimal(theirs).await);
    assert_eq!(mine, yours);
    assert_eq!(details(ours, &mine).await, details(theirs, &yours).await);
    assert_eq!(ours.next_update_at(), theirs.next_update_at());
    assert_eq!(ours.op_count(), theirs.op_count());
}

#[tokio::test]
async fn a_model_of_stored_ops_is_the_same() {
    let space = TestSpace::new().await;
    let (ours, theirs) = (space.store().await, memory_store().await);
    let now = Timestamp::now();
    let ops = Random::new(7, 512).ops(100, now, 60);
    ours.process_incoming_ops(incoming(&ops)).await.unwrap();
    theirs.process_incoming_ops(incoming(&ops)).await.unwrap();
    assert_same(&model(&ours, now).await, &model(&theirs, now).await).await;
    space.finish().await;
}

#[tokio::test]
async fn a_model_that_is_told_of_ops_and_time_is_the_same() {
    let mut space = TestSpace::new().await;
    let (ours, theirs) = (space.store().await, memory_store().await);
    let start = (Timestamp::now() - 8 * DAY).unwrap();
    let mut random = Random::new(8, 16);
    let first = random.ops(100, start, 30);
    ours.process_incoming_ops(incoming(&first)).await.unwrap();
    theirs.process_incoming_ops(incoming(&first)).await.unwrap();
    space.take_new_ops();
    let (mut our_model, mut their_model) = (model(&ours, start).await, model(&theirs, start).await);

    // Steps of a unit and more; among them are those that make a full slice of what were rings.
    let mut now = start;
    for step in 0..12 {
        let batch = random.ops(20, now, 30);
        let mut twice = incoming(&batch);
        twice.extend(incoming(&first[..5])); // The report leaves out what is not new.
        ours.process_incoming_ops(twice).await.unwrap();
        theirs.process_incoming_ops(incoming(&batch)).await.unwrap();
        our_model.inform_ops_stored(space.take_new_ops()).await.unwrap();
        their_model.inform_ops_stored(stored(&batch)).await.unwrap();
        now += if step % 4 == 3 { 2 * DAY } else { UNIT_TIME };
        our_model.update(now).await.unwrap();
        their_model.update(now).await.unwrap();
        assert_eq!(minimal(&our_model).await, minimal(&their_model).await);
    }
    assert_same(&our_model, &their_model).await;

    // A restart finds the slice hashes that the model before it has stored.
    drop((our_model, ours));
    let ours = space.store().await;
    assert_same(&model(&ours, now).await, &model(&theirs, now).await).await;
    space.finish().await;
}

/// kitsune2 does not compute the hash of a full slice again, so a restart alone does not help.
#[tokio::test]
async fn a_crash_before_the_model_is_told_is_mended() {
    let space = TestSpace::new().await;
    let (ours, theirs) = (space.store().await, memory_store().await);
    let now = Timestamp::now();
    let mut random = Random::new(9, 4);
    let (before, lost) = (random.ops(100, now, 40), random.ops(50, now, 40));
    ours.process_incoming_ops(incoming(&before)).await.unwrap();
    drop(model(&ours, now).await);
    ours.process_incoming_ops(incoming(&lost)).await.unwrap(); // And the process ends here.
    theirs.process_incoming_ops(incoming(&[before, lost].concat())).await.unwrap();
    let right = model(&theirs, now).await;

    let restarted = model(&ours, now).await;
    assert_ne!(minimal(&right).await, minimal(&restarted).await);

    let handle = space.open().await;
    assert!(mend_slice_hashes(&handle, now).await.unwrap() > 0);
    assert_eq!(0, mend_slice_hashes(&handle, now).await.unwrap());
    assert_same(&model(&ours, now).await, &right).await;
    drop(handle);
    space.finish().await;
}

/// The hashes of a store that has ops but never had a model are filled in as well, as the model would.
#[tokio::test]
async fn mending_does_the_work_of_the_first_start() {
    let space = TestSpace::new().await;
    let (ours, theirs) = (space.store().await, memory_store().await);
    let now = Timestamp::now();
    let ops = Random::new(10, 16).ops(300, now, 90);
    ours.process_incoming_ops(incoming(&ops)).await.unwrap();
    theirs.process_incoming_ops(incoming(&ops)).await.unwrap();
    let right = model(&theirs, now).await;
    mend_slice_hashes(&space.open().await, now).await.unwrap();
    for sector in 0..512 {
        let arc = DhtArc::Arc(sector * SECTOR_SIZE, sector * SECTOR_SIZE + (SECTOR_SIZE - 1));
        assert_eq!(
            theirs.retrieve_slice_hashes(arc).await.unwrap(),
            ours.retrieve_slice_hashes(arc).await.unwrap()
        );
    }
    assert_same(&model(&ours, now).await, &right).await;
    space.finish().await;
}

/// One op days ahead, alone in its sector, and kitsune2 does not start any more: hence
/// `SpaceOptions::max_future`.
#[tokio::test]
async fn an_op_from_the_future_does_not_keep_the_node_down() {
    let space = TestSpace::new().await;
    let (ours, theirs) = (space.store().await, memory_store().await);
    let now = Timestamp::now();
    let op = MemoryOp::new(now + 30 * DAY, vec![1; 32]);
    ours.process_incoming_ops(incoming(std::slice::from_ref(&op))).await.unwrap();
    theirs.process_incoming_ops(incoming(&[op])).await.unwrap();
    assert!(Dht::try_from_store(now, theirs).await.is_err());
    assert!(Dht::try_from_store(now, ours).await.is_ok());
    space.finish().await;
}

/// One comparison of two models, as gossip does it; the ids that `theirs` and `ours` may be missing.
async fn compare(ours: &Dht, theirs: &Dht) -> Option<(Vec<OpId>, Vec<OpId>)> {
    const BUDGET: i32 = 100 << 20;
    let (mut snapshot, mut previous) = (minimal(ours).await, None);
    let mut turns = [theirs, ours].into_iter().cycle();
    let (mut from_first, mut whose) = (None, 0); // Even: `theirs` answers, so its list is for `ours`.
    loop {
        let turn = turns.next().unwrap();
        let sent = snapshot.clone();
        match turn.handle_snapshot(snapshot, previous.take(), full_arc(), BUDGET).await.unwrap().0 {
            DhtSnapshotNextAction::Identical => return None,
            DhtSnapshotNextAction::CannotCompare => panic!("both models are of the same time"),
            DhtSnapshotNextAction::NewSnapshot(next) => snapshot = next,
            DhtSnapshotNextAction::NewSnapshotAndHashList(next, ids) => {
                (snapshot, previous, from_first) = (next, Some(sent), Some(ids));
            }
            DhtSnapshotNextAction::HashList(last) => {
                let first = from_first.expect("the one before has sent its list");
                return Some(if whose % 2 == 0 { (last, first) } else { (first, last) });
            }
        }
        whose += 1;
    }
}

async fn transfer(from: &DynOpStore, ids: Vec<OpId>, to: &DynOpStore) -> Vec<MemoryOp> {
    let missing = to.filter_out_existing_ops(ids).await.unwrap();
    let ops = from.retrieve_ops(missing).await.unwrap();
    let ops: Vec<_> = ops.into_iter().map(|op| MemoryOp::from(op.op_data)).collect();
    to.process_incoming_ops(incoming(&ops)).await.unwrap();
    ops
}

#[tokio::test]
async fn two_models_find_what_each_is_missing() {
    let mut space = TestSpace::new().await;
    let (ours, theirs) = (space.store().await, memory_store().await);
    let now = Timestamp::now();
    let ops = Random::new(11, 16).ops(300, now, 40);
    ours.process_incoming_ops(incoming(&ops[..200])).await.unwrap();
    theirs.process_incoming_ops(incoming(&ops[100..])).await.unwrap();
    space.take_new_ops();
    let (mut our_model, mut their_model) = (model(&ours, now).await, model(&theirs, now).await);

    let mut rounds = 0;
    while let Some((missing_here, missing_there)) = compare(&our_model, &their_model).await {
        rounds += 1;
        assert!(rounds <= 2, "one round for the disc, one for the rings");
        transfer(&theirs, missing_here, &ours).await;
        our_model.inform_ops_stored(space.take_new_ops()).await.unwrap();
        let sent = transfer(&ours, missing_there, &theirs).await;
        their_model.inform_ops_stored(stored(&sent)).await.unwrap();
    }
    assert_eq!(2, rounds);
    // Ops younger than the last ring are in no model yet; gossip brings them by retrieve_op_ids_bounded().
    let everything = |store: DynOpStore| async move {
        let mut ids = store.retrieve_op_ids_bounded(DhtArc::FULL, UNIX_TIMESTAMP, u32::MAX).await.unwrap().0;
        ids.sort();
        ids
    };
    let (here, there) = (everything(ours.clone()).await, everything(theirs.clone()).await);
    let young = |op: &&MemoryOp| op.created_at >= (our_model.next_update_at() - UNIT_TIME).unwrap();
    let young = ids(&ops.iter().filter(young).cloned().collect::<Vec<_>>());
    let old = |ids: Vec<OpId>| ids.into_iter().filter(|id| !young.contains(id)).collect::<Vec<_>>();
    assert_eq!(old(here), old(there));
    drop((our_model, ours));
    space.finish().await;
}
