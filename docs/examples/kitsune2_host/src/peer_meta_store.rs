//! kitsune2's [`PeerMetaStore`] over a space of the plugin: what a node remembers of its peers, such as the
//! bookmark up to which it has heard of their new ops.

use crate::abi;
use crate::call::Call;
use crate::database::OpenSpace;
use bytes::Bytes;
use futures::{FutureExt, TryFutureExt};
use kitsune2_api::{BoxFut, K2Error, K2Result, PeerMetaStore, Timestamp, Url};
use std::collections::HashMap;

/// The peer memory of one kitsune2 space. Thread-safe. `expiry` is kept to by the clock of this process.
#[derive(Debug)]
pub struct PostgresPeerMetaStore {
    space: OpenSpace,
}

impl PostgresPeerMetaStore {
    pub fn new(space: OpenSpace) -> Self {
        PostgresPeerMetaStore { space }
    }
}

fn now() -> i64 {
    Timestamp::now().as_micros()
}

impl PeerMetaStore for PostgresPeerMetaStore {
    fn put(
        &self,
        peer: Url,
        key: String,
        value: Bytes,
        expiry: Option<Timestamp>,
    ) -> BoxFut<'_, K2Result<()>> {
        let entry = abi::PeerEntry {
            peer: abi::Bytes::of(peer.as_str().as_bytes()),
            key: abi::Bytes::of(key.as_bytes()),
            value: abi::Bytes::of(&value),
            expires_at: abi::MaybeTime {
                present: expiry.is_some().into(),
                value: expiry.map_or(0, |time| time.as_micros()),
            },
        };
        let put = self.space.database.table().put_peer_meta;
        Call::start_done(&self.space.database, |done, user| unsafe {
            put(self.space.handle, &entry, 1, now(), 0, done, user)
        })
        .map_err(K2Error::from)
        .boxed()
    }

    fn get(&self, peer: Url, key: String) -> BoxFut<'_, K2Result<Option<Bytes>>> {
        let (peer, key) = (abi::Bytes::of(peer.as_str().as_bytes()), abi::Bytes::of(key.as_bytes()));
        let get = self.space.database.table().get_peer_meta;
        Call::start(&self.space.database, |done: abi::Callback<*const abi::PeerEntries>, user| unsafe {
            get(self.space.handle, peer, key, now(), 0, done, user)
        })
        .map(|entries| Ok(entries?.pop().map(|(_, _, value)| value)))
        .boxed()
    }

    fn get_all_by_key(&self, key: String) -> BoxFut<'_, K2Result<HashMap<Url, Bytes>>> {
        let get_all = self.space.database.table().get_all_peer_meta;
        let call =
            Call::start(&self.space.database, |done: abi::Callback<*const abi::PeerEntries>, user| unsafe {
                get_all(self.space.handle, now(), 0, done, user)
            });
        async move {
            let mut found = HashMap::new();
            for (peer, entry_key, value) in call.await? {
                if entry_key == key.as_bytes() {
                    found.insert(Url::from_str(String::from_utf8_lossy(&peer))?, value);
                }
            }
            Ok(found)
        }
        .boxed()
    }

    fn delete(&self, peer: Url, key: String) -> BoxFut<'_, K2Result<()>> {
        let (peer, key) = (abi::Bytes::of(peer.as_str().as_bytes()), abi::Bytes::of(key.as_bytes()));
        let remove = self.space.database.table().remove_peer_meta;
        Call::start_done(&self.space.database, |done, user| unsafe {
            remove(self.space.handle, peer, key, 0, done, user)
        })
        .map_err(K2Error::from)
        .boxed()
    }
}
