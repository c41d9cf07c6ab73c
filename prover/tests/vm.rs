//! The dispute VM against the RISC-V manual, its witnesses against itself.

#![allow(
    clippy::unwrap_used,
    reason = "a test panics on what it does not expect"
)]

#[path = "common/assembler.rs"]
#[allow(unreachable_pub, reason = "several tests use it")]
mod assembler;

use alloy_primitives::B256;
use assembler::{
    CSRRW, EBREAK, ECALL, FENCE, FENCE_I, addi, b_type, i_type, jal, li, r_type, s_type, u_type,
};
use inferix_prover::vm::{
    Image, Layout, Machine, Place, Regions, Roots, STATE_BYTES, State, Status, StepShape,
    StepWitness, WitnessError,
};
use proptest::prelude::*;

const LAYOUT: Layout = Layout {
    log2_code: 12,
    log2_memory: 16,
    log2_input: 10,
    log2_params: 8,
    log2_output: 6,
    entry: 0,
    max_steps: 1 << 20,
};

/// Where the first loads and stores of the tests go: the scratch region.
const SCRATCH: u32 = 1 << 15;

fn image(words: &[u32]) -> Image {
    let code: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    Image::new(LAYOUT, &code, b"constants").unwrap()
}

fn machine(image: &Image) -> Machine {
    let regions = Regions {
        input: b"input",
        params: b"params",
        parts: b"parts",
    };
    Machine::new(image, regions, Place::default()).unwrap()
}

/// Runs words to the end, checking every step's witness against the machine's next state.
fn run(words: &[u32]) -> State {
    let image = image(words);
    let shape = StepShape::of(&image);
    let mut machine = machine(&image);
    for step in 0..1000 {
        let witness = StepWitness::of(&mut machine, &image);
        machine.run(step + 1);
        let state = machine.state();
        assert_eq!(witness.step(&shape).unwrap(), state, "step {step}");
        if state.status != Status::Running {
            return state;
        }
    }
    panic!("the program does not end");
}

/// Sets x5 and x6, executes one instruction that writes x7, and returns that.
fn binary(funct7: u32, funct3: u32, a: u32, b: u32) -> u32 {
    let mut words = [li(5, a), li(6, b)].concat();
    words.extend([r_type(funct7, 6, 5, funct3, 7, 0x33), ECALL]);
    let state = run(&words);
    assert_eq!(state.status, Status::Halted);
    state.registers[7]
}

fn immediate(funct3: u32, a: u32, imm: i32) -> u32 {
    let mut words = li(5, a).to_vec();
    words.extend([i_type(imm, 5, funct3, 7, 0x13), ECALL]);
    run(&words).registers[7]
}

const LEAST: u32 = 0x8000_0000;

#[test]
fn arithmetic_wraps_and_compares_as_the_manual_says() {
    assert_eq!(binary(0x00, 0, u32::MAX, 2), 1, "add");
    assert_eq!(binary(0x20, 0, 1, 2), u32::MAX, "sub");
    assert_eq!(binary(0x00, 1, 3, 33), 6, "sll takes five bits");
    assert_eq!(binary(0x00, 2, u32::MAX, 1), 1, "slt is signed");
    assert_eq!(binary(0x00, 3, u32::MAX, 1), 0, "sltu is not");
    assert_eq!(binary(0x00, 4, 0b1100, 0b1010), 0b0110, "xor");
    assert_eq!(binary(0x00, 5, LEAST, 63), 1, "srl takes five bits");
    assert_eq!(binary(0x20, 5, LEAST, 31), u32::MAX, "sra keeps the sign");
    assert_eq!(binary(0x00, 6, 0b1100, 0b1010), 0b1110, "or");
    assert_eq!(binary(0x00, 7, 0b1100, 0b1010), 0b1000, "and");
}

