//! What a unit of the render program is: a square tile of one frame.

mod params;
mod tile;

pub use params::{
    CameraChoice, DEPTH_MAX, FRAME_EDGE_MAX, FRAMES_MAX, PARAMS_BYTES, ParamsError, PixelFilter,
    RenderParams, SAMPLES_MAX,
};
pub use tile::{PIXEL_BYTES, SUB_UNIT_SAMPLES, Tile, pixels_cost};
