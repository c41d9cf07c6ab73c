//! `typed_data.json`, `claim.json` and `blob.json`.

use inferix_prover::{
    blob::ClaimBlob,
    claim::{ClaimHeader, Line, lines_hash},
    typed_data,
};

use crate::{
    OURS,
    common::{
        cases::{
            BlobCase, BlobFile, ClaimFile, HeaderCase, LinesCase, MessageCase, RefusedBlob,
            TypedDataFile, dec96, decoded,
        },
        sample::{self, Sample, Shape},
    },
    known,
};

pub fn typed_data_file() -> TypedDataFile {
    let line = small().blob.lines.remove(0);
    let signed = &line.jobs[0];
    let job = MessageCase {
        name: "of a sample".into(),
        source: OURS.into(),
        chain_id: 31_337_u64.into(),
        verifying_contract: sample::domain().verifying_contract.unwrap(),
        message: (&signed.job).into(),
        struct_hash: signed.job.job_id().bytes(),
        signing_hash: typed_data::signing_hash(&signed.job, &sample::domain()),
        signature: signed.signature.into(),
        signer: signed.job.builder,
    };
    let order = MessageCase {
        name: "of a sample".into(),
        source: OURS.into(),
        chain_id: job.chain_id,
        verifying_contract: job.verifying_contract,
        message: (&line.order).into(),
        struct_hash: line.order.order_hash(),
        signing_hash: typed_data::signing_hash(&line.order, &sample::domain()),
        signature: line.order_signature.into(),
        signer: sample::address("operator"),
    };
    TypedDataFile {
        standard: vec![known::mail()],
        signatures: known::signatures(),
        domains: vec![known::domain()],
        jobs: vec![known::job(), job],
        work_orders: vec![known::work_order(), order],
        receipts: vec![known::receipt()],
        operator_consents: vec![known::operator_consent()],
        api_requests: vec![known::api_request()],
    }
}

pub fn claim_file() -> ClaimFile {
    let mut known_lines = known::lines();
    known_lines.roots = known_lines
        .lines
        .iter()
        .map(|line| Line::from(line).root())
        .collect();
    let sample = sample::honest(
        2,
        Shape {
            lines: 8,
            tasks: 3,
            intervals_per_task: 2,
            units_per_interval: 1,
        },
    );
    let header = |name: &str, header: &ClaimHeader| HeaderCase {
        name: name.into(),
        source: OURS.into(),
        header: header.into(),
        worker: header.worker(),
        device_index: dec96(header.device_id().device_index()),
        claim_id: header.claim_id().bytes(),
        header_hash: header.header_hash(),
        hash200: header.hash200().to_vec().into(),
    };
    let lines = LinesCase {
        name: "eight lines of a sample".into(),
        source: OURS.into(),
        lines: sample.lines.iter().map(Into::into).collect(),
        roots: sample.lines.iter().map(Line::root).collect(),
        lines_hash: lines_hash(&sample.lines),
    };
    ClaimFile {
        headers: vec![known::header(), header("of a sample", &sample.header)],
        lines: vec![known_lines, lines],
    }
}

pub fn blob_file() -> BlobFile {
    let blob = small().blob;
    let bytes = blob.to_bytes();
    let ours = BlobCase {
        name: "of a sample".into(),
        source: OURS.into(),
        bytes: bytes.clone().into(),
        hash: blob.hash(),
        decoded: decoded(&blob),
    };
    BlobFile {
        blobs: vec![known::blob(), ours],
        refused: refused(&bytes),
    }
}

fn refused(bytes: &[u8]) -> Vec<RefusedBlob> {
    // Where the count of lines stands: after magic, version, device, number and span.
    let lines_at = 4 + 2 + 32 + 4 + 8 + 8;
    let with = |at: usize, new: &[u8]| {
        let mut bytes = bytes.to_vec();
        bytes[at..at + new.len()].copy_from_slice(new);
        bytes
    };
    [
        ("no bytes", Vec::new()),
        ("another magic number", with(0, b"IFXC")),
        ("another version", with(4, &[0, 2])),
        ("nine lines", with(lines_at, &9_u32.to_be_bytes())),
        (
            "2^32 - 1 tasks",
            with(lines_at + 4 + 152 + 64, &u32::MAX.to_be_bytes()),
        ),
        ("a byte too few", bytes[..bytes.len() - 1].to_vec()),
        ("a byte too many", [bytes, &[0]].concat()),
    ]
    .map(|(name, bytes)| RefusedBlob {
        name: name.into(),
        refusal: ClaimBlob::from_bytes(&bytes).unwrap_err().to_string(),
        bytes: bytes.into(),
    })
    .into()
}

fn small() -> Sample {
    let shape = Shape {
        lines: 2,
        tasks: 2,
        intervals_per_task: 2,
        units_per_interval: 3,
    };
    sample::honest(1, shape)
}