#[test]
fn immediates_are_sign_extended() {
    assert_eq!(immediate(0, 5, -6), u32::MAX, "addi");
    assert_eq!(immediate(2, LEAST, -1), 1, "slti");
    assert_eq!(
        immediate(3, 5, -1),
        1,
        "sltiu extends, then compares unsigned"
    );
    assert_eq!(immediate(4, 0, -1), u32::MAX, "xori");
    assert_eq!(immediate(6, 1, -2048), 0xffff_f801, "ori");
    assert_eq!(immediate(7, u32::MAX, -2048), 0xffff_f800, "andi");
    assert_eq!(immediate(1, 1, 31), LEAST, "slli");
    assert_eq!(immediate(5, LEAST, 31), 1, "srli");
    assert_eq!(immediate(5, LEAST, 31 | 0x400), u32::MAX, "srai");
    let state = run(&[
        u_type(0xdead_b000, 5, 0x37),
        u_type(0xffff_f000, 6, 0x17),
        ECALL,
    ]);
    assert_eq!(state.registers[5], 0xdead_b000, "lui");
    assert_eq!(
        state.registers[6],
        4_u32.wrapping_sub(0x1000),
        "auipc counts from its own place"
    );
}

#[test]
fn products_and_quotients_are_the_manuals() {
    let minus = |value: i32| value.wrapping_neg() as u32;
    assert_eq!(binary(1, 0, 0x1_0001, 0x1_0001), 0x2_0001, "mul");
    assert_eq!(binary(1, 1, minus(1), minus(1)), 0, "mulh");
    assert_eq!(binary(1, 1, LEAST, LEAST), 0x4000_0000, "mulh of the least");
    assert_eq!(binary(1, 2, minus(1), u32::MAX), u32::MAX, "mulhsu");
    assert_eq!(
        binary(1, 2, LEAST, u32::MAX),
        0x8000_0000,
        "mulhsu of the least"
    );
    assert_eq!(binary(1, 3, u32::MAX, u32::MAX), 0xffff_fffe, "mulhu");
    assert_eq!(binary(1, 4, minus(7), 2), minus(3), "div rounds to zero");
    assert_eq!(binary(1, 4, 7, 0), u32::MAX, "div by zero");
    assert_eq!(binary(1, 4, LEAST, u32::MAX), LEAST, "div overflows");
    assert_eq!(binary(1, 5, u32::MAX, 2), 0x7fff_ffff, "divu");
    assert_eq!(binary(1, 5, 7, 0), u32::MAX, "divu by zero");
    assert_eq!(
        binary(1, 6, minus(7), 2),
        minus(1),
        "rem has the dividend's sign"
    );
    assert_eq!(binary(1, 6, minus(7), 0), minus(7), "rem by zero");
    assert_eq!(binary(1, 6, LEAST, u32::MAX), 0, "rem of the overflow");
    assert_eq!(binary(1, 7, 7, 4), 3, "remu");
    assert_eq!(binary(1, 7, 7, 0), 7, "remu by zero");
}

#[test]
fn x0_stays_zero_whatever_writes_it() {
    let mut words = li(5, SCRATCH).to_vec();
    words.extend([
        addi(0, 5, 1),
        jal(8, 0),
        EBREAK,
        i_type(0, 5, 2, 0, 0x03),
        r_type(1, 5, 5, 0, 0, 0x33),
        u_type(LEAST, 0, 0x37),
        addi(6, 0, 0),
        ECALL,
    ]);
    let state = run(&words);
    assert_eq!(
        (state.status, state.registers[0], state.registers[6]),
        (Status::Halted, 0, 0)
    );
}

#[test]
fn loads_extend_and_stores_keep_their_neighbours() {
    let mut words = [li(5, SCRATCH + 64), li(6, 0x8091_a2b3)].concat();
    words.extend([
        s_type(-4, 6, 5, 2),
        s_type(0, 6, 5, 0),
        s_type(2, 6, 5, 1),
        i_type(-4, 5, 2, 7, 0x03),
        i_type(-4, 5, 0, 8, 0x03),
        i_type(-4, 5, 4, 9, 0x03),
        i_type(-2, 5, 1, 10, 0x03),
        i_type(-2, 5, 5, 11, 0x03),
        i_type(0, 5, 2, 12, 0x03),
        ECALL,
    ]);
    let x = run(&words).registers;
    assert_eq!(x[7], 0x8091_a2b3, "lw");
    assert_eq!((x[8], x[9]), (0xffff_ffb3, 0xb3), "lb and lbu");
    assert_eq!((x[10], x[11]), (0xffff_8091, 0x8091), "lh and lhu");
    assert_eq!(x[12], 0xa2b3_00b3, "sb and sh");
}

