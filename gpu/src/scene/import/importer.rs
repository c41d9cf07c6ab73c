//! Puts the parts of a scene together.

use std::{borrow::Cow, collections::BTreeMap, path::Path};

use gltf_json::{Node, Root};

use super::{
    Feature, ImportError, ImportOptions, Note, Place, Report, Warning,
    accessor::Accessors,
    animation::Animations,
    container::{Container, read_file},
    emission, limits,
    material::Materials,
    mesh::PrimitiveRef,
    node::{Placed, walk},
    texture::Textures,
    uri, view,
};
use crate::scene::{InstancePart, MaterialPart, MeshPart, SceneParts, math::rounded};

/// An imported scene.
#[derive(Clone, Debug)]
pub struct Import {
    /// What [`build`](crate::scene::build()) compiles.
    pub parts: SceneParts,
    /// What to tell the scene's author.
    pub report: Report,
}

/// Imports a .glb, or a .gltf and the files that it names beside it.
///
/// # Errors
///
/// [`ImportError`] says what is wrong with the file or the options.
pub fn import_file(path: &Path, options: &ImportOptions) -> Result<Import, ImportError> {
    let bytes = read_file(path, limits::BYTES_MAX)?;
    // The parent of a bare file name is the empty path.
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    import(&bytes, Some(folder.unwrap_or(Path::new("."))), options)
}

/// Imports a .glb, or a .gltf that names no other files.
///
/// # Errors
///
/// [`ImportError`] says what is wrong with the bytes or the options.
pub fn import_bytes(bytes: &[u8], options: &ImportOptions) -> Result<Import, ImportError> {
    import(bytes, None, options)
}

fn import(
    bytes: &[u8],
    folder: Option<&Path>,
    options: &ImportOptions,
) -> Result<Import, ImportError> {
    options.check()?;
    let container = Container::parse(bytes)?;
    let mut report = Report::default();
    report.warn_of_extensions(&container.extensions_ignored());

    let root = &container.root;
    let mut left_bytes = limits::BYTES_MAX.saturating_sub(bytes.len() as u64);
    let buffers = read_buffers(&container, folder, &mut left_bytes)?;
    let images = read_images(root, folder, &mut left_bytes)?;
    let accessors = Accessors::new(root, buffers.iter().map(AsRef::as_ref).collect());
    let animations = Animations::read(root, &accessors, options.animation, &mut report)?;
    let times_s = options.times_s(animations.end_s)?;
    let placed = walk(root, options.scene, &animations, &times_s, &mut report)?;

    let mut importer = Importer {
        root,
        accessors: &accessors,
        textures: Textures::new(root, &accessors, &images, options.texture_edge_max),
        meshes: BTreeMap::new(),
        materials: BTreeMap::new(),
        unlit_materials: BTreeMap::new(),
        parts: SceneParts::default(),
        report,
        vertex_count: 0,
        matrix_count: 0,
    };
    for placed in &placed {
        importer.add(placed)?;
    }
    let mut import = importer.finish()?;
    import.parts.frame_times_s = times_s.iter().map(|&time_s| time_s as f32).collect();
    import.report.frame_count = import.parts.frame_times_s.len() as u32;
    import.light(options);
    Ok(import)
}

impl Import {
    /// Gives the scene the sky that was asked for, or a default one if it would be dark.
    fn light(&mut self, options: &ImportOptions) {
        if let Some(sky) = &options.sky {
            self.parts.sky = sky.clone();
        } else if !view::is_lit(&self.parts) {
            self.parts.sky = view::DEFAULT_SKY;
            self.report.notes.push(Note::DefaultSky);
        }
    }
}

/// The state of an import.
struct Importer<'a> {
    root: &'a Root,
    accessors: &'a Accessors<'a>,
    textures: Textures<'a>,
    /// The parts of each mesh that was met, and their triangles.
    meshes: BTreeMap<usize, Vec<u32>>,
    /// The part of each material that was met; `None` is glTF's default material.
    materials: BTreeMap<Option<usize>, u32>,
    /// The part of a material without its emission, for the triangles that its map leaves dark.
    unlit_materials: BTreeMap<u32, u32>,
    parts: SceneParts,
    report: Report,
    vertex_count: u64,
    matrix_count: u64,
}

