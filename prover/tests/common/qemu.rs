//! Programs in QEMU's user mode, as Linux starts them: no toolchain, an ELF file of segments as they are.
//!
//! A program writes its result to standard output and exits, by the calls of Linux.

use std::{fs::Permissions, os::unix::fs::PermissionsExt, process::Command};

use crate::assembler::{ECALL, addi, li};

/// The instructions of RV32IM, and none of the extensions that QEMU would add.
pub const RV32IM: &str =
    "rv32,a=false,c=false,d=false,f=false,zba=false,zbb=false,zbc=false,zbs=false";

/// The same with single floats.
pub const RV32IMF: &str = "rv32,a=false,c=false,d=false,zba=false,zbb=false,zbc=false,zbs=false";

const ELF_HEADER: u32 = 52;
const SEGMENT_HEADER: u32 = 32;
const PAGE: u32 = 4096;

/// What lies in memory before the first instruction.
pub struct Segment {
    pub at: u32,
    /// As much as the file gives; zero after that.
    pub bytes: Vec<u8>,
    pub len: u32,
}

impl Segment {
    pub fn of_words(at: u32, words: &[u32]) -> Self {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        Self::of_bytes(at, bytes)
    }

    pub fn of_bytes(at: u32, bytes: Vec<u8>) -> Self {
        let len = bytes.len() as u32;
        Self { at, bytes, len }
    }

    pub fn zero(at: u32, len: u32) -> Self {
        let bytes = Vec::new();
        Self { at, bytes, len }
    }
}

/// Runs a program on a processor and returns what it wrote.
pub fn run(cpu: &str, entry: u32, segments: &[Segment]) -> Vec<u8> {
    let folder = std::env::temp_dir().join(format!(
        "inferix-qemu-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    ));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("program.elf");
    std::fs::write(&path, elf(entry, segments)).unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(0o700)).unwrap();
    let mut command = Command::new("qemu-riscv32");
    let output = command.args(["-cpu", cpu]).arg(&path).output().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(output.status.success(), "QEMU ended with {output:?}");
    output.stdout
}

/// `write(1, at, len)`; then `exit(0)`. A machine of ours halts at the first `ecall`.
pub fn write_and_exit(at: u32, len: u32) -> Vec<u32> {
    const WRITE: i32 = 64;
    const EXIT: i32 = 93;
    let mut words = vec![addi(10, 0, 1)];
    words.extend(li(11, at));
    words.extend(li(12, len));
    words.extend([addi(17, 0, WRITE), ECALL]);
    words.extend([addi(10, 0, 0), addi(17, 0, EXIT), ECALL]);
    words
}

fn elf(entry: u32, segments: &[Segment]) -> Vec<u8> {
    const RISCV: u16 = 243;
    let count = segments.len() as u16;
    let mut out = b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    let shorts = |out: &mut Vec<u8>, all: &[u16]| {
        out.extend(all.iter().flat_map(|short| short.to_le_bytes()));
    };
    let longs = |out: &mut Vec<u8>, all: &[u32]| {
        out.extend(all.iter().flat_map(|long| long.to_le_bytes()));
    };
    // An executable, version 1; no sections.
    shorts(&mut out, &[2, RISCV]);
    longs(&mut out, &[1, entry, ELF_HEADER, 0, 0]);
    shorts(&mut out, &[ELF_HEADER as u16, SEGMENT_HEADER as u16]);
    shorts(&mut out, &[count, 0, 0, 0]);

    let mut file_at = PAGE;
    for segment in segments {
        assert_eq!(segment.at % PAGE, 0, "a segment begins on a page");
        let (at, file_len) = (segment.at, segment.bytes.len() as u32);
        // Load it; to be read, written and executed.
        longs(
            &mut out,
            &[1, file_at, at, at, file_len, segment.len, 7, PAGE],
        );
        file_at += file_len.next_multiple_of(PAGE);
    }
    for segment in segments {
        out.resize(out.len().next_multiple_of(PAGE as usize), 0);
        out.extend(&segment.bytes);
    }
    out
}
