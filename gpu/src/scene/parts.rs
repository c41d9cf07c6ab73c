//! A scene as its author thinks of it: owned, unordered, not yet laid out.
//!
//! glTF's conventions hold: meters, +y up, right-handed; counter-clockwise triangles face outwards; a
//! camera looks along its -z; v = 0 is the top row of a texture; colors are linear unless a texture says
//! sRGB.

/// Three rows of four: a linear map and, in the last column, a translation.
pub type Affine = [[f32; 4]; 3];

/// Everything that [`build`](fn@super::build) needs.
#[derive(Clone, Debug, Default)]
pub struct SceneParts {
    /// Triangle meshes, each of one material.
    pub meshes: Vec<MeshPart>,
    /// Where the meshes stand. A mesh without an instance is left out.
    pub instances: Vec<InstancePart>,
    /// Materials, named by index.
    pub materials: Vec<MaterialPart>,
    /// Images, named by index.
    pub textures: Vec<TexturePart>,
    /// Lights without a surface. Emissive triangles are found by the builder.
    pub lights: Vec<LightPart>,
    /// Cameras, named by index in the render parameters.
    pub cameras: Vec<CameraPart>,
    /// What surrounds the scene.
    pub sky: SkyPart,
    /// Time of each frame in seconds; its length is the number of frames, at least one.
    pub frame_times_s: Vec<f32>,
}

/// A triangle mesh of one material, in its own space.
#[derive(Clone, Debug, Default)]
pub struct MeshPart {
    /// Corners.
    pub positions: Vec<[f32; 3]>,
    /// Unit normals, one for each position; empty: the triangles are flat.
    pub normals: Vec<[f32; 3]>,
    /// Unit tangents and the sign of the bitangent, one for each position; empty: made from the
    /// texture coordinates where the material has a normal map.
    pub tangents: Vec<[f32; 4]>,
    /// Texture coordinates, two sets, each empty or one for each position.
    pub uvs: [Vec<[f32; 2]>; 2],
    /// Linear vertex colors that multiply the base color, empty or one for each position.
    pub colors: Vec<[f32; 4]>,
    /// Corners of each triangle.
    pub indices: Vec<[u32; 3]>,
    /// Index in [`SceneParts::materials`].
    pub material: u32,
}

/// A mesh placed in the world.
#[derive(Clone, Debug)]
pub struct InstancePart {
    /// Index in [`SceneParts::meshes`].
    pub mesh: u32,
    /// Object to world: one for all frames, or one for each frame.
    pub to_world: Vec<Affine>,
}

/// A texture and how a surface point finds its place in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MapPart {
    /// Index in [`SceneParts::textures`].
    pub texture: u32,
    /// Which set of texture coordinates: 0 or 1.
    pub uv_set: u32,
    /// Two rows of three, applied to `(u, v, 1)`.
    pub transform: [[f32; 3]; 2],
}

impl MapPart {
    /// Names a texture without a transform, on the first set of coordinates.
    pub fn plain(texture: u32) -> Self {
        Self {
            texture,
            uv_set: 0,
            transform: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
        }
    }
}

/// What a material's alpha means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AlphaMode {
    /// Nothing.
    Opaque,
    /// Below the cutoff there is a hole.
    Mask {
        /// The cutoff.
        cutoff: f32,
    },
    /// Coverage.
    Blend,
}

/// How a surface scatters, transmits and emits: glTF's metallic-roughness with its extensions.
#[derive(Clone, Debug)]
pub struct MaterialPart {
    /// Linear RGBA.
    pub base_color: [f32; 4],
    /// Radiance, the emissive strength multiplied in.
    pub emissive: [f32; 3],
    /// 0 to 1.
    pub metallic: f32,
    /// 0 to 1, perceptual.
    pub roughness: f32,
    /// Multiplies the x and y of the normal map.
    pub normal_scale: f32,
    /// 0 to 1: the part of a dielectric that lets light through.
    pub transmission: f32,
    /// Index of refraction, at least 1.
    pub ior: f32,
    /// What alpha means.
    pub alpha_mode: AlphaMode,
    /// Whether the back emits too.
    pub is_double_sided: bool,
    /// Whether transmitted light goes on unrefracted. glTF: there is no volume (thickness 0).
    pub is_thin: bool,
    /// Absorption in the volume behind the surface, per meter: `-ln(attenuation color) / distance`.
    pub absorption: [f32; 3],
    /// RGB sRGB and alpha.
    pub base_color_map: Option<MapPart>,
    /// Green is roughness, blue metallic; linear.
    pub metallic_roughness_map: Option<MapPart>,
    /// Tangent-space normals; linear.
    pub normal_map: Option<MapPart>,
    /// RGB sRGB.
    pub emissive_map: Option<MapPart>,
    /// Red; linear.
    pub transmission_map: Option<MapPart>,
}

