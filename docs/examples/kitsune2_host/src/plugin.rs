//! The loaded library.

use crate::abi;
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW, Symbol};
use std::ffi::CStr;
use std::path::Path;
use std::sync::Arc;

/// `libopstore_postgres.so`, loaded and checked. Unloaded when the last database of it is gone.
///
/// Thread-safe: all that is in it is constant.
pub struct Plugin {
    table: *const abi::Plugin,
    _library: Library,
}

unsafe impl Send for Plugin {}
unsafe impl Sync for Plugin {}

/// Why the plugin cannot be used.
#[derive(Debug)]
pub enum LoadError {
    /// It is not there, or not a library, or has no `opstore_plugin_v1`.
    Library(libloading::Error),
    /// It is not this plugin, or has another ABI version than this host.
    Version { magic: u64, abi_version: u32 },
    /// It is older than the first version that has every function that this host calls.
    TooOld { struct_size: u32 },
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            LoadError::Library(error) => write!(f, "cannot load the op store plugin: {error}"),
            LoadError::Version { magic, abi_version } => {
                write!(f, "not the plugin expected: magic {magic:#x}, ABI version {abi_version}")
            }
            LoadError::TooOld { struct_size } => {
                write!(f, "the plugin's table has {struct_size} bytes, too few")
            }
        }
    }
}

impl std::error::Error for LoadError {}

impl Plugin {
    /// `path`: of `libopstore_postgres.so`. A bare file name is searched as the dynamic linker searches, which
    /// does not look into the folder of the Debian package.
    pub fn load(path: impl AsRef<Path>) -> Result<Arc<Plugin>, LoadError> {
        // RTLD_LOCAL keeps libpq, OpenSSL and all else that the plugin stands on out of this program.
        let library = unsafe { Library::open(Some(path.as_ref()), RTLD_NOW | RTLD_LOCAL) };
        let library = library.map_err(LoadError::Library)?;
        let table = unsafe {
            let entry: Symbol<abi::Entry> = library.get(abi::SYMBOL).map_err(LoadError::Library)?;
            entry()
        };
        // First of all magic and version: without them, not even the size below means anything.
        let (magic, abi_version) = unsafe { ((*table).magic, (*table).abi_version) };
        if magic != abi::MAGIC || abi_version != abi::ABI_VERSION {
            return Err(LoadError::Version { magic, abi_version });
        }
        let struct_size = unsafe { (*table).struct_size };
        if (struct_size as usize) < size_of::<abi::Plugin>() {
            return Err(LoadError::TooOld { struct_size });
        }
        Ok(Arc::new(Plugin { table, _library: library }))
    }

    pub(crate) fn table(&self) -> &abi::Plugin {
        unsafe { &*self.table }
    }

    /// Of the plugin, such as "0.1.0"; for people.
    pub fn version(&self) -> String {
        unsafe { CStr::from_ptr(self.table().version) }.to_string_lossy().into_owned()
    }
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plugin").field("version", &self.version()).finish()
    }
}
