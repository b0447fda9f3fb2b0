//! Goal: what was acknowledged survives the end of the process, and a model that starts again is right.
//! Method: a child process (this program again) stores ops, tells a model of them, reports each
//! acknowledged batch, and is killed in the middle of it.

mod support;

use kitsune2_api::*;
use kitsune2_dht::{ArcSet, Dht, DhtApi};
use kitsune2_host::mend_slice_hashes;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use support::*;

const BATCH: usize = 10;
const SEED: u64 = 31;

fn ops_of_the_child() -> impl Iterator<Item = Vec<kitsune2_core::factories::MemoryOp>> {
    let mut random = Random::new(SEED, 4);
    // Not the present, so that parent and child mean the same ops.
    let now = Timestamp::from_micros(1_780_000_000_000_000);
    std::iter::repeat_with(move || random.ops(BATCH, now, 40))
}

/// Run by the test below, with the id of its space.
#[tokio::test]
#[ignore = "a part of a_killed_process_loses_nothing"]
async fn child() {
    let mut space = TestSpace::new().await;
    space.space_id = bytes::Bytes::from(std::env::var("CRASH_TEST_SPACE").unwrap()).into();
    let store = space.store().await;
    let mut model = Dht::try_from_store(Timestamp::now(), store.clone()).await.unwrap();
    for ops in ops_of_the_child() {
        store.process_incoming_ops(incoming(&ops)).await.unwrap();
        println!("acknowledged");
        std::io::stdout().flush().unwrap();
        model.inform_ops_stored(space.take_new_ops()).await.unwrap();
    }
}

#[tokio::test]
async fn a_killed_process_loses_nothing() {
    let space = TestSpace::new().await;
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env("CRASH_TEST_SPACE", std::str::from_utf8(&space.space_id).unwrap())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut acknowledged = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        acknowledged += usize::from(line.unwrap().ends_with("acknowledged"));
        if acknowledged == 20 {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(acknowledged >= 20);

    let store = space.store().await;
    let ops: Vec<_> = ops_of_the_child().take(acknowledged + 1).flatten().collect();
    let (told, untold) = ops.split_at(acknowledged * BATCH);
    assert!(store.filter_out_existing_ops(ids(told)).await.unwrap().is_empty());
    // The batch that was under way may be there or not, as a whole; to repeat it is right in both cases.
    let missing = store.filter_out_existing_ops(ids(untold)).await.unwrap().len();
    assert!(missing == 0 || missing == BATCH);
    store.process_incoming_ops(incoming(untold)).await.unwrap();
    assert_eq!(ops.len() as u64, store.query_total_op_count().await.unwrap());

    let now = Timestamp::now();
    mend_slice_hashes(&space.open().await, now).await.unwrap();
    let theirs = memory_store().await;
    theirs.process_incoming_ops(incoming(&ops)).await.unwrap();
    let everywhere = || ArcSet::new(vec![DhtArc::FULL]).unwrap();
    let ours = Dht::try_from_store(now, store).await.unwrap().snapshot_minimal(everywhere()).await.unwrap();
    let theirs =
        Dht::try_from_store(now, theirs).await.unwrap().snapshot_minimal(everywhere()).await.unwrap();
    assert_eq!(theirs, ours);
    space.finish().await;
}
