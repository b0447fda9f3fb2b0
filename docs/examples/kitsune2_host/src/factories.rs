//! What a host puts into kitsune2's `Builder`.

use crate::database::{Database, OpenSpace, SpaceOptions};
use crate::error::StoreError;
use crate::new_ops::NewOpsSender;
use crate::op_store::PostgresOpStore;
use crate::peer_meta_store::PostgresPeerMetaStore;
use crate::slice_hashes::mend_slice_hashes;
use kitsune2_api::{
    BoxFut, Builder, Config, DynOpStore, DynPeerMetaStore, K2Result, OpStoreFactory, PeerMetaStoreFactory,
    SpaceId, Timestamp,
};
use std::sync::Arc;

/// Opens spaces of a database, all with the same options. A kitsune2 space is the space whose key is its id.
#[derive(Debug, Clone)]
pub struct Spaces {
    pub database: Arc<Database>,
    pub options: SpaceOptions,
}

impl Spaces {
    pub async fn open(&self, space_id: &SpaceId) -> Result<OpenSpace, StoreError> {
        self.database.open_space(space_id, &self.options).await
    }
}

/// For `Builder::op_store`.
#[derive(Debug)]
pub struct PostgresOpStoreFactory {
    spaces: Spaces,
    new_ops: NewOpsSender,
}

impl PostgresOpStoreFactory {
    /// `new_ops`: see [`new_ops_channel`](crate::new_ops_channel).
    pub fn new(spaces: Spaces, new_ops: NewOpsSender) -> Self {
        PostgresOpStoreFactory { spaces, new_ops }
    }
}

impl OpStoreFactory for PostgresOpStoreFactory {
    fn default_config(&self, _config: &mut Config) -> K2Result<()> {
        Ok(())
    }

    fn validate_config(&self, _config: &Config) -> K2Result<()> {
        Ok(())
    }

    fn create(&self, _builder: Arc<Builder>, space_id: SpaceId) -> BoxFut<'static, K2Result<DynOpStore>> {
        let (spaces, new_ops) = (self.spaces.clone(), self.new_ops.clone());
        Box::pin(async move {
            let space = spaces.open(&space_id).await?;
            let mended = mend_slice_hashes(&space, Timestamp::now()).await?;
            tracing::info!(?space_id, mended, "opened the op store");
            let store: DynOpStore = Arc::new(PostgresOpStore::new(space_id, space, new_ops));
            Ok(store)
        })
    }
}

/// For `Builder::peer_meta_store`.
#[derive(Debug)]
pub struct PostgresPeerMetaStoreFactory {
    spaces: Spaces,
}

impl PostgresPeerMetaStoreFactory {
    pub fn new(spaces: Spaces) -> Self {
        PostgresPeerMetaStoreFactory { spaces }
    }
}

impl PeerMetaStoreFactory for PostgresPeerMetaStoreFactory {
    fn default_config(&self, _config: &mut Config) -> K2Result<()> {
        Ok(())
    }

    fn validate_config(&self, _config: &Config) -> K2Result<()> {
        Ok(())
    }

    fn create(
        &self,
        _builder: Arc<Builder>,
        space_id: SpaceId,
    ) -> BoxFut<'static, K2Result<DynPeerMetaStore>> {
        let spaces = self.spaces.clone();
        Box::pin(async move {
            let store: DynPeerMetaStore = Arc::new(PostgresPeerMetaStore::new(spaces.open(&space_id).await?));
            Ok(store)
        })
    }
}
