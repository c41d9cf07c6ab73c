//! Reads the numbers of accessors, with every bound checked before anything is allocated.

use std::cell::Cell;

use gltf_json::{
    Index, Root,
    accessor::{ComponentType, GenericComponentType, IndexComponentType, Type},
    buffer,
    validation::Checked,
};

use super::{ImportError, Place, limits};

/// The numbers of a file.
#[derive(Debug)]
pub(super) struct Accessors<'a> {
    root: &'a Root,
    /// The bytes of each buffer.
    buffers: Vec<&'a [u8]>,
    /// Entries that may yet be read.
    budget: Cell<u64>,
}

/// Entries of one type, packed or strided, in the bytes of a buffer.
#[derive(Clone, Copy)]
struct Elements<'a> {
    bytes: &'a [u8],
    stride: usize,
    component: ComponentType,
    is_normalized: bool,
}

impl<'a> Accessors<'a> {
    /// Joins the JSON and the bytes of its buffers.
    pub(super) fn new(root: &'a Root, buffers: Vec<&'a [u8]>) -> Self {
        Self {
            root,
            buffers,
            budget: Cell::new(limits::ELEMENTS_READ_MAX),
        }
    }

    /// Returns how many entries an accessor has.
    pub(super) fn len(&self, index: Index<gltf_json::Accessor>) -> Result<u64, ImportError> {
        Ok(self.entry(index)?.1.count.0)
    }

    /// Returns the bytes of a buffer view.
    pub(super) fn view(&self, index: Index<buffer::View>) -> Result<&'a [u8], ImportError> {
        let place = Place::new("buffer view", index.value());
        let missing = |table, index| ImportError::Dangling {
            place,
            target: Place::new(table, index),
        };
        let view = self.root.buffer_views.get(index.value());
        let view = view.ok_or_else(|| missing("buffer view", index.value()))?;
        let buffer = self.buffers.get(view.buffer.value());
        let buffer = buffer.ok_or_else(|| missing("buffer", view.buffer.value()))?;
        let first = view.byte_offset.unwrap_or_default().0;
        slice(place, buffer, first, Some(view.byte_length.0))
    }

    /// Reads floats, or integers that stand for floats, `N` at a time.
    pub(super) fn floats<const N: usize>(
        &self,
        index: Index<gltf_json::Accessor>,
    ) -> Result<Vec<[f32; N]>, ImportError> {
        let needed = match N {
            1 => "single floats",
            2 => "pairs of floats",
            3 => "triples of floats",
            _ => "quadruples of floats",
        };
        self.read(index, needed, |elements, at| {
            let mut out = [0.0; N];
            for (component, value) in out.iter_mut().enumerate() {
                *value = elements.float(at, component);
            }
            out
        })
    }

    /// Reads unsigned integers.
    pub(super) fn integers(
        &self,
        index: Index<gltf_json::Accessor>,
    ) -> Result<Vec<u32>, ImportError> {
        let wrong = ImportError::WrongType {
            place: Place::new("accessor", index.value()),
            needed: "indices",
        };
        let (_, accessor) = self.entry(index)?;
        let Checked::Valid(GenericComponentType(
            ComponentType::U8 | ComponentType::U16 | ComponentType::U32,
        )) = accessor.component_type
        else {
            return Err(wrong);
        };
        let read = self.read::<_, 1>(index, "indices", |elements, at| [elements.integer(at)])?;
        Ok(read.into_iter().map(|[value]| value).collect())
    }

    fn read<T: Copy + Default, const N: usize>(
        &self,
        index: Index<gltf_json::Accessor>,
        needed: &'static str,
        get: impl Fn(&Elements<'_>, usize) -> [T; N],
    ) -> Result<Vec<[T; N]>, ImportError> {
        let (place, accessor) = self.entry(index)?;
        let (Checked::Valid(kind), Checked::Valid(GenericComponentType(component))) =
            (accessor.type_, accessor.component_type)
        else {
            return Err(ImportError::WrongType { place, needed });
        };
        if multiplicity(kind) != Some(N)
            || (component == ComponentType::U32 && needed != "indices")
            || (component != ComponentType::F32 && needed != "indices" && !accessor.normalized)
        {
            return Err(ImportError::WrongType { place, needed });
        }
        let count = self.spend(accessor.count.0)?;
        let packed = N * component.size();

        let mut out = Vec::new();
        if let Some(view) = accessor.buffer_view {
            let elements = Elements {
                bytes: self.tail(place, view, accessor.byte_offset.unwrap_or_default().0)?,
                stride: self.stride(view).unwrap_or(packed),
                component,
                is_normalized: accessor.normalized,
            };
            elements.check(place, count, packed)?;
            out.extend((0..count).map(|at| get(&elements, at)));
        } else {
            out.resize(count, [T::default(); N]);
        }

        for (entry, elements, at) in self.changes(place, accessor, packed)? {
            let slot = out.get_mut(entry as usize);
            *slot.ok_or(ImportError::VertexOutOfRange {
                place,
                vertex: entry,
                count: count as u64,
            })? = get(&elements, at);
        }
        Ok(out)
    }

    /// Returns the entries that a sparse accessor changes, and where the values are.
    fn changes(
        &self,
        place: Place,
        accessor: &gltf_json::Accessor,
        packed: usize,
    ) -> Result<Vec<(u32, Elements<'a>, usize)>, ImportError> {
        let Some(sparse) = &accessor.sparse else {
            return Ok(Vec::new());
        };
        let (
            Checked::Valid(IndexComponentType(index_component)),
            Checked::Valid(GenericComponentType(component)),
        ) = (sparse.indices.component_type, accessor.component_type)
        else {
            let needed = "a sparse accessor";
            return Err(ImportError::WrongType { place, needed });
        };
        let count = self.spend(sparse.count.0)?;
        let indices = Elements {
            bytes: self.tail(
                place,
                sparse.indices.buffer_view,
                sparse.indices.byte_offset.0,
            )?,
            stride: index_component.size(),
            component: index_component,
            is_normalized: false,
        };
        indices.check(place, count, index_component.size())?;
        let values = Elements {
            bytes: self.tail(
                place,
                sparse.values.buffer_view,
                sparse.values.byte_offset.0,
            )?,
            stride: packed,
            component,
            is_normalized: accessor.normalized,
        };
        values.check(place, count, packed)?;
        Ok((0..count)
            .map(|at| (indices.integer(at), values, at))
            .collect())
    }

    /// Returns the bytes of a view from an offset on.
    fn tail(
        &self,
        place: Place,
        view: Index<buffer::View>,
        first: u64,
    ) -> Result<&'a [u8], ImportError> {
        slice(place, self.view(view)?, first, None)
    }

    fn entry(
        &self,
        index: Index<gltf_json::Accessor>,
    ) -> Result<(Place, &'a gltf_json::Accessor), ImportError> {
        let place = Place::new("accessor", index.value());
        let entry = self.root.accessors.get(index.value());
        let entry = entry.ok_or(ImportError::Dangling {
            place,
            target: place,
        })?;
        Ok((place, entry))
    }

    fn stride(&self, view: Index<buffer::View>) -> Option<usize> {
        let stride = self.root.buffer_views.get(view.value())?.byte_stride?.0;
        (stride > 0).then_some(stride)
    }

    fn spend(&self, count: u64) -> Result<usize, ImportError> {
        if count > limits::ELEMENTS_MAX {
            return Err(ImportError::TooMany {
                what: "entries of an accessor",
                max: limits::ELEMENTS_MAX,
            });
        }
        let left = self.budget.get().checked_sub(count);
        self.budget.set(left.ok_or(ImportError::TooMany {
            what: "entries of accessors",
            max: limits::ELEMENTS_READ_MAX,
        })?);
        usize::try_from(count).map_err(|_| ImportError::TooMany {
            what: "entries of an accessor",
            max: limits::ELEMENTS_MAX,
        })
    }
}