#[test]
fn what_is_misaligned_or_out_of_range_traps_and_changes_nothing() {
    let end = 1 << LAYOUT.log2_memory;
    for (address, funct3) in [
        (SCRATCH + 1, 1),
        (SCRATCH + 2, 2),
        (SCRATCH + 3, 2),
        (end, 0),
        (end, 2),
        (u32::MAX, 0),
        (u32::MAX - 1, 1),
        (u32::MAX - 3, 2),
    ] {
        for word in [i_type(0, 5, funct3, 7, 0x03), s_type(0, 5, 5, funct3)] {
            let mut words = li(5, address).to_vec();
            words.push(word);
            let state = run(&words);
            assert_eq!(
                (state.status, state.pc, state.registers[7]),
                (Status::Trapped, 8, 0)
            );
        }
    }
    let mut words = li(5, end - 4).to_vec();
    words.extend([s_type(0, 5, 5, 2), i_type(3, 5, 0, 7, 0x03), ECALL]);
    assert_eq!(
        run(&words).status,
        Status::Halted,
        "the last word is in range"
    );
}

#[test]
fn jumps_link_and_clear_the_lowest_bit_and_trap_off_words() {
    let mut words = li(5, 21).to_vec();
    // To 20: jalr clears bit 0.
    words.extend([
        i_type(0, 5, 0, 1, 0x67),
        EBREAK,
        EBREAK,
        jal(8, 6),
        EBREAK,
        ECALL,
    ]);
    let state = run(&words);
    assert_eq!(
        (state.status, state.registers[1], state.registers[6]),
        (Status::Halted, 12, 24)
    );

    let mut words = li(5, 22).to_vec();
    words.push(i_type(0, 5, 0, 1, 0x67));
    let state = run(&words);
    assert_eq!(
        (state.status, state.pc, state.registers[1]),
        (Status::Trapped, 8, 0),
        "jalr"
    );
    let state = run(&[jal(6, 1)]);
    assert_eq!(
        (state.status, state.pc, state.registers[1]),
        (Status::Trapped, 0, 0),
        "jal"
    );
    let state = run(&[b_type(6, 0, 0, 1), b_type(6, 0, 0, 0)]);
    assert_eq!(
        (state.status, state.pc),
        (Status::Trapped, 4),
        "a branch that is taken"
    );

    let state = run(&[jal(4096, 1)]);
    assert_eq!(
        (state.status, state.pc, state.registers[1]),
        (Status::Trapped, 4096, 4),
        "out of the code"
    );
    let state = run(&[jal(-4, 1)]);
    assert_eq!(
        (state.status, state.pc),
        (Status::Trapped, u32::MAX - 3),
        "below the code"
    );
}

#[test]
fn branches_compare_as_their_names_say() {
    let taken = |funct3, a, b| {
        let mut words = [li(5, a), li(6, b)].concat();
        words.extend([b_type(8, 6, 5, funct3), ECALL, EBREAK]);
        run(&words).status == Status::Trapped
    };
    let less = u32::MAX;
    assert_eq!([taken(0, 1, 1), taken(0, 1, 2)], [true, false], "beq");
    assert_eq!([taken(1, 1, 1), taken(1, 1, 2)], [false, true], "bne");
    assert_eq!(
        [taken(4, less, 1), taken(4, 1, less), taken(4, 1, 1)],
        [true, false, false],
        "blt"
    );
    assert_eq!(
        [taken(5, less, 1), taken(5, 1, less), taken(5, 1, 1)],
        [false, true, true],
        "bge"
    );
    assert_eq!(
        [taken(6, less, 1), taken(6, 1, less), taken(6, 1, 1)],
        [false, true, false],
        "bltu"
    );
    assert_eq!(
        [taken(7, less, 1), taken(7, 1, less), taken(7, 1, 1)],
        [true, false, true],
        "bgeu"
    );
    // A loop: branches go backwards.
    let state = run(&[addi(5, 0, 3), addi(5, 5, -1), b_type(-4, 0, 5, 1), ECALL]);
    assert_eq!((state.step, state.registers[5]), (8, 0));
}

