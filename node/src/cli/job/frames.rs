//! Outputs of a job, put together to pictures.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use alloy::primitives::B256;
use eyre::{Result, WrapErr};
use inferix_gpu::{
    UnitOutput, UnitStatus,
    image::{Frame, Tone, encode_exr, encode_png},
    render::RenderParams,
};
use inferix_prover::id::JobId;

use crate::api::{Client, types::OutputPiece};

/// Frames of one job while their outputs arrive.
#[derive(Debug)]
pub(super) struct Frames {
    params: RenderParams,
    /// Frames that are begun and not taken.
    begun: BTreeMap<u32, Frame>,
}

impl Frames {
    pub(super) fn new(params: RenderParams) -> Self {
        Self {
            params,
            begun: BTreeMap::new(),
        }
    }

    /// Fetches a piece and adds its units. `is_wanted` says for which frames.
    pub(super) async fn add(
        &mut self,
        client: &Client,
        piece: &OutputPiece,
        is_wanted: impl Fn(u32) -> bool,
    ) -> Result<()> {
        let unit_bytes = 1_u64 << self.params.log2_output();
        let max_bytes = unit_bytes.saturating_mul(u64::from(piece.unit_count));
        let frame_of = |unit| self.params.tile(unit).map(|tile| tile.frame);
        let units = piece.first_unit..piece.first_unit + u64::from(piece.unit_count);
        if !units.clone().filter_map(frame_of).any(&is_wanted) {
            return Ok(());
        }

        let blob = client
            .fetch_blob(piece.blob, max_bytes)
            .await
            .wrap_err("fetching outputs")?;
        let size =
            usize::try_from(unit_bytes).wrap_err("outputs are too large for this machine")?;
        for (unit_index, output) in units.zip(blob.chunks_exact(size)) {
            let Some(frame) = self.params.tile(unit_index).map(|tile| tile.frame) else {
                continue;
            };
            if is_wanted(frame) {
                self.add_unit(frame, unit_index, output);
            }
        }
        Ok(())
    }

    fn add_unit(&mut self, frame: u32, unit_index: u64, output: &[u8]) {
        let unit = UnitOutput {
            unit_index,
            status: UnitStatus::Done,
            cost: 0,
            output_root: [0; 32],
            output: output.to_vec(),
        };
        let picture = self
            .begun
            .entry(frame)
            .or_insert_with(|| Frame::empty(&self.params));
        picture.add(&self.params, frame, &unit);
    }

    /// Takes out the frames that are complete.
    pub(super) fn take_complete(&mut self) -> Vec<(u32, Frame)> {
        let complete: Vec<u32> = self
            .begun
            .iter()
            .filter(|(_, frame)| frame.is_complete())
            .map(|(index, _)| *index)
            .collect();
        complete
            .into_iter()
            .filter_map(|index| self.begun.remove_entry(&index))
            .collect()
    }
}

/// A picture of one frame that grows while somebody watches.
#[derive(Debug)]
pub(super) struct Preview {
    path: PathBuf,
    frame: u32,
    frames: Frames,
    known: BTreeSet<(u64, B256)>,
}

impl Preview {
    pub(super) fn new(path: PathBuf, frame: u32, params: RenderParams) -> Self {
        Self {
            path,
            frame,
            frames: Frames::new(params),
            known: BTreeSet::new(),
        }
    }

    /// Fetches what has arrived since, and writes the picture again if that shows.
    pub(super) async fn update(&mut self, client: &Client, job_id: JobId) -> Result<()> {
        let known_count = self.known.len();
        for piece in all_pieces(client, job_id).await? {
            if self.known.insert((piece.first_unit, piece.blob)) {
                let frame = self.frame;
                self.frames
                    .add(client, &piece, |index| index == frame)
                    .await?;
            }
        }
        match self.frames.begun.get(&self.frame) {
            Some(picture) if self.known.len() != known_count => {
                replace(&self.path, &encode_png(picture, &Tone::default())?)
            }
            _ => Ok(()),
        }
    }
}

/// Lists all pieces of a job's outputs, in the order of their units.
pub(super) async fn all_pieces(client: &Client, job_id: JobId) -> Result<Vec<OutputPiece>> {
    let (mut pieces, mut known) = (Vec::new(), BTreeSet::new());
    let mut from = 0;
    loop {
        let page = client.outputs(job_id, from).await?;
        if page.is_empty() {
            return Ok(pieces);
        }
        // A page's pieces all end behind `from`, so that each page moves on.
        for piece in page {
            from = from.max(piece.first_unit.saturating_add(u64::from(piece.unit_count)));
            if known.insert((piece.first_unit, piece.unit_count, piece.blob)) {
                pieces.push(piece);
            }
        }
    }
}

/// Writes a frame as PNG for the eye and as EXR with all that was computed.
pub(super) fn write(dir: &Path, index: u32, frame: &Frame) -> Result<Vec<PathBuf>> {
    let png = dir.join(format!("frame_{index:04}.png"));
    let exr = dir.join(format!("frame_{index:04}.exr"));
    replace(&png, &encode_png(frame, &Tone::default())?)?;
    replace(&exr, &encode_exr(frame)?)?;
    Ok(vec![png, exr])
}

/// Whoever reads the file sees the old picture or the new one, never a half.
fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let part = path.with_extension("part");
    std::fs::write(&part, bytes)
        .and_then(|()| std::fs::rename(&part, path))
        .wrap_err_with(|| format!("writing {}", path.display()))
}
