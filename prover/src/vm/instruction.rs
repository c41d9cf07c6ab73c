//! RV32IM instructions, decoded once before a program runs.
//!
//! Source: The RISC-V Instruction Set Manual, Volume I, 20191213, chapters 2, 7 and 24. What is not RV32I or M is
//! [`Op::Trap`], and so is what would ask an environment: CSRs, `ebreak`, `fence.i`. `ecall` halts. `fence` does
//! nothing, whatever its other fields say, as the manual wants of an implementation that has no use for them.

/// What an instruction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "the names are the manual's")]
pub enum Op {
    Lui,
    Auipc,
    Jal,
    Jalr,
    Beq,
    Bne,
    Blt,
    Bge,
    Bltu,
    Bgeu,
    Lb,
    Lh,
    Lw,
    Lbu,
    Lhu,
    Sb,
    Sh,
    Sw,
    Addi,
    Slti,
    Sltiu,
    Xori,
    Ori,
    Andi,
    Slli,
    Srli,
    Srai,
    Add,
    Sub,
    Sll,
    Slt,
    Sltu,
    Xor,
    Srl,
    Sra,
    Or,
    And,
    Mul,
    Mulh,
    Mulhsu,
    Mulhu,
    Div,
    Divu,
    Rem,
    Remu,
    Fence,
    /// `ecall`: the program is done.
    Halt,
    /// Anything else.
    Trap,
}

/// A decoded instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// What it does.
    pub op: Op,
    /// The register that it writes.
    pub rd: u8,
    /// The first register that it reads.
    pub rs1: u8,
    /// The second register that it reads.
    pub rs2: u8,
    /// Its constant, sign-extended; a shift's amount.
    pub imm: u32,
}

impl Instruction {
    /// Decodes a word. Every word is an instruction: an illegal one is [`Op::Trap`].
    pub fn decode(word: u32) -> Self {
        let funct3 = word >> 12 & 7;
        let (op, imm) = match word & 0x7f {
            0x37 => (Op::Lui, imm_u(word)),
            0x17 => (Op::Auipc, imm_u(word)),
            0x6f => (Op::Jal, imm_j(word)),
            0x67 if funct3 == 0 => (Op::Jalr, imm_i(word)),
            0x63 => (branch(funct3), imm_b(word)),
            0x03 => (load(funct3), imm_i(word)),
            0x23 => (store(funct3), imm_s(word)),
            0x13 => immediate(word, funct3),
            0x33 => (register(word >> 25, funct3), 0),
            0x0f if funct3 == 0 => (Op::Fence, 0),
            0x73 if word == 0x73 => (Op::Halt, 0),
            _ => (Op::Trap, 0),
        };
        Self {
            op,
            rd: field(word, 7),
            rs1: field(word, 15),
            rs2: field(word, 20),
            imm,
        }
    }
}

/// Five bits of a word.
fn field(word: u32, shift: u32) -> u8 {
    (word >> shift & 31).to_le_bytes()[0]
}

fn branch(funct3: u32) -> Op {
    match funct3 {
        0 => Op::Beq,
        1 => Op::Bne,
        4 => Op::Blt,
        5 => Op::Bge,
        6 => Op::Bltu,
        7 => Op::Bgeu,
        _ => Op::Trap,
    }
}

fn load(funct3: u32) -> Op {
    match funct3 {
        0 => Op::Lb,
        1 => Op::Lh,
        2 => Op::Lw,
        4 => Op::Lbu,
        5 => Op::Lhu,
        _ => Op::Trap,
    }
}

fn store(funct3: u32) -> Op {
    match funct3 {
        0 => Op::Sb,
        1 => Op::Sh,
        2 => Op::Sw,
        _ => Op::Trap,
    }
}

fn immediate(word: u32, funct3: u32) -> (Op, u32) {
    let shift = word >> 20 & 31;
    match (funct3, word >> 25) {
        (0, _) => (Op::Addi, imm_i(word)),
        (2, _) => (Op::Slti, imm_i(word)),
        (3, _) => (Op::Sltiu, imm_i(word)),
        (4, _) => (Op::Xori, imm_i(word)),
        (6, _) => (Op::Ori, imm_i(word)),
        (7, _) => (Op::Andi, imm_i(word)),
        (1, 0x00) => (Op::Slli, shift),
        (5, 0x00) => (Op::Srli, shift),
        (5, 0x20) => (Op::Srai, shift),
        _ => (Op::Trap, 0),
    }
}

fn register(funct7: u32, funct3: u32) -> Op {
    match (funct7, funct3) {
        (0x00, 0) => Op::Add,
        (0x20, 0) => Op::Sub,
        (0x00, 1) => Op::Sll,
        (0x00, 2) => Op::Slt,
        (0x00, 3) => Op::Sltu,
        (0x00, 4) => Op::Xor,
        (0x00, 5) => Op::Srl,
        (0x20, 5) => Op::Sra,
        (0x00, 6) => Op::Or,
        (0x00, 7) => Op::And,
        (0x01, 0) => Op::Mul,
        (0x01, 1) => Op::Mulh,
        (0x01, 2) => Op::Mulhsu,
        (0x01, 3) => Op::Mulhu,
        (0x01, 4) => Op::Div,
        (0x01, 5) => Op::Divu,
        (0x01, 6) => Op::Rem,
        (0x01, 7) => Op::Remu,
        _ => Op::Trap,
    }
}

/// The word's upper bits with its sign, moved down.
fn signed(word: u32, shift: u32) -> u32 {
    (word.cast_signed() >> shift).cast_unsigned()
}

fn imm_i(word: u32) -> u32 {
    signed(word, 20)
}

fn imm_s(word: u32) -> u32 {
    signed(word, 20) & !31 | word >> 7 & 31
}

fn imm_b(word: u32) -> u32 {
    signed(word, 19) & !0xfff | word << 4 & 0x800 | word >> 20 & 0x7e0 | word >> 7 & 0x1e
}

fn imm_u(word: u32) -> u32 {
    word & 0xffff_f000
}

fn imm_j(word: u32) -> u32 {
    signed(word, 11) & !0xf_ffff | word & 0xf_f000 | word >> 9 & 0x800 | word >> 20 & 0x7fe
}
