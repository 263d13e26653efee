"""The order of the rows and the units that are dropped, in whole numbers, from the documentation of src/data/permutation.rs
and src/network/dropout.rs alone.

Run by itself, prints the orders and factors that tests/truth/draws.rs holds every engine against.
"""

WORD, LONG = 2**32, 2**64


def split_mix(x):
    """SplitMix64 (Steele, Lea & Flood, 2014): what a generator whose state is x gives first."""
    x = (x + 0x9E3779B97F4A7C15) % LONG
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 % LONG
    x = (x ^ x >> 27) * 0x94D049BB133111EB % LONG
    return x ^ x >> 31


def lowbias32(x):
    """C. Wellons's hash of 32 bits."""
    x = (x ^ x >> 16) * 0x7FEB352D % WORD
    x = (x ^ x >> 15) * 0x846CA68B % WORD
    return x ^ x >> 16


def order(rows, seed, epoch):
    """The rows in the order of an epoch."""
    key = split_mix(seed ^ split_mix(epoch))
    keys = key % WORD, key // WORD
    if rows <= 256:
        hashes = [lowbias32((lowbias32((p + keys[0]) % WORD) + keys[1]) % WORD) for p in range(rows)]
        ranks = {value: rank for rank, value in enumerate(sorted(hashes))}
        return [ranks[value] for value in hashes]
    bits = (rows - 1).bit_length()
    order = []
    for position in range(rows):
        row = feistel(position, bits, keys)
        while row >= rows:
            row = feistel(row, bits, keys)
        order.append(row)
    return order


def drawn(rows, seed):
    """The rows that stand in place of all rows where as many were drawn with replacement (src/data/draws.rs)."""
    key = split_mix(seed ^ split_mix(int.from_bytes(b"bootstra", "big")))
    low, high = key % WORD, key // WORD
    return [lowbias32((lowbias32((row + low) % WORD) + high) % WORD) % rows for row in range(rows)]


def feistel(value, bits, keys):
    """Eight rounds; the halves, of low and high bits, take each other's place in each."""
    low_bits, high_bits = bits // 2, bits - bits // 2
    high, low = value >> low_bits, value % 2**low_bits
    for number in range(8):
        key = lowbias32((keys[number % 2] + number * 0x9E3779B9) % WORD)
        high, low = low, (high ^ lowbias32((low + key) % WORD)) % 2**high_bits
        low_bits, high_bits = high_bits, low_bits
    return high << low_bits | low


def pcg4d(v):
    """Jarzynski & Olano, Hash Functions for GPU Rendering (2020)."""
    v = [(word * 1664525 + 1013904223) % WORD for word in v]
    for half in range(2):
        for to, a, b in [(0, 1, 3), (1, 2, 0), (2, 0, 1), (3, 1, 2)]:
            v[to] = (v[to] + v[a] * v[b]) % WORD
        if half == 0:
            v = [word ^ word >> 16 for word in v]
    return v


def factor(probability, seed, step, row, unit):
    """What dropout multiplies an activation by."""
    key = split_mix(seed ^ split_mix(step ^ int.from_bytes(b"dropout ", "big")))
    hash = pcg4d([row, unit, key % WORD, key // WORD])[3]
    return 0.0 if hash < int(probability * WORD) else 1 / (1 - probability)


if __name__ == "__main__":
    for rows, seed, epoch in [(1, 0, 0), (2, 1, 0), (5, 0, 0), (7, 2**63 + 5, 3), (16, 9, 2**32 + 1)]:
        print((rows, seed, epoch), order(rows, seed, epoch))
    for rows, seed, epoch in [(255, 3, 1), (256, 3, 1), (257, 3, 1), (1000, 2**40, 7), (70_000, 1, 0)]:
        whole = order(rows, seed, epoch)
        places = sum(position * row for position, row in enumerate(whole))
        print((rows, seed, epoch), whole[:4], whole[-4:], places)
    for rows, seed in [(1, 0), (7, 0), (16, 9), (16, 2**63 + 5), (1000, 3)]:
        whole = drawn(rows, seed)
        places = sum(place * row for place, row in enumerate(whole))
        print((rows, seed), whole if rows < 20 else whole[:4], places, len(set(whole)))
    for seed, step in [(0, 1), (2**63 + 5, 3), (1, 2**32 + 1)]:
        bits = [sum((factor(0.5, seed, step, row, unit) == 0) << unit for unit in range(16)) for row in range(4)]
        print((seed, step), [hex(word) for word in bits])
