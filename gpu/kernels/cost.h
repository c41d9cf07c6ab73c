/* What a path counts for itself, in work units.
 *
 * A unit of work is 350 to 390 instructions of the RV32IM build over the sub-units of the generated scenes
 * (kernels/soft_float.h). SUB_UNIT_SAMPLES paths that all end at PATH_COST_MAX count 2^19, which leaves a path
 * 2,000 instructions for each unit of work before a dispute's 2^30 are over. */
#ifndef IFX_COST_H
#define IFX_COST_H

#include "types.h"

#define COST_PATH 24u    /* camera ray, random numbers */
#define COST_NODE 8u     /* eight boxes */
#define COST_PACK 24u    /* eight triangles */
#define COST_INSTANCE 4u /* a ray moved into an instance's space */
#define COST_SURFACE 32u /* from a hit to its frame and material */
#define COST_SCATTER 32u /* one direction drawn, one evaluated */
#define COST_TEXTURE 8u  /* four texels */
#define COST_LIGHT 48u   /* one light drawn, and the surface evaluated for it */
#define COST_SKY 16u     /* four texels, or a gradient */

/* A path that has counted this much ends where it is, and counts no more. */
#define PATH_COST_MAX 32768u

/* Paths of a sub-unit. */
#define SUB_UNIT_SAMPLES 16u

#endif
