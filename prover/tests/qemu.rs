//! The dispute VM against QEMU, an implementation of the manual that shares nothing with ours.
//!
//! `scripts/oracle` runs it, and says so where QEMU is missing. The long run: `QEMU_PROGRAMS=1000 scripts/oracle`,
//! from another `QEMU_SEED`.

#![allow(
    clippy::unwrap_used,
    reason = "a test panics on what it does not expect"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "the long run is asked for in the environment"
)]
#![allow(unreachable_pub, reason = "the modules are parts of one program")]

#[path = "common/assembler.rs"]
#[allow(dead_code, reason = "other tests use more of it")]
mod assembler;
#[path = "common/qemu.rs"]
mod qemu;
#[path = "common/steps.rs"]
#[allow(dead_code, reason = "other tests use more of it")]
mod steps;

use assembler::{ECALL, addi, b_type, i_type, jal, li, r_type, s_type, u_type};
use inferix_gpu::{
    Program,
    kernels::{
        Kernels,
        Number::{
            SoftAdd, SoftCompare, SoftDiv, SoftFma, SoftFromI32, SoftFromU32, SoftMul, SoftSqrt,
            SoftSub, SoftToI32, SoftToU32,
        },
    },
    render::RenderParams,
    scene::{build, generate, import::import_bytes},
};
use inferix_prover::vm::{Image, Instruction, Layout, Machine, Op, Place, Regions, Status};
use qemu::{RV32IM, RV32IMF, Segment, write_and_exit};
use steps::Dice;

/// Code and data are apart, as Linux wants them, and each where both machines have it.
const LAYOUT: Layout = Layout {
    log2_code: 19,
    log2_memory: 22,
    log2_input: 10,
    log2_params: 8,
    log2_output: 6,
    entry: CODE_AT,
    max_steps: 1 << 30,
};

const CODE_AT: u32 = 1 << 16;

/// The scratch region: a window for loads and stores, then the log.
const WINDOW_AT: u32 = 1 << 21;
const WINDOW_BYTES: u32 = 4096;
const LOG_AT: u32 = WINDOW_AT + WINDOW_BYTES;

/// Registers that a program does not choose: the middle of the window, the end of the log.
const WINDOW: u32 = 30;
const LOG: u32 = 31;

/// A program without illegal words that writes down every result.
struct Logged {
    words: Vec<u32>,
    /// The instruction of each word of the log.
    sources: Vec<u32>,
}

impl Logged {
    fn new() -> Self {
        let mut words = li(WINDOW, WINDOW_AT + WINDOW_BYTES / 2).to_vec();
        words.extend(li(LOG, LOG_AT));
        let sources = Vec::new();
        Self { words, sources }
    }

    fn log(&mut self, register: u32, source: u32) {
        self.words
            .extend([s_type(0, register, LOG, 2), addi(LOG, LOG, 4)]);
        self.sources.push(source);
    }

    /// An instruction and its result.
    fn put(&mut self, word: u32) {
        self.words.push(word);
        self.log(word >> 7 & 31, word);
    }