impl Default for MaterialPart {
    /// Returns glTF's default material.
    fn default() -> Self {
        Self {
            base_color: [1.0; 4],
            emissive: [0.0; 3],
            metallic: 1.0,
            roughness: 1.0,
            normal_scale: 1.0,
            transmission: 0.0,
            ior: 1.5,
            alpha_mode: AlphaMode::Opaque,
            is_double_sided: false,
            is_thin: true,
            absorption: [0.0; 3],
            base_color_map: None,
            metallic_roughness_map: None,
            normal_map: None,
            emissive_map: None,
            transmission_map: None,
        }
    }
}

/// What a texture's numbers mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextureEncoding {
    /// All channels are linear.
    Linear,
    /// Red, green and blue are sRGB.
    Srgb,
}

/// How a texture goes on beyond its edges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrap {
    /// It repeats.
    Repeat,
    /// Its edge goes on.
    Clamp,
    /// It repeats, every other time mirrored.
    Mirror,
}

/// How a texture is read between its texels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// The nearest texel.
    Nearest,
    /// The four texels around, weighted.
    Bilinear,
}

/// An image.
#[derive(Clone, Debug)]
pub struct TexturePart {
    /// Texels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// What the numbers mean.
    pub encoding: TextureEncoding,
    /// Beyond the left and right edge.
    pub wrap_u: Wrap,
    /// Beyond the upper and lower edge.
    pub wrap_v: Wrap,
    /// Between texels.
    pub filter: Filter,
    /// RGBA, top row first.
    pub texels: Vec<[u8; 4]>,
}

/// What kind of light, in the space of its node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LightKind {
    /// Shines equally in all directions.
    Point {
        /// Distance at which it ends, in meters; `None`: never.
        range: Option<f32>,
    },
    /// Shines in a cone along the node's -z.
    Spot {
        /// Distance at which it ends, in meters; `None`: never.
        range: Option<f32>,
        /// Half angle in radians inside which it is full.
        inner_cone: f32,
        /// Half angle in radians outside which it is none.
        outer_cone: f32,
    },
    /// Shines along the node's -z from infinitely far away.
    Sun,
}

/// A light without a surface.
#[derive(Clone, Debug)]
pub struct LightPart {
    /// Its kind.
    pub kind: LightKind,
    /// Linear color times intensity: candela for point and spot, lux for sun.
    pub color: [f32; 3],
    /// Node to world: one for all frames, or one for each frame.
    pub to_world: Vec<Affine>,
}

/// What a camera does with depth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Projection {
    /// Far things are smaller.
    Perspective {
        /// Vertical field of view in radians.
        yfov: f32,
    },
    /// They are not.
    Orthographic {
        /// Half the height of what is seen, in meters.
        ymag: f32,
    },
}

/// A camera.
#[derive(Clone, Debug)]
pub struct CameraPart {
    /// What it does with depth.
    pub projection: Projection,
    /// Radius of the lens in meters; 0: everything is sharp.
    pub lens_radius: f32,
    /// Distance of what is sharp, in meters.
    pub focus_distance: f32,
    /// Node to world: one for all frames, or one for each frame.
    pub to_world: Vec<Affine>,
}

/// What surrounds the scene.
#[derive(Clone, Debug, Default)]
pub enum SkyPart {
    /// Nothing.
    #[default]
    Black,
    /// The same radiance everywhere.
    Constant {
        /// Linear RGB.
        radiance: [f32; 3],
    },
    /// The radiance follows the height of the direction.
    Gradient {
        /// Straight up.
        zenith: [f32; 3],
        /// At eye level.
        horizon: [f32; 3],
        /// Below it.
        ground: [f32; 3],
    },
    /// An equirectangular image.
    Image {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
        /// Linear RGB, the row at +y first; column 0 looks to -x, the middle of the image to +x, and
        /// +z lies three quarters to the right.
        radiance: Vec<[f32; 3]>,
        /// Angle in radians by which the image is turned about +y.
        turn: f32,
    },
}
