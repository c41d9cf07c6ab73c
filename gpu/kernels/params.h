/* The parameter region of a render: what a job fixes besides the scene.
 *
 * The twin is src/render.rs. A region that does not decode there never reaches a kernel. */
#ifndef IFX_PARAMS_H
#define IFX_PARAMS_H

#include "types.h"

#define IFX_PARAMS_MAGIC 0x50584649u /* "IFXP" */
#define IFX_PARAMS_VERSION 1u

#define IFX_FILTER_BOX 0u
#define IFX_FILTER_TENT 1u

/* The camera stands in camera_to_world and camera_tan_half_yfov, not in the scene. */
#define IFX_PARAMS_CAMERA 1u

typedef struct {
    u32 magic;
    u32 version;
    u32 width;
    u32 height;
    u32 samples; /* paths for each pixel */
    u32 max_depth; /* times that a path may scatter */
    u32 tile_edge; /* power of two */
    u32 first_frame;
    u32 frame_count;
    u32 flags;
    u32 camera; /* index within the frame's cameras */
    u32 filter; /* IFX_FILTER_* */
    u32 seed[2];
    float camera_to_world[12];
    float camera_tan_half_yfov;
    float radiance_clamp; /* upper bound for what one path adds to a channel; 0: none */
    u32 reserved[4];
} RenderParams;
IFX_ASSERT_SIZE(RenderParams, 128);

#endif
