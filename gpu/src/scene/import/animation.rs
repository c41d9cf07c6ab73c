//! Keyframes: where a node stands at a time.

use std::collections::BTreeMap;

use gltf_json::{
    Root,
    animation::{Channel, Interpolation, Property, Sampler},
    validation::Checked,
};

use super::{Feature, ImportError, Place, Report, Warning, accessor::Accessors, limits};
use crate::scene::math::{slerp, unit_quaternion};

/// The values of one property over time.
#[derive(Debug)]
struct Track {
    interpolation: Interpolation,
    times_s: Vec<f32>,
    /// One for each time; for cubic splines three: incoming tangent, value, outgoing tangent.
    values: Vec<[f64; 4]>,
    is_rotation: bool,
}

/// What moves a node.
#[derive(Debug, Default)]
pub(super) struct NodeTracks {
    translation: Option<Track>,
    rotation: Option<Track>,
    scale: Option<Track>,
}

/// Everything that moves.
#[derive(Debug, Default)]
pub(super) struct Animations {
    nodes: BTreeMap<usize, NodeTracks>,
    /// When the last keyframe is.
    pub(super) end_s: f32,
}

impl Animations {
    /// Reads one animation, or all of them together.
    pub(super) fn read(
        root: &Root,
        accessors: &Accessors<'_>,
        chosen: Option<usize>,
        report: &mut Report,
    ) -> Result<Self, ImportError> {
        if let Some(index) = chosen
            && index >= root.animations.len()
        {
            return Err(ImportError::NoSuchEntry {
                target: Place::new("animation", index),
                count: root.animations.len(),
            });
        }
        let mut all = Self::default();
        for (index, animation) in root.animations.iter().enumerate() {
            if chosen.is_some_and(|chosen| chosen != index) {
                continue;
            }
            let place = Place::new("animation", index);
            for channel in &animation.channels {
                let sampler = animation.samplers.get(channel.sampler.value());
                let sampler = sampler.ok_or(ImportError::Dangling {
                    place,
                    target: Place::new("sampler", channel.sampler.value()),
                })?;
                all.add(root, accessors, (channel, sampler), report)?;
            }
        }
        Ok(all)
    }

    /// Returns what moves a node. `None`: nothing.
    pub(super) fn of_node(&self, node: usize) -> Option<&NodeTracks> {
        self.nodes.get(&node)
    }

    fn add(
        &mut self,
        root: &Root,
        accessors: &Accessors<'_>,
        (channel, sampler): (&Channel, &Sampler),
        report: &mut Report,
    ) -> Result<(), ImportError> {
        let place = Place::new("node", channel.target.node.value());
        let Some(node) = root.nodes.get(place.index) else {
            return Err(ImportError::Dangling {
                place: Place::new("animation channel of node", place.index),
                target: place,
            });
        };
        let property = match channel.target.path {
            Checked::Valid(property) => property,
            Checked::Invalid => return Ok(()),
        };
        if property == Property::MorphTargetWeights {
            return Err(ImportError::Unsupported {
                place,
                feature: Feature::Morphing,
            });
        }
        if node.matrix.is_some() {
            report.warn(Warning::MatrixAnimated { node: place });
            return Ok(());
        }
        let tracks = self.nodes.entry(place.index).or_default();
        let slot = match property {
            Property::Translation => &mut tracks.translation,
            Property::Rotation => &mut tracks.rotation,
            Property::Scale | Property::MorphTargetWeights => &mut tracks.scale,
        };
        if slot.is_some() {
            report.warn(Warning::ChannelConflict { node: place });
            return Ok(());
        }
        let track = Track::read(accessors, sampler, property == Property::Rotation)?;
        self.end_s = self.end_s.max(track.times_s.last().copied().unwrap_or(0.0));
        *slot = Some(track);
        Ok(())
    }
}

impl NodeTracks {
    /// Returns translation, rotation and scale at a time. What does not move stays as it is.
    pub(super) fn at(
        &self,
        time_s: f64,
        rest: ([f64; 3], [f64; 4], [f64; 3]),
    ) -> ([f64; 3], [f64; 4], [f64; 3]) {
        let triple = |track: &Option<Track>, rest| match track {
            Some(track) => {
                let [x, y, z, _] = track.at(time_s);
                [x, y, z]
            }
            None => rest,
        };
        let rotation = self.rotation.as_ref().map(|track| track.at(time_s));
        (
            triple(&self.translation, rest.0),
            rotation.unwrap_or(rest.1),
            triple(&self.scale, rest.2),
        )
    }
}