impl<'a> Importer<'a> {
    fn add(&mut self, placed: &Placed<'a>) -> Result<(), ImportError> {
        if let Some(camera) = view::camera(self.root, placed, &mut self.report)? {
            self.parts.cameras.push(camera);
            self.report.cameras.push(placed.name());
        }
        if let Some(light) = view::light(self.root, placed, &mut self.report)? {
            self.parts.lights.push(light);
        }
        if let Some(mesh) = placed.node.mesh {
            self.place_mesh(placed, mesh.value())?;
        }
        view::check_counts(&self.parts)
    }

    fn place_mesh(&mut self, placed: &Placed<'a>, mesh: usize) -> Result<(), ImportError> {
        if placed.node.skin.is_some() {
            return Err(ImportError::Unsupported {
                place: placed.place,
                feature: Feature::Skinning,
            });
        }
        self.check_morphing(placed.node, Place::new("mesh", mesh))?;
        let Some(maps) = placed.of_mesh(&mut self.report) else {
            return Ok(());
        };
        let to_world: Vec<_> = maps.iter().map(rounded).collect();
        for part in self.mesh_parts(mesh)? {
            self.report.triangle_count += self.parts.meshes[part as usize].indices.len() as u64;
            if self.report.triangle_count > limits::TRIANGLES_MAX {
                return Err(ImportError::TooMany {
                    what: "triangles, instances counted",
                    max: limits::TRIANGLES_MAX,
                });
            }
            self.matrix_count += to_world.len() as u64;
            if self.matrix_count > limits::MATRICES_MAX {
                return Err(ImportError::TooMany {
                    what: "matrices of moving meshes (ask for fewer frames)",
                    max: limits::MATRICES_MAX,
                });
            }
            self.parts.instances.push(InstancePart {
                mesh: part,
                to_world: to_world.clone(),
            });
        }
        Ok(())
    }

    fn check_morphing(&mut self, node: &Node, place: Place) -> Result<(), ImportError> {
        let Some(mesh) = self.root.meshes.get(place.index) else {
            return Err(ImportError::Dangling {
                place,
                target: place,
            });
        };
        let weights = node.weights.as_ref().or(mesh.weights.as_ref());
        let targets = mesh.primitives.iter().filter_map(|p| p.targets.as_ref());
        if targets.flatten().next().is_none() {
            return Ok(());
        }
        if weights.is_some_and(|weights| weights.iter().any(|&weight| weight != 0.0)) {
            return Err(ImportError::Unsupported {
                place,
                feature: Feature::Morphing,
            });
        }
        self.report
            .warn(Warning::MorphTargetsIgnored { mesh: place });
        Ok(())
    }

    /// Returns the parts of a mesh, one for each primitive that has triangles.
    fn mesh_parts(&mut self, mesh: usize) -> Result<Vec<u32>, ImportError> {
        if let Some(parts) = self.meshes.get(&mesh) {
            return Ok(parts.clone());
        }
        let place = Place::new("mesh", mesh);
        let file = self.root.meshes.get(mesh).ok_or(ImportError::Dangling {
            place,
            target: place,
        })?;
        let mut parts = Vec::new();
        for (index, primitive) in file.primitives.iter().enumerate() {
            let material = self.material(primitive.material.map(|material| material.value()))?;
            let primitive = PrimitiveRef {
                mesh: place,
                index,
                primitive,
            };
            let part = &self.parts.materials[material as usize];
            let read = primitive.read(self.accessors, (material, part), &mut self.report)?;
            let Some(whole) = read else {
                continue;
            };
            let (mut dark, shining) = emission::split(whole, part, self.textures.parts());
            if !dark.indices.is_empty() {
                dark.material = self.unlit(material);
            }
            for part in [dark, shining] {
                if !part.indices.is_empty() {
                    parts.push(self.add_mesh(part)?);
                }
            }
        }
        self.meshes.insert(mesh, parts.clone());
        Ok(parts)
    }

