/* The scene blob: everything that a render reads, in one relocatable piece of memory.
 *
 * Little-endian, offsets in bytes from the start of the blob, every table aligned to 64 bytes. The twin of
 * this file is src/scene/layout.rs; src/scene/validate.rs says what a blob has to keep, and no kernel is
 * ever given a blob that has not passed it.
 *
 * Two levels. Static geometry is one mesh in world space, behind an instance with IFX_INSTANCE_IDENTITY;
 * what moves is a mesh of its own, placed by one instance for each frame. Each frame has a small tree over
 * its instances. Frames share whatever does not change: their spans may name the same entries. */
#ifndef IFX_SCENE_H
#define IFX_SCENE_H

#include "types.h"

#define IFX_SCENE_MAGIC 0x53584649u /* "IFXS" */
#define IFX_SCENE_VERSION 1u
#define IFX_ALIGN 64u

/* No entry: for texture references and for the light that stands for the environment. */
#define IFX_NONE 0xffffffffu

/* A reference from a tree's node. 0 is an empty lane: no child is ever node 0, since children follow their
 * parent. A leaf names 1 to 16 consecutive packs (in a mesh), or instances (in a frame's tree). */
#define IFX_REF_EMPTY 0u
#define IFX_REF_LEAF 0x80000000u
#define IFX_REF_COUNT_SHIFT 27
#define IFX_REF_COUNT_MASK 15u /* after the shift; the count less one */
#define IFX_REF_INDEX_MASK 0x07ffffffu

/* Levels of nodes in one tree, at most: a bound for the traversal's stack. */
#define IFX_TREE_DEPTH_MAX 48

/* `count` entries of a table, from byte `offset`. */
typedef struct {
    u32 offset;
    u32 count;
} Span;

typedef struct {
    u32 magic;
    u32 version;
    u32 size_bytes;
    u32 flags; /* IFX_SCENE_* */
    Span nodes;
    Span packs;
    Span triangles;
    Span vertices;
    Span meshes;
    Span instances;
    Span frames;
    Span materials;
    Span textures;
    Span texels; /* counted in u32 */
    Span lights;
    Span cameras;
    Span sky_texels;
    u32 sky_kind; /* IFX_SKY_* */
    u32 sky_width;
    u32 sky_height;
    float sky_turn[2];   /* cosine and sine of the angle about +y from world to image */
    float sky_zenith[3]; /* IFX_SKY_CONSTANT has this radiance everywhere */
    float sky_horizon[3];
    float sky_ground[3];
    u32 reserved[20];
} SceneHeader;
IFX_ASSERT_SIZE(SceneHeader, 256);

/* Some material is a cut-out or blends: rays may have to go on behind a hit. */
#define IFX_SCENE_CUTOUT 1u

#define IFX_SKY_NONE 0u
#define IFX_SKY_CONSTANT 1u
#define IFX_SKY_GRADIENT 2u /* ground below, horizon to zenith above, by the height of the direction */
#define IFX_SKY_IMAGE 3u    /* equirectangular, row 0 at +y, column 0 at -x, +z in the right half */

/* One frame of the animation. */
typedef struct {
    u32 root; /* reference into nodes; a leaf names instances. Not read if there are none */
    u32 first_instance;
    u32 instance_count;
    u32 first_light;
    u32 light_count;
    u32 first_camera;
    u32 camera_count;
    u32 sky_light; /* index in lights of the frame's IFX_LIGHT_SKY, or IFX_NONE */
    float time_s;
    u32 reserved[7];
} Frame;
IFX_ASSERT_SIZE(Frame, 64);

/* A node of eight children. Bounds of an empty lane are lo = +inf, hi = -inf. Bounds are widened by the
 * builder, so that a triangle is never missed for the rounding of a box. */
typedef struct {
    float lo[3][8];
    float hi[3][8];
    u32 child[8];
    u32 reserved[8];
} Node;
IFX_ASSERT_SIZE(Node, 256);

/* Eight triangles: a corner and two edges each. An empty lane has zero edges, so that no ray hits it, and
 * id IFX_NONE. `id` is an index in triangles. */
typedef struct {
    float v0[3][8];
    float e1[3][8];
    float e2[3][8];
    u32 id[8];
} Pack;
IFX_ASSERT_SIZE(Pack, 320);

typedef struct {
    u32 vertex[3];
    u32 material;
} Triangle;
IFX_ASSERT_SIZE(Triangle, 16);

typedef struct {
    float position[3];
    float normal[3];
    float tangent[4]; /* w: the sign of the bitangent; all zero where the material has no normal map */
    float uv[2][2];
    u32 color; /* linear RGBA8, red in the low byte */
    u32 reserved;
} Vertex;
IFX_ASSERT_SIZE(Vertex, 64);

/* Triangles first_triangle .. first_triangle + triangle_count, of which those from first_emissive on are
 * lights: the n-th of them is light instance.first_light + n. */
