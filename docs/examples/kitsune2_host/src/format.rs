//! The op format of a host: how the bytes of an op tell its id and its time.

use crate::abi;
use bytes::Bytes;
use kitsune2_api::{OpId, Timestamp};
use std::ffi::{c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What [`OpFormat::decode`] finds in an op.
#[derive(Debug, Clone)]
pub struct DecodedOp {
    pub op_id: OpId,
    /// The same for everyone who sees the op.
    pub created_at: Timestamp,
}

/// Why an op is no good.
#[derive(Debug, Clone)]
pub struct Rejection {
    /// One of the reasons of the header, `OPSTORE_UNREADABLE` and so on: 1 to 8.
    pub reason: i32,
    /// A sentence; at most 255 bytes of it are kept.
    pub message: String,
}

impl Rejection {
    pub fn unreadable(message: impl Into<String>) -> Self {
        Rejection { reason: abi::UNREADABLE, message: message.into() }
    }
}

/// How the ops of a space are made.
///
/// The plugin calls it for each op that comes in, on its own threads, several at once. It has to be pure: the
/// same bytes give the same answer on every peer and in every run. Where an id lies on the ring is not asked
/// here: that is [`OpId::loc`], with the location callback that the host gave kitsune2, if it gave one. It
/// has to be given before the first op is stored.
pub trait OpFormat: 'static + Send + Sync + std::fmt::Debug {
    /// 1 to 63 bytes. The space remembers it and cannot be opened with a format of another name.
    fn name(&self) -> &str;

    /// Bytes of every op id, 1 to 64.
    fn id_size(&self) -> u32;

    /// `op` comes from a peer: trust no length inside it. `metadata` is empty if none was published. The id
    /// that the peer claims is not given; the plugin compares it with the one found here.
    fn decode(&self, op: &[u8], metadata: &[u8]) -> Result<DecodedOp, Rejection>;
}

type Context = Arc<dyn OpFormat>;

/// The format as the plugin wants it. Its context is a reference of its own, which `release` gives back.
///
/// The result borrows the name from `format`; the plugin copies it in open_space().
pub(crate) fn to_abi(format: &Arc<dyn OpFormat>) -> abi::OpFormat {
    abi::OpFormat {
        struct_size: size_of::<abi::OpFormat>() as u32,
        id_size: format.id_size(),
        name: abi::Text::of(format.name()),
        context: Box::into_raw(Box::new(format.clone())).cast(),
        decode: Some(decode),
        locate: Some(locate),
        release: Some(release),
    }
}

unsafe extern "C" fn decode(
    context: *mut c_void,
    op: abi::Bytes,
    metadata: abi::Bytes,
    decoded: *mut abi::DecodedOp,
) -> i32 {
    let (format, op, metadata, decoded) =
        unsafe { (&*context.cast::<Context>(), op.as_slice(), metadata.as_slice(), &mut *decoded) };
    // A panic must not leave through C. An op that makes the host's decoder panic is no good.
    let result = catch_unwind(AssertUnwindSafe(|| format.decode(op, metadata)))
        .unwrap_or_else(|_| Err(Rejection::unreadable("the decoder of this host panicked")));
    let result = result.and_then(|op| {
        let id: &Bytes = &op.op_id;
        if id.is_empty() || id.len() > abi::ID_BYTES_MAX {
            return Err(Rejection::unreadable(format!("the decoder found an id of {} bytes", id.len())));
        }
        decoded.id[..id.len()].copy_from_slice(id);
        decoded.id_size = id.len() as u32;
        decoded.created_at = op.created_at.as_micros();
        Ok(())
    });
    match result {
        Ok(()) => 0,
        Err(rejection) => {
            let room = decoded.message.len() - 1; // The last one stays the zero that ends it.
            for (to, from) in decoded.message[..room].iter_mut().zip(rejection.message.bytes()) {
                *to = from as c_char;
            }
            rejection.reason
        }
    }
}

unsafe extern "C" fn locate(_: *mut c_void, id: abi::Bytes) -> u32 {
    let id = OpId::from(Bytes::copy_from_slice(unsafe { id.as_slice() }));
    catch_unwind(|| id.loc()).unwrap_or(0)
}

pub(crate) unsafe extern "C" fn release(context: *mut c_void) {
    drop(unsafe { Box::from_raw(context.cast::<Context>()) });
}
