/**
 * Numbers from a seed: the same text, the same numbers, on any machine. sfc32 (PractRand's small fast counting
 * generator) over four words that hash the text. Not for secrets.
 */
export interface SeededRandom {
  /** Uniform over (0, 1), both ends excluded, with 32 bits. */
  next(): number;
  /** Standard normal. */
  normal(): number;
  /** Gamma with this shape and scale 1. */
  gamma(shape: number): number;
  /** Beta(alpha, beta), both above 0. */
  beta(alpha: number, beta: number): number;
}

export function seededRandom(seed: string): SeededRandom {
  let [a, b, c] = [hash(seed, 0x9e3779b9), hash(seed, 0x85ebca6b), hash(seed, 0xc2b2ae35)];
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return ((sum >>> 0) + 0.5) / 4_294_967_296;
  };
  // What is near the seed is not random yet.
  for (let round = 0; round < 16; round += 1) next();

  const normal = (): number => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
  /** Marsaglia and Tsang, "A simple method for generating gamma variables", 2000. */
  const gamma = (shape: number): number => {
    if (shape < 1) return gamma(shape + 1) * next() ** (1 / shape);
    const d = shape - 1 / 3;
    const k = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = normal();
      const v = (1 + k * x) ** 3;
      if (v > 0 && Math.log(next()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
    }
  };
  const beta = (alpha: number, other: number): number => {
    const x = gamma(alpha);
    const sum = x + gamma(other);
    // Both underflow where both shapes are tiny.
    return sum > 0 ? x / sum : alpha / (alpha + other);
  };
  return { next, normal, gamma, beta };
}

/** 32 bits of a text: FNV-1a with a finaliser of murmur3, from a basis of its own. */
function hash(text: string, basis: number): number {
  let h = basis;
  for (let index = 0; index < text.length; index += 1) h = Math.imul(h ^ text.charCodeAt(index), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
}
