//! The database, and the spaces in it.

use crate::abi;
use crate::call::{Answer, Call};
use crate::error::StoreError;
use crate::format::{self, OpFormat};
use crate::plugin::Plugin;
use std::ffi::CStr;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// Where the ops are kept. All else has the plugin's defaults.
#[derive(Debug, Clone)]
pub enum Location {
    /// A libpq connection string or URI.
    Conninfo(String),
    /// A directory for a private PostgreSQL server, which is made and started as needed, and outlives the
    /// process.
    EmbeddedHome(String),
}

/// A connected database. One serves all spaces of a node.
///
/// Thread-safe. When the last reference goes (spaces and calls under way hold one), what is in flight is
/// cancelled and waited for. To let it finish instead, [`drain`](Database::drain) first.
pub struct Database {
    plugin: Arc<Plugin>,
    handle: *mut abi::Database,
}

unsafe impl Send for Database {}
unsafe impl Sync for Database {}

impl Database {
    /// Reaches the server, and brings its schema to the version of the plugin.
    ///
    /// `schema`: the PostgreSQL schema of the tables; empty for "opstore". `connections`: 0 for 4. A
    /// kitsune2 node awaits its calls one after another for the most part, so a few serve many spaces.
    pub async fn connect(
        plugin: &Arc<Plugin>,
        location: &Location,
        schema: &str,
        connections: u32,
    ) -> Result<Arc<Database>, StoreError> {
        let database = Self::create(plugin, location, schema, connections)?;
        let connect = database.table().connect_database;
        Call::start_done(&database, |done, user| unsafe { connect(database.handle, done, user) }).await?;
        Ok(database)
    }

    fn create(
        plugin: &Arc<Plugin>,
        location: &Location,
        schema: &str,
        connections: u32,
    ) -> Result<Arc<Database>, StoreError> {
        let none = abi::Text::of("");
        let (conninfo, embedded_home) = match location {
            Location::Conninfo(text) => (abi::Text::of(text), none),
            Location::EmbeddedHome(text) => (none, abi::Text::of(text)),
        };
        let options = abi::DatabaseOptions {
            struct_size: size_of::<abi::DatabaseOptions>() as u32,
            migrate: 1,
            conninfo,
            embedded_home,
            schema: abi::Text::of(schema),
            connections,
            callback_threads: 0,
            default_timeout_ms: 0,
            clock: None,
            clock_context: std::ptr::null_mut(),
            remembered_ids_max: std::ptr::null(),
        };
        let mut failure: abi::Failure = unsafe { std::mem::zeroed() };
        failure.struct_size = size_of::<abi::Failure>() as u32;
        let handle = unsafe { (plugin.table().create_database)(&options, &mut failure) };
        if handle.is_null() {
            let message = unsafe { CStr::from_ptr(failure.message.as_ptr()) };
            return Err(StoreError::new(failure.code, message.to_string_lossy()));
        }
        Ok(Arc::new(Database { plugin: plugin.clone(), handle }))
    }

    pub(crate) fn table(&self) -> &abi::Plugin {
        self.plugin.table()
    }

    pub(crate) fn cancel(&self, call: u64) {
        unsafe { (self.table().cancel_call)(self.handle, call) }
    }

    /// Refuses new calls and waits until all others have ended. Blocks: `spawn_blocking` it. False: time is
    /// over and some have not.
    pub fn drain(&self, timeout: Duration) -> bool {
        // 0 would be without limit.
        let timeout_ms = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX).max(1);
        unsafe { (self.table().drain_database)(self.handle, timeout_ms) == 0 }
    }

    /// Deletes a space with all its ops.
    pub fn drop_space(
        self: &Arc<Self>,
        key: &[u8],
    ) -> impl Future<Output = Result<(), StoreError>> + Send + use<> {
        let drop_space = self.table().drop_space;
        let key = abi::Bytes::of(key);
        Call::start_done(self, |done, user| unsafe { drop_space(self.handle, key, 0, done, user) })
    }

    /// Opens a space, or creates it.
    pub fn open_space(
        self: &Arc<Self>,
        key: &[u8],
        options: &SpaceOptions,
    ) -> impl Future<Output = Result<OpenSpace, StoreError>> + Send + use<> {
        let max_future_us =
            options.max_future.map(|time| i64::try_from(time.as_micros()).unwrap_or(i64::MAX));
        let own_format = options.format.as_ref().map(format::to_abi);
        let raw = abi::SpaceOptions {
            struct_size: size_of::<abi::SpaceOptions>() as u32,
            must_exist: 0,
            key: abi::Bytes::of(key),
            built_in_format: abi::Text::of(""),
            format: own_format.as_ref().map_or(std::ptr::null(), |format| format),
            max_op_bytes: options.max_op_bytes,
            slice_factor: std::ptr::null(),
            slices: abi::SLICES_BY_HOST,
            max_future_us: max_future_us.as_ref().map_or(std::ptr::null(), |time| time),
        };
        let open_space = self.table().open_space;
        let database = self.clone();
        Call::start_then(
            self,
            // If nobody waits any more, the space is dropped within the callback, and so closed.
            move |handle: Handle| OpenSpace { handle: handle.0, database },
            |done: abi::Callback<*mut abi::Space>, user| {
                let call = unsafe { open_space(self.handle, &raw, 0, done, user) };
                if let (0, Some(format)) = (call, &own_format) {
                    unsafe { format::release(format.context) } // Not begun: the plugin will not do it.
                }
                call
            },
        )
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let handle = self.handle as usize;
        let plugin = self.plugin.clone();
        let destroy = move || unsafe { (plugin.table().destroy_database)(handle as *mut abi::Database) };
        // The last reference may go within a callback, with an answer that nobody awaits; there the plugin
        // refuses to wait for itself.
        if destroy() == abi::WRONG_THREAD {
            std::thread::spawn(destroy);
        }
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("plugin", &self.plugin).finish()
    }
}

/// How the ops of a space are made, and which are taken. Fixed when the space is created.
#[derive(Debug, Clone)]
pub struct SpaceOptions {
    /// The host's own format; `None` is the plugin's "plain": created_at as little-endian i64, then whatever
    /// the author likes; the id is the BLAKE2b-256 of all of it.
    pub format: Option<Arc<dyn OpFormat>>,
    /// A longer op is rejected. 0: 16 MiB.
    pub max_op_bytes: u64,
    /// How far the created_at of an op may lie ahead of the server's clock. kitsune2 does not start on a
    /// store whose earliest op of a sector lies days ahead, so a space of it should not hold any.
    pub max_future: Option<Duration>,
}

impl Default for SpaceOptions {
    fn default() -> Self {
        SpaceOptions { format: None, max_op_bytes: 0, max_future: Some(Duration::from_secs(60 * 60)) }
    }
}

/// An open space; closed when dropped. Calls that are under way then go on to their end. Thread-safe.
pub struct OpenSpace {
    pub(crate) handle: *mut abi::Space,
    pub(crate) database: Arc<Database>,
}

unsafe impl Send for OpenSpace {}
unsafe impl Sync for OpenSpace {}

impl Drop for OpenSpace {
    fn drop(&mut self) {
        unsafe { (self.database.table().close_space)(self.handle) }
    }
}

impl std::fmt::Debug for OpenSpace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenSpace").field("database", &self.database).finish_non_exhaustive()
    }
}

/// A new handle on its way from the callback into an [`OpenSpace`].
pub(crate) struct Handle(*mut abi::Space);

unsafe impl Send for Handle {}

impl Answer for *mut abi::Space {
    type Value = Handle;
    unsafe fn copy(self) -> Handle {
        Handle(self)
    }
}