    /// Random operands now and then, and one random instruction.
    fn put_random(&mut self, dice: &mut Dice) {
        let rd = dice.below(WINDOW);
        let [rs1, rs2] = [(); 2].map(|()| dice.below(32));
        for rs in [rs1, rs2] {
            if rs < WINDOW && dice.once_in(2) {
                self.words.extend(li(rs, dice.operand()));
            }
        }
        let any = dice.word().cast_signed();
        let imm = dice.pick(&[-2048, -1, 0, 1, 2047, any]);
        let funct3 = dice.below(8);
        // A place in the window for each width.
        let place = |dice: &mut Dice, width: u32| {
            let offset = dice.word() & (WINDOW_BYTES - 1) & !(width - 1);
            offset.cast_signed() - 2048
        };
        match dice.below(16) {
            0..3 => self.put(i_type(imm, rs1, dice.pick(&[0, 2, 3, 4, 6, 7]), rd, 0x13)),
            3 => {
                let shift = dice.below(32).cast_signed();
                let (funct3, bit) = dice.pick(&[(1, 0), (5, 0), (5, 0x400)]);
                self.put(i_type(shift | bit, rs1, funct3, rd, 0x13));
            }
            4 | 5 => self.put(r_type(0, rs2, rs1, funct3, rd, 0x33)),
            6 => self.put(r_type(0x20, rs2, rs1, dice.pick(&[0, 5]), rd, 0x33)),
            7..10 => self.put(r_type(1, rs2, rs1, funct3, rd, 0x33)),
            10 => self.put(u_type(dice.word(), rd, dice.pick(&[0x37, 0x17]))),
            11 => {
                let funct3 = dice.pick(&[0, 1, 2, 4, 5]);
                let offset = place(dice, 1 << (funct3 & 3));
                self.put(i_type(offset, WINDOW, funct3, rd, 0x03));
            }
            12 => {
                let funct3 = dice.below(3);
                let offset = place(dice, 1 << funct3);
                self.words.push(s_type(offset, rs2, WINDOW, funct3));
                let word_at = offset & !3;
                self.put(i_type(word_at, WINDOW, 2, rd, 0x03));
            }
            13 => {
                let rs2 = if dice.once_in(4) { rs1 } else { rs2 };
                self.branch(dice.pick(&[0, 1, 4, 5, 6, 7]), rs1, rs2);
            }
            14 => self.jump(dice, rd),
            _ => {
                self.words.push(dice.word() & !0x707f | 0x0f);
            }
        }
    }

    /// A branch forwards and the same one backwards: x29 counts where it came by.
    fn branch(&mut self, funct3: u32, rs1: u32, rs2: u32) {
        let (forward, backward) = (b_type(8, rs2, rs1, funct3), b_type(-8, rs2, rs1, funct3));
        self.words.extend([forward, addi(29, 29, 1)]);
        self.log(29, forward);
        // To the branch; what it may go back to; out.
        self.words
            .extend([jal(12, 0), addi(29, 29, 2), jal(8, 0), backward]);
        self.log(29, backward);
    }

    /// A jump over an instruction, with its link.
    fn jump(&mut self, dice: &mut Dice, rd: u32) {
        if dice.once_in(2) {
            let word = jal(8, rd);
            self.words.extend([word, addi(29, 29, 3)]);
            self.log(rd, word);
        } else {
            // Bit 0 of the target is cleared.
            let base = dice.pick(&[5, rd.max(1)]);
            let word = i_type(12 + dice.below(2).cast_signed(), base, 0, rd, 0x67);
            self.words
                .extend([u_type(0, base, 0x17), word, addi(29, 29, 5)]);
            self.log(rd, word);
        }
        self.log(29, 0);
    }

    /// All registers, and out with it.
    fn end(mut self) -> Self {
        for register in 0..32 {
            self.log(register, 0);
        }
        let len = WINDOW_BYTES + 4 * self.sources.len() as u32;
        self.words.extend(write_and_exit(WINDOW_AT, len));
        self
    }
}

fn random_program(dice: &mut Dice, slots: usize) -> Logged {
    let mut program = Logged::new();
    for register in 1..WINDOW {
        program.words.extend(li(register, dice.operand()));
    }
    for at in 0..64 {
        program.words.extend(li(5, dice.operand()));
        let place = 64 * at - 2048;
        program.words.push(s_type(place, 5, WINDOW, 2));
    }
    for _ in 0..slots {
        program.put_random(dice);
    }
    program.end()
}

