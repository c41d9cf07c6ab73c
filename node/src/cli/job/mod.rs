//! `inferix job`: have frames rendered.
//!
//! [`command`] is the list of what can be asked, [`scene`] makes a job of a scene file, [`estimate`] says what
//! it will cost before anything is signed, [`frames`] turns outputs into pictures.

mod command;
mod estimate;
mod frames;
mod scene;

pub(super) use command::JobArgs;
