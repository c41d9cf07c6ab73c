//! Why a scene was refused.

/// Why parts do not make a scene, or bytes are not one.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SceneError {
    /// The blob would be, or is, larger than the input region.
    #[error("scene of {size_bytes} bytes is larger than {max_bytes}")]
    TooLarge {
        /// Its size.
        size_bytes: u64,
        /// The region's size.
        max_bytes: u64,
    },
    /// An index points outside its table.
    #[error("{table} {index}: {field} is {value}, not below {bound}")]
    IndexOutOfRange {
        /// The table of the entry.
        table: &'static str,
        /// The entry.
        index: u64,
        /// The field in it.
        field: &'static str,
        /// What it holds.
        value: u64,
        /// What it has to stay below.
        bound: u64,
    },
    /// A number is not finite, or not within its bounds.
    #[error("{table} {index}: {field} is {value}")]
    NumberOutOfRange {
        /// The table of the entry.
        table: &'static str,
        /// The entry.
        index: u64,
        /// The field in it.
        field: &'static str,
        /// What it holds.
        value: f32,
    },
    /// A list has not the length that another field asks for.
    #[error("{table} {index}: {field} has {len} entries, not {needed}")]
    WrongLength {
        /// The table of the entry.
        table: &'static str,
        /// The entry.
        index: u64,
        /// The list in it.
        field: &'static str,
        /// Its length.
        len: u64,
        /// The length that it needs.
        needed: u64,
    },
    /// A matrix has no inverse.
    #[error("{table} {index}: the matrix of frame {frame} has no inverse")]
    Singular {
        /// The table of the entry.
        table: &'static str,
        /// The entry.
        index: u64,
        /// The frame.
        frame: u64,
    },
    /// The bytes do not begin with a header of this version.
    #[error("not a scene: magic {magic:#010x}, version {version}")]
    NotAScene {
        /// The first word.
        magic: u32,
        /// The second word.
        version: u32,
    },
    /// The bytes are fewer or more than the header says.
    #[error("{len_bytes} bytes, but the header says {size_bytes}")]
    WrongSize {
        /// How many there are.
        len_bytes: u64,
        /// How many there should be.
        size_bytes: u64,
    },
    /// A table does not lie where tables may.
    #[error("table {table} at byte {offset} with {count} entries is misplaced")]
    TableMisplaced {
        /// The table.
        table: &'static str,
        /// Its first byte.
        offset: u32,
        /// Its entries.
        count: u32,
    },
    /// A code has no meaning.
    #[error("{table} {index}: {field} has no value {value}")]
    UnknownCode {
        /// The table of the entry.
        table: &'static str,
        /// The entry.
        index: u64,
        /// The field in it.
        field: &'static str,
        /// What it holds.
        value: u32,
    },
    /// A node is reached by two references, or precedes its parent.
    #[error("node {node} is not a child of exactly one node before it")]
    NotATree {
        /// The node.
        node: u32,
    },
    /// A tree has too many levels.
    #[error("node {node} lies {depth} levels deep, more than {max}")]
    TooDeep {
        /// The node.
        node: u32,
        /// Its level, the root's being 1.
        depth: u32,
        /// The bound.
        max: u32,
    },
}