impl Track {
    fn read(
        accessors: &Accessors<'_>,
        sampler: &Sampler,
        is_rotation: bool,
    ) -> Result<Self, ImportError> {
        let times = accessors.floats::<1>(sampler.input)?;
        let times_s: Vec<f32> = times.into_iter().map(|[time]| time).collect();
        let place = Place::new("accessor", sampler.input.value());
        if let Some(&value) = times_s.iter().find(|time| !(0.0..=1e6).contains(*time)) {
            return Err(ImportError::NumberOutOfRange {
                place,
                field: "a time",
                value,
            });
        }
        if times_s.is_empty() || times_s.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(ImportError::TimesUnordered { place });
        }

        let interpolation = match sampler.interpolation {
            Checked::Valid(interpolation) => interpolation,
            Checked::Invalid => Interpolation::Linear,
        };
        let values = if is_rotation {
            accessors.floats::<4>(sampler.output)?
        } else {
            let triples = accessors.floats::<3>(sampler.output)?.into_iter();
            triples.map(|[x, y, z]| [x, y, z, 0.0]).collect()
        };
        let place = Place::new("accessor", sampler.output.value());
        let needed = match interpolation {
            Interpolation::CubicSpline => 3 * times_s.len(),
            Interpolation::Linear | Interpolation::Step => times_s.len(),
        };
        if values.len() != needed {
            return Err(ImportError::WrongLength {
                place,
                len: values.len() as u64,
                needed: needed as u64,
            });
        }
        let is_good = |value: &f32| f64::from(value.abs()) <= limits::MAGNITUDE_MAX;
        if let Some(&value) = values.iter().flatten().find(|value| !is_good(value)) {
            return Err(ImportError::NumberOutOfRange {
                place,
                field: "a keyframe",
                value,
            });
        }
        let mut values: Vec<[f64; 4]> = values.iter().map(|v| v.map(f64::from)).collect();
        if is_rotation && interpolation != Interpolation::CubicSpline {
            for value in &mut values {
                *value = unit_quaternion(*value).unwrap_or([0.0, 0.0, 0.0, 1.0]);
            }
        }
        Ok(Self {
            interpolation,
            times_s,
            values,
            is_rotation,
        })
    }

    /// Returns the value at a time; before the first and after the last keyframe, theirs.
    fn at(&self, time_s: f64) -> [f64; 4] {
        let after = self
            .times_s
            .partition_point(|&time| f64::from(time) <= time_s);
        let before = after.saturating_sub(1);
        let value = if after == 0 || after == self.times_s.len() {
            self.keyframe(before, 1)
        } else {
            let (from, to) = (
                f64::from(self.times_s[before]),
                f64::from(self.times_s[after]),
            );
            let t = (time_s - from) / (to - from);
            match self.interpolation {
                Interpolation::Step => self.keyframe(before, 1),
                Interpolation::Linear if self.is_rotation => {
                    return slerp(self.keyframe(before, 1), self.keyframe(after, 1), t);
                }
                Interpolation::Linear => mix(
                    [self.keyframe(before, 1), self.keyframe(after, 1)],
                    [1.0 - t, t],
                ),
                Interpolation::CubicSpline => self.cubic(before, t, to - from),
            }
        };
        if self.is_rotation {
            return unit_quaternion(value).unwrap_or([0.0, 0.0, 0.0, 1.0]);
        }
        value
    }

    /// Returns the value of a keyframe; `part` 0 and 2 are the tangents of a cubic spline.
    fn keyframe(&self, index: usize, part: usize) -> [f64; 4] {
        match self.interpolation {
            Interpolation::CubicSpline => self.values[3 * index + part],
            Interpolation::Linear | Interpolation::Step => self.values[index],
        }
    }

    fn cubic(&self, before: usize, t: f64, span_s: f64) -> [f64; 4] {
        let (t2, t3) = (t * t, t * t * t);
        mix(
            [
                self.keyframe(before, 1),
                self.keyframe(before, 2),
                self.keyframe(before + 1, 1),
                self.keyframe(before + 1, 0),
            ],
            [
                2.0 * t3 - 3.0 * t2 + 1.0,
                span_s * (t3 - 2.0 * t2 + t),
                3.0 * t2 - 2.0 * t3,
                span_s * (t3 - t2),
            ],
        )
    }
}

fn mix<const N: usize>(values: [[f64; 4]; N], weights: [f64; N]) -> [f64; 4] {
    let mut out = [0.0; 4];
    for (value, weight) in values.iter().zip(weights) {
        for (out, value) in out.iter_mut().zip(value) {
            *out += value * weight;
        }
    }
    out
}