#[test]
fn what_is_not_rv32im_traps() {
    for word in [
        0,
        u32::MAX,
        EBREAK,
        FENCE_I,
        CSRRW,
        0x0000_0001,
        0x1000_2073,
        r_type(2, 1, 1, 0, 1, 0x33),
        r_type(0x20, 1, 1, 1, 1, 0x33),
        r_type(0x20, 1, 1, 7, 1, 0x33),
        i_type(0x400 | 1, 1, 1, 1, 0x13),
        i_type(0x600, 1, 5, 1, 0x13),
        i_type(0, 1, 3, 1, 0x03),
        i_type(0, 1, 6, 1, 0x03),
        s_type(0, 1, 1, 3),
        b_type(8, 1, 1, 2),
        i_type(0, 1, 1, 1, 0x67),
        ECALL | 1 << 7,
        0x0020_0073,
    ] {
        let state = run(&[addi(5, 0, 7), word]);
        assert_eq!(
            (state.status, state.pc, state.registers[5]),
            (Status::Trapped, 4, 7),
            "{word:08x}"
        );
    }
    assert_eq!(
        run(&[FENCE, 0x0000_000f, ECALL]).step,
        3,
        "a fence does nothing"
    );
}

#[test]
fn counting_goes_on_after_the_end() {
    for words in [&[ECALL][..], &[EBREAK]] {
        let image = image(words);
        let mut machine = machine(&image);
        machine.run(1);
        let ended = machine.state();
        let witness = StepWitness::of(&mut machine, &image);
        machine.run(1000);
        let later = machine.state();
        assert_eq!(
            State {
                step: 1000,
                ..ended.clone()
            },
            later
        );
        assert_eq!(
            witness.step(&StepShape::of(&image)).unwrap(),
            State { step: 2, ..ended }
        );
    }
}

/// No jump leads there and no image begins there, but a state can say so.
#[test]
fn a_pc_off_words_traps_without_code() {
    let image = image(&[addi(5, 0, 7), ECALL]);
    let shape = StepShape::of(&image);
    let mut machine = machine(&image);
    for pc in [1, 2, 3] {
        let mut witness = StepWitness::of(&mut machine, &image);
        witness.state.pc = pc;
        assert_eq!(
            witness.step(&shape),
            Err(WitnessError::WrongParts {
                part: "code",
                needed: 0
            })
        );
        witness.code = None;
        let trapped = State {
            step: 1,
            status: Status::Trapped,
            ..witness.state.clone()
        };
        assert_eq!(witness.step(&shape).unwrap(), trapped);
    }
}

#[test]
fn the_first_state_follows_from_the_roots_of_the_regions() {
    let image = image(&[ECALL]);
    let place = Place {
        unit_index: 0x1_0000_0002,
        sub_unit_index: 0x3_0000_0004,
        max_cost: 0x5_0000_0006,
    };
    let (input, params, parts) = ([7; 1000], [9; 200], [5; 700]);
    let regions = Regions {
        input: &input,
        params: &params,
        parts: &parts,
    };
    let mut machine = Machine::new(&image, regions, place).unwrap();
    let root = |bytes: &[u8], log2| B256::new(inferix_gpu::memory::subtree_root(bytes, log2));
    let roots = Roots {
        input: root(&input, LAYOUT.log2_input),
        params: root(&params, LAYOUT.log2_params),
        parts: Some(root(&parts, LAYOUT.log2_eighth())),
    };
    let first = image.first_state(roots, place);
    assert_eq!(machine.state(), first);
    assert_eq!(first.registers[10..16], [2, 1, 4, 3, 6, 5]);
    assert_eq!(first.registers[2], LAYOUT.constants_at());
    assert_eq!(first.to_bytes().len(), STATE_BYTES);

    let output = machine
        .memory()
        .region(LAYOUT.output_at(), LAYOUT.log2_output);
    assert_eq!(output.0, root(&[], LAYOUT.log2_output));
    let index = u64::from(LAYOUT.output_at() >> LAYOUT.log2_output);
    assert_eq!(
        inferix_prover::vm::fold(output.0, index, &output.1),
        first.memory_root
    );
}