typedef struct {
    u32 root; /* reference into nodes; a leaf names packs */
    u32 first_triangle;
    u32 triangle_count;
    u32 first_emissive; /* absolute; first_triangle + triangle_count if none is */
} Mesh;
IFX_ASSERT_SIZE(Mesh, 16);

#define IFX_INSTANCE_IDENTITY 1u /* neither matrix is read */
#define IFX_INSTANCE_MIRRORED 2u /* to_world turns the inside out */

/* A mesh in one frame. Matrices are three rows of four. */
typedef struct {
    u32 mesh;
    u32 flags;
    u32 first_light; /* absolute index in lights of the mesh's first emissive triangle */
    u32 reserved;
    float to_world[12];
    float to_object[12];
    u32 reserved2[4];
} Instance;
IFX_ASSERT_SIZE(Instance, 128);

/* Where a material's factor is multiplied by a texture: (u', v') = rows x (u, v, 1). */
typedef struct {
    u32 texture; /* or IFX_NONE */
    u32 uv_set;  /* 0 or 1 */
    float row_u[3];
    float row_v[3];
} TextureRef;
IFX_ASSERT_SIZE(TextureRef, 32);

#define IFX_MATERIAL_DOUBLE_SIDED 1u /* emits on both sides; light scatters on both sides of any */
#define IFX_MATERIAL_MASK 2u         /* alpha below alpha_cutoff is a hole */
#define IFX_MATERIAL_BLEND 4u        /* alpha is the probability that a ray meets the surface */
#define IFX_MATERIAL_THIN 8u         /* transmits without refraction: no volume behind the surface */

typedef struct {
    float base_color[4];
    float emissive[3]; /* strength multiplied in */
    float metallic;
    float roughness;
    float normal_scale;
    float transmission;
    float ior;
    float alpha_cutoff;
    u32 flags;
    float absorption[3]; /* per unit of length, inside: -ln(attenuation color) / distance */
    u32 reserved[7];
    TextureRef base_color_map;         /* RGB sRGB, A alpha */
    TextureRef metallic_roughness_map; /* G roughness, B metallic */
    TextureRef normal_map;
    TextureRef emissive_map;
    TextureRef transmission_map; /* R */
} Material;
IFX_ASSERT_SIZE(Material, 256);

#define IFX_TEXTURE_LINEAR 0u
#define IFX_TEXTURE_SRGB 1u

#define IFX_WRAP_REPEAT 0u
#define IFX_WRAP_CLAMP 1u
#define IFX_WRAP_MIRROR 2u

#define IFX_FILTER_NEAREST 0u
#define IFX_FILTER_BILINEAR 1u

/* RGBA8 texels, red in the low byte, row 0 first (the row of v = 0). */
typedef struct {
    u32 first_texel;
    u32 width;
    u32 height;
    u32 encoding; /* IFX_TEXTURE_* */
    u32 wrap_u;   /* IFX_WRAP_* */
    u32 wrap_v;
    u32 filter; /* IFX_FILTER_* */
    u32 reserved;
} Texture;
IFX_ASSERT_SIZE(Texture, 32);

#define IFX_TEXTURE_EDGE_MAX 16384u

#define IFX_LIGHT_TRIANGLE 0u
#define IFX_LIGHT_POINT 1u
#define IFX_LIGHT_SPOT 2u
#define IFX_LIGHT_SUN 3u
#define IFX_LIGHT_SKY 4u

/* One light, and one entry of its frame's alias table: light i of n is drawn with u in [0,1): i = int(u n),
 * and if frac(u n) >= threshold then i = alias. `pick` is the probability that this draws i. */
typedef struct {
    u32 kind;
    u32 alias; /* relative to the frame's first light */
    float threshold;
    float pick;
    u32 instance; /* IFX_LIGHT_TRIANGLE: absolute */
    u32 triangle; /* IFX_LIGHT_TRIANGLE: absolute */
    float color[3]; /* candela for point and spot, lux for sun */
    float position[3];
    float direction[3]; /* of the light's travel; spot and sun */
    float range;        /* 0: infinite */
    float cone_scale;   /* spot: clamp(cos * scale + offset)^2 */
    float cone_offset;
} Light;
IFX_ASSERT_SIZE(Light, 72);

#define IFX_CAMERA_PERSPECTIVE 0u
#define IFX_CAMERA_ORTHOGRAPHIC 1u

/* Looks along -z, +y up. Three rows of four. */
typedef struct {
    float to_world[12];
    u32 kind;
    float tan_half_yfov; /* perspective; orthographic: half the height of the view */
    float lens_radius;   /* 0: everything is sharp */
    float focus_distance;
} Camera;
IFX_ASSERT_SIZE(Camera, 64);

/* A texel of the sky image, and an entry of its alias table. `pick` is the probability of the texel. */
typedef struct {
    float radiance[3];
    float pick;
    float threshold;
    u32 alias;
    u32 reserved[2];
} SkyTexel;
IFX_ASSERT_SIZE(SkyTexel, 32);

#define IFX_SKY_EDGE_MAX 8192u

#endif
