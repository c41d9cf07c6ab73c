/* A validated blob, opened: its tables as pointers, for one frame. */
#ifndef IFX_VIEW_H
#define IFX_VIEW_H

#include "scene.h"

typedef struct {
    const SceneHeader *header;
    const Node *nodes;
    const Pack *packs;
    const Triangle *triangles;
    const Vertex *vertices;
    const Mesh *meshes;
    const Instance *instances;
    const Material *materials;
    const Texture *textures;
    const u32 *texels;
    const Light *lights; /* all of the scene's: indices are absolute */
    const Camera *cameras;
    const SkyTexel *sky;
    const Frame *frame;
} View;

IFX_FN View view_open(const u8 *blob, u32 frame) {
    const SceneHeader *h = (const SceneHeader *)blob;
    View v;
    v.header = h;
    v.nodes = (const Node *)(blob + h->nodes.offset);
    v.packs = (const Pack *)(blob + h->packs.offset);
    v.triangles = (const Triangle *)(blob + h->triangles.offset);
    v.vertices = (const Vertex *)(blob + h->vertices.offset);
    v.meshes = (const Mesh *)(blob + h->meshes.offset);
    v.instances = (const Instance *)(blob + h->instances.offset);
    v.materials = (const Material *)(blob + h->materials.offset);
    v.textures = (const Texture *)(blob + h->textures.offset);
    v.texels = (const u32 *)(blob + h->texels.offset);
    v.lights = (const Light *)(blob + h->lights.offset);
    v.cameras = (const Camera *)(blob + h->cameras.offset);
    v.sky = (const SkyTexel *)(blob + h->sky_texels.offset);
    v.frame = (const Frame *)(blob + h->frames.offset) + frame;
    return v;
}

#endif