#[test]
fn a_machine_goes_back_to_its_mark() {
    // Counts in memory, for ever.
    let mut words = li(5, SCRATCH).to_vec();
    words.extend([
        i_type(0, 5, 2, 6, 0x03),
        addi(6, 6, 1),
        s_type(0, 6, 5, 2),
        addi(5, 5, 4),
        jal(-16, 0),
    ]);
    let image = image(&words);
    let mut machine = machine(&image);
    machine.run(500);
    let early = machine.state();
    machine.mark();
    machine.run(20_000);
    let late = machine.state();
    machine.rewind();
    assert_eq!(machine.state(), early);
    machine.run(20_000);
    assert_eq!(machine.state(), late);
    machine.rewind();
    machine.rewind();
    assert_eq!(machine.state(), early);
}

/// Words near legal instructions: random ones would trap at once.
fn word() -> impl Strategy<Value = u32> {
    let register = 0..8_u32;
    let fields = (
        register.clone(),
        register.clone(),
        register,
        any::<i32>(),
        any::<u32>(),
    );
    (0..9_u32, fields, 0..8_u32).prop_map(|(kind, (rd, rs1, rs2, imm, any), funct3)| match kind {
        0 => any,
        1 => i_type(imm, rs1, funct3, rd, 0x13),
        2 => r_type([0, 1, 0x20][any as usize % 3], rs2, rs1, funct3, rd, 0x33),
        3 => i_type(imm & 0x7c, 4, funct3 % 6, rd, 0x03),
        4 => s_type(imm & 0x7c, rs2, 4, funct3 % 3),
        5 => b_type(imm & 0x3c, rs2, rs1, funct3),
        6 => jal(imm & 0x3c, rd),
        7 => u_type(any, rd, 0x37 - (any & 1) * 0x20),
        _ => addi(rd, rs1, imm),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_program_steps_on_its_witness_as_in_the_machine(
        body in prop::collection::vec(word(), 1..60),
        steps in 1..80_u64,
    ) {
        let image = image(&[&li(4, SCRATCH)[..], &body].concat());
        let shape = StepShape::of(&image);
        let mut machine = machine(&image);
        for step in 0..steps {
            let witness = StepWitness::of(&mut machine, &image);
            machine.run(step + 1);
            prop_assert_eq!(witness.step(&shape).unwrap(), machine.state());
        }
        // In one go as in many.
        let last = machine.state();
        machine.rewind();
        machine.run(steps);
        prop_assert_eq!(machine.state(), last);
    }

    #[test]
    fn no_part_of_a_witness_can_be_another(flip in 0..256_usize, which in 0..40_usize) {
        let mut words = li(5, SCRATCH).to_vec();
        words.push(s_type(0, 5, 5, 2));
        let image = image(&words);
        let shape = StepShape::of(&image);
        let mut machine = machine(&image);
        machine.run(2);
        let honest = StepWitness::of(&mut machine, &image);
        let next = honest.step(&shape).unwrap();
        let mut forged = honest.clone();
        let (code, memory) = (forged.code.as_mut().unwrap(), forged.memory.as_mut().unwrap());
        let mut parts: Vec<_> = [&mut code.leaf, &mut memory.leaf].into_iter().collect();
        parts.extend(code.siblings.iter_mut());
        parts.extend(memory.siblings.iter_mut());
        let count = parts.len();
        parts[which % count].0[flip / 8] ^= 1 << (flip % 8);
        let got = forged.step(&shape);
        prop_assert!(matches!(got, Err(WitnessError::WrongRoot { .. })), "{:?} {:?}", got, next);

        let mut long = honest.clone();
        long.memory.as_mut().unwrap().siblings.push(B256::ZERO);
        prop_assert!(long.step(&shape).is_err());
        let mut short = honest;
        short.memory = None;
        prop_assert!(short.step(&shape).is_err());
    }
}
