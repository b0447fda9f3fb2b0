//! A kitsune2 node whose ops are in PostgreSQL: kitsune2's `OpStore` over the opstore plugin.
//!
//! An example to start from. [README.md](../README.md) says how to run it. The way through it:
//!
//! | file | what it is |
//! | --- | --- |
//! | `abi` | the C header in Rust |
//! | [`plugin`](Plugin) | loading the library and checking it |
//! | `call` | from a callback to a future |
//! | [`database`](Database) | the connection, and opening spaces |
//! | [`format`](OpFormat) | the host's own op format, called by the plugin |
//! | [`op_store`](PostgresOpStore) | kitsune2's `OpStore` |
//! | `ingest` | a batch on its way into the store, and what is new of it |
//! | [`peer_meta_store`](PostgresPeerMetaStore) | kitsune2's `PeerMetaStore` |
//! | [`new_ops`](NewOps) | what to tell kitsune2 about |
//! | [`slice_hashes`](mend_slice_hashes) | what a crash leaves behind, mended |
//! | [`factories`](PostgresOpStoreFactory) | what goes into kitsune2's `Builder` |

#[doc(hidden)]
pub mod abi;
mod call;
mod database;
mod error;
mod factories;
mod format;
mod ingest;
mod new_ops;
mod op_store;
mod peer_meta_store;
mod plugin;
mod slice_hashes;

pub use database::{Database, Location, OpenSpace, SpaceOptions};
pub use error::StoreError;
pub use factories::{PostgresOpStoreFactory, PostgresPeerMetaStoreFactory, Spaces};
pub use format::{DecodedOp, OpFormat, Rejection};
pub use new_ops::{NewOps, NewOpsSender, new_ops_channel};
pub use op_store::PostgresOpStore;
pub use peer_meta_store::PostgresPeerMetaStore;
pub use plugin::{LoadError, Plugin};
pub use slice_hashes::mend_slice_hashes;