    fn add_mesh(&mut self, mesh: MeshPart) -> Result<u32, ImportError> {
        self.vertex_count += mesh.positions.len() as u64;
        let counts = [
            ("vertices", self.vertex_count, limits::VERTICES_MAX),
            (
                "meshes",
                self.parts.meshes.len() as u64,
                limits::INSTANCES_MAX,
            ),
        ];
        for (what, count, max) in counts {
            if count > max {
                return Err(ImportError::TooMany { what, max });
            }
        }
        self.parts.meshes.push(mesh);
        Ok(self.parts.meshes.len() as u32 - 1)
    }

    /// Returns the part of a material without its emission.
    fn unlit(&mut self, material: u32) -> u32 {
        if let Some(&part) = self.unlit_materials.get(&material) {
            return part;
        }
        let part = self.parts.materials.len() as u32;
        self.parts.materials.push(MaterialPart {
            emissive: [0.0; 3],
            emissive_map: None,
            ..self.parts.materials[material as usize].clone()
        });
        self.unlit_materials.insert(material, part);
        part
    }

    fn material(&mut self, index: Option<usize>) -> Result<u32, ImportError> {
        if let Some(&part) = self.materials.get(&index) {
            return Ok(part);
        }
        if self.parts.materials.len() as u64 >= limits::MATERIALS_MAX {
            return Err(ImportError::TooMany {
                what: "materials",
                max: limits::MATERIALS_MAX,
            });
        }
        let mut materials = Materials {
            root: self.root,
            textures: &mut self.textures,
            report: &mut self.report,
        };
        let material: MaterialPart = materials.read(index)?;
        let part = self.parts.materials.len() as u32;
        self.parts.materials.push(material);
        self.materials.insert(index, part);
        Ok(part)
    }

    fn finish(self) -> Result<Import, ImportError> {
        let Self {
            mut parts,
            mut report,
            textures,
            ..
        } = self;
        (parts.textures, report.texel_count) = textures.finish();
        if report.triangle_count == 0 {
            return Err(ImportError::Empty);
        }
        if parts.cameras.is_empty() {
            parts.cameras.push(view::default_camera(&parts)?);
            report.cameras.push("default".to_owned());
            report.notes.push(Note::DefaultCamera);
        }
        Ok(Import { parts, report })
    }
}

fn read_buffers<'a>(
    container: &Container<'a>,
    folder: Option<&Path>,
    left_bytes: &mut u64,
) -> Result<Vec<Cow<'a, [u8]>>, ImportError> {
    let buffers = container.root.buffers.iter().enumerate();
    let read = buffers.map(|(index, buffer)| {
        let place = Place::new("buffer", index);
        let bytes = match (&buffer.uri, container.bin) {
            (Some(uri), _) => Cow::Owned(read_uri(place, uri, folder, left_bytes)?),
            (None, Some(bin)) if index == 0 => Cow::Borrowed(bin),
            (None, _) => return Err(ImportError::NoData { place }),
        };
        if buffer.byte_length.0 > bytes.len() as u64 {
            return Err(ImportError::OutOfBytes {
                place,
                need_bytes: buffer.byte_length.0,
                have_bytes: bytes.len() as u64,
            });
        }
        Ok(bytes)
    });
    read.collect()
}

/// Reads the images that don't lie in a buffer and that some texture names.
fn read_images(
    root: &Root,
    folder: Option<&Path>,
    left_bytes: &mut u64,
) -> Result<BTreeMap<usize, Vec<u8>>, ImportError> {
    let mut images = BTreeMap::new();
    for texture in &root.textures {
        let place = Place::new("image", texture.source.value());
        let Some(image) = root.images.get(place.index) else {
            continue;
        };
        if let (None, Some(uri)) = (image.buffer_view, &image.uri)
            && !images.contains_key(&place.index)
        {
            images.insert(place.index, read_uri(place, uri, folder, left_bytes)?);
        }
    }
    Ok(images)
}

fn read_uri(
    place: Place,
    uri: &str,
    folder: Option<&Path>,
    left_bytes: &mut u64,
) -> Result<Vec<u8>, ImportError> {
    let bytes = uri::read(place, uri, folder, *left_bytes)?;
    *left_bytes = left_bytes.saturating_sub(bytes.len() as u64);
    Ok(bytes)
}