impl Elements<'_> {
    fn check(&self, place: Place, count: usize, packed: usize) -> Result<(), ImportError> {
        let last = (count as u64).saturating_sub(1);
        let need_bytes = match count {
            0 => 0,
            _ => last
                .saturating_mul(self.stride as u64)
                .saturating_add(packed as u64),
        };
        let have_bytes = self.bytes.len() as u64;
        if need_bytes > have_bytes {
            return Err(ImportError::OutOfBytes {
                place,
                need_bytes,
                have_bytes,
            });
        }
        Ok(())
    }

    /// Returns bytes of a component; zeros where there are none, which [`check`](Self::check) excludes.
    fn bytes<const S: usize>(&self, at: usize, component: usize) -> [u8; S] {
        let first = at * self.stride + component * S;
        let bytes = self.bytes.get(first..first + S);
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .unwrap_or([0; S])
    }

    fn float(&self, at: usize, component: usize) -> f32 {
        let (value, max) = match self.component {
            ComponentType::F32 => return f32::from_le_bytes(self.bytes(at, component)),
            ComponentType::U8 => (f32::from(self.bytes::<1>(at, component)[0]), 255.0),
            ComponentType::I8 => (
                f32::from(i8::from_le_bytes(self.bytes(at, component))),
                127.0,
            ),
            ComponentType::U16 => (
                f32::from(u16::from_le_bytes(self.bytes(at, component))),
                65535.0,
            ),
            ComponentType::I16 => (
                f32::from(i16::from_le_bytes(self.bytes(at, component))),
                32767.0,
            ),
            ComponentType::U32 => return 0.0,
        };
        if self.is_normalized {
            return (value / max).max(-1.0);
        }
        value
    }

    fn integer(&self, at: usize) -> u32 {
        match self.component {
            ComponentType::U8 => u32::from(self.bytes::<1>(at, 0)[0]),
            ComponentType::U16 => u32::from(u16::from_le_bytes(self.bytes(at, 0))),
            ComponentType::U32 => u32::from_le_bytes(self.bytes(at, 0)),
            ComponentType::I8 | ComponentType::I16 | ComponentType::F32 => 0,
        }
    }
}

/// Returns how many numbers a type has, of those that are read.
fn multiplicity(kind: Type) -> Option<usize> {
    match kind {
        Type::Scalar => Some(1),
        Type::Vec2 => Some(2),
        Type::Vec3 => Some(3),
        Type::Vec4 => Some(4),
        Type::Mat2 | Type::Mat3 | Type::Mat4 => None,
    }
}

fn slice(place: Place, bytes: &[u8], first: u64, count: Option<u64>) -> Result<&[u8], ImportError> {
    let end = count.map_or(Some(bytes.len() as u64), |count| first.checked_add(count));
    let range = end.and_then(|end| {
        let (first, end) = (usize::try_from(first).ok()?, usize::try_from(end).ok()?);
        bytes.get(first..end)
    });
    range.ok_or(ImportError::OutOfBytes {
        place,
        need_bytes: first.saturating_add(count.unwrap_or(0)),
        have_bytes: bytes.len() as u64,
    })
}
