// A sum of many terms in f32, term by term in order: in blocks of 16, whose sums are added up in blocks of 16 in turn, and those.
// Errors of rounding grow with a block and with the number of blocks of blocks, not with the number of terms: 4,096 equal terms come
// out within 5e-7, where one accumulator is off by up to 5e-5. Every sum whose length the batch, the tasks or the shares decide is
// made so. No error term is carried along (Kahan), since compilers that reorder sums, as Metal's does by default, take it away.

const BLOCK = 16u;

struct LongSum {
    blocks_of_blocks: f32,
    blocks: f32,
    block: f32,
    terms: u32,
}

fn add_term(sum: ptr<function, LongSum>, term: f32) {
    (*sum).block += term;
    (*sum).terms += 1u;
    let is_full = (*sum).terms % BLOCK == 0u;
    (*sum).blocks += select(0.0, (*sum).block, is_full);
    (*sum).block = select((*sum).block, 0.0, is_full);
    let are_full = (*sum).terms % (BLOCK * BLOCK) == 0u;
    (*sum).blocks_of_blocks += select(0.0, (*sum).blocks, are_full);
    (*sum).blocks = select((*sum).blocks, 0.0, are_full);
}

fn sum_of(sum: LongSum) -> f32 {
    return sum.blocks_of_blocks + (sum.blocks + sum.block);
}