#[test]
#[ignore = "needs qemu-riscv32"]
fn random_programs_leave_the_same_registers_and_memory() {
    let count = std::env::var("QEMU_PROGRAMS").map_or(40, |count| count.parse().unwrap());
    let seed = std::env::var("QEMU_SEED").map_or(7, |seed| seed.parse().unwrap());
    println!("QEMU_SEED={seed}");
    let mut dice = Dice(seed);
    let (mut steps, mut results) = (0, 0);
    for number in 0..count {
        let program = random_program(&mut dice, 8000);
        let segments = [
            Segment::of_words(CODE_AT, &program.words),
            Segment::zero(WINDOW_AT, 1 << 18),
        ];
        let theirs = qemu::run(RV32IM, CODE_AT, &segments);

        let mut code = vec![0; CODE_AT as usize];
        code.extend(&segments[0].bytes);
        let image = Image::new(LAYOUT, &code, b"").unwrap();
        let mut machine = Machine::new(&image, Regions::default(), Place::default()).unwrap();
        steps += machine.run_to_end(LAYOUT.max_steps).unwrap();
        assert_eq!(machine.status(), Status::Halted, "program {number}");
        let ours = machine.memory().get(WINDOW_AT as usize, theirs.len());
        let ours = ours.unwrap();

        let log = WINDOW_BYTES as usize;
        assert_eq!(theirs.len(), log + 4 * program.sources.len());
        let pairs = ours[log..].chunks(4).zip(theirs[log..].chunks(4));
        for ((ours, theirs), source) in pairs.zip(&program.sources) {
            assert_eq!(ours, theirs, "{source:08x} of program {number}");
        }
        assert_eq!(ours, theirs, "memory of program {number}");
        results += program.sources.len();
    }
    println!("{count} programs, {steps} instructions, {results} results: no difference");
}

/// Each opcode with each of its function fields: what is illegal here is illegal there.
///
/// But for what asks an environment (opcode 0x73) and fences (0x0f), where Linux has more than a machine without one.
#[test]
#[ignore = "needs qemu-riscv32"]
fn what_traps_is_illegal_in_qemu() {
    const ILLEGAL: i32 = 4;
    const SIGACTION: i32 = 134;
    const SIGINFO: u32 = 4;
    /// Of the program counter in what Linux gives a handler.
    const PC_IN_CONTEXT: i32 = 160;
    let mut dice = Dice(11);
    let mut illegal = Vec::new();
    for fields in 0..1 << 17 {
        let (opcode, funct3, funct7) = (fields & 0x7f, fields >> 7 & 7, fields >> 10);
        let [rd, rs1, rs2] = [(); 3].map(|()| dice.below(32));
        let word = r_type(funct7, rs2, rs1, funct3, rd, opcode);
        if Instruction::decode(word).op == Op::Trap && opcode != 0x73 && opcode != 0x0f {
            illegal.push(word);
        }
    }

    // The handler writes the place down (the first word of the log's memory points to its end) and goes on after it.
    let mut words = vec![jal(0, 0), i_type(PC_IN_CONTEXT, 12, 2, 5, 0x03)];
    words.extend(li(6, WINDOW_AT));
    words.extend([
        i_type(0, 6, 2, 7, 0x03),
        s_type(0, 5, 7, 2),
        addi(7, 7, 4),
        s_type(0, 7, 6, 2),
        addi(5, 5, 4),
        s_type(PC_IN_CONTEXT, 5, 12, 2),
        i_type(0, 1, 0, 0, 0x67),
    ]);
    words[0] = jal(4 * words.len().cast_signed() as i32, 0);
    // rt_sigaction(SIGILL, action, none, 8 bytes of mask).
    words.extend([addi(10, 0, ILLEGAL), addi(12, 0, 0), addi(13, 0, 8)]);
    words.extend(li(11, WINDOW_AT + 4));
    words.extend([addi(17, 0, SIGACTION), ECALL]);
    let first = CODE_AT + 4 * words.len() as u32;
    words.extend(&illegal);
    let len = 4 * illegal.len() as u32;
    words.extend(write_and_exit(LOG_AT, len));

    let mut data = vec![0; (WINDOW_BYTES + len) as usize];
    for (at, word) in [LOG_AT, CODE_AT + 4, SIGINFO].into_iter().enumerate() {
        data[4 * at..4 * at + 4].copy_from_slice(&word.to_le_bytes());
    }
    let segments = [
        Segment::of_words(CODE_AT, &words),
        Segment::of_bytes(WINDOW_AT, data),
    ];
    let places = qemu::run(RV32IM, CODE_AT, &segments);
    for ((got, at), word) in places.chunks(4).zip((first..).step_by(4)).zip(&illegal) {
        assert_eq!(
            got,
            at.to_le_bytes(),
            "QEMU executes {word:08x} or one before"
        );
    }
    println!("{} illegal words", illegal.len());
}

