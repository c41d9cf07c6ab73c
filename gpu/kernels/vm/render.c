/* The render program in the dispute VM: one sub-unit.
 *
 * - In: the job's scene at IFX_INPUT_AT, its parameters at IFX_PARAMS_AT; the unit and the sub-unit in registers.
 * - Out: a SubUnit at IFX_OUTPUT_AT; its cost, and that it is whole, in registers.
 *
 * Sub-unit `i` of a unit is range `i % range_count` of the tile's pixel `i / range_count`. One that is not in the
 * frame, and one beyond the tile, is zero and costs nothing. */
#include "../render.h"

typedef struct {
    u32 frame;
    u32 x;
    u32 y;
    u32 range;
    u32 is_in_frame;
} SubUnitPlace;

/* The twin of `RenderParams::tile`. Units of a job are below 2^32, and so are sub-units of a unit: the validator
 * sees to it. */
static SubUnitPlace place_of(const RenderParams *params, u32 unit, u32 sub_unit) {
    SubUnitPlace place;
    u32 edge = params->tile_edge;
    u32 tiles_per_row = (params->width + edge - 1) / edge;
    u32 tiles_per_frame = tiles_per_row * ((params->height + edge - 1) / edge);
    u32 tile = unit % tiles_per_frame;
    u32 range_count = render_range_count(params);
    u32 pixel = sub_unit / range_count;
    place.frame = params->first_frame + unit / tiles_per_frame;
    place.x = tile % tiles_per_row * edge + pixel % edge;
    place.y = tile / tiles_per_row * edge + pixel / edge;
    place.range = sub_unit % range_count;
    place.is_in_frame = unit / tiles_per_frame < params->frame_count && pixel < edge * edge &&
                        place.x < params->width && place.y < params->height;
    return place;
}

__attribute__((noreturn)) static void halt(u32 cost_low, u32 cost_high, u32 status) {
    register u32 a0 __asm__("a0") = cost_low;
    register u32 a1 __asm__("a1") = cost_high;
    register u32 a2 __asm__("a2") = status;
    __asm__ volatile("ecall" : : "r"(a0), "r"(a1), "r"(a2) : "memory");
    __builtin_unreachable();
}

__attribute__((noreturn, section(".entry"))) void _start(u32 unit, u32 unit_high, u32 sub_unit,
                                                         u32 sub_unit_high) {
    const u8 *blob = (const u8 *)IFX_INPUT_AT;
    const RenderParams *params = (const RenderParams *)IFX_PARAMS_AT;
    SubUnit *out = (SubUnit *)IFX_OUTPUT_AT;
    SubUnitPlace place = place_of(params, unit, sub_unit);
    if ((unit_high | sub_unit_high) != 0 || !place.is_in_frame) {
        halt(0, 0, 0);
    }
    View view = view_open(blob, place.frame);
    Camera camera = camera_of(&view, params);
    render_sub_unit(&view, &camera, params, place.frame, place.x, place.y, place.range, out);
    halt(out->cost, 0, 0);
}
