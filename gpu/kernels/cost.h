/* What a path counts for itself, in work units.
 *
 * A unit of work is at most 1,000 instructions of the RV32IM build, so that a sub-unit of
 * SUB_UNIT_SAMPLES paths stays below 2^30 of them: 16 x 32,768 x 1,000 is 2^28.97. */
#ifndef IFX_COST_H
#define IFX_COST_H

#include "types.h"

#define COST_PATH 16u    /* camera ray, random numbers */
#define COST_NODE 8u     /* eight boxes */
#define COST_PACK 24u    /* eight triangles */
#define COST_INSTANCE 4u /* a ray moved into an instance's space */
#define COST_SURFACE 32u /* from a hit to its frame and material */
#define COST_SCATTER 32u /* one direction drawn, one evaluated */
#define COST_TEXTURE 8u  /* four texels */
#define COST_LIGHT 48u   /* one light drawn, and the surface evaluated for it */
#define COST_SKY 8u      /* four texels, or a gradient */

/* A path that has counted this much ends where it is, and counts no more. */
#define PATH_COST_MAX 32768u

/* Paths of a sub-unit. */
#define SUB_UNIT_SAMPLES 16u

#endif