/// The shipped image, each `ecall` replaced by a jump to what writes the result out.
#[test]
#[ignore = "needs qemu-riscv32"]
fn sub_units_of_the_render_program_have_the_same_bits() {
    /// Beyond the data memory: in the VM code has a memory of its own, and this image names none of its places.
    const RENDER_AT: u32 = 0x4000_0000;
    const RESULT_BYTES: u32 = 32;
    let image = Image::of(Program::Render).unwrap();
    let (layout, binary) = (*image.layout(), Program::Render.binary());
    let (mut steps, mut halts) = (0, 0);
    for generated in [generate::demo(), generate::cornell_box()] {
        let parts = import_bytes(&generated.glb, &generated.options).unwrap();
        let scene = build(&parts.parts).unwrap();
        let params = RenderParams {
            tile_edge: 16,
            ..RenderParams::new(40, 24, 20)
        };
        let params_bytes = params.encode();
        let mut dice = Dice(23);
        for _ in 0..20 {
            let unit_index = u64::from(dice.below(params.unit_count() as u32));
            let sub_unit_index = u64::from(dice.below(512));
            let place = Place {
                unit_index,
                sub_unit_index,
                max_cost: u64::MAX,
            };
            let regions = Regions {
                input: &scene,
                params: &params_bytes,
                parts: &[],
            };
            let mut machine = Machine::new(&image, regions, place).unwrap();
            let first = machine.state().registers;
            steps += machine.run_to_end(layout.max_steps).unwrap();
            let last = machine.state().registers;
            let output = machine.memory().get(layout.output_at() as usize, 16);
            let mut ours = output.unwrap().to_vec();
            ours.extend(last[10..13].iter().flat_map(|x| x.to_le_bytes()));
            ours.resize(RESULT_BYTES as usize, 0);

            let (chunks, _) = binary.code.as_chunks();
            let mut words: Vec<u32> = chunks.iter().copied().map(u32::from_le_bytes).collect();
            let end = words.len();
            for (at, word) in words.iter_mut().enumerate() {
                if *word == ECALL {
                    *word = jal(4 * (end - at) as i32, 0);
                    halts += 1;
                }
            }
            words.extend(li(5, layout.output_at()));
            words.extend((10..13).map(|x| s_type(16 + 4 * (x as i32 - 10), x, 5, 2)));
            words.extend(write_and_exit(layout.output_at(), RESULT_BYTES));
            let entry = RENDER_AT + 4 * words.len() as u32;
            for (register, value) in first.iter().enumerate().skip(1) {
                words.extend(li(register as u32, *value));
            }
            words.push(jal(-4 * (words.len() as i32), 0));
            let pages = |len: usize| len.next_multiple_of(4096) as u32;
            let segments = [
                Segment {
                    at: 0,
                    len: pages(scene.len()),
                    bytes: scene.clone(),
                },
                Segment::zero(layout.scratch_at(), 1 << (layout.log2_memory - 2)),
                Segment::of_bytes(layout.constants_at(), binary.constants.to_vec()),
                Segment::of_bytes(layout.params_at(), params_bytes.to_vec()),
                Segment::zero(layout.output_at(), 4096),
                Segment::of_words(RENDER_AT, &words),
            ];
            let theirs = qemu::run(RV32IM, entry, &segments);
            assert_eq!(ours, theirs, "unit {unit_index} sub-unit {sub_unit_index}");
        }
    }
    assert_eq!(halts, 3 * 40, "the image ends at three places");
    println!("40 sub-units, {steps} instructions");
}

/// The image's soft floats against QEMU's floating-point unit.
#[test]
#[ignore = "needs qemu-riscv32"]
fn soft_floats_are_those_of_qemu() {
    const OPERATIONS: [(&str, u32); 12] = [
        ("add", r_type(0x00, 2, 1, 0, 4, 0x53)),
        ("sub", r_type(0x04, 2, 1, 0, 4, 0x53)),
        ("mul", r_type(0x08, 2, 1, 0, 4, 0x53)),
        ("div", r_type(0x0c, 2, 1, 0, 4, 0x53)),
        ("sqrt", r_type(0x2c, 0, 1, 0, 4, 0x53)),
        ("fma", r_type(3 << 2, 2, 1, 0, 4, 0x43)),
        ("less", r_type(0x50, 2, 1, 1, 5, 0x53)),
        ("equal", r_type(0x50, 2, 1, 2, 5, 0x53)),
        ("from i32", r_type(0x68, 0, 6, 0, 4, 0x53)),
        ("from u32", r_type(0x68, 1, 6, 0, 4, 0x53)),
        ("to i32", r_type(0x60, 0, 1, 1, 5, 0x53)),
        ("to u32", r_type(0x60, 1, 1, 1, 5, 0x53)),
    ];
    const CASES: usize = 100_000;
    const OUT_AT: u32 = 1 << 24;
    let mut dice = Dice(31);
    let cases: Vec<[u32; 3]> = (0..CASES)
        .map(|_| [(); 3].map(|()| float(&mut dice)))
        .collect();

    // x8 reads the operands into f1 to f3 and x6, x9 writes the results, x7 is the end.
    let mut words = li(8, WINDOW_AT).to_vec();
    words.extend(li(7, WINDOW_AT + 12 * CASES as u32));
    words.extend(li(9, OUT_AT));
    let top = words.len();
    words.extend((1..4).map(|f| i_type(4 * (f as i32 - 1), 8, 2, f, 0x07)));
    words.push(i_type(0, 8, 2, 6, 0x03));
    for (at, (_, word)) in OPERATIONS.into_iter().enumerate() {
        words.push(word);
        let rd = word >> 7 & 31;
        let opcode = if rd == 4 { 4 } else { 0 };
        words.push(s_type(4 * at as i32, rd, 9, 2) | opcode);
    }
    let row = 4 * OPERATIONS.len() as u32;
    words.extend([addi(8, 8, 12), addi(9, 9, row as i32)]);
    let back = 4 * (top as i32 - words.len() as i32);
    words.push(b_type(back, 7, 8, 1));
    words.extend(write_and_exit(OUT_AT, row * CASES as u32));
    let data = cases.as_flattened().iter().flat_map(|x| x.to_le_bytes());
    let segments = [
        Segment::of_words(CODE_AT, &words),
        Segment::of_bytes(WINDOW_AT, data.collect()),
        Segment::zero(OUT_AT, row * CASES as u32),
    ];
    let out = qemu::run(RV32IMF, CODE_AT, &segments);
    assert_eq!(out.len(), row as usize * CASES);

    let kernels = Kernels::detect();
    for (theirs, case) in out.chunks(row as usize).zip(&cases) {
        let [a, b, c] = case.map(f32::from_bits);
        let soft = |number| kernels.number(number, a, b, c).to_bits();
        let order = f32::from_bits(soft(SoftCompare));
        let is_nan = a.is_nan();
        let ours = [
            soft(SoftAdd),
            soft(SoftSub),
            soft(SoftMul),
            soft(SoftDiv),
            soft(SoftSqrt),
            soft(SoftFma),
            u32::from(order == -1.0),
            u32::from(order == 0.0),
            soft(SoftFromI32),
            soft(SoftFromU32),
            soft(SoftToI32),
            soft(SoftToU32),
        ];
        let pairs = ours.into_iter().zip(theirs.chunks(4)).zip(OPERATIONS);
        for ((ours, theirs), (name, _)) in pairs {
            // What C leaves open.
            if !(is_nan && name.starts_with("to")) {
                assert_eq!(ours.to_le_bytes(), theirs, "{name} of {case:08x?}");
            }
        }
    }
    println!("{} results", CASES * OPERATIONS.len());
}

/// Bits of a number: with every exponent, the special ones, and around one, where sums cancel.
fn float(dice: &mut Dice) -> u32 {
    let special = [0, 1, 0x7f_ffff, 0x80_0000, 0x7f7f_ffff, 0x7f80_0000];
    let sign = dice.word() & 0x8000_0000;
    match dice.below(8) {
        0 => dice.pick(&special) | sign,
        1 => dice.pick(&[0x7fc0_0000, 0x7f80_0001]) | sign,
        2..5 => (0x3f00_0000 + dice.below(0x0180_0000)) | sign,
        5 => dice.below(0x80_0000) | sign,
        _ => dice.word(),
    }
}
